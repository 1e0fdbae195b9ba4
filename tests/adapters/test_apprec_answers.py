"""Understands that every message gets the receipt that the national system tests expect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import adapters
from adapters.apprec import answering
from adapters.apprec.adapter import BY_VERSION, TYPE
from adapters.apprec.answering import Answer, Arrival, Register, answers, standing
from adapters.apprec.head import form_of
from adapters.kith.msghead import MH
from adapters.registry import adapters_for
from adapters.safe_xml import read_xml
from hub.errors import Finding, HubError
from hub.message import Record
from mappings.types import load_types
from tests.adapters.national import SAMPLES, Absent, schemas
from tests.mutating import mutated

TYPES = load_types()
REGISTRY = adapters_for(TYPES)
EXAMPLES = Path(adapters.__file__).parent / "kith_epikrise/examples"
OLD, NEW = ((EXAMPLES / f"epikrise-{version}.xml").read_text(encoding="utf-8") for version in ("1.1", "1.2"))
MADE = datetime.fromisoformat("2030-05-02T09:12:00+02:00")
AT = MADE + timedelta(minutes=1)
OUR_NUMBER = "2b4d0f52-8a0c-4a9d-9c35-6a77f0f1d201"
SECRET = "kanarifugl"

HERE, OUR_SERVICE, OUR_DOCTOR, THERE, THEIR_SERVICE = "9900001", "9900002", "9900003", "9900101", "9900102"
REGISTER = Register(HERE, {HERE: frozenset({OUR_SERVICE, OUR_DOCTOR}), THERE: frozenset({THEIR_SERVICE})})


# -- messages in MsgHead, made from what a case is about --


SERVICE = "<OrganisationName>Avdeling</OrganisationName>"


def number(kind: str, value: str, tag: str = "Ident") -> str:
    return (
        f'<{tag}><Id>{value}</Id><TypeId V="{kind}" S="2.16.578.1.12.4.1.1.9051"/></{tag}>' if value else ""
    )


def organisation(first: str, second: str, *, person: bool = False, signer: str = "") -> str:
    """mh:Organisation with a service or a person of these HER-ids; a signer has an HPR number only."""
    names = "<FamilyName>Legesen</FamilyName><GivenName>Lege</GivenName>"
    below = (
        f"<HealthcareProfessional>{names}{number('HER', second)}</HealthcareProfessional>"
        if person
        else f"<Organisation>{SERVICE}{number('HER', second)}</Organisation>"
    )
    signed = (
        f"<HealthcareProfessional>{names}{number('HPR', signer)}</HealthcareProfessional>" if signer else ""
    )
    return (
        f"<Organisation><OrganisationName>Eksempel</OrganisationName>{number('HER', first)}"
        f"{number('ENH', '310000027')}{below}{signed}</Organisation>"
    )


SENDER = organisation(THERE, THEIR_SERVICE)


def message(
    *receivers: str, others: Sequence[tuple[str, str]] = (), sender: str = SENDER, year: str = "2013-01-23"
) -> str:
    """A dialogmelding; `others` are roles with organisations."""
    copies = "".join(
        f'<OtherReceiver><RoleReceiver V="{role}"/>{one}</OtherReceiver>' for role, one in others
    )
    return (
        f'<MsgHead xmlns="{MH}"><MsgInfo><Type V="DIALOG_HELSEFAGLIG" DN="Helsefaglig dialog"/>'
        f"<MIGversion>v1.2 2006-05-24</MIGversion><GenDate>{MADE.isoformat()}</GenDate>"
        f"<MsgId>{OUR_NUMBER}</MsgId><Sender>{sender}</Sender>"
        f"<Receiver>{''.join(receivers)}</Receiver>{copies}</MsgInfo><Document><RefDoc><Content>"
        f'<Dialogmelding xmlns="http://www.kith.no/xmlstds/dialog/{year}"/></Content></RefDoc></Document></MsgHead>'
    )


def old(*receivers: str, others: Sequence[tuple[str, str]] = ()) -> str:
    return message(*receivers, others=others, year="2006-10-11")


US, OUR_COPY = organisation(HERE, OUR_SERVICE), organisation(HERE, OUR_DOCTOR, person=True)
THEM = organisation(THERE, THEIR_SERVICE)
UNKNOWN = organisation(HERE, "9999901")


# -- the cases --

Expected = tuple[str, str, tuple[str, ...]]
"""The role of who answers, the status (8258) and the codes (8221)."""
GOOD, BAD = "1", "2"


@dataclass(frozen=True)
class Case:
    """One system test: a body, what others found in it, and the receipts that come of it, in order."""

    body: str
    expected: tuple[Expected, ...]
    version: str = "1.1"
    findings: tuple[str, ...] = ()
    again: bool = False
    at: datetime = AT
    register: Register | None = None
    holds: Mapping[str, object] = field(default_factory=dict)


def positive(role: str = "PRIM") -> tuple[Expected, ...]:
    return ((role, GOOD, ()),)


def negative(*codes: str, role: str = "PRIM") -> tuple[Expected, ...]:
    return ((role, BAD, codes),)


def without(text: str, *gone: str) -> str:
    for part in gone:
        assert part in text
        text = text.replace(part, "")
    return text


PERSON = "<OffId>15859010099</OffId>"

CASES: dict[str, Case] = {
    "1 taken in": Case(NEW, positive()),
    "2 the id of the original": Case(
        NEW, positive(), holds={"gjelder": "0d6f7c58-2a41-4b7e-9a53-5d1f6f2f9c10"}
    ),
    "3 the type of the original": Case(
        NEW, positive(), holds={"gjelder_type": "EPIKRISE", "gjelder_type_tekst": "Epikrise"}
    ),
    "4 the time of the original": Case(
        NEW, positive(), holds={"gjelder_sendt": MADE.isoformat(), "melding.sendt": AT.isoformat()}
    ),
    "5 the addresses are mirrored": Case(
        message(US),
        positive(),
        register=REGISTER,
        holds={
            "avsender.enhet": "Eksempel",
            "avsender.her": HERE,
            "avsender.avdeling": "Avdeling",
            "avsender.avdeling_her": OUR_SERVICE,
            "melding.avsender": "310000027",
            "mottaker.rolle": "AVS",
            "mottaker.her": THERE,
            "mottaker.avdeling_her": THEIR_SERVICE,
            "melding.mottaker": "310000027",
        },
    ),
    "6 who signed is no address": Case(
        message(US, sender=organisation(THERE, THEIR_SERVICE, signer="9999999")),
        positive(),
        register=REGISTER,
        holds={
            "mottaker.avdeling_her": THEIR_SERVICE,
            "mottaker.behandler": None,
            "mottaker.behandler_hpr": None,
        },
    ),
    "6b a doctor who is the address": Case(
        message(US, sender=organisation(THERE, THEIR_SERVICE, person=True)),
        positive(),
        register=REGISTER,
        holds={"mottaker.behandler": "Lege Legesen", "mottaker.behandler_her": THEIR_SERVICE},
    ),
    "7 PRIM": Case(message(US, others=[("COP", THEM)]), positive(), register=REGISTER),
    "8 REQ": Case(OLD, positive("REQ"), "1.0", holds={"mottaker.rolle": "RECEIVER"}),
    "9 SPR": Case(old(US, others=[("COP", THEM)]), positive("SPR"), "1.0", register=REGISTER),
    "10 COP": Case(message(THEM, others=[("COP", OUR_COPY)]), positive("COP"), register=REGISTER),
    "11 PRIM and COP in one place": Case(
        message(US, others=[("COP", OUR_COPY)]), (*positive(), *positive("COP")), register=REGISTER
    ),
    "11b its second sending": Case(
        message(US, others=[("COP", OUR_COPY)]), (), again=True, register=REGISTER
    ),
    "12 the same again": Case(NEW, (), again=True),
    "14 by hand, in time": Case(NEW, positive(), at=MADE + timedelta(hours=95)),
    "15 by hand, at the last moment": Case(NEW, positive(), at=MADE + timedelta(hours=96)),
    "16 cannot be read": Case(NEW[:-9], negative("T01")),
    "16b a DTD": Case(NEW.replace("<Message", "<!DOCTYPE Message><Message", 1), negative("T99")),
    "17 no HER-id on level 1": Case(
        message(organisation("", OUR_SERVICE)), negative("E21"), register=REGISTER
    ),
    "18 no HER-id on level 2": Case(message(organisation(HERE, "")), negative("E21"), register=REGISTER),
    "17 and 18": Case(message(organisation("", "")), negative("E21", "E21"), register=REGISTER),
    "19 an unknown doctor": Case(
        message(organisation(HERE, "9999902", person=True)), negative("E21"), register=REGISTER
    ),
    "20 an unknown service": Case(message(UNKNOWN), negative("E21"), register=REGISTER),
    "21 unknown on both levels": Case(message(organisation("9999903", "9999904")), (), register=REGISTER),
    "22 came to the wrong place": Case(
        message(THEM, others=[("COP", organisation(THERE, "9999905"))]),
        negative("E21"),
        register=REGISTER,
        holds={"avsender.her": THERE, "avsender.avdeling_her": THEIR_SERVICE},
    ),
    "23 a patient nobody knows": Case(NEW, negative("E35"), findings=("patient-unknown",)),
    "24 nothing says who the patient is": Case(without(NEW, PERSON), negative("E30")),
    "24b a number of one house": Case(
        NEW.replace('<TypeOffId V="FNR" DN="Fødselsnummer"/>', '<TypeOffId V="HNR"/>'), negative("E36")
    ),
    "25 cannot be handled": Case(NEW, negative("X99"), findings=("not-handled",)),
    "26 several faults": Case(
        NEW.replace("15859010099", "15859010098").replace(
            "<MsgId>0d6f7c58-2a41-4b7e-9a53-5d1f6f2f9c10", "<MsgId>1"
        ),
        negative("E10", "E31"),
    ),
    "27 refused by hand, in time": Case(
        NEW, negative("E35"), findings=("patient-unknown",), at=MADE + timedelta(hours=95)
    ),
    "28 an id that is none": Case(
        NEW.replace("<MsgId>0d6f7c58-2a41-4b7e-9a53-5d1f6f2f9c10", "<MsgId>melding 1"),
        negative("E10"),
        holds={"gjelder": "melding 1"},
    ),
    "29 a bad signature": Case(NEW, negative("S01"), findings=("signature",)),
    "30 a bad certificate": Case(NEW, negative("S02"), findings=("certificate",)),
    "31 a revoked certificate": Case(NEW, negative("S03"), findings=("certificate-revoked",)),
    "32 not valid": Case(NEW.replace('<ServType V="N" DN="Ny"/>', "", 1), negative("T02")),
    "33 a format nobody reads": Case(
        message(US).replace("/dialog/2013-01-23", "/ukjent/2030-01-01"), negative("T10"), register=REGISTER
    ),
    "34 not well formed": Case(
        OLD.replace("</MIGversion>", "</MIG>"),
        negative("T01", role="REQ"),
        "1.0",
        holds={"gjelder_type": "E"},
    ),
    "35 a role that is none": Case(message(THEM, others=[("XXX", US)]), negative("E21"), register=REGISTER),
    "36 PRIM refused": Case(message(UNKNOWN, others=[("COP", THEM)]), negative("E21"), register=REGISTER),
    "37 REQ refused": Case(
        OLD,
        negative("E21", role="REQ"),
        "1.0",
        register=Register("100003", {"100003": frozenset({OUR_DOCTOR})}),
    ),
    "38 SPR refused": Case(
        old(UNKNOWN, others=[("COP", THEM)]), negative("E21", role="SPR"), "1.0", register=REGISTER
    ),
    "39 COP refused": Case(
        message(THEM, others=[("COP", UNKNOWN)]), negative("E21", role="COP"), register=REGISTER
    ),
    "40 both refused": Case(
        message(UNKNOWN, others=[("COP", UNKNOWN)]),
        (*negative("E21"), *negative("E21", role="COP")),
        register=REGISTER,
    ),
    "40b in the older version": Case(
        old(UNKNOWN, others=[("COP", UNKNOWN)]),
        (*negative("E21", role="SPR"), *negative("E21", role="COP")),
        "1.0",
        register=REGISTER,
    ),
    "41 a refused one again": Case(without(NEW, PERSON), (), again=True),
}
"""By the number of the national system test. 13 and 42 are about who sent, below."""


def refusal(body: bytes) -> HubError | None:
    """What the hub says to a body. Of messages in MsgHead only the addresses are asked about here."""
    if b"<MsgHead" in body and b"/dialog/" in body:
        return None
    try:
        record = REGISTRY.recognise("application/xml", body).parse(body)
    except HubError as refused:
        return refused
    assert TYPES[record.type].check(record.fields) == ()
    return None


def answered(case: Case) -> tuple[Answer, ...]:
    body = case.body.encode()
    found = tuple(Finding("signature", rule, "x", nb="det som trengs") for rule in case.findings)
    arrival = Arrival(
        body,
        case.at,
        sender={"enhet": "Eksempel helsetjeneste", "orgnr": "310000019"},
        receiver={"enhet": "Eksempel legesenter", "orgnr": "310000027"},
        refused=refusal(body),
        findings=found,
        again=case.again,
    )
    return answering.answers(arrival, case.register, lambda: OUR_NUMBER)


def said(answer: Answer) -> Expected:
    written = BY_VERSION[answer.version].render(answer.record)
    root = read_xml(written)
    namespace = {"a": root.tag[1:].partition("}")[0]}
    role, status = (root.find(path, namespace) for path in ("a:Sender/a:Role", "a:Status"))
    assert role is not None
    assert status is not None
    codes = tuple(str(item.get("V")) for item in root.iterfind("a:Error", namespace))
    return str(role.get("V")), str(status.get("V")), codes


@pytest.mark.parametrize("name", CASES)
def test_a_message_gets_the_receipts_that_are_expected(name: str, absent_reference: Absent) -> None:
    case = CASES[name]
    given = answered(case)

    assert tuple(said(answer) for answer in given) == case.expected
    assert {answer.version for answer in given} <= {case.version}
    for answer in given:
        assert {path: answer.record.get(path) for path in case.holds} == case.holds
        assert answer.record.get("melding.svar_pa") == answer.record.get("gjelder")
        assert (
            BY_VERSION[answer.version].parse(BY_VERSION[answer.version].render(answer.record))
            == answer.record
        )
    if (national := schemas(1, absent_reference)) is not None:
        for answer in given:
            written = BY_VERSION[answer.version].render(answer.record)
            assert national.findings(read_xml(written), written) == ()


def test_the_table_has_every_national_system_test(absent_reference: Absent) -> None:
    ours = {int(name.partition(" ")[0].rstrip("b")) for name in CASES} | {13, 42}
    file = SAMPLES / "derived/apprec-testcases-sarepta.tsv"
    if not file.is_file():
        absent_reference("national system tests of the AppRec", 42)
        return
    lines = file.read_text(encoding="utf-8").partition("## Systemtest")[2].splitlines()
    theirs = {int(line.partition("\t")[0]) for line in lines if line.partition("\t")[0].isdigit()}

    assert ours == theirs


FIRST, SECOND = (Record(TYPE, {"status": status}) for status in ("mottatt", "avvist"))


@pytest.mark.parametrize(
    ("receipts", "hours", "expected"),
    [
        pytest.param([], 96, "venter", id="42 until the last moment"),
        pytest.param([], 96.01, "ubesvart", id="42 none in time"),
        pytest.param([FIRST], 200, "mottatt", id="42 a late one counts"),
        pytest.param([FIRST, SECOND], 1, "mottatt", id="13 a second one changes nothing"),
        pytest.param([SECOND, FIRST], 1, "avvist", id="13 whichever it is"),
    ],
)
def test_what_a_sender_makes_of_it(receipts: list[Record], hours: float, expected: str) -> None:
    assert standing(MADE, receipts, MADE + timedelta(hours=hours)) == expected


# -- what a receipt says and does not say --


def test_each_fault_is_said_in_words_and_never_with_the_value() -> None:
    body = NEW.replace("15859010099", SECRET).replace("<MsgId>0d6f7c58", f"<MsgId>{SECRET}-")
    (answer,) = answered(Case(body, ()))

    faults = answer.record.get("feil")
    assert {fault["kode"] for fault in faults} == {"E10", "E31"}
    assert all(fault["tekst"] and fault["forklaring"] for fault in faults)
    assert SECRET not in repr(faults)


def test_a_message_full_of_faults_gets_a_receipt_of_bounded_length() -> None:
    body = NEW.replace("<ServRprt>", "<ServRprt>" + "<Feil/>" * 500 + "<Type/>" * 500, 1)
    findings = tuple(Finding(f"at[{index}]", "missing", "x" * 5000) for index in range(500))
    (answer,) = answers(
        Arrival(body.encode(), AT, refused=HubError("parse.invalid", findings)), None, lambda: OUR_NUMBER
    )

    assert len(answer.record.get("feil")) == answering.MOST_ERRORS
    assert max(len(fault["forklaring"]) for fault in answer.record.get("feil")) <= 1000


BODILESS: dict[str, tuple[dict[str, Any], tuple[Expected, ...]]] = {
    "neither id nor type": ({}, ()),
    "an id without a type": ({"number": "mx-1"}, ()),
    "both": ({"number": "mx-1", "kind": "DIALOG_NOTAT"}, negative("T01")),
}


@pytest.mark.parametrize("name", BODILESS)
def test_of_what_says_nothing_the_transport_must_say_it(name: str) -> None:
    told, expected = BODILESS[name]
    party = {"sender": {"enhet": "Eksempel"}, "receiver": {"her": HERE, "orgnr": "310000027"}}
    unread: dict[str, Any] = {"refused": HubError("parse.malformed"), **party, **told}
    arrival = Arrival(b"\xff\x00<", AT, **unread)

    given = answers(arrival, REGISTER, lambda: OUR_NUMBER)

    assert tuple(said(answer) for answer in given) == expected
    assert all(answer.record.get("gjelder") == "mx-1" for answer in given)
    assert all(answer.record.get("gjelder_sendt") == AT.isoformat() for answer in given)


def test_a_receipt_cannot_depend_on_what_a_person_has_said() -> None:
    """The whole input is the sending, the address register and an id: no consent, decision or reader."""
    fields = set(Arrival.__dataclass_fields__) | set(Register.__dataclass_fields__)

    assert fields == {
        *("body", "at", "number", "kind", "sender", "receiver", "refused", "findings", "again"),
        *("here", "services"),
    }


PAIRS = {
    "http://www.kith.no/xmlstds/epikrise/2006-09-23": "1.0",
    "http://www.kith.no/xmlstds/epikrise/2012-02-15": "1.1",
    "http://www.kith.no/xmlstds/dialog/2006-10-11": "1.0",
    "http://www.kith.no/xmlstds/dialog/2013-01-23": "1.1",
    "http://www.kith.no/xmlstds/po/Utskrivningsrapport/2009-06-30": "1.0",
    "http://www.kith.no/xmlstds/po/Utskrivningsrapport/2012-04-01": "1.1",
    "http://www.kith.no/xmlstds/henvisning/2012-02-15": "1.1",
    "http://ehelse.no/xmlstds/henvisning/2017-11-30": "1.1",
    "http://www.kith.no/xmlstds/legeerklaring/2008-06-06": "1.0",
    "urn:ukjent": None,
}
"""Which AppRec answers which format (HITS 1168:2016)."""


@pytest.mark.parametrize("namespace", PAIRS)
def test_a_format_is_answered_in_the_version_that_belongs_to_it(namespace: str) -> None:
    form = form_of([namespace])

    assert (form and form.apprec) == PAIRS[namespace]


BREAKS = [
    ("if arrival.again:", "if False:"),
    (
        "    mine = [one for one in receivers if _belongs",
        "    mine = [one for one in receivers if True or _belongs",
    ),
    ("if nameless:", "if False:"),
    ("        return [(receivers[0], (HERE,))]", "        return []"),
    ("        yield LEVEL_2", "        pass"),
    ("        yield KNOWN_2", "        pass"),
    ("        yield ROLE", "        pass"),
    ("        return COPY", "        return version.primary"),
    ("version.requester if requested", "version.primary if requested"),
    ("_without_signer(_named(said.sender) or arrival.sender)", "_named(said.sender) or arrival.sender"),
    ('head_.made or melding["sendt"]', 'melding["sendt"]'),
]


def _noticed() -> bool:
    for case in CASES.values():
        given = answered(case)
        if tuple(said(answer) for answer in given) != case.expected:
            return True
        if any({path: answer.record.get(path) for path in case.holds} != case.holds for answer in given):
            return True
    return False


@pytest.mark.parametrize(("sound", "broken"), BREAKS)
def test_the_table_notices_a_broken_rule(sound: str, broken: str) -> None:
    assert not _noticed()
    with mutated(answering, sound, broken):
        assert _noticed()
