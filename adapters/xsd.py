"""Understands an XSD of ours as the description of a record: one element per field, CamelCase.

`bolig.for_innsettelse` is `Bolig/ForInnsettelse`; an element that may repeat is a list. The XSD
decides what is valid; when it says no, a second look finds every fault with line and column. It
must not know any message type.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import cast

from lxml import etree

from adapters.base import Findings
from adapters.safe_xml import log_of, positions, read_xml
from hub.errors import Finding, HubError
from hub.message import to_microseconds

_MOST_DIGITS = 100
"""Of a whole number: leading zeros are allowed, and Python reads so many thousands of them."""

_XS = "{http://www.w3.org/2001/XMLSchema}"


@dataclass(frozen=True)
class Node:
    """One element declaration. A group has `children` by tag, a leaf has a base type."""

    name: str
    tag: str
    base: str
    expected: str
    least: int
    most: int
    children: Mapping[str, Node] = field(default_factory=dict)

    @property
    def local(self) -> str:
        return etree.QName(self.tag).localname


class XsdFormat:
    """Reads and writes the one root element of an XSD. The file is read at first use."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @cached_property
    def _schema(self) -> etree.XMLSchema:
        return etree.XMLSchema(etree.parse(str(self._file)))

    @cached_property
    def root(self) -> Node:
        """The declaration of the root element, with everything below it."""
        return declared(etree.parse(str(self._file)).getroot())

    # ------------------------------------------------------------------------------------ read

    def read(self, root: etree._Element, body: bytes) -> dict[str, object]:
        """The fields of a document, or parse.invalid with every fault by line and column."""
        if not _attributes(root) and self._schema.validate(root):
            return self._group(root, self.root)
        findings = Findings()
        self._explain(root, body, findings)
        findings.finish()
        raise HubError("hub.internal")  # the XSD says no and the second look saw nothing

    def partly(self, body: bytes) -> dict[str, object]:
        """The fields of a document that the XSD refuses, without every element that is at fault."""
        root = read_xml(body)
        if root.tag != self.root.tag:
            return {}
        for element in self._explain(root, body, Findings()):
            above = element.getparent()
            if above is not None:
                above.remove(element)
        return self._group(root, self.root)

    def locate(self, body: bytes, found: Iterable[Finding]) -> list[Finding]:
        """Findings by the record's paths as findings by the document's, with line and column: of the element,
        or of the nearest one around it that is there."""
        root = read_xml(body)
        where = dict(zip(root.iter(), positions(body), strict=True))
        return [self._located(one, root, where) for one in found]

    def _located(
        self, found: Finding, root: etree._Element, where: Mapping[etree._Element, tuple[int, int]]
    ) -> Finding:
        node, element, path = self.root, root, f"/{self.root.local}"
        for step in found.at.split("."):
            name, _, index = step.partition("[")
            below = next((child for child in node.children.values() if child.name == name), None)
            if below is None:
                break
            number = int(index.rstrip("]")) if index else 0
            path += f"/{below.local}" + (f"[{number + 1}]" if index else "")
            node = below
            here = [child for child in element if child.tag == below.tag]
            if len(here) <= number:
                break
            element = here[number]
        line, column = where[element]
        return replace(found, at=path, line=line, column=column)

    def _group(self, element: etree._Element, node: Node) -> dict[str, object]:
        fields: dict[str, object] = {}
        for child in element:
            below = node.children[str(child.tag)]
            value = self._group(child, below) if below.children else _value(child.text or "", below.base)
            if value == {}:
                continue  # an empty group says nothing
            if below.most == 1:
                fields[below.name] = value
            else:
                items = fields.setdefault(below.name, [])
                assert isinstance(items, list)
                items.append(value)
        return fields

    def _explain(self, root: etree._Element, body: bytes, findings: Findings) -> set[etree._Element]:
        """Structure first, by our own walk that also puts it right; then the XSD sees every value. Gives the
        elements that the XSD refuses even then."""
        faults = _Faults(root, self.root, body, findings)
        for element in _attributes(root):
            faults.add(element, "attribute", "no attributes")
            element.attrib.clear()
        self._straighten(root, self.root, faults)
        self._schema.validate(root)
        wrong = list(_reported(self._schema, root))
        for element, rule in wrong:
            if rule != "element-content":  # the walk has said it better
                faults.add(element, rule)
        return {element for element, _ in wrong}

    def _straighten(self, element: etree._Element, node: Node, faults: _Faults) -> None:
        seen: dict[str, list[etree._Element]] = {}
        order = list(node.children)
        last = 0
        for child in list(element):
            tag = str(child.tag)
            if tag not in node.children:
                faults.add(
                    child, "unknown-element", "one of " + ", ".join(n.local for n in node.children.values())
                )
                element.remove(child)
                continue
            if order.index(tag) < last:
                faults.add(child, "order", f"before {node.children[order[last]].local}")
            last = max(last, order.index(tag))
            seen.setdefault(tag, []).append(child)
        for tag, below in node.children.items():
            here = seen.get(tag, [])
            if len(here) < below.least:
                faults.add(
                    element,
                    "missing" if not here else "count",
                    f"{below.least} {below.local}",
                    f"/{below.local}",
                )
            for extra in here[below.most :]:
                faults.add(extra, "count", f"at most {below.most}")
                element.remove(extra)
            for child in here[: below.most]:
                element.append(child)  # moves it to its place
                if below.children:
                    self._straighten(child, below, faults)
            for _ in range(below.least - len(here)):  # or the XSD would not look at what follows
                etree.SubElement(element, tag)

    # ----------------------------------------------------------------------------------- write

    def write(self, fields: Mapping[str, object]) -> bytes:
        """The document of these fields, or render.incomplete with the fields at fault."""
        findings = Findings()
        root = etree.Element(self.root.tag, nsmap=_default_namespace(self.root.tag))
        self._fill(root, self.root, fields, findings, "")
        findings.finish("render.incomplete")
        if not self._schema.validate(root):
            for element, rule in _reported(self._schema, root):
                path, expected = _place(element, self.root)
                findings.add(path, rule, expected)
            findings.finish("render.incomplete")
        return etree.tostring(root, encoding="UTF-8", xml_declaration=True)

    def _fill(
        self,
        element: etree._Element,
        node: Node,
        fields: Mapping[str, object],
        findings: Findings,
        at: str,
    ) -> None:
        left = dict(fields)
        for below in node.children.values():
            value = left.pop(below.name, None)
            values = value if isinstance(value, list) else [] if value is None else [value]
            for item in values:
                child = etree.SubElement(element, below.tag)
                here = f"{at}.{below.name}" if at else below.name
                if below.children and isinstance(item, Mapping):
                    self._fill(child, below, item, findings, here)
                elif below.children or not _write(child, item, below.base):
                    findings.add(here, "value", below.expected)
        for _ in left:
            findings.add(at or "record", "unknown-field", "a field that the format has")


class _Faults:
    """Where every element of a document stands, so that a fault can be told after it was moved."""

    def __init__(self, root: etree._Element, declared: Node, body: bytes, findings: Findings) -> None:
        elements = list(root.iter())
        self._positions = dict(zip(elements, positions(body), strict=True))
        self._places = dict(_places(root, declared, f"/{declared.local}"))
        self._findings = findings

    def add(self, element: etree._Element, rule: str, expected: str = "", below: str = "") -> None:
        if element not in self._positions:  # put in by the walk where something was missing
            return
        line, column = self._positions[element]
        path, declared = self._places[element]
        self._findings.add(path + below, rule, expected or declared, line=line, column=column)


def _reported(schema: etree.XMLSchema, root: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    """What the XSD said of which element, without its messages: they quote the document."""
    for entry in log_of(schema.error_log):
        found = root.getroottree().xpath(entry.path)
        element = found[0] if isinstance(found, list) and found else root
        if isinstance(element, etree._Element):
            yield element, entry.rule.removeprefix("cvc-")


def _default_namespace(tag: str) -> dict[str, str]:
    prefix = cast(str, None)  # how lxml spells the default namespace; its stubs know only strings
    return {prefix: etree.QName(tag).namespace or ""}


def _attributes(root: etree._Element) -> list[etree._Element]:
    return [element for element in root.iter() if element.attrib]


def _value(text: str, base: str) -> object:
    match base:
        case "integer":
            return int(text) if len(text) <= _MOST_DIGITS else text  # which the message type refuses
        case "boolean":
            return text.strip() == "true"
        case "date":
            return text.strip()
        case "dateTime":
            return to_microseconds(text.strip())
        case _:
            return text


def _write(element: etree._Element, value: object, base: str) -> bool:
    match value:
        case bool() if base == "boolean":
            element.text = "true" if value else "false"
        case int() if base == "integer" and not isinstance(value, bool):
            element.text = str(value)
        case str() if base not in ("integer", "boolean"):
            try:
                element.text = value
            except ValueError:  # what XML cannot carry; lxml quotes it
                return False
        case _:
            return False
    return True


def _places(
    element: etree._Element, node: Node | None, path: str
) -> Iterator[tuple[etree._Element, tuple[str, str]]]:
    """As `_place` says, of an element and all below it: in one walk, however many there are of a kind."""
    yield element, (path, node.expected if node else "nothing")
    counted: dict[str, int] = {}
    for child in element:
        tag = str(child.tag)
        counted[tag] = counted.get(tag, 0) + 1
        below = node.children.get(tag) if node else None
        number = f"[{counted[tag]}]" if below is not None and below.most > 1 else ""
        yield from _places(child, below, f"{path}/{below.local if below else '?'}{number}")


def _place(element: etree._Element, root: Node) -> tuple[str, str]:
    """The place of an element by the names of the XSD, and what it expects there. A name that the
    XSD does not have is the sender's own word and shows as `?`."""
    chain = [*reversed(list(element.iterancestors())), element]
    node: Node | None = root
    path = f"/{root.local}"
    for above, here in pairwise(chain):
        node = node.children.get(str(here.tag)) if node else None
        path += "/?" if node is None else f"/{node.local}"
        if node is not None and node.most > 1:
            path += f"[{above.findall(str(here.tag)).index(here) + 1}]"
    return path, node.expected if node else "nothing"


class _Declarations:
    """The element declarations of one XSD file, in the few forms that our own files use."""

    def __init__(self, schema: etree._Element) -> None:
        self._schema = schema
        self._namespace = schema.get("targetNamespace") or ""
        self._types = {str(item.get("name")): item for item in schema.findall(f"{_XS}simpleType")}

    def root(self) -> Node:
        declared = self._schema.find(f"{_XS}element")
        assert declared is not None
        return self._node(declared)

    def _node(self, declared: etree._Element) -> Node:
        local = str(declared.get("name"))
        most = declared.get("maxOccurs", "1")
        base, expected = self._simple(declared.get("type"))
        children = [
            self._node(item) for item in declared.findall(f"{_XS}complexType/{_XS}sequence/{_XS}element")
        ]
        return Node(
            name=_snake(local),
            tag=f"{{{self._namespace}}}{local}",
            base=base,
            expected="child elements only" if children else expected,
            least=int(declared.get("minOccurs", "1")),
            most=10_000 if most == "unbounded" else int(most),
            children={child.tag: child for child in children},
        )

    def _simple(self, name: str | None) -> tuple[str, str]:
        if name is None:
            return "", ""
        declared = self._types[name.partition(":")[2]]
        restriction = declared.find(f"{_XS}restriction")
        assert restriction is not None
        return str(restriction.get("base")).partition(":")[2], declared.findtext(
            f"{_XS}annotation/{_XS}documentation", ""
        )


def _snake(local: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", local).lower()


def declared(schema: etree._Element) -> Node:
    """The root element of a schema, with everything below it. Raises KeyError or AssertionError for one in a
    form that our own files do not use."""
    return _Declarations(schema).root()


def leaves(node: Node, path: str = "") -> Iterator[str]:
    """The path of every leaf below a declaration, as the message type names it."""
    for child in node.children.values():
        here = f"{path}.{child.name}" if path else child.name
        if child.children:
            yield from leaves(child, here)
        else:
            yield here
