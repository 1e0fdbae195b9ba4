"""Understands that a reader of a narrated line knows what each of its parts is, and that what a reference calls
something and what something was done with are said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from adapters.fhir_epikrise import called, losses, measures, names, narrated, reading
from adapters.fhir_epikrise import lines as lines_of
from adapters.fhir_epikrise.resources import RESOURCES
from adapters.fhir_schema import Element, declared
from consent.code_lists import load_codes
from consent.labels import label
from hub.message import Category
from mappings.types import load_types
from tests.adapters.foreign import put
from tests.adapters.test_fhir_epikrise_words import (
    ALLERGY,
    DONE,
    SEEN,
    SHOT,
    USED,
    Part,
    asked,
    coded,
    lines,
    read,
    refused,
    section,
    told,
)
from tests.mutating import each, expect_noticed, rows

TYPES = load_types()
PRESSURE: Part = {
    **SEEN, "code": coded("Blodtrykk"), "valueString": "Høyt", "bodySite": coded("Venstre arm", "2"),
    "method": {"text": "Auskultasjon"}, "note": [{"text": "Sittende"}, {"text": "Etter hvile"}],
    "device": {"display": "Mansjett"},
}  # a resource in few lines # fmt: skip
PUMP: Part = {
    "resourceType": "Device", "status": "inactive", "type": coded("Insulinpumpe", "p"), "serialNumber": "S1",
    "deviceName": [{"name": "Pumpe A", "type": "user-friendly-name"}], "manufacturer": "Elvestad Teknikk",
    "contact": [{"system": "phone", "value": "kanari"}], "owner": {"display": "kanari"},
}  # a resource in few lines # fmt: skip

# --------------------------------------------------------------------------------------- which is what

NAMED: dict[str, tuple[Part, str]] = {
    "a finding": (
        PRESSURE,
        "Blodtrykk: merknad: Sittende, merknad: Etter hvile, kroppssted: Venstre arm, metode: Auskultasjon, "
        "utstyr: Mansjett, Høyt",
    ),
    "a procedure": (
        {**DONE, "bodySite": [coded("Kne")], "reasonCode": [coded("Fall", "2")], "outcome": {"text": "Vellykket"}},
        "Operert: grunn: Fall, kroppssted: Kne, utfall: Vellykket",
    ),
    "one reason by code and by reference": (
        {**DONE, "reasonCode": [coded("Fall")], "reasonReference": [{"display": "Fall"}]}, "Operert: grunn: Fall",
    ),
    "what a line begins with, where that is no subject": (
        {"resourceType": "Encounter", "status": "finished", "class": {"code": "IMP"},
         "type": [{"text": "Innlagt"}], "reasonCode": [{"text": "Fall"}]},
        "kontakttype: Innlagt, grunn: Fall",
    ),
    "a group without a name of its own": (
        {**USED, "device": {"display": "Krykke"}, "bodySite": coded("Kne"), "note": [{"text": "Ute"}]},
        "Krykke: kroppssted: Kne, merknad: Ute",
    ),
}  # one row per case # fmt: skip


@pytest.mark.parametrize("text", [None, "Se under"])
@pytest.mark.parametrize(("resource", "line"), NAMED.values(), ids=NAMED)
def test_each_part_of_a_line_says_what_it_is(resource: Part, line: str, text: str | None) -> None:
    [found] = lines(resource, text=text)

    assert sorted(found.partition(": ")[2].split(", ")) == sorted(line.partition(": ")[2].split(", "))
    assert found.partition(": ")[0] == line.partition(": ")[0]


def test_the_words_of_a_code_say_as_what_it_is_said_of_another() -> None:
    [_, site, *_] = section({**SEEN, "code": coded("Syn"), "method": coded("Tavle", "2")})["koder"]
    told_of = section({**DONE, "code": coded("Operert"), "complication": [coded("Blødning", "2")]})["koder"]

    way = section({**ALLERGY, "reaction": [{"manifestation": [coded("Utslett", "2")]}]})["koder"]

    assert way[1]["tekst"] == "Penicillin: reaksjon: symptom: Utslett"
    assert site["tekst"] == "Syn: metode: Tavle"
    assert told_of[1]["tekst"] == "Operert: komplikasjon: Blødning"


@pytest.mark.parametrize(
    "text",
    [
        "Syn: Tavle",
        "Syn: metode: Tavle",
        "<table><tr><td>Syn</td><td>Tavle</td></tr></table>",
    ],
)
def test_a_line_that_the_text_has_with_or_without_the_names_is_not_said_twice(text: str) -> None:
    resource = {**SEEN, "code": coded("Syn"), "method": coded("Tavle", "2")}

    assert section(resource, text=text)["tekst"].count("Tavle") == 1
    assert section(resource, resource, text="Se under")["tekst"].count("Tavle") == 1


def test_a_line_within_a_line_that_the_text_has_without_the_names_is_not_said_twice() -> None:
    reaction = {"manifestation": [coded("Utslett", "2")], "exposureRoute": coded("Oralt", "3")}
    allergy = {"resourceType": "AllergyIntolerance", "code": coded("Penicillin"), "reaction": [reaction]}

    assert lines(allergy, text="Penicillin: Utslett, Oralt") == []


def test_what_has_no_name_never_stands_behind_what_has_one() -> None:
    over = {**ALLERGY, "clinicalStatus": {"coding": [{"code": "resolved"}]}, "note": [{"text": "Som barn"}]}

    assert lines(over) == ["Penicillin: avsluttet, merknad: Som barn"]


@pytest.mark.parametrize("text", [None, "Se under"])
def test_numbers_without_a_unit_that_no_text_tells_are_said(text: str | None) -> None:
    applied = {"doseNumberPositiveInt": 1, "seriesDosesPositiveInt": 3}

    assert lines({**SHOT, "protocolApplied": [applied]}, text=text) == [
        "Vaksine: gitt: i høst; vaksinasjonsplan: dose nummer: 1, doser i serien: 3"
    ]


def test_two_that_differ_only_in_what_their_words_are_are_two_lines() -> None:
    by_value, by_method = asked("Syn", coded("Tavle", "2")), {**SEEN, "code": coded("Syn", "Syn")}

    said = lines(by_value, {**by_method, "method": coded("Tavle", "2")})

    assert said == ["Syn: Tavle", "Syn: metode: Tavle"]


# ------------------------------------------------------------------------------------- every part has one

WHOLE = frozenset(
    {
        "Attachment", "CodeableConcept", "Coding", "Extension", "Reference",
        *losses.TYPES, *measures.MEASURES,
    }
)  # few lines # fmt: skip


def saying() -> Iterator[tuple[str, Element]]:
    """Each element of what is narrated that becomes words of a line, with its type."""
    seen, waiting = set(), [RESOURCES[kind] for kind in losses.NARRATED]
    while waiting:
        model = waiting.pop()
        if model in seen or model.__name__ in WHOLE:
            continue
        seen.add(model)
        for name, element in declared(model).items():
            kind = element.model.__name__ if element.model is not None else ""
            silent = {
                *losses.SILENT,
                *losses.ORDINARY,
                "extension",
                "modifierExtension",
                "contained",
                "subject",
            }
            if (
                name in silent
                or kind in losses.TYPES
                or (
                    (kind or element.holds) in measures.MEASURES
                    and ("Dosage" in model.__name__ or (model.__name__, name) in measures.TRUTHS)
                )
                or (kind == "" and element.holds not in {"String", "Markdown", *measures.MEASURES})
                or name in losses.UNSAID
            ):
                continue
            if element.model is not None:
                waiting.append(element.model)
            if name.startswith("value") and (kind or element.holds) in measures.MEASURES:
                continue  # the answer
            if kind == "Reference" and narrated._is_who(element.targets, None):
                continue
            yield model.__name__, element


TELLS_ITSELF = frozenset(
    {
        *losses.FIRST, "text", "valueString", "valueCodeableConcept", "itemCodeableConcept", "itemReference",
        "presentedForm", "statusHistory", "classHistory", "manipulated", "summary", "condition", "component", "link", "valueCode",
        "low", "high",
    }
)  # few lines # fmt: skip
"""What a line is about, the one answer to it, groups that begin with their own name, and what is refused or
left behind."""


def test_every_part_that_may_be_said_is_called_something_or_tells_itself() -> None:
    unnamed = {(kind, element.name) for kind, element in saying() if not names.name_of(kind, element.name)}

    assert unnamed - {one for one in unnamed if one[1] in TELLS_ITSELF} == {
        one for one in names.OF_TYPES if not names.OF_TYPES[one] and one in unnamed
    }


def test_the_table_of_names_has_nothing_that_fhir_has_not() -> None:
    found = {(kind, element.name) for kind, element in saying()}
    fixed = {*losses.CODES, *losses.COUNTED}

    assert names.NAMES.keys() - {"display", "sequence"} <= {name for _, name in found | fixed}
    assert names.OF_TYPES.keys() <= found | fixed


# -------------------------------------------------------------------------------------------- devices


def with_device(resource: Part, at: str, device: Part = PUMP) -> Any:
    """A document with a resource that refers to a device."""
    made = told({**resource, at: {"reference": "urn:uuid:d"}})
    return put(made, device, "urn:uuid:d", entry=False)


PUMP_LINE = "Insulinpumpe: ikke i bruk, produsent: Elvestad Teknikk, serienummer: S1, navn: Pumpe A"


@pytest.mark.parametrize(
    ("resource", "at", "front"),
    [(USED, "device", []), (SEEN, "device", ["Svar: utstyr: Insulinpumpe"])],
)
def test_what_was_used_is_a_line_with_its_codes(resource: Part, at: str, front: list[str]) -> None:
    found = read(with_device(resource, at)).fields["seksjoner"][0]

    assert found["tekst"].split("\n") == ["Se under", *front, PUMP_LINE]
    assert [one["kode"] for one in found["koder"]] == ["p"]
    assert "kanari" not in str(found)


def test_a_device_that_a_section_lists_is_a_line() -> None:
    assert lines(PUMP) == [PUMP_LINE]


def test_a_device_by_its_name_alone_is_what_the_statement_is_about() -> None:
    named = {"resourceType": "Device", "deviceName": [{"name": "Krykke", "type": "other"}]}

    assert read(with_device({**USED, "note": [{"text": "Ute"}]}, "device", named)).fields["seksjoner"][0][
        "tekst"
    ].split("\n") == ["Se under", "Krykke: merknad: Ute", "navn: Krykke"]


def test_a_device_by_its_words_alone_is_said_whatever_may_stand_there() -> None:
    focus = {"type": "Device", "display": "Pumpe"}

    assert lines({**SEEN, "focus": [focus]}) == ["Svar: gjelder: Pumpe"]


def test_who_did_it_may_be_a_device_and_is_left_behind() -> None:
    doing = {**DONE, "performer": [{"actor": {"reference": "urn:uuid:d"}}]}
    made = put(told(doing), PUMP, "urn:uuid:d", entry=False)
    both = put(told(doing, {**SEEN, "device": {"reference": "urn:uuid:d"}}), PUMP, "urn:uuid:d", entry=False)

    assert read(made).fields["seksjoner"][0]["tekst"] == "Se under\nOperert"
    assert PUMP_LINE in read(both).fields["seksjoner"][0]["tekst"]


@pytest.mark.parametrize("status", ["entered-in-error", "unknown"])
def test_a_device_that_was_none_is_refused(status: str) -> None:
    assert refused(with_device(SEEN, "device", {**PUMP, "status": status})) == [
        ("entry[4].resource.status", "code")
    ]


def test_a_device_of_another_person_is_refused() -> None:
    made = with_device(SEEN, "device", {**PUMP, "patient": {"reference": "urn:uuid:q"}})
    put(made, {"resourceType": "Patient", "identifier": [{"value": "1"}]}, "urn:uuid:q", entry=False)

    assert ("entry[4].resource.patient", "reference") in refused(made)


def test_a_device_labels_its_section_like_anything_else_that_is_said() -> None:
    pump = {**PUMP, "type": coded(None, "75544000", "http://snomed.info/sct")}
    record = read(with_device(SEEN, "device", pump))

    items = label(record, TYPES["epikrise"].leaves(record), load_codes()).items
    [text] = [item for item in items if item.path == "seksjoner[0].tekst"]

    assert Category.SUBSTANCE_USE in text.categories


# ------------------------------------------------------------------------------ what a reference calls it

ILL: Part = {"resourceType": "Condition", "code": coded("Astma", "J45")}
TAKES: Part = {
    "resourceType": "MedicationStatement",
    "status": "active",
    "medicationCodeableConcept": coded("Metadon"),
}


def listed(resource: Part, display: str, text: str | None = "Se under") -> Any:
    made = told(resource, text=text)
    made["entry"][0]["resource"]["section"][0]["entry"][0]["display"] = display
    return read(made)


@pytest.mark.parametrize(
    ("display", "name"),
    [
        ("Astma", "Astma"),
        ("astma.", "Astma"),
        ("J45", "Astma"),
        ("J45 Astma", "Astma"),
        ("Alvorlig astma", "Astma / Alvorlig astma"),
    ],
)
def test_a_diagnosis_is_called_what_its_section_calls_it_too(display: str, name: str) -> None:
    assert listed(ILL, display).fields["diagnoser"][0]["tekst"] == name


def test_a_diagnosis_that_has_two_names_is_not_called_one_of_them_again() -> None:
    two = {"resourceType": "Condition", "code": {**coded("Astma"), "text": "Bronkial astma"}}

    assert listed(two, "Bronkial astma").fields["diagnoser"][0]["tekst"] == "Astma / Bronkial astma"


def test_a_diagnosis_by_a_code_alone_is_called_what_its_section_calls_it() -> None:
    bare = {"resourceType": "Condition", "code": {"coding": [{"system": "urn:x", "code": "J45"}]}}

    assert listed(bare, "Astma").fields["diagnoser"][0]["tekst"] == "Astma"


def test_a_medicine_is_called_what_references_to_it_call_it_too() -> None:
    reference = {"reference": "urn:uuid:m", "display": "Metadon mikstur"}
    made = told({"resourceType": "MedicationStatement", "status": "active", "medicationReference": reference})
    put(made, {"resourceType": "Medication", "code": coded("Metadon")}, "urn:uuid:m", entry=False)
    made["entry"][0]["resource"]["section"][0]["entry"][0]["display"] = "Metadon DnE"

    assert read(made).fields["legemidler"][0]["navn"] == "Metadon / Metadon mikstur / Metadon DnE"
    assert listed(TAKES, "Metadon DnE").fields["legemidler"][0]["navn"] == "Metadon / Metadon DnE"


@pytest.mark.parametrize(
    ("display", "said"),
    [
        ("Hepatitt C", ["Hepatitt C: Positiv"]),
        ("hepatitt c: positiv", ["Hepatitt C: Positiv"]),
        ("Svar fra laboratoriet", ["Hepatitt C: Positiv, omtalt som: Svar fra laboratoriet"]),
    ],
)
def test_what_a_section_calls_what_it_lists_is_said(display: str, said: list[str]) -> None:
    record = listed(asked("Hepatitt C", coded("Positiv")), display)

    assert record.fields["seksjoner"][0]["tekst"].split("\n")[1:] == said


def test_what_a_second_section_calls_it_is_said_there() -> None:
    made = told({**SEEN})
    composition = made["entry"][0]["resource"]
    composition["section"].append({**composition["section"][0], "title": "Andre"})
    composition["section"][1]["entry"] = [{"reference": "urn:uuid:x0", "display": "Rus"}]

    assert read(made).fields["seksjoner"][1]["tekst"] == "Se under\nomtalt som: Rus"


# --------------------------------------------------------------------------------- each check is needed

TESTS: list[Callable[..., Any]] = [
    test_each_part_of_a_line_says_what_it_is,
    test_the_words_of_a_code_say_as_what_it_is_said_of_another,
    test_a_line_that_the_text_has_with_or_without_the_names_is_not_said_twice,
    test_a_line_within_a_line_that_the_text_has_without_the_names_is_not_said_twice,
    test_what_has_no_name_never_stands_behind_what_has_one,
    test_numbers_without_a_unit_that_no_text_tells_are_said,
    test_two_that_differ_only_in_what_their_words_are_are_two_lines,
    test_what_was_used_is_a_line_with_its_codes,
    test_a_device_by_its_name_alone_is_what_the_statement_is_about,
    test_a_device_by_its_words_alone_is_said_whatever_may_stand_there,
    test_who_did_it_may_be_a_device_and_is_left_behind,
    test_a_device_of_another_person_is_refused,
    test_a_diagnosis_is_called_what_its_section_calls_it_too,
    test_a_diagnosis_that_has_two_names_is_not_called_one_of_them_again,
    test_a_diagnosis_by_a_code_alone_is_called_what_its_section_calls_it,
    test_a_medicine_is_called_what_references_to_it_call_it_too,
    test_what_a_section_calls_what_it_lists_is_said,
    test_what_a_second_section_calls_it_is_said_there,
]


@each(
    [
        (lines_of, "return self._line(self.label,", "return self._line(_unnamed,"),
        (lines_of, "between if label(name) else", "between if False else"),
        (lines_of, "part.bare() if isinstance(part, Group) else part.said()", "part.said()"),
        (lines_of, "(label(of) or of, plain", "(of, plain"),
        (lines_of, "said = said or [one for", "said = said or [] and [one for"),
        (narrated, "in losses.WHO - losses.DEVICES", "in losses.WHO"),
        (narrated, "plain(words) not in there", "True"),
        (narrated, "[called, subject, rest[id(part)]]", "[called, subject]"),
        (
            narrated,
            "rest[id(part)]] if id(part) in rest else [called]",
            "rest[id(part)]] if id(part) in rest else []",
        ),
        (narrated, "elif (kind, name) in losses.COUNTED:", "elif False:"),
        (lines_of, "if label is not _unnamed:", "if False:"),
        (narrated, "and plain(line.bare()) not in written", ""),
        (narrated, "plain(line.bare()) not in written", "plain(line.bare()) not in there"),
        (narrated, "partial(name_of, model.__name__)", "lambda _: ''"),
        (narrated, " or (kind, name) in losses.FIRST_OF", ""),
        (reading, 'found[0] == "Device" and one.who', 'found[0] == "Device"'),
        (reading, 'found[0] == "Device" and one.who', "False"),
        (reading, "self._who_else.append((one.address, one.at))", "pass"),
        (reading, 'frozenset({"Medication", "Device"})', 'frozenset({"Medication"})'),
        (reading, "self._called(self._said[id(resource)], display, resource)", "pass"),
        (reading, 'resource.peek("medicationReference", "display"), display', "(display,)"),
        (reading, 'read_condition(resource), "tekst", display)', 'read_condition(resource), "tekst")'),
        (reading, "plain(display) not in self._names.get(id(resource), ())", "True"),
        (called, "(words, code, f", "(words, f"),
        (called, 'f"{code} {words}", ', ""),
        (called, '*words.split(" / ")', ""),
    ]
)
def test_each_check_is_needed(where: ModuleType, old: str, new: str) -> None:
    expect_noticed(where, old, new, lambda: (case for test in TESTS for case in rows(test)))
