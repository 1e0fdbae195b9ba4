"""Understands that a KITH message goes through the whole hub, strictly or leniently, and out as it should."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

import adapters
from adapters.kith.national import NationalSchemas
from adapters.kith_epikrise.adapter import ADAPTERS
from adapters.registry import Registry
from adapters.safe_xml import read_xml
from hub import gps
from hub.audit.log import Kind
from hub.errors import Finding, HubError
from hub.identity import Desk
from hub.message import Record
from hub.store.disclosures import State
from tests.adapters.national import SCHEMAS, Absent, schemas
from tests.hub.bench import XML, Bench, org
from tests.hub.failing import FAULTS, rendering_fails

KITH = ADAPTERS[1]
PERSON = "15859010099"
EXAMPLE = Path(adapters.__file__).parent / "kith_epikrise/examples/epikrise-1.2.xml"


def body(**more: Any) -> bytes:
    """Our example, from the prison's health service to the GP of the bench."""
    fields = KITH.parse(EXAMPLE.read_bytes()).fields
    addressed = {"avsender": org("prison_health"), "mottaker": org("gp")}
    return KITH.render(Record("epikrise", {**fields, "melding": {**fields["melding"], **addressed}, **more}))


@pytest.fixture(autouse=True)
def gp_is_registered(bench: Bench) -> None:
    """The person of our example has the GP that it is addressed to."""
    said = gps.Said(org("gp"), bench.clock().date(), None, "fastlegeregisteret")
    gps.record(bench.parts, PERSON, said, Desk("Kari Vik", "oppslag", "kari"))


def changed(bench: Bench, key: str, **about: Any) -> None:
    """The directory entry of an agency, otherwise."""
    party = bench.parts.directory[org(key)]
    entry = replace(party, agency=replace(party.agency, **about))
    bench.parts = replace(bench.parts, directory={**bench.parts.directory, org(key): entry})


def got(bench: Bench) -> etree._Element:
    """The one document that reached the GP."""
    bench.drain()
    bodies = [sent.body for sent in bench.got("gp")] or [one.body for one in bench.come_for_it("gp")]
    (only,) = bodies
    return read_xml(only)


OUT_OF_ORDER = (rb"(<MIGversion>.*?</MIGversion>)(<GenDate[^>]*>)", rb"\2\1")


OTHERWISE: dict[str, Callable[[bytes], bytes]] = {
    "order": lambda text: re.sub(*OUT_OF_ORDER, text, count=1),
    "msgid-form": lambda text: re.sub(rb"<MsgId>([^<]*)<", rb"<MsgId>{\1}<", text, count=1),
    "person-number-blank": lambda text: text.replace(PERSON.encode(), f"{PERSON[:6]} {PERSON[6:]}".encode()),
}


@pytest.mark.parametrize("rule", OTHERWISE)
def test_what_is_let_through_reaches_the_gp_in_proper_form(bench: Bench, rule: str) -> None:
    """Under the same person, whose consents decide, and with the same id as if nothing had been otherwise."""
    changed(bench, "prison_health", reading="lenient")
    changed(bench, "gp", formats={"epikrise": KITH.name})
    as_it_should_be = body()

    bench.post("prison_health", OTHERWISE[rule](as_it_should_be), XML)

    assert [line["rules"][0].split()[0] for line in bench.leaves(Kind.LENIENT)] == [rule]
    assert len(bench.people()) == 1
    assert got(bench).findtext(".//{*}OffId") == PERSON


def test_a_strict_partner_is_told_and_a_lenient_one_let_through_and_noted(bench: Bench) -> None:
    swapped = re.sub(*OUT_OF_ORDER, body(), count=1)
    with pytest.raises(HubError) as refused:
        bench.post("prison_health", swapped, XML)
    assert [finding.rule for finding in refused.value.findings] == ["order"]

    changed(bench, "prison_health", reading="lenient")
    accepted = bench.post("prison_health", swapped, XML)

    (noted,) = bench.leaves(Kind.LENIENT)
    assert (noted["message"], noted["sender"]) == (accepted.id, org("prison_health"))
    assert [rule.split()[:2] for rule in noted["rules"]] == [["order", "/Message/MIGversion"]]
    assert bench.verify().faults == []


def test_a_lenient_partner_that_breaks_nothing_is_not_noted(bench: Bench) -> None:
    changed(bench, "prison_health", reading="lenient")
    bench.post("prison_health", body(), XML)

    assert bench.leaves(Kind.LENIENT) == []


def test_the_gp_gets_a_valid_epikrise_without_what_needs_a_consent(
    bench: Bench, absent_reference: Absent
) -> None:
    changed(bench, "gp", formats={"epikrise": KITH.name})
    bench.post("prison_health", body(), XML)
    root = got(bench)
    text = etree.tostring(root, encoding="unicode")

    assert "J459" in text
    for withheld in ("F112", "B182", "N07BC51", "Buprenorfin", "Avhengighetssyndrom"):
        assert withheld not in text
    numbers = [item.text for item in root.iterfind(".//{*}Requester/{*}HCP/{*}Inst//{*}Id")]
    assert org("gp") in numbers
    if (national := schemas(1, absent_reference)) is not None:
        assert national.findings(root, etree.tostring(root)) == ()


FILES = {
    "a text": ("text/plain", b"Har time hos lege.", "vedlegg"),
    "a text that tells": ("text/plain", b"Pasienten bruker heroin daglig.", ""),
    "a picture": ("image/png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 40, ""),
    "a file that is not what it says": ("application/pdf", b"Har time hos lege.", ""),
}


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_goes_by_what_can_be_read_in_it(bench: Bench, name: str) -> None:
    media, content, there = FILES[name]
    packed = base64.b64encode(content).decode()
    changed(bench, "gp", formats={"epikrise": KITH.name})
    bench.post("prison_health", body(vedlegg=[{"navn": "notat.txt", "type": media, "innhold": packed}]), XML)

    text = etree.tostring(got(bench), encoding="unicode")

    assert (packed in text) is bool(there)
    assert ("notat.txt" in text) is bool(there)


SCHEMA = """<schema xmlns="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified"
  targetNamespace="http://www.kith.no/xmlstds/epikrise/2012-02-15">
  <element name="Message"><complexType><sequence>{content}</sequence></complexType></element></schema>"""
ANYTHING = '<any processContents="skip" minOccurs="0" maxOccurs="unbounded"/>'
NOTHING = '<element name="Other" type="string"/>'


@pytest.mark.parametrize(
    ("content", "code"), [(ANYTHING, ""), (NOTHING, "parse.invalid")], ids=["allowed", "refused"]
)
def test_the_schemas_of_the_installation_are_asked_about_what_comes_in(
    bench: Bench, tmp_path: Path, content: str, code: str
) -> None:
    (tmp_path / "x.xsd").write_text(SCHEMA.format(content=content))
    bench.parts = replace(bench.parts, national=NationalSchemas(tmp_path))
    if not code:
        bench.post("prison_health", body(), XML)
        return
    with pytest.raises(HubError) as refused:
        bench.post("prison_health", body(), XML)

    assert refused.value.code == code
    assert {finding.rule for finding in refused.value.findings} == {"national-schema"}
    assert all(finding.line for finding in refused.value.findings)
    assert all(finding.expected.endswith(": Other") for finding in refused.value.findings)
    assert all((finding.nb or "").endswith(": Other") for finding in refused.value.findings)


def test_what_the_schemas_say_is_told_with_what_the_format_says(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "x.xsd").write_text(SCHEMA.format(content=NOTHING))
    bench.parts = replace(bench.parts, national=NationalSchemas(tmp_path))
    wrong = body().replace(PERSON.encode(), f"{PERSON[:-1]}0".encode())

    with pytest.raises(HubError) as refused:
        bench.post("prison_health", wrong, XML)

    assert {one.rule for one in refused.value.findings} == {"person-number", "national-schema"}


STRICT_ORDER = """<element name="Type" type="anyType"/><element name="MIGversion" type="anyType"/>"""
NUMBER_OF_THE_GP = re.compile(rf"<AdditionalId><Id>{org('gp')}</Id>.*?</AdditionalId>".encode())
BY_HER_ID = {"mottaker": {"enhet": "Legene", "her": "80431"}}


@pytest.mark.parametrize(
    ("content", "code"),
    [(STRICT_ORDER + ANYTHING, ""), (NOTHING, "parse.invalid")],
    ids=["allowed", "refused"],
)
@pytest.mark.parametrize("by_her_id", [False, True])
def test_the_schemas_are_asked_about_what_was_understood_where_something_was_let_through(
    bench: Bench, tmp_path: Path, content: str, code: str, *, by_her_id: bool
) -> None:
    (tmp_path / "x.xsd").write_text(SCHEMA.format(content=content))
    bench.parts = replace(bench.parts, national=NationalSchemas(tmp_path))
    changed(bench, "prison_health", reading="lenient")
    changed(bench, "gp", her=("80431",))
    swapped = re.sub(*OUT_OF_ORDER, body(**(BY_HER_ID if by_her_id else {})), count=1)
    if by_her_id:
        swapped = NUMBER_OF_THE_GP.sub(b"", swapped)
    assert (org("gp").encode() in swapped) is not by_her_id
    assert swapped.index(b"<GenDate") < swapped.index(b"<MIGversion")
    if not code:
        bench.post("prison_health", swapped, XML)
        assert len(bench.leaves(Kind.LENIENT)) == 1
        return
    with pytest.raises(HubError) as refused:
        bench.post("prison_health", swapped, XML)

    assert refused.value.code == code
    assert {(one.rule, one.line) for one in refused.value.findings} == {("national-schema", None)}


@pytest.mark.parametrize(("namespace", "code"), [("2012-02-15", "parse.invalid"), ("2006-09-23", "")])
def test_what_was_let_through_and_cannot_be_written_in_proper_form_is_refused_where_schemas_are(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, namespace: str, code: str
) -> None:
    def faulty(_: object) -> bytes:
        raise HubError("render.incomplete", [Finding("melding.id", "unsaid", "a form that is read back")])

    (tmp_path / "x.xsd").write_text(SCHEMA.format(content=ANYTHING).replace("2012-02-15", namespace))
    bench.parts = replace(bench.parts, national=NationalSchemas(tmp_path))
    changed(bench, "prison_health", reading="lenient")
    swapped = re.sub(*OUT_OF_ORDER, body(), count=1)
    recognised = bench.parts.registry.recognise(XML, swapped)
    monkeypatch.setattr(Registry, "recognise", lambda *_: replace(recognised, render=faulty))
    if not code:
        bench.post("prison_health", swapped, XML)
        return
    with pytest.raises(HubError) as refused:
        bench.post("prison_health", swapped, XML)

    assert refused.value.code == code
    assert [one.rule for one in refused.value.findings] == ["unsaid"]


def test_the_schemas_of_the_installation_are_asked_about_what_goes_out(bench: Bench, tmp_path: Path) -> None:
    changed(bench, "gp", formats={"epikrise": "kith-epikrise-1.1"})
    (tmp_path / "x.xsd").write_text(SCHEMA.format(content=NOTHING).replace("2012-02-15", "2006-09-23"))
    bench.parts = replace(bench.parts, national=NationalSchemas(tmp_path))

    bench.post("prison_health", body(), XML)
    for _ in range(len(bench.parts.ladder) + 1):
        bench.drain()
        bench.queue.soon()

    row = bench.row("gp")
    assert (row.state, row.code) == (State.PARKED, "render.incomplete")
    assert bench.got("gp") == []


@pytest.mark.parametrize(
    ("demanded", "state", "code"),
    [("F112", State.WAITING, "decide.unknown-category"), ("Z999", State.QUEUED, "render.incomplete")],
)
def test_a_format_that_demands_what_was_withheld_is_not_parked_for_operations(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, demanded: str, state: State, code: str
) -> None:
    """One that demands what nobody said is a fault of ours, and is tried again."""

    def demanding(record: Record) -> bytes:
        written = KITH.render(record)
        if demanded.encode() not in written:
            raise HubError("render.incomplete", [Finding("diagnoser", "missing", "one more")])
        return written

    changed(bench, "gp", formats={"epikrise": KITH.name})
    format_ = replace(KITH, render=demanding)
    monkeypatch.setattr(Registry, "by_name", lambda *_: format_)
    accepted = bench.post("prison_health", body(), XML)
    bench.drain()

    row = bench.row("gp", message_id=accepted.id)
    assert (row.state, row.code) == (state, code)
    assert bench.got("gp") == []


@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_of_ours_with_one_recipient_is_not_the_senders(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """Whether it shows depends on what the person allows, so the sender is answered the same either way."""
    changed(bench, "gp", formats={"epikrise": KITH.name})
    rendering_fails(monkeypatch, FAULTS[code])
    accepted = bench.post("prison_health", body(), XML)
    bench.drain()

    row = bench.row("gp", message_id=accepted.id)
    assert (row.state, row.code, row.attempts) == (State.QUEUED, code, 1)
    monkeypatch.undo()
    bench.queue.soon()
    assert b"J459" in etree.tostring(got(bench))


def test_the_official_schemas_take_our_example_in_and_out(bench: Bench, absent_reference: Absent) -> None:
    if schemas(1, absent_reference) is None:
        return
    bench.parts = replace(bench.parts, national=NationalSchemas(SCHEMAS))
    changed(bench, "gp", formats={"epikrise": KITH.name})
    bench.post("prison_health", body(), XML)

    assert got(bench).tag == "{http://www.kith.no/xmlstds/epikrise/2012-02-15}Message"


HER = {
    "its own": ({"her": "80431"}, ("80431",), ""),
    "one of its own": ({"her": "80432"}, ("80431", "80432"), ""),
    "its department's": ({"her": "70001", "avdeling_her": "80431"}, ("80431",), ""),
    "its clinician's": ({"her": "70001", "behandler_her": "80431"}, ("80431",), ""),
    "another agency's clinician's": (
        {"her": "80431", "behandler_her": "80999"},
        ("80431",),
        "route.recipient-unknown",
    ),
    "nobody's": ({"her": "70001"}, ("80431",), "route.recipient-unknown"),
    "nobody's, and no one has any": ({"her": "70001"}, (), "route.recipient-unknown"),
    "another agency's": ({"her": "80999"}, ("80431",), "route.recipient-unknown"),
    "two agencies'": ({"her": "80431", "avdeling_her": "80999"}, ("80431",), "route.recipient-unknown"),
    "none": ({}, ("80431",), "route.recipient-unknown"),
}


@pytest.mark.parametrize("case", HER)
def test_a_sender_may_know_the_recipient_by_its_her_id_and_no_other_gets_it(bench: Bench, case: str) -> None:
    said, known, code = HER[case]
    changed(bench, "gp", her=known)
    changed(bench, "tsb", her=("80999",))
    fields = KITH.parse(EXAMPLE.read_bytes()).fields
    header = {key: value for key, value in fields["melding"].items() if key != "mottaker"}
    named = {"mottaker": {"enhet": "Legene", **said}} if said else {}
    plain = {key: value for key, value in fields.items() if key != "mottaker"}
    message = {**plain, **named, "melding": {**header, "avsender": org("prison_health")}}
    if code:
        with pytest.raises(HubError) as refused:
            bench.post("prison_health", {"type": "epikrise", **message})
        assert refused.value.code == code
        return
    bench.post("prison_health", {"type": "epikrise", **message})

    assert [row.recipient for row in bench.rows()] == [org("gp")]


@pytest.mark.parametrize(("known", "written"), [(("80431", "80432"), ["80431"]), ((), [])])
def test_what_goes_out_says_the_her_id_of_the_directory(
    bench: Bench, known: tuple[str, ...], written: list[str]
) -> None:
    changed(bench, "gp", her=known, formats={"epikrise": KITH.name})
    bench.post("prison_health", body(), XML)

    inst = got(bench).find(".//{*}Requester/{*}HCP/{*}Inst")
    assert inst is not None
    assert [item.text for item in inst.iter("{*}Id") if item.text in {"80431", "80432"}] == written


def test_a_number_and_a_her_id_of_two_agencies_are_nobodys(bench: Bench) -> None:
    changed(bench, "tsb", her=("80999",))
    with pytest.raises(HubError, match=r"route\.recipient-unknown"):
        bench.post("prison_health", body(mottaker={"enhet": "Legene", "her": "80999"}), XML)
    bench.post("prison_health", body(mottaker={"enhet": "Legene", "her": "70001"}), XML)

    assert [row.recipient for row in bench.rows()] == [org("gp")]


@pytest.mark.parametrize("format_", ["kith-epikrise-1.2", "json:epikrise", "fhir-epikrise"])
def test_a_withheld_name_does_not_go_by_its_number_nor_words_by_their_code(
    bench: Bench, format_: str
) -> None:
    """A register tells what the unit is called, and the national list what the code says."""
    changed(bench, "gp", formats={"epikrise": format_})
    party = {"enhet": "Helsetjenesten i Nordli", "her": "9900001", "behandler": "Kari Vik"}
    numbers = {"avdeling_her": "9912345", "avdeling_resh": "700123", "behandler_hpr": "7654321"}
    sender = {**party, **numbers, "avdeling": "Ruspoliklinikken"}

    words = {"utskrevet_til": "5", "utskrevet_til_tekst": "Rusinstitusjon"}
    bench.post("prison_health", body(avsender=sender, **words), XML)

    bench.drain()
    (one,) = [sent.body for sent in bench.got("gp")] or [came.body for came in bench.come_for_it("gp")]
    text = one.decode()
    assert "J459" in text
    assert not any(told in text for told in ("Rus", *numbers.values(), "AdmOutcome", "utskrevet_til"))
