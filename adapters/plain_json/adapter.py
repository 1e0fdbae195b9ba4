"""Understands the plain JSON that every declared message type has without anyone writing an adapter.

Wire:   UTF-8 JSON object, `{"type": "<message type>", <fields as the type declares them>}`.
Units:  dates are ISO 8601 strings; a number with a fraction becomes its decimal text.
Quirks: shape and values are checked by the message type, not here; null stays and is refused there.
Agreed: README.md beside this file.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import partial

from adapters.base import Adapter, Sniff, decode, refuse
from adapters.json_places import located
from adapters.safe_json import read_json, write_json
from hub.errors import Finding, HubError
from hub.message import Record


def adapter_for(type_name: str) -> Adapter:
    """The plain JSON adapter of one declared message type."""
    return Adapter(
        name=f"json:{type_name}",
        type=type_name,
        media_types=("application/json",),
        recognise=partial(_recognise, type_name),
        parse=partial(_parse, type_name),
        render=partial(_render, type_name),
        locate=_locate,
    )


def _recognise(type_name: str, sniff: Sniff) -> bool:
    return sniff.at("type") == type_name


def _parse(type_name: str, body: bytes) -> Record:
    document = read_json(body)
    if document.pop("type", None) != type_name:
        raise refuse("parse.invalid", "type", type_name)
    return Record(type_name, {name: _plain(value) for name, value in document.items()})


def _locate(body: bytes, findings: Iterable[Finding]) -> list[Finding]:
    return located(findings, decode(body))


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: _plain(child) for name, child in value.items()}
    if isinstance(value, list):
        return [_plain(child) for child in value]
    return format(value, "f") if isinstance(value, Decimal) else value


def _render(type_name: str, record: Record) -> bytes:
    if record.type != type_name or "type" in record.fields:
        raise HubError("render.incomplete")
    return write_json({"type": type_name, **record.fields})
