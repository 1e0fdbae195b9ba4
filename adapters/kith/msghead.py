"""Understands MsgHead 1.2: the envelope of dialogmelding, pleie- og omsorgsmeldinger and others.

    msghead("DIALOG_HELSEFAGLIG", payload)  ->  one profile of the whole document

What the envelope carries has the same names in every message type: `melding.id`, `melding.sendt`,
`melding.svar_pa`, `samtale`, `avsender`, `mottaker`, `person`, `hoveddokument`, `vedlegg`. It must not know
any payload.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from adapters.kith.datatypes import (
    BASE64,
    CS,
    CV,
    DATE,
    DATETIME,
    MESSAGE_ID,
    OPAQUE,
    PERSON_NUMBER,
    ST,
    TS,
    URL,
    Datatype,
)
from adapters.kith.rules import NUMBERS
from adapters.kith.tables import MANY, El, Row, group, leaf, one_of, typed, within, without

MH = "http://www.kith.no/xmlstds/msghead/2006-05-24"
FK1 = "http://www.kith.no/xmlstds/felleskomponent1"
BASE64_CONTAINER = "http://www.kith.no/xmlstds/base64container"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
ROOT = f"{{{MH}}}MsgHead"
VERSION = "v1.2 2006-05-24"
PREFIXES = {"fk1": FK1}

_ADDRESS_WHY = "the hub carries no addresses: a graded one must not travel by chance"
_CONTACT_WHY = "the directory has the contact data of its parties"
_NUMBER_SAYS = "left behind beside an identity number, which says it"
_PERSON_WHY = "a name, and a number or a birth date and a sex, say who it is"
_ALONE_WHY = "the message head has no place for a professional without a HPR or HER number"
_NUMBERS_WHY = "one number leads to the person; a further one only tells more"
_ENVELOPE_WHY = "about this sending only; the hub writes its own"
_BESIDE = "what it says itself is carried; the record has no place for what is said of it"
_NO_FILE = "it is no file: it stands in the message as XML"
_ATTACHED = "what stands in the list of attachments is an attachment, a cover page or a reference too"
_REGISTER = "a key of the sender's own register, which leads to nothing in another"


def address(ns: str = "") -> El:
    """Address as MsgHead and felleskomponent1 have it, dropped.

    `ns` here and below is the namespace of the type: the element itself is in that of whoever declares it.
    """
    rows = (
        leaf("Type", CS, 0),
        leaf("StreetAdr", ST, 0),
        leaf("PostalCode", ST, 0),
        leaf("City", ST, 0),
        leaf("Postbox", ST, 0),
        leaf("County", CS, 0),
        leaf("Country", CS, 0),
    )
    return _in(ns, group("Address", *rows, least=0, why=_ADDRESS_WHY))


def telecom(ns: str = "", why: str = _CONTACT_WHY) -> El:
    """TeleCom as MsgHead and felleskomponent1 have it, dropped."""
    rows = (leaf("TypeTelecom", CS, 0), leaf("TeleAddress", URL))
    return _in(ns, group("TeleCom", *rows, least=0, most=MANY, why=why))


def ident(
    ns: str, types: Mapping[str, tuple[str, str]], least: int = 1, why: str = _CONTACT_WHY, other: str = ""
) -> tuple[El, ...]:
    """Ident, one row for each kind of number that is carried and one for all others.

    `types` is field -> (code of the number, list of the code): `{"her": ("HER", "9051")}`. The first of a
    kind is carried. An organisation number with a wrong check digit is nobody's, also beside a right one: as
    what was written it is `<other>_orgnr`. The first number of another kind is `<other>_nummer`, with its
    kind.
    """
    spare = f"{other}_orgnr" if other else ""
    nummer = f"{other}_nummer" if other else ""
    carried = [
        _in(
            ns,
            group(
                "Ident",
                leaf("Id", ST, to={part: target}),
                leaf("TypeId", CV, default=code, codes=number),
                least=0,
                most=MANY,
                needs=(target,),
                when=(f"TypeId@V={code}", *(("Id~orgnr",) if part == "orgnr" else ())),
            ),
        )
        for field, (code, number) in types.items()
        for part, target in _number(code, field, spare).items()
    ]
    rows = (leaf("Id", ST), leaf("TypeId", CV))
    if other:
        kind = leaf("TypeId", CV, to={"V": f"{nummer}_type"}, codes="9051", blank=True)
        rows = (leaf("Id", ST, to=nummer, blank=True), kind)
    needs = (nummer, f"{nummer}_type") if other else ()
    rest = _in(ns, group("Ident", *rows, least=least, most=MANY, needs=needs, why=why))
    return (*carried, rest)


def _number(code: str, field: str, spare: str) -> dict[str, str]:
    if code != "ENH" or spare == field:
        return {"text": field}
    return {"orgnr": field, "nobody": spare} if spare else {"orgnr": field}


def _in(ns: str, row: El) -> El:
    return typed(ns, row) if ns else row


def _patient_idents(ns: str, least: int = 0) -> tuple[El, ...]:
    """The number that leads to the person: the first that stands there; it is written by its own kind."""
    return (
        _in(
            ns,
            group(
                "Ident",
                leaf("Id", PERSON_NUMBER, to="id"),
                leaf("TypeId", CV, derive="person-kind", codes="8116"),
                least=0,
                most=MANY,
                needs=("id",),
                when=(f"TypeId@V={'|'.join(NUMBERS)}",),
            ),
        ),
        _in(ns, group("Ident", leaf("Id", ST), leaf("TypeId", CV), least=least, most=MANY, why=_NUMBERS_WHY)),
    )


def professional(ns: str, prefix: str, unless: tuple[str, ...] = ()) -> El:
    """HealthcareProfessional: the name as `<prefix>`, HPR and HER-id as `<prefix>_hpr`, `<prefix>_her`."""
    return _in(
        ns,
        group(
            "HealthcareProfessional",
            leaf("TypeHealthcareProfessional", CS, 0, to=f"{prefix}_type", codes="9060"),
            leaf("RoleToPatient", CV, 0, to=f"{prefix}_rolle", codes="9034"),
            leaf("FamilyName", ST, 0, to=f"{prefix}#family"),
            leaf("MiddleName", ST, 0, to=f"{prefix}#middle"),
            leaf("GivenName", ST, 0, to=f"{prefix}#given"),
            leaf("DateOfBirth", DATE, 0, why=_CONTACT_WHY),
            leaf("Sex", CS, 0, why=_CONTACT_WHY),
            leaf("Nationality", CS, 0, why=_CONTACT_WHY),
            *ident("", {f"{prefix}_hpr": ("HPR", "8116"), f"{prefix}_her": ("HER", "8116")}),
            address(),
            telecom(),
            least=0,
            needs=(f"{prefix}_hpr", f"{prefix}_her"),
            alone=_ALONE_WHY,
            unless=unless,
        ),
    )


_DEPARTMENT = {
    "avdeling_orgnr": ("ENH", "9051"),
    "avdeling_her": ("HER", "9051"),
    "avdeling_resh": ("RSH", "9051"),
    "avdeling_lokal": ("LIN", "9051"),
}


def organisation(number: str) -> El:
    """mh:Organisation, name before type, in two levels: `enhet` with `her`, then `avdeling`, `avdeling_her`,
    `avdeling_orgnr`. `number` is the field of its organisation number. A third level is dropped: the address
    register has two. A professional is `behandler`: of the two that there may be the inner one is read, and
    whoever is in a department is written there."""
    third = without(_organisation("x", {}, ()), "the address register has two levels")
    second = _organisation("avdeling", _DEPARTMENT, (third, professional("", "behandler")), least=0)
    idents: dict[str, tuple[str, str]] = {number: ("ENH", "9051"), "her": ("HER", "9051")}
    return _organisation("enhet", idents, (second, professional("", "behandler", second.needs)), least=1)


def _organisation(
    name: str, idents: Mapping[str, tuple[str, str]], below: tuple[Row, ...], least: int = 0
) -> El:
    return group(
        "Organisation",
        leaf("OrganisationName", ST, to=name, blank=True),
        leaf("TypeOrganisation", CV, 0, why=_CONTACT_WHY),
        *ident("", idents, other=name),
        address(),
        telecom(),
        *(below or (leaf("Organisation", OPAQUE, 0), professional("", "x"))),
        least=least,
        needs=(name, *idents, f"{name}_nummer") if not least else (),
        hollow=True,
    )


def born_and_sex(moment: Datatype) -> tuple[El, El]:
    """Sex and DateOfBirth of a Patient, in the order of the older messages: of one without a number."""
    return (
        leaf("Sex", CS, 0, to="kjonn", codes="3101", why=_NUMBER_SAYS),
        leaf("DateOfBirth", moment, 0, to="fodt", why=_NUMBER_SAYS),
    )


def patient(name: str = "Patient", ns: str = "", least: int = 0) -> El:
    """mh:Patient as `person`."""
    return _in(
        ns,
        group(
            name,
            leaf("FamilyName", ST, 0, to="navn#family"),
            leaf("MiddleName", ST, 0, to="navn#middle"),
            leaf("GivenName", ST, 0, to="navn#given"),
            *reversed(born_and_sex(DATE)),
            leaf("Nationality", CS, 0, why=_PERSON_WHY),
            *_patient_idents(""),
            address(),
            telecom(why=_ADDRESS_WHY),
            least=least,
            into="/person",
            fill="patient",
            must=("patient",),
        ),
    )


def document(
    *content: Row,
    when: tuple[str, ...],
    kind: str,
    least: int = 0,
    most: int = 1,
    into: str = "",
    about: str = "",
) -> El:
    """mh:Document with this content; MsgType `kind` (8114). What is said of it goes to the list `into`, of an
    attachment, or to the group `about`, of the message itself. One with neither stands beside the message."""
    said_of = into or about

    def said(name: str, datatype: Datatype, to: Mapping[str, str], must: tuple[str, ...] = ()) -> El:
        fields = {part: f"{about}.{field}" if about else field for part, field in to.items()}
        return (
            leaf(name, datatype, 0, to=fields) if said_of else leaf(name, datatype, 0, must=must, why=_BESIDE)
        )

    def coded(name: str, field: str) -> El:
        parts = {"V": "kode", "S": "system", "DN": "tekst", "OT": "annet"}
        return said(name, CV, {part: f"{field}.{last}" for part, last in parts.items()})

    def of_file(name: str, datatype: Datatype, field: str) -> El:
        return said(name, datatype, {datatype.main: field}) if into else leaf(name, datatype, 0, why=_NO_FILE)

    return group(
        "Document",
        leaf(
            "DocumentConnection",
            CS,
            0,
            default="H" if about else "V",
            codes="4702",
            why=_ATTACHED if into else "",
        ),
        coded("ContentType", "innholdstype"),
        said("ContentDescription", ST, {"text" if into else "lines": "beskrivelse"}),
        coded("ContentCategory", "kategori"),
        leaf("Consent", CV, 0, why="a consent is recorded by itself, never taken from an envelope"),
        said("Annotation", ST, {"lines": "merknad"}, must=("no-annotation",)),
        said("FromDate", TS, {"V": "fra"}),
        said("ToDate", TS, {"V": "til"}),
        leaf("OidRef", ST, 0, why=_REGISTER),
        leaf("EnquiryRefId", ST, 0, why=_REGISTER),
        group(
            "RefDoc",
            said("IssueDate", TS, {"day": "dato", "clock": "dato_kl", "partial": "dato_omtrent"}),
            leaf("MsgType", CS, default=kind, codes="8114", why=_ATTACHED if into else ""),
            said("Id", ST, {"text": "id"}),
            of_file("MimeType", ST, "type"),
            said("Description", ST, {"text": "navn"}),
            of_file("Compression", CS, "pakket"),
            *content,
        ),
        least=least,
        most=most,
        into=into,
        when=when,
    )


def attachment_content() -> El:
    """Content with a Base64Container, as `innhold`."""
    first = leaf("Base64Container", BASE64, 0, to="innhold", ns=BASE64_CONTAINER)
    more = leaf("Base64Container", BASE64, 0, MANY, ns=BASE64_CONTAINER, why="one file is carried, or none")
    return group("Content", first, more, must=("one-file",), strangers="one-file")


def msghead(
    code: str,
    *payload: El,
    others: tuple[str, ...] = (),
    code_field: str = "meldingstype",
    about: str = "patient-there",
) -> El:
    """The profile of one message in MsgHead.

    `code` is MsgInfo/Type (8279) as it is written; where `others` may stand too, the record's `code_field`
    says which. `payload` are the root elements of the content, each with its namespace (`within`). The
    further ones may stand in as many documents as their `most` says. The
    schema lets the patient out: `about` names the rule that says when there must be one.
    """
    contents = [group("Content", element) for element in payload]
    first = document(
        *contents[:1],
        when=(f"RefDoc/Content/{payload[0].name}",),
        kind="XML",
        least=1,
        about="hoveddokument",
    )
    further = [
        document(
            group("Content", element),
            when=(f"RefDoc/Content/{element.name}",),
            kind="XML",
            most=element.most,
        )
        for element in payload[1:]
    ]
    attachment = document(
        one_of(attachment_content(), leaf("FileReference", ST, 0, to="adresse"), least=0),
        when=(),
        kind="A",
        most=MANY,
        into="vedlegg",
    )
    type_row = (
        leaf("Type", CS, to=f"/{code_field}", default=code, codes="8279")
        if others
        else leaf("Type", CS, value=code, codes="8279")
    )
    return within(
        MH,
        group(
            "MsgHead",
            group(
                "MsgInfo",
                type_row,
                leaf("MIGversion", ST, value=VERSION),
                leaf("GenDate", DATETIME, to="/melding.sendt"),
                leaf("MsgId", MESSAGE_ID, to="/melding.id", derive="msgid", must=("uuid",)),
                leaf("ProcessingStatus", CS, 0, why=_ENVELOPE_WHY),
                leaf("RequestedPriority", CS, 0, to="/prioritet", codes="8115"),
                leaf("Ack", CS, 0, default="J", codes="7304"),
                group(
                    "ConversationRef",
                    leaf("RefToParent", ST, to="/melding.svar_pa", derive="parent"),
                    leaf("RefToConversation", ST, to="/samtale", derive="conversation"),
                    least=0,
                    needs=("/melding.svar_pa",),
                ),
                _party("Sender", "avsender", "sender"),
                _party("Receiver", "mottaker", "receiver"),
                _other_receivers(),
                patient(),
                must=(about,),
            ),
            first,
            *further,
            attachment,
            _signature(),
        ),
    )


def _party(name: str, field: str, rule: str) -> El:
    return group(
        name,
        leaf("ComMethod", CS, 0, why=_ENVELOPE_WHY),
        organisation(f"/melding.{field}"),
        into=field,
        must=(rule, "one-professional"),
    )


def _other_receivers() -> El:
    """Dropped: who gets the message besides is a matter of agreements in the hub."""
    why = "who else gets a message is decided by the agreements"
    party = without(organisation(""), why)
    return group(
        "OtherReceiver",
        leaf("ComMethod", CS, 0),
        leaf("RoleReceiver", CS),
        one_of(
            party,
            without(replace(patient(), must=()), why),
            without(group("Person", *_person(), least=0, when=(f"{{{MH}}}",)), why),
            without(typed(FK1, group("Person", *_person())), why),
            without(professional("", "x"), why),
            least=0,
        ),
        least=0,
        most=MANY,
        why=why,
    )


def _person() -> tuple[Row, ...]:
    """What Person of OtherReceiver holds, in one of two namespaces: the national edition of the schema has it
    from felleskomponent1, that of NAV and KS its own in MsgHead."""
    return (
        leaf("FamilyName", ST, 0),
        leaf("MiddleName", ST, 0),
        leaf("GivenName", ST, 0),
        leaf("DateOfBirth", DATE, 0),
        leaf("Sex", CS, 0),
        leaf("Nationality", CS, 0),
        *ident("", {}, least=0),
        address(),
        telecom(),
    )


def _signature() -> El:
    """ds:Signature: the door and the directory prove the sender; a new document needs a new signature."""
    return leaf(
        "Signature", OPAQUE, 0, ns=DSIG, why="a signature over the old document says nothing of the new one"
    )
