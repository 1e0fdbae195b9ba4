"""Understands how a declared type is said in JSON Schema 2020-12.

The schema describes the message as plain JSON: the declared fields and, at the top, `type`. What only
code can check (check digits, sums, orders) is said in words or by `format`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mappings.fields import MOST_ELEMENTS, FieldSpec, Kind, Text

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(
    name: str, version: int, title: Text, description: Text, fields: Iterable[FieldSpec]
) -> dict[str, Any]:
    """The schema of one type."""
    group = _group(fields)
    return {
        "$schema": DIALECT,
        "$id": f"urn:brobygger:type:{name}:{version}",
        "title": title.nb,
        **_says(description),
        **group,
        "properties": {"type": {"const": name}, **group["properties"]},
        "required": ["type", *group.get("required", ())],
    }


def _group(fields: Iterable[FieldSpec]) -> dict[str, Any]:
    listed = tuple(fields)
    required = [spec.name for spec in listed if spec.required and not spec.instead]
    either = [[[spec.name], list(spec.instead)] for spec in listed if spec.instead]
    alone = {spec.name: {"not": {"required": [spec.not_beside]}} for spec in listed if spec.not_beside}
    return {
        "type": "object",
        "properties": {spec.name: _field(spec) for spec in listed},
        **({"required": required} if required else {}),
        **({"allOf": [{"anyOf": [{"required": one} for one in of]} for of in either]} if either else {}),
        **({"dependentSchemas": alone} if alone else {}),
        "additionalProperties": False,
        "minProperties": 1,
    }


def _field(spec: FieldSpec) -> dict[str, Any]:
    one = _group(spec.fields) if spec.kind is Kind.GROUP else _scalar(spec)
    if not spec.many:
        return {**_says(spec.says), **one}
    least, most = (spec.exactly, spec.exactly) if spec.exactly else (1, MOST_ELEMENTS)
    return {**_says(spec.says), "type": "array", "items": one, "minItems": least, "maxItems": most}


def _scalar(spec: FieldSpec) -> dict[str, Any]:
    labels = {"x-labels": sorted(spec.labels)}
    match spec.kind:
        case Kind.INTEGER:
            limits: dict[str, Any] = {"minimum": spec.least, "maximum": spec.most}
            return {"type": "integer", **_there(limits), **labels}
        case Kind.BOOLEAN:
            return {"type": "boolean", **labels}
        case Kind.CODE:
            codes = [{"const": code, **_says(text)} for code, text in spec.codes.items()]
            return {"type": "string", "oneOf": codes, **labels}
        case Kind.TEXT | Kind.FREE_TEXT | Kind.CODED:
            pattern = f"^(?:{spec.pattern.pattern})$" if spec.pattern else None
            shape: dict[str, Any] = {"minLength": 1, "maxLength": spec.most, "pattern": pattern}
            return {"type": "string", **_there(shape), **labels}
        case Kind.FILE:
            most = (spec.most or 0) * 4 // 3 + 4
            return {"type": "string", "contentEncoding": "base64", "maxLength": most, **labels}
        case _:
            return {"type": "string", **_SHAPES[spec.kind], **labels}


_SHAPES: dict[Kind, dict[str, str]] = {
    Kind.DECIMAL: {"pattern": r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?$"},
    Kind.DATE: {"format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    Kind.DATETIME: {"format": "date-time", "pattern": "^[0-9-]{10}T.*(Z|[+-][0-9]{2}:[0-9]{2})$"},
    Kind.FODSELSNUMMER: {"pattern": "^[0-9]{11}$"},
    Kind.ORGNR: {"pattern": "^[0-9]{9}$"},
    Kind.KOMMUNENUMMER: {"pattern": "^(?!00)[0-9]{2}(?!00)[0-9]{2}$"},
}


def _says(text: Text) -> dict[str, Any]:
    return {"description": text.en, "x-nb": text.nb}


def _there(given: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if value is not None}
