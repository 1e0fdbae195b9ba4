"""Understands the commands of the consent desk: who stands at it, what documents say before they are
recorded, what was recorded and what the hub knew of it. They belong to `bro consent`."""

from __future__ import annotations

import os
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from hub.cli.shown import say, say_json
from hub.errors import Finding, HubError

if TYPE_CHECKING:
    from hub.consent_check import Answer


_language = click.option(
    "--language",
    type=click.Choice(["nb", "en"]),
    default="nb",
    show_default=True,
    help="Of the words that are told.",
)


@click.command(
    epilog="""\b
Examples:
  bro consent user kari --name "Kari Skranke" --agency 310000078 --role caseworker
  bro consent user per --name "Per Leser" --agency 310000078 --role reader --json"""
)
@click.argument("id_", metavar="ID")
@click.option("--name", required=True, help="As it stands on receipts.")
@click.option("--agency", required=True, metavar="ORG", help="Organisation number of the directory.")
@click.option(
    "--role",
    "roles",
    required=True,
    multiple=True,
    type=click.Choice(["caseworker", "reader", "privacy"]),
    help="May be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def user(id_: str, name: str, agency: str, roles: tuple[str, ...], as_json: bool) -> None:
    """A new key for somebody at a desk, and the entry for the file that BRO_DESK_USERS names.

    The key is shown once and kept nowhere. ID is the user name: 2 to 40 of a-z, 0-9, dot and hyphen.
    """
    import json

    from hub.console.users import Role, new_entry, read_users
    from hub.directory import load_directory
    from hub.settings import Settings

    directory = load_directory(Settings.from_env(os.environ).directory)
    if agency not in directory:
        known = ", ".join(sorted(directory)) or "and it has none yet"
        expected = f"an organisation number of the directory: {known}"
        raise HubError("settings.invalid", [Finding("--agency", "agency", expected)])
    entry, key = new_entry(id_, name, agency, [Role(role) for role in roles])
    read_users({"users": [entry]}, lambda org: directory[org].agency if org in directory else None)
    if as_json:
        say_json({"entry": entry, "key": key})
        return
    say("Add under `users:` in the file that BRO_DESK_USERS names:", "", f"  - {json.dumps(entry)}")
    say("", f"Key for {id_}, shown only now: {key}")


@click.command(
    name="check-fhir",
    epilog="""\b
Examples:
  bro consent check-fhir consents/
  bro consent check-fhir consents/ --at 2026-06-01 --json
  bro consent check-fhir consents/ --language en

\b
Every file gets an answer:
  accepted    what it says in plain words, and what it would permit and refuse
  withdrawal  a consent that permitted and has ended: what was permitted in its series ends
  rejected    every reason why it cannot be evaluated exactly, or is no withdrawal
  other       a FHIR resource that is no Consent, or no FHIR resource
  unreadable  neither JSON nor XML that may be read

\b
Exit code: 0 every file got an answer, 1 something could not be read, 2 no such folder.""",
)
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--at", "at", type=click.DateTime(["%Y-%m-%d"]), help="Evaluate on this day. Default: today.")
@click.option(
    "--recorder",
    default="prison_health",
    show_default=True,
    metavar="SECTOR",
    help="Who would record them.",
)
@_language
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON, in both languages.")
def check_fhir(folder: Path, at: datetime | None, recorder: str, language: str, as_json: bool) -> int:
    """What the hub would do with every FHIR Consent (R4, R5, HL7 Norway; JSON, XML) in a folder.

    References such as Organization/54 are looked up among the files of the folder. Nothing is recorded.
    """
    from consent.intake import OSLO
    from hub.consent_check import check_folder
    from hub.message import Sector
    from mappings.types import load_types

    if recorder not in {sector.value for sector in Sector}:
        raise click.BadParameter("a sector, such as prison_health", param_hint="--recorder")
    moment = datetime.now(OSLO) if at is None else at.replace(hour=12, tzinfo=OSLO)
    answers = list(check_folder(folder, load_types(), Sector(recorder), moment))
    counts = Counter(answer.verdict for answer in answers)
    if as_json:
        say_json(
            {
                "at": moment.date(),
                "files": [answer.plain() for answer in answers],
                "counts": {verdict: counts[verdict] for verdict in VERDICTS},
            }
        )
    else:
        for answer in answers:
            _say_answer(answer, language)
        say(f"{len(answers)}: " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS))
    return 1 if counts["unreadable"] else 0


VERDICTS = ("accepted", "withdrawal", "rejected", "other", "unreadable")


def _say_answer(answer: Answer, language: str) -> None:
    from consent.plain import CATEGORIES, PURPOSES, SECTORS, summary, word
    from consent.reasons import told
    from hub.consent_check import ENDS, WITHDRAWAL

    kind = f" ({answer.type})" if answer.type and answer.type != "Consent" else ""
    say(f"{answer.place}: {answer.verdict}{kind}{f', {answer.code}' if answer.code else ''}")
    say(*(f"    {told(finding, language)} [{finding.said(language)}]" for finding in answer.findings))
    if answer.verdict == WITHDRAWAL:
        say(f"    {ENDS.said(language)}")
    if answer.consent is None:
        return
    say(*(f"    {line}" for line in summary(answer.consent, language)), f"    -> {answer.state}")
    for line in answer.lines:
        way = f"{word(SECTORS, line.sender, language)} -> {word(SECTORS, line.recipient, language)}"
        for sign, told_of in (("+", line.permits), ("-", line.refuses)):
            if told_of:
                what = ", ".join(word(CATEGORIES, code, language) for code in told_of)
                say(f"    {sign} {way}, {word(PURPOSES, line.purpose, language)}: {what}")


@click.command(
    name="list",
    epilog="""\b
Examples:
  bro consent list --person-file person.txt
  bro consent list --person-file person.txt --at 2026-06-01T12:00:00+02:00
  bro consent list --person-file person.txt --as-known 2026-06-01T12:00:00+02:00 --json""",
)
@click.option(
    "--person-file",
    "file",
    required=True,
    type=click.File("r", encoding="utf-8", errors="replace"),
    help="A file with the identity number and nothing else; - is the standard input.",
)
@click.option("--at", "at", help="As it stood then (ISO 8601 with a time zone). Default: now.")
@click.option("--as-known", help="As the hub knew it then. Default: now.")
@_language
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def list_consents(file: IO[str], at: str | None, as_known: str | None, language: str, as_json: bool) -> None:
    """Every version of every consent of one person: as it stood, and as the hub knew it.

    What was recorded or withdrawn after --as-known is not there, as it was not there then.
    """
    from consent.plain import summary
    from hub.cli.consent import _moment, _number
    from hub.cli.installed import open_parts
    from hub.register import name_of, of_person

    parts = open_parts()
    now = parts.clock()
    moment, known = _moment("--at", at) or now, _moment("--as-known", as_known) or now
    shown = of_person(parts, _number(file), at=moment, known_at=known)
    rows: list[dict[str, Any]] = [
        {
            "id": each.entry.id,
            "series": each.entry.said.id[:16],
            "version": each.entry.said.version,
            "stands": each.stands,
            "recorded_by": each.entry.recorded_by,
            "recorded_at": each.entry.said.recorded_at,
            "withdrawn_at": each.entry.said.withdrawn_at,
            "permissions_ended_at": each.entry.said.permissions_ended_at,
            "says": summary(each.entry.said, language, name_of(parts)) if each.entry.said.readable else [],
        }
        for each in shown
    ]
    if as_json:
        say_json({"at": moment, "as_known": known, "consents": rows})
        return
    for row in rows:
        say(f"{row['id']}  series {row['series']} version {row['version']}: {row['stands']}")
        say(f"  recorded {row['recorded_at']} by {row['recorded_by']}")
        if row["permissions_ended_at"]:
            say(f"  permissions withdrawn {row['permissions_ended_at']}; what it refuses stands")
        if row["withdrawn_at"]:
            say(f"  withdrawn {row['withdrawn_at']}")
        say(*(f"    {line}" for line in row["says"]))
    if not rows:
        say("Nothing was recorded.")


@click.command(
    epilog="\b\nExamples:\n  bro consent receipt ID\n  bro consent receipt ID --language en --json"
)
@click.argument("id_", metavar="ID")
@_language
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def receipt(id_: str, language: str, as_json: bool) -> None:
    """The receipt of one recorded consent or refusal, for the person. ID is that of the message."""
    from consent.receipt import lines
    from hub.cli.installed import open_parts
    from hub.register import receipt_of

    try:
        made = receipt_of(open_parts(), id_, language)
    except HubError as refused:
        if refused.code != "receive.not-found":  # which is said to agencies, of an address
            raise
        expected = "the id of a recorded consent or refusal whose person is not forgotten"
        raise HubError("consent.unknown", [Finding("ID", "unknown", expected)]) from None
    if as_json:
        say_json(made)
    else:
        say(*lines(made))


COMMANDS = (user, check_fhir, list_consents, receipt)
