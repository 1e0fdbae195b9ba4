"""Understands that a value of another kind (a list for a text, a number for a group) is a refusal at its place,
or is left behind, wherever it stands: never a fault of ours."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import adapters
from adapters import fhir_parts
from adapters.fhir_epikrise import adapter
from adapters.registry import adapters_for
from hub.errors import HubError
from mappings.types import load_types
from tests.adapters.test_fhir_epikrise_beside import FULL
from tests.adapters.test_fhir_epikrise_words import told
from tests.mutating import each, expect_noticed, rows

TYPES = load_types()
REGISTRY = adapters_for(TYPES)
FOLDER = Path(adapters.__file__).parent
KINDS: tuple[Any, ...] = (["x"], {"a": 1}, 7, None)
PERIOD = {"start": "2020-01-01", "end": "2040-01-01"}
FORMER = {"use": "old", "system": "urn:x", "value": "1", "period": PERIOD}
WHOLE_PATIENT = {
    "identifier": [
        {
            "use": "official", "type": {"coding": [{"system": "urn:x", "code": "FNR"}], "text": "F"},
            "system": fhir_parts.FNR, "value": "15859010099", "period": PERIOD, "assigner": {"display": "Skatt"},
        },
        FORMER,
    ],
    "name": [
        {"use": "official", "text": "Test Testesen", "family": "Testesen", "given": ["Test"], "period": PERIOD},
        {"use": "old", "text": "Test Prøve", "prefix": ["Dr."], "suffix": ["jr."]},
    ],
    "gender": "male", "birthDate": "1990-05-15", "active": True,
}  # a resource in few lines # fmt: skip


def _with_patient(patient: dict[str, Any]) -> Any:
    made = json.loads((FOLDER / "fhir_epikrise/examples/epikrise.json").read_bytes())
    for entry in made["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            entry["resource"] = {"resourceType": "Patient", **patient}
    return made


DOCUMENTS: dict[str, Any] = {
    **{
        f"{file.parent.parent.name}/{file.name}": json.loads(file.read_bytes())
        for file in sorted(FOLDER.glob("fhir_*/examples/*.json"))
    },
    **{f"a text and {one['resourceType']}": told(one) for one in FULL},
    **{f"{one['resourceType']} alone": told(one, text=None) for one in FULL},
    "a whole patient": _with_patient(WHOLE_PATIENT),
    "a described patient": _with_patient({**WHOLE_PATIENT, "identifier": [FORMER]}),
}


def places(node: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if way:
        yield way
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, below in inside:
        yield from places(below, (*way, name))


def changed(document: Any, way: tuple[str | int, ...], what: Any) -> bytes:
    made = copy.deepcopy(document)
    here = made
    for step in way[:-1]:
        here = here[step]
    here[way[-1]] = what
    return json.dumps(made).encode()


def read(body: bytes) -> str:
    """The code of the refusal; nothing for what is read."""
    try:
        record = REGISTRY.recognise("application/fhir+json", body).parse(body)
        TYPES[record.type].check(record.fields)
    except HubError as refused:
        return refused.code
    return ""


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_value_of_another_kind_is_refused_or_left_behind(name: str) -> None:
    for way in places(DOCUMENTS[name]):
        for what in KINDS:
            code = read(changed(DOCUMENTS[name], way, what))
            assert not code or code.startswith(("parse.", "consent.")), (way, what)


def test_the_documents_are_read_as_they_are() -> None:
    for name, document in DOCUMENTS.items():
        body = json.dumps(document).encode()
        record = REGISTRY.recognise("application/fhir+json", body).parse(body)
        assert TYPES[record.type].check(record.fields) == (), name


# -- each check is needed --


@each(
    [
        (adapter, "in tuple(DISCHARGE)", "in DISCHARGE"),
        (fhir_parts, '_FORMER = ("old", "maiden")', '_FORMER = frozenset({"old", "maiden"})'),
        (fhir_parts, 'one.peek("system") in tuple(PERSONS)][:1]', 'one.peek("system") in PERSONS][:1]'),
        (fhir_parts, "not isinstance(system, str | None) or system in", "system in"),
    ]
)
def test_each_check_is_needed(where: ModuleType, old: str, new: str) -> None:
    cases = rows(test_a_value_of_another_kind_is_refused_or_left_behind)
    expect_noticed(where, old, new, lambda: reversed(list(cases)))
