"""Understands whether the table of a format says nothing that its message type cannot hold: a path that is no
field would be read from a sender, and then refused.

    fields.json    a JSON format (adapters/json_table.py)
    schema.xsd     an XML format (adapters/xsd.py)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lxml import etree

from adapters.safe_xml import read_xml
from adapters.xsd import Node, declared, leaves
from hub.errors import Finding, HubError
from mappings.types import TypeSpec

_TABLE, _SCHEMA = "fields.json", "schema.xsd"
_XS = "http://www.w3.org/2001/XMLSchema"


def table_faults(body: bytes, spec: TypeSpec) -> Iterator[Finding]:
    """What is wrong with a `fields.json` by itself: that it is no JSON object, or a path that is no field."""
    try:
        table = json.loads(body)
    except json.JSONDecodeError as broken:
        yield Finding(_TABLE, "json", "JSON", broken.lineno, broken.colno)
    except (UnicodeDecodeError, RecursionError):
        yield Finding(_TABLE, "json", "JSON in UTF-8")
    else:
        yield from _table_faults(table, spec, "", "")


def _table_faults(node: Any, spec: TypeSpec, at: str, above: str) -> Iterator[Finding]:
    where = f"{_TABLE} {at}".strip()
    if isinstance(node, str):
        found = spec.by_path.get(above + node)
        if found is None or found.fields:
            yield Finding(where, "path", f"a field of {spec.name} that holds a value")
        return
    if not isinstance(node, Mapping):
        yield Finding(where, "table", 'a field, {"=": …}, {"[]": …} or a table of keys')
        return
    if "=" in node:
        return
    if "[]" in node:
        path = node["[]"]
        found = spec.by_path.get(above + path) if isinstance(path, str) else None
        if found is None or not found.fields or not found.many:
            yield Finding(where, "path", f"a list of groups of {spec.name}")
            return
        above += f"{path}."
    for key, below in node.items():
        if key != "[]":
            yield from _table_faults(below, spec, f"{at}.{key}" if at else key, above)


def schema_faults(body: bytes, spec: TypeSpec) -> Iterator[Finding]:
    """What is wrong with a `schema.xsd` by itself: that it is none, that it has a form that is not read here,
    or an element that is no field."""
    try:
        root = read_xml(body)
        etree.XMLSchema(root)
        top = declared(root)
        if _count(top) != sum(1 for _ in root.iter(f"{{{_XS}}}element")):
            raise ValueError  # something stands in a choice, or is referred to
        paths = list(leaves(top))
    except HubError as broken:
        yield from (Finding(_SCHEMA, one.rule, one.expected, one.line, one.column) for one in broken.findings)
    except etree.XMLSchemaParseError:
        yield Finding(_SCHEMA, "schema", "a schema whose types and elements are all declared in it")
    except (KeyError, AssertionError, ValueError):
        yield Finding(_SCHEMA, "schema", "one root element, elements in xs:sequence, and types by name only")
    else:
        for path in paths:
            found = spec.by_path.get(path)
            if found is None or found.fields:
                expected = f"no element that {spec.name} has no field for: take it out, or declare the field"
                yield Finding(f"{_SCHEMA} {path}", "path", expected)


def _count(node: Node) -> int:
    return 1 + sum(_count(below) for below in node.children.values())


FAULTS: Mapping[str, Callable[[bytes, TypeSpec], Iterator[Finding]]] = {
    _TABLE: table_faults,
    _SCHEMA: schema_faults,
}
"""By the name of the file that a format follows from."""
