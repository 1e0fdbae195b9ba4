"""Understands Henvisning 1.0 and 1.1: a `Message` root of its own, ServReq with patient and parties."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.kith.datatypes import BASE64, BL, CS, INTEGER, ST, TS
from adapters.kith.msghead import BASE64_CONTAINER, born_and_sex
from adapters.kith.parts import OTHERS_WHY, lines, person, status
from adapters.kith.tables import MANY, El, Row, group, leaf, one_of, within, without
from adapters.kith_epikrise.parties import LOCAL, WHO_ELSE, address
from adapters.kith_henvisning.contents import (
    comments,
    consent,
    diagnoses,
    items,
    precautions,
    reasons,
    wanted,
)
from adapters.kith_henvisning.parties import hcp, party
from adapters.kith_plo.sending import assisted, relative

_PO = "http://www.kith.no/xmlstds/po/poKomponent/2009-06-30"
_INSIDE = "a number inside the document"
_BOOKING = "a booking in the sender's own system; the referral says what is asked for"


@dataclass(frozen=True)
class Version:
    """What differs between the versions."""

    name: str
    namespace: str
    mig: str
    codes: tuple[str, ...]
    old: bool


V1_0 = Version(
    "kith-henvisning-1.0",
    "http://www.kith.no/xmlstds/henvisning/2005-07-08",
    "v1.0 2005-07-08",
    ("H", "HENVISNING"),
    True,
)
V1_1 = Version(
    "kith-henvisning-1.1",
    "http://www.kith.no/xmlstds/henvisning/2012-02-15",
    "v1.1 2012-02-15",
    ("HENVISNING", "H"),
    False,
)


def _near(old: bool) -> tuple[Row, ...]:
    """Who helps the patient to communicate, who is near, who knows the patient."""
    if not old:
        known = group(
            "ContactPerson",
            leaf("OccupationRole", ST, 0, to="stilling"),
            leaf("WorkingPlace", ST, 0, to="arbeidssted"),
            person("Referanseperson", "person"),
            lines("Merknad", "merknad"),
            least=0,
            most=MANY,
            into="/kontakter",
        )
        near = within(_PO, relative(False, "/parorende"))
        return (within(_PO, assisted(0, MANY, "/kommunikasjon")), near, known)
    translator = group(
        "NeedTranslator",
        leaf("Person", INTEGER, 0, why=_INSIDE),
        leaf("IsDeaf", BL, 0, to="horselsvikt"),
        leaf("IsBlind", BL, 0, to="synsvikt"),
        status("Language", "tolk"),
        leaf("PreferredTranslator", INTEGER, 0, why=_INSIDE),
        leaf("TranslatorEndDate", TS, 0, to={"V": "opphort"}),
        lines("Note", "merknad"),
        least=0,
        most=MANY,
        into="/kommunikasjon",
    )
    care = group(
        "CareSituation",
        lines("Description", "beskrivelse"),
        status("CustodyType", "foreldreansvar", 1),
        leaf("CustodyOwner", ST, 0, to="foreldreansvar_hos"),
        status("CareSituationType", "situasjon", 1),
        status("NativeLanguage", "morsmal"),
        least=0,
        into="/omsorgssituasjon",
    )
    return (translator, care, _relative_1_0())


def _relative_1_0() -> El:
    relation = group(
        "Relation",
        leaf("Guardien", BL, 0, to="verge"),
        status("RelationCode", "slektskap"),
        lines("Description", "slektskap_beskrivelse"),
        least=0,
    )
    return group(
        "PatRelperson",
        lines("Description", "merknad"),
        leaf("DateOfBirth", TS, 0, why=OTHERS_WHY),
        leaf("Sex", CS, 0, why=OTHERS_WHY),
        leaf("Occupation", CS, 0, why=OTHERS_WHY),
        leaf("Role", ST, 0, to="rolle"),
        leaf("EthnicBelonging", CS, 0, why="where somebody's family is from is never passed on"),
        leaf("Name", ST, to="person.navn", blank=True),
        leaf("OffId", ST, 0, why=OTHERS_WHY),
        leaf("TypeOffId", CS, 0, why=OTHERS_WHY),
        relation,
        address(),
        without(consent(True, False), "the consent of another person is that person's own matter"),
        least=0,
        most=MANY,
        into="/parorende",
    )


def _institution(old: bool) -> El:
    rows: tuple[El, ...] = (
        leaf("NameInst", ST, 0, to="enhet"),
        leaf("RoleInst", ST, 0, to="rolle"),
        leaf("ContactPerson", ST, 0, to="kontakt"),
        lines("Merknad", "merknad"),
    )
    if old:
        hours = leaf("WorkingTime", ST, 0, to="arbeidstid")
        rows = (rows[0], hours, leaf("ContactPerson", ST, to="kontakt", blank=True), address())
    return group("PatRelInst", *rows, least=0, most=MANY, into="/institusjoner")


def _patient(old: bool) -> El:
    helper = group(
        "PatRelHCP",
        status("Relation", "relasjon", 1),
        leaf("StartDateTime", TS, 0, to={"V": "fra"}),
        leaf("EndDateTime", TS, 0, to={"V": "til"}),
        hcp(old, "orgnr"),
        least=0,
        most=MANY,
        into="/helsepersonell",
    )
    number = group(
        "AdditionalId",
        leaf("Id", ST, to="id", blank=True),
        leaf("Type", CS, to="type"),
        least=0,
        most=MANY,
        into="#more",
        elsewhere=True,
    )
    return group(
        "Patient",
        status("BasisForHealthServices", "/grunnlag"),
        *born_and_sex(TS),
        leaf("DateOfDeath", TS, 0, to={"V": "/dodstidspunkt"}),
        leaf("Name", ST, 0, to="navn"),
        leaf("IdByRequester", ST, 0, why=LOCAL),
        leaf("OffId", ST, 0, to={"text": "#id"}, derive="person-id"),
        leaf("TypeOffId", CS, 0, to={"V": "#type"}, derive="person-kind", codes="8116"),
        precautions(False),
        *items(False),
        helper,
        *_near(old),
        _institution(old),
        consent(old, False),
        number,
        address(),
        into="/person",
        fill="patient-number",
        must=("patient",),
    )


def _document(old: bool) -> El:
    """RefDoc: an attachment in 1.1; in 1.0 only that there is a document."""
    about = (
        leaf("IssueDate", TS, 0, to={"day": "dato", "clock": "dato_kl", "partial": "dato_omtrent"}),
        leaf("MsgType", CS, to="dokumenttype", absent="A", codes="8114"),
        leaf("Id", ST, 0, to="id"),
    )
    content: tuple[Row, ...] = (_booking(),)
    if not old:
        container = leaf("Base64Container", BASE64, to="innhold", ns=BASE64_CONTAINER)
        content = (
            leaf("MimeType", ST, 0, to="type"),
            leaf("Description", ST, 0, to="navn"),
            leaf("Compression", CS, 0, to="pakket"),
            one_of(
                leaf("FileReference", ST, 0, to="adresse"), group("Content", container, hollow=True), least=0
            ),
        )
    return group("RefDoc", *about, *content, least=0, most=MANY, into="vedlegg")


def _booking() -> El:
    appointment = group(
        "Appointment",
        leaf("StartDateTime", TS),
        leaf("EndDateTime", TS),
        leaf("ResourceId", ST),
        leaf("Index", INTEGER),
        leaf("Service", CS),
    )
    unit: El | None = None
    for _ in range(3):
        inner = (unit,) if unit is not None else ()
        rows = (leaf("Name", ST), leaf("Id", ST), leaf("TypeId", ST, 0), *inner)
        unit = group("SubOrg", *rows, least=0, hollow=True)
    assert unit is not None
    rows = (leaf("Name", ST), leaf("Id", ST), leaf("TypeId", ST, 0), appointment, unit)
    return without(group("Booking", *rows, least=0), _BOOKING)


def _copies(old: bool) -> El:
    role = group(
        "CopyDestRole",
        leaf("MsgType", CS),
        leaf("ReqComMethod", CS, 0),
        leaf("ActComMethod", CS, 0),
        least=0,
        most=MANY,
    )
    row = group("CopyDest", leaf("Role", CS, 0), role, hcp(old, "x"), least=0, most=MANY)
    return without(row, WHO_ELSE)


def message(version: Version) -> El:
    """The whole message of one version."""
    old = version.old
    request = group(
        "ServReq",
        leaf("ServType", CS, to="handling", absent="N", codes="7309", must=("code",)),
        leaf("IssueDate", TS, to={"at": "utstedt"}, must=("moment",)),
        status("PaymentCat", "betaling"),
        lines("ReqComment", "beskjed"),
        leaf("Ack", CS, 0, default="J", codes="7304", why="a receipt is always given"),
        status("MsgDescr", "gjelder", 1),
        leaf("Id", ST, to="dokument", blank=True),
        _patient(old),
        party("ServProvider", old, "mottaker", "receiver"),
        party("Requester", old, "avsender", "sender"),
        _copies(old),
        _document(old),
        reasons(False),
        diagnoses(1 if old else 0),
        wanted(old, False),
        comments(False),
    )
    code = version.codes[0]
    return within(
        version.namespace,
        group(
            "Message",
            leaf("Type", CS, 0, default=code, codes="8279", why="always the same"),
            leaf("MsgVersion", ST, 0, why="the version of the sender's system"),
            leaf("MIGversion", ST, default=version.mig, why="always the same"),
            leaf("GenDate", TS, to={"at": "/melding.sendt"}, must=("moment",)),
            leaf("MsgId", ST, to="/melding.id", derive="msgid", must=("value",)),
            leaf("Status", CS, 0, to="meldingsstatus", codes="8323"),
            request,
        ),
    )
