"""Understands that a Dialogmelding is read, refused and written as the standards say, and as NAV does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lxml import etree

import adapters
from adapters.base import Adapter, Sniff
from adapters.kith.message import deviations
from adapters.kith.msghead import ROOT
from adapters.kith.receipts import receipt_codes
from adapters.kith_dialog.adapter import ADAPTERS, TYPE, V1_0, V1_1
from adapters.kith_dialog.uses import USES, Names, national_names, nav_names, needs_consent
from adapters.safe_xml import read_xml
from hub.errors import HubError
from hub.message import Record, walk
from mappings.types import load_types
from tests.adapters.national import SAMPLES, Absent, samples, schemas

DIALOG = load_types()[TYPE]
FOLDER = Path(adapters.__file__).parent / "kith_dialog"
EXAMPLE = (FOLDER / "examples" / "helsefaglig.xml").read_bytes()
TO_NAV = (FOLDER / "examples" / "svar-til-nav.xml").read_bytes()
LIST = "urn:oid:2.16.578.1.12.4.1.1."
UUID = "0d7c2d0a-3f0e-4f55-8a44-5a1b1f3f0a09"


def adapter_of(body: bytes) -> Adapter | None:
    tree = read_xml(body)
    sniff = Sniff("application/xml", root=str(tree.tag), tree=tree)
    return next((adapter for adapter in ADAPTERS if adapter.recognise(sniff)), None)


def head_of(file: Path) -> bytes | None:
    """The MsgHead of a sample: the document itself, or out of NAV's wrapper; None where there is none."""
    root = etree.fromstring(file.read_bytes(), etree.XMLParser(remove_comments=True))
    if root.tag == ROOT:
        return file.read_bytes()
    head = next(root.iter(ROOT), None)
    if head is None:
        return None
    head.tail = None
    return etree.tostring(head, encoding="UTF-8")


def refused(body: bytes) -> tuple[tuple[str, ...], list[str]]:
    """The codes of the receipt and the rules."""
    adapter = adapter_of(body)
    assert adapter is not None
    with pytest.raises(HubError) as told:
        adapter.parse(body)
    assert all(f.line and f.column and f.nb for f in told.value.findings)
    return receipt_codes(told.value), [f.rule for f in told.value.findings]


def test_every_use_is_a_code_of_the_type() -> None:
    assert set(USES) == set(DIALOG.field("meldingstype").codes)


@pytest.mark.parametrize("use", USES)
def test_every_use_is_read_and_written_as_itself(use: str) -> None:
    body = EXAMPLE.replace(b"DIALOG_HELSEFAGLIG", use.encode())

    assert adapter_of(body) is V1_1
    record = V1_1.parse(body)
    assert record.get("meldingstype") == use
    assert f'<Type V="{use}"'.encode() in V1_1.render(record)


def test_the_examples_are_written_as_they_are_read() -> None:
    for file in sorted((FOLDER / "examples").iterdir()):
        body = file.read_bytes()
        adapter = adapter_of(body)
        assert adapter is not None
        written = etree.fromstring(adapter.render(adapter.parse(body)))
        etree.indent(written)
        assert etree.tostring(written) == etree.tostring(etree.fromstring(body))


OTHERS = {
    "a use that is no dialog": EXAMPLE.replace(b"DIALOG_HELSEFAGLIG", b"HENVISNING"),
    "another payload": EXAMPLE.replace(b"dialog/2013-01-23", b"dialog/2099-01-01"),
    "a document of another standard beside it": EXAMPLE.replace(
        b"</MsgHead>",
        b'<Document><RefDoc><MsgType V="XML"/><Content><R xmlns="urn:other"/></Content></RefDoc></Document>'
        b"</MsgHead>",
    ),
}


@pytest.mark.parametrize("body", OTHERS.values(), ids=OTHERS)
def test_what_is_no_dialog_alone_is_not_recognised(body: bytes) -> None:
    assert adapter_of(body) is None


def changed(old: str, new: str, body: bytes = EXAMPLE) -> bytes:
    text = body.decode()
    assert old in text
    return text.replace(old, new, 1).encode()


WHOLE_PATIENT = EXAMPLE.decode()[EXAMPLE.decode().index("<Patient>") : EXAMPLE.decode().index("</MsgInfo>")]
FAULTS: dict[str, tuple[bytes, tuple[str, ...], list[str]]] = {
    "no patient": (changed(WHOLE_PATIENT, ""), ("E30",), ["person-number-missing"]),
    "an empty number": (changed(">14858710058<", "><"), ("E30",), ["person-number-missing"]),
    "a wrong check digit": (changed("14858710058", "14858710059"), ("E31",), ["person-number"]),
    "an H-number": (changed('V="FNR"', 'V="HNR"'), ("E36",), ["person-number-local"]),
    "no name": (
        changed("<FamilyName>Testesen</FamilyName>", ""),
        ("E32",),
        ["person-name-missing"],
    ),
    "an id that is no UUID": (changed("5a1b1f3f0a01<", "x<"), ("E10",), ["msgid-uuid"]),
    "an unknown element": (changed("<Notat>", "<Notat><Nytt/>"), ("T02",), ["unknown-element"]),
    "no theme": (
        changed('<TemaKodet V="8"', '<Merknad V="8"'),
        ("T02",),
        ["attribute", "missing", "order", "order"],
    ),
    "a day that does not exist": (changed("2030-05-01<", "2030-02-30<"), ("T02",), ["date"]),
    "two faults, two codes": (
        changed("14858710058", "14858710059", changed("5a1b1f3f0a01<", "x<")),
        ("E10", "E31"),
        ["msgid-uuid", "person-number"],
    ),
}


@pytest.mark.parametrize(("body", "codes", "rules"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_and_gets_its_code(body: bytes, codes: tuple[str, ...], rules: list[str]) -> None:
    found = refused(body)

    assert (found[0], sorted(found[1])) == (codes, sorted(rules))


def test_a_report_of_a_fault_needs_no_patient() -> None:
    body = (FOLDER / "examples" / "avvik.xml").read_bytes()

    record = V1_1.parse(body)

    assert "person" not in record.fields
    assert DIALOG.check(record.fields) == ()
    assert refused(body.replace(b"DIALOG_AVVIK", b"DIALOG_NOTAT")) == (("E30",), ["person-number-missing"])


ANSWERS = [("4", True), ("1", False), ("2", False), ("5", False), ("9", False)]


@pytest.mark.parametrize(("code", "needed"), ANSWERS)
def test_an_answer_that_needs_the_consent_of_the_patient_is_told(code: str, needed: bool) -> None:
    record = V1_0.parse(TO_NAV.replace(b'<TemaKodet V="4"', f'<TemaKodet V="{code}"'.encode()))

    assert needs_consent(record.fields) is needed


def test_a_four_of_another_list_needs_no_consent() -> None:
    assert not needs_consent({"notater": [{"tema": {"system": f"{LIST}8127", "kode": "4"}}]})
    assert not needs_consent({"meldingstype": "DIALOG_NOTAT"})


def said(use: str, number: str, code: str, *, asks: bool) -> dict[str, Any]:
    value = {"kode": code, "system": f"{LIST}{number}"}
    return {
        "meldingstype": use,
        **({"foresporsler": [{"type": value}]} if asks else {"notater": [{"tema": value}]}),
    }


NAV = [
    (True, said("DIALOG_FORESPORSEL", "8125", "1", asks=True), ("DialogmoteInnkalling", "MoteInnkalling")),
    (False, said("DIALOG_SVAR", "8126", "1", asks=False), ("DialogmoteInnkalling", "MoteRespons")),
    (
        True,
        said("DIALOG_FORESPORSEL", "8129", "2", asks=True),
        ("ForesporselFraSaksbehandler", "Foresporsel"),
    ),
    (False, said("DIALOG_SVAR", "9069", "5", asks=False), ("ForesporselFraSaksbehandler", "ForesporselSvar")),
    (False, said("DIALOG_NOTAT", "8128", "1", asks=False), ("HenvendelseFraLege", "Henvendelse")),
    (True, said("DIALOG_NOTAT", "8127", "8", asks=False), ("HenvendelseFraSaksbehandler", "Henvendelse")),
]


@pytest.mark.parametrize(("from_nav", "fields", "names"), NAV)
def test_nav_has_names_of_its_own(from_nav: bool, fields: dict[str, Any], names: tuple[str, str]) -> None:
    assert nav_names(fields, from_nav=from_nav) == Names(*names, "Bekreftelse")
    assert nav_names(fields, from_nav=not from_nav) is None
    assert nav_names(said("DIALOG_NOTAT", "7322", "6", asks=False), from_nav=from_nav) is None


def test_between_health_services_the_names_follow_the_code() -> None:
    assert national_names({"meldingstype": "DIALOG_SVAR"}) == ("S-DIALOG_SVAR", "DIALOG_SVAR", "APPREC")


def test_an_office_of_nav_is_known_by_its_own_number() -> None:
    record = V1_0.parse(TO_NAV)

    assert record.get("mottaker.avdeling_lokal") == "9901"
    assert b'<TypeId V="LIN"' in V1_0.render(record)


def test_what_nav_does_out_of_order_passes_where_the_partner_is_lenient() -> None:
    text = TO_NAV.decode()
    acknowledged = '<Ack V="J" DN="Ja"/>\n    '
    assert acknowledged in text
    text = text.replace(acknowledged, "").replace("<Sender>", f"{acknowledged}<Sender>")
    body = text.replace(
        "<GivenName>Test</GivenName>", "<GivenName>Test</GivenName><DateOfBirth>1987-5-4</DateOfBirth>"
    )

    assert refused(body.encode()) == (("T02",), ["order", "date-digits"])
    assert V1_0.lenient is not None
    record, told = V1_0.lenient(body.encode(), deviations())
    assert [finding.rule for finding in told] == ["order", "date-digits"]
    assert record == V1_0.parse(TO_NAV)


def test_several_kinds_of_journal_information_are_not_squeezed_into_the_old_version() -> None:
    codes = [{"kode": "1"}, {"kode": "2"}]
    asked = {"type": {"kode": "1"}, "journalinfo": codes}
    record = V1_1.parse(EXAMPLE)
    fields = {**{k: v for k, v in record.fields.items() if k != "notater"}, "foresporsler": [asked]}

    assert V1_1.parse(V1_1.render(Record(TYPE, fields))).fields["foresporsler"] == [asked]
    with pytest.raises(HubError) as told:
        V1_0.render(Record(TYPE, fields))
    assert [(f.at[-15:], f.rule) for f in told.value.findings] == [("TypeJournalinfo", "count")]


# -- the national samples --

NOT_ALONE = 9
"""Schema-valid dialogs with documents of other standards beside them: prescriptions, lists, reports."""
REFUSED = {
    "MetadataTestsDialogmelding11.xml": ("T02",),
    "dialogmelding_dialog_notat.xml": ("T02",),
    "dialogmelding_dialog_notat_cmyk_vedlegg.xml": ("T02",),
    "dialogmelding_dialog_notat_in_behandlerdialog_with_error.xml": ("T02",),
    "dialogmelding_dialog_notat_invalid.xml": ("T02", "E31"),
    "dialogmelding_dialog_notat_ukjent_behandler.xml": ("T02",),
    "dialogmelding_dialog_notat_vedlegg_pjpeg.xml": ("T02",),
    "dialogmelding_dialog_svar_foresporsel_om_pasient.xml": ("E31",),
    "dialogmelding_kiropraktor.xml": ("E31",),
    "Case1-17a.xml": ("E30",),
    "Case1-17b.xml": ("E30", "T02"),
    "Case3.xml": ("E10",),
}
"""By file: the codes of the receipt. 17 has no number, and no birth date and sex instead; 3 has an id that is
no UUID; the rest are made-up persons without check digits, or break the schema."""
LENIENT = [
    name for name in REFUSED if name.startswith("dialogmelding_dialog_notat") and "invalid" not in name
]


def dialogs(absent: Absent) -> list[tuple[Path, bytes]]:
    """Every sample whose MsgHead has a Dialogmelding, but those that are extracts of a record."""
    found = []
    for file in samples("**/*.xml", 400, absent):
        body = file.read_bytes()
        if b"xmlstds/dialog/" in body and b"EPJ-EKSTRAKT" not in body and file.name != "Case1-2.xml":
            found.append((file, head_of(file)))
    return [(file, head) for file, head in found if head is not None]


def test_every_valid_sample_is_read_and_written_and_valid_again(absent_reference: Absent) -> None:
    national = schemas(1, absent_reference)
    if national is None:
        return
    unknown, placeless, seen, unlike = [], list[str](), dict[str, tuple[str, ...]](), set[str]()
    for file, body in dialogs(absent_reference):
        adapter, valid = adapter_of(body), not national.findings(read_xml(body), body)
        if adapter is None:
            unknown += [file.name] if valid else []
            continue
        try:
            record = adapter.parse(body)
        except HubError as told:
            seen[file.name] = receipt_codes(told)
            placeless += [file.name for finding in told.findings if not (finding.line and finding.column)]
            continue
        assert valid, file.name
        assert DIALOG.check(record.fields) == (), file.name
        written = adapter.render(record)
        assert national.findings(read_xml(written), written) == (), file.name
        again = dict(walk(adapter.parse(written).fields))
        unlike |= {path for path, value in walk(record.fields) if again.get(path) != value}

    assert placeless == []
    assert seen == {name: REFUSED[name] for name in seen}
    assert not SAMPLES.is_dir() or (len(unknown), len(seen)) == (NOT_ALONE, len(REFUSED))
    assert unlike <= {"melding.svar_pa", "samtale"}  # ids that are no UUID become one


def test_what_nav_s_own_samples_deviate_in_passes_where_the_partner_is_lenient(
    absent_reference: Absent,
) -> None:
    for name in LENIENT:
        for file in samples(f"**/{name}", 1, absent_reference):
            assert V1_0.lenient is not None
            _, told = V1_0.lenient(head_of(file) or b"", deviations())
            assert {finding.rule for finding in told} == {"order", "date-digits"}


def test_a_broken_sample_is_no_xml(absent_reference: Absent) -> None:
    for file in samples("**/Testcase-Dialogmeldingen/Case1-2.xml", 1, absent_reference):
        with pytest.raises(HubError) as told:
            read_xml(file.read_bytes())
        assert receipt_codes(told.value) == ("T01",)
