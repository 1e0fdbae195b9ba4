"""Understands that MsgHead is read and written as the national standard says, whatever it carries."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from lxml import etree

from adapters.base import Sniff
from adapters.kith.datatypes import ANY, OPAQUE
from adapters.kith.message import in_msghead
from adapters.kith.msghead import MH, PREFIXES, ROOT, msghead
from adapters.kith.profile import Profile
from adapters.kith.tables import everything, group, leaf, within
from adapters.safe_xml import read_xml
from hub.errors import HubError
from hub.message import Record
from tests.adapters.national import Absent, samples, schemas

NS = "urn:test:payload"
PAYLOAD = within(NS, group("Note", leaf("Text", ANY, to="tekst")))
ADAPTER = in_msghead("kith-note", "note", ("NOTE",), PAYLOAD)
PARENT = "0b8a9d1e-54f7-4c7f-9a9f-5e6f3f3f8a01"
WHOLE: dict[str, Any] = {
    "melding": {
        "sendt": "2030-03-02T10:32:12+01:00",
        "id": "d93cebe5-ac91-4022-8969-4f93300d8171",
        "svar_pa": PARENT,
        "avsender": "310000019",
        "mottaker": "310000027",
    },
    "samtale": PARENT,
    "prioritet": "1",
    "avsender": {
        "enhet": "Eksempel kommune",
        "her": "100001",
        "avdeling": "Eksempel helsetjeneste",
        "avdeling_her": "100002",
    },
    "mottaker": {
        "enhet": "Eksempel legesenter",
        "behandler_type": "LE",
        "behandler_rolle": "6",
        "behandler_hpr": "9999999",
        "behandler": "Lege Mellom Legesen",
    },
    "person": {"id": "15859010099", "navn": "Test Testesen"},
    "tekst": "Ber om time.",
    "hoveddokument": {
        "innholdstype": {"kode": "8", "system": "urn:oid:2.16.578.1.12.4.1.1.8114", "tekst": "Notat"},
        "beskrivelse": "Notat\nom time",
        "kategori": {"annet": "brev"},
        "merknad": "Haster",
        "fra": "2030-02",
        "til": "2030-03-02T10:00:00+01:00",
        "dato": "2030-03-01",
        "id": "n-1",
        "navn": "Notat 1",
    },
    "vedlegg": [
        {
            "innholdstype": {"kode": "9", "tekst": "Plan"},
            "beskrivelse": "Plan",
            "kategori": {"kode": "1", "system": "urn:oid:2.16.578.1.12.4.1.1.8114"},
            "fra": "2030",
            "til": "2030-03-01",
            "dato": "2030-03-01",
            "dato_kl": "23:30:00-02:00",
            "type": "text/plain",
            "navn": "plan.txt",
            "innhold": "aGVp",
            "pakket": "ZIP",
        },
        {"navn": "bilde.png", "adresse": "x:1", "dato_omtrent": "2030-03"},
        {"id": "journal-77", "merknad": "Sendes per post.\nPasienten vet det."},
    ],
}


def written(**more: Any) -> etree._Element:
    return read_xml(ADAPTER.render(Record("note", {**WHOLE, **more})))


def test_an_envelope_with_everything_survives() -> None:
    assert ADAPTER.parse(ADAPTER.render(Record("note", WHOLE))).fields == WHOLE


def local(item: etree._Element) -> list[str]:
    return [etree.QName(child).localname for child in item]


def test_the_traps_of_the_envelope() -> None:
    root = written()
    info = root[0]
    sender = info.find(f"{{{MH}}}Sender/{{{MH}}}Organisation")
    doctor = info.find(f"{{{MH}}}Receiver/{{{MH}}}Organisation/{{{MH}}}HealthcareProfessional")
    assert sender is not None
    assert doctor is not None

    assert local(info)[:6] == ["Type", "MIGversion", "GenDate", "MsgId", "RequestedPriority", "Ack"]
    assert local(info)[6:] == ["ConversationRef", "Sender", "Receiver", "Patient"]
    assert local(info[6]) == ["RefToParent", "RefToConversation"]
    assert local(sender) == ["OrganisationName", "Ident", "Ident", "Organisation"]
    assert local(doctor)[2:4] == ["FamilyName", "GivenName"]
    assert [document.findtext(f"{{{MH}}}RefDoc/{{{MH}}}MimeType") for document in root[1:]] == [  # type: ignore[index]  # lxml-stubs know no slices
        None,
        "text/plain",
        None,
        None,
    ]


def test_what_opens_a_conversation_has_no_reference_and_an_answer_always_two() -> None:
    first = written(melding={k: v for k, v in WHOLE["melding"].items() if k != "svar_pa"})
    answer = ADAPTER.render(Record("note", {k: v for k, v in WHOLE.items() if k != "samtale"}))

    assert first.find(f".//{{{MH}}}ConversationRef") is None
    assert ADAPTER.parse(answer).get("samtale") == PARENT


@pytest.mark.parametrize("said", ["aGVp", "aGU=", "aA==", "aGVpaGU=", "aGVp\n aA=="])
def test_base64_as_the_schema_has_it_is_kept(said: str) -> None:
    body = ADAPTER.render(Record("note", WHOLE)).decode().replace("aGVp", said, 1)

    attached = next(one for one in ADAPTER.parse(body.encode()).fields["vedlegg"] if "innhold" in one)

    assert base64.b64encode(base64.b64decode(attached["innhold"])).decode() == "".join(said.split())


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("<OrganisationName>Eksempel kommune</OrganisationName>", "", "missing"),
        ("<MIGversion>v1.2 2006-05-24</MIGversion>", "<MIGversion>v1.1</MIGversion>", "fixed"),
        ('<Type V="NOTE"/>', '<Type V="OTHER"/>', "fixed"),
        ("d93cebe5-ac91-4022-8969-4f93300d8171", "17", "msgid-uuid"),
        ("<FamilyName>Testesen</FamilyName>", "", "person-name-missing"),
        ("15859010099", "15859010098", "person-number"),
        ("aGVp", "!", "base64"),
        ("aGVp", "aGV=", "base64"),
        ("aGVp", "aH==", "base64"),
        (f'<Note xmlns="{NS}"><Text>Ber om time.</Text></Note>', "", "missing"),
    ],
)
def test_a_fault_of_the_envelope_is_told(old: str, new: str, rule: str) -> None:
    body = ADAPTER.render(Record("note", WHOLE)).decode()
    assert old in body

    with pytest.raises(HubError) as refused:
        ADAPTER.parse(body.replace(old, new, 1).encode())

    assert rule in {finding.rule for finding in refused.value.findings}


@pytest.mark.parametrize("around", ["", "HealthcareProfessional"])
def test_what_stands_in_an_element_of_the_senders_own_is_told_without_its_name(around: str) -> None:
    """Two professionals in what no table has: where the second stands is told down to that."""
    persons = "".join(
        f"<HealthcareProfessional><FamilyName>{name}</FamilyName></HealthcareProfessional>" for name in "AB"
    )
    strange = f'<k:Kanari xmlns:k="urn:k">{persons}</k:Kanari>'
    strange = f"<{around}>{strange}</{around}>" if around else strange
    body = ADAPTER.render(Record("note", WHOLE)).decode()
    first = body.index("</Organisation>")

    with pytest.raises(HubError) as refused:
        ADAPTER.parse((body[:first] + strange + body[first:]).encode())

    others = [one for one in refused.value.findings if one.rule == "other-professional"]
    assert others
    assert all("Kanari" not in one.at for one in refused.value.findings)
    assert any(one.at.endswith("/?") for one in others)


def test_two_payloads_are_one_too_many() -> None:
    body = ADAPTER.render(Record("note", WHOLE)).decode()
    start, end = body.index("<Document>"), body.index("</Document>") + len("</Document>")

    with pytest.raises(HubError) as refused:
        ADAPTER.parse((body[:end] + body[start:end] + body[end:]).encode())

    assert {finding.rule for finding in refused.value.findings} == {"one-file"}


def test_an_envelope_is_known_by_its_type_and_by_what_it_carries() -> None:
    root = written()
    other = in_msghead("x", "x", ("NOTE",), within("urn:other", group("Note")))
    sniff = Sniff("application/xml", root=str(root.tag), tree=root)

    assert ADAPTER.recognise(sniff)
    assert not other.recognise(sniff)
    root[0][0].set("V", "ELSE")
    assert not ADAPTER.recognise(sniff)


def test_every_value_of_the_envelope_has_a_field_or_a_reason() -> None:
    profile = ADAPTER.profile
    assert isinstance(profile, Profile)

    assert [one.path for one in everything(profile.root) if not one.field and not one.why] == []


BEYOND = frozenset(
    (
        *("msgid-uuid", "person-number-missing", "person-number", "person-number-local", "one-file"),
        *("person-name-missing", "sender-missing", "receiver-missing"),
    )
)


def test_every_national_envelope_that_its_schema_takes_is_read(absent_reference: Absent) -> None:
    national = schemas(150, absent_reference)
    seen = 0
    for file in samples("**/*.xml", 200, absent_reference):
        body = file.read_bytes()
        if b"msghead/2006" not in body:
            continue
        try:
            root = read_xml(body)
        except HubError:
            continue
        content = root.find("{*}Document/{*}RefDoc/{*}Content/*")
        if root.tag != ROOT or content is None or national is None or national.findings(root, body):
            continue
        name = etree.QName(content)
        payload = leaf(name.localname, OPAQUE, ns=name.namespace or "")
        reading = Profile(msghead("X", payload, others=("Y",)), PREFIXES).read(root, body)
        told = [one for one in reading.refused if one.rule not in BEYOND and not one.at.endswith("/Patient")]
        seen += 1

        assert told == [], file.name
    assert seen > 100 or national is None


def attached(*, note: str = "", inside: str = "") -> bytes:
    """The envelope with one more document, which is an attachment."""
    text = ADAPTER.render(Record("note", {**WHOLE, "vedlegg": []})).decode()
    made = f'<Document><DocumentConnection V="V"/>{note}<RefDoc>{inside}</RefDoc></Document>'
    return text.replace("</MsgHead>", f"{made}</MsgHead>").encode()


FILE = '<Content><Base64Container xmlns="http://www.kith.no/xmlstds/base64container">UEs=</Base64Container></Content>'
KIND = '<MsgType V="A"/>'
ATTACHED = {
    "a packed file": (
        attached(inside=f'{KIND}<Compression V="ZIP"/>{FILE}'),
        {"pakket": "ZIP", "innhold": "UEs="},
    ),
    "no more than an id": (attached(inside=f"{KIND}<Id>journal-77</Id>"), {"id": "journal-77"}),
    "no more than a note": (
        attached(note="<Annotation>Pasienten skal ikke se det</Annotation>", inside=KIND),
        {"merknad": "Pasienten skal ikke se det"},
    ),
    "a month": (attached(inside=f'<IssueDate V="2030-03"/>{KIND}'), {"dato_omtrent": "2030-03"}),
    "what kind it is, and from when to when": (
        attached(
            note='<ContentType V="1" S="2.16" DN="Epikrise"/><ContentDescription>2029</ContentDescription>'
            '<ContentCategory OT="brev"/><FromDate V="2029"/><ToDate V="2029-12-24T12:00:00"/>',
            inside=KIND,
        ),
        {
            "innholdstype": {"kode": "1", "system": "urn:oid:2.16", "tekst": "Epikrise"},
            "beskrivelse": "2029",
            "kategori": {"annet": "brev"},
            "fra": "2029",
            "til": "2029-12-24T12:00:00",
        },
    ),
    "a time of day": (
        attached(inside=f'<IssueDate V="2030-03-01T23:30:00-02:00"/>{KIND}'),
        {"dato": "2030-03-01", "dato_kl": "23:30:00-02:00"},
    ),
}


@pytest.mark.parametrize(("body", "says"), ATTACHED.values(), ids=ATTACHED)
def test_what_is_said_of_an_attachment_is_read_and_written_again(body: bytes, says: dict[str, Any]) -> None:
    read = ADAPTER.parse(body)

    assert read.get("vedlegg") == [says]
    assert ADAPTER.parse(ADAPTER.render(read)) == read


def test_a_packed_file_is_sent_on_as_packed() -> None:
    (compression,) = written().iter(f"{{{MH}}}Compression")

    assert compression.get("V") == "ZIP"


def test_what_is_said_of_the_message_itself_is_written_before_it() -> None:
    main = written()[1]

    assert main[0].get("V") == "H"
    assert local(main)[1:] == [
        "ContentType",
        "ContentDescription",
        "ContentCategory",
        "Annotation",
        "FromDate",
        "ToDate",
        "RefDoc",
    ]


def test_a_message_of_which_nothing_is_said_is_written_without_it() -> None:
    body = ADAPTER.render(Record("note", {k: v for k, v in WHOLE.items() if k != "hoveddokument"}))

    assert local(read_xml(body)[1]) == ["DocumentConnection", "RefDoc"]
    assert local(read_xml(body)[1][1]) == ["MsgType", "Content"]
    assert "hoveddokument" not in ADAPTER.parse(body).fields


FK1 = "http://www.kith.no/xmlstds/felleskomponent1"
COPY = "<FamilyName>{}</FamilyName><Ident><Id>1</Id><TypeId V='XXX'/></Ident>"
EDITIONS = {
    "as NAV and KS have it": (f"<Person>{COPY}</Person>", None),
    "as the national schema has it": (
        "<Person>" + COPY.replace("</", "</f:").replace("<", "<f:").replace("<f:/f:", "</f:") + "</Person>",
        None,
    ),
    "nobody": ("<Person/>", None),
    "half in each": (
        "<Person><f:FamilyName>{}</f:FamilyName><GivenName>Bo</GivenName></Person>",
        ("/MsgHead/MsgInfo/OtherReceiver[1]/Person/?", "unknown-element"),
    ),
    "two persons": (
        "<Person><FamilyName>{}</FamilyName></Person><Person><f:FamilyName>Bo</f:FamilyName></Person>",
        ("/MsgHead/MsgInfo/OtherReceiver[1]/Person", "count"),
    ),
    "a person and a professional": (
        "<Person><FamilyName>{}</FamilyName></Person>"
        "<HealthcareProfessional><Ident><Id>1</Id><TypeId V='HPR'/></Ident></HealthcareProfessional>",
        ("/MsgHead/MsgInfo/OtherReceiver[1]", "choice"),
    ),
}


@pytest.mark.parametrize(("person", "fault"), EDITIONS.values(), ids=EDITIONS)
def test_who_gets_a_copy_is_read_in_either_edition_and_goes_nowhere(
    person: str, fault: tuple[str, str] | None
) -> None:
    said = f"<OtherReceiver xmlns:f='{FK1}'><RoleReceiver V='COP'/>{person.format('Kopisen')}</OtherReceiver>"
    body = ADAPTER.render(Record("note", WHOLE)).decode().replace("<Patient>", f"{said}<Patient>").encode()
    profile = ADAPTER.profile
    assert isinstance(profile, Profile)

    reading = profile.read(read_xml(body), body)

    assert [(found.at, found.rule) for found in reading.refused] == ([fault] if fault else [])
    assert reading.fields == WHOLE


BESIDE = in_msghead(
    "kith-two",
    "note",
    ("NOTE",),
    PAYLOAD,
    within("urn:test:beside", group("More", leaf("Text", ANY, to="mer"), least=0)),
)


def test_an_annotation_of_a_document_beside_the_message_is_refused_at_its_place() -> None:
    body = BESIDE.render(Record("note", {**WHOLE, "mer": "Mer."})).decode()
    at = body.index('<More xmlns="urn:test:beside">')
    before = body[:at].rindex("<RefDoc>")
    noted = (body[:before] + "<Annotation>Haster</Annotation>" + body[before:]).encode()

    with pytest.raises(HubError) as refused:
        BESIDE.parse(noted)

    (finding,) = refused.value.findings
    assert (finding.rule, finding.at) == ("annotation", "/MsgHead/Document/Annotation")


@pytest.mark.parametrize(
    ("number", "kind", "rules"),
    [
        ("15859010098", "FNR", ["person-number-two"]),
        ("15859010099", "FNR", []),
        ("15859010098", "XXX", []),
    ],
)
def test_two_numbers_of_one_kind_are_two_persons(number: str, kind: str, rules: list[str]) -> None:
    text = ADAPTER.render(Record("note", WHOLE)).decode()
    more = f'<Ident><Id>{number}</Id><TypeId V="{kind}"/></Ident></Patient>'
    body = text.replace("</Patient>", more).encode()
    profile = ADAPTER.profile
    assert isinstance(profile, Profile)

    assert [finding.rule for finding in profile.read(read_xml(body), body).refused] == rules


def doctor(name: str = "Ås", number: str = "9999999", kind: str = "HPR", more: str = "") -> str:
    ident = f'<Ident><Id>{number}</Id><TypeId V="{kind}" S="2.16.578.1.12.4.1.1.8116"/></Ident>'
    family = f"<FamilyName>{name}</FamilyName>" if name else ""
    return f"<HealthcareProfessional>{family}{ident}{more}</HealthcareProfessional>"


def between(inner: str, outer: str, party: str) -> bytes:
    """The envelope with a professional in the department of a party, and one beside the department."""
    there = {**WHOLE["avsender"], "avdeling": "Avdeling"}
    text = ADAPTER.render(Record("note", {**WHOLE, "avsender": there, "mottaker": there})).decode()
    start = text.index(f"<{party}>")
    end = text.index("</Organisation></Organisation>", start)
    return (text[:end] + text[end:].replace("</Organisation>", f"{inner}</Organisation>{outer}", 1)).encode()


PARTIES = {"Sender": "avsender", "Receiver": "mottaker"}
REACHED = '<Address><City>Oslo</City></Address><TeleCom><TeleAddress V="tel:1"/></TeleCom>'


@pytest.mark.parametrize("party", PARTIES)
@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        (doctor("Ås", "9999999"), doctor("Bø", "9999998")),
        (doctor("Ås", "100003", "HER"), doctor("Bø", "9999998")),
        (doctor("", "9999999"), doctor("Bø", "9999999")),
        (doctor("Ås", "15859010099", "FNR"), doctor("Ås", "9999998")),
        (doctor("Ås"), doctor("Ås").replace("<FamilyName>", '<RoleToPatient V="6"/><FamilyName>')),
    ],
)
def test_a_party_with_two_professionals_is_refused_at_the_outer_one(
    party: str, inner: str, outer: str
) -> None:
    with pytest.raises(HubError) as refused:
        ADAPTER.parse(between(inner, outer, party))

    (finding,) = refused.value.findings
    assert (finding.rule, finding.at) == (
        "other-professional",
        f"/MsgHead/MsgInfo/{party}/Organisation/HealthcareProfessional",
    )


@pytest.mark.parametrize("party", PARTIES)
@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        (doctor(), ""),
        ("", doctor()),
        (doctor(), doctor()),
        (doctor(), doctor(more=REACHED)),
        (doctor(), doctor("")),
    ],
)
def test_a_professional_said_once_or_twice_is_read_once_and_written_once(
    party: str, inner: str, outer: str
) -> None:
    read = ADAPTER.parse(between(inner, outer, party))
    again = ADAPTER.render(read)

    assert read.get(f"{PARTIES[party]}.behandler") == "Ås"
    assert read.get(f"{PARTIES[party]}.behandler_hpr") == "9999999"
    assert ADAPTER.parse(again) == read
    assert again.count(b"<HealthcareProfessional>") == 1


def test_a_refused_document_gives_nobody_anothers_number() -> None:
    profile = ADAPTER.profile
    assert isinstance(profile, Profile)
    body = between(doctor("Ås", "100003", "HER"), doctor("Bø", "9999998"), "Sender")

    sender = profile.read(read_xml(body), body).fields["avsender"]

    assert (sender["behandler"], sender["behandler_her"]) == ("Ås", "100003")
    assert "behandler_hpr" not in sender


def test_a_professional_below_two_levels_is_refused() -> None:
    third = f"<Organisation><OrganisationName>x</OrganisationName>{{}}{doctor()}</Organisation>"
    ident = '<Ident><Id>1</Id><TypeId V="LIN"/></Ident>'

    with pytest.raises(HubError) as refused:
        ADAPTER.parse(between(third.format(ident), "", "Sender"))

    assert {finding.rule for finding in refused.value.findings} == {"other-professional"}


@pytest.mark.parametrize("first", ["310000019", "310000018"])
def test_a_number_that_is_nobodys_stands_beside_one_that_is_somebodys(first: str) -> None:
    other = {"310000019": "310000018", "310000018": "310000019"}[first]
    text = ADAPTER.render(Record("note", WHOLE)).decode()
    one = re.search(r"<Ident>\s*<Id>310000019</Id>.*?</Ident>", text, re.DOTALL)
    assert one is not None
    both = "".join(one[0].replace("310000019", number) for number in (first, other, other))

    read = ADAPTER.parse(text.replace(one[0], both, 1).encode())

    assert (read.get("melding.avsender"), read.get("avsender.enhet_orgnr")) == ("310000019", "310000018")
    assert ADAPTER.parse(ADAPTER.render(read)) == read


@pytest.mark.parametrize(
    ("name", "given", "family"),
    [
        ("Kari Nordmann", "Kari", "Nordmann"),
        ("Nordmann, Kari Mari", "Kari Mari", "Nordmann"),
        ("Nordmann", None, "Nordmann"),
        ("Nordmann,", None, "Nordmann"),
        (",53", None, "53"),
        (", , Kari Nordmann", "Kari", "Nordmann"),
        (",", None, ","),
        (", ,", ",", ","),
    ],
)
def test_any_text_is_a_name_with_a_family_name(name: str, given: str | None, family: str) -> None:
    record = Record("note", {**WHOLE, "person": {"id": "15859010099", "navn": name}})
    patient = read_xml(ADAPTER.render(record)).find(f".//{{{MH}}}Patient")

    assert patient is not None
    assert (patient.findtext(f"{{{MH}}}GivenName"), patient.findtext(f"{{{MH}}}FamilyName")) == (
        given,
        family,
    )
