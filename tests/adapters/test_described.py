"""Understands a patient without a number: described by a name, a birth date and a sex (HIS 80415)."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from lxml import etree

import adapters
from adapters import fhir_parts
from adapters.base import Adapter
from adapters.fhir_epikrise import beyond
from adapters.kith import rules
from adapters.kith.receipts import receipt_codes
from adapters.registry import adapters_for
from hub.errors import HubError
from hub.message import Record
from mappings import json_schema, types
from mappings.types import load_types
from tests.adapters.national import Absent, schemas
from tests.mutating import each, expect_noticed, rows

TYPES = load_types()
REGISTRY = adapters_for(TYPES)
DESCRIBED = ("dialogmelding", "epikrise", "henvisning", "pleie.rapport", "pleie.soknad")
FOLDER = Path(adapters.__file__).parent
EXAMPLES = {
    "epikrise 1.1": "kith_epikrise/examples/epikrise-1.1.xml",
    "epikrise 1.2": "kith_epikrise/examples/epikrise-1.2.xml",
    "dialog 1.0": "kith_dialog/examples/timer-1.0.xml",
    "dialog 1.1": "kith_dialog/examples/helsefaglig.xml",
    "dialog of NAV": "nav_dialog/examples/dialog-1.1.xml",
    "henvisning 1.0": "kith_henvisning/examples/endring-1.0.xml",
    "henvisning 1.1": "kith_henvisning/examples/henvisning-1.1.xml",
    "henvisning 2.0": "kith_henvisning/examples/henvisning-2.0.xml",
    "utskrivning": "kith_plo/examples/utskrivning.xml",
    "innleggelse": "kith_plo/examples/innleggelse.xml",
    "lege": "kith_plo/examples/lege.xml",
    "soknad": "kith_plo/examples/soknad.xml",
}
BORN, SEX = "1971-03-28", "2"
WHO = {"fodt": BORN, "kjonn": SEX}
LOCAL = "21419000008"
"""An H-number; a made-up fødselsnummer may have the same digits."""


# -- KITH --


def _patient(root: etree._Element) -> etree._Element:
    return next(root.iter("{*}Patient"))


def _numbers(patient: etree._Element) -> list[etree._Element]:
    return [item for item in patient if etree.QName(item).localname in ("OffId", "TypeOffId", "Ident")]


def spoken(
    name: str,
    *,
    born: str | None = BORN,
    sex: str | None = SEX,
    number: str | None = None,
    digits: str = "",
    words: str = "",
) -> bytes:
    """An example that says a birth date and a sex (or words for one) of its patient, and no number, or its
    own number or these digits as one of this kind."""
    root = etree.fromstring((FOLDER / EXAMPLES[name]).read_bytes())
    patient, space = _patient(root), etree.QName(_patient(root)).namespace
    older = any(etree.QName(item).localname == "OffId" for item in patient)
    for item in _numbers(patient):
        if number is None:
            patient.remove(item)
        for kind in (item, *item):
            if number is not None and etree.QName(kind).localname in ("TypeOffId", "TypeId"):
                kind.set("V", number)
            if digits and (kind.text or "").strip().isdigit():
                kind.text = digits
    said_sex = etree.Element(f"{{{space}}}Sex", V=sex) if sex is not None else None
    if words:
        said_sex = etree.Element(f"{{{space}}}Sex", DN=words)
    said_born = etree.Element(f"{{{space}}}DateOfBirth") if born is not None else None
    if said_born is not None and older:
        said_born.set("V", str(born))
    elif said_born is not None:
        said_born.text = born
    names = [item for item in patient if etree.QName(item).localname.endswith("Name")]
    at = patient.index(names[0]) if older else patient.index(names[-1]) + 1
    for said in [said_sex, said_born] if older else [said_born, said_sex]:
        if said is not None:
            patient.insert(at, said)
            at += 1
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def adapter_of(body: bytes) -> Adapter:
    return REGISTRY.recognise("application/xml", body)


def refused(body: bytes) -> list[str]:
    with pytest.raises(HubError) as told:
        adapter_of(body).parse(body)
    assert all(finding.line and finding.column and finding.nb for finding in told.value.findings)
    assert set(receipt_codes(told.value)) <= {"E30", "E31", "E32", "E36", "T02"}
    return [finding.rule for finding in told.value.findings]


OTHERS = [("", ""), ("HNR", LOCAL), ("HNR", "17"), ("PNR", "AB123456"), ("DUF", "199912345678"), ("XXX", "1")]
"""Numbers that lead to nobody elsewhere, each of its kind: of a house, a passport, another register."""


@pytest.mark.parametrize(("number", "digits"), OTHERS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_birth_date_and_sex_do_instead_of_a_number(
    name: str, number: str, digits: str, absent_reference: Absent
) -> None:
    body = spoken(name, number=number or None, digits=digits)
    adapter = adapter_of(body)
    record = adapter.parse(body)

    person = record.fields["person"]
    assert {**WHO, "navn": person["navn"]} == person
    assert TYPES[record.type].check(record.fields) == ()
    written = adapter.render(record)
    assert adapter.parse(written).fields["person"] == person
    if len(digits) > 5:
        assert digits.encode() not in written
    if (national := schemas(2, absent_reference)) is not None:
        for each in (body, written):
            assert national.findings(etree.fromstring(each), each) == ()


@pytest.mark.parametrize(("number", "digits"), OTHERS)
def test_a_number_that_leads_to_nobody_elsewhere_is_left_behind(number: str, digits: str) -> None:
    for name in ("epikrise 1.2", "dialog 1.1"):
        body = spoken(name, number=number or None, digits=digits)
        assert set(adapter_of(body).parse(body).fields["person"]) == {"navn", "fodt", "kjonn"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_beside_a_number_they_are_left_behind(name: str) -> None:
    body = spoken(name, number="FNR")

    person = adapter_of(body).parse(body).fields["person"]

    assert set(person) == {"id", "navn"}


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize(
    ("born", "sex"),
    [(BORN, None), (None, SEX), (BORN, "0"), (BORN, "9"), (BORN, "K"), (BORN, ""), (None, None)],
)
def test_one_of_them_is_too_little(name: str, born: str | None, sex: str | None) -> None:
    assert refused(spoken(name, born=born, sex=sex))[0] == "person-number-missing"
    assert refused(spoken(name, born=born, sex=sex, number="HNR", digits=LOCAL))[0] == "person-number-local"


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_sex_in_words_alone_is_none_and_breaks_nothing_beside_a_number(name: str) -> None:
    assert set(adapter_of(body := spoken(name, words="Mann", number="FNR")).parse(body).fields["person"]) == {
        "id",
        "navn",
    }
    assert refused(spoken(name, words="Mann"))[0] == "person-number-missing"


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize(
    ("kind", "digits"), [("fnr", ""), ("XXX", ""), ("HNR", ""), ("PNR", ""), ("XXX", LOCAL)]
)
def test_a_number_that_is_called_by_another_name_is_not_left_behind(
    name: str, kind: str, digits: str
) -> None:
    assert refused(spoken(name, number=kind, digits=digits)) == ["person-number-local"]


@pytest.mark.parametrize("name", ["epikrise 1.2", "henvisning 1.1"])
@pytest.mark.parametrize("born", ["1971", "1971-03"])
def test_a_birth_date_that_is_not_whole_is_too_little(name: str, born: str) -> None:
    assert refused(spoken(name, born=born)) == ["person-number-missing"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_name_is_needed_all_the_same(name: str) -> None:
    root = etree.fromstring(spoken(name))
    for item in _patient(root):
        if etree.QName(item).localname.endswith("Name"):
            item.text = " "

    assert "person-name-missing" in refused(etree.tostring(root))


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_number_with_a_slip_in_it_is_not_made_good(name: str) -> None:
    root = etree.fromstring(spoken(name, number="FNR"))
    number = next(item for item in _patient(root).iter() if (item.text or "").strip().isdigit())
    digits = (number.text or "").strip()
    number.text = digits[:-1] + str((int(digits[-1]) + 1) % 10)

    assert refused(etree.tostring(root)) == ["person-number"]


# -- FHIR --


def bundle(**patient: Any) -> dict[str, Any]:
    """The example of an epikrise with these elements of its Patient; None takes one away."""
    made: dict[str, Any] = json.loads((FOLDER / "fhir_epikrise/examples/epikrise.json").read_text())
    for entry in made["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            entry["resource"].update(patient)
            for name in [name for name, value in entry["resource"].items() if value is None]:
                del entry["resource"][name]
    return made


def read_fhir(document: Mapping[str, Any]) -> Record:
    body = json.dumps(document).encode()
    adapter = REGISTRY.recognise("application/fhir+json", body)
    record = adapter.parse(body)
    assert TYPES[record.type].check(record.fields) == ()
    assert adapter.parse(adapter.render(record)).fields["person"] == record.fields["person"]
    return record


FOREIGN = [{"system": "urn:oid:2.16.840.1.113883.4.330.752", "value": "19121212"}]
HELP = [{"type": {"coding": [{"code": "HNR"}]}, "system": "HNR", "value": LOCAL}]
SOUND = "15859010099"
HIDDEN: list[Any] = [
    {"value": SOUND},
    {"system": "URN:OID:2.16.578.1.12.4.1.4.1", "value": SOUND},
    {"system": "2.16.578.1.12.4.1.4.1", "value": SOUND},
    {"system": "HNR", "value": SOUND},
    {"system": "urn:x", "type": {"coding": [{"code": "HNR"}]}, "value": SOUND},
    {"system": "urn:x", "value": LOCAL},
    {"system": ["urn:x"], "value": "1"},
    {"system": {"a": 1}, "value": "1"},
    "1",
    17,
]
"""Identifiers that say a number, or look as if."""


CODED = [{**HELP[0], "system": "urn:x"}]


@pytest.mark.parametrize(
    "identifier", [None, FOREIGN, HELP, CODED, [*FOREIGN, *HELP], [{**HELP[0], "type": None}]]
)
@pytest.mark.parametrize(("gender", "sex"), [("male", "1"), ("female", "2")])
def test_a_patient_of_fhir_is_described(identifier: Any, gender: str, sex: str) -> None:
    record = read_fhir(bundle(identifier=identifier, birthDate=BORN, gender=gender))

    person = record.fields["person"]
    assert person == {"navn": person["navn"], "fodt": BORN, "kjonn": sex}


def test_a_patient_of_fhir_with_a_number_is_not() -> None:
    assert set(read_fhir(bundle(birthDate=BORN, gender="male")).fields["person"]) == {"id", "navn"}


@pytest.mark.parametrize(
    "said",
    [
        {"gender": "other"},
        {"gender": "unknown"},
        {"gender": None},
        {"birthDate": None},
        {"birthDate": "1971-03"},
        {"birthDate": "1971"},
        {"name": None},
        {"name": [{"use": "old", "text": "Kari Prøve"}]},
        {"name": {"text": "Kari Prøve"}},
        {"_birthDate": {"extension": [{"url": "urn:x", "valueString": "x"}]}},
        {"_gender": {"extension": [{"url": "urn:x", "valueString": "x"}]}},
    ],
    ids=str,
)
@pytest.mark.parametrize("identifier", [None, FOREIGN])
def test_less_of_a_patient_of_fhir_is_too_little(said: dict[str, Any], identifier: Any) -> None:
    document = bundle(**{"identifier": identifier, "birthDate": BORN, "gender": "male", **said})

    with pytest.raises(HubError) as told:
        read_fhir(document)

    assert any("identifier" in finding.at for finding in told.value.findings)


@pytest.mark.parametrize("identifier", HIDDEN, ids=str)
def test_an_identifier_that_may_be_a_number_is_not_left_behind(identifier: Any) -> None:
    for said in ([identifier], [*FOREIGN, identifier], identifier):
        with pytest.raises(HubError) as told:
            read_fhir(bundle(identifier=said, birthDate=BORN, gender="male"))

        assert told.value.code == "parse.invalid"
        assert any("identifier" in finding.at for finding in told.value.findings)


def test_a_number_of_fhir_with_a_slip_or_an_end_is_not_made_good() -> None:
    (number,) = next(
        entry["resource"]["identifier"]
        for entry in bundle()["entry"]
        if entry["resource"]["resourceType"] == "Patient"
    )
    over = {**number, "period": {"end": "2001-01-01"}}
    slip = {**number, "value": "15859010098"}

    with pytest.raises(HubError) as ended:
        read_fhir(bundle(identifier=[over], birthDate=BORN, gender="male"))
    assert [finding.rule for finding in ended.value.findings] == ["ended"]
    body = json.dumps(bundle(identifier=[slip], birthDate=BORN, gender="male")).encode()
    record = REGISTRY.recognise("application/fhir+json", body).parse(body)
    assert [finding.at for finding in TYPES["epikrise"].check(record.fields)] == ["person.id"]


@pytest.mark.parametrize("to", ["fhir-epikrise", "fhir-epikrise-xml"])
def test_kith_and_fhir_say_the_same_patient(to: str) -> None:
    record = adapter_of(spoken("epikrise 1.2")).parse(spoken("epikrise 1.2"))
    adapter = REGISTRY.by_name(to)

    written = adapter.render(record)

    again = adapter.parse(written)
    assert again.fields["person"] == record.fields["person"]
    back = REGISTRY.by_name("kith-epikrise-1.2")
    assert back.parse(back.render(again)).fields["person"] == record.fields["person"]


# -- the types, and plain JSON --


def _plain(person: Mapping[str, Any]) -> dict[str, Any]:
    record = adapter_of(spoken("epikrise 1.2")).parse(spoken("epikrise 1.2"))
    return {**copy.deepcopy(dict(record.fields)), "person": dict(person)}


NAMED = {"navn": "Kari Prøve"}
PERSONS: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "a number": ({"id": "15859010099"}, []),
    "a number and a name": ({"id": "15859010099", **NAMED}, []),
    "a description": ({**NAMED, **WHO}, []),
    "no name": (dict(WHO), [("person.id", "missing")]),
    "no sex": ({**NAMED, "fodt": BORN}, [("person.id", "missing")]),
    "no birth date": ({**NAMED, "kjonn": SEX}, [("person.id", "missing")]),
    "a name alone": (dict(NAMED), [("person.id", "missing")]),
    "both": ({"id": "15859010099", **NAMED, **WHO}, [("person.fodt", "beside"), ("person.kjonn", "beside")]),
    "a number and a sex": ({"id": "15859010099", "kjonn": SEX}, [("person.kjonn", "beside")]),
    "a sex that is not known": ({**NAMED, "fodt": BORN, "kjonn": "0"}, [("person.kjonn", "code")]),
    "a month": ({**NAMED, "fodt": "1971-03", "kjonn": SEX}, [("person.fodt", "format")]),
}


@pytest.mark.parametrize(("person", "expected"), PERSONS.values(), ids=PERSONS)
def test_a_type_and_its_schema_take_a_number_or_a_description(
    person: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    spec = TYPES["epikrise"]
    fields = _plain(person)

    found = [(finding.at, finding.rule) for finding in spec.check(fields)]

    assert found == expected
    schema = Draft202012Validator(spec.json_schema())
    assert schema.is_valid({"type": "epikrise", **fields}) == (not expected)


@pytest.mark.parametrize("name", sorted(TYPES))
def test_only_what_the_national_standards_speak_of_may_be_described(name: str) -> None:
    paths = TYPES[name].by_path
    assert ("person.fodt" in paths, "person.kjonn" in paths) == (name in DESCRIBED, name in DESCRIBED)


def _others() -> Iterator[str]:
    for name, spec in TYPES.items():
        if name not in DESCRIBED and "person.id" in spec.by_path:
            yield name


@pytest.mark.parametrize("name", sorted(_others()))
def test_every_other_type_needs_the_number(name: str) -> None:
    found = {finding.at for finding in TYPES[name].check({"person": {**NAMED, **WHO}})}

    assert {"person", "person.id"} <= found


# -- each check is needed --

TESTS: list[Callable[..., Any]] = [
    test_a_number_that_leads_to_nobody_elsewhere_is_left_behind,
    test_beside_a_number_they_are_left_behind,
    test_one_of_them_is_too_little,
    test_a_sex_in_words_alone_is_none_and_breaks_nothing_beside_a_number,
    test_a_number_that_is_called_by_another_name_is_not_left_behind,
    test_an_identifier_that_may_be_a_number_is_not_left_behind,
    test_a_birth_date_that_is_not_whole_is_too_little,
    test_a_name_is_needed_all_the_same,
    test_a_number_with_a_slip_in_it_is_not_made_good,
    test_a_patient_of_fhir_is_described,
    test_a_patient_of_fhir_with_a_number_is_not,
    test_less_of_a_patient_of_fhir_is_too_little,
    test_a_number_of_fhir_with_a_slip_or_an_end_is_not_made_good,
    test_kith_and_fhir_say_the_same_patient,
    test_a_type_and_its_schema_take_a_number_or_a_description,
]


@each(
    [
        (rules, "if not usable and not others and _is", "if not others and _is"),
        (rules, "if not usable and not others and _is", "if not usable and _is"),
        (rules, "if not usable and not others and _is", "if False and _is"),
        (rules, ' and not (kind == "HNR" and "HNR" in found)', ""),
        (rules, ' and not (kind == "HNR" and "HNR" in found)', ' and kind != "HNR"'),
        (rules, ' and not (kind == "HNR" and "HNR" in found)', ' and "HNR" not in found'),
        (
            fhir_parts,
            "    if not isinstance(identifier, Mapping):\n        return True\n    system, value",
            "    system, value",
        ),
        (fhir_parts, "not isinstance(system, str | None) or system in", "system in"),
        (fhir_parts, 'system == "HNR" or "HNR" in coded)', "True)"),
        (fhir_parts, '(system == "HNR" or "HNR" in coded)', 'system == "HNR"'),
        (fhir_parts, 'local = "HNR" in found and (', "local = ("),
        (fhir_parts, 'one.get("use") in _FORMER) for one in names', "False) for one in names"),
        (rules, 'said.get("DateOfBirth") is not None and said', "said"),
        (rules, ' and said.get("Sex") in SEXES', ""),
        (rules, ' and said.get("Sex") in SEXES', ' and said.get("Sex")'),
        (rules, '"DateOfBirth": "day"', '"DateOfBirth": "V"'),
        (rules, 'if "id" in fields or "fodt"', 'if "fodt"'),
        (rules, "    _described(fields)\n", ""),
        (fhir_parts, "if numbered or beside or not", "if beside or not"),
        (fhir_parts, "if numbered or beside or not", "if numbered or not"),
        (fhir_parts, '_birthDate") or patient.has("_gender")', '_birthDate")'),
        (fhir_parts, 'patient.has("_birthDate") or ', ""),
        (fhir_parts, " or not _has_a_name(patient)", ""),
        (fhir_parts, " if _WHOLE_DATE.fullmatch(born) and", " if"),
        (
            fhir_parts,
            "SEXES[sex]} if _WHOLE_DATE.fullmatch(born) and sex in SEXES",
            'SEXES.get(sex, "1")} if _WHOLE_DATE.fullmatch(born)',
        ),
        (fhir_parts, "            identifier.ignore_all()\n    for", "            pass\n    for"),
        (fhir_parts, '"birthDate": fields.get("fodt"),', ""),
        (fhir_parts, '"gender": genders.get(str(fields.get("kjonn"))),', ""),
        (beyond, '"navn", "fodt", "kjonn"', '"navn"'),
        (types, "if spec.not_beside in given:", "if False:"),
        (types, "elif spec.is_missing(given):", "elif spec.required:"),
        (types, "elif spec.is_missing(given):", "elif spec.required and not spec.instead:"),
        (json_schema, "spec.required and not spec.instead]", "spec.required]"),
        (json_schema, "[[[spec.name], list(spec.instead)]", "[[[spec.name], []]"),
        (json_schema, "if alone else", "if False else"),
    ]
)
def test_each_check_is_needed(where: ModuleType, old: str, new: str) -> None:
    expect_noticed(where, old, new, lambda: (case for test in TESTS for case in rows(test)))
