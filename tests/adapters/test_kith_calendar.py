"""Understands that appointments beside a dialog are read, written, and refused where they mean more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import adapters
from adapters.base import Adapter
from adapters.kith.national import NationalSchemas
from adapters.kith_dialog.adapter import ADAPTERS, TYPE, V1_0, V1_1
from adapters.registry import adapters_for
from adapters.safe_xml import read_xml
from hub.errors import HubError
from hub.message import Record
from mappings.types import load_types
from tests.adapters.national import SAMPLES, Absent, samples, schemas

TYPES = load_types()
REGISTRY = adapters_for(TYPES)
EXAMPLE = (Path(adapters.__file__).parent / "kith_dialog/examples/timer.xml").read_text(encoding="utf-8")
AT = "/MsgHead/Document[2]/RefDoc/Content/icalendar[1]/vcalendar[1]"
EVENT = f"{AT}/components/vevent[1]/properties"
START = "<date-time>2030-07-02T09:45:00</date-time>"
END = "<date-time>2030-07-02T10:00:00</date-time>"


def changed(old: str, new: str) -> bytes:
    assert old in EXAMPLE
    return EXAMPLE.replace(old, new, 1).encode()


def timer(body: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = V1_1.parse(body).fields["timer"]
    return found


def test_an_appointment_is_carried_whole_and_in_norwegian_time() -> None:
    first, second = timer(EXAMPLE.encode())

    assert first == {
        "id": "0d7c2d0a-3f0e-4f55-8a44-5a1b1f3f0e01",
        "start": "2030-07-02T09:45:00+02:00",
        "slutt": "2030-07-02T10:00:00+02:00",
        "varighet": "PT15M",
        "ledig_fra": "2030-06-25T06:00:00Z",
        "gjelder": [{"id": "0d7c2d0a-3f0e-4f55-8a44-5a1b1f3f0e00"}],
        "kontakter": [{"id": "100004"}],
        "status": "CONFIRMED",
        "tittel": "Kontroll av astma",
        "beskrivelse": "Ta med medisinene.\nMøt fem minutter før.",
        "sted": "Eksempelveien 1",
        "kategorier": [{"ord": ["Konsultasjon", "Video"]}],
        "arrangor": {"navn": "Eksempel kommune"},
        "deltakere": [{"navn": "Siri Sykepleier"}, {"navn": "Test Testesen"}],
        "henvisning": "0d7c2d0a-3f0e-4f55-8a44-5a1b1f3f0e02",
    }
    assert (second["start_dag"], second["slutt_dag"]) == ("2030-07-09", "2030-07-10")


MOMENTS = [
    ("2030-07-02T09:45:00+02:00", "2030-07-02T09:45:00"),
    ("2030-01-02T09:45:00+01:00", "2030-01-02T09:45:00"),
    ("2030-01-02T08:45:00Z", "2030-01-02T08:45:00Z"),
    ("2030-01-02T09:45:00.5+01:00", "2030-01-02T09:45:00.500000"),
    ("2030-10-27T02:30:00+02:00", "2030-10-27T02:30:00"),
]


@pytest.mark.parametrize(("said", "written"), MOMENTS)
@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.name)
def test_a_moment_is_written_without_a_zone_and_read_as_the_same(
    adapter: Adapter, said: str, written: str
) -> None:
    fields = {**V1_1.parse(EXAMPLE.encode()).fields, "timer": [{"start": said}]}
    body = adapter.render(Record(TYPE, fields))

    assert f"<date-time>{written}</date-time>".encode() in body
    assert adapter.parse(body).fields["timer"] == [{"start": said}]


@pytest.mark.parametrize("said", ["2030-10-27T02:30:00+01:00", "2030-01-02T09:45:00+05:00"])
def test_a_moment_that_would_come_back_in_other_words_is_not_written(said: str) -> None:
    """The hour that is there twice, and another zone: the same moment, and yet not what was said."""
    fields = {**V1_1.parse(EXAMPLE.encode()).fields, "timer": [{"start": said}]}

    with pytest.raises(HubError, match=r"render\.incomplete") as refused:
        V1_1.render(Record(TYPE, fields))
    assert [(finding.at, finding.rule) for finding in refused.value.findings] == [
        ("timer[0].start", "unsaid")
    ]


def test_properties_may_stand_in_any_order_and_leave_out_what_is_empty() -> None:
    moved = changed("<dtstart>", "<location><text/></location><dtstart>").decode()
    moved = moved.replace(
        "<location>\n                    <text>Eksempelveien 1</text>\n                  </location>", ""
    )
    [first, _] = timer(moved.encode())

    assert "sted" not in first
    assert first["start"] == "2030-07-02T09:45:00+02:00"


def test_the_appointments_of_several_calendars_are_all_read() -> None:
    whole = EXAMPLE[EXAMPLE.index("<vcalendar>") : EXAMPLE.index("</vcalendar>") + len("</vcalendar>")]
    document = EXAMPLE[EXAMPLE.rindex("  <Document>") : EXAMPLE.index("</MsgHead>")]
    first, second = timer(EXAMPLE.encode())

    assert timer(changed(whole, whole + whole)) == [first, second, first, second]
    assert timer(changed(document, document + document)) == [first, second, first, second]


LEFT = [
    "<dtstamp><utc-date-time>2030-05-01T10:00:00.0Z</utc-date-time></dtstamp>",
    "<created><utc-date-time>2030-05-01T10:00:00.0Z</utc-date-time></created>",
    "<last-modified><utc-date-time>2030-05-01T10:00:00.0Z</utc-date-time></last-modified>",
    "<sequence><integer>3</integer></sequence>",
]


@pytest.mark.parametrize("property", LEFT)
def test_what_a_calendar_says_of_itself_is_left_behind(property: str) -> None:
    body = changed("<dtstart>", f"{property}<dtstart>")

    assert V1_1.parse(body) == V1_1.parse(EXAMPLE.encode())


@pytest.mark.parametrize("said", ["uri", "uid", "text"])
def test_an_earlier_appointment_may_be_named_in_three_ways(said: str) -> None:
    body = changed("<uri>", f"<{said}>").decode().replace("</uri>", f"</{said}>")

    assert V1_1.parse(body.encode()) == V1_1.parse(EXAMPLE.encode())


FAULTS = {
    "a rule of repetition": (
        changed("<dtstart>", "<rrule><recur><freq>DAILY</freq></recur></rrule><dtstart>"),
        [(f"{EVENT}/?", "unknown-element")],
    ),
    "how secret it is": (
        changed("<dtstart>", "<class><text>PRIVATE</text></class><dtstart>"),
        [(f"{EVENT}/?", "unknown-element")],
    ),
    "a zone of its own": (
        changed(START, f"<parameters><tzid><text>Asia/Tokyo</text></tzid></parameters>{START}"),
        [(f"{EVENT}/dtstart/?", "unknown-element")],
    ),
    "an offset": (
        changed(START, "<date-time>2030-07-02T09:45:00+02:00</date-time>"),
        [(f"{EVENT}/dtstart/date-time", "datetime")],
    ),
    "no time": (
        changed(START, "<date-time>i morgen</date-time>"),
        [(f"{EVENT}/dtstart/date-time", "datetime")],
    ),
    "a day and a time": (
        changed(START, f"{START}<date>2030-07-02</date>"),
        [(f"{EVENT}/dtstart", "choice")],
    ),
    "neither": (changed(START, ""), [(f"{EVENT}/dtstart", "choice")]),
    "two starts": (
        changed("<dtend>", f"<dtstart>{END}</dtstart><dtend>"),
        [(f"{EVENT}/dtstart", "once")],
    ),
    "a reason that is none": (
        changed("Avlyst av tjeneste<", "Fordi<"),
        [(f"{AT}/components/vevent[2]/properties/x-cancellation-reason/text", "code")],
    ),
    "a length that is none": (
        changed("PT15M", "et kvarter"),
        [(f"{EVENT}/x-expected-duration/duration", "duration")],
    ),
    "a task": (
        changed("<components>\n              <vevent>", "<components><vtodo/><vevent>"),
        [(f"{AT}/components/?", "unknown-element")],
    ),
    "another version": (
        changed("<text>2.0</text>", "<text>3.0</text>"),
        [(f"{AT}/properties/version/text", "fixed")],
    ),
    "nobody": (
        changed("<cal-address/>", ""),
        [(f"{EVENT}/organizer/cal-address", "missing")],
    ),
}


@pytest.mark.parametrize(("body", "expected"), FAULTS.values(), ids=FAULTS)
def test_what_would_change_the_appointment_or_is_broken_is_refused_with_its_place(
    body: bytes, expected: list[tuple[str, str]]
) -> None:
    with pytest.raises(HubError, match=r"parse\.invalid") as told:
        V1_1.parse(body)

    assert [(finding.at, finding.rule) for finding in told.value.findings] == expected
    assert all(finding.line and finding.column and finding.nb for finding in told.value.findings)


def test_the_address_of_who_takes_part_is_left_behind() -> None:
    body = changed("<cal-address/>", "<cal-address>mailto:siri@eksempel.example</cal-address>")

    assert "siri@" not in repr(V1_1.parse(body).fields)
    assert b"siri@" not in V1_1.render(V1_1.parse(body))


def test_every_text_of_an_appointment_is_read_for_what_it_tells() -> None:
    spec = TYPES[TYPE]
    texts = (
        "tittel",
        "beskrivelse",
        "sted",
        "kategorier.ord",
        "kontakter.id",
        "arrangor.navn",
        "deltakere.navn",
    )

    assert {str(spec.field(f"timer.{name}").kind) for name in texts} == {
        str(spec.field("notater.tekst").kind)
    }


def test_every_official_sample_with_a_calendar_is_read_and_written_valid(absent_reference: Absent) -> None:
    national = schemas(1, absent_reference)
    files = samples("sarepta-standarder/eksempel-unpacked/DigitalDialog/*.xml", 60, absent_reference)
    read, not_read = 0, 0
    for file in files:
        body = file.read_bytes()
        if b"icalendar-2.0" not in body:
            continue
        try:
            adapter = REGISTRY.recognise("application/xml", body)
        except HubError:
            not_read += 1
            continue
        record = adapter.parse(body)
        written = adapter.render(record)
        assert record.fields["timer"]
        assert TYPES[TYPE].check(record.fields) == (), file.name
        assert adapter.parse(written).fields["timer"] == record.fields["timer"]
        assert b"icalendar" in written
        if national is not None:
            assert national.findings(read_xml(body), body) == (), file.name
            assert national.findings(read_xml(written), written) == (), file.name
        read += 1
    expected = (24, 1) if SAMPLES.is_dir() else (0, 0)  # the one has health personnel beside it, too
    assert (read, not_read) == expected


def test_the_examples_are_valid_and_a_broken_one_is_not(absent_reference: Absent) -> None:
    national = schemas(3, absent_reference)
    if national is None:
        return
    for body in (
        EXAMPLE.encode(),
        V1_0.render(V1_0.parse(EXAMPLE.replace("2013-01-23", "2006-10-11").encode())),
    ):
        assert national.findings(read_xml(body), body) == ()
    broken = changed(START, "<date-time>i morgen</date-time>")
    assert national.findings(read_xml(broken), broken) != ()


XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:test" elementFormDefault="qualified"'


def test_of_several_schemas_of_one_namespace_the_one_that_no_other_includes_is_asked(tmp_path: Path) -> None:
    (tmp_path / "a-part.xsd").write_text(
        f'<xs:schema {XS}><xs:element name="part" type="xs:int"/></xs:schema>'
    )
    (tmp_path / "b-whole.xsd").write_text(
        f'<xs:schema {XS} xmlns:t="urn:test"><xs:include schemaLocation="a-part.xsd"/><xs:element name="whole">'
        '<xs:complexType><xs:sequence><xs:element ref="t:part"/></xs:sequence></xs:complexType></xs:element>'
        "</xs:schema>"
    )
    national = NationalSchemas(tmp_path)
    for value, faults in (("1", 0), ("x", 1)):
        body = f'<whole xmlns="urn:test"><part>{value}</part></whole>'.encode()

        assert len(national.findings(read_xml(body), body)) == faults
