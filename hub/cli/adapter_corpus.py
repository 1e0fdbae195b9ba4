"""Understands how the answers on a folder of samples are told. Belongs to `bro adapter`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli.faults import place
from hub.cli.shown import say, say_json
from hub.counted import counted
from hub.errors import Finding, HubError

if TYPE_CHECKING:
    from hub.errors import Finding
    from hub.kit.corpus import Answer, Way, Written
    from hub.kit.schemas import Judged

_MOST_SHOWN = 12
"""Findings of one kind on one file; with --json there are all of them."""

_EXPECTED = {"nb": "ventet", "en": "expected"}


@click.command(
    epilog="""\b
Examples:
  bro adapter corpus samples/
  bro adapter corpus samples/ --schemas xsd/
  bro adapter corpus samples/ --language nb
  bro adapter corpus samples/ --json | jq '.counts'

\b
Each file gets one of these answers:
  accepted              read, valid, written again, and what was written is valid
  accepted-not-written  read, but what the hub wrote is not the same or not valid: a fault of ours
  rejected              the code, and every finding with line and column where the format has them
  unknown-format        nothing that anybody reads (parse.format-unknown): neither XML nor an object of JSON,
                        or a sound one that no format claims
  unreadable            a link, a pipe, or a file that cannot be opened; links are never followed
  broken                an adapter failed in a way that nobody foresaw: a fault of ours

\b
The summary also counts, by format and rule, what was translated for a recipient and cannot be said in a
format it may have (render.incomplete): there nothing would go. It is no fault of the file and does not
change the exit code.

\b
Exit code: 0 every file was answered and all that was written is valid, 1 some file is unreadable,
accepted-not-written or broken, 2 there is no such folder or no file in it.""",
)
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--schemas",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Official XSDs, used offline: every file and everything written is held against them too.",
)
@click.option(
    "--language", type=click.Choice(["nb", "en"]), default="en", show_default=True, help="Of the findings."
)
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON, the findings in both languages.")
def corpus(folder: Path, schemas: Path | None, language: str, as_json: bool) -> int:
    """What the hub would do with every file of a folder and below, whatever its format.

    Nothing is stored, sent, or asked of anybody. All agreements are tried as if everything might go.
    """
    from hub.kit.checked import loaded
    from hub.kit.corpus import answers, plain

    hub = loaded(schemas)
    told: list[dict[str, Any]] = []
    outcomes: Counter[str] = Counter()
    formats: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    schema: Counter[str] = Counter()
    unsaid: Counter[str] = Counter()
    sound = True
    for found in answers(folder, hub):
        outcomes[found.outcome] += 1
        sound = sound and found.sound
        if found.adapter:
            formats[f"{found.adapter} {found.outcome}"] += 1
        if found.code:
            codes[found.code] += 1
        if found.judged and found.judged.known:
            schema[f"{found.judged.word} by schema, {found.outcome}"] += 1
        unsaid.update(f"translated, cannot be said in {name}: {rules}" for name, rules in found.unsaid)
        if as_json:
            told.append(plain(found))
        else:
            say(*_lines(found, language))
    if not outcomes:
        raise HubError("adapter.invalid", [Finding("DIR", "files", "a folder with at least one file")])
    counts = {"outcomes": outcomes, "formats": formats, "codes": codes, "schemas": schema, "unsaid": unsaid}
    if as_json:
        plain_counts = {name: dict(sorted(count.items())) for name, count in counts.items()}
        say_json({"sound": sound, "files": told, "counts": plain_counts})
    else:
        say("", *_summary(counts))
        say("Everything was answered, and all that was written is valid." if sound else _NOT_SOUND)
    return 0 if sound else 1


_NOT_SOUND = (
    "NOT ALL IS SOUND: what is unreadable, accepted-not-written or broken, or was written and is not valid. "
    "What is rejected or unknown does not count."
)


def _lines(found: Answer, language: str) -> Iterator[str]:
    head = [found.adapter, found.outcome, found.code]
    yield f"{found.file}: " + ", ".join(word for word in head if word) + _schema(found.judged, "input")
    yield from _findings(found.findings, language)
    if found.judged:
        yield from _findings(found.judged.findings, language, "schema: ")
    if found.again is not None:
        yield f"    written again as {_told(found.again)}"
        yield from _faults(found.again, language)
    if found.why_no_way:
        yield f"    not translated: {found.why_no_way}"
    for way in found.ways:
        yield from _way(way, language)


def _way(way: Way, language: str) -> Iterator[str]:
    if way.code:
        yield f"    {way.agreement}: {way.code}"
        yield from _findings(way.findings, language)
        return
    yield f"    {way.agreement}: translated, " + "; ".join(_told(one) for one in way.written)
    for one in way.written:
        if not one.valid:
            yield from _faults(one, language)


def _told(one: Written) -> str:
    return f"{one.adapter} {one.code or 'valid'}{_schema(one.judged, 'output')}"


def _faults(one: Written, language: str) -> Iterator[str]:
    yield from _findings(one.findings, language)
    if one.judged:
        yield from _findings(one.judged.findings, language, "schema: ")


def _schema(judged: Judged | None, what: str) -> str:
    return f" ({what} {judged.word} by schema)" if judged and judged.known else ""


def _findings(found: Iterable[Finding], language: str, before: str = "") -> Iterator[str]:
    listed = list(found)
    expected = _EXPECTED[language]
    for finding in listed[:_MOST_SHOWN]:
        yield f"      {before}{place(finding)}: {expected} {finding.said(language)} [{finding.rule}]"
    if len(listed) > _MOST_SHOWN:
        yield f"      {before}and {len(listed) - _MOST_SHOWN} more (--json has all)"


def _summary(counts: dict[str, Counter[str]]) -> Iterator[str]:
    total = sum(counts["outcomes"].values())
    yield counted(total, "file")
    for count in counts.values():
        for name, number in sorted(count.items(), key=lambda pair: (-pair[1], pair[0])):
            yield f"  {number:6}  {name}"
