"""Understands what becomes of one input, and whether that is as it must be: a record that is written and read
as the same, or a refusal that says where, soon, and not a word of the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from hub.errors import Finding, HubError
from hub.kit import planted
from hub.kit.asked import asked
from hub.kit.case import Case
from hub.kit.corpus import written
from hub.kit.timed import timed
from hub.kit.told import OTHER, all_in_body, all_said, said_in, says
from hub.message import Record
from hub.telling import in_place, told_whole

MOST_SECONDS = 2.0
"""For one input of at most 200 kB, hostile ones too; a slow machine gets three tries."""


def tried(case: Case, body: bytes, *, whole: bool = True) -> tuple[list[Finding], float]:
    """One input: a record that can be written again, or a refusal without a value, each in bounded time. The
    seconds are those of reading, or of finding out where what is wrong stands, if that took longer. Not
    `whole`: it is read, and no more is done with what comes out."""
    seconds, result = timed(partial(asked, case.adapter.parse, body), MOST_SECONDS)
    if not isinstance(result, HubError) and getattr(result, "type", None) != case.spec.name:
        return [Finding("parse", "record", f"a record of {case.spec.name}")], seconds  # a stranger's parse
    refused = result if isinstance(result, HubError) else None
    if whole:
        placing, refused = timed(partial(_answer, case, body, result), MOST_SECONDS)
        seconds = max(seconds, placing)
    late = Finding("parse", "time", f"at most {MOST_SECONDS:.0f} s")
    faults = [late] if seconds > MOST_SECONDS else []
    if refused is not None:
        faults.extend(refusal_faults(case, body, refused))
    elif whole and not isinstance(result, HubError):
        faults.extend(there_and_back(case, result, "read"))
    return faults, seconds


def _answer(case: Case, body: bytes, result: Record | HubError) -> HubError | None:
    """What its sender is told: the refusal of the format, or that of the type; None for what is read."""
    if isinstance(result, HubError):
        whole: HubError = asked(told_whole, case.adapter, case.spec, body, result)
        return whole
    if not (wrong := case.spec.check(result.fields)):
        return None
    placed = asked(in_place, case.adapter, body, wrong)
    return placed if isinstance(placed, HubError) else HubError("parse.invalid", placed)


def refusal_faults(case: Case, body: bytes, refused: HubError) -> Iterator[Finding]:
    """What is wrong with a refusal: its code, a word of the message, a place that the message has not."""
    if refused.code == "hub.internal":
        yield from refused.findings
    elif not refused.code.startswith(("parse.", "consent.")):
        yield Finding("parse", "code", "a parse code")
    said = said_in(refused)
    echoed = all_said(said, case.values_by_start)
    if planted.is_told(said) or any(_is_echo(case, body, value) for value in echoed):
        yield Finding("parse", "value-told", "no word of the message in a finding")
    if not all_in_body(refused.findings, body):
        yield Finding("parse", "place", "a line and a column that the message has")


def _is_echo(case: Case, body: bytes, value: str) -> bool:
    """Whether a word that is told was taken from the body: with another in its place, it is told no more.
    What an adapter says of itself ("a version such as 1.0.0") stays."""
    text = body.decode("utf-8", "surrogateescape")
    other = re.sub(re.escape(value), value.translate(OTHER), text, flags=re.IGNORECASE)
    spoiled = other.encode("utf-8", "surrogateescape")
    again = _answer(case, spoiled, asked(case.adapter.parse, spoiled))
    return again is None or not says(said_in(again), value)


def there_and_back(case: Case, record: Record, at: str) -> Iterator[Finding]:
    """What does not come back as it went. A refusal to write is for the caller to judge."""
    one = written(case.hub, case.adapter, record)
    if one.code:
        whole = [Finding("", one.code, "to be written and read again")]
        yield from (Finding(f"{at} {f.at}".strip(), f.rule, f.expected) for f in one.findings or whole)
