"""Understands that a message in NAV's wrapper is the message in it, and nothing of the wrapper goes on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from lxml import etree

import adapters
from adapters.apprec.head import head
from adapters.base import Adapter
from adapters.kith.message import deviations
from adapters.kith.msghead import ROOT as MSGHEAD
from adapters.kith_dialog.uses import USES
from adapters.nav.fellesformat import ROOT, Sending
from adapters.nav_dialog.adapter import names
from adapters.registry import adapters_for
from adapters.safe_xml import read_xml
from hub.errors import HubError
from hub.kit.schemas import SchemaSet
from hub.message import Record
from mappings.agreements import load_agreements
from mappings.engine import translate_record
from mappings.types import load_types
from tests.adapters.national import STANDARDS, Absent, samples

FOLDER = Path(adapters.__file__).parent
TYPES = load_types()
REGISTRY = adapters_for(TYPES)
ANSWER = (FOLDER / "nav_dialog/examples/svar.xml").read_bytes()
RECEIPT = (FOLDER / "nav_apprec/examples/apprec-1.0.xml").read_bytes()
BARE = {ANSWER: "kith_dialog/examples/svar-til-nav.xml", RECEIPT: "apprec/examples/apprec-1.0.xml"}
BLOCK = ANSWER[ANSWER.index(b"<MottakenhetBlokk") : ANSWER.index(b"<SporinformasjonBlokk")].decode()
TRACE = ANSWER[ANSWER.index(b"<SporinformasjonBlokk") : ANSWER.index(b"</EI_fellesformat>")].decode()

MESSAGE = ANSWER.decode().partition("  <MsgHead")[2].partition("</MsgHead>")[0]
MESSAGE = f"<MsgHead{MESSAGE}</MsgHead>"


def adapter_of(body: bytes) -> Adapter:
    return REGISTRY.recognise("application/xml", body)


def changed(old: str, new: str, body: bytes = ANSWER) -> bytes:
    text = body.decode()
    assert old in text
    return text.replace(old, new, 1).encode()


@pytest.mark.parametrize("wrapped", [ANSWER, RECEIPT], ids=["dialog", "receipt"])
def test_a_wrapped_message_says_what_the_bare_one_says(wrapped: bytes) -> None:
    bare = (FOLDER / BARE[wrapped]).read_bytes()

    assert adapter_of(wrapped).parse(wrapped) == adapter_of(bare).parse(bare)
    assert adapter_of(bare).name.startswith(("kith-", "apprec-"))
    assert adapter_of(wrapped).name.startswith("nav-")


@pytest.mark.parametrize("first", [BLOCK, TRACE, BLOCK + TRACE])
def test_the_parts_may_stand_in_any_order(first: str) -> None:
    moved = changed("<MsgHead", f"{first}<MsgHead", changed(first, ""))

    assert adapter_of(moved).parse(moved) == adapter_of(ANSWER).parse(ANSWER)


FAULTS: dict[str, tuple[bytes, list[tuple[str, str]]]] = {
    "no log id": (changed('ediLoggId="3005020930eks00001.1" ', ""), [("/EI_fellesformat/MottakenhetBlokk/@ediLoggId", "attribute-missing")]),
    "a short number of who signed": (changed("14858710058\" mottatt", "1485871005\" mottatt"), [("/EI_fellesformat/MottakenhetBlokk", "length")]),
    "a long organisation number": (changed('orgNummer="311000020"', 'orgNummer="3110000201"'), [("/EI_fellesformat/MottakenhetBlokk", "length")]),
    "an empty number of who signed": (changed('avsenderOrgNrFraDigSignatur="311000020"', 'avsenderOrgNrFraDigSignatur=""'), [("/EI_fellesformat/MottakenhetBlokk", "length")]),
    "no time": (changed("2030-05-02T09:30:11", "i dag"), [("/EI_fellesformat/MottakenhetBlokk", "datetime")]),
    "a day for a time": (changed("2030-05-02T09:30:11", "2030-05-02"), [("/EI_fellesformat/MottakenhetBlokk", "datetime")]),
    "an unknown attribute": (changed('ebRole="', 'ebNoe="x" ebRole="'), [("/EI_fellesformat/MottakenhetBlokk", "attribute")]),
    "text in the block": (changed('Svar"/>', 'Svar">x</MottakenhetBlokk>'), [("/EI_fellesformat/MottakenhetBlokk", "no-text")]),
    "two blocks": (changed(BLOCK, BLOCK + BLOCK), [("/EI_fellesformat/MottakenhetBlokk", "once")]),
    "no block": (changed(BLOCK, ""), [("/EI_fellesformat/MottakenhetBlokk", "missing")]),
    "a trace without a time": (changed(' tidsstempel="2030-05-02T09:30:12"', ""), [("/EI_fellesformat/SporinformasjonBlokk[1]/@tidsstempel", "attribute-missing")]),
    "a trace with a wrong result": (changed('Koder="0"', 'Koder="ja"'), [("/EI_fellesformat/SporinformasjonBlokk[1]", "integer")]),
    "what belongs to a sick note": (changed(TRACE, "<KontrollSystemBlokk/>"), [("/EI_fellesformat/?", "unknown-element")]),
    "a fault in the message": (changed("<Id>14858710058</Id>", "<Id>14858710059</Id>"), [("/EI_fellesformat/MsgHead/MsgInfo/Patient/Ident[1]/Id", "person-number")]),
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("body", "expected"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_its_place_in_the_whole_document(
    body: bytes, expected: list[tuple[str, str]]
) -> None:
    with pytest.raises(HubError, match=r"parse\.invalid") as refused:
        adapter_of(body).parse(body)

    assert [(finding.at, finding.rule) for finding in refused.value.findings] == expected
    assert all(finding.line and finding.column and finding.nb for finding in refused.value.findings)


@pytest.mark.parametrize(
    "body",
    [
        changed("eiff/2/", "eiff/3/"),
        changed("DIALOG_SVAR", "SYKMELD"),
        changed("dialog/2006-10-11", "sykmelding/2013-10-01"),
        ANSWER[: ANSWER.index(b"<MsgHead")] + BLOCK.encode() + b"</EI_fellesformat>",
        changed("</MsgHead>", "</MsgHead>" + MESSAGE),
    ],
    ids=["another wrapper", "another type", "another content", "no message", "two messages"],
)  # one row per case # fmt: skip
def test_what_is_not_one_message_that_is_read_is_not_recognised(body: bytes) -> None:
    with pytest.raises(HubError, match=r"parse\.format-unknown"):
        adapter_of(body)


def test_what_navs_systems_write_out_of_order_is_let_through_for_a_lenient_partner_only() -> None:
    ack = '<Ack V="J" DN="Ja"/>'
    body = changed("<Sender>", f"{ack}<Sender>", changed(ack, ""))
    adapter = adapter_of(body)

    with pytest.raises(HubError, match=r"parse\.invalid"):
        adapter.parse(body)
    assert adapter.lenient is not None
    record, let_through = adapter.lenient(body, tuple(deviations()))
    assert record == adapter.parse(ANSWER)
    assert [finding.rule for finding in let_through] == ["order"]


def test_nothing_of_the_block_is_in_the_record_or_written_again() -> None:
    adapter = adapter_of(ANSWER)
    record = adapter.parse(ANSWER)
    written = adapter.render(record)

    for value in ("3005020930eks00001.1", "90001", "m-1", "SERIALNUMBER", "40001", "09:30:1", "eksempel"):
        assert value.encode() in ANSWER
        assert value not in repr(record.fields)
        assert value.encode() not in written
    [block] = read_xml(written).iterchildren("{*}MottakenhetBlokk")
    assert dict(block.items()) == {
        "ediLoggId": record.fields["melding"]["id"],
        "ebRole": "Sykmelder",
        "ebService": "ForesporselFraSaksbehandler",
        "ebAction": "ForesporselSvar",
    }


def dialog(use: str, theme: str, asked: bool = False) -> dict[str, object]:
    code = {"kode": "1", "system": f"urn:oid:2.16.578.1.12.4.1.1.{theme}"}
    said = {"foresporsler": [{"type": code}]} if asked else {"notater": [{"tema": code}]}
    return {"meldingstype": use, **said}


NAMES = [
    (dialog("DIALOG_FORESPORSEL", "8125", True), Sending("DialogmoteInnkalling", "MoteInnkalling", "Saksbehandler")),
    (dialog("DIALOG_SVAR", "8126"), Sending("DialogmoteInnkalling", "MoteRespons", "Sykmelder")),
    (dialog("DIALOG_FORESPORSEL", "8129", True), Sending("ForesporselFraSaksbehandler", "Foresporsel", "Saksbehandler")),
    (dialog("DIALOG_SVAR", "9069"), Sending("ForesporselFraSaksbehandler", "ForesporselSvar", "Sykmelder")),
    (dialog("DIALOG_NOTAT", "8128"), Sending("HenvendelseFraLege", "Henvendelse", "Sykmelder")),
    (dialog("DIALOG_NOTAT", "8127"), Sending("HenvendelseFraSaksbehandler", "Henvendelse", "Saksbehandler")),
    (dialog("DIALOG_HELSEFAGLIG", "8127"), Sending()),
    (dialog("DIALOG_NOTAT", "9999"), Sending()),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), NAMES)
def test_the_names_of_a_sending_follow_from_what_is_asked_or_answered(
    fields: dict[str, object], expected: Sending
) -> None:
    assert fields["meldingstype"] in USES
    assert names(fields) == expected


def test_a_receipt_names_what_stands_in_the_wrapper() -> None:
    bare = (FOLDER / BARE[ANSWER]).read_bytes()

    assert head(ANSWER) == head(bare)
    assert head(ANSWER).id
    assert head(ANSWER).sender


def test_an_agency_that_has_the_wrapper_gets_what_the_agreement_makes_of_a_bare_message() -> None:
    bare = (FOLDER / BARE[ANSWER]).read_bytes()
    [agreement] = [one for one in load_agreements(types=TYPES) if one.id == "dialog-nav"]
    header = {"id": "0d7c2d0a-3f0e-4f55-8a44-5a1b1f3f0d01", "sendt": "2030-05-02T10:00:00+02:00",
              "avsender": "311000020", "mottaker": "311000039"}  # one row per case # fmt: skip
    made = translate_record(adapter_of(bare).parse(bare), agreement, TYPES, header)
    body = REGISTRY.by_name("nav-dialog-1.0").render(made)

    assert adapter_of(body).name == "nav-dialog-1.0"
    assert adapter_of(body).parse(body) == adapter_of(body).as_said(made)
    assert b'ebAction="ForesporselSvar"' in body


def test_only_a_receipt_of_a_sending_is_written() -> None:
    adapter = adapter_of(RECEIPT)
    record = adapter.parse(RECEIPT)

    with pytest.raises(HubError, match=r"render\.incomplete"):
        adapter.render(Record(record.type, {**record.fields, "status": "startet"}))


def rules_of(read: Callable[[], object]) -> set[str]:
    """The rules that a body breaks; empty when it is read."""
    try:
        read()
    except HubError as refused:
        return {finding.rule for finding in refused.findings}
    return set()


REFUSED = {
    "dialogmelding_dialog_svar_foresporsel_om_pasient.xml": {"person-number"},
    "dialogmelding_kiropraktor.xml": {"person-number"},
}
"""Samples of NAV that its schema takes, and what we know of them that it does not: check digits."""


def test_every_wrapped_sample_that_the_schemas_take_is_read_and_written_valid(
    absent_reference: Absent,
) -> None:
    files = samples("navikt-*dialog*/src/test/resources/*.xml", 3, absent_reference)
    files += samples("navikt-padm2/src/test/resources/*.xml", 10, absent_reference)
    if not (STANDARDS / "xsd").is_dir():
        absent_reference("schemas of NAV's wrapper", len(files))
        return
    schemas, read = SchemaSet(STANDARDS / "xsd"), 0
    for file in files:
        body = file.read_bytes()
        if etree.fromstring(body).tag != ROOT or not schemas.judge(body).valid:
            continue
        adapter = adapter_of(body)
        rules = rules_of(partial(adapter.parse, body))
        assert rules == REFUSED.get(file.name, set()), file.name
        if rules:
            continue
        record = adapter.parse(body)
        read += 1
        written = adapter.render(record)
        assert schemas.judge(written).valid
        assert adapter.parse(written) == record
    assert not files or read == 4


def test_navs_samples_are_read_from_a_lenient_partner(absent_reference: Absent) -> None:
    """But for wrong numbers, and one that holds an envelope in an envelope, which its sender's fault was."""
    accepted = 0
    for file in samples("navikt-padm2/src/test/resources/*.xml", 10, absent_reference):
        body = file.read_bytes()
        root = etree.fromstring(body)
        if len(list(root.iter(MSGHEAD))) > 1:
            continue
        adapter = adapter_of(body)
        assert adapter.lenient is not None
        rules = rules_of(partial(adapter.lenient, body, tuple(deviations())))
        assert rules <= {"person-number", "length"}, file.name
        accepted += not rules
    assert accepted in (0, 6)
