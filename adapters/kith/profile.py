"""Understands how a declared KITH message is read, validated and written: all of it from the table.

Reading looks at the whole document and tells every fault at once; a fault that a partner is known for and
that changes nothing (`deviations.yaml`) can be let through by name. Writing starts from the record and from
nothing else, in the order of the schema. It must not know any message.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from lxml import etree

from adapters.base import Findings
from adapters.kith.coded import unread_part, with_words
from adapters.kith.codes import lists
from adapters.kith.conditions import matches
from adapters.kith.datatypes import Datatype, Parts
from adapters.kith.names import join_names, split_name
from adapters.kith.numbers import note_numbers, sort_numbers
from adapters.kith.places import At, fault_at
from adapters.kith.rules import CHECKS, DERIVED, FILLED, GROUP_CHECKS
from adapters.kith.tables import El, OneOf, Slot, with_meaning
from adapters.kith.texts import Said, say
from adapters.safe_xml import positions
from hub.errors import Finding, HubError

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_HINTS = frozenset(f"{_XSI}{name}" for name in ("schemaLocation", "noNamespaceSchemaLocation", "type"))
Fields = dict[str, Any]


@dataclass(eq=False)
class Reading:
    """What one document gave: the fields, the faults, and those of them that were let through."""

    fields: Fields
    refused: tuple[Finding, ...] = ()
    let_through: tuple[Finding, ...] = ()


@dataclass(eq=False)
class Profile:
    """One declared message: the root element, and the namespace prefixes that are written."""

    root: El
    prefixes: Mapping[str, str] = field(default_factory=dict)

    # ---------------------------------------------------------------------------------------- read

    def read(self, root: etree._Element, body: bytes, lenient: Collection[str] = ()) -> Reading:
        """The fields of a document with every fault by line and column; never raises for a fault."""
        reader = Reader(self.root)
        reader.document(root)
        if not reader.faults:
            return Reading(reader.top)
        found = reader.findings(root, body)
        return Reading(
            reader.top,
            tuple(finding for finding in found if finding.rule not in lenient),
            tuple(finding for finding in found if finding.rule in lenient),
        )

    def parse(self, root: etree._Element, body: bytes) -> Fields:
        """The fields of a document, or parse.invalid with every fault at once."""
        reading = self.read(root, body)
        if reading.refused:
            raise HubError("parse.invalid", reading.refused)
        return reading.fields

    # --------------------------------------------------------------------------------------- write

    def write(self, fields: Mapping[str, Any]) -> bytes:
        """The document of these fields, or render.incomplete with what is missing."""
        return self.written(self.tree(fields))

    def written(self, root: etree._Element) -> bytes:
        """The bytes of a document."""
        return etree.tostring(root, encoding="UTF-8", xml_declaration=True)

    def tree(self, fields: Mapping[str, Any]) -> etree._Element:
        """As `write`, before it is bytes; reading them gives the same tree."""
        writer = _Writer(fields, self._prefixes())
        root, _ = writer.element(None, self.root, fields, f"/{self.root.name}")
        writer.findings.finish("render.incomplete")
        return root

    def _prefixes(self) -> dict[Any, str]:
        return {None: self.root.ns, **self.prefixes}


class Reader:
    """One document under way: its fields, and its faults with where they stand."""

    def __init__(self, declared: El) -> None:
        self.top: Fields = {}
        self.faults: list[tuple[etree._Element, At, Said]] = []
        self._declared = declared

    def document(self, root: etree._Element) -> None:
        if root.tag != self._declared.tag:
            self._fault(root, At(None, ""), say("root", self._declared.tag))
            return
        self._group(root, self._declared, self.top, At(None, self._declared.name))
        self._finish()

    def _finish(self) -> None:
        join_names(self.top)

    def findings(self, root: etree._Element, body: bytes) -> list[Finding]:
        """The faults with where they stand, in the order of the document."""
        where = dict(zip(root.iter(), positions(body), strict=True))
        found = [fault_at(where, element, str(at), said) for element, at, said in self.faults]
        return sorted(dict.fromkeys(found), key=lambda finding: (finding.line or 0, finding.column or 0))

    def _fault(self, element: etree._Element, at: At, said: Said) -> None:
        self.faults.append((element, at, said))

    def _group(self, element: etree._Element, row: El, fields: Fields, at: At) -> None:
        if row.attributes or element.keys():
            self._attributes(element, row, fields, at)
        between = (text := element.text) is not None and text != "" and not text.isspace()
        last = 0
        counted: dict[str, int] = {}
        seen: dict[El, int] = {}  # of rows that are told from others of their name
        slots = row.slots
        for child in element:
            if (text := child.tail) and not text.isspace():
                between = True
            tag: str = child.tag
            slot = slots.get(tag)
            if slot is None:
                names = ", ".join(dict.fromkeys(item.variants[0].name for item in slots.values()))
                self._fault(child, At(at, "?"), say(row.strangers or "unknown-element", names))
                continue
            counted[tag] = number = like = counted.get(tag, 0) + 1
            if (variant := slot.alone) is None:
                variant = _variant(slot, child, seen)
                seen[variant] = like = seen.get(variant, 0) + 1
            here = At(at, variant.name, number if variant.most > 1 else 0)
            if slot.position >= last:
                last = slot.position
            elif not row.any_order:
                self._fault(child, here, say("order", _next(row, slot.position)))
            if number > slot.most or like > variant.most:
                rule = "once" if row.any_order else "count"
                self._fault(child, here, say(rule, min(slot.most, variant.most)))
            elif variant.type is not None:
                self._leaf(child, variant, variant.type, fields, here)
            else:
                self._one(child, variant, fields, here)
        if between:
            self._fault(element, at, say("no-text"))
        if not row.hollow or len(element):
            self._missing(element, row, counted, seen, at)
        for name in row.must:
            for below, said in GROUP_CHECKS[name](element, row):
                self._fault(below, at.inside(element, below, slots), said)
        if row.numbers is not None:
            for id_, field_ in sort_numbers(row.numbers, fields):
                self._put(fields, field_, id_, many=False)

    def _attributes(self, element: etree._Element, row: El, fields: Fields, at: At) -> None:
        names = [attribute.name for attribute in row.attributes]
        if not set(element.attrib) <= {*_HINTS, *names}:
            known = [etree.QName(name).localname for name in names]
            self._fault(element, at, say("attribute", *known, "xsi:schemaLocation"))
        for attribute in row.attributes:
            said = (element.get(attribute.name) or "").strip()
            if attribute.value and said != attribute.value:
                self._fault(element, at, say("fixed", attribute.value))
            elif (attribute.fresh or attribute.demanded) and element.get(attribute.name) is None:
                self._fault(element, At(at, f"@{attribute.name}"), say("attribute-missing", attribute.name))
            elif attribute.among and said and said not in attribute.among:
                self._fault(element, at, say("code", *attribute.among))
            elif attribute.type is not None and element.get(attribute.name) is not None:
                for fault in _faults_of(attribute.type, said):
                    self._fault(element, at, fault)
            elif attribute.to and said:
                self._put(fields, attribute.to, said, many=False)

    def _missing(
        self,
        element: etree._Element,
        row: El,
        counted: Mapping[str, int],
        seen: Mapping[El, int],
        at: At,
    ) -> None:
        for tag, slot in row.demanded:
            if counted.get(tag, 0) < slot.least:
                name = slot.variants[0].name
                self._fault(element, At(at, name), say("missing", name))
        for tag, slot, variant in row.demanded_variants:
            if seen.get(variant, 0) < variant.least and counted.get(tag, 0) >= slot.least:
                name = slot.variants[0].name
                self._fault(element, At(at, name), say("missing", f"{name} ({variant.asks})"))
        for choice in row.choices:
            there = sum(1 for tag in choice.tags if tag in counted)
            if (there > 1 and not choice.repeats) or there < choice.least:
                names = ", ".join(dict.fromkeys(member.name for member in choice.rows))
                self._fault(element, at, say("choice", names))

    def _one(self, element: etree._Element, row: El, fields: Fields, at: At) -> None:
        if not row.into and not row.unless:
            self._group(element, row, fields, at)
            return
        inner: Fields = {}
        self._group(element, row, inner, at)
        if row.unless:
            if row.sources[0].isdisjoint(name.partition("#")[0] for name in fields):
                fields.update(inner)
            return
        if row.fill:
            FILLED[row.fill](inner)
        if inner:
            self._put(fields, row.into, inner, many=row.most > 1 or row.listed)

    def _leaf(self, element: etree._Element, row: El, declared: Datatype, fields: Fields, at: At) -> None:
        if declared.opaque:
            return
        allowed, names = declared.attributes, element.keys()
        if (
            names
            and not allowed.issuperset(names)
            and not declared.free
            and any(name not in allowed and not str(name).startswith(_XSI) for name in names)
        ):
            self._fault(element, at, say("attribute", *sorted(allowed)))
        if not declared.markup and len(element):
            self._fault(element, at, say("no-elements"))
        if not declared.text and element.text:
            self._fault(element, at, say("no-text"))
        parts, faults = declared.read(element)
        for said in faults:
            self._fault(element, at, said)
        if not row.bare:
            parts = with_words(row, parts)
            self._kept_to(element, row, declared, parts, at, sound=not faults)
        if row.into:
            inner: Fields = {target: parts[part] for part, target in row.to.items() if part in parts}
            if inner:
                self._put(fields, row.into, inner, many=True)
            return
        for part, target in row.to.items():
            if part in parts and not (row.absent and part == declared.main and parts[part] == row.absent):
                if target in row.plain:
                    self._keep(fields, target, parts[part])
                else:
                    self._put(fields, target, parts[part], many=row.most > 1)

    def _kept_to(
        self, element: etree._Element, row: El, declared: Datatype, parts: Parts, at: At, *, sound: bool
    ) -> None:
        """What the row asks of a value beyond its datatype."""
        if row.fixed and parts.get(declared.main) != row.default[declared.main]:
            self._fault(element, at, say("fixed", row.default[declared.main]))
        if row.absent and declared.attributes and declared.main not in parts and sound:
            self._fault(element, at, say("code", *lists()[row.codes]) if row.codes else say("empty"))
        if (unread := unread_part(row, parts)) is not None:
            self._fault(element, at, unread)
        for name in row.must:
            said_ = CHECKS[name](parts, row)
            if said_ is not None:
                self._fault(element, at, said_)

    def _keep(self, fields: Fields, target: str, value: object) -> None:
        fields.setdefault(target, value)

    def _put(self, fields: Fields, target: str, value: object, *, many: bool) -> None:
        """The first one said stays, where a table sends two elements to one field."""
        here = fields
        if target.startswith("/"):
            here, target = self.top, target[1:]
        *groups, last = target.split(".")
        for name in groups:
            here = here.setdefault(name, {})
        if many:
            here.setdefault(last, []).append(value)
        else:
            here.setdefault(last, value)


def _faults_of(declared: Datatype, said: str) -> list[Said]:
    """What is wrong with the value of an attribute."""
    holder = etree.Element("attribute")
    holder.text = said
    return declared.read(holder)[1]


def _variant(slot: Slot, element: etree._Element, seen: Mapping[El, int]) -> El:
    """The first row of the name that asks for what the element holds and is not used up."""
    for row in slot.variants[:-1]:
        used_up = seen.get(row, 0) >= row.most
        if not used_up and matches(element, row.when):
            return row
    return slot.variants[-1]


def _next(row: El, position: int) -> str:
    """The name of what stands after this place in the schema."""
    after = row.rows[position + 1] if position + 1 < len(row.rows) else row.rows[position]
    return after.rows[0].name if isinstance(after, OneOf) else after.name


class _Writer:
    """One document under way. An element is made where the record holds something for it, or where the schema
    demands it."""

    def __init__(self, top: Mapping[str, Any], prefixes: dict[Any, str]) -> None:
        self.findings = Findings()
        self._top = top
        self._prefixes = prefixes
        self._fresh = 0

    def element(
        self, parent: etree._Element | None, row: El, fields: Mapping[str, Any], at: str
    ) -> tuple[etree._Element, bool]:
        """The element with all below it, and whether the record said anything of it."""
        nsmap = self._prefixes if parent is None else _default(parent, row.ns, self._prefixes)
        element = (
            etree.Element(row.tag, nsmap=nsmap)
            if parent is None
            else etree.SubElement(parent, row.tag, nsmap=nsmap)
        )
        said = self._attributes(element, row, fields)
        if row.numbers is not None:
            given = {kind: self._at(fields, target) for kind, target in row.numbers.kinds.items()}
            fields = {**fields, **note_numbers(row.numbers, given)}
        written: set[str] = set()
        empty: set[str] = set()
        for below in row.written:
            if isinstance(below, OneOf):
                spoke = self._choice(element, below, fields, at)
            else:
                if below.into and below.tag in empty and self._at(fields, below.into):
                    etree.SubElement(element, below.tag)  # the first of the name stays the first
                spoke = self._row(element, below, fields, at, 0 if below.tag in written else None)
                if spoke:
                    written.add(below.tag)
                elif below.hollow and not below.into and not below.least and below.most == 1:
                    empty.add(below.tag)
            said = said or spoke
        for name in row.must if parent is not None else ():
            for _, broken in GROUP_CHECKS[name](element, row):
                self.findings.add(at, broken.rule, broken.en)
        if row.hollow and not said:
            for child in list(element):
                element.remove(child)
        return element, said

    def _choice(self, parent: etree._Element, choice: OneOf, fields: Mapping[str, Any], at: str) -> bool:
        said = False
        for member in choice.rows:
            said = self._row(parent, member, fields, at, least=0) or said
            if said and not choice.repeats:
                return True
        if choice.least and not said:
            self._row(parent, choice.rows[0], fields, at, least=1)
        return said

    def _attributes(self, element: etree._Element, row: El, fields: Mapping[str, Any]) -> bool:
        """The attributes of an element, and whether the record said one. A fresh id is of the message and of
        how many there were before: the same record gives the same document."""
        said = False
        for attribute in row.attributes:
            value = self._at(fields, attribute.to) if attribute.to else attribute.value
            if attribute.says is not None:
                value = attribute.says(self._top)
            if attribute.fresh:
                self._fresh += 1
                value = str(uuid5(NAMESPACE_URL, f"{self._top.get('melding', {}).get('id')}#{self._fresh}"))
            if value:
                element.set(attribute.name, str(value))
                said = said or bool(attribute.to)
        return said

    def _row(
        self, parent: etree._Element, row: El, fields: Mapping[str, Any], at: str, least: int | None = None
    ) -> bool:
        least = row.least if least is None else least
        if not least and (row.type is None or row.plainly) and not self._speaks(row, fields):
            return False
        if row.elsewhere or (row.unless and any(self._at(fields, name) is not None for name in row.unless)):
            return False
        at = f"{at}/{row.name}"
        if row.type is not None:
            return self._leaf(parent, row, fields, at, least)
        if not row.into:
            return self._group(parent, row, fields, at, least)
        given = self._at(fields, row.into)
        items = given if isinstance(given, list) else [] if given is None else [given]
        if len(items) > row.most:
            self.findings.add(at, "count", say("count", row.most).en)
        said = False
        for item in items:
            said = self._group(parent, row, item, at, 0) or said
        if not said and least and not row.when:
            self._group(parent, row, {}, at, least)
        return said

    def _group(self, parent: etree._Element, row: El, fields: Mapping[str, Any], at: str, least: int) -> bool:
        if row.needs and not least and all(self._at(fields, name) is None for name in row.needs):
            return False
        noted = len(self.findings)
        element, said = self.element(parent, row, fields, at)
        if not said and not least:
            parent.remove(element)
            self.findings.forget_after(noted)
        return said

    def _speaks(self, row: El, fields: Mapping[str, Any]) -> bool:
        """Whether the record holds anything that an optional group could say. The item of a list does."""
        if row.into:
            return True
        here, top = row.sources
        return not (here.isdisjoint(fields) and top.isdisjoint(self._top))

    def _leaf(self, parent: etree._Element, row: El, fields: Mapping[str, Any], at: str, least: int) -> bool:
        if row.into:
            return self._leaves(parent, row, fields, at, least)
        carried: dict[str, Any] = {}
        for part, target in row.to.items():
            if (value := self._at(fields, target)) is not None:
                carried[part] = value
        if row.most > 1:
            (part,) = row.to or ("",)
            values = carried.get(part)
            for one in values if isinstance(values, list) else []:
                self._value(parent, row, {part: one}, at)
            return bool(values)
        if row.derive:
            carried = DERIVED[row.derive](fields, self._top)
        elif not carried and not least and (row.to or not row.default):
            return False
        parts = {**row.default, **carried}
        if not parts and not least:
            return False
        if not parts:
            if row.blank or (row.type is not None and row.type.attributes and not row.to):
                etree.SubElement(parent, row.tag, nsmap=_default(parent, row.ns, self._prefixes))
            else:
                self.findings.add(at, "missing", say("missing", row.name).en)
            return False
        self._value(parent, row, parts, at)
        return bool(carried) and bool(row.to)

    def _leaves(
        self, parent: etree._Element, row: El, fields: Mapping[str, Any], at: str, least: int
    ) -> bool:
        """A list of groups, each one element."""
        items = self._at(fields, row.into)
        if isinstance(items, list) and len(items) > row.most:
            self.findings.add(at, "count", say("count", row.most).en)
        for item in items if isinstance(items, list) else []:
            parts = {part: item[target] for part, target in row.to.items() if target in item}
            self._value(parent, row, parts, at)
        if not items and least:
            etree.SubElement(parent, row.tag)
        return bool(items)

    def _value(self, parent: etree._Element, row: El, parts: Mapping[str, object], at: str) -> None:
        element = etree.SubElement(parent, row.tag, nsmap=_default(parent, row.ns, self._prefixes))
        assert row.type is not None
        try:
            row.type.write(element, with_meaning(row, parts))
        except ValueError:  # what XML cannot carry; lxml quotes it
            self.findings.add(at, "value", "text that XML can carry")

    def _at(self, fields: Mapping[str, Any], target: str) -> Any:
        if target in fields:
            return fields[target]
        from_top, names, piece = _way(target)
        here: Any = self._top if from_top else fields
        for name in names:
            here = here.get(name) if isinstance(here, Mapping) else None
        return split_name(here).get(piece) if piece and isinstance(here, str) else here


@cache
def _way(target: str) -> tuple[bool, tuple[str, ...], str]:
    """Of a field as a table writes it: whether it is looked for from the top of the record, the groups that
    it stands in with its name, and which piece of a person's name is meant. The tables name them all."""
    path, _, piece = target.removeprefix("/").partition("#")
    return target.startswith("/"), tuple(path.split(".")), piece


def _default(parent: etree._Element, namespace: str, prefixes: Mapping[Any, str]) -> dict[Any, str] | None:
    """A namespace of its own becomes the default one from here on, unless a prefix was declared for it."""
    if namespace in prefixes.values():
        return None
    inherited = not parent.prefix and parent.tag.startswith(f"{{{namespace}}}")
    if inherited or parent.nsmap.get(None) == namespace:  # `nsmap` is gathered all the way up, each time
        return None
    return {None: namespace}
