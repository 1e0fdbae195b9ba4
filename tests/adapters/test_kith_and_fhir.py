"""Understands what survives when a KITH epikrise becomes a FHIR document, and the other way round."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import adapters
from adapters.fhir_epikrise.beyond import LEFT_OUT, SAID, WRITTEN
from adapters.kith_epikrise.adapter import ADAPTERS
from adapters.registry import adapters_for
from adapters.safe_xml import read_xml
from hub.errors import HubError
from hub.message import Record
from mappings.types import load_types
from tests.adapters.national import Absent, samples, schemas

TYPES = load_types()
REGISTRY = adapters_for(TYPES)
FOLDER = Path(adapters.__file__).parent
FHIR = REGISTRY.by_name("fhir-epikrise")
KITH = ADAPTERS[1]
README = " ".join((FOLDER / "kith_epikrise/README.md").read_text(encoding="utf-8").split())


def test_every_field_of_the_type_is_written_said_or_left_out_for_a_reason_that_the_readme_tells() -> None:
    beyond = [
        field.path
        for field in TYPES["epikrise"].scalars
        if (top := field.path.partition(".")[0]) not in {*SAID, *LEFT_OUT}
        and not (top in WRITTEN and field.path.partition(".")[2].partition(".")[0] in ("", *WRITTEN[top]))
    ]

    assert beyond == []
    lost = FHIR.loses
    kept = [
        field.path
        for field in TYPES["epikrise"].scalars
        if not any(field.path == one or field.path.startswith(f"{one}.") for one in lost)
    ]
    assert {path for path in kept if path.split(".")[0] not in WRITTEN} == set()
    assert all(
        path.split(".")[1] in WRITTEN[path.split(".")[0]] for path in kept if WRITTEN[path.split(".")[0]]
    )
    assert all(path in TYPES["epikrise"].by_path for path in lost)
    assert {reason for reason in LEFT_OUT.values() if reason not in README} == set()
    assert {name for name in {*SAID, *LEFT_OUT} if f"`{name}`" not in README} == set()


def codes(record: Record, name: str) -> list[tuple[Any, Any, Any]]:
    words = "navn" if name == "legemidler" else "tekst"
    return [(one["system"], one["kode"], one.get(words)) for one in record.fields.get(name, [])]


def sections(record: Record) -> str:
    return "\n".join(f"{one['tittel']}\n{one['tekst']}" for one in record.fields.get("seksjoner", []))


def survives(record: Record) -> Record:
    """The record after FHIR, when all that matters came through."""
    there = FHIR.parse(FHIR.render(record))
    further = record.fields.get("hendelser", [])

    assert there.get("person") == record.get("person")
    assert (there.get("melding"), there.get("dato")) == (record.get("melding"), record.get("dato"))
    for name in ("diagnoser", "legemidler"):
        merged = Record(
            "", {name: [*record.fields.get(name, []), *(c for e in further for c in e.get(name, []))]}
        )
        assert codes(there, name) == codes(merged, name)
    assert [m.get("dosering") for m in there.fields.get("legemidler", [])] == [
        m.get("dosering") for m in record.fields.get("legemidler", [])
    ]
    said = sections(there)
    for name in ("seksjoner", "opplysninger", "resultater", "hensyn"):
        for item in record.fields.get(name, []):
            for field in ("tittel", "beskrivelse", "merknad", "verdi", "navn"):
                assert str(item.get(field, "")) in said
            assert all(line in said for line in str(item.get("tekst", "")).split("\n"))
    for item in record.fields.get("legemidler", []):
        assert str(item.get("styrke", "")) in said
    return there


def back(there: Record, absent: Absent) -> Record:
    """The record after KITH again, when what is written is valid and says the same."""
    body = KITH.render(there)
    again = KITH.parse(body)

    if (national := schemas(1, absent)) is not None:
        assert national.findings(read_xml(body), body) == ()
    return again


def without_answer(fields: Mapping[str, Any]) -> dict[str, Any]:
    melding = {name: value for name, value in fields["melding"].items() if name != "svar_pa"}
    return {**fields, "melding": melding}


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda a: a.name)
def test_our_examples_survive_fhir_and_come_back(adapter: Any, absent_reference: Absent) -> None:
    file = next((FOLDER / "kith_epikrise/examples").glob(f"*{adapter.name[-3:]}.xml"))
    there = survives(adapter.parse(file.read_bytes()))

    assert back(there, absent_reference).fields == without_answer(there.fields)


def test_the_national_samples_survive_fhir_and_come_back(absent_reference: Absent) -> None:
    parties = {"avsender": "310000019", "mottaker": "310000027"}
    for file in samples("sarepta-standarder/eksempel/Epikrise/**/*.xml", 4, absent_reference):
        record = REGISTRY.recognise("application/xml", file.read_bytes()).parse(file.read_bytes())
        if record.get("handling") == "C":
            continue
        record = Record("epikrise", {**record.fields, "melding": {**record.fields["melding"], **parties}})
        there = survives(record)

        assert back(there, absent_reference).fields == without_answer(there.fields)


def test_a_fhir_document_becomes_kith_and_comes_back_the_same(absent_reference: Absent) -> None:
    given = FHIR.parse((FOLDER / "fhir_epikrise/examples/epikrise.json").read_bytes())
    named = {"id": "0d6f7c58-2a41-4b7e-9a53-5d1f6f2f9c10", "avsender": "310000019", "mottaker": "310000027"}
    given = Record("epikrise", {**given.fields, "melding": {**given.fields["melding"], **named}})

    again = back(given, absent_reference)

    assert again.fields == without_answer(given.fields)
    assert FHIR.render(again) == FHIR.render(Record("epikrise", without_answer(given.fields)))


@pytest.mark.parametrize(
    ("name", "code"),
    [("handling", "C"), ("handling", "c"), ("handling", "Q"), ("handling", "")]
    + [("status", code) for code in ("P", "S", "A", "R", "X", "I", "C", "f", " F", "FF", "")],
)
@pytest.mark.parametrize("adapter", ["fhir-epikrise", "fhir-epikrise-xml"])
def test_what_a_reader_would_take_for_a_final_summary_is_not_written(
    adapter: str, name: str, code: str
) -> None:
    record = KITH.parse((FOLDER / "kith_epikrise/examples/epikrise-1.2.xml").read_bytes())

    with pytest.raises(HubError) as refused:
        REGISTRY.by_name(adapter).render(Record("epikrise", {**record.fields, name: code}))

    assert refused.value.code == "render.incomplete"
    assert [(finding.at, finding.rule) for finding in refused.value.findings] == [(name, "final")]


@pytest.mark.parametrize("handling", [None, "M"], ids=str)
@pytest.mark.parametrize("status", [None, "F"], ids=str)
def test_a_final_summary_is_written_as_one_or_as_changed(handling: str | None, status: str | None) -> None:
    record = KITH.parse((FOLDER / "kith_epikrise/examples/epikrise-1.2.xml").read_bytes())
    said = {name: code for name, code in (("handling", handling), ("status", status)) if code is not None}
    other = {name: value for name, value in record.fields.items() if name not in ("handling", "status")}

    written = FHIR.render(Record("epikrise", {**other, **said}))

    expected = "amended" if handling else "final"
    assert json.loads(written)["entry"][0]["resource"]["status"] == expected


def fhir_text(**said: Any) -> tuple[Record, str]:
    """What the document says of our example with these fields, and its sections in words."""
    record = KITH.parse((FOLDER / "kith_epikrise/examples/epikrise-1.2.xml").read_bytes())
    there = FHIR.parse(FHIR.render(Record("epikrise", {**record.fields, **said})))
    return there, sections(there)


MEDICINE = {"system": "urn:oid:2.16.578.1.12.4.1.1.7180", "kode": "N02AA01", "navn": "Morfin"}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("10", "Allergisk mot"),
        ("4", "Anbefalt å slutte å innta"),
        ("3", "kode 3 i 7307"),
        ("99", "kode 99"),
    ],
)
def test_a_medicine_that_is_not_taken_is_said_in_words_and_never_active(status: str, words: str) -> None:
    there, said = fhir_text(legemidler=[{**MEDICINE, "status": status}])

    assert "legemidler" not in there.fields
    assert f"Morfin; status: {words}" in said
    assert any(
        {"system": MEDICINE["system"], "kode": "N02AA01", "tekst": "Morfin"} in one.get("koder", [])
        for one in there.fields["seksjoner"]
    )


@pytest.mark.parametrize("status", [None, "1", "2", "5", "6"], ids=str)
def test_a_medicine_that_is_taken_is_active(status: str | None) -> None:
    there, _ = fhir_text(legemidler=[{**MEDICINE, **({"status": status} if status else {})}])

    assert there.fields["legemidler"] == [MEDICINE]


def test_a_medicine_whose_time_was_over_is_not_active() -> None:
    there, said = fhir_text(legemidler=[{**MEDICINE, "fra": "2019-01-01", "til": "2019-02"}])

    assert "legemidler" not in there.fields
    assert "N02AA01 Morfin; fra 2019-01-01; til 2019-02" in said


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"dodstidspunkt": "2026-11-01T03:00:00"}, "Død: 2026-11-01T03:00:00"),
        ({"utskrevet_til": "2"}, "Utskrevet til: Død"),
        ({"utskrevet_til": "77"}, "Utskrevet til: 77"),
        ({"utskrevet_til_tekst": "Sykehjem"}, "Utskrevet til: Sykehjem"),
        ({"omsorgsniva": "3"}, "Omsorgsnivå: Poliklinisk omsorg"),
        ({"tjeneste": "LAR"}, "Tjeneste: LAR"),
        ({"fagfelt": "Rus"}, "Fagfelt: Rus"),
        ({"hendelser": [{"utskrevet_til": "2"}]}, "Utskrevet til: Død"),
        ({"planlagt": {"rad": "ring"}, "hendelser": [{"planlagt": {"rad": "kom"}}]}, "råd: ring\nråd: kom"),
        ({"hendelser": [{"planlagt": {"tid": "2026-12-01"}}]}, "tid 2026-12-01"),
        ({"resultater": [{"navn": "Hb", "hoy": "5", "hoy_enhet": "g"}]}, "Hb; øvre grense <= 5 g"),
        ({"resultater": [{"navn": "Hb", "lav": "5"}]}, "Hb; nedre grense >= 5"),
        ({"resultater": [{"navn": "Hb", "sammenligning": "LT", "verdi": "5", "enhet": "g"}]}, "Hb < 5 g"),
        ({"resultater": [{"navn": "Hb", "sammenligning": "X", "verdi": "5"}]}, "Hb sammenligning X: 5"),
        ({"hensyn": [{"tekst": "Smitte", "til": "2026-01-01"}]}, "Smitte; til 2026-01-01"),
        ({"andre_legemidler": [{"navn": "Urt", "status": "10"}]}, "Urt; status: Allergisk mot"),
    ],
)
def test_what_has_no_element_is_said_with_what_it_is(fields: dict[str, Any], words: str) -> None:
    _, said = fhir_text(**fields)

    assert words in said


@pytest.mark.parametrize(
    ("fields", "path", "day"),
    [
        ({"dato": "2026-06-30", "dato_kl": "23:30:00Z"}, "dato", "2026-07-01"),
        ({"dato": "2026-06-30", "dato_kl": "23:30:00"}, "dato", "2026-06-30"),
        ({"periode": {"fra": "2026-06-30", "fra_kl": "23:30:00Z"}}, "periode.fra", "2026-07-01"),
        ({"periode": {"til": "2026-07-01", "til_kl": "00:30:00+05:00"}}, "periode.til", "2026-06-30"),
    ],
)
def test_a_day_is_one_of_norway(fields: dict[str, Any], path: str, day: str) -> None:
    there, _ = fhir_text(**fields)

    assert there.get(path) == day


@pytest.mark.parametrize(
    ("uri", "oid"),
    [
        ("http://snomed.info/sct", "2.16.840.1.113883.6.96"),
        ("http://loinc.org", "2.16.840.1.113883.6.1"),
        ("http://hl7.org/fhir/sid/icd-10", "2.16.578.1.12.4.1.1.7110"),
        ("http://hl7.org/fhir/sid/icpc-2", "2.16.578.1.12.4.1.1.7170"),
        ("http://www.whocc.no/atc", "2.16.578.1.12.4.1.1.7180"),
    ],
)
def test_a_code_system_with_a_uri_is_written_by_its_oid(uri: str, oid: str) -> None:
    record = KITH.parse((FOLDER / "kith_epikrise/examples/epikrise-1.2.xml").read_bytes())
    coded = [{"system": uri, "kode": "J45", "tekst": "Astma"}]

    again = KITH.parse(KITH.render(Record("epikrise", {**record.fields, "diagnoser": coded})))

    assert [one["system"] for one in again.fields["diagnoser"]] == [f"urn:oid:{oid}"]


@pytest.mark.parametrize("name", ["diagnoser", "legemidler"])
def test_what_is_said_more_of_a_code_is_labelled_by_it(name: str) -> None:
    words = "navn" if name == "legemidler" else "tekst"
    item = {"system": "urn:oid:2.16.578.1.12.4.1.1.7110", "kode": "F11.2", words: "Opioider", "fra": "2020"}

    there, _ = fhir_text(**{name: [item]})

    [section] = [one for one in there.fields["seksjoner"] if "Opioider: fra 2020" in one["tekst"]]
    assert "F11.2" in [code["kode"] for code in section["koder"]]
