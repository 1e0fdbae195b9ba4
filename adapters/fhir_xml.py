"""Understands FHIR in XML as the JSON it would be, and back. One document, two spellings: nothing is
lost on the way in either direction, and what has no place in the other spelling is a finding.

Dropped on purpose: comments and processing instructions (nobody may be told anything there), and the
root's `schemaLocation`, which is never fetched. It must not know any profile, message type or code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import cast

from fhir_core.fhirabstractmodel import FHIRAbstractModel
from lxml import etree

from adapters.base import MAX_DIGITS, Findings, written_out
from adapters.fhir_paths import shown_as
from adapters.fhir_schema import RESOURCE, XHTML, Element, declared, extension_model, shown
from adapters.safe_xml import read_xml
from hub.errors import HubError

FHIR = "{http://hl7.org/fhir}"
_OF_FHIR = len(FHIR)
_XHTML_DIV = "{http://www.w3.org/1999/xhtml}div"
_SCHEMA_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"

Json = dict[str, object]
Models = Mapping[str, type[FHIRAbstractModel]]
"""The resources that may occur, by name."""

Release = Callable[[frozenset[str]], Models]
"""The same, from the names of the elements of the root, where one format is read in several releases."""

_ATTRIBUTES = frozenset({"id", "url"})
_INTEGERS = frozenset({"Integer", "Integer64", "PositiveInt", "UnsignedInt"})
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


# ------------------------------------------------------------------------------------------ read


class XmlReader:
    """One document that is read: the JSON it would be. `faulty` are the elements of what JSON could not say;
    where all else stands `XmlPlaces` finds out."""

    def __init__(self, root: etree._Element, models: Models | Release, findings: Findings) -> None:
        """`root` is of `safe_xml.read_xml`."""
        self._findings = findings
        self._same: dict[str, str] = {}  # a document says the same code systems again and again
        self.models = models if isinstance(models, Mapping) else models(frozenset(map(local, root)))
        self.faulty: dict[str, etree._Element] = {}
        self.root = root
        self.root.attrib.pop(_SCHEMA_LOCATION, "")
        self.document = self._resource(self.root, "")

    @property
    def extension(self) -> type[FHIRAbstractModel]:
        """The Extension of the release that the document is read in."""
        return extension_model(next(iter(self.models.values())))

    def _fault(self, element: etree._Element, at: str, rule: str, expected: str) -> None:
        """Several may have one path, and each has a place of its own."""
        here = f"{at}?{len(self.faulty)}"
        self.faulty[here] = element
        self._findings.add(shown_as(at or "body", here), rule, expected)

    def _resource(self, element: etree._Element, at: str) -> Json:
        """A whole resource. Of one that may not occur only the kind is read, which is then refused."""
        kind = local(element)
        model = self.models.get(kind)
        if model is None:
            return {"resourceType": kind}
        return {"resourceType": kind, **self._elements(element, model, at, whole=True)}

    def _elements(
        self, element: etree._Element, model: type[FHIRAbstractModel], at: str, *, whole: bool = False
    ) -> Json:
        table = declared(model)
        found = self._attributes(element, model, at, whole=whole)
        if _said_between(element):
            self._fault(element, at, "text", "nothing between the elements")
        last = 0
        for child in element:
            name = local(child)
            here = f"{at}.{name}" if at else name
            said = table.get(name)
            if said is None or (name in _ATTRIBUTES and is_attribute(name, model, whole=whole)):
                where = f"{at}.{shown(name)}" if at else shown(name)
                self._fault(child, where, "unknown-element", "an element that FHIR has here")
                continue
            if said.order < last:
                self._fault(child, here, "order", "the elements in the order of FHIR")
            last = max(last, said.order)
            if said.many:
                earlier = found.get(name, found.get(f"_{name}"))
                here = f"{here}[{len(earlier) if isinstance(earlier, list) else 0}]"
            elif name in found or f"_{name}" in found:
                self._fault(child, here, "count", "once")
                continue
            self._put(found, said, child, here)
        if not found and not whole:
            self._fault(element, at, "empty", "an element that holds something")
        return found

    def _attributes(
        self, element: etree._Element, model: type[FHIRAbstractModel], at: str, *, whole: bool
    ) -> Json:
        found: Json = {}
        for name, value in element.items():
            if is_attribute(str(name), model, whole=whole):
                found[str(name)] = str(value)
            else:
                self._fault(element, at, "attribute", "no attribute that FHIR does not have here")
        return found

    def _put(self, found: Json, said: Element, child: etree._Element, here: str) -> None:
        name = said.name
        if not said.primitive:
            value: object = self._held(said, child, here)
            if said.many:
                cast(list[object], found.setdefault(name, [])).append(value)
            else:
                found[name] = value
            return
        value, sibling = self._primitive(said, child, here)
        if not said.many:
            if value is not None:
                found[name] = value
            if sibling is not None:
                found[f"_{name}"] = sibling
            return
        values = cast(list[object], found.setdefault(name, []))
        values.append(value)
        if f"_{name}" in found or sibling is not None:  # in step with the values, with nothing for none
            siblings = cast(list[object], found.setdefault(f"_{name}", []))
            siblings.extend([None] * (len(values) - 1 - len(siblings)))
            siblings.append(sibling)

    def _held(self, said: Element, child: etree._Element, here: str) -> object:
        if said.holds != RESOURCE:
            assert said.model is not None
            return self._elements(child, said.model, here)
        if len(child) != 1 or child.attrib or _said_between(child):
            self._fault(child, here, "count", "one resource")
        return self._resource(child[0], here) if len(child) else {}

    def _primitive(self, said: Element, child: etree._Element, here: str) -> tuple[object, Json | None]:
        """The value, and what JSON writes beside it under the name with an underscore."""
        if said.holds == XHTML:
            if child.tag != _XHTML_DIV:
                self._fault(child, here, "namespace", "a div of XHTML")
                return None, None
            return _serialised(child), None
        sibling: Json = {}
        written, names = child.get("value"), child.keys()
        for name in names:
            if name == "id":
                sibling["id"] = str(child.get("id"))
            elif name != "value":
                self._fault(child, here, "attribute", "value or id")
        if _said_between(child):
            self._fault(child, here, "text", "the value in the attribute value")
        extensions: list[Json] = []
        for index, inside in enumerate(child):
            place = f"{here}.extension[{index}]"
            if local(inside) != "extension":
                self._fault(inside, f"{here}.{shown(local(inside))}", "unknown-element", "extension")
                continue
            extensions.append(self._elements(inside, self.extension, place))
        if extensions:
            sibling["extension"] = extensions
        if written is None and not extensions:
            self._fault(child, here, "missing", "a value")
        return self._value(said, str(written), child, here) if written is not None else None, sibling or None

    def _value(self, said: Element, written: str, child: etree._Element, here: str) -> object:
        if said.holds == "Boolean":
            if written in ("true", "false"):
                return written == "true"
            self._fault(child, here, "type", "true or false")
        elif said.holds in _INTEGERS:
            if len(written) <= MAX_DIGITS and _INTEGER.fullmatch(written):
                return int(written)
            self._fault(child, here, "type", f"an integer of at most {MAX_DIGITS} digits")
        elif said.holds == "Decimal":
            plain = written_out(written) if _DECIMAL.fullmatch(written) else None
            if plain is not None:
                return Decimal(plain) if "." in plain else int(plain)
            self._fault(child, here, "type", f"a plain number of at most {MAX_DIGITS} digits")
        elif not written.strip():
            self._fault(child, here, "empty", "a value that is not blank")
        return self._same.setdefault(written, written)


def local(element: etree._Element) -> str:
    """The name of an element of FHIR, and of the div of a narrative; nothing that FHIR names for others."""
    tag: str = element.tag
    if tag.startswith(FHIR):
        return tag[_OF_FHIR:]
    return "div" if tag == _XHTML_DIV else tag


def is_attribute(name: str, model: type[FHIRAbstractModel], *, whole: bool) -> bool:
    """Whether XML writes it as an attribute: the id of what is no resource, and the url of an Extension."""
    return (name == "id" and not whole) or (name == "url" and model.__name__ == "Extension")


def _said_between(element: etree._Element) -> bool:
    text = element.text
    if text and not text.isspace():
        return True
    for child in element:  # noqa: SIM110  # asked of every element there is, and `any` takes twice the time
        if (text := child.tail) and not text.isspace():
            return True
    return False


def _serialised(div: etree._Element) -> str:
    text = etree.tostring(div, encoding="unicode", with_tail=False)
    return text.replace(f' xmlns="{FHIR[1:-1]}"', "")


def outline(root: etree._Element) -> Json:
    """What a format is recognised by, of a sound body that may still be wrong everywhere: its kind, its
    `type`, its `status` and the codes of the first resource in it."""
    kind = local(root)
    found: Json = {"resourceType": kind}
    for name in ("type", "questionnaire", "status"):
        if (said := root.find(f"{FHIR}{name}")) is not None and said.get("value"):
            found[name] = str(said.get("value"))
    first = root.find(f"{FHIR}entry/{FHIR}resource/*")
    if kind == "Bundle" and first is not None:
        inside: Json = {"resourceType": local(first)}
        for name in ("type", "eventCoding"):
            codings = first.findall(f"{FHIR}{name}/{FHIR}coding" if name == "type" else f"{FHIR}{name}")
            read = [_outlined(coding) for coding in codings]
            if read:
                inside[name] = {"coding": read} if name == "type" else read[0]
        found["entry"] = [{"resource": inside}]
    return found


def _outlined(coding: etree._Element) -> Json:
    return {local(part): part.get("value", "") for part in coding}


# ----------------------------------------------------------------------------------------- write


def write_fhir_xml(document: Mapping[str, object], models: Models) -> bytes:
    """The bytes of a document that `XmlReader` would read as the same, or render.incomplete."""
    kind = str(document.get("resourceType"))
    try:
        root = etree.Element(f"{FHIR}{kind}", nsmap=cast("dict[str, str]", {None: FHIR[1:-1]}))
        _write(root, document, models[kind], models)
        return etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    except (KeyError, ValueError, etree.XMLSyntaxError):  # no such element, or what XML cannot carry
        raise HubError("render.incomplete") from None


def _write(
    around: etree._Element,
    said: Mapping[str, object],
    model: type[FHIRAbstractModel],
    models: Models,
) -> None:
    table = declared(model)
    whole = "resourceType" in said
    named = {name.removeprefix("_") for name in said if name != "resourceType"}
    for element in sorted((table[name] for name in named), key=lambda one: one.order):
        name = element.name
        if name in said and is_attribute(name, model, whole=whole):
            around.set(name, str(said[name]))
            continue
        siblings = _listed(said.get(f"_{name}"), element)
        values = _listed(said.get(name), element)
        for index in range(max(len(values), len(siblings))):
            value = values[index] if index < len(values) else None
            sibling = siblings[index] if index < len(siblings) else None
            _WRITE.get(element.holds, _write_primitive)(around, element, value, sibling, models)


def _listed(value: object, element: Element) -> list[object]:
    if value is None:
        return []
    if isinstance(value, list) is not element.many:
        raise ValueError
    return value if isinstance(value, list) else [value]


def _write_primitive(
    around: etree._Element, element: Element, value: object, sibling: object, models: Models
) -> None:
    made = etree.SubElement(around, f"{FHIR}{element.name}")
    if isinstance(value, bool):
        made.set("value", "true" if value else "false")
    elif isinstance(value, (str, int, Decimal)):
        made.set("value", str(value))
    elif value is not None:
        raise ValueError
    if isinstance(sibling, Mapping):
        if "id" in sibling:
            made.set("id", str(sibling["id"]))
        for extension in cast("list[Mapping[str, object]]", sibling.get("extension", [])):
            _write(
                etree.SubElement(made, f"{FHIR}extension"),
                extension,
                extension_model(next(iter(models.values()))),
                models,
            )


def _write_elements(
    around: etree._Element, element: Element, value: object, _: object, models: Models
) -> None:
    if not isinstance(value, Mapping) or element.model is None:
        raise ValueError
    _write(etree.SubElement(around, f"{FHIR}{element.name}"), value, element.model, models)


def _write_resource(
    around: etree._Element, element: Element, value: object, _: object, models: Models
) -> None:
    if not isinstance(value, Mapping):
        raise ValueError
    kind = str(value.get("resourceType"))
    holder = etree.SubElement(around, f"{FHIR}{element.name}")
    _write(etree.SubElement(holder, f"{FHIR}{kind}"), value, models[kind], models)


def _write_div(around: etree._Element, _: Element, value: object, __: object, ___: Models) -> None:
    if not isinstance(value, str):
        raise ValueError
    around.append(read_xml(value.encode()))


_WRITE: Mapping[str, Callable[[etree._Element, Element, object, object, Models], None]] = {
    "": _write_elements,
    RESOURCE: _write_resource,
    XHTML: _write_div,
}
