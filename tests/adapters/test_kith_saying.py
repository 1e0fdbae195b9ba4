"""Understands what a KITH message says in other words on purpose, and that what it cannot say at all is not
written: the rule `unsaid`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import adapters
from adapters.base import Adapter, without
from adapters.kith.datatypes import BASE64, CS, CV, DATE, DATETIME, ST, TS
from adapters.kith.message import own_root
from adapters.kith.names import join_pieces, split_name
from adapters.kith.saying import in_order
from adapters.kith.tables import El, group, leaf, one_of, within
from adapters.registry import adapters_for
from hub.errors import HubError
from hub.kit.asked import asked
from hub.message import Record
from mappings.types import load_types
from tests.adapters.national import Absent, samples

FOLDER = Path(adapters.__file__).parent
REGISTRY = adapters_for(load_types())

NAMES = {
    "Kari Vik": "Kari Vik",
    "Vik, Kari": "Kari Vik",
    "Vik , Kari Anne": "Kari Anne Vik",
    "Kari Anne Vik": "Kari Anne Vik",
    "Kari  Anne   Vik": "Kari  Anne Vik",
    "Vik": "Vik",
    "Vik,": "Vik",
    ", Kari": "Kari",
    "Vik, Kari, lege": "Kari, lege Vik",
    "van der Berg, Kari": "van der Berg, Kari",
    "van der Berg, Kari Anne": "van der Berg, Kari Anne",
}


@pytest.mark.parametrize(("name", "read"), NAMES.items())
def test_a_name_is_read_in_the_order_of_its_pieces(name: str, read: str) -> None:
    assert in_order(name) == read


def _root() -> El:
    unit = group("Unit", leaf("Name", ST, 0, to="enhet"), needs=("enhet", "/melding.mottaker"))
    lege = group(
        "Doctor",
        leaf("FamilyName", ST, 0, to="lege#family"),
        leaf("GivenName", ST, 0, to="lege#given"),
        leaf("Role", CS, 0, to="rolle"),
        leaf("Id", ST, to="hpr"),
        least=0,
        needs=("hpr",),
        alone="a doctor has a number",
    )
    alone = group("Alone", leaf("Kind", CS, 0, to="type"), leaf("Name", ST, 0, to="navn"))
    number, text = leaf("Number", ST, 0, to="tall"), leaf("Text", ST, 0, to="ord")
    return group(
        "Message",
        leaf("Id", ST, 0, to="/melding.id", derive="msgid"),
        leaf("Kind", CS, to="slag", default="NY"),
        leaf("To", ST, 0, to="/melding.mottaker"),
        leaf("FamilyName", ST, 0, to="navn#family"),
        leaf("GivenName", ST, 0, to="navn#given"),
        leaf("Lines", ST, 0, to={"lines": "linjer"}),
        leaf("Code", CV, 0, to={"V": "kode", "S": "system", "DN": "tekst"}),
        leaf("Time", TS, 0, to={"V": "tid"}),
        leaf("Moment", DATETIME, 0, to={"V": "naar"}),
        leaf("Day", DATE, 0, to={"day": "dag"}),
        leaf("File", BASE64, 0, to="fil"),
        group("Party", one_of(unit, alone, yields={"type": "a unit has no kind"}), least=0, into="part"),
        group("Result", one_of(number, text), least=0, most=9, into="svar"),
        group("Sender", leaf("Unit", ST, 0, to="enhet"), lege, least=0, into="fra"),
        ns="urn:saying",
    )


def _saying() -> Adapter:

    root = _root()
    return own_root("saying", "saying", within("urn:saying", root), (), loses={"borte": "it has no place"})


SAYING = _saying()
HERE = "melding"

SAID: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "as it is": ({"linjer": "a\nb", "tekst": "c"}, {"linjer": "a\nb", "tekst": "c"}),
    "a family name first": ({"navn": "Vik, Kari"}, {"navn": "Kari Vik"}),
    "words of a code on one line": ({"kode": "1", "tekst": "a\nb"}, {"kode": "1", "tekst": "a b"}),
    "blanks around lines": ({"linjer": " a \n b "}, {"linjer": "a\nb"}),
    "a time without seconds": ({"tid": "2026-11-20T10:00"}, {"tid": "2026-11-20T10:00:00"}),
    "a day where a time may be one": ({"tid": "2026-11-20"}, {"tid": "2026-11-20"}),
    "a day where a moment is demanded": ({"naar": "2026-11-20"}, {"naar": "2026-11-20T00:00:00"}),
    "a kind of its own": ({"slag": "GAMMEL"}, {"slag": "GAMMEL"}),
    "a file": ({"fil": "QUJD"}, {"fil": "QUJD"}),
    "a kind that gives way": (
        {"part": {"enhet": "Elvestad", "type": "LE"}},
        {"part": {"enhet": "Elvestad"}},
    ),
    "a kind that gives way to what stands elsewhere": (
        {"melding": {"id": "a", "mottaker": "310000043"}, "part": {"enhet": "E", "type": "LE"}},
        {"part": {"enhet": "E"}},
    ),
    "a kind that need not": (
        {"part": {"navn": "Kari", "type": "LE"}},
        {"part": {"navn": "Kari", "type": "LE"}},
    ),
    "a doctor with a number": (
        {"fra": {"lege": "Vik, Kari", "rolle": "6", "hpr": "1"}},
        {"fra": {"lege": "Kari Vik", "rolle": "6", "hpr": "1"}},
    ),
    "a doctor without": ({"fra": {"enhet": "E", "lege": "Kari", "rolle": "6"}}, {"fra": {"enhet": "E"}}),
    "nothing but a doctor without": ({"linjer": "a", "fra": {"lege": "Kari", "rolle": "6"}}, {"linjer": "a"}),
    "what has no place": ({"linjer": "a", "borte": "b"}, {"linjer": "a"}),
    "several": ({"svar": [{"tall": "1"}, {"ord": "a"}]}, {"svar": [{"tall": "1"}, {"ord": "a"}]}),
}


@pytest.mark.parametrize(("given", "read"), SAID.values(), ids=SAID)
def test_what_is_said_in_other_words_reads_back_as_as_said_tells(
    given: Mapping[str, Any], read: Mapping[str, Any]
) -> None:
    record = Record("saying", given)

    there = SAYING.parse(SAYING.render(record)).fields

    told = SAYING.as_said(without(record, SAYING.loses)).fields
    assert there == told
    assert {name: value for name, value in there.items() if name != HERE} == {"slag": "NY", **read}


UNSAID: dict[str, tuple[Mapping[str, Any], set[str]]] = {
    "no such field": ({"linjer": "a", "nytt": "b"}, {"nytt"}),
    "a field in the wrong group": ({"part": {"navn": "Kari", "tall": "1"}}, {"part.tall"}),
    "two of a choice": ({"svar": [{"tall": "1", "ord": "a"}]}, {"svar[0].ord"}),
    "the second of a choice, where nothing gives way": (
        {"part": {"enhet": "E", "navn": "Kari"}},
        {"part.navn"},
    ),
    "every one of them": ({"x": "1", "svar": [{"tall": "1", "ord": "a"}], "y": 2}, {"x", "svar[0].ord", "y"}),
}


@pytest.mark.parametrize(("given", "unsaid"), UNSAID.values(), ids=UNSAID)
def test_what_cannot_be_said_is_not_written(given: Mapping[str, Any], unsaid: set[str]) -> None:
    with pytest.raises(HubError) as refused:
        SAYING.render(Record("saying", given))

    assert refused.value.code == "render.incomplete"
    assert {(finding.at, finding.rule) for finding in refused.value.findings} == {
        (path, "unsaid") for path in unsaid
    }


def test_the_record_itself_is_not_changed() -> None:
    given = {"navn": "Vik, Kari", "part": {"enhet": "E", "type": "LE"}, "svar": [{"ord": "a"}]}
    before = copy.deepcopy(given)

    SAYING.as_said(Record("saying", given))

    assert given == before


def test_what_gives_way_is_told_by_path_with_the_reason() -> None:
    assert SAYING.yields == {
        "part.type": "a unit has no kind",
        "fra.lege": "a doctor has a number",
        "fra.rolle": "a doctor has a number",
    }
    for name in ("kith-epikrise-1.1", "kith-henvisning-1.0"):
        told = REGISTRY.by_name(name).yields
        assert {"avsender.behandler_type", "mottaker.behandler_type"} <= set(told)


TURNED = {
    "kith_henvisning/alt-1.0-1.xml": ("kith-henvisning-2.0", ("avsender", "behandler")),
    "kith_henvisning/henvisning-1.1.xml": ("kith-henvisning-2.0", ("person", "navn")),
}


@pytest.mark.parametrize(("file", "to"), TURNED.items(), ids=TURNED)
def test_a_name_with_the_family_name_first_can_be_said_in_a_newer_version(
    file: str, to: tuple[str, tuple[str, str]]
) -> None:
    folder, name = file.split("/")
    body = (FOLDER / folder / "examples" / name).read_bytes()
    record = REGISTRY.recognise("application/xml", body).parse(body)
    group_, field = to[1]
    fields = {**record.fields, group_: {**record.fields[group_], field: "Vik, Kari"}}
    newer = REGISTRY.by_name(to[0])

    there = newer.parse(newer.render(Record(record.type, fields)))

    assert there.fields[group_][field] == "Kari Vik"


def test_the_national_samples_of_a_referral_can_be_said_in_every_version(absent_reference: Absent) -> None:
    versions = [adapter for adapter in REGISTRY.adapters if adapter.name.startswith("kith-henvisning-")]
    refused: dict[str, object] = {}
    for file in samples("sarepta-standarder/eksempel/**/*.xml", 4, absent_reference):
        record = asked(_read, file.read_bytes())
        if isinstance(record, HubError) or record.type != "henvisning":
            continue  # test_kith_henvisning.py tells which are read
        fields = {**record.fields, "melding": {**record.fields["melding"], "mottaker": "310000043"}}
        for version in versions:
            written = asked(version.render, Record(record.type, fields))
            if isinstance(written, HubError):
                refused[f"{file.name} as {version.name}"] = written.findings

    assert refused == {}


def _read(body: bytes) -> Record:
    return REGISTRY.recognise("application/xml", body).parse(body)


@pytest.mark.parametrize(
    ("given", "middle", "family", "read"),
    [
        ("Kari", "", "Vik", "Kari Vik"),
        ("Kari Anne", "Berg", "von der Lippe", "von der Lippe, Kari Anne Berg"),
        ("Kari", "", "Vik Dal", "Vik Dal, Kari"),
        ("", "", "Vik Dal", "Vik Dal"),
        ("Kari, lege", "", "Vik Dal", "Kari, lege Vik Dal"),
    ],
)
def test_a_family_name_of_several_words_stays_one(given: str, middle: str, family: str, read: str) -> None:
    pieces = {"given": given, "middle": middle, "family": family}

    assert join_pieces(pieces) == read
    if given and "," not in given:
        assert split_name(read)["family"] == family
