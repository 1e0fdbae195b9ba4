"""Understands that an AppRec is read, refused and written as the national standards say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lxml import etree

import adapters
from adapters.apprec.adapter import ADAPTERS, BY_VERSION, TYPE
from adapters.base import Adapter
from adapters.kith.profile import Profile
from adapters.kith.tables import everything
from adapters.registry import adapters_for
from adapters.safe_xml import encoding_of, read_xml
from consent.labels import label, load_codes
from hub.errors import HubError
from hub.message import Category, Record
from mappings.types import load_types
from tests.adapters.national import Absent, samples, schemas

TYPES = load_types()
RECEIPT = TYPES[TYPE]
REGISTRY = adapters_for(TYPES)
FOLDER = Path(adapters.__file__).parent / "apprec"
LIST = "urn:oid:2.16.578.1.12.4.1.1.8221"
README = " ".join((FOLDER / "README.md").read_text(encoding="utf-8").split())


def profile(adapter: Adapter) -> Profile:
    assert isinstance(adapter.profile, Profile)
    return adapter.profile


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda a: a.name)
def test_every_element_has_a_field_of_the_type_or_a_reason_that_the_readme_tells(adapter: Adapter) -> None:
    values = tuple(everything(profile(adapter).root))

    assert {one.field for one in values if one.field} <= set(RECEIPT.by_path)
    assert [one.path for one in values if not one.field and not one.why] == []
    assert {one.why for one in values if one.why and one.why not in README} == set()


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda a: a.name)
def test_every_field_of_the_type_is_carried_or_listed_as_lost(adapter: Adapter) -> None:
    carried = {one.field for one in everything(profile(adapter).root)}

    assert {field.path for field in RECEIPT.scalars} - carried == set(adapter.loses)
    assert all(f"`{path}`" in README and reason in README for path, reason in adapter.loses.items())


@pytest.mark.parametrize("version", sorted(BY_VERSION))
def test_our_example_is_valid_and_survives(version: str, absent_reference: Absent) -> None:
    body = (FOLDER / f"examples/apprec-{version}.xml").read_bytes()
    adapter = BY_VERSION[version]
    record = adapter.parse(body)

    assert REGISTRY.recognise("application/xml", body) is adapter
    assert adapter.parse(adapter.render(record)) == record
    if (national := schemas(2, absent_reference)) is not None:
        for each in (body, adapter.render(record)):
            assert national.findings(read_xml(each), each) == ()


# -- the national samples: where, how many, and whether they stand alone or inside another document --

SAMPLES = {
    "sarepta-standarder-8bbfa534/eksempel/Applikasjonskvittering/*.xml": 3,
    "ks-no-fiks-nhn-client/**/app-rec/*/example-*.xml": 4,
    "helsenorge-Helsenorge.Messaging/**/MetadataTests_Apprec1*.xml": 2,
    "navikt-isdialogmelding/**/apprec*.xml": 3,
    "derived/skeletons/apprec-*.xml": 1,
}


def apprec_of(file: Path) -> bytes:
    """The AppRec of a file in UTF-8: NAV's stand inside another document, the oldest are in ISO-8859-1."""
    root = etree.fromstring(file.read_bytes(), etree.XMLParser(remove_comments=True))
    found = next(item for item in root.iter() if etree.QName(item).localname == "AppRec")
    return etree.tostring(found, encoding="UTF-8", xml_declaration=True)


@pytest.mark.parametrize("pattern", sorted(SAMPLES))
def test_a_national_sample_is_read_and_written_valid(pattern: str, absent_reference: Absent) -> None:
    national = schemas(SAMPLES[pattern], absent_reference)
    for file in samples(pattern, SAMPLES[pattern], absent_reference):
        body = apprec_of(file)
        adapter = REGISTRY.recognise("application/xml", body)
        record = adapter.parse(body)
        written = adapter.render(record)

        assert RECEIPT.check(record.fields) == ()
        assert adapter.parse(written) == record
        if national is not None:
            assert national.findings(read_xml(body), body) == ()
            assert national.findings(read_xml(written), written) == ()


REFUSED = {
    "ks-no-fiks-nhn-client/**/app-rec/*/unknown-status.xml": (2, {("/AppRec/Status", "code")}),
    "ks-no-fiks-nhn-client/**/app-rec/missing-migversion.xml": (1, {("/AppRec/MIGversion", "missing")}),
}


@pytest.mark.parametrize("pattern", sorted(REFUSED))
def test_a_sample_whose_status_or_version_nobody_knows_is_refused(
    pattern: str, absent_reference: Absent
) -> None:
    least, expected = REFUSED[pattern]
    for file in samples(pattern, least, absent_reference):
        body = file.read_bytes()
        with pytest.raises(HubError) as refused:
            REGISTRY.recognise("application/xml", body).parse(body)

        assert expected <= {(one.at, one.rule) for one in refused.value.findings}


def test_a_receipt_for_a_message_of_no_type_is_refused() -> None:
    body = (FOLDER / "examples/apprec-1.1.xml").read_bytes()
    start = body.index(b"<MsgType", body.index(b"<OriginalMsgId>"))
    bare = body[:start] + b"<MsgType/>" + body[body.index(b"/>", start) + 2 :]

    with pytest.raises(HubError) as refused:
        BY_VERSION["1.1"].parse(bare)

    assert [(one.at, one.rule) for one in refused.value.findings] == [
        ("/AppRec/OriginalMsgId/MsgType", "empty")
    ]


def test_a_receipt_in_iso_8859_1_is_read_and_written_in_utf_8(absent_reference: Absent) -> None:
    pattern = "sarepta-standarder-8bbfa534/eksempel/Applikasjonskvittering/*.xml"
    for file in samples(pattern, SAMPLES[pattern], absent_reference):
        body = file.read_bytes()
        adapter = REGISTRY.recognise("application/xml", body)
        record = adapter.parse(body)

        assert encoding_of(body) == "iso-8859-1"
        written = adapter.render(record)
        assert encoding_of(written) == "utf-8"
        assert adapter.parse(written) == record


# -- what is written follows the record alone --


def minimal(**more: Any) -> Record:
    number = "0d6f7c58-2a41-4b7e-9a53-5d1f6f2f9c11"
    fields: dict[str, Any] = {
        "melding": {
            "id": "0d6f7c58-2a41-4b7e-9a53-5d1f6f2f9c10",
            "sendt": "2030-05-02T09:12:00+02:00",
            "avsender": "310000019",
            "mottaker": "310000027",
            "svar_pa": number,
        },
        "gjelder": number,
        "gjelder_type": "EPIKRISE",
        "gjelder_sendt": "2030-05-02T09:11:00+02:00",
        "status": "mottatt",
    }
    return Record(TYPE, {**fields, **more})


EDGES: dict[str, dict[str, Any]] = {
    "nothing but the frame": {},
    "taken in, but for a part": {"status": "delvis", "feil": [{"kode": "T99", "system": LIST}]},
    "refused as NAV does it, without a system": {
        "status": "avvist",
        "feil": [{"kode": "X99", "tekst": "Ukjent mottaker"}, {"kode": "54", "forklaring": "x"}],
    },
    "refused with a code of four digits": {"status": "avvist", "feil": [{"kode": "1239", "system": LIST}]},
    "taken in, but for a part that nobody names": {"status": "delvis"},
    **{
        f"refused with {code}, of a list of one's own": {
            "status": "avvist",
            "feil": [
                {"kode": code, "system": "urn:oid:1.2.578.9999"},
                {"kode": "E10", "system": LIST},
                {"kode": code, "tekst": "En gang til"},
            ],
        }
        for code in ("PARSE-17", "INVALID_PATIENT", "e10", "123456", "ar.7")
    },
    "a professional alone": {"avsender": {"behandler": "Lege Legesen", "behandler_type": "LE"}},
    "a department with a number only": {"mottaker": {"avdeling_her": "9900001"}},
    "a professional of an institution": {
        "avsender": {"rolle": "PRIM", "enhet": "Eksempel", "behandler": "Lege Legesen", "behandler_hpr": "1"}
    },
}


@pytest.mark.parametrize("edge", sorted(EDGES))
@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda a: a.name)
def test_an_edge_survives_and_is_valid(adapter: Adapter, edge: str, absent_reference: Absent) -> None:
    record = minimal(**EDGES[edge])
    if "behandler_type" in record.fields.get("avsender", {}):
        record.fields["melding"].pop("avsender")  # the number of an institution, which there is none of
    written = adapter.render(record)

    assert RECEIPT.check(record.fields) == ()
    assert adapter.parse(written) == record
    if (national := schemas(1, absent_reference)) is not None:
        assert national.findings(read_xml(written), written) == ()


@pytest.mark.parametrize("code", ["15859010250", "E15859010250", "1-2", "to ord", "4æ"])
def test_no_number_of_a_person_and_no_words_pass_as_a_code(code: str) -> None:
    found = RECEIPT.check(minimal(status="avvist", feil=[{"kode": code, "system": LIST}]).fields)

    assert [(finding.at, finding.rule) for finding in found] == [("feil[0].kode", "pattern")]


def test_a_code_that_names_a_substance_tells_of_it() -> None:
    record = minimal(status="avvist", feil=[{"kode": "HEROIN-1", "forklaring": "x"}, {"kode": "E10"}])

    items = {item.path: item for item in label(record, RECEIPT.leaves(record), load_codes()).items}

    for path in ("feil[0].kode", "feil[0].forklaring"):
        assert Category.SUBSTANCE_USE in items[path].categories
    assert Category.SUBSTANCE_USE not in items["feil[1].kode"].categories


@pytest.mark.parametrize("status", ["startet", "avsluttet"])
@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda a: a.name)
def test_that_work_has_begun_or_ended_is_no_apprec(adapter: Adapter, status: str) -> None:
    with pytest.raises(HubError) as refused:
        adapter.render(minimal(status=status))

    assert refused.value.code == "render.incomplete"
    assert [(one.at, one.rule) for one in refused.value.findings] == [("status", "code")]


@pytest.mark.parametrize("field", ["gjelder_type", "gjelder_sendt"])
def test_a_receipt_for_nobody_knows_what_is_not_written(field: str) -> None:
    record = minimal()
    fields = {name: value for name, value in record.fields.items() if name != field}

    with pytest.raises(HubError) as refused:
        BY_VERSION["1.1"].render(Record(TYPE, fields))

    assert refused.value.code == "render.incomplete"


def test_what_it_is_for_is_one_line_in_both_fields() -> None:
    body = (FOLDER / "examples/apprec-1.1.xml").read_bytes().replace(b"<Id>2d9e4f", b"<Id>2d9e\n4f")
    record = BY_VERSION["1.1"].parse(body)

    assert record.get("gjelder") == record.get("melding.svar_pa")
    assert BY_VERSION["1.1"].parse(BY_VERSION["1.1"].render(record)) == record


@pytest.mark.parametrize("number", ["1@sykehuset.no", "{0D6F7C58-2A41}", "urn:uuid:0d6f", "a/b", "a+b=c"])
@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda a: a.name)
def test_an_id_is_printable_ascii(adapter: Adapter, number: str) -> None:
    melding = {**minimal().fields["melding"], "id": number, "svar_pa": number}
    record = minimal(gjelder=number, melding=melding)

    assert RECEIPT.check(record.fields) == ()
    assert adapter.parse(adapter.render(record)) == record


@pytest.mark.parametrize(
    "number", ["a b", 'a"b', "a'b", "a<b", "a>b", "a&b", "a\\b", "æ", "", "a\n", "a" * 101]
)
def test_an_id_has_no_blank_quote_or_markup(number: str) -> None:
    found = RECEIPT.check(minimal(gjelder=number).fields)

    assert "gjelder" in {fault.at for fault in found}
