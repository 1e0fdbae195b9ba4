"""Understands how BRIK is written as a QuestionnaireResponse, from the record alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from adapters.brik_xml.adapter import TYPE
from adapters.fhir import Json, present
from adapters.fhir_brik.reading import FORM, HEADER, VALUES, fields
from adapters.fhir_parts import (
    check_fields,
    instant,
    needed,
    write_addressing,
    write_message_id,
    write_subject,
)
from adapters.xsd import Node
from hub.errors import Finding, HubError
from hub.message import Record

_TYPES: Mapping[str, type] = {"boolean": bool, "integer": int, "date": str, "string": str}


def compose(record: Record) -> Json:
    """Write one mapping. Whatever the record does not hold is no answer."""
    check_fields(record, TYPE, frozenset({*HEADER, *fields()}))
    return present(
        resourceType="QuestionnaireResponse",
        extension=write_addressing(record),
        identifier=write_message_id(record),
        questionnaire=FORM,
        status="completed",
        subject=write_subject(record),
        authored=instant(needed(record, "melding.sendt")),
        item=_items(record.fields, fields().values(), "", HEADER),
    )


def _items(
    given: Mapping[str, object], nodes: Iterable[Node], above: str, besides: frozenset[str] = frozenset()
) -> list[Json]:
    items: list[Json] = []
    known = set(besides)
    for node in nodes:
        known.add(node.name)
        value = given.get(node.name)
        link = f"{above}{node.name}"
        if isinstance(value, Mapping) and node.children:
            items.append({"linkId": link, "item": _items(value, node.children.values(), f"{link}.")})
        elif value is not None:
            values = value if isinstance(value, list) else [value]
            if node.children or not all(type(one) is _TYPES[node.base] for one in values):
                raise HubError("render.incomplete", [Finding(link, "value", node.expected)])
            items.append({"linkId": link, "answer": [{VALUES[node.base]: one} for one in values]})
    if not set(given) <= known:
        raise HubError(
            "render.incomplete", [Finding(above or "record", "unknown-field", "a field that the format has")]
        )
    return items
