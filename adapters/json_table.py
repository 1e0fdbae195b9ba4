"""Understands a JSON format as a table: which key of the wire holds which field of a message type.

    {
      "format": {"=": "nordpost/1"},               a constant; the format is recognised by it
      "bruker": {"fnr": "person.id"},              keys inside a group of the wire
      "avsnitt": {"[]": "seksjoner", "tittel": "tittel"}    a list of groups; paths inside are its own
    }

It must not know any message type or format. Values pass as they are; the type checks them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from adapters.base import Findings, decode
from adapters.json_places import located
from adapters.safe_json import read_json, write_json
from hub.errors import Finding, HubError
from hub.message import Record, walk

Table = Mapping[str, Any]

_CONSTANT, _LIST = "=", "[]"


class JsonTable:
    """Reads and writes one message type by the table in a file, which is read at first use."""

    def __init__(self, type_name: str, file: Path) -> None:
        self._type = type_name
        self._file = file

    @cached_property
    def table(self) -> Table:
        table: Table = json.loads(self._file.read_text(encoding="utf-8"))
        return table

    def read(self, body: bytes) -> Record:
        """The record, or parse.malformed, or parse.invalid with every fault by path. A key that the
        table does not have is the sender's own word and shows as `?`."""
        findings = Findings()
        fields = _read(read_json(body), self.table, {}, "", findings)
        findings.finish()
        return Record(self._type, fields)

    def partly(self, body: bytes) -> Record:
        """What the table has keys for, of a document that `read` refuses."""
        return Record(self._type, _read(read_json(body), self.table, {}, "", Findings()))

    def locate(self, body: bytes, found: Iterable[Finding]) -> list[Finding]:
        """Findings by the record's paths as findings by the document's keys, with line and column."""
        there = (replace(one, at=_on_wire(one.at, self.table) or one.at) for one in found)
        return located(there, decode(body))

    def write(self, record: Record) -> bytes:
        """The document, or render.incomplete with every field that the table has no key for."""
        if record.type != self._type:
            raise HubError("render.incomplete", [Finding("record", "type", self._type)])
        document = _write(record.fields, self.table) or {}
        back = _read(document, self.table, {}, "", Findings())
        if back != record.fields:
            told, kept = dict(walk(record.fields)), dict(walk(back))
            lost = [path for path, value in told.items() if path not in kept or kept[path] != value]
            expected = "a field that the table has a key for"
            raise HubError("render.incomplete", [Finding(at, "field", expected) for at in lost or ["record"]])
        return write_json(document)


def _read(node: Any, table: Table, fields: dict[str, Any], at: str, findings: Findings) -> dict[str, Any]:
    if not isinstance(node, Mapping):
        findings.add(at or "body", "type", "an object")
        return fields
    for key in node:
        if key not in table or key == _LIST:
            findings.add(f"{at}.?" if at else "?", "unknown-key", "one of " + ", ".join(_keys(table)))
    for key in _keys(table):
        below, path = table[key], f"{at}.{key}" if at else key
        if isinstance(below, Mapping) and _CONSTANT in below:
            if node.get(key) != below[_CONSTANT]:
                findings.add(path, "constant", str(below[_CONSTANT]))
        elif key in node:
            _read_value(node[key], below, fields, path, findings)
    return fields


def _read_value(value: Any, below: Any, fields: dict[str, Any], at: str, findings: Findings) -> None:
    if isinstance(below, str):
        many = value if isinstance(value, list) else [value]
        if any(isinstance(one, Mapping | list) for one in many):
            findings.add(at, "type", "a value, or a list of values")
        else:
            _put(fields, below, [_plain(one) for one in many] if isinstance(value, list) else _plain(value))
    elif _LIST not in below:
        _read(value, below, fields, at, findings)
    elif isinstance(value, list):
        made = [_read(one, below, {}, f"{at}[{index}]", findings) for index, one in enumerate(value)]
        _put(fields, below[_LIST], made)
    else:
        findings.add(at, "type", "a list")


def _write(fields: Mapping[str, Any], table: Table) -> dict[str, Any] | None:
    """None when there is nothing to say but constants."""
    document: dict[str, Any] = {}
    said = False
    for key in _keys(table):
        below = table[key]
        if isinstance(below, Mapping) and _CONSTANT in below:
            document[key] = below[_CONSTANT]
            continue
        value = _value(fields, below)
        if value is not None:
            document[key], said = value, True
    return document if said else None


def _value(fields: Mapping[str, Any], below: Any) -> Any:
    if isinstance(below, str):
        return _get(fields, below)
    if _LIST not in below:
        return _write(fields, below)
    many = _get(fields, below[_LIST])
    if not isinstance(many, list):
        return None
    return [(_write(one, below) or {}) if isinstance(one, Mapping) else {} for one in many]


def _on_wire(path: str, table: Table) -> str | None:
    """The keys that lead to a field, or to the nearest group of it that has any; None without one."""
    nearest: str | None = None
    for key in _keys(table):
        below = table[key]
        if isinstance(below, str):
            found = key + path.removeprefix(below) if _holds(below, path) else None
        elif _CONSTANT in below:
            found = None
        elif _LIST not in below:
            inner = _on_wire(path, below)
            found = None if inner is None else f"{key}.{inner}"
        elif _holds(below[_LIST], path):
            index, _, rest = path.removeprefix(below[_LIST]).partition("]")
            inner = _on_wire(rest.removeprefix("."), below) if rest else None
            found = key + (f"{index}]" if index else "") + (f".{inner}" if inner else "")
        else:
            found = None
        if found is not None and (nearest is None or len(found) > len(nearest)):
            nearest = found
    return nearest


def _holds(field: str, path: str) -> bool:
    return path == field or path.startswith((f"{field}.", f"{field}["))


def _keys(table: Table) -> Iterator[str]:
    return (key for key in table if key != _LIST)


def _plain(value: Any) -> Any:
    return format(value, "f") if isinstance(value, Decimal) else value


def _put(fields: dict[str, Any], path: str, value: Any) -> None:
    *groups, last = path.split(".")
    for name in groups:
        fields = fields.setdefault(name, {})
    fields[last] = value


def _get(fields: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(fields, Mapping) or name not in fields:
            return None
        fields = fields[name]
    return fields
