from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hub.errors import HubError
from hub.message import Category, Purpose, Record, walk
from mappings.fields import FieldSpec, Kind, Text
from mappings.types import HERE, NotOurs, TypeSpec, load_types
from tests.mappings.samples import AUDIT, DUDIT, MELDING, PERSON, brik, screening

TYPES = load_types()
BRIK = TYPES["brik.kartlegging"]
SECRET = "kanarifugl"


def rules(spec: TypeSpec, fields: dict[str, Any]) -> set[tuple[str, str]]:
    return {(finding.at, finding.rule) for finding in spec.check(fields)}


def test_every_file_is_a_type_and_every_field_is_said_in_both_languages() -> None:
    assert set(TYPES) == {file.stem for file in (HERE / "types").glob("*.yaml")}
    for spec in TYPES.values():
        for field in spec.by_path.values():
            assert "" not in (field.says.nb, field.says.en)
            assert field.says.nb != field.says.en, (spec.name, field.path)


def test_every_leaf_has_a_label_and_none_is_unknown() -> None:
    for spec in TYPES.values():
        for field in spec.scalars:
            assert field.labels - {Category.UNKNOWN} == field.labels != frozenset(), field.path


def test_everything_about_rus_is_labelled_substance_use() -> None:
    for spec in TYPES.values():
        for field in spec.scalars:
            if field.path.startswith("rus."):
                assert field.labels == {Category.SUBSTANCE_USE}, (spec.name, field.path)


def test_a_wish_for_contact_with_the_health_service_tells_nothing_about_health() -> None:
    assert BRIK.field("helse.onsker_kontakt").labels == {Category.COORDINATION}


def test_nav_gets_no_free_text() -> None:
    assert not [field.path for field in TYPES["nav.sak"].scalars if field.kind is Kind.FREE_TEXT]


def test_a_consent_names_exactly_the_purposes_and_categories_that_the_hub_knows() -> None:
    spec = TYPES["samtykke.gitt"]
    not_for_consent = {Category.PROTECTED_ADDRESS, Category.UNKNOWN}

    assert set(spec.field("formal").codes) == set(Purpose)
    assert set(spec.field("kategorier").codes) == set(Category) - not_for_consent


def test_a_full_mapping_fits() -> None:
    fields = brik(
        kommuner={"opphold": "9901"},
        rus={"behov": "stort", "audit": screening("AUDIT", AUDIT), "dudit": screening("DUDIT", DUDIT)},
        bolig={"behov": "noe", "merknad": "To linjer.\nMed tekst."},
    )

    assert BRIK.check(fields) == ()


@pytest.mark.parametrize(
    ("path", "value", "at", "rule"),
    [
        ("enhet", None, "enhet", "type"),
        ("enhet", "", "enhet", "empty"),
        ("enhet", "  ", "enhet", "empty"),
        ("enhet", "x" * 121, "enhet", "too-long"),
        ("enhet", "a\nb", "enhet", "control-character"),
        ("enhet", "a\x00b", "enhet", "control-character"),
        ("enhet", "a\ud800b", "enhet", "control-character"),
        ("enhet", ["a"], "enhet", "type"),
        ("person", {"id": PERSON[:-1] + str((int(PERSON[-1]) + 1) % 10)}, "person.id", "checksum"),
        ("person", {"id": int(PERSON)}, "person.id", "type"),
        ("person", {}, "person", "empty"),
        ("person", "x", "person", "type"),
        ("bolig", {"behov": SECRET}, "bolig.behov", "code"),
        ("bolig", {"behov": True}, "bolig.behov", "type"),
        ("bolig", {"prioritet": 10}, "bolig.prioritet", "range"),
        ("bolig", {"prioritet": True}, "bolig.prioritet", "type"),
        ("bolig", {"prioritet": 1.0}, "bolig.prioritet", "type"),
        ("bolig", {"onske": "true"}, "bolig.onske", "type"),
        ("bolig", {"siste_dato": "2030-02-30"}, "bolig.siste_dato", "format"),
        ("bolig", {"siste_dato": "20300201"}, "bolig.siste_dato", "format"),
        ("bolig", {"siste_dato": "0001-01-01"}, "bolig.siste_dato", "format"),
        ("bolig", [{"behov": "noe"}], "bolig", "type"),
        ("bolig", {SECRET: "x"}, "bolig", "unknown-field"),
        (SECRET, "x", "", "unknown-field"),
        ("kommuner", {"opphold": "901"}, "kommuner.opphold", "format"),
        ("kommuner", {"opphold": "٩٩٠١"}, "kommuner.opphold", "format"),
        ("melding", {"id": "m 1", "sendt": MELDING["sendt"]}, "melding.id", "pattern"),
        ("melding", {"id": "m" * 101, "sendt": MELDING["sendt"]}, "melding.id", "too-long"),
        ("melding", {"id": "m", "sendt": "2030-02-01T12:00:00"}, "melding.sendt", "format"),
        ("melding", {"id": "m", "sendt": "2030-02-01T25:00:00Z"}, "melding.sendt", "format"),
        ("melding", {**MELDING, "mottaker": "311010019"}, "melding.mottaker", "checksum"),
        ("tilbud", {"dato": "2030-01-01"}, "tilbud.status", "missing"),
    ],
)
def test_a_wrong_value_is_found_and_never_repeated(path: str, value: object, at: str, rule: str) -> None:
    findings = BRIK.check(brik(**{path: value}))

    assert (at, rule) in {(finding.at, finding.rule) for finding in findings}
    assert SECRET not in repr(findings)


def test_all_faults_are_found_at_once() -> None:
    found = rules(BRIK, {"melding": {"id": "m"}, "bolig": {"behov": "X", "prioritet": 0}})

    assert found == {
        ("melding.sendt", "missing"),
        ("person", "missing"),
        ("enhet", "missing"),
        ("tilbud", "missing"),
        ("bolig.behov", "code"),
        ("bolig.prioritet", "range"),
        ("bolig", "only-when"),
    }


@pytest.mark.parametrize(
    ("change", "at", "rule"),
    [
        ({"sum": 23}, "rus.audit.sum", "sum"),
        ({"sum": 41}, "rus.audit.sum", "range"),
        ({"svar": AUDIT[:9]}, "rus.audit.svar", "length"),
        ({"svar": [5, *AUDIT[1:]]}, "rus.audit.svar[0]", "range"),
        ({"svar": [*AUDIT[:9], 3], "sum": 23}, "rus.audit.svar[9]", "items"),
        ({"svar": 22}, "rus.audit.svar", "type"),
        ({"svar": []}, "rus.audit.svar", "length"),
        ({"svar": ["3", *AUDIT[1:]]}, "rus.audit.svar[0]", "type"),
        ({"instrument": "DUDIT"}, "rus.audit.instrument", "code"),
    ],
)
def test_a_screening_that_does_not_add_up_is_found(change: dict[str, Any], at: str, rule: str) -> None:
    fields = brik(rus={"audit": {**screening("AUDIT", AUDIT), **change}})

    assert (at, rule) in rules(BRIK, fields)


@pytest.mark.parametrize("status", ["tilbudt", "avslatt"])
def test_who_declined_has_nothing_mapped(status: str) -> None:
    fields = brik(tilbud={"status": status}, bolig={"behov": "noe"})

    assert rules(BRIK, fields) == {("bolig", "only-when")}


def test_an_order_of_days_is_checked() -> None:
    spec = TYPES["epikrise"]
    fields = {
        "melding": MELDING,
        "person": {"id": PERSON},
        "dato": "2030-01-01",
        "periode": {"fra": "2030-02-01", "til": "2030-01-01"},
    }

    assert rules(spec, fields) == {("periode.til", "not-before"), ("diagnoser", "at-least-one")}


def test_a_receipt_is_for_what_it_answers() -> None:
    fields = {"melding": {**MELDING, "svar_pa": "a"}, "gjelder": "b", "status": "mottatt"}

    assert rules(TYPES["kvittering"], fields) == {("melding.svar_pa", "same")}


def test_the_leaves_are_every_scalar_with_what_is_declared_about_it() -> None:
    spec = TYPES["epikrise"]
    diagnosis = {"system": "urn:oid:1.2.3", "kode": "J45", "tekst": "Astma"}
    section = {"kode": "1-1", "tittel": "Om", "tekst": "Tekst"}
    record = Record("epikrise", {"diagnoser": [diagnosis], "seksjoner": [section]})

    leaves = {leaf.path: leaf for leaf in spec.leaves(record)}

    assert set(leaves) == {path for path, _ in walk(record.fields)}
    assert leaves["diagnoser[0].kode"].code_system == "urn:oid:1.2.3"
    assert leaves["seksjoner[0].kode"].code_system == "http://loinc.org"
    assert leaves["seksjoner[0].tekst"].free_text
    assert leaves["diagnoser[0].tekst"].labels == {Category.SOMATIC_HEALTH}


def test_a_code_without_a_system_is_still_a_code() -> None:
    record = Record("epikrise", {"diagnoser": [{"kode": "J45"}]})

    assert [leaf.code_system for leaf in TYPES["epikrise"].leaves(record)] == [""]


@pytest.mark.parametrize("fields", [{"x": 1}, {"bolig": "x"}, {"bolig": {"x": {"y": [1]}}}, {"enhet": [[1]]}])
def test_what_is_not_declared_is_unknown(fields: dict[str, Any]) -> None:
    leaves = BRIK.leaves(Record(BRIK.name, fields))

    assert [leaf.labels for leaf in leaves] == [{Category.UNKNOWN}]


def test_the_json_schema_agrees_with_the_type() -> None:
    fields = brik(
        rus={"behov": "noe", "audit": screening("AUDIT", AUDIT)}, bolig={"prioritet": 1, "onske": True}
    )
    schema = Draft202012Validator(BRIK.json_schema())
    body = {"type": BRIK.name, **fields}

    assert schema.is_valid(body)
    for path, value in (("bolig", {"prioritet": 0}), ("bolig", {"x": 1}), ("tilbud", {}), ("enhet", 3)):
        wrong = copy.deepcopy(body)
        wrong[path] = value
        assert not schema.is_valid(wrong), path
    for spec in TYPES.values():
        Draft202012Validator.check_schema(spec.json_schema())


GOOD = """
type: prove
version: 1
title: {nb: Tittel, en: Title}
description: {nb: Om, en: About}
senders: [prison]
person: none
fields:
  a: {kind: text, labels: [housing], nb: Bokmål, en: English}
"""


def load(folder: Path, text: str, name: str = "prove.yaml") -> dict[str, TypeSpec]:
    (folder / name).write_text(text, encoding="utf-8")
    return dict(load_types(folder))


def test_a_small_type_is_read(tmp_path: Path) -> None:
    spec = load(tmp_path, GOOD)["prove"]

    assert [field.path for field in spec.scalars if not field.path.startswith("melding.")] == ["a"]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("nb: Bokmål, ", "", "map.text"),
        (", en: English", "", "map.text"),
        ("labels: [housing], ", "", "map.labels"),
        ("labels: [housing]", "labels: [unknown]", "map.labels"),
        ("labels: [housing]", "labels: [hous]", "map.word"),
        ("kind: text", "kind: string", "map.word"),
        ("kind: text", "kind: text, lable: x", "map.unknown-key"),
        ("kind: text", "kind: code", "map.code"),
        ("kind: text", "kind: code, codes: nowhere", "map.codes"),
        ("kind: text", "kind: code, codes: {ja: {nb: Ja}}", "map.text"),
        ("kind: text", 'kind: text, pattern: "("', "map.pattern"),
        ("kind: text", "kind: group", "map.group"),
        ("kind: text", "kind: text, required: 1", "map.flag"),
        ("  a:", "  A:", "map.name"),
        ("  a:", "  person:", "map.reserved"),
        ("senders: [prison]", "senders: [jail]", "map.word"),
        ("senders: [prison]\n", "", "map.list"),
        ("version: 1", "version: 0", "map.number"),
        ("type: prove", "type: annet", "map.name"),
        ("person: none", "person: none\nx: 1", "map.unknown-key"),
        ("person: none", "person: none\nsupersedes: {series: b, version: a}", "map.path"),
        ("person: none", "person: none\nchecks: [{rule: sums, nb: Nei, en: Never}]", "map.word"),
        (
            "person: none",
            "person: none\nchecks: [{rule: same, fields: [a, b], nb: Nei, en: No1}]",
            "map.path",
        ),
        ("nb: Bokmål", "nb: NO", "yaml.ambiguous"),
        ("version: 1", "version: 1\nversion: 2", "yaml.duplicate"),
    ],
)
def test_a_wrong_type_file_is_refused(tmp_path: Path, old: str, new: str, rule: str) -> None:
    assert old in GOOD

    with pytest.raises(HubError) as refused:
        load(tmp_path, GOOD.replace(old, new))

    assert refused.value.code == "map.invalid"
    assert rule in {finding.rule for finding in refused.value.findings}
    assert all("yaml" in finding.at for finding in refused.value.findings)


def not_ours(name: str, status: object, **kommune: str) -> dict[str, Any]:
    said = {"melding": MELDING, "person": {"id": "15859010099"}}
    told = {"status": status, **kommune}
    matter = {"tema": "tilbakeforing", "handling": "svar", "svar": told}
    return said | (matter if name == "nav.sak" else told)


@pytest.mark.parametrize(
    ("name", "status", "at"),
    [
        ("bolig.svar", "ansvar_bestridt", "foreslatt_kommune"),
        ("bolig.svar", "avslag", None),
        ("nav.sak", "ikke_var", "svar.foreslatt_kommune"),
        ("nav.sak", "ferdig", None),
    ],
)
def test_whoever_says_not_ours_names_a_kommune(name: str, status: str, at: str | None) -> None:
    spec = TYPES[name]

    assert rules(spec, not_ours(name, status)) == ({(at, "required-when")} if at else set())
    assert rules(spec, not_ours(name, status, foreslatt_kommune="9902")) == set()
    assert {rule for _, rule in rules(spec, not_ours(name, ["x"]))} == {"type"}


SAYS = "not_ours: {asked: prove, field: a, code: bestridt, kommune: kommune}"
ANSWER = GOOD.replace(
    "  a: {kind: text",
    """  kommune: {kind: kommunenummer, labels: [housing], nb: Bokmål, en: English}
  a: {kind: code, codes: {bestridt: {nb: Nei, en: Never}}""",
).replace("person: none", f"person: none\n{SAYS}")


def test_how_an_answer_says_that_it_is_not_theirs_is_read(tmp_path: Path) -> None:
    assert load(tmp_path, ANSWER)["prove"].not_ours == NotOurs("prove", "a", "bestridt", "kommune")
    assert TYPES["epikrise"].not_ours is None


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("asked: prove", "asked: annet", "map.not-ours"),
        ("field: a", "field: b", "map.not-ours"),
        ("field: a", "field: kommune", "map.not-ours"),
        ("code: bestridt", "code: avslag", "map.not-ours"),
        ("kommune: kommune", "kommune: a", "map.not-ours"),
        ("kommune: kommune", "kommune: sted", "map.not-ours"),
        ("asked: prove, ", "", "map.text"),
        ("field: a", "felt: a", "map.unknown-key"),
    ],
)
def test_how_an_answer_is_not_theirs_must_make_sense(tmp_path: Path, old: str, new: str, rule: str) -> None:
    assert old in ANSWER

    with pytest.raises(HubError) as refused:
        load(tmp_path, ANSWER.replace(old, new))

    assert rule in {finding.rule for finding in refused.value.findings}


FILE_VALUES = [
    ("aGVp", None),
    ("aGVp" * 4, "too-long"),
    ("aGV", "format"),
    ("aG p", "format"),
    ("!", "format"),
    ("", "empty"),
    (17, "type"),
]


@pytest.mark.parametrize(("value", "rule"), FILE_VALUES, ids=str)
def test_a_file_is_base64_of_so_many_bytes(value: object, rule: str | None) -> None:
    spec = FieldSpec("fil", Kind.FILE, Text("fil", "file"), most=11)

    assert spec.fault(value) == rule


def test_a_file_is_a_leaf_that_knows_its_type_and_its_name() -> None:
    fields = {"vedlegg": [{"navn": "a.txt", "type": "text/plain", "innhold": "aGVp"}, {"innhold": "aGVp"}]}
    leaves = {leaf.path: leaf.file for leaf in TYPES["epikrise"].leaves(Record("epikrise", fields))}

    assert leaves["vedlegg[0].innhold"] == ("text/plain", "a.txt")
    assert leaves["vedlegg[1].innhold"] == ("", "")
    assert leaves["vedlegg[0].navn"] is None
    schema = TYPES["epikrise"].json_schema()["properties"]["vedlegg"]["items"]["properties"]["innhold"]
    assert (schema["contentEncoding"], schema["type"]) == ("base64", "string")


@pytest.mark.parametrize(
    ("zone", "taken"),
    [
        ("Z", True),
        ("+14:00", True),
        ("-13:59", True),
        ("+14:01", False),
        ("+23:59", False),
        ("-15:00", False),
    ],
)
def test_a_time_has_a_zone_that_every_format_can_say(zone: str, taken: bool) -> None:
    """XML Schema (dateTime, 3.2.7.3) ends at fourteen hours: more could never be written there."""
    sent = load_types()["brik.kartlegging"].field("melding.sendt")

    assert (sent.fault(f"2026-11-20T09:00:00{zone}") is None) is taken
