"""Understands the identity desk on the command line: which numbers are one person's, and about whom no
machine may write. Numbers, and messages whose patient was described, come from a file or from standard
input, never from the arguments: those are shown to everybody who lists the processes.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import IO, Any

import click

from hub.cli.installed import open_parts
from hub.cli.shown import moment, say, say_json, table
from hub.errors import Finding, HubError

_MOST = 16_384  # characters: some numbers, not a file chosen by mistake

_FILE = click.File("r", encoding="utf-8", errors="replace", lazy=True)


@click.group(
    epilog="""\b
Examples:
  bro person link numbers.txt --as "Kari Vik" --reason "letter from the register"
  bro person confirm numbers.txt --as "Ola Nes" --reason "checked in the register"
  bro person protect - --as "Kari Vik" --reason "kode 6" < number.txt
  bro person gp number.txt --agency 310000086 --from 2026-01-01 --source "fastlegeregisteret" \\
      --as "Kari Vik" --reason "looked up at admission"
  bro person show number.txt

\b
The file holds one identity number on each line; - is standard input. Two different persons are needed
to confirm, to merge and to unprotect: the first asks, the second runs the same command.

\b
A patient who was described by name, birth date and sex has no number here. message:ID on a line is the
patient of that message; `link` and `confirm` with the number on the other line say whose it is, and what
was held is decided by that number's consents. Messages that wait for it have decide.person-unidentified
in `bro messages list --state waiting`."""
)
def person() -> None:
    """Link, merge and split the records of a person; stop automatic messages; the registered GP; forget."""


def _act(name: str, one_line: str, count: str, do: str, **fixed: Any) -> None:
    """One command that changes something: numbers, who, why."""

    @person.command(
        name=name,
        help=f"{one_line}\n\nFILE: {count}.",
        epilog=f'\b\nExample:\n  bro person {name} numbers.txt --as "Kari Vik" --reason "from the register"',
    )
    @click.argument("file", type=_FILE)
    @click.option("--as", "who", required=True, metavar="NAME", help="Who you are. Sealed in the audit log.")
    @click.option("--reason", required=True, metavar="TEXT", help="Why. Sealed in the audit log.")
    @click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
    def command(file: IO[str], who: str, reason: str, as_json: bool) -> int:
        from hub import identity

        change: Callable[..., str] = getattr(identity, do)
        desk = identity.Desk(who, reason, _login())
        result = change(open_parts(), _numbers(file), desk, **fixed)
        if as_json:
            say_json({"result": result, "done": not result.endswith("-asked")})
        else:
            say(_SAID[result])
        return 0


_SAID = {
    "linked": "Linked, in doubt: refusals count on both. `bro person confirm` makes it sure.",
    "merge-asked": "Counts as a link in doubt until another person runs the same command.",
    "confirmed": "Confirmed: permissions and order count across both numbers.",
    "merged": "Merged: permissions and order count across both records.",
    "unlinked": "Unlinked. Refusals stay on both sides.",
    "split": "Split. Refusals stay on both sides; permissions and messages where they were recorded.",
    "protected": "No automatic message about this person from now on.",
    "unprotect-asked": "Still protected until another person runs the same command.",
    "unprotected": "Automatic messages are decided on again.",
    "forgotten": "The keys are destroyed: nothing about this person can be read in this database any more.",
}

_OR_MESSAGE = "; message:ID for the described patient of a message"
_TWO = f"two identity numbers, one on each line{_OR_MESSAGE}"
_ONE = f"one identity number{_OR_MESSAGE}"
_act("link", "Two numbers may be one person's: refusals count on both.", _TWO, "link")
_act("confirm", "A second person knows that the link or merge is right.", _TWO, "confirm")
_act("merge", "Two records are one person's. Takes two persons.", _TWO, "merge")
_act("unlink", "Two linked numbers are not one person's. Refusals stay on both.", _TWO, "unlink")
_act("split", "What was merged is two persons. Refusals stay on both.", _TWO, "split")
_act("protect", "Graded address (kode 6, kode 7): no automatic message at all.", _ONE, "protect")
_act("deceased", "The person is dead: no automatic message at all.", _ONE, "protect", deceased=True)
_act("unprotect", "Lift what `protect` or `deceased` said. Takes two persons.", _ONE, "unprotect")
_act(
    "forget",
    "Destroy the keys of all about the person, under every number confirmed to be theirs. Cannot be undone.",
    _ONE,
    "forget",
)


@person.command(
    epilog="""\b
Examples:
  bro person show number.txt
  bro person show number.txt --known 2026-11-01T12:00:00+01:00 --json"""
)
@click.argument("file", type=_FILE)
@click.option("--known", metavar="TIME", help="The links as they were known then; ISO 8601.")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def show(file: IO[str], known: str | None, as_json: bool) -> None:
    """Which records are one person's, who said so when, and which messages are affected where a link
    has ended (two persons were mixed up). FILE: one identity number; message:ID for the described patient
    of a message.
    """
    from hub import identity

    told = identity.show(open_parts(), _number(file, described=True), known_at=_moment(known))
    if as_json:
        say_json(told)
        return
    stops = [word for word in ("protected_address", "deceased", "forgotten", "unidentified") if told[word]]
    say(f"person {told['person']}" + (f" ({', '.join(stops)})" if stops else ""))
    table(
        ("with", "kind", "confirmed", "known from", "known to"),
        [
            (
                row["with"],
                row["kind"],
                "yes" if row["confirmed"] else "no",
                moment(row["known_from"]),
                moment(row["known_to"]),
            )
            for row in told["links"]
        ],
        empty="No links.",
    )
    if told["registered_gp"]:
        say(f"registered GP: {told['registered_gp']}")
    for done in told["done"]:
        who = done.get("by") or done.get("sender", "")
        say(f"{moment(done['at'])}  {done['action']}  by {who}: {done.get('reason', '')}")
    for item in told["affected"]:
        say(f"affected: {item['disclosure']} to {item['recipient']}, {moment(item['handed_over_at'])}")


@person.command(
    epilog="""\b
Examples:
  bro person gp number.txt --agency 310000086 --from 2026-01-01 --source "fastlegeregisteret" \\
      --as "Kari Vik" --reason "looked up at admission"
  bro person gp number.txt --nobody --from 2026-12-01 --source "fastlegeregisteret" \\
      --as "Kari Vik" --reason "left the list"

\b
Days are inclusive, Europe/Oslo. The record that came last counts for the days it speaks of."""
)
@click.argument("file", type=_FILE)
@click.option("--agency", metavar="ORG", help="Organisation number of the GP's practice, in the directory.")
@click.option("--nobody", is_flag=True, help="The person is on no GP's list.")
@click.option("--from", "first", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The first day.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="The last day; open, if left out.")
@click.option("--source", required=True, metavar="TEXT", help="Which register or sender says so.")
@click.option("--as", "who", required=True, metavar="NAME", help="Who you are. Sealed in the audit log.")
@click.option("--reason", required=True, metavar="TEXT", help="Why. Sealed in the audit log.")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def gp(
    file: IO[str],
    agency: str | None,
    nobody: bool,
    first: datetime,
    last: datetime | None,
    source: str,
    who: str,
    reason: str,
    as_json: bool,
) -> None:
    """Record who the person's registered GP (fastlege) is. What a policy row lets go to the registered GP
    only goes to no other, and to nobody while this is unknown. FILE: one identity number.
    """
    from hub import gps, identity

    if (agency is None) is not nobody:
        raise click.UsageError("Give --agency or --nobody, one of them.")
    number = _number(file)
    said = gps.Said(agency or "", first.date(), last.date() if last else None, source)
    gps.record(open_parts(), number, said, identity.Desk(who, reason, _login()))
    if as_json:
        say_json({"result": "recorded", "done": True})
    else:
        say("Recorded.")


@person.command(
    epilog="""\b
Examples:
  bro person accesses number.txt
  bro person accesses number.txt --fhir > accesses.json"""
)
@click.argument("file", type=_FILE)
@click.option("--fhir", is_flag=True, help="As FHIR R4 AuditEvents in a Bundle; holds the number.")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def accesses(file: IO[str], *, fhir: bool, as_json: bool) -> None:
    """Who got something on a person from whom, when and for what; never what stood in it, nothing of what
    did not go, and not who was told that a consent is withdrawn. FILE: one identity number.
    """
    from dataclasses import asdict

    from adapters.fhir_audit import write_audit
    from hub.accesses import of_person

    number = _number(file)
    if fhir and as_json:
        raise click.UsageError("--fhir or --json, one of them.")
    found = of_person(open_parts(), number)
    if fhir:
        say_json(write_audit(number, found))
    elif as_json:
        say_json({"accesses": [asdict(one) for one in found]})
    else:
        table(
            ("when", "from", "to", "what", "for", "certain"),
            [
                (
                    moment(one.at),
                    one.sender,
                    one.recipient,
                    one.type,
                    one.purpose or "",
                    "yes" if one.certain else "no answer came",
                )
                for one in found
            ],
            empty="Nobody got anything.",
        )


def _numbers(file: IO[str]) -> list[str]:
    return file.read(_MOST).split()


def _number(file: IO[str], *, described: bool = False) -> str:
    """One identity number, or where a described patient can be named, a message. Of one with a slip in it
    nothing is on file: to say so of the person would be wrong."""
    from hub.identity import names_message
    from mappings.identifiers import is_person_number

    numbers = _numbers(file)
    if len(numbers) == 1 and (is_person_number(numbers[0]) or (described and names_message(numbers[0]))):
        return numbers[0]
    if described:
        expected = "an identity number with valid check digits, or message:ID, and nothing else"
    else:
        expected = "an identity number with valid check digits and nothing else"
    raise HubError("receive.request-invalid", [Finding("FILE", "number", expected)])


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError("--known must be a time like 2026-11-01T12:00:00+01:00.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _login() -> str:
    """Who typed it, as the system knows them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}"
