"""Understands message types: what each may hold, what every leaf tells, and whether a message fits.

A type is one file in `types/`, with code tables from `codes.yaml`. Knows nothing of agreements, wire
formats or consent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hub.errors import Finding, HubError
from hub.message import Category, Fields, Leaf, Record, Sector, to_microseconds, walk
from mappings.fields import MOST_ELEMENTS, FieldSpec, Kind, Text
from mappings.form import Form
from mappings.json_schema import json_schema
from mappings.reading import Tables, read_checks, read_codes, read_fields, said
from mappings.rules import Check
from mappings.strict_yaml import read_yaml

HERE = Path(__file__).parent

FILE_SIBLINGS = ("type", "navn")
"""The fields beside a file that say its media type and its name."""


@dataclass(frozen=True)
class Supersedes:
    """Where the series of a message stands, and its version in that series: the highest is in force."""

    series: str
    version: str


@dataclass(frozen=True)
class NotOurs:
    """How an answer says that the request it answers belongs elsewhere: the type that was asked with, the
    field and the code that say so, and the field where the kommune stands."""

    asked: str
    field: str
    code: str
    kommune: str


@dataclass(frozen=True)
class TypeSpec:
    """One message type. `fields` begins with the groups that every type has: `melding`, `person`."""

    name: str
    version: int
    title: Text
    description: Text
    senders: frozenset[Sector]
    fields: tuple[FieldSpec, ...]
    checks: tuple[Check, ...] = ()
    supersedes: Supersedes | None = None
    dated: str | None = None
    """The field that says from when the information is, for consents that cover a period of it."""
    snapshot: bool = False
    """A newer one from the same sender about the same person says all that an older one did."""
    not_ours: NotOurs | None = None

    def check(self, fields: Fields) -> tuple[Finding, ...]:
        """Everything that is wrong with the values, at once: path, rule, expectation; never a value."""
        found: list[Finding] = []
        _check_group(self.root, fields, "", found)
        for check in self.checks:
            found.extend(check.findings(fields))
        return tuple(found)

    def check_values(self, fields: Fields) -> tuple[Finding, ...]:
        """What is wrong with the single values of a record that could be read in part only: of what is not
        there, and of how values go together, nothing can be said."""
        found: list[Finding] = []
        _check_group(self.root, fields, "", found)
        there = dict(walk(fields))
        return tuple(one for one in found if one.at in there)

    def in_microseconds(self, record: Record) -> Record:
        """The record with at most six digits of a second in each of its times: a format that does not know
        which of its texts are times leaves them in."""
        return Record(record.type, _in_microseconds(self.root, record.fields))

    def leaves(self, record: Record) -> tuple[Leaf, ...]:
        """Every scalar of the record with its declared labels. What is not declared is UNKNOWN."""
        return tuple(_leaves(self.root, record.fields, ""))

    def field(self, path: str) -> FieldSpec:
        """The declaration at a dotted path without indices; KeyError if there is none."""
        return self.by_path[path]

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema 2020-12 of the message as plain JSON, with descriptions in both languages."""
        return json_schema(self.name, self.version, self.title, self.description, self.fields)

    @cached_property
    def by_path(self) -> Mapping[str, FieldSpec]:
        """Every declaration, groups too, by path and in the order of the file."""
        return {spec.path: spec for spec in _walk(self.fields)}

    @cached_property
    def scalars(self) -> tuple[FieldSpec, ...]:
        """Every leaf that may occur, in the order of the file."""
        return tuple(spec for spec in self.by_path.values() if spec.kind is not Kind.GROUP)

    @cached_property
    def root(self) -> Mapping[str, FieldSpec]:
        return {spec.name: spec for spec in self.fields}

    @property
    def protected(self) -> FieldSpec | None:
        """The field that says whether the person has a graded address, if the type has one."""
        return self.by_path.get("person_adressegradering")


def load_types(folder: Path = HERE / "types", codes: Path = HERE / "codes.yaml") -> Mapping[str, TypeSpec]:
    """All types of a folder by name, or map.invalid with every fault of every file."""
    findings: list[Finding] = []
    types: dict[str, TypeSpec] = {}
    tables = _tables(codes, findings)
    for file in sorted(folder.glob("*.yaml")):
        try:
            form = Form(file.name, "", read_yaml(file), findings)
        except HubError as refused:
            findings.extend(refused.findings)
            continue
        spec = _type(form, tables)
        if f"{spec.name}.yaml" != file.name:
            form.refuse("type", "name", "the name of the file without .yaml")
        types[spec.name] = spec
    findings.extend(_askless(types))
    if findings:
        raise HubError("map.invalid", findings)
    return types


def _tables(file: Path, findings: list[Finding]) -> Tables:
    try:
        form = Form(file.name, "", read_yaml(file), findings)
    except HubError as refused:
        findings.extend(refused.findings)
        return {}
    return {name: read_codes(form.form(name)) for name in form.names()}


def _type(form: Form, tables: Tables) -> TypeSpec:
    spec = TypeSpec(
        form.text("type"),
        _version(form),
        said(form, "title"),
        said(form, "description"),
        form.words("senders", Sector),
        read_fields(form, tables),
        read_checks(form),
        _supersedes(form),
        form.text("dated") if form.has("dated") else None,
        form.flag("snapshot") if form.has("snapshot") else False,
        _not_ours(form),
    )
    if spec.snapshot and spec.supersedes:
        form.refuse("snapshot", "one-of", "either snapshot or supersedes")
    if not form.has("senders"):
        form.refuse("senders", "list", "a list of sectors; empty if only the hub writes it")
    for path in _named_paths(spec):
        if path not in spec.by_path:
            form.refuse("checks", "path", f"a field of the type, not {path}")
    for at, expected in _wrong_not_ours(spec):
        form.refuse(f"not_ours.{at}", "not-ours", expected)
    form.close()
    return spec


def _version(form: Form) -> int:
    version = form.number("version")
    if version is None or version < 1:
        form.refuse("version", "number", "1 or more")
    return version or 1


def _supersedes(form: Form) -> Supersedes | None:
    if not form.has("supersedes"):
        return None
    inner = form.form("supersedes")
    supersedes = Supersedes(inner.text("series"), inner.text("version"))
    inner.close()
    return supersedes


def _not_ours(form: Form) -> NotOurs | None:
    if not form.has("not_ours"):
        return None
    inner = form.form("not_ours")
    words = (inner.text(key) for key in ("asked", "field", "code", "kommune"))
    not_ours = NotOurs(*words)
    inner.close()
    return not_ours


def _wrong_not_ours(spec: TypeSpec) -> Iterator[tuple[str, str]]:
    """Without these, "not ours" would be said and nobody would hear it."""
    says = spec.not_ours
    if says is None:
        return
    said, kommune = spec.by_path.get(says.field), spec.by_path.get(says.kommune)
    if said is None or says.code not in said.codes:
        yield "code", "a code of the field"
    if kommune is None or kommune.kind is not Kind.KOMMUNENUMMER:
        yield "kommune", "a field of the kind kommunenummer"


def _askless(types: Mapping[str, TypeSpec]) -> Iterator[Finding]:
    for spec in types.values():
        if spec.not_ours is not None and spec.not_ours.asked not in types:
            yield Finding(f"{spec.name}.yaml: not_ours.asked", "map.not-ours", "a message type")


def _named_paths(spec: TypeSpec) -> Iterator[str]:
    for check in spec.checks:
        yield from check.fields
        if check.other:
            yield check.other
    if spec.supersedes:
        yield spec.supersedes.series
        yield spec.supersedes.version
    if spec.dated:
        yield spec.dated


def _walk(fields: Iterable[FieldSpec]) -> Iterator[FieldSpec]:
    for spec in fields:
        yield spec
        yield from _walk(spec.fields)


def _check_group(
    specs: Mapping[str, FieldSpec], given: Mapping[str, object], at: str, found: list[Finding]
) -> None:
    for position, name in enumerate(given, start=1):
        if name not in specs:  # the name is the sender's own text: say where it stands, not what it is
            expected = f"only {', '.join(specs)}; name number {position} is none of them"
            found.append(Finding(at, "unknown-field", expected))
    for name, spec in specs.items():
        path = f"{at}.{name}" if at else name
        if name in given:
            _check_field(spec, given[name], path, found)
            if spec.not_beside in given:
                found.append(Finding(path, "beside", f"nothing here beside {spec.not_beside}"))
        elif spec.is_missing(given):
            found.append(Finding(path, "missing", spec.expected))


def _check_field(spec: FieldSpec, value: object, at: str, found: list[Finding]) -> None:
    if not spec.many:
        _check_value(spec, value, at, found)
        return
    if not isinstance(value, list):
        found.append(Finding(at, "type", "a list"))
        return
    if not value or len(value) > MOST_ELEMENTS:
        found.append(Finding(at, "length", f"1 to {MOST_ELEMENTS} elements, or leave the field out"))
        return
    if spec.exactly is not None and len(value) != spec.exactly:
        found.append(Finding(at, "length", f"{spec.exactly} elements"))
    for index, element in enumerate(value):
        _check_value(spec, element, f"{at}[{index}]", found)


def _check_value(spec: FieldSpec, value: object, at: str, found: list[Finding]) -> None:
    rule = spec.fault(value)
    if rule is not None:
        found.append(Finding(at, rule, spec.expected))
    elif isinstance(value, Mapping):
        if not value:
            found.append(Finding(at, "empty", "at least one field, or leave the group out"))
        _check_group(spec.children, value, at, found)


def _in_microseconds(specs: Mapping[str, FieldSpec], given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _cut(specs[name], value) if name in specs else value for name, value in given.items()}


def _cut(spec: FieldSpec, value: Any) -> Any:
    if isinstance(value, list):
        return [_cut(spec, element) for element in value]
    if isinstance(value, Mapping):
        return _in_microseconds(spec.children, value)
    return to_microseconds(value) if spec.kind is Kind.DATETIME and isinstance(value, str) else value


def _leaves(specs: Mapping[str, FieldSpec], given: Mapping[str, Any], at: str) -> Iterator[Leaf]:
    for name, value in given.items():
        spec = specs.get(name)
        path = f"{at}.{name}" if at else name
        if isinstance(value, list):
            for index, element in enumerate(value):
                yield from _leaf(spec, element, f"{path}[{index}]", given)
        else:
            yield from _leaf(spec, value, path, given)


def _leaf(spec: FieldSpec | None, value: object, path: str, group: Mapping[str, Any]) -> Iterator[Leaf]:
    if isinstance(value, Mapping):
        yield from _leaves(spec.children if spec else {}, value, path)
    elif isinstance(value, list):  # a list in a list is never declared
        for index, element in enumerate(value):
            yield from _leaf(None, element, f"{path}[{index}]", group)
    elif spec is None or spec.kind is Kind.GROUP:
        yield Leaf(path, value, frozenset({Category.UNKNOWN}), free_text=True)
    elif spec.kind is Kind.CODED:
        system = spec.system or group.get("system")
        # A code that names no system may be of any: what it tells there, it tells here.
        yield Leaf(path, value, spec.labels, code_system=system if isinstance(system, str) else "")
    elif spec.kind is Kind.FILE:
        stated = tuple(str(group.get(name, "")) for name in FILE_SIBLINGS)
        yield Leaf(path, value, spec.labels, free_text=True, file=(stated[0], stated[1]))
    else:
        yield Leaf(path, value, spec.labels, free_text=spec.free_text)
