"""Understands how a permitted record becomes the recipient's: an agreement applied, and nothing else.

There are no expressions: a value is carried as it is, through a table, or through a named converter. What
the decision took away is simply not there; an optional group that thereby lost a required part is left
out whole, and a message that lost one is not sent. Must not know consent, wire formats or the clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hub.errors import Finding, HubError
from hub.message import Category, Permitted, Record
from mappings.agreements import Agreement, Carry, Example
from mappings.converters import CONVERTERS
from mappings.fields import FieldSpec, Kind
from mappings.types import TypeSpec

Types = Mapping[str, TypeSpec]

_OF_WHOLE_MESSAGES = frozenset({"missing", "at-least-one", "required-when", "only-when", "same"})
"""Rules that the part of a message which the decision left need not keep."""


def translate(permitted: Permitted, agreement: Agreement, types: Types, header: Mapping[str, str]) -> Record:
    """The recipient's record; `header` becomes its `melding`. Raises translate.unmapped,
    decide.essential-missing (what may go is not enough) or render.incomplete."""
    return translate_record(permitted.record, agreement, types, header)


def translate_record(record: Record, agreement: Agreement, types: Types, header: Mapping[str, str]) -> Record:
    """As `translate`, for a record that nobody is going to send: an example, a preview."""
    if record.type != agreement.source.type:
        raise HubError("translate.unmapped", [Finding("", "type", agreement.source.type)])
    target = types[agreement.target.type]
    fields = _pruned(target.root, _carried(record, agreement, target, header))
    fields["melding"] = dict(header)
    found = target.check(fields)
    if found:
        from_hub = any(_is_header(finding) for finding in found)
        too_little = {finding.rule for finding in found} <= _OF_WHOLE_MESSAGES and not from_hub
        raise HubError("decide.essential-missing" if too_little else "render.incomplete", found)
    return Record(target.name, fields)


def missing_essential(agreement: Agreement, types: Types, record: Record) -> bool:
    """True when what is left of a record is not enough for the recipient, whatever its header."""
    target = types[agreement.target.type]
    fields = _pruned(target.root, _carried(record, agreement, target, {}))
    found = (finding for finding in target.check(fields) if not _is_header(finding))
    return any(finding.rule in _OF_WHOLE_MESSAGES for finding in found)


def _is_header(finding: Finding) -> bool:
    """The group that the hub itself writes, which no decision took anything from."""
    return finding.at == "melding" or finding.at.startswith("melding.")


def _carried(
    record: Record, agreement: Agreement, target: TypeSpec, header: Mapping[str, str]
) -> dict[str, Any]:
    """All values at their places, with lists as mappings from index to element until `_pruned`."""
    fields: dict[str, Any] = {}
    unmapped: list[Finding] = []
    for carry in agreement.fields.values():
        for indices, value in _values(record, carry, header):
            if carry.when and value not in carry.when:
                continue
            translated = _translated(carry, value)
            if translated is None:
                at = carry.source or carry.target
                unmapped.append(Finding(at, "unmapped", f"a value for {carry.target}"))
            else:
                _put(target, fields, carry.target, indices, translated)
    if unmapped:
        raise HubError("translate.unmapped", dict.fromkeys(unmapped))
    return fields


def _values(record: Record, carry: Carry, header: Mapping[str, str]) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Each value with the indices of the lists on its way."""
    if carry.constant is not None:
        yield (), carry.constant
    elif carry.header is not None:
        if carry.header in header:
            yield (), header[carry.header]
    elif carry.source is not None:
        yield from _at(record.fields, carry.source.split("."), ())


def _at(node: Any, names: list[str], indices: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Any]]:
    if isinstance(node, list):
        for index, element in enumerate(node):
            yield from _at(element, names, (*indices, index))
    elif not names:
        if not isinstance(node, Mapping):
            yield indices, node
    elif isinstance(node, Mapping) and names[0] in node:
        yield from _at(node[names[0]], names[1:], indices)


def _translated(carry: Carry, value: Any) -> Any:
    if carry.table is not None:
        return carry.table.get(value) if isinstance(value, str) else None
    if carry.using is not None:
        return CONVERTERS[carry.using].convert(value)
    return value


def _put(target: TypeSpec, fields: dict[Any, Any], path: str, indices: tuple[int, ...], value: Any) -> None:
    here, left = fields, list(indices)
    specs = target.root
    *groups, last = path.split(".")
    for name in groups:
        here = here.setdefault(name, {})
        if specs[name].many:
            here = here.setdefault(left.pop(0), {})
        specs = specs[name].children
    if specs[last].many:
        here.setdefault(last, {})[left.pop(0)] = value
    else:
        here[last] = value


def _pruned(specs: Mapping[str, FieldSpec], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same in the order of the type, lists closed up, incomplete optional groups left out."""
    kept = {}
    for name, spec in specs.items():
        if name not in fields:
            continue
        value = _pruned_list(spec, fields[name]) if spec.many else _pruned_value(spec, fields[name])
        if value is not None:
            kept[name] = value
    return kept


def _pruned_list(spec: FieldSpec, elements: Mapping[int, Any]) -> list[Any] | None:
    pruned = [_pruned_value(spec, elements[index]) for index in sorted(elements)]
    kept = [value for value in pruned if value is not None]
    if spec.exactly is not None and len(kept) != spec.exactly:
        return None
    return kept or None


def _pruned_value(spec: FieldSpec, value: Any) -> Any:
    if spec.kind is not Kind.GROUP:
        return value
    kept = _pruned(spec.children, value)
    complete = not any(child.is_missing(kept) for child in spec.fields)
    if not complete and (spec.many or not spec.required):
        return None
    return kept or None


@dataclass(frozen=True)
class Covered:
    """What becomes of one source field: the target fields it goes to, or why it stays."""

    path: str
    labels: frozenset[Category]
    carried_to: tuple[str, ...]
    dropped: str | None


def coverage(agreement: Agreement, types: Types) -> tuple[Covered, ...]:
    """Every source field but `melding`, in the order of its type."""
    places: dict[str, list[str]] = {}
    for carry in agreement.fields.values():
        if carry.source:
            places.setdefault(carry.source, []).append(carry.target)
    return tuple(
        Covered(spec.path, spec.labels, tuple(places.get(spec.path, ())), agreement.why_dropped(spec.path))
        for spec in types[agreement.source.type].scalars
        if not spec.path.startswith("melding.")
    )


@dataclass(frozen=True)
class Failure:
    """An example that does not hold. `got` is a code with places, never a value."""

    agreement: str
    example: str
    expected: str
    got: str


EXAMPLE_HEADER: Mapping[str, str] = {
    "id": "example-out",
    "sendt": "2030-01-01T12:00:00+01:00",
    "svar_pa": "example-answered",
}


def run_examples(agreement: Agreement, types: Types) -> tuple[Failure, ...]:
    """The examples that do not hold; empty when all do."""
    return tuple(
        Failure(agreement.id, example.name, expected, got)
        for example in agreement.examples
        for expected, got in _run(example, agreement, types)
    )


def _run(example: Example, agreement: Agreement, types: Types) -> Iterator[tuple[str, str]]:
    source = types[agreement.source.type]
    given = {"melding": {"id": "example-in", **EXAMPLE_HEADER}, **example.given}
    if example.gives is not None:  # an example of a failure may hold what its type would refuse
        for finding in source.check(given):
            if finding.rule not in _OF_WHOLE_MESSAGES:
                yield f"{source.name} allows it", f"{finding.rule} at {finding.at}"
    try:
        record = translate_record(Record(source.name, given), agreement, types, EXAMPLE_HEADER)
    except HubError as refused:
        got = ", ".join([f"{refused.code} at {finding.at}" for finding in refused.findings] or [refused.code])
        if example.fails not in (got, refused.code):
            yield example.fails or "a translation", got
        return
    if example.fails is not None:
        yield example.fails, "a translation"
        return
    made = {name: value for name, value in record.fields.items() if name != "melding"}
    if made != example.gives:
        yield "gives", "a difference at " + ", ".join(_differences(example.gives, made, ""))


def _differences(expected: Any, got: Any, at: str) -> Iterator[str]:
    if isinstance(expected, Mapping) and isinstance(got, Mapping):
        for name in sorted({*expected, *got}):
            yield from _differences(expected.get(name), got.get(name), f"{at}.{name}" if at else name)
    elif expected != got:
        yield at
