"""Understands how an agency's request for information is recorded, listed and ended from the command
line. The identity number comes from a file or from standard input, never from the arguments: those are
shown to everybody who lists the processes.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import IO, Any

import click

from hub.cli.installed import open_parts
from hub.cli.person import _FILE, _login, _number
from hub.cli.shown import moment, say, say_json, table


@click.group(
    epilog="""\b
Examples:
  bro request add number.txt --row L30 --asked-by 310000051 --asked-of 310000027 --purpose benefits \\
      --reference "2026/4711" --asked-on 2026-11-20 --until 2027-02-20 --as "Kari Vik" --reason "letter"
  bro request list number.txt
  bro request end number.txt ID --as "Kari Vik" --reason "taken back by letter"

\b
The file holds one identity number; - is standard input."""
)
def request() -> None:
    """Requests on file: what lets a policy row speak that orders disclosure on request only."""


_as = click.option("--as", "who", required=True, metavar="NAME", help="Who you are. Sealed in the audit log.")
_why = click.option(
    "--reason", required=True, metavar="TEXT", help="Why, or where it is written. Sealed in the audit log."
)
_json = click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
_DAY = click.DateTime(formats=["%Y-%m-%d"])


@request.command(
    epilog="""\b
Examples:
  bro request add number.txt --row L30 --asked-by 310000051 --asked-of 310000027 --purpose benefits \\
      --reference "2026/4711" --asked-on 2026-11-20 --until 2027-02-20 --as "Kari Vik" --reason "letter"
  bro request add - --row L44 --asked-by 310000019 --asked-of 310000035 --purpose sentence_execution \\
      --reference "K-12" --asked-on 2026-11-20 --until 2026-12-20 --as "Ola Nes" --reason "call" < n.txt"""
)
@click.argument("file", type=_FILE)
@click.option("--row", required=True, metavar="ROW", help="The flow it rests on, such as L30.")
@click.option("--asked-by", required=True, metavar="ORG", help="Who asks, and will get it.")
@click.option("--asked-of", required=True, metavar="ORG", help="Who is asked, and will send it.")
@click.option("--purpose", required=True, help="A purpose code of the row, such as benefits.")
@click.option(
    "--reference", required=True, metavar="TEXT", help="The asker's own; the same again is the next version."
)
@click.option("--asked-on", required=True, type=_DAY, help="The day it was asked; in force from then.")
@click.option("--until", required=True, type=_DAY, help="The last day it stands.")
@click.option("--data-from", type=_DAY, help="Only information from this day on.")
@click.option("--data-to", type=_DAY, help="Only information until this day.")
@_as
@_why
@_json
def add(
    file: IO[str],
    row: str,
    asked_by: str,
    asked_of: str,
    purpose: str,
    reference: str,
    asked_on: datetime,
    until: datetime,
    data_from: datetime | None,
    data_to: datetime | None,
    who: str,
    reason: str,
    as_json: bool,
) -> None:
    """Record that an agency asked another for what a row orders to be told on request.

    Nothing is sent by it: what comes in, and what waits, is decided with it. What the row does not name
    stays where it is; substance use needs a consent as long as the strict form of the flow decides.
    """
    from hub import requests
    from hub.identity import Desk

    asked = requests.Asked(
        reference=reference,
        asked_by=asked_by,
        asked_of=asked_of,
        flow=row,
        purpose=purpose,
        asked_on=asked_on.date(),
        valid_to=until.date(),
        data_from=_date(data_from),
        data_to=_date(data_to),
    )
    request_id, version = requests.add(open_parts(), _number(file), asked, Desk(who, reason, _login()))
    if as_json:
        say_json({"id": request_id, "version": version})
    else:
        say(f"Recorded: {request_id}, version {version}.")


@request.command(
    name="list",
    epilog="""\b
Examples:
  bro request list number.txt
  bro request list number.txt --as-known 2026-06-01T12:00:00+02:00 --json""",
)
@click.argument("file", type=_FILE)
@click.option("--at", "at", help="As it stood then (ISO 8601 with a time zone). Default: now.")
@click.option("--as-known", help="As the hub knew it then. Default: now.")
@_json
def list_requests(file: IO[str], at: str | None, as_known: str | None, as_json: bool) -> None:
    """Every version of every request about one person: as it stood, and as the hub knew it."""
    from hub import requests
    from hub.cli.consent import _moment

    parts = open_parts()
    now = parts.clock()
    then, known = _moment("--at", at) or now, _moment("--as-known", as_known) or now
    found = requests.of_person(parts, _number(file), at=then, known_at=known)
    rows: list[dict[str, Any]] = [requests.told(parts, each) for each in found]
    if as_json:
        say_json({"at": then, "as_known": known, "requests": rows})
        return
    table(
        ("id", "version", "stands", "asked by", "asked of", "row", "purpose", "until", "recorded", "by"),
        [
            (
                row["id"],
                str(row["version"]),
                row["stands"],
                row["asked_by"],
                row["asked_of"],
                row["flow"],
                row["purpose"],
                row["valid_to"] or "-",
                moment(row["recorded_at"]),
                row["recorded_by"] or "-",
            )
            for row in rows
        ],
        empty="No request is on file.",
    )


@request.command(
    epilog='\b\nExample:\n  bro request end number.txt ID --as "Kari Vik" --reason "taken back by letter"'
)
@click.argument("file", type=_FILE)
@click.argument("id_", metavar="ID")
@_as
@_why
@_json
def end(file: IO[str], id_: str, who: str, reason: str, as_json: bool) -> None:
    """End a request, in all its versions: nothing that has not been handed over goes on it any more."""
    from hub import requests
    from hub.identity import Desk

    count = requests.end(open_parts(), _number(file), id_, Desk(who, reason, _login()))
    if as_json:
        say_json({"ended": count})
    else:
        say("Ended.")


def _date(at: datetime | None) -> date | None:
    return None if at is None else at.date()
