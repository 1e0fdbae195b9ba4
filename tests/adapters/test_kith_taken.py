"""Understands documents that look odd and that the national schemas take: they are read and written again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from lxml import etree

import adapters
from adapters.apprec.adapter import ADAPTERS as APPREC
from adapters.base import Adapter, without
from adapters.kith.profile import Profile
from adapters.kith.tables import El
from adapters.kith_dialog.adapter import V1_1 as DIALOG
from adapters.kith_epikrise.adapter import ADAPTERS as SUMMARIES
from adapters.registry import adapters_for
from hub.errors import HubError
from hub.message import Record, walk
from mappings.types import load_types
from tests.adapters.national import Absent, schemas
from tests.adapters.national_trees import differences

FOLDER = Path(adapters.__file__).parent
TYPES = load_types()
REGISTRY = adapters_for(TYPES)
APPREC_1_0 = next(adapter for adapter in APPREC if adapter.name == "apprec-1.0")
EPIKRISE = next(adapter for adapter in SUMMARIES if adapter.name == "kith-epikrise-1.2")
EXAMPLES = {
    DIALOG.name: FOLDER / "kith_dialog/examples/helsefaglig.xml",
    APPREC_1_0.name: FOLDER / "apprec/examples/apprec-1.0.xml",
}


class Taken(NamedTuple):
    """A document with `new` for the first `old`, and what is then at a path of the record."""

    adapter: Adapter
    old: str
    new: str
    at: str
    says: Any


def unit(name: str, *below: str, kind: str = "HER", ns: str = "") -> str:
    return (
        f"<Organisation><{ns}OrganisationName>{name}</{ns}OrganisationName><{ns}Ident><{ns}Id>100009</{ns}Id>"
        f'<{ns}TypeId V="{kind}"/></{ns}Ident>{"".join(below)}</Organisation>'
    )


DOCTOR = (
    "<HealthcareProfessional><FamilyName>Vik</FamilyName>"
    '<Ident><Id>9999998</Id><TypeId V="HPR"/></Ident></HealthcareProfessional>'
)
DEPARTMENTS = unit("To", unit("Tre", unit("Fire", unit("Fem"))))
CONTACT = unit("En", unit("To", unit("Tre", unit("Fire", ns="fk1:"), ns="fk1:"), ns="fk1:"), ns="fk1:")
CONTACT = CONTACT.replace("Organisation>", "fk1:Organisation>").replace(
    "fk1:Organisation>", "Kontaktenhet>", 1
)
CONTACT = CONTACT.removesuffix("fk1:Organisation>") + "Kontaktenhet>"

TAKEN = {
    "somebody else who gets it, by a role alone": Taken(
        DIALOG,
        "<Patient>",
        '<OtherReceiver><RoleReceiver V="COP"/></OtherReceiver><Patient>',
        "samtale",
        None,
    ),
    "departments of departments": Taken(
        DIALOG,
        "</Ident>\n        <HealthcareProfessional>",
        f"</Ident>{DEPARTMENTS}<HealthcareProfessional>",
        "mottaker.avdeling",
        "To",
    ),
    "a department that only has a number of another kind": Taken(
        DIALOG,
        "</Ident>\n        <HealthcareProfessional>",
        f"</Ident>{unit('', kind='LOK')}<HealthcareProfessional>",
        "mottaker.avdeling_nummer",
        "100009",
    ),
    "a name with two kinds of blanks between": Taken(
        DIALOG, "<FamilyName>Testesen", "<FamilyName>Vik \u00a0Dal", "person.navn", "Vik \u00a0Dal, Test"
    ),
    "a unit of another service, four levels down": Taken(
        DIALOG,
        'DN="Helsefaglig kontakt"/>',
        f'DN="Helsefaglig kontakt"/><TilknyttetEnhet>{CONTACT}</TilknyttetEnhet>',
        "notater.roller.tilknyttet.enhet.avdeling.navn",
        "To",
    ),
    "underlined": Taken(
        DIALOG,
        "Vi ber om time innen en uke.",
        "Vi <u>ber</u> om time innen en uke.",
        "notater.tekst",
        "Vi ber om time innen en uke.\nAstma er fulgt opp hver måned.",
    ),
    "a receipt that calls its version otherwise": Taken(
        APPREC_1_0, "<MIGversion>1.0", "<MIGversion>v1.0", "status", "avvist"
    ),
}


def _at(record: Record, path: str) -> Any:
    here: Any = record.fields
    for name in path.split("."):
        here = here[0] if isinstance(here, list) else here
        here = here.get(name)
    return here


@pytest.mark.parametrize("name", TAKEN)
def test_what_looks_odd_and_is_sound_is_read_and_written_again(name: str, absent_reference: Absent) -> None:
    adapter, old, new, path, says = TAKEN[name]
    text = EXAMPLES[adapter.name].read_text(encoding="utf-8")
    assert old in text
    body = text.replace(old, new, 1).encode()
    national = schemas(1, absent_reference)
    record = adapter.parse(body)
    written = adapter.render(record)

    assert TYPES[adapter.type].check(record.fields) == ()
    if says is not None:
        assert _at(record, path) == says
    assert adapter.parse(written) == without(adapter.as_said(record), adapter.loses)
    for document in (body, written):
        assert national is None or national.findings(etree.fromstring(document), document) == ()


TYPES_OF_OWN_ROOTS = {
    "kith_epikrise/examples/epikrise-1.1.xml": ("E", "EPIKRISE", "", " E "),
    "kith_epikrise/examples/epikrise-1.2.xml": ("E", "EPIKRISE", ""),
    "kith_henvisning/examples/endring-1.0.xml": ("H", "HENVISNING", ""),
    "kith_henvisning/examples/henvisning-1.1.xml": ("H", "HENVISNING", ""),
}


@pytest.mark.parametrize("name", TYPES_OF_OWN_ROOTS)
def test_a_message_with_a_root_of_its_own_is_known_whichever_version_its_type_is_of(name: str) -> None:
    root = etree.parse(FOLDER / name).getroot()
    said = root.find("{*}Type")
    assert said is not None
    own = REGISTRY.recognise("application/xml", (FOLDER / name).read_bytes())
    words = said.attrib.pop("DN", "Henvisning")

    for code in TYPES_OF_OWN_ROOTS[name]:
        said.set("V", code)
        body = etree.tostring(root, encoding="utf-8")
        assert REGISTRY.recognise("application/xml", body) is own
        assert own.parse(body) == own.parse((FOLDER / name).read_bytes())
    for other in ({"V": "SVAR_LAB"}, {"V": "", "DN": words}, {"DN": "Sykmelding"}):
        said.attrib.clear()
        for attribute, value in other.items():
            said.set(attribute, value)
        with pytest.raises(HubError):
            REGISTRY.recognise("application/xml", etree.tostring(root, encoding="utf-8"))


LONG = {
    "a text of twenty pages": (r"(<TextResultValue>)[^<]+", "Innlagt fra fengsel. " * 2300),
    "a file of five megabytes": (r"(<Base64Container[^>]*>)[^<]+", "QUJD" * 1_700_000),
}


@pytest.mark.parametrize("name", LONG)
def test_a_long_summary_has_room(name: str) -> None:
    place, said = LONG[name]
    text = (FOLDER / "kith_epikrise/examples/epikrise-1.2.xml").read_text(encoding="utf-8")
    body, count = re.subn(place, rf"\g<1>{said.strip()}", text, count=1)
    record = EPIKRISE.parse(body.encode())

    assert count == 1
    assert said.strip() in {value for _, value in walk(record.fields)}
    assert TYPES[EPIKRISE.type].check(record.fields) == ()
    assert EPIKRISE.parse(EPIKRISE.render(record)) == record


NUMBERS = {
    "a number that says no kind": (
        '<TypeId V="FNR" S="2.16.578.1.12.4.1.1.8116" DN="Fødselsnummer"/>',
        "<TypeId/>",
    ),
    "a number of an empty kind": ('TypeId V="FNR" S="2.16.578.1.12.4.1.1.8116"', 'TypeId V=" "'),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_of_no_kind_leads_to_nobody_and_is_told_where_it_stands(name: str) -> None:
    old, new = NUMBERS[name]
    before, patient, after = EXAMPLES[DIALOG.name].read_text(encoding="utf-8").partition("<Patient>")
    assert old in after

    with pytest.raises(HubError) as refused:
        DIALOG.parse((before + patient + after.replace(old, new, 1)).encode())

    assert [(found.rule, found.at) for found in refused.value.findings] == [
        ("person-number-local", "/MsgHead/MsgInfo/Patient/Ident[1]/Id")
    ]


LAST = {"2199-12-31T24:00:00": "2200-01-01T00:00:00+01:00", "9999-12-31T24:00:00": None}


@pytest.mark.parametrize(("written", "read"), LAST.items())
def test_the_midnight_after_the_last_day_is_a_fault_and_no_accident(written: str, read: str | None) -> None:
    body = EXAMPLES[DIALOG.name].read_bytes().replace(b"2030-05-01T09:30:00+02:00", written.encode(), 1)
    if read is not None:
        assert DIALOG.parse(body).get("melding.sendt") == read
        return

    with pytest.raises(HubError) as refused:
        DIALOG.parse(body)

    assert [(found.rule, found.at) for found in refused.value.findings] == [
        ("datetime", "/MsgHead/MsgInfo/GenDate")
    ]


def test_the_head_of_the_table_is_the_national_schema(absent_reference: Absent) -> None:
    if schemas(1, absent_reference) is None:
        return
    assert isinstance(DIALOG.profile, Profile)
    info = DIALOG.profile.root.rows[0]
    assert isinstance(info, El)

    other_edition = [
        found for found in differences(info) if not found.startswith("/MsgInfo/OtherReceiver/Person: ")
    ]
    assert other_edition == []
