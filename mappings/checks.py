"""Understands when an agreement is complete and safe: nothing forgotten, nothing laundered.

Each check yields (where in the file, rule, what was expected). Reads declarations only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from hub.message import CONTROL_SECTORS, Category
from mappings.converters import CONVERTERS
from mappings.fields import TEXTS, FieldSpec, Kind
from mappings.types import TypeSpec

if TYPE_CHECKING:
    from mappings.agreements import Agreement, Carry

Fault = tuple[str, str, str]

_ROW = re.compile(r"[A-Z][0-9]{2}[a-z]?")
_REASON_LENGTH = 20
HEADER = ("id", "sendt", "mottaker", "svar_pa")


def faults(agreement: Agreement, types: Mapping[str, TypeSpec]) -> Iterator[Fault]:
    """Everything wrong with one agreement whose two types exist."""
    source, target = types[agreement.source.type], types[agreement.target.type]
    yield from _parties(agreement, source)
    yield from _coverage(agreement, source)
    yield from _targets(agreement, target)
    for carry in agreement.fields.values():
        if carry.target in target.by_path:
            yield from _carry(carry, source, target)
    yield from _secrecy(agreement, source)
    yield from _examples(agreement, source)


def _parties(agreement: Agreement, source: TypeSpec) -> Iterator[Fault]:
    for sector in sorted(agreement.source.sectors - source.senders):
        yield "from.sector", "sender", f"a sector that may send {source.name}, not {sector}"
    if not _ROW.fullmatch(agreement.row):
        yield "row", "row", "the id of a policy row"
    path = agreement.kommune_path
    if path is not None and (path not in source.by_path or source.field(path).kind is not Kind.KOMMUNENUMMER):
        yield "route", "path", "a kommunenummer of the source type"


def _coverage(agreement: Agreement, source: TypeSpec) -> Iterator[Fault]:
    """Every source field is carried, or dropped with a reason; `melding` is always written anew."""
    for path, reason in agreement.dropped.items():
        if path not in source.by_path:
            yield f"dropped.{path}", "path", f"a field of {source.name}"
        if len(reason.strip()) < _REASON_LENGTH:
            yield f"dropped.{path}", "reason", "a reason that a lawyer can weigh"
    for spec in source.scalars:
        if spec.path.startswith("melding."):
            continue
        carried = spec.path in agreement.carries
        dropped = agreement.why_dropped(spec.path) is not None
        if carried and dropped:
            yield f"dropped.{spec.path}", "carried-and-dropped", "one or the other"
        if not carried and not dropped:
            yield f"dropped.{spec.path}", "uncovered", "a place in fields, or a reason in dropped"


def _targets(agreement: Agreement, target: TypeSpec) -> Iterator[Fault]:
    for path in agreement.fields:
        if path not in target.by_path or target.field(path).kind is Kind.GROUP:
            yield f"fields.{path}", "path", f"a field of {target.name}"
        elif path.startswith("melding."):
            yield f"fields.{path}", "path", "nothing: the hub writes melding itself"
    for spec in target.scalars:
        if spec.required and not spec.path.startswith("melding.") and spec.path not in agreement.fields:
            group = target.field(spec.path.rpartition(".")[0]) if "." in spec.path else None
            if group is None or group.required or _filled(agreement, group):
                yield f"fields.{spec.path}", "required", "a source, because the target requires it"


def _filled(agreement: Agreement, group: FieldSpec) -> bool:
    return any(path.startswith(f"{group.path}.") for path in agreement.fields)


def _carry(carry: Carry, source: TypeSpec, target: TypeSpec) -> Iterator[Fault]:
    at, to = f"fields.{carry.target}", target.field(carry.target)
    if carry.header is not None and carry.header not in HEADER:
        yield at, "header", "one of: " + ", ".join(HEADER)
    if carry.constant is not None and to.fault(carry.constant) is not None:
        yield at, "constant", to.expected
    if carry.source is None:
        return
    if carry.source not in source.by_path or source.field(carry.source).kind is Kind.GROUP:
        yield at, "path", f"a field of {source.name}"
        return
    given = source.field(carry.source)
    if not given.labels <= to.labels:
        yield at, "label-lost", "a target with the labels " + ", ".join(sorted(given.labels))
    if _depth(source, given.path) != _depth(target, to.path):
        yield at, "list", "as many lists on the way as in the source"
    if carry.table is not None:
        yield from _table(at, carry.table, given, to)
    elif carry.using is not None:
        yield from _converter(at, carry.using, given, to)
    else:
        yield from _fits(at, given, to)


def _depth(spec: TypeSpec, path: str) -> int:
    parts = path.split(".")
    return sum(spec.field(".".join(parts[: end + 1])).many for end in range(len(parts)))


def _table(at: str, table: Mapping[str, str], given: FieldSpec, to: FieldSpec) -> Iterator[Fault]:
    if given.kind is not Kind.CODE or to.kind is not Kind.CODE:
        yield at, "table", "a code on both sides"
        return
    if set(table) != set(given.codes):
        yield at, "table", "every code of the source and no other: " + ", ".join(given.codes)
    if not set(table.values()) <= set(to.codes):
        yield at, "table", "codes of the target: " + ", ".join(to.codes)


def _converter(at: str, using: str, given: FieldSpec, to: FieldSpec) -> Iterator[Fault]:
    converter = CONVERTERS.get(using)
    if converter is None:
        yield at, "converter", "one of: " + ", ".join(sorted(CONVERTERS))
    elif (converter.source, converter.target) != (given.kind, to.kind):
        yield at, "converter", f"{converter.source} on the left and {converter.target} on the right"


def _fits(at: str, given: FieldSpec, to: FieldSpec) -> Iterator[Fault]:
    """Every value of the source fits the target as it is."""
    if given.kind is not to.kind:
        yield at, "kind", f"a target of kind {given.kind}"
        return
    if given.kind is Kind.CODE and not set(given.codes) <= set(to.codes):
        yield at, "table", "a table, because the codes differ"
    if given.kind in TEXTS and (given.most or 0) > (to.most or 0):
        yield at, "length", f"a target with room for {given.most} characters"
    if to.pattern is not None and (given.pattern is None or given.pattern.pattern != to.pattern.pattern):
        yield at, "pattern", "the same pattern on both sides"
    if given.kind is Kind.INTEGER and not _within(given, to):
        yield at, "range", "a target with at least the range of the source"
    if given.exactly != to.exactly and to.exactly is not None:
        yield at, "list", f"{to.exactly} elements on both sides"


def _within(given: FieldSpec, to: FieldSpec) -> bool:
    low = to.least is None or (given.least is not None and given.least >= to.least)
    high = to.most is None or (given.most is not None and given.most <= to.most)
    return low and high


def _secrecy(agreement: Agreement, source: TypeSpec) -> Iterator[Fault]:
    carried = {path: source.field(path).labels for path in agreement.carries if path in source.by_path}
    for path, labels in sorted(carried.items()):
        if Category.PROTECTED_ADDRESS in labels:
            yield f"fields.{path}", "protected-address", "nothing: a graded address is never carried"
    told = agreement.reveals.union(*carried.values())
    to_control = agreement.sender_sees and agreement.source.sectors & CONTROL_SECTORS
    if to_control and Category.SUBSTANCE_USE in told:
        expected = "false: a receipt would tell a control role what the person consented to"
        yield "sender_sees", "sender-sees", expected


def _examples(agreement: Agreement, source: TypeSpec) -> Iterator[Fault]:
    """One example of a whole message, and one where the decision took something that would be carried."""
    carried = [_carried(agreement, example.given, "") for example in agreement.examples]
    whole = max(carried, key=len, default=frozenset())
    if not agreement.examples:
        yield "examples", "example", "at least one"
    elif not any(left < whole for left in carried):
        yield "examples", "example", "one where something is withheld"
    names = [example.name for example in agreement.examples]
    if len(set(names)) != len(names):
        yield "examples", "example", "a different name for each"


def _carried(agreement: Agreement, node: object, path: str) -> frozenset[str]:
    if isinstance(node, Mapping):
        inner = ((f"{path}.{name}" if path else name, child) for name, child in node.items())
        return frozenset().union(*(_carried(agreement, child, at) for at, child in inner))
    if isinstance(node, list):
        return frozenset().union(*(_carried(agreement, child, path) for child in node))
    return frozenset({path} & agreement.carries)
