"""Understands how the decision is asked from the command line: on neutral vectors, and about a person."""

from __future__ import annotations

import getpass
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import click

from hub.cli.installed import open_parts
from hub.cli.shown import say, say_json, table
from hub.errors import Finding, HubError

if TYPE_CHECKING:
    from consent.explain import Told
    from hub.message import Agency, Decision
    from hub.parts import Parts
    from hub.preview import Question

_MEDIA = {".xml": "application/xml", ".json": "application/json"}
_MOST = 1_000  # characters: one number, not a file chosen by mistake
_NEVER_ASKED = frozenset({"unknown", "protected_address"})


@click.group(
    epilog="""\b
Examples:
  bro consent check-vectors vectors.json
  bro consent explain --person-file person.txt --recipient gp --purpose treatment"""
)
def consent() -> None:
    """Ask the decision: what may go, what not, and why."""


@consent.command(
    name="check-vectors",
    epilog="""\b
Examples:
  bro consent check-vectors vectors.json
  bro consent check-vectors vectors.json --pack strict --json
Exit code: 0 all as expected, 1 not, 2 the file cannot be read.""",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--pack",
    type=click.Choice(["statutory", "strict"]),
    default="statutory",
    show_default=True,
    help="Whose rows answer.",
)
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def check_vectors(file: Path, pack: str, as_json: bool) -> int:
    """Answer every vector of FILE with the real decision on the real rows, and compare.

    The answers in the file are those of the statutory pack; for the strict pack they are turned where
    substance use would go without a consent. A vector with a word or key that is not understood is
    answered no and counts as a difference.

    \b
    FILE is JSON: {"tz": "Europe/Oslo", "pack": "statutory", "vectors": [...]}, each vector with id,
    consents (null: the register is away), request (person, sender, recipient, purpose, category or
    items, data_date, now, send_time, known_at, person_links, objections, override, row_status,
    requests, relations) and expected (decision permit, deny, partial or hold; reason; consent, alarm,
    released, removed). consent/vectors.yaml has the words.
    """
    from consent.policy_files import load_pack
    from consent.texts import load_texts
    from consent.vector_files import load_words, read_vectors
    from consent.vectors import check

    results = check(read_vectors(file), load_pack(pack), load_texts(), load_words(), strict=pack == "strict")
    rows = [_compared(result) for result in results]
    counts = Counter(
        "not understood" if row["not_understood"] else "holds" if row["holds"] else "differs" for row in rows
    )
    learned = {row["expected"]["reason"]: row["got"]["code"] for row in rows if row["learned"]}
    if as_json:
        say_json({"pack": pack, "vectors": rows, "counts": dict(counts), "learned": learned})
    else:
        table(
            ("vector", "expected", "got", "code", ""),
            [
                (
                    row["id"],
                    f"{row['expected']['decision']} {row['expected']['reason'] or ''}",
                    f"{row['got']['decision']} {row['got']['reason']}",
                    row["got"]["code"],
                    ""
                    if row["holds"]
                    else "DIFFERS: " + ", ".join((*row["not_understood"], *row["differs"])),
                )
                for row in rows
            ],
            empty="No vector.",
        )
        for word, code in learned.items():
            say(f"{word} is a word of this file, taken for {code}")
        say(
            f"pack {pack}: {counts['holds']} of {len(rows)} as expected, {counts['differs']} different, "
            f"{counts['not understood']} not understood"
        )
    return 0 if counts["holds"] == len(rows) else 1


def _compared(result: Any) -> dict[str, Any]:
    got = result.got
    return {
        "id": result.vector.id,
        "title": result.vector.title,
        "expected": {"decision": result.expected, "reason": result.vector.expected.get("reason")},
        "got": {
            "decision": got.decision,
            "reason": result.word,
            "code": got.reason,
            "rows": list(got.rows),
            "consents": list(got.consents),
            "alarm": got.alarm,
            "held": got.held,
        },
        "holds": result.holds,
        "differs": list(result.differs),
        "not_understood": list(got.faults),
        "learned": result.learned,
    }


@consent.command(
    epilog="""\b
Examples:
  bro consent explain --person-file person.txt --sender prison --recipient nav_municipal \\
      --purpose return_to_society --category work
  bro consent explain --person-file - --recipient gp --purpose treatment --at 2026-07-01T00:00:00+02:00
  bro consent explain --person-file p.txt --recipient gp --purpose treatment --if-withdrawn SERIES
  bro consent explain --message brik.xml --sender 911111111

\b
The identity number is read from a file or, with -, from stdin: an argument would be seen in the list
of processes. That you asked is written to the audit log."""
)
@click.option(
    "--person-file",
    type=click.File("r", encoding="utf-8", errors="replace"),
    help="Holds the identity number.",
)
@click.option(
    "--message",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="A message in its sender's own format: a dry run.",
)
@click.option("--sender", help="Organisation number or sector. Left out: every sector that a row speaks of.")
@click.option("--recipient", help="Organisation number or sector.")
@click.option("--purpose", help="A purpose code, such as treatment.")
@click.option("--category", "categories", multiple=True, help="A category code; several times, or all.")
@click.option("--at", "at", help="As on that moment (ISO 8601 with a time zone); now, if left out.")
@click.option("--known-at", help="As the hub knew it then; as --at, if left out.")
@click.option("--if-withdrawn", help="As if this consent series had been withdrawn.")
@click.option("--media-type", help="Of the message; by the name of its file, if left out.")
@click.option(
    "--language", type=click.Choice(["nb", "en"]), default="nb", show_default=True, help="Of the answer."
)
@click.option("--formal", is_flag=True, help="Codes, rows, law and documents, as for an auditor.")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def explain(
    person_file: IO[str] | None,
    message: Path | None,
    sender: str | None,
    recipient: str | None,
    purpose: str | None,
    categories: tuple[str, ...],
    at: str | None,
    known_at: str | None,
    if_withdrawn: str | None,
    media_type: str | None,
    language: str,
    formal: bool,
    as_json: bool,
) -> None:
    """What would go, what not, by which row, on which consent: asked of the decision itself.

    Either about a person, a recipient and a purpose, or about a whole message that is tried without
    being sent. Only for those who may see what persons have said.
    """
    if (message is None) == (person_file is None):
        raise click.UsageError("Give --person-file or --message, one of them.")
    if message is not None:
        if sender is None:
            raise click.UsageError("--message needs --sender.")
        decided = _of_message(open_parts(), message, sender, media_type or _MEDIA.get(message.suffix, ""))
    else:
        if recipient is None or purpose is None:
            raise click.UsageError("--person-file needs --recipient and --purpose.")
        assert person_file is not None
        parts = open_parts()
        asked = _questions(parts, sender, recipient, purpose, categories)
        times = (_moment("--at", at), _moment("--known-at", known_at))
        decided = _of_person(parts, _number(person_file), asked, times, if_withdrawn)
    _say(decided, language, formal=formal, as_json=as_json)


_Decided = list[tuple["Agency", "Agency", "Decision", Any]]
"""Sender, recipient, decision, rows: for each pair that was asked about."""


def _of_message(parts: Parts, file: Path, sender: str, media_type: str) -> _Decided:
    from hub import preview

    agency = preview.asked_of(parts, sender, "--sender")
    previews = preview.of_message(parts, agency, media_type, _read(file), by=getpass.getuser(), decide=True)
    return [
        (agency, p.route.recipient, p.outgoing.decision, p.rows) for p in previews if p.outgoing is not None
    ]


def _questions(
    parts: Parts, sender: str | None, recipient: str, purpose: str, categories: tuple[str, ...]
) -> list[Question]:
    from hub import preview
    from hub.message import Category, Purpose, Sector

    for name, words, known in (
        ("--purpose", (purpose,), set(Purpose)),
        ("--category", categories, set(Category) - _NEVER_ASKED),
    ):
        if not set(words) <= {str(word) for word in known}:
            raise HubError(
                "receive.request-invalid", [Finding(name, "code", "one of " + ", ".join(sorted(known)))]
            )
    to, what_for = preview.asked_of(parts, recipient, "--recipient"), Purpose(purpose)
    senders: list[Agency] = (
        [preview.asked_of(parts, sender, "--sender")]
        if sender is not None
        else [
            preview.asked_of(parts, sector)
            for sector in Sector
            if parts.pack.between(sector, to.sector, what_for)
        ]
    )
    kinds = frozenset(map(Category, categories)) or frozenset(Category) - _NEVER_ASKED
    return [preview.Question(one, to, what_for, frozenset(map(Category, kinds))) for one in senders]


def _of_person(
    parts: Parts,
    number: str,
    questions: list[Question],
    times: tuple[datetime | None, datetime | None],
    withdrawn: str | None,
) -> _Decided:
    from dataclasses import replace

    from hub import preview

    decided: _Decided = []
    for question in questions:
        asked = replace(question, withdrawn=withdrawn, at=times[0], known_at=times[1])
        decision, rows = preview.of_question(parts, number, asked, by=getpass.getuser())
        decided.append((asked.sender, asked.recipient, decision, rows))
    return decided


def _say(decided: _Decided, language: str, *, formal: bool, as_json: bool) -> None:
    from consent.explain import Language, alarms
    from consent.explain import explain as tell

    spoken = Language(language)
    answers = [
        _Answer(
            sender,
            recipient,
            tell(decision, rows, spoken, of_sector=not recipient.org),
            alarms(decision, spoken),
        )
        for sender, recipient, decision, rows in decided
    ]
    if as_json:
        say_json(
            [
                {
                    "sender": answer.sender.name,
                    "recipient": answer.recipient.name,
                    "at": decision.at,
                    "answers": [_plain(told) for told in answer.told],
                    "alarms": list(answer.alarms),
                }
                for answer, (_, _, decision, _) in zip(answers, decided, strict=True)
            ]
        )
        return
    say(*_lines(answers, language, formal=formal))
    if not answers:
        say("No row speaks of anybody's sending there for this purpose: nothing goes.")


class _Answer(NamedTuple):
    """What is told of one sender and one recipient."""

    sender: Agency
    recipient: Agency
    told: tuple[Told, ...]
    alarms: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        """No row would let anything go, whatever the person says."""
        return all(told.code in ("decide.no-row", "decide.prohibited") for told in self.told)


def _lines(answers: list[_Answer], language: str, *, formal: bool) -> Iterator[str]:
    """Senders with the same answers share one block; those for whom no row opens anything come last.
    Formally with codes, otherwise in words."""
    from consent.plain import CATEGORIES, SECTORS, word
    from hub.message import ANY

    def named(agency: Agency) -> str:
        return agency.name if formal or agency.org else word(SECTORS, agency.sector, language)

    groups: dict[tuple[object, ...], list[_Answer]] = {}
    for answer in sorted(answers, key=lambda answer: answer.nothing):
        groups.setdefault((named(answer.recipient), answer.told, answer.alarms), []).append(answer)
    for group in groups.values():
        one = group[0]
        yield f"{', '.join(named(answer.sender) for answer in group)} -> {named(one.recipient)}"
        for told in one.told:
            # The paths of a question are category codes; those of a message are fields, and stay.
            everything = not formal and set(told.paths) == CATEGORIES.keys() - {ANY}
            paths = (ANY,) if everything else told.paths
            yield "  " + ", ".join(paths if formal else (word(CATEGORIES, path, language) for path in paths))
            yield f"    {told.formal if formal else told.plain}"
        yield from (f"  {alarm}" for alarm in one.alarms)


def _plain(told: Told) -> dict[str, Any]:
    return {
        "paths": list(told.paths),
        "goes": told.goes,
        "code": told.code,
        "rows": list(told.rows),
        "consents": list(told.consents),
        "obligations": list(told.obligations),
        "requests": list(told.requests),
        "plain": told.plain,
        "formal": told.formal,
        "outside": told.outside,
    }


def _number(file: IO[str]) -> str:
    """Of a number with a slip in it nothing is on file: to say so of the person would be wrong."""
    from mappings.identifiers import is_person_number

    number = file.read(_MOST).strip()
    if not is_person_number(number):
        expected = "an identity number with valid check digits and nothing else"
        raise HubError("receive.request-invalid", [Finding("--person-file", "number", expected)])
    return number


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError:
        raise HubError(
            "receive.request-invalid", [Finding("--message", "file", "a file that can be read")]
        ) from None


def _moment(name: str, said: str | None) -> datetime | None:
    if said is None:
        return None
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise HubError("receive.request-invalid", [Finding(name, "form", "as 2026-07-01T00:00:00+02:00")])
    return moment
