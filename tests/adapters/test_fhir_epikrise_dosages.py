"""Understands that a structured dosage of an epikrise is said in words that say no less and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from adapters.fhir_epikrise import dosages, narrated, reading, schedules, units
from adapters.fhir_epikrise.adapter import ADAPTERS
from adapters.fhir_epikrise.reading import MODELS
from adapters.fhir_schema import declared
from adapters.fhir_xml import write_fhir_xml
from consent.code_lists import load_codes
from consent.labels import label
from hub.message import Category
from mappings.types import load_types
from tests.adapters.foreign import put
from tests.adapters.test_fhir_epikrise_words import PERSON, Part, coded, lines, read, refused, told
from tests.mutating import each, expect_noticed, rows

TYPES = load_types()
HERE = "dosage[0]"
SNOMED = "http://snomed.info/sct"
UCUM = {"system": units.UCUM}
DAILY = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}


def medicine(*given: Part, of: Part | None = None) -> Part:
    return {
        "resourceType": "MedicationStatement", "status": "active",
        "medicationCodeableConcept": of or coded("Paracetamol", "N02BE01", "http://www.whocc.no/atc"),
        "dosage": list(given),
    }  # a resource in few lines # fmt: skip


def dosing(*given: Part) -> str:
    """What the field of the medicine says."""
    return str(read(told(medicine(*given))).fields["legemidler"][0]["dosering"])


def dose(amount: Part) -> Part:
    return {"doseAndRate": [{"doseQuantity": amount}]}


def every(**repeat: Any) -> Part:
    return {"timing": {"repeat": repeat}}


AMOUNT = {"value": 2, "unit": "tabletter"}
SAID: dict[str, tuple[Part, str]] = {
    "a unit as it stands": (dose(AMOUNT), "2 tabletter"),
    "a unit that has a code, too": (dose({"value": 1, "unit": "tablett", **UCUM, "code": "{tbl}"}), "1 tablett"),
    "a code of UCUM": (dose({"value": 250, **UCUM, "code": "ug"}), "250 mikrogram"),
    "a word of UCUM": (dose({"value": 2, **UCUM, "code": "{sug}"}), "2 sug"),
    "a quotient of UCUM": (dose({"value": 2, **UCUM, "code": "mg/kg"}), "2 mg per kg"),
    "one of a unit": (dose({"value": 1, **UCUM, "code": "[drp]"}), "1 dråpe"),
    "several of it": (dose({"value": 3, **UCUM, "code": "[drp]"}), "3 dråper"),
    "no unit": (dose({"value": 2}), "2"),
    "a comparison": (dose({"value": 2, "comparator": "<=", "unit": "mg"}), "høyst 2 mg"),
    "a range": (
        {"doseAndRate": [{"doseRange": {"low": {"value": 1, "unit": "mg"}, "high": {"value": 2, "unit": "mg"}}}]},
        "1 til 2 mg",
    ),
    "a range of two units": (
        {"doseAndRate": [{"doseRange": {"low": {"value": 500, "unit": "mg"}, "high": {"value": 1, "unit": "g"}}}]},
        "500 mg til 1 g",
    ),
    "a range of two comparisons": (
        {"doseAndRate": [{"doseRange": {"low": {**AMOUNT, "comparator": ">"}, "high": {**AMOUNT, "comparator": "<"}}}]},
        "over 2 tabletter til under 2 tabletter",
    ),
    "a range from": ({"doseAndRate": [{"doseRange": {"low": AMOUNT}}]}, "minst 2 tabletter"),
    "a range to": ({"doseAndRate": [{"doseRange": {"high": AMOUNT}}]}, "høyst 2 tabletter"),
    "a rate": (
        {"doseAndRate": [{"rateRatio": {"numerator": {"value": 100, "unit": "ml"},
                                        "denominator": {"value": 1, **UCUM, "code": "h"}}}]},
        "hastighet 100 ml per time",
    ),
    "a rate by a quantity": (
        {"doseAndRate": [{"rateQuantity": {"value": 5, **UCUM, "code": "mL/h"}}]}, "hastighet 5 ml per time",
    ),
    "a dose and its rate": (
        {"doseAndRate": [{"doseQuantity": AMOUNT, "rateQuantity": {"value": 5, "unit": "ml/t"}}]},
        "2 tabletter hastighet 5 ml/t",
    ),
    "two doses": ({"doseAndRate": [{"doseQuantity": AMOUNT}, {"doseQuantity": {"value": 8, "unit": "mg"}}]},
                  "2 tabletter, 8 mg"),
    "a dose that was worked out": (
        {"doseAndRate": [{"doseQuantity": AMOUNT, "type": {"coding": [
            {"system": "http://terminology.hl7.org/CodeSystem/dose-rate-type", "code": "calculated"}]}}]},
        "2 tabletter type dose: beregnet",
    ),
    "a dose that was ordered": (
        {"doseAndRate": [{"doseQuantity": AMOUNT, "type": {"coding": [
            {"system": "http://terminology.hl7.org/CodeSystem/dose-rate-type", "code": "ordered"}]}}]},
        "2 tabletter",
    ),
    "the most in a time": (
        {"maxDosePerPeriod": {"numerator": {"value": 8, "unit": "tabletter"},
                              "denominator": {"value": 1, **UCUM, "code": "d"}}},
        "høyst 8 tabletter per døgn",
    ),
    "the most in two days": (
        {"maxDosePerPeriod": {"numerator": {"value": 8, "unit": "mg"},
                              "denominator": {"value": 48, **UCUM, "code": "h"}}},
        "høyst 8 mg per 48 timer",
    ),
    "the most at once": ({"maxDosePerAdministration": AMOUNT}, "høyst 2 tabletter om gangen"),
    "the most of all": ({"maxDosePerLifetime": AMOUNT}, "høyst 2 tabletter i alt"),
    "once a day": ({"timing": DAILY}, "1 gang per døgn"),
    "several times a day": (every(frequency=3, period=1, periodUnit="d"), "3 ganger per døgn"),
    "up to several times": (every(frequency=1, frequencyMax=4, period=1, periodUnit="d"), "1 til 4 ganger per døgn"),
    "every some hours": (every(period=8, periodUnit="h"), "1 gang per 8 timer"),
    "every some hours or more": (every(period=4, periodMax=6, periodUnit="h"), "1 gang per 4 til 6 timer"),
    "so many times": (every(frequency=2), "2 ganger"),
    "on days": (every(dayOfWeek=["mon", "thu"]), "mandag, torsdag"),
    "at times": (every(timeOfDay=["08:00:00", "20:30:15"]), "klokka 08:00, 20:30:15"),
    "when on the day": (every(when=["MORN", "HS"]), "om morgenen, ved sengetid"),
    "before a meal": (every(when=["AC"], offset=30), "før måltid (30 minutter)"),
    "so long": (every(duration=30, durationUnit="min"), "hver gang i 30 minutter"),
    "for a week": (every(boundsDuration={"value": 7, **UCUM, "code": "d"}), "i 7 døgn"),
    "for some days": (
        every(boundsRange={"low": {"value": 5, **UCUM, "code": "d"}, "high": {"value": 7, **UCUM, "code": "d"}}),
        "i 5 til 7 døgn",
    ),
    "from and to": (every(boundsPeriod={"start": "2026-11-02", "end": "2026-11-09"}), "fra 2026-11-02 til 2026-11-09"),
    "so often in all": (every(count=10, countMax=12), "10 til 12 ganger i alt"),
    "on a day": ({"timing": {"event": ["2026-11-02"]}}, "den 2026-11-02"),
    "a schedule by its code": ({"timing": {"code": {"coding": [{"system": schedules.GTS, "code": "BID"}]}}},
                               "2 ganger per døgn"),
    "a schedule by code, words and rhythm": (
        {"timing": {"code": {"coding": [{"system": schedules.GTS, "code": "BID"}], "text": "BID"},
                    "repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}},
        "2 ganger per døgn",
    ),
    "a schedule by what looks like a code": ({"text": "5 mg", "timing": {"code": {"text": "BID"}}}, "5 mg / BID"),
    "a schedule by a code and another": (
        {"timing": {"code": {"coding": [{"system": schedules.GTS, "code": "BID"}], "text": "TID"}}},
        "2 ganger per døgn, TID",
    ),
    "a schedule in words": ({"timing": {"code": {"text": "ukedoser"}}}, "ukedoser"),
    "when it is needed": ({"asNeededBoolean": True}, "ved behov"),
    "for what it is needed": ({"asNeededCodeableConcept": {"text": "smerter"}}, "ved behov: smerter"),
    "a way in words": ({"route": {"text": "i munnen"}}, "vei: i munnen"),
    "advice in words": ({"additionalInstruction": [{"text": "med mat"}, {"text": "stående"}]}, "råd: med mat, råd: stående"),
    "to the person": ({"patientInstruction": "under tunga"}, "til pasienten: under tunga"),
    "all beside a text": (
        {"text": "2 daglig", **dose(AMOUNT), "timing": DAILY, "asNeededBoolean": True},
        "2 daglig / 2 tabletter, 1 gang per døgn, ved behov",
    ),
    "no more than its text says": ({"text": "2 tabletter", **dose(AMOUNT)}, "2 tabletter"),
    "what is not needed at will": ({"text": "2 daglig", "asNeededBoolean": False}, "2 daglig"),
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("dosage", "words"), SAID.values(), ids=SAID)
def test_a_structured_dosage_is_said_in_words(dosage: Part, words: str) -> None:
    assert dosing(dosage) == words


def test_it_is_said_in_xml_too() -> None:
    made = told(medicine({**dose({"value": Decimal("2.5"), "unit": "ml"}), "timing": DAILY}))

    record = ADAPTERS[1].parse(write_fhir_xml(made, MODELS))

    assert record.fields["legemidler"][0]["dosering"] == "2.5 ml, 1 gang per døgn"


def test_one_after_the_other_is_said() -> None:
    first, second = {"sequence": 1, **dose(AMOUNT)}, {"sequence": 2, "text": "1 tablett"}

    assert dosing(first, second) == "2 tabletter; deretter: 1 tablett"


def test_what_has_a_code_of_one_dosage_among_several_says_of_which() -> None:
    """Otherwise nobody could tell which of them is only taken when it is needed."""
    needed = {"asNeededCodeableConcept": coded("Smerte", "22253000", SNOMED)}
    record = read(told(medicine({"text": "5 mg"}, {"text": "10 mg", **needed})))

    assert record.fields["legemidler"][0]["dosering"] == "5 mg; 10 mg"
    assert (
        record.fields["seksjoner"][0]["tekst"] == "Se under\nParacetamol: dosering: 10 mg: ved behov: Smerte"
    )
    assert lines(medicine({"text": "10 mg", **needed})) == ["Paracetamol: dosering: ved behov: Smerte"]


ORDER: Part = {
    "resourceType": "MedicationRequest", "status": "active", "intent": "order",
    "medicationCodeableConcept": {"text": "Paracetamol"},
}  # a resource in few lines # fmt: skip
GIVEN: Part = {
    "resourceType": "MedicationAdministration", "status": "completed", "effectiveDateTime": "2026-10-01",
    "medicationCodeableConcept": {"text": "Paracetamol"},
}  # a resource in few lines # fmt: skip


@pytest.mark.parametrize(
    ("resource", "line"),
    [
        ({**ORDER, "dosageInstruction": [{"text": "2 daglig", **dose(AMOUNT), "timing": DAILY}]},
         "Paracetamol: dosering: 2 daglig / 2 tabletter, 1 gang per døgn"),
        ({**ORDER, "dosageInstruction": [{"sequence": 2, **dose(AMOUNT), "route": coded("Oral")}]},
         "Paracetamol: dosering: 2 tabletter: rekkefølge: 2, vei: Oral"),
        ({**GIVEN, "dosage": {"dose": AMOUNT, "rateQuantity": {"value": 5, "unit": "ml/t"}}},
         "Paracetamol: dosering: 2 tabletter, hastighet 5 ml/t"),
    ],
)  # one row per case # fmt: skip
def test_the_dosage_of_an_order_stands_in_its_line(resource: Part, line: str) -> None:
    assert lines(resource) == [line]


def wrong(**repeat: Any) -> Part:
    return {"text": "2 daglig", **every(**repeat)}


REFUSED: dict[str, tuple[Part, str, str]] = {
    "a unit that nobody knows": (dose({"value": 2, **UCUM, "code": "kanari"}), "doseAndRate[0].doseQuantity.code", "code"),
    "one below a stroke": (dose({"value": 2, **UCUM, "code": "mg/x"}), "doseAndRate[0].doseQuantity.code", "code"),
    "a unit of another list": (dose({"value": 2, "system": SNOMED, "code": "mg"}), "doseAndRate[0].doseQuantity.code", "code"),
    "a unit without a number": (dose({"unit": "mg"}), "doseAndRate[0].doseQuantity.value", "missing"),
    "half a ratio": ({"maxDosePerPeriod": {"numerator": AMOUNT}}, "maxDosePerPeriod", "missing"),
    "an extension of an amount": (
        dose({**AMOUNT, "extension": [{"url": "urn:x", "valueString": "kanari"}]}),
        "doseAndRate[0].doseQuantity.extension[0].url", "extension",
    ),
    "a schedule by another code": (
        {"timing": {"code": {"coding": [{"system": "urn:x", "code": "BID"}]}}}, "timing.code.coding[0].code", "code",
    ),
    "a schedule by no code at all": (
        {"timing": {"code": {"coding": [{"system": schedules.GTS, "code": {"kanari": 1}}]}}}, "timing.code.coding[0].code", "code",
    ),
    "a comparison that is none": (
        dose({**AMOUNT, "comparator": ["kanari"]}), "doseAndRate[0].doseQuantity.comparator", "code",
    ),
    "an extension of a rhythm": (
        wrong(frequency=1, extension=[{"url": "urn:x", "valueString": "kanari"}]), "timing.repeat.extension[0].url", "extension",
    ),
    "an extension of a schedule": (
        {"timing": {**DAILY, "extension": [{"url": "urn:x", "valueString": "kanari"}]}}, "timing.extension[0].url", "extension",
    ),
    "what may change a schedule": (
        {"timing": {**DAILY, "modifierExtension": [{"url": "urn:x", "valueString": "kanari"}]}}, "timing.modifierExtension", "not-read",
    ),
    "an extension of one number": (
        wrong(frequency=1, _frequency={"extension": [{"url": "urn:x", "valueString": "kanari"}]}),
        "timing.repeat._frequency.extension[0].url", "extension",
    ),
    "a part of the day that FHIR has not": (wrong(when=["kanari"]), "timing.repeat.when[0]", "code"),
    "a unit of time without its number": (wrong(frequency=3, periodUnit="d"), "timing.repeat.period", "missing"),
    "a unit of how long without its number": (wrong(durationUnit="h"), "timing.repeat.duration", "missing"),
    "minutes before nothing": (wrong(offset=30), "timing.repeat.when", "missing"),
    "a length without its unit": (wrong(period=1), "timing.repeat.periodUnit", "code"),
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("dosage", "at", "rule"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_words_is_told_where_it_stands(dosage: Part, at: str, rule: str) -> None:
    made = told(medicine(dosage))

    assert (f"{HERE}.{at}", rule) in refused(made)
    assert "kanari" not in str(refused(made))


# ------------------------------------------------------------------------- a code stands by its words

SUBLINGUAL = {"coding": [{"system": SNOMED, "code": "37839007", "display": "Sublingualt"}]}
CODED: dict[str, tuple[str, Any]] = {
    "a way": ("route", SUBLINGUAL),
    "a way by a code and in words": ("route", {**SUBLINGUAL, "text": "Sublingualt"}),
    "a kind of dose": ("doseAndRate", [{"type": SUBLINGUAL}]),
    "a place": ("site", SUBLINGUAL),
    "a method": ("method", SUBLINGUAL),
    "advice": ("additionalInstruction", [{"text": "x"}, SUBLINGUAL]),
    "for what it is needed": ("asNeededCodeableConcept", SUBLINGUAL),
}


@pytest.mark.parametrize("status", ["additional", "generated"])
@pytest.mark.parametrize(("name", "value"), CODED.values(), ids=CODED)
def test_what_has_a_code_stands_in_the_section_with_it(name: str, value: Any, status: str) -> None:
    record = read(told(medicine({"text": "2 daglig", name: value}), status=status))

    [section] = record.fields["seksjoner"]
    assert record.fields["legemidler"][0]["dosering"] == "2 daglig"
    assert section["tekst"].startswith("Se under\nParacetamol: dosering: ")
    assert section["tekst"].endswith("Sublingualt")
    assert {one["kode"] for one in section["koder"]} == {"37839007", "N02BE01"}


def test_a_dosage_of_nothing_but_codes_is_read() -> None:
    record = read(told(medicine({"route": SUBLINGUAL})))

    assert "dosering" not in record.fields["legemidler"][0]
    assert record.fields["seksjoner"][0]["tekst"] == "Se under\nParacetamol: dosering: vei: Sublingualt"


@pytest.mark.parametrize("status", ["additional", "generated"])
def test_a_text_that_says_a_medicine_is_labelled_by_its_code(status: str) -> None:
    """A word that no list has: only the code tells of what it is."""
    unheard = coded("Kvasirol", "N07BC02", "http://www.whocc.no/atc")
    record = read(told(medicine({"route": SUBLINGUAL}, of=unheard), text="Kvasirol som før", status=status))

    items = label(record, TYPES["epikrise"].leaves(record), load_codes()).items
    text = next(item for item in items if item.path == "seksjoner[0].tekst")

    assert Category.SUBSTANCE_USE in text.categories


def test_a_text_that_says_a_diagnosis_is_labelled_by_its_code() -> None:
    ill = {"resourceType": "Condition", "code": coded("Kvasir", "F11.2", "http://hl7.org/fhir/sid/icd-10")}
    record = read(told(ill, text="Kvasir som før"))

    items = label(record, TYPES["epikrise"].leaves(record), load_codes()).items
    text = next(item for item in items if item.path == "seksjoner[0].tekst")

    assert Category.SUBSTANCE_USE in text.categories


def test_a_text_that_says_a_medicine_of_another_entry_is_labelled_by_its_code() -> None:
    taken = {
        "resourceType": "MedicationStatement",
        "status": "active",
        "medicationReference": {"reference": "urn:uuid:m"},
    }
    made = told(taken, text="Kvasirol som før")
    kvasirol = {"resourceType": "Medication", "code": coded("Kvasirol", "N07BC02", "http://www.whocc.no/atc")}
    put(made, kvasirol, "urn:uuid:m", entry=False)

    assert [one["kode"] for one in read(made).fields["seksjoner"][0]["koder"]] == ["N07BC02"]


KVASIR = {"resourceType": "Condition", "code": coded("Kvasir", "F11.2", "http://hl7.org/fhir/sid/icd-10")}


def beside(resource: Part, reference: Part | None = None) -> Any:
    """A diagnosis that one section tells, and a second section with another resource, or the same."""
    made = told(KVASIR)
    composition = made["entry"][0]["resource"]
    second = {
        **composition["section"][0],
        "title": "Andre",
        "entry": [reference or {"reference": "urn:uuid:y"}],
    }
    composition["section"].append(second)
    return made if reference else put(made, {**resource, "subject": PERSON}, "urn:uuid:y", entry=False)


def test_a_line_that_names_a_diagnosis_of_another_section_has_its_code() -> None:
    reason = {"reasonReference": [{"reference": "urn:uuid:x0"}]}

    [_, second] = read(beside({**ORDER, **reason})).fields["seksjoner"]

    assert second["tekst"] == "Se under\nParacetamol: grunn: Kvasir"
    assert [one["kode"] for one in second["koder"]] == ["F11.2"]


def test_a_diagnosis_that_a_section_before_its_own_refers_to_is_told_by_its_own() -> None:
    made = beside({**ORDER, "reasonReference": [{"reference": "urn:uuid:x0"}]})
    made["entry"][0]["resource"]["section"].reverse()

    record = read(made)

    assert [one["kode"] for one in record.fields["diagnoser"]] == ["F11.2"]
    assert record.fields["seksjoner"][0]["tekst"] == "Se under\nParacetamol: grunn: Kvasir"
    assert [one["kode"] for one in record.fields["seksjoner"][0]["koder"]] == ["F11.2"]


def test_a_stay_that_names_a_diagnosis_of_a_section_has_its_code() -> None:
    made = told(KVASIR)
    made["entry"][0]["resource"]["encounter"] = {"reference": "urn:uuid:e"}
    encounter = {
        "resourceType": "Encounter", "status": "finished", "class": {"code": "IMP"}, "subject": PERSON,
        "diagnosis": [{"condition": {"reference": "urn:uuid:x0"}, "use": {"text": "hoved"}}],
    }  # a resource in few lines # fmt: skip
    put(made, encounter, "urn:uuid:e", entry=False)

    stay = read(made).fields["seksjoner"][1]

    assert stay["tekst"] == "diagnose: Kvasir: rolle: hoved"
    assert [one["kode"] for one in stay["koder"]] == ["F11.2"]


def test_what_two_sections_list_labels_both() -> None:
    seen = {"resourceType": "Observation", "status": "final", "code": coded("Kvasir", "75544000", SNOMED)}
    made = told(seen)
    composition = made["entry"][0]["resource"]
    composition["section"].append({**composition["section"][0], "title": "Andre"})

    assert [one["koder"] for one in read(made).fields["seksjoner"]] == [
        [{"system": SNOMED, "kode": "75544000", "tekst": "Kvasir"}]
    ] * 2


# ---------------------------------------------------------------------------------- none is forgotten


def test_each_element_of_a_dosage_has_its_words() -> None:
    concepts = {"additionalInstruction", "asNeededCodeableConcept", "site", "route", "method", "type"}
    apart = {"extension", "modifierExtension", "text", "sequence", "patientInstruction", "timing", "doseAndRate",
             "asNeededBoolean"}  # few lines # fmt: skip
    found: set[str] = set()
    for kind, name in (("MedicationStatement", "dosage"), ("MedicationAdministration", "dosage")):
        model = declared(MODELS[kind])[name].model
        assert model is not None
        found |= declared(model).keys()
        if inner := declared(model).get("doseAndRate"):
            assert inner.model is not None
            found |= declared(inner.model).keys()

    assert found - concepts - apart - {"id"} == dosages.AMOUNTS.keys()


def test_each_element_of_a_rhythm_has_its_words() -> None:
    timing = declared(MODELS["MedicationStatement"])["dosage"].model
    assert timing is not None
    inner = declared(timing)["timing"].model
    assert inner is not None
    repeat = declared(inner)["repeat"].model
    assert repeat is not None

    assert declared(repeat).keys() - {"id", "extension", "modifierExtension"} == schedules.KNOWN


# --------------------------------------------------------------------------------- each check is needed

TESTS: list[Callable[..., Any]] = [
    test_a_structured_dosage_is_said_in_words,
    test_one_after_the_other_is_said,
    test_what_has_a_code_of_one_dosage_among_several_says_of_which,
    test_the_dosage_of_an_order_stands_in_its_line,
    test_what_has_no_words_is_told_where_it_stands,
    test_what_has_a_code_stands_in_the_section_with_it,
    test_a_dosage_of_nothing_but_codes_is_read,
    test_a_text_that_says_a_medicine_is_labelled_by_its_code,
    test_a_text_that_says_a_diagnosis_is_labelled_by_its_code,
    test_a_text_that_says_a_medicine_of_another_entry_is_labelled_by_its_code,
    test_a_line_that_names_a_diagnosis_of_another_section_has_its_code,
    test_a_diagnosis_that_a_section_before_its_own_refers_to_is_told_by_its_own,
    test_a_stay_that_names_a_diagnosis_of_a_section_has_its_code,
    test_what_two_sections_list_labels_both,
]


@each(
    [
        (units, "f\"{above} per {below.removeprefix('1 ')}\"", 'f"{above} per {below}"'),
        (units, "low.partition(' ')[0] if same else low", "low.partition(' ')[0]"),
        (units, 'ucum = value.get("system") == UCUM', "ucum = True"),
        (units, 'one=number == "1"', "one=True"),
        (units, "or None in behind", ""),
        (units, 'findings.add(f"{at}.code", "code", _NO_UNIT)', "pass"),
        (units, 'findings.add(f"{at}.value", "missing", "a value")', "pass"),
        (units, 'findings.add(at, "missing", "a numerator and a denominator")', "pass"),
        (units, "look_over(value, _KNOWN, at, findings)", "pass"),
        (units, 'check_extensions(value, f"{at}.extension", findings)', "pass"),
        (units, 'check_siblings(value, f"{at}.{name}", findings)', "pass"),
        (units, 'findings.add(below(at, name), "not-read", NOT_CARRIED)', "pass"),
        (units, "if (told := _IN_WORDS.fullmatch(code)) is not None:", "if (told := None) is not None:"),
        (schedules, "list(dict.fromkeys(one for one in said if one))", "[one for one in said if one]"),
        (schedules, 'look_over(timing, frozenset({"event", "repeat", "code"}), at, findings)', "pass"),
        (schedules, "look_over(repeat, KNOWN, at, findings)", "pass"),
        (schedules, "[] if text in said else [text]", "[text]"),
        (schedules, "text in said else", "text in ABBREVIATIONS else"),
        (schedules, 'self._alone(f"{name}Unit", name)', "pass"),
        (schedules, 'self._alone("offset", "when")', "pass"),
        (units, "low[0].isdigit() and ", ""),
        (dosages, "if rest and len(dosages) > 1 else {}", "if False else {}"),
        (dosages, "if rest and len(dosages) > 1 else {}", "if rest else {}"),
        (schedules, ' if coding.get("system") == GTS else ""', ""),
        (schedules, 'code = str(coding.get("code"))', 'code = coding.get("code")'),
        (units, "str(compared) not in _COMPARED", "compared not in _COMPARED"),
        (schedules, "span.removeprefix('1 ')", "span"),
        (schedules, 'offset not in (None, "0")', "False"),
        (schedules, "if unit not in _SPANS:", "if False:"),
        (dosages, 'rest.pop("asNeededBoolean"):', 'rest.pop("asNeededBoolean") is not None:'),
        (dosages, 'there == {"text"}', "True"),
        (dosages, "if None in found:", "if False:"),
        (dosages, "if text is None and not rest:", "if text is None:"),
        (dosages, "if any(kept):", "if False:"),
        (dosages, "plain(structured) == plain(words)", "False"),
        (narrated, '("sequence", sequence)', '("sequence", None)'),
        (narrated, "elements(rest, model, at)", "elements({}, model, at)"),
        (reading, 'beyond |= {"dosage": left} if any(left) else {}', "pass"),
        (reading, "            content.codes += content.others", "            pass"),
        (
            reading,
            "        content.codes += content.others\n        text = content.text(None)",
            "        text = content.text(None)",
        ),
        (reading, "        content.others += coded_in(concept)\n        dosages", "        dosages"),
        (reading, "found[0] in _FIELDS and id(found[1]) in self._listed", "False"),
        (reading, "                content.others += coded_in(concept)", "                pass"),
        (reading, "self._said[id(found[1])] = _about(named(concept))", "pass"),
        (reading, "content.others += self._codes.get(id(resource), [])", "pass"),
        (
            reading,
            "content.others += self._codes.get(id(found[1])) or coded_in(self._concept(found[1]))",
            "pass",
        ),
        (
            reading,
            "self._codes[id(resource)] = self._codes_of[id(line)] = content.codes[before:]",
            "self._codes_of[id(line)] = []",
        ),
        (reading, 'return medicine[1].peek("code")', "return None"),
    ]
)
def test_each_check_is_needed(where: ModuleType, old: str, new: str) -> None:
    expect_noticed(where, old, new, lambda: (case for test in TESTS for case in rows(test)))
