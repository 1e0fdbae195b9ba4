"""Understands how to fill a record with all that a declared KITH message can carry.

    for fields in whole_records(profile.root, TYPES["dialogmelding"]): ...

Of a choice, each alternative gets its turn; so the records together hold every field that the table names.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from itertools import zip_longest
from math import prod
from typing import Any

from adapters.kith.tables import NOTED, El, OneOf, resolved
from mappings.fields import FieldSpec, Kind
from mappings.types import TypeSpec
from tests.adapters.records import FNR

UUID = "6f5a6d0e-2a0c-4a9e-9a38-0a8c5f0b7c11"
FIXED = {
    "melding.id": UUID,
    "melding.svar_pa": "6f5a6d0e-2a0c-4a9e-9a38-0a8c5f0b7c12",
    "samtale": "6f5a6d0e-2a0c-4a9e-9a38-0a8c5f0b7c13",
    "melding.sendt": "2030-01-02T03:04:05+01:00",
    "melding.avsender": "311000012",
    "melding.mottaker": "311000020",
    "person.id": FNR,
    "timer.avlysning": "Avlyst av tjeneste",
    "timer.varighet": "PT15M",
    "vedlegg.innhold": base64.b64encode(b"%PDF-1.7").decode(),
}

OF_TYPE = {
    "kvittering": {"gjelder": FIXED["melding.svar_pa"], "status": "mottatt", "feil.kode": "T99"},
}
"""What a receipt that is an AppRec can hold: that work has begun or ended is none."""


def whole_records(root: El, spec: TypeSpec, **more: Any) -> Iterator[dict[str, Any]]:
    """Records that hold everything, each with other alternatives of the choices; `more` is set on top."""
    widths = _widths(root)
    for turn in range(prod(widths)):
        for fields in _apart(_Filler(spec, turn, widths).record(root), spec):
            yield {**fields, **more}


def _apart(fields: dict[str, Any], spec: TypeSpec) -> Iterator[dict[str, Any]]:
    """A person has a number or is described: one record with each, where the type takes both."""
    described = [one for one in spec.by_path["person"].fields if one.not_beside]
    person = fields.get("person", {})
    alone = [one.name for one in described if one.name in person]
    yield {**fields, "person": _without(person, *alone)} if alone else fields
    if alone:
        yield {**fields, "person": _without(person, *(one.not_beside for one in described))}


def _without(group: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in group.items() if name not in names}


def _widths(row: El) -> list[int]:
    """How many alternatives the widest choice has, for choices in choices by depth."""
    widths: list[int] = [2] if _is_a_day_or_about(row) else []
    for below in row.rows:
        if not isinstance(below, OneOf):
            widths = _wider(widths, _widths(below))
            continue
        inner: list[int] = []
        for member in below.rows:
            inner = _wider(inner, _widths(member))
        widths = _wider(widths, [len(below.rows), *inner])
    return widths


def _wider(one: list[int], other: list[int]) -> list[int]:
    return [max(pair) for pair in zip_longest(one, other, fillvalue=1)]


def _is_a_day_or_about(row: El) -> bool:
    """Whether it holds a day, and perhaps a time of it, or else less than a day."""
    return {"day", "partial"} <= row.to.keys()


class _Filler:
    def __init__(self, spec: TypeSpec, turn: int, widths: list[int]) -> None:
        self._spec = spec
        self._turn = turn
        self._widths = widths
        self._top: dict[str, Any] = {}
        self._count = 0

    def record(self, root: El) -> dict[str, Any]:
        self._fill(root, self._top, "")
        return self._top

    def _chosen(self, choice: OneOf, depth: int) -> El:
        return choice.rows[self._alternative(depth) % len(choice.rows)]

    def _alternative(self, depth: int) -> int:
        return self._turn // prod(self._widths[:depth])

    def _fill(self, row: El, fields: dict[str, Any], path: str, depth: int = 0) -> None:
        if row.type is not None and not row.into:
            about = _is_a_day_or_about(row) and self._alternative(depth) % 2 == 1
            for part, target in row.to.items():
                name, _, piece = target.partition("#")
                if _is_a_day_or_about(row) and (part == "partial") is not about:
                    continue
                if part == "nobody" or (piece in NOTED and (name or piece != "id")):
                    continue  # the number of an organisation that has none; what is only noted
                target = "id" if piece == "id" else target
                self._put(
                    fields, path, target, self._value(row, part, resolved(path, target)), many=row.most > 1
                )
            return
        if row.into.endswith("#more"):
            return
        inner, where = (fields, path)
        if row.into:
            inner, where = {}, resolved(path, row.into)
        if row.type is not None:
            for part, target in row.to.items():
                inner[target] = self._value(row, part, f"{where}.{target}")
        for target in row.numbers.kinds.values() if row.numbers else ():
            number = FIXED.get(resolved(where, target)) or (
                "311000039" if target.endswith("orgnr") else "100001"
            )
            self._put(inner, where, target, number, many=False)
        for attribute in row.attributes:
            if attribute.to:
                inner[attribute.to] = attribute.among[0]
        for below in row.rows:
            if isinstance(below, OneOf):
                self._fill(self._chosen(below, depth), inner, where, depth + 1)
            else:
                self._fill(below, inner, where, depth)
        if row.into and inner:
            self._put(fields, path, row.into, inner, many=self._spec.field(where).many)

    def _put(self, fields: dict[str, Any], path: str, target: str, value: Any, *, many: bool) -> None:
        here = fields
        if target.startswith("/"):
            here, target = self._top, target[1:]
        *groups, last = target.partition("#")[0].split(".")
        for name in groups:
            here = here.setdefault(name, {})
        if not isinstance(value, dict) or many or last not in here:
            here.setdefault(last, [value] if many else value)
        else:
            here[last] = {**value, **here[last]}

    def _value(self, row: El, part: str, path: str) -> Any:
        path = path.partition("#")[0]
        if path in FIXED:
            return FIXED[path]
        if path in (fixed := OF_TYPE.get(self._spec.name, {})):
            return fixed[path]
        self._count += 1
        spec = self._spec.field(path)
        return _value(spec, row, part, self._count)


def _value(spec: FieldSpec, row: El, part: str, count: int) -> Any:
    datatype = row.type.name if row.type else ""
    match spec.kind:
        case Kind.DATE:
            return f"2030-01-{count % 28 + 1:02}"
        case Kind.DATETIME:
            return f"2030-01-{count % 28 + 1:02}T10:11:12+01:00"
        case Kind.BOOLEAN:
            return bool(count % 2)
        case Kind.CODE:
            said = row.default.get(part, "")
            return said if said not in ("", row.absent) else min(set(spec.codes) - {row.absent})
    if part == "S":
        return f"urn:oid:2.16.578.1.12.4.1.1.{count}"
    if part in ("clock", "partial"):
        return f"10:11:{count % 60:02}" if part == "clock" else f"2030-{count % 12 + 1:02}"
    if datatype == "dateTime":
        return f"2030-01-{count % 28 + 1:02}T10:11:12+01:00"
    if datatype in ("TS", "date"):
        return f"2030-01-{count % 28 + 1:02}"
    if datatype == "gYear":
        return "2029"
    if datatype in ("integer", "double", "PQ") and part in ("number", "V"):
        return str(count)
    if spec.kind is Kind.FREE_TEXT:
        break_ = " " if part in ("V", "DN", "OT") else "\n"  # an attribute is one line
        return f"Setning {count}.{break_}Neste linje."
    return f"Ord {count}" if spec.kind is Kind.TEXT else f"K{count}"
