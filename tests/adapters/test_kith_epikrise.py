"""Understands that a KITH epikrise is read, refused and written as the national standards say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

import adapters
from adapters.base import Adapter
from adapters.kith.profile import Profile
from adapters.kith.receipts import receipt_codes
from adapters.kith.rules import message_id, message_uuid, sent_as
from adapters.kith.tables import everything
from adapters.kith_epikrise.adapter import ADAPTERS
from adapters.registry import adapters_for
from adapters.safe_xml import read_xml
from hub.app import new_id
from hub.errors import HubError
from hub.message import Record
from mappings.types import load_types
from tests.adapters.national import Absent, samples, schemas

TYPES = load_types()
EPIKRISE = TYPES["epikrise"]
REGISTRY = adapters_for(TYPES)
FOLDER = Path(adapters.__file__).parent / "kith_epikrise"
V11, V12 = ADAPTERS
ICD = "urn:oid:2.16.578.1.12.4.1.1.7110"
EXAMPLES = {
    V11.name: FOLDER / "examples/epikrise-1.1.xml",
    V12.name: FOLDER / "examples/epikrise-1.2.xml",
}


def profile(adapter: Adapter) -> Profile:
    assert isinstance(adapter.profile, Profile)
    return adapter.profile


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda a: a.name)
def test_every_element_has_a_field_of_the_type_or_a_reason_that_the_readme_tells(adapter: Adapter) -> None:
    readme = " ".join((FOLDER / "README.md").read_text(encoding="utf-8").split())
    values = tuple(everything(profile(adapter).root))

    assert {one.field for one in values if one.field} <= set(EPIKRISE.by_path)
    assert [one.path for one in values if not one.field and not one.why] == []
    assert {one.why for one in values if one.why and one.why not in readme} == set()


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda a: a.name)
def test_every_field_of_the_type_is_carried_or_listed_as_lost(adapter: Adapter) -> None:
    carried = {one.field for one in everything(profile(adapter).root)}

    assert {field.path for field in EPIKRISE.scalars} - carried == set(adapter.loses)
    readme = " ".join((FOLDER / "README.md").read_text(encoding="utf-8").split())
    assert all(f"`{path}`" in readme and reason in readme for path, reason in adapter.loses.items())


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda a: a.name)
def test_our_example_is_valid_and_survives(adapter: Adapter, absent_reference: Absent) -> None:
    body = EXAMPLES[adapter.name].read_bytes()
    record = adapter.parse(body)

    assert adapter.parse(adapter.render(record)) == record
    if (national := schemas(2, absent_reference)) is not None:
        for each in (body, adapter.render(record)):
            assert national.findings(read_xml(each), each) == ()


# -- what the national samples hold: how many of which pattern, and what comes of them --

SOUND = {
    "sarepta-standarder/eksempel/Epikrise/**/*.xml": 4,
    "derived/skeletons/epikrise-*.xml": 1,
}
CASES = "sarepta-standarder/test-unpacked/epikrise/**/*.xml"
RECEPTION: dict[str, tuple[str, ...]] = {
    "1": (),
    "2Feil": ("T02",),
    "11a": ("E30",),
    "11b": ("E30", "E32"),
    "12a": (),
    "12b": ("X99",),
    "13": (),
    "14a": (),
    "14b": (),
    "15": (),
    "16a": (),
    "16b": ("E36",),
    "16c": ("E36",),
    "16d": (),
    "17a": ("E36",),
    "17b": (),
    "18": (),
    "19": (),
    "20a": (),
    "20b": (),
    "21": (),
}
"""Case of the national reception test to the codes of the AppRec; none is a positive one. What depends on the
receiver's own register (13, 17b, 18, 20) is the receiver's to answer."""


def case_of(file: Path) -> str:
    return file.stem.rpartition("case")[2].strip().removeprefix("1-") or "1"


@pytest.mark.parametrize("pattern", sorted(SOUND))
def test_a_sound_national_sample_is_read_and_written_valid(pattern: str, absent_reference: Absent) -> None:
    national = schemas(SOUND[pattern], absent_reference)
    for file in samples(pattern, SOUND[pattern], absent_reference):
        body = file.read_bytes()
        adapter = REGISTRY.recognise("application/xml", body)
        record = adapter.parse(body)
        written = adapter.render(record)

        assert EPIKRISE.check(record.fields) == ()
        assert adapter.parse(written) == record
        if national is not None:
            assert national.findings(read_xml(body), body) == ()
            assert national.findings(read_xml(written), written) == ()


def test_the_national_reception_cases_get_the_receipt_they_expect(absent_reference: Absent) -> None:
    got: dict[str, tuple[str, ...]] = {}
    placed: list[bool] = []
    files = samples(CASES, 13, absent_reference)
    national = schemas(len(files), absent_reference)
    for file in files:
        body = file.read_bytes()
        adapter = REGISTRY.recognise("application/xml", body)
        got[case_of(file)] = ()
        try:
            record = adapter.parse(body)
        except HubError as refused:
            got[case_of(file)] = receipt_codes(refused)
            placed += [bool(one.line and one.column and one.nb) for one in refused.findings]
            continue
        assert EPIKRISE.check(record.fields) == ()
        written = adapter.render(record)
        if national is not None:
            assert national.findings(read_xml(written), written) == ()

    assert got == {case: RECEPTION[case] for case in got}
    assert all(placed)


def test_what_the_national_schema_refuses_is_refused_in_the_same_line(absent_reference: Absent) -> None:
    national = schemas(1, absent_reference)
    for file in samples(CASES.replace("*.xml", "*2Feil.xml"), 1, absent_reference):
        body = file.read_bytes()
        with pytest.raises(HubError) as refused:
            V11.parse(body)

        (finding,) = refused.value.findings
        assert (finding.rule, finding.at) == ("missing", "/Message/ServRprt/IssueDate")
        assert finding.line == 10
        if national is not None:
            assert national.findings(read_xml(body), body) != ()


# -- what is written follows the record alone --


def minimal(**more: Any) -> Record:
    fields: dict[str, Any] = {
        "melding": {
            "id": "0d6f7c58-2a41-4b7e-9a53-5d1f6f2f9c10",
            "sendt": "2030-05-02T09:12:00+02:00",
            "avsender": "310000019",
            "mottaker": "310000027",
        },
        "person": {"id": "15859010099", "navn": "Testesen, Test"},
        "dato": "2030-05-01",
    }
    return Record("epikrise", {**fields, **more})


EDGES: dict[str, dict[str, Any]] = {
    "nothing but the frame": {},
    "a cancellation": {"handling": "C", "dokument": "d-1"},
    "a diagnosis without its grade": {"diagnoser": [{"kode": "J45", "system": ICD}]},
    "a main diagnosis": {"diagnoser": [{"kode": "J45", "system": ICD, "art": "H"}]},
    "a medicine without a code": {
        "andre_legemidler": [{"navn": "Salve", "merknad": "a\nb", "dosering": "1 morgen; 2 kveld"}]
    },
    "a number": {"resultater": [{"kode": "NPU1", "verdi": "-1.5E3", "enhet": "g", "sammenligning": "GT"}]},
    "an interval": {"resultater": [{"lav": "1", "hoy_enhet": "g", "hoy": "2"}]},
    "a day as result": {"resultater": [{"dato": "2030-05"}]},
    "a judged result": {
        "resultater": [{"tekst": "x", "vurdering": {"kode": "J45", "system": "urn:oid:1.2"}}]
    },
    "a year": {"periode": {"fra_omtrent": "2029", "til": "2030-05-01", "til_kl": "10:00:00Z"}},
    "a plan": {"planlagt": {"tid": "2030-06-01T10:00:00", "rad": "a\n\nb"}},
    "a section of an unknown LOINC code": {"seksjoner": [{"kode": "12345-6", "tittel": "t", "tekst": "x"}]},
    "a section of a known one": {"seksjoner": [{"kode": "8648-8", "tittel": "Egen tittel", "tekst": "x"}]},
    "a section without code": {"seksjoner": [{"tittel": "Rus", "tekst": "a\nb", "koder": [{"annet": "o"}]}]},
    "a section of codes": {"kodede_avsnitt": [{"koder": [{"kode": "1", "system": "urn:oid:1.2"}]}]},
    "two stays": {
        "periode": {"fra": "2030-01-01"},
        "hendelser": [
            {"periode": {"fra": "2030-02-01"}, "seksjoner": [{"tittel": "t", "tekst": "x"}]},
            {"diagnoser": [{"kode": "J45", "system": "urn:oid:1.2", "tillegg": [{"navn": "S"}]}]},
        ],
    },
    "further stays, and nothing of the first": {"hendelser": [{"periode": {"fra": "2030-02-01"}}]},
    "an attachment": {"vedlegg": [{"navn": "a.txt", "type": "text/plain", "innhold": "aGVp"}]},
    "an attachment elsewhere": {"vedlegg": [{"navn": "a.txt", "adresse": "x:1"}]},
    "those who are near": {"naere": [{"relasjon": "M", "navn": "Kari"}], "hensyn": [{"tekst": "a\nb"}]},
    "a precaution without words": {"hensyn": [{"fra": "2030-01-01", "til": "2030-02-01"}]},
    "a referral without much": {"henvisninger": [{"gjelder_tekst": "Utredning"}]},
    "a D-number": {"person": {"id": "57912075186", "navn": "x"}},
    "parties by HER-id": {
        "avsender": {"enhet": "a", "her": "1", "avdeling": "b", "avdeling_her": "2", "behandler": "c"},
        "mottaker": {"her": "3", "behandler": "d", "behandler_hpr": "4", "behandler_her": "5"},
    },
    "a department without a name": {"mottaker": {"avdeling_her": "3"}, "avsender": {"avdeling_resh": "4"}},
    "others": {
        "medvirkende": [{"relasjon": "X", "rolle": "r", "behandler": "b"}],
        "helsepersonell": [{"relasjon": "FLE", "enhet": "e", "orgnr": "310000019", "fra": "2020"}],
    },
}


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda a: a.name)
@pytest.mark.parametrize("edge", sorted(EDGES))
def test_what_is_written_is_valid_and_read_as_the_same(
    edge: str, adapter: Adapter, absent_reference: Absent
) -> None:
    record = minimal(**EDGES[edge])
    body = adapter.render(record)

    assert adapter.parse(body) == record
    if (national := schemas(1, absent_reference)) is not None:
        assert national.findings(read_xml(body), body) == ()


def test_the_type_says_which_version_it_is() -> None:
    said = [
        etree.fromstring(adapter.render(minimal())).find("{*}Type").get("V")  # type: ignore[union-attr]  # it is there
        for adapter in (V11, V12)
    ]
    assert said == ["E", "EPIKRISE"]


FAULTS: dict[str, tuple[str, str, list[tuple[str, str]], tuple[str, ...]]] = {
    "a MsgId that is no UUID": (
        r"<MsgId>[^<]*",
        "<MsgId>17",
        [("msgid-uuid", "/Message/MsgId")],
        ("E10",),
    ),
    "a wrong check digit": (
        r"<OffId>\d+",
        "<OffId>15859010098",
        [("person-number", "/Message/ServRprt/Patient/OffId")],
        ("E31",),
    ),
    "an H-number alone": (
        r'TypeOffId V="FNR"',
        'TypeOffId V="HNR"',
        [("person-number-local", "/Message/ServRprt/Patient/OffId")],
        ("E36",),
    ),
    "a way of handling that must not be used": (
        r"<ServRprt>\s*<ServType V=\"N\"",
        '<ServRprt><ServType V="A"',
        [("code", "/Message/ServRprt/ServType")],
        ("T99",),
    ),
    "the status of the report in words only": (
        r'<Status V="F"',
        "<Status",
        [("code", "/Message/ServRprt/Status")],
        ("T99",),
    ),
    "the status of a medicine in words only": (
        r'(<Medication>.*?)<Status V="\d+" DN="[^"]*"',
        r'\1<Status DN="Seponert"',
        [("code", "/Message/ServRprt/Event/InfItem[3]/Medication/Status")],
        ("T99",),
    ),
    "a status of a medicine whose words mean another": (
        r'(<Medication>.*?)<Status V="\d+" DN="[^"]*"',
        r'\1<Status V="6" DN="Allergisk mot"',
        [("code", "/Message/ServRprt/Event/InfItem[3]/Medication/Status")],
        ("T99",),
    ),
    "a status of a medicine whose words are of another list": (
        r'(<Medication>.*?)<Status V="\d+" DN="[^"]*"',
        r'\1<Status V="1" DN="Fast"',
        [("code", "/Message/ServRprt/Event/InfItem[3]/Medication/Status")],
        ("T99",),
    ),
    "how a referral is handled in words only": (
        r'(<ServReq>\s*<ServType) V="N"',
        r"\1",
        [("code", "/Message/ServRprt/ServReq[1]/ServType")],
        ("T99",),
    ),
    "a day that is only a year": (
        r'<IssueDate V="2030-05-01T[^"]*"',
        '<IssueDate V="2030"',
        [("day", "/Message/ServRprt/IssueDate")],
        ("T02",),
    ),
    "MsgHead's order of an organisation": (
        r"(<Name>Poliklinikk</Name>)(\s*)(<Id>100002</Id>)",
        r"\3\2\1",
        [("order", "/Message/ServRprt/ServProvider/HCP/Inst/Dept/Name")],
        ("T02",),
    ),
    "the other version's namespace": (
        "epikrise/2012-02-15",
        "epikrise/2006-09-23",
        [("unknown-element", "/Message/?")],
        ("T02",),
    ),
}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_is_told_with_its_place_and_its_receipt(name: str) -> None:
    find, put, expected, codes = FAULTS[name]
    text = EXAMPLES[V12.name].read_text(encoding="utf-8")
    broken = re.sub(find, put, text, count=1, flags=re.DOTALL)
    assert broken != text
    adapter = V11 if "2006" in put else V12

    with pytest.raises(HubError) as refused:
        adapter.parse(broken.encode())

    told = [(finding.rule, finding.at) for finding in refused.value.findings]
    assert told[: len(expected)] == expected
    assert receipt_codes(refused.value)[:1] == codes


@pytest.mark.parametrize(
    ("said", "dosage"),
    [
        ("1 tablett morgen\n2 tabletter kveld", "1 tablett morgen; 2 tabletter kveld"),
        ("1 tablett\r\n\r\n ved behov \n", "1 tablett; ved behov"),
        (" 1 tablett\tdaglig ", "1 tablett daglig"),
    ],
)
def test_a_dosage_of_several_lines_is_one_row(said: str, dosage: str) -> None:
    """A dosage is one text, which is labelled whole; what stood on two lines stays two things."""
    example = (FOLDER / "examples/alt-1.2-5.xml").read_text(encoding="utf-8")
    body = example.replace("Ord 489", said.replace("\r", "&#13;"), 1).encode()
    record = V12.parse(body)
    lists = ("legemidler", "andre_legemidler")
    told = [one.get("dosering") for name in lists for one in record.fields.get(name, [])]

    assert EPIKRISE.check(record.fields) == ()
    assert dosage in told
    assert V12.parse(V12.render(record)) == record


def test_an_id_of_the_hub_is_a_uuid_on_the_wire_and_can_be_read_back() -> None:
    for number in (new_id() for _ in range(50)):
        assert message_id(message_uuid(number)) == number
        assert sent_as(message_uuid(number)) == sent_as(number) == number
    assert message_uuid("a") == message_uuid("a") != message_uuid("b")


def test_a_second_content_of_the_senders_own_name_is_told_without_the_name() -> None:
    body = EXAMPLES[V11.name].read_bytes()
    assert body.count(b"</Content>") == 1
    spoiled = body.replace(b"</Content>", b"<Kanari/></Content>")

    with pytest.raises(HubError) as refused:
        REGISTRY.recognise("application/xml", spoiled).parse(spoiled)

    [finding] = refused.value.findings
    assert (finding.at, finding.rule) == ("/Message/ServRprt/RefDoc[1]/Content/?", "one-file")
    assert finding.line is not None
