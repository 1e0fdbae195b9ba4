"""Understands that numbers, moments, truths and gradings are said in a line, where no person's text tells them."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from adapters.fhir_epikrise import lines as lines_of
from adapters.fhir_epikrise import losses, measures, narrated, reading, schedules, units
from adapters.fhir_epikrise.resources import RESOURCES
from adapters.fhir_schema import declared
from consent.code_lists import load_codes
from consent.labels import label
from hub.bokmaal import in_bokmaal
from hub.errors import HubError
from hub.message import Category
from mappings.types import load_types
from tests.adapters.test_fhir_epikrise_words import (
    ALLERGY,
    AS_JSON,
    DONE,
    OPIOID,
    ORDER,
    SEEN,
    SHOT,
    Part,
    coded,
    lines,
    read,
    refused,
    section,
    told,
)
from tests.mutating import each, expect_noticed, rows

TYPES = load_types()
UNKNOWN = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
GRADES = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
UCUM = "http://unitsofmeasure.org"


def amount(value: float, unit: str | None = None, **more: Any) -> Part:
    return {"value": value, **({} if unit is None else {"unit": unit}), **more}


def hb(**said: Any) -> Part:
    return {**SEEN, "code": {"text": "Hb"}, **said}


PANEL = hb(
    valueQuantity=amount(9.8, "g/dL", system=UCUM, code="g/dL"),
    interpretation=[coded("Lav", "L", GRADES)],
    referenceRange=[{"low": amount(11.7, "g/dL"), "high": amount(15.3, "g/dL"), "appliesTo": [{"text": "kvinner"}]}],
    effectiveDateTime="2026-10-01T08:00:00Z",
)  # one element per line # fmt: skip
FATHER: Part = {
    "resourceType": "FamilyMemberHistory", "status": "completed", "relationship": {"text": "Far"},
    "patient": {"reference": "urn:uuid:p"},
}  # a resource in few lines # fmt: skip
SAID: dict[str, tuple[Part, str]] = {
    "a measure with what grades it": (
        PANEL,
        "Hb: 9.8 g/dL; tidspunkt: 2026-10-01 kl. 10.00; tolkning: Lav; "
        "referanseområde: 11.7 til 15.3 g/dL: gjelder: kvinner",
    ),
    "a range of one end in words": (
        hb(referenceRange=[{"high": amount(35, "U/L")}, {"text": "under 35"}]),
        "Hb: referanseområde: høyst 35 U/L, referanseområde: under 35",
    ),
    "a range in words, and of whom": (
        hb(referenceRange=[{"text": "under 35", "appliesTo": [{"text": "kvinner"}]}]),
        "Hb: referanseområde: under 35: gjelder: kvinner",
    ),
    "a range of an age": (
        hb(referenceRange=[{"low": amount(2), "age": {"low": amount(18, code="a", system=UCUM)}}]),
        "Hb: referanseområde: minst 2: alder: minst 18 år",
    ),
    "a unit by a code without a word": (hb(valueQuantity=amount(4.1, code="10*9/L", system=UCUM)), "Hb: 4.1 10*9/L"),
    "so many in a time": (hb(valueQuantity=amount(60, code="1/min", system=UCUM)), "Hb: 60 per minutt"),
    "a range by a code without a word": (
        hb(referenceRange=[{"high": amount(9, code="10*9/L", system=UCUM)}]),
        "Hb: referanseområde: høyst 9 10*9/L",
    ),
    "what a person said of a reaction": (
        {**SHOT, "reaction": [{"reported": True}]}, "Vaksine: gitt: i høst, reaksjon: opplyst av pasienten",
    ),
    "a comparison": (hb(valueQuantity=amount(5, "mg/L", comparator="<")), "Hb: under 5 mg/L"),
    "a ratio": (hb(valueRatio={"numerator": amount(1), "denominator": amount(128)}), "Hb: 1 per 128"),
    "a range": (hb(valueRange={"low": amount(2, "ml"), "high": amount(5, "ml")}), "Hb: 2 til 5 ml"),
    "a whole number": (hb(valueInteger=3), "Hb: 3"),
    "a truth": (hb(valueBoolean=True), "Hb: ja"),
    "no truth": (hb(valueBoolean=False), "Hb: nei"),
    "an hour": (hb(valueTime="10:30:00"), "Hb: 10:30:00"),
    "a moment": (hb(valueDateTime="2026-10-01T23:30:00Z"), "Hb: 2026-10-02 kl. 01.30"),
    "a moment to the second": (hb(valueDateTime="2026-10-01T23:30:07.25Z"), "Hb: 2026-10-02 kl. 01.30.07"),
    "the first day there is": (hb(valueDateTime="0001-01-01T00:00:00Z"), "Hb: 0001-01-01 kl. 00.43"),
    "a moment before all clocks": (
        hb(valueDateTime="0001-01-01T00:00:00+14:00"), "Hb: 0001-01-01T00:00:00+14:00",
    ),
    "a moment after all clocks": (
        hb(valueDateTime="9999-12-31T23:59:59-12:00"), "Hb: 9999-12-31T23:59:59-12:00",
    ),
    "a moment without a zone": (hb(valueDateTime="2026-10"), "Hb: 2026-10"),
    "a period": (hb(valuePeriod={"start": "2026-10-01", "end": "2026-10-03"}), "Hb: fra 2026-10-01 til 2026-10-03"),
    "a period without an end": (hb(effectivePeriod={"start": "2026-10-01"}), "Hb: tidspunkt: fra 2026-10-01"),
    "an instant": (hb(effectiveInstant="2026-10-01T08:00:00+02:00"), "Hb: tidspunkt: 2026-10-01 kl. 08.00"),
    "a rhythm": (hb(effectiveTiming={"event": ["2026-10-01"]}), "Hb: tidspunkt: den 2026-10-01"),
    "moments of a rhythm": (
        hb(effectiveTiming={"event": ["2026-10-01T23:30:00Z"], "repeat": {"boundsPeriod": {"start": "2026-10-01T23:30:00Z"}}}),
        "Hb: tidspunkt: den 2026-10-02 kl. 01.30, fra 2026-10-02 kl. 01.30",
    ),
    "parts": (
        {**SEEN, "code": {"text": "Blodtrykk"}, "component": [
            {"code": {"text": "Over"}, "valueQuantity": amount(120, "mmHg")},
            {"code": {"text": "Under"}, "valueQuantity": amount(80, "mmHg"), "interpretation": [{"text": "normalt"}]},
        ]},
        "Blodtrykk: Over: 120 mmHg; Under: 80 mmHg, tolkning: normalt",
    ),
    "a whole with its parts": (
        {**SEEN, "code": {"text": "GCS"}, "valueInteger": 10, "component": [
            {"code": {"text": "Øyne"}, "valueInteger": 4}, {"code": {"text": "Motorisk"}, "valueInteger": 6},
        ]},
        "GCS: 10; Øyne: 4; Motorisk: 6",
    ),
    "a whole whose parts have parts": (
        {**SEEN, "code": {"text": "Blodtrykk"}, "interpretation": [{"text": "Høyt"}], "component": [
            {"code": {"text": "Over"}, "valueInteger": 120},
            {"code": {"text": "Under"}, "valueInteger": 80, "referenceRange": [
                {"low": amount(60), "appliesTo": [{"text": "voksne"}]},
            ]},
        ]},
        "Blodtrykk: Over: 120; (Under: 80; referanseområde: minst 60: gjelder: voksne); tolkning: Høyt",
    ),
    "the only part, which has parts": (
        {**SEEN, "code": {"text": "Blodtrykk"}, "component": [
            {"code": {"text": "Under"}, "valueInteger": 80, "referenceRange": [
                {"low": amount(60), "appliesTo": [{"text": "voksne"}]},
            ]},
        ]},
        "Blodtrykk: Under: 80; referanseområde: minst 60: gjelder: voksne",
    ),
    "an age": (
        {**DONE, "performedAge": amount(34, code="a", system=UCUM)}, "Operert: utført: 34 år",
    ),
    "when an allergy was seen": (
        {**ALLERGY, "onsetDateTime": "1999", "lastOccurrence": "2024-03"}, "Penicillin: begynte: 1999, sist: 2024-03",
    ),
    "a vaccine from the records of others": (
        {**SHOT, "primarySource": False}, "Vaksine: opplyst av andre, gitt: i høst",
    ),
    "a vaccine, as most": ({**SHOT, "primarySource": True, "isSubpotent": False}, "Vaksine: gitt: i høst"),
    "one of the family": (
        {**FATHER, "deceasedBoolean": False, "condition": [{"code": {"text": "Gikt"}, "onsetAge": amount(50, "år")}]},
        "Far: er i live; Gikt: begynte: 50 år",
    ),
    "what is not forbidden": (
        {**ORDER, "medicationCodeableConcept": {"text": "Paracet"}, "doNotPerform": False}, "Paracet",
    ),
    "how much is handed out": (
        {**ORDER, "medicationCodeableConcept": {"text": "Paracet"}, "dispenseRequest": {"quantity": amount(100, "stk"), "numberOfRepeatsAllowed": 3}},
        "Paracet: utlevering: kan gjentas: 3, mengde: 100 stk",
    ),
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("resource", "line"), SAID.values(), ids=SAID)
@pytest.mark.parametrize(("text", "status"), [(None, "generated"), ("Se under", "generated")])
def test_what_no_person_wrote_is_said_in_the_line(
    resource: Part, line: str, text: str | None, status: str
) -> None:
    assert lines(resource, text=text, status=status) == [line]


@pytest.mark.parametrize("status", ["generated", "extensions", "empty"])
def test_a_text_that_no_person_wrote_tells_nothing(status: str) -> None:
    assert lines(hb(valueInteger=3), text="Se under", status=status) == ["Hb: 3"]


def test_the_codes_of_a_grading_are_those_of_a_section_that_says_it_again() -> None:
    """Of what has no name of its own, its grading is what another section says."""
    made = told(hb(code={"extension": [UNKNOWN]}, interpretation=[OPIOID]), text=None)
    sections = made["entry"][0]["resource"]["section"]
    sections.append({"title": "Igjen", "entry": sections[0]["entry"][-1:]})

    again = read(made).fields["seksjoner"][-1]

    assert again["tekst"] == "Opioidavhengighet"
    assert [one["kode"] for one in again["koder"]] == ["75544000"]


def test_what_a_person_wrote_tells_it() -> None:
    assert lines(PANEL, text="Hb er lav", status="additional") == ["Hb"]


def test_a_grading_that_everybody_knows_is_words_and_any_other_code_is_one_of_the_section() -> None:
    """What no list of ours has would hold every panel that says whether its values are low."""
    record = read(told(PANEL, text=None))
    items = label(record, TYPES["epikrise"].leaves(record), load_codes()).items

    assert "koder" not in record.fields["seksjoner"][0]
    assert not any(Category.UNKNOWN in item.categories for item in items)
    assert {
        one["kode"]: one["tekst"]
        for one in section(hb(interpretation=[coded("Se svar", "x")]), text=None)["koder"]
    } == {"x": "Hb: tolkning: Se svar"}


@pytest.mark.parametrize(
    ("coding", "words", "codes"),
    [
        (coded(None, "HH", GRADES), "svært høy", []),
        (coded("Meget høy", "HH", GRADES), "Meget høy", []),
        (coded(None, "Q", GRADES), "Q", ["Q"]),
        (coded(None, "HH", "urn:x"), "HH", ["HH"]),
    ],
)
def test_a_grading_by_its_code_alone_is_said_in_words(coding: Part, words: str, codes: list[str]) -> None:
    found = section(hb(interpretation=[coding]), text=None)

    assert found["tekst"] == f"Hb: tolkning: {words}"
    assert [one["kode"] for one in found.get("koder", [])] == codes


def test_a_diagnosis_with_fields_of_its_own_says_when_it_began() -> None:
    ill: Part = {
        "resourceType": "Condition",
        "code": coded("Astma", "J45"),
        "onsetDateTime": "2019",
        "recordedDate": "2026-10-01",
    }
    record = read(told(ill, text=None))

    assert record.fields["diagnoser"][0]["tekst"] == "Astma"
    assert record.fields["seksjoner"][0]["tekst"] == "Astma: begynte: 2019, registrert: 2026-10-01"


@pytest.mark.parametrize(
    ("resource", "found"),
    [
        (
            hb(valueSampledData={"origin": amount(0), "period": 1, "dimensions": 1, "data": "1"}),
            ("valueSampledData", "not-read"),
        ),
        (hb(valueQuantity=amount(1, code="x", system="urn:x")), ("valueQuantity.code", "code")),
        (hb(valueQuantity=amount(1, "g", comparator="~")), ("valueQuantity.comparator", "code")),
        (hb(valueQuantity={"unit": "g"}), ("valueQuantity.value", "missing")),
        (hb(referenceRange=[{"low": {"unit": "g"}}]), ("referenceRange[0].low.value", "missing")),
        (
            {**ALLERGY, "clinicalStatus": {"coding": [{"code": "ukjent"}]}},
            ("clinicalStatus", "not-read"),
        ),
    ],
)
def test_what_has_no_words_is_refused_where_it_stands(resource: Part, found: tuple[str, str]) -> None:
    assert refused(told(resource, text="Se under", status="generated")) == [found]
    assert "Se under" in section(resource, text="Se under", status="additional")["tekst"]


BESIDE = [{"url": "urn:x", "valueString": "x"}]


@pytest.mark.parametrize(
    ("resource", "found"),
    [
        (
            hb(effectivePeriod={"start": "2026", "extension": BESIDE}),
            ("effectivePeriod.extension[0].url", "extension"),
        ),
        (
            hb(effectiveTiming={"repeat": {"boundsPeriod": {"start": "2026", "extension": BESIDE}}}),
            ("effectiveTiming.repeat.boundsPeriod.extension[0].url", "extension"),
        ),
        (
            hb(valueQuantity=amount(1, _value={"extension": BESIDE})),
            ("valueQuantity._value.extension[0].url", "extension"),
        ),
        (
            hb(interpretation=[{"coding": [{"code": "L", "extension": BESIDE}]}]),
            ("interpretation[0].coding[0].extension[0].url", "extension"),
        ),
        (
            hb(referenceRange=[{"text": "x", "modifierExtension": BESIDE}]),
            ("referenceRange[0].modifierExtension", "not-read"),
        ),
    ],
)
@pytest.mark.parametrize("status", ["additional", "generated"])
def test_an_extension_of_no_list_is_refused_whoever_wrote_the_text(
    resource: Part, found: tuple[str, str], status: str
) -> None:
    assert refused(told(resource, text="Se under", status=status)) == [found]


def test_what_is_asked_for_where_no_text_tells_it_is_said_in_bokmaal() -> None:
    made = told(
        hb(valueSampledData={"origin": amount(0), "period": 1, "dimensions": 1, "data": "1"}), text=None
    )

    with pytest.raises(HubError) as refusal:
        AS_JSON.parse(json.dumps(made).encode())

    assert [in_bokmaal(one.expected) is None for one in refusal.value.findings] == [False]


def test_a_measure_labels_its_section_like_its_name() -> None:
    record = read(told(hb(code=coded("U-Opiater"), valueQuantity=amount(300, "ng/ml")), text=None))

    items = label(record, TYPES["epikrise"].leaves(record), load_codes()).items
    [text] = [item for item in items if item.path == "seksjoner[0].tekst"]

    assert record.fields["seksjoner"][0]["tekst"] == "U-Opiater: 300 ng/ml"
    assert Category.SUBSTANCE_USE in text.categories


# ------------------------------------------------------------------------------------ none is forgotten


def test_every_truth_of_what_is_narrated_has_its_words() -> None:
    found, waiting = set(), [RESOURCES[kind] for kind in losses.NARRATED]
    seen: set[object] = set()
    while waiting:
        model = waiting.pop()
        if model in seen or model.__name__ in ("Extension", "Attachment", *losses.TYPES):
            continue
        seen.add(model)
        for name, element in declared(model).items():
            if element.model is not None:
                waiting.append(element.model)
            elif element.holds == "Boolean" and "Dosage" not in model.__name__:
                found.add((model.__name__, name))

    assert {one for one in found if not one[0].startswith("Coding")} == set(measures.TRUTHS)


# --------------------------------------------------------------------------------- each check is needed

TESTS: list[Callable[..., Any]] = [
    test_what_no_person_wrote_is_said_in_the_line,
    test_a_text_that_no_person_wrote_tells_nothing,
    test_the_codes_of_a_grading_are_those_of_a_section_that_says_it_again,
    test_what_a_person_wrote_tells_it,
    test_a_grading_that_everybody_knows_is_words_and_any_other_code_is_one_of_the_section,
    test_a_grading_by_its_code_alone_is_said_in_words,
    test_a_diagnosis_with_fields_of_its_own_says_when_it_began,
    test_what_has_no_words_is_refused_where_it_stands,
    test_an_extension_of_no_list_is_refused_whoever_wrote_the_text,
]


@each(
    [
        (reading, "told=written", "told=True"),
        (reading, "told=written", "told=bool(text)"),
        (reading, "told=written", "told=False"),
        (reading, '== "additional"', '!= "generated"'),
        (reading, "self._codes_of.setdefault(id(code.inside[0]), []).append(code)", "pass"),
        (narrated, "for say in self.measures:", "for say in list(self.measures):"),
        (narrated, "say(told=told)", "say(told=False)"),
        (narrated, "elif kind in MEASURES:", "elif False:"),
        (narrated, "elif name in losses.GRADED and element is not None:", "elif False:"),
        (narrated, 'self.concept(element.name, {**item, "coding": listed}, place)', "pass"),
        (narrated, 'inside.said("low", say_amount(ends, place, self.findings, coded=True))', "pass"),
        (narrated, "say_amount(ends, place, self.findings, coded=True)", "say_amount(ends, place, self.findings)"),
        (narrated, "inside.elements(rest, element.model, place)", "pass"),
        (narrated, 'self.findings.add(at, "not-read", _BY_A_TEXT)', "pass"),
        (narrated, "partial(self.unsaid, at)", "lambda told: None"),
        (narrated, "if not told:", "if True:"),
        (narrated, "check_extensions(inside, here, findings)", "pass"),
        (narrated, "check_siblings(inside, here, findings)", "pass"),
        (narrated, '                findings.add(here, "not-read", NOT_CARRIED)', "                pass"),
        (narrated, '_look_inside(item, f"{at}[{index}]", findings)', "pass"),
        (narrated, "                _look_inside(inside, here, findings)", "                pass"),
        (narrated, "line.begin(about)", "pass"),
        (narrated, "kind=model.__name__)", "kind=self.kind)"),
        (lines_of, 'self._parts.append(("", self._about))', "pass"),
        (lines_of, "else int(isinstance(one[1], Group))", "else 1"),
        (lines_of, "_closed(part, say(part)) if len(rest) > 1 else say(part)", "say(part)"),
        (lines_of, "if isinstance(part, Group) and part.nested() else said", "if isinstance(part, Group) else said"),
        (lines_of, "_closed(part, say(part)) if len(rest) > 1 else say(part)", "_closed(part, say(part))"),
        (measures, "say_amount(value, at, findings, coded=True)", "say_amount(value, at, findings)"),
        (measures, "words[value is False]", "words[0]"),
        (schedules, "moment.astimezone(OSLO) if moment.tzinfo else moment", "moment"),
        (measures, 'coding.get("display") or said_at', "said_at"),
        (measures, 'or coding.get("system") != GRADES_OF', ""),
        (measures, 'not in ("system", "code", "version")', "not in ()"),
        (schedules, 'if "T" not in value:', "if True:"),
        (schedules, 'if isinstance(end, str))', ")"),
        (schedules, 'look_over(ends, frozenset({"start", "end"}), at, findings)', "pass"),
        (schedules, '[say_moment(one) for one', '[one for one'),
        (schedules, "(ValueError, OverflowError)", "ValueError"),
        (schedules, ".removesuffix('.00')", ""),
        (schedules, "%H.%M.%S", "%H.%M"),
        (schedules, "{there.date()}", "{there:%Y-%m-%d}"),
        (measures, '("MedicationRequest", "doNotPerform"): ("", ""),', ""),
        (losses, '        ("ObservationReferenceRange", "text"),\n', ""),
        (units, "if word is None and ucum and coded:", "if word is None and coded:"),
        (units, "behind if each)]).strip()", "behind if each)])"),
        (units, "if word is None and ucum and coded:", "if word is None and False:"),
    ]
)  # one row per check # fmt: skip
def test_each_check_is_needed(where: ModuleType, old: str, new: str) -> None:
    expect_noticed(where, old, new, lambda: (case for test in TESTS for case in rows(test)))
