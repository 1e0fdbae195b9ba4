"""Understands that the number of a register is one, in and out: what HPR and RESH never give is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters import fhir_parts
from adapters.fhir_epikrise.adapter import ADAPTERS
from adapters.fhir_epikrise.reading import HPR, MODELS, RESH
from adapters.fhir_xml import write_fhir_xml
from hub.errors import HubError
from hub.message import Record
from tests.adapters.foreign import document
from tests.mutating import mutated

AS_JSON, AS_XML = ADAPTERS
KINDS = {
    "resh": ("Organization", RESH, "entry[2].resource.identifier[0].value"),
    "behandler_hpr": ("Practitioner", HPR, "entry[3].resource.identifier[0].value"),
}
NO_NUMBERS = ["LEKHPR", "HPR 9144889", "0", "0123", "-7", "1.5", "12345678901", "91448x9", "٣٤٥"]


def of(name: str, number: str) -> Any:
    """A document whose author has this number."""
    kind, system, _ = KINDS[name]
    made = document()
    who: dict[str, Any] = {"resourceType": "Practitioner", "name": [{"text": "Lege Prøve"}]}
    made["entry"].append({"fullUrl": "urn:uuid:l", "resource": who})
    made["entry"][0]["resource"]["author"].append({"reference": "urn:uuid:l"})
    [author] = [one["resource"] for one in made["entry"] if one["resource"]["resourceType"] == kind]
    author["identifier"] = [{"system": system, "value": number}]
    return made


def told(body: bytes, adapter: Any) -> list[tuple[str, str, bool]]:
    with pytest.raises(HubError) as refused:
        adapter.parse(body)
    assert refused.value.code == "parse.invalid"
    return [(one.at, one.rule, bool(one.line and one.column)) for one in refused.value.findings]


@pytest.mark.parametrize("number", NO_NUMBERS)
@pytest.mark.parametrize("name", KINDS)
def test_what_can_be_no_number_of_the_register_is_told_where_it_stands(name: str, number: str) -> None:
    made, expected = of(name, number), [(KINDS[name][2], "format", True)]

    assert told(json.dumps(made).encode(), AS_JSON) == expected
    assert told(write_fhir_xml(made, MODELS), AS_XML) == expected


@pytest.mark.parametrize("name", KINDS)
def test_a_number_is_carried(name: str) -> None:
    assert AS_JSON.parse(json.dumps(of(name, "914488")).encode()).get(f"avsender.{name}") == "914488"


@pytest.mark.parametrize("number", ["LEKHPR", 7])
@pytest.mark.parametrize("name", KINDS)
def test_what_would_not_be_read_is_left_out_when_it_is_written(name: str, number: object) -> None:
    record = AS_JSON.parse(json.dumps(of(name, "914488")).encode())
    wrong = Record(record.type, {**record.fields, "avsender": {**record.fields["avsender"], name: number}})

    again = AS_JSON.parse(AS_JSON.render(wrong))

    assert again == AS_JSON.as_said(wrong)
    assert again.get(f"avsender.{name}") is None
    assert {**again.fields["avsender"], name: "914488"} == record.fields["avsender"]


def test_the_table_of_identifiers_is_asked() -> None:
    with mutated(fhir_parts, "not kind.fits(number):\n        identifier", "False:\n        identifier"):
        record = AS_JSON.parse(json.dumps(of("behandler_hpr", "LEKHPR")).encode())
    assert record.get("avsender.behandler_hpr") == "LEKHPR"
