"""Understands one field of a message type: its kind, its labels, and whether a value fits it.

Answers with the name of a rule, never with the value. Knows no other field than its own.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property

from hub.message import Category
from mappings.identifiers import is_kommune, is_orgnr, is_person_number


class Kind(StrEnum):
    """What a value is. All but `group` are scalars."""

    TEXT = "text"
    FREE_TEXT = "free_text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    CODE = "code"
    CODED = "coded"
    FODSELSNUMMER = "fodselsnummer"
    ORGNR = "orgnr"
    KOMMUNENUMMER = "kommunenummer"
    FILE = "file"
    GROUP = "group"


TEXTS = frozenset({Kind.TEXT, Kind.FREE_TEXT, Kind.CODED})
"""Kinds whose `max` counts characters and which may have a `pattern`."""

DEFAULT_LENGTH: Mapping[Kind, int] = {
    Kind.TEXT: 200,
    Kind.FREE_TEXT: 4000,
    Kind.CODED: 40,
    Kind.FILE: 4_000_000,
}
"""Characters; of a file, bytes."""
MOST_ELEMENTS = 1000


@dataclass(frozen=True)
class Text:
    """One thing said in bokmål and in English."""

    nb: str
    en: str


@dataclass(frozen=True)
class FieldSpec:
    """One declared field. `path` has dots and no indices: `diagnoser.kode`.

    `most` is the largest integer, the greatest length or the most bytes, `least` the smallest integer;
    `exactly` is the number of elements of a list; `codes` a closed table; `system` the fixed code system of
    an open code; `instead` are fields of the same group that together do instead of a required one;
    `not_beside` is a field of the same group that this one does not stand beside.
    """

    path: str
    kind: Kind
    says: Text
    labels: frozenset[Category] = frozenset()
    required: bool = False
    many: bool = False
    codes: Mapping[str, Text] = field(default_factory=dict)
    system: str | None = None
    least: int | None = None
    most: int | None = None
    exactly: int | None = None
    pattern: re.Pattern[str] | None = None
    fields: tuple[FieldSpec, ...] = ()
    instead: tuple[str, ...] = ()
    not_beside: str = ""

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def free_text(self) -> bool:
        return self.kind is Kind.FREE_TEXT

    def is_missing(self, given: Collection[str]) -> bool:
        """Whether it has to be among these fields of its group, and neither it nor what does instead is."""
        return (
            self.required
            and self.name not in given
            and not (self.instead and set(self.instead).issubset(given))
        )

    @cached_property
    def children(self) -> Mapping[str, FieldSpec]:
        return {child.name: child for child in self.fields}

    @cached_property
    def expected(self) -> str:
        """What fits, in words that hold nothing but the declaration."""
        alone = _EXPECTED[self.kind](self)
        return f"{alone}; or, without it, {', '.join(self.instead)}" if self.instead else alone

    @cached_property
    def fault(self) -> Callable[[object], str | None]:
        """The rule that a value breaks, or None."""
        check = _FAULTS[self.kind]
        return lambda value: check(self, value)


_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_CONTROL_BUT_LINES = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?")
_DATE = re.compile(r"(1[89]|2[01])[0-9]{2}-[0-9]{2}-[0-9]{2}")
_DATETIME = re.compile(
    r"(1[89]|2[01])[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
)


def _text(spec: FieldSpec, value: object) -> str | None:
    if not isinstance(value, str):
        return "type"
    if not value.strip():
        return "empty"
    if spec.most is not None and len(value) > spec.most:
        return "too-long"
    if (_CONTROL_BUT_LINES if spec.free_text else _CONTROL).search(value):
        return "control-character"
    if spec.pattern and not spec.pattern.fullmatch(value):
        return "pattern"
    return None


def _integer(spec: FieldSpec, value: object) -> str | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return "type"
    least = -(2**53) if spec.least is None else spec.least
    most = 2**53 if spec.most is None else spec.most
    return None if least <= value <= most else "range"


def _boolean(_: FieldSpec, value: object) -> str | None:
    return None if isinstance(value, bool) else "type"


def _code(spec: FieldSpec, value: object) -> str | None:
    if not isinstance(value, str):
        return "type"
    return None if value in spec.codes else "code"


def _date(_: FieldSpec, value: object) -> str | None:
    if not isinstance(value, str):
        return "type"
    return None if _DATE.fullmatch(value) and _exists(date.fromisoformat, value) else "format"


def _datetime(_: FieldSpec, value: object) -> str | None:
    if not isinstance(value, str):
        return "type"
    return None if _DATETIME.fullmatch(value) and _exists(datetime.fromisoformat, value) else "format"


def _exists(read: Callable[[str], object], value: str) -> bool:
    try:
        read(value)
    except ValueError:
        return False
    return True


def _shaped(pattern: re.Pattern[str]) -> Callable[[FieldSpec, object], str | None]:
    def fault(_: FieldSpec, value: object) -> str | None:
        if not isinstance(value, str):
            return "type"
        return None if pattern.fullmatch(value) else "format"

    return fault


def _numbered(
    valid: Callable[[str], bool], rule: str = "checksum"
) -> Callable[[FieldSpec, object], str | None]:
    def fault(_: FieldSpec, value: object) -> str | None:
        if not isinstance(value, str):
            return "type"
        return None if valid(value) else rule

    return fault


def _file(spec: FieldSpec, value: object) -> str | None:
    """Base64 of at most `most` bytes."""
    if not isinstance(value, str):
        return "type"
    if spec.most is not None and len(value) * 3 // 4 - value[-2:].count("=") > spec.most:
        return "too-long"
    try:
        return None if base64.b64decode(value, validate=True) else "empty"
    except (binascii.Error, ValueError):
        return "format"


def _group(_: FieldSpec, value: object) -> str | None:
    return None if isinstance(value, Mapping) else "type"


_FAULTS: Mapping[Kind, Callable[[FieldSpec, object], str | None]] = {
    Kind.TEXT: _text,
    Kind.FREE_TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _shaped(_DECIMAL),
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
    Kind.DATETIME: _datetime,
    Kind.CODE: _code,
    Kind.CODED: _text,
    Kind.FODSELSNUMMER: _numbered(is_person_number),
    Kind.ORGNR: _numbered(is_orgnr),
    Kind.KOMMUNENUMMER: _numbered(is_kommune, "format"),
    Kind.FILE: _file,
    Kind.GROUP: _group,
}


def _expected_text(spec: FieldSpec) -> str:
    lines = "text" if spec.free_text else "one line of text"
    shape = f" that matches {spec.pattern.pattern}" if spec.pattern else ""
    return f"{lines}, 1 to {spec.most} characters{shape}"


def _expected_integer(spec: FieldSpec) -> str:
    low = f" from {spec.least}" if spec.least is not None else ""
    high = f" to {spec.most}" if spec.most is not None else ""
    return f"a whole number{low}{high}"


def _always(words: str) -> Callable[[FieldSpec], str]:
    return lambda _: words


_EXPECTED: Mapping[Kind, Callable[[FieldSpec], str]] = {
    Kind.TEXT: _expected_text,
    Kind.FREE_TEXT: _expected_text,
    Kind.INTEGER: _expected_integer,
    Kind.DECIMAL: _always("a decimal number written as text, with a point"),
    Kind.BOOLEAN: _always("true or false"),
    Kind.DATE: _always("a date, YYYY-MM-DD"),
    Kind.DATETIME: _always("a date and time with offset, YYYY-MM-DDThh:mm:ss+hh:mm"),
    Kind.CODE: lambda spec: "one of: " + ", ".join(spec.codes),
    Kind.CODED: _expected_text,
    Kind.FODSELSNUMMER: _always("eleven digits with valid check digits and date, or an FH-number"),
    Kind.ORGNR: _always("nine digits with a valid check digit"),
    Kind.KOMMUNENUMMER: _always("four digits, the number of a municipality"),
    Kind.FILE: lambda spec: f"base64 of a file of 1 to {spec.most} bytes",
    Kind.GROUP: lambda spec: "a group of: " + ", ".join(spec.children),
}
