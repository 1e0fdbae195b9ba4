"""Understands whether a refusal tells a word of somebody's message: what a record says of a person, and where
a finding says it, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from hub.errors import Finding, HubError
from hub.message import Record
from mappings.fields import Kind
from mappings.types import TypeSpec

_LEAST_TOLD = 4

OTHER = str.maketrans(
    "0123456789abcdefghijklmnopqrstuvwxyz\u00e6\u00f8\u00e5",
    "1234567890bcdefghijklmnopqrstuvwxyza\u00f8\u00e5\u00e6",
)
"""Every letter and digit becomes another: a word in the place of a value."""


def said_in(refused: HubError) -> str:
    """Everything that the findings say, in small letters."""
    return "\n".join(f"{f.at}\n{f.rule}\n{f.expected}\n{f.nb or ''}" for f in refused.findings).lower()


def values_of(spec: TypeSpec, records: Iterable[Record]) -> frozenset[str]:
    """What records say of somebody: numbers, names, dates, texts of _LEAST_TOLD characters or more, in small
    letters. Codes are words of the type."""
    return frozenset(
        leaf.value.lower()
        for record in records
        for leaf in spec.leaves(record)
        if isinstance(leaf.value, str)
        and len(leaf.value) >= _LEAST_TOLD
        and (found := spec.by_path.get(leaf.field)) is not None
        and found.kind is not Kind.CODE
    )


def says(said: str, value: str) -> bool:
    """Whether it stands there by itself, and not as a part of what a key or an element is called."""
    return value in said and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", said) is not None


def by_start(values: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Values by their first _LEAST_TOLD letters, for `all_said`."""
    return {start: tuple(them) for start, them in groupby(sorted(values), lambda one: one[:_LEAST_TOLD])}


def all_said(said: str, values: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Which of the values, of _LEAST_TOLD letters or more, stand there, each by itself. Most refusals are
    short and an adapter's examples say hundreds of things: only those are looked for whose first letters are
    there at all."""
    starts = {said[place : place + _LEAST_TOLD] for place in range(len(said) - _LEAST_TOLD + 1)}
    for start in starts & values.keys():
        yield from (value for value in values[start] if says(said, value))


def is_name(value: str, bodies: Iterable[bytes]) -> bool:
    """Whether a word is also what an element or a key is called: to be told, it need not have been said."""
    named = re.compile(rb'[<:/]%b[\s/>]|"%b"\s*:' % ((re.escape(value.encode()),) * 2), re.IGNORECASE)
    return any(named.search(body) for body in bodies)


def all_in_body(found: Iterable[Finding], body: bytes) -> bool:
    """Whether the line and column of each finding are a place of this body, or just behind its end: a number
    there could tell a value as well. What is packed has lines of its own, which nobody sees here."""
    if b"\x00" in body:
        return True
    lengths = [len(line) for line in re.split(rb"\r\n|\r|\n", body)]
    return all(_is_place(one, lengths) for one in found)


def _is_place(found: Finding, lengths: Sequence[int]) -> bool:
    line = 1 if found.line is None else found.line
    if not 1 <= line <= len(lengths) + 1:
        return False
    return found.column is None or 1 <= found.column <= lengths[min(line, len(lengths)) - 1] + 2
