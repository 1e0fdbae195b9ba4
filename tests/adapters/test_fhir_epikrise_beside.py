"""Understands that nothing stands beside a value of what is narrated without being read, told or allowed: an
extension of a word, of a code, of a reference; who wrote a note, and when."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from adapters.fhir_epikrise import dosages, losses, names, narrated, reading, schedules
from tests.adapters.test_fhir_epikrise_words import (
    ALLERGY,
    DONE,
    ORDER,
    PLAN,
    SEEN,
    SHOT,
    Part,
    coded,
    lines,
    read,
    refused,
    told,
)
from tests.mutating import each, expect_noticed, rows

HIDDEN = {"extension": [{"url": "urn:x", "valueString": "kanari"}]}
ALLOWED = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"},
    ]
}
NOTE: Part = {"text": "Sittende", "time": "2026-10-01T08:12:00+02:00", "authorString": "Mor"}
TAKEN: Part = {
    "text": "Daglig",
    "timing": {"code": {"coding": [{"system": schedules.GTS, "code": "BID"}]}},
    "doseAndRate": [
        {
            "type": {"coding": [{"system": dosages._DOSE_TYPE, "code": "ordered"}]},
            "doseQuantity": {"value": 2, "unit": "tabletter"},
        }
    ],
    "additionalInstruction": [{"text": "Med mat"}],
    "route": {"text": "Svelges"},
}
FULL: list[Part] = [
    {
        **SEEN, "code": coded("Blodtrykk"), "bodySite": coded("Venstre arm", "2"), "note": [NOTE],
        "valueQuantity": {"value": 120, "unit": "mm[Hg]", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"},
        "device": {"display": "Mansjett", "type": "Device"}, "interpretation": [coded("Høyt", "3")],
        "component": [{"code": coded("Puls", "4"), "valueString": "Jevn"}],
        "referenceRange": [{"low": {"value": 80}, "text": "i hvile", "appliesTo": [coded("Voksne", "5")]}],
    },
    {
        **ALLERGY, "clinicalStatus": {"coding": [{"code": "resolved"}]}, "note": [{"text": "Som barn"}],
        "verificationStatus": {"coding": [{"code": "confirmed"}]},
    },
    {**DONE, "reasonReference": [{"display": "Fall", "type": "Condition"}], "outcome": {"text": "Vellykket"}},
    {**SHOT, "protocolApplied": [{"series": "Grunn", "doseNumberPositiveInt": 1}]},
    {**ORDER, "medicationCodeableConcept": coded("Metadon", "6"), "dosageInstruction": [TAKEN]},
    {**PLAN, "activity": [{"detail": {"status": "scheduled", "description": "Samtale"}}]},
]  # a resource in few lines # fmt: skip
LEFT = {"resourceType", "status", "intent"}
"""Read by name, or by a table: their siblings are looked at where all those of a resource are."""


def places(node: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every object with where an extension of it stands, and every value with where its own do."""
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from places(item, (*way, number))
    elif isinstance(node, dict):
        yield way, "extension"
        for name, value in node.items():
            if isinstance(value, dict | list):
                yield from places(value, (*way, name))
            elif name not in LEFT:
                yield way, f"_{name}"


def planted(resource: Part, way: tuple[str | int, ...], name: str, what: Any) -> Part:
    """The resource with this beside one of its values."""
    made: Any = copy.deepcopy(resource)
    node = made
    for step in way:
        node = node[step]
    node[name] = what["extension"] if name == "extension" else what
    return dict(made)


@pytest.mark.parametrize("text", ["Se under", None])
@pytest.mark.parametrize("resource", FULL, ids=lambda one: one["resourceType"])
def test_an_extension_of_no_list_is_refused_wherever_it_stands(resource: Part, text: str | None) -> None:
    read(told(resource, text=text))
    for way, name in places(resource):
        found = refused(told(planted(resource, way, name, HIDDEN), text=text))

        assert {rule for _, rule in found} == {"extension"}, (way, name)
        assert all(f"{name}" in at and at.endswith("[0].url") for at, _ in found), (way, name)


@pytest.mark.parametrize("text", ["Se under", None])
@pytest.mark.parametrize("resource", FULL, ids=lambda one: one["resourceType"])
def test_an_extension_that_may_be_left_behind_changes_nothing(resource: Part, text: str | None) -> None:
    as_it_is = read(told(resource, text=text))
    for way, name in places(resource):
        assert read(told(planted(resource, way, name, ALLOWED), text=text)) == as_it_is, (way, name)


def test_an_element_may_have_an_id() -> None:
    with_id = {**SEEN, "valueQuantity": {"id": "a", "value": 3}, "method": {"id": "b", "text": "Telt"}}

    assert lines(with_id, text=None) == ["Svar: 3, metode: Telt"]
    assert lines({**SEEN, "method": {"text": "Telt", "_text": {"id": "c"}}}) == ["Svar: metode: Telt"]


@pytest.mark.parametrize("kind", [{}, ["Patient"], 1])
@pytest.mark.parametrize("reference", [{"performer": [{"display": "d"}]}, {"focus": [{"display": "d"}]}])
def test_a_type_of_a_reference_that_is_no_text_is_refused(reference: Part, kind: object) -> None:
    [(name, [told_of])] = reference.items()
    made = told({**SEEN, name: [{**told_of, "type": kind}]})

    assert any(at.startswith(f"{name}[0].type") for at, _ in refused(made))


def test_who_wrote_a_note_and_is_not_in_the_document_is_refused_like_who_did_it() -> None:
    away = {"reference": "Practitioner/1", "display": "Lege"}

    assert refused(told({**SEEN, "note": [{"text": "A", "authorReference": away}]})) == [
        ("note[0].authorReference.reference", "reference")
    ]


# ------------------------------------------------------------------------------------------------- notes


@pytest.mark.parametrize(
    ("note", "line"),
    [
        ({"text": "Sittende"}, "Svar: merknad: Sittende"),
        (NOTE, "Svar: merknad: Sittende: skrevet av: Mor, skrevet: 2026-10-01 kl. 08.12"),
        ({"text": "Sittende", "authorReference": {"display": "kanari"}}, "Svar: merknad: Sittende"),
    ],
    ids=["its text", "who wrote it and when", "who else is left behind"],
)
def test_a_note_tells_who_wrote_it_and_when(note: Part, line: str) -> None:
    assert lines({**SEEN, "note": [note]}, text=None) == [line]


def test_when_a_note_was_written_is_told_by_a_text_that_a_person_wrote() -> None:
    assert lines({**SEEN, "note": [NOTE]}) == ["Svar: merknad: Sittende: skrevet av: Mor"]


# ------------------------------------------------------------------------------------- words beside a code


@pytest.mark.parametrize(
    ("code", "words", "line"),
    [
        ("active", "siden barndommen", "Penicillin: siden barndommen, merknad: Som barn"),
        ("active", "Aktiv", "Penicillin: merknad: Som barn"),
        ("active", "Active", "Penicillin: merknad: Som barn"),
        ("active", "I bruk", "Penicillin: merknad: Som barn"),
        ("active", " ", "Penicillin: merknad: Som barn"),
        ("resolved", "avsluttet", "Penicillin: avsluttet, merknad: Som barn"),
        ("resolved", "borte siden 2010", "Penicillin: borte siden 2010, avsluttet, merknad: Som barn"),
    ],
)
def test_words_beside_the_code_of_a_status_are_said(code: str, words: str, line: str) -> None:
    status = {"coding": [{"code": code, "display": "I bruk"}], "text": words}

    assert lines({**ALLERGY, "clinicalStatus": status, "note": [{"text": "Som barn"}]}) == [line]


# --------------------------------------------------------------------------------- each check is needed

TESTS: list[Callable[..., Any]] = [
    test_an_extension_of_no_list_is_refused_wherever_it_stands,
    test_an_extension_that_may_be_left_behind_changes_nothing,
    test_an_element_may_have_an_id,
    test_a_type_of_a_reference_that_is_no_text_is_refused,
    test_a_note_tells_who_wrote_it_and_when,
    test_when_a_note_was_written_is_told_by_a_text_that_a_person_wrote,
    test_words_beside_the_code_of_a_status_are_said,
]


@each(
    [
        (narrated, "look_over(value, _REFERENCE, at, self.findings)", "pass"),
        (narrated, "look_over(value, CONCEPT, at, self.findings)", "pass"),
        (narrated, 'look_over(item, CODING, f"{at}.coding[{number}]", self.findings)', "pass"),
        (narrated, "        _look_inside(value, at, self.findings)\n        found", "        found"),
        (narrated, "(_text(value.get(name)) for name in", "(value.get(name) for name in"),
        (schedules, 'look_over(coding, CODING, f"{at}.coding[{index}]", findings)', "pass"),
        (dosages, 'look_over(coding, CODING, f"{place}.coding[{number}]", findings)', "pass"),
        (dosages, "look_over(one, CONCEPT, place, findings)", "pass"),
        (dosages, ' if name != "extension" and not name.startswith("_")', ""),
        (reading, 'one != {} or not name.startswith("_")', "True"),
        (narrated, '"Annotation" and value.keys() == {"text"}', '"Annotation"'),
        (names, '("Annotation", "time"): "skrevet",', ""),
        (names, '("Annotation", "authorString"): "skrevet av",', ""),
        (losses, '("Annotation", "text"),', ""),
        (narrated, '            self.said(name, value["text"])', "            pass"),
        (narrated, 'in {"", *(name.casefold()', "in {*(name.casefold()"),
        (narrated, "names = [*codes, *", "names = [*"),
        (narrated, ' *(_text(item.get("display")) for item in listed),', ""),
        (narrated, ", *map(IN_NORWEGIAN.get, codes)]", "]"),
    ]
)
def test_each_check_is_needed(where: ModuleType, old: str, new: str) -> None:
    expect_noticed(where, old, new, lambda: (case for test in TESTS for case in rows(test)))
