"""Understands what an adapter is: the two pure functions between one wire format's bytes and a record.

It must not know any message type, agency or wire format. Sizes are limited at the doors, before
an adapter sees the bytes; `safe_xml.py` and `safe_json.py` bound what the bytes unfold to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lxml import etree

from hub.errors import Finding, HubError
from hub.message import Record

MAX_DEPTH = 40
MAX_NODES = 50_000
MAX_DIGITS = 18
"""Deeper, wider or longer than any honest message; no reader recurses further."""


HEAD = 1000
"""So many bytes of a body that is neither XML nor JSON show what it is: a first line, a magic number."""


@dataclass(frozen=True)
class Sniff:
    """What a format is recognised by: an XML root by its Clark name and what it holds, the JSON object, or of
    anything else, which nobody has read yet, how it begins."""

    media_type: str
    root: str = ""
    document: Mapping[str, object] = field(default_factory=dict, repr=False)
    tree: etree._Element | None = field(default=None, repr=False)
    head: bytes = field(default=b"", repr=False)

    def at(self, *steps: str | int) -> object:
        """The JSON value at these keys and positions, or None. Trusts nothing about the shape."""
        here: object = self.document
        for step in steps:
            if isinstance(step, str):
                here = here.get(step) if isinstance(here, Mapping) else None
            else:
                here = here[step] if isinstance(here, list) and step < len(here) else None
        return here


@dataclass(frozen=True)
class Adapter:
    """One wire format of one message type. `parse(render(record)) == record`; both are pure.

    `media_types[0]` is what `render` writes. `parse` raises `HubError` only, with all findings. `lenient`,
    where a format has it, reads as `parse` does but lets the named deviations through, and tells of them.
    `profile` is the table that a format follows from, for those that have one. `loses` are the fields (or
    groups) of the type that a format has no place for, each with the reason: then `parse(render(record))`
    is the record without them. `yields` are fields that it has a place for, but not beside everything: each
    with the reason and what it gives way to (`as_said` does it). `addressed`: the format names its recipient:
    without `melding.mottaker` it is not written. `national`: there are official schemas for it, which an
    installation may have (`BRO_SCHEMA_DIR`).
    """

    name: str
    type: str
    media_types: tuple[str, ...]
    recognise: Callable[[Sniff], bool] = field(repr=False)
    parse: Callable[[bytes], Record] = field(repr=False)
    render: Callable[[Record], bytes] = field(repr=False)
    lenient: Callable[[bytes, Collection[str]], tuple[Record, tuple[Finding, ...]]] | None = field(
        default=None, repr=False
    )
    profile: object = field(default=None, repr=False)
    loses: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    yields: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    passes_over: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    """What stands in the document and is neither carried nor refused, with the reason: by the end of its
    place there, as in `/@DN` or `.display`; `/@*`, `/*` and `.*` are what the format has no name for."""
    addressed: bool = False
    national: bool = False
    as_said: Callable[[Record], Record] = field(default=lambda record: record, repr=False)
    """What a format says in other words on purpose: the same record as it reads back."""
    silent: Callable[[Record], bool] = field(default=lambda record: False, repr=False)
    """Whether a format has no message for this record and means nothing by that: nothing is sent then."""
    locate: Callable[[bytes, Iterable[Finding]], list[Finding]] | None = field(default=None, repr=False)
    """Says of findings by the record's paths where in the body that is: path, line and column there."""
    partly: Callable[[bytes], Record] | None = field(default=None, repr=False)
    """What can be understood of a body that `parse` refuses as parse.invalid, so that the message type can
    tell of its values, too. It is for nothing else."""

    @property
    def media_type(self) -> str:
        return self.media_types[0]


def without(record: Record, left: Mapping[str, str]) -> Record:
    """The record without the fields and groups named, and without what is empty then."""
    return Record(record.type, _pruned(record.fields, "", left)) if left else record


def _pruned(node: Any, at: str, left: Mapping[str, str]) -> Any:
    if isinstance(node, Mapping):
        kept = {
            name: _pruned(child, path, left)
            for name, child in node.items()
            if (path := f"{at}.{name}" if at else name) not in left
        }
        return {name: value for name, value in kept.items() if value not in ({}, [])}
    if isinstance(node, list):
        return [value for child in node if (value := _pruned(child, at, left)) != {}]
    return node


class Findings:
    """Collects every fault of one message, so that the sender hears of all of them at once."""

    def __init__(self) -> None:
        self._found: list[Finding] = []

    def __len__(self) -> int:
        return len(self._found)

    def forget_after(self, many: int) -> None:
        """Drop what was added after so many: it belonged to a part that is left out."""
        del self._found[many:]

    def add(
        self, at: str, rule: str, expected: str, *, line: int | None = None, column: int | None = None
    ) -> None:
        self._found.append(Finding(at, rule, expected, line, column))

    def extend(self, other: Findings) -> None:
        """Add what another collection found in a place that is not there yet."""
        places = {finding.at for finding in self._found}
        self._found.extend(finding for finding in other._found if finding.at not in places)

    def finish(self, code: str = "parse.invalid") -> None:
        """Raise once, with everything, or return when nothing was found."""
        if self._found:
            raise HubError(code, self._found)


def refuse(
    code: str, rule: str, expected: str, line: int | None = None, column: int | None = None
) -> HubError:
    """One finding about the body as a whole."""
    return HubError(code, [Finding("body", rule, expected, line, column)])


def written_out(number: str) -> str | None:
    """A number digit by digit, also one with an exponent: 1.25E7 is 12500000. None for one that takes more
    than MAX_DIGITS signs, which is not even made."""
    mantissa, _, exponent = number.lower().partition("e")
    if len(mantissa) > MAX_DIGITS or len(exponent) > MAX_DIGITS:
        return None
    if not exponent:
        return mantissa
    if abs(int(exponent)) > MAX_DIGITS:
        return None
    written = format(Decimal(number), "f")
    return written if len(written) <= MAX_DIGITS else None


_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 cannot carry. JSON could, and then one format could not be rendered from another."""


def carries(text: str) -> bool:
    """Whether every wire format and both databases can carry this text."""
    return _NOT_XML.search(text) is None


def decode(body: bytes) -> str:
    """The text of a body in UTF-8, as every format but some XML is."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as fault:
        line, column = position(body[: fault.start].decode("utf-8"))
    raise refuse("parse.malformed", "encoding", "UTF-8", line, column)


def position(before: str) -> tuple[int, int]:
    """Line and column (1-based) of what follows this text. A line ends with LF, CR or both."""
    lines = before.count("\n") + before.count("\r") - before.count("\r\n")
    return lines + 1, len(before) - max(before.rfind("\n"), before.rfind("\r"))
