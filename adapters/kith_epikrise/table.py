"""Understands Epikrise 1.1 and 1.2 (HIS 80226) as a table: every element, and where its value goes.

The first Event is the summary itself; further ones, nested too, are `hendelser`. An InfItem is a diagnosis, a
medicine, a result or another piece of information by what it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from adapters.kith.datatypes import ANY, BASE64, CS, CV, INTEGER, MESSAGE_ID, PQ, ST, TS
from adapters.kith.msghead import BASE64_CONTAINER
from adapters.kith.tables import MANY, El, OneOf, Row, group, leaf, one_of, within, without
from adapters.kith_epikrise.parties import WHO_ELSE, hcp, patient, related

_LOGISTICS = "the sender's own logistics"
_PLANNED = "the standard does not use planned events yet; what they say in words is carried"
_SOURCE = "who noted it and where; who answers for the summary is carried"
_PLACES = "where somebody was may tell of custody or treatment; the sender is carried"
_SPECIALITY = "the code of a speciality; its words are carried"
_NESTED = 3
"""Events inside events that are read; no standard nests at all."""


@dataclass(frozen=True)
class Version:
    """What differs between the versions."""

    name: str
    namespace: str
    mig: str
    code: str
    old: bool


V11 = Version(
    "kith-epikrise-1.1", "http://www.kith.no/xmlstds/epikrise/2006-09-23", "v1.1 2006-09-23", "E", True
)
V12 = Version(
    "kith-epikrise-1.2",
    "http://www.kith.no/xmlstds/epikrise/2012-02-15",
    "v1.2 2012-02-15",
    "EPIKRISE",
    False,
)


def coded(name: str, least: int = 1, most: int = 1, *, words: str = "tekst", into: str = "") -> El:
    """A CV as code, system, words and other words."""
    to = {"V": "kode", "S": "system", "DN": words, "OT": "annet"}
    if into:
        to = {part: f"{into}.{field}" for part, field in to.items()}
    return leaf(name, CV, least, most, to=to, blank=True)


def codes_of(name: str, into: str, least: int = 0) -> El:
    """A CV that repeats, each as an element of a list."""
    return leaf(
        name, CV, least, MANY, to={"V": "kode", "S": "system", "DN": "tekst", "OT": "annet"}, into=into
    )


def modifiers() -> El:
    """Modifier: the star code of a dagger code, a side."""
    return group(
        "Modifier",
        leaf("Name", CS, to="navn", codes="7305", blank=True),
        codes_of("Value", "verdier", least=1),
        least=0,
        most=MANY,
        into="tillegg",
    )


def concept(name: str, least: int = 1, most: int = 1, into: str = "", words: str = "tekst") -> El:
    """Concept and Modifier, as CodedDescr, Diagnosis and CodedComment have them."""
    return group(name, coded("Concept", words=words), modifiers(), least=least, most=most, into=into)


def text_of(name: str, into: str) -> tuple[El, El]:
    """Comment and its likes: a section where there is a text, otherwise only its codes."""
    section = group(
        name,
        leaf("Heading", CS, 0, to={"V": "overskrift", "DN": "tittel"}, derive="heading"),
        leaf("TextResultValue", ANY, 0, to="tekst"),
        leaf("TextCode", CV, 0, to={"V": "kode"}, derive="loinc", when=("@S=2.16.840.1.113883.6.1",)),
        codes_of("TextCode", "koder"),
        least=0,
        most=MANY,
        into=into,
        when=("TextResultValue~",),
        fill="heading",
    )
    bare = group(
        name,
        leaf("Heading", CS, 0, to={"V": "art", "DN": "art_tekst"}),
        leaf("TextResultValue", ANY, 0, why="it is empty"),
        codes_of("TextCode", "koder"),
        least=0,
        most=MANY,
        into="kodede_avsnitt",
    )
    return section, bare


def quantity(name: str, value: str, unit: str, least: int = 0) -> El:
    return leaf(name, PQ, least, to={"V": value, "U": unit}, blank=True)


# -- InfItem --


def _around(kind: El, old: bool) -> tuple[Row, ...]:
    """What every InfItem has after its content."""
    return (
        kind,
        leaf("StartDateTime", TS, 0, to={"V": "fra"}),
        leaf("EndDateTime", TS, 0, to={"V": "til"}),
        leaf("OrgDate", TS, 0, why=_SOURCE),
        *_source(old),
    )


@cache
def _source(old: bool) -> tuple[El, El]:
    """Who said it. One pair of rows for all InfItems of a version."""
    return (
        group("Origin", leaf("Role", CS, 0), _left(hcp(old, "orgnr")), least=0, why=_SOURCE),
        _left(related("RelHCProvider", old, "x"), most=MANY),
    )


def _left(row: El, most: int = 1) -> El:
    plain = without(row, _SOURCE)
    return El(plain.name, plain.least, most, plain.ns, rows=plain.rows, why=_SOURCE)


def medicine(old: bool, coded_: bool) -> El:
    """Medication. One without a code and its system is a medicine in words."""
    return group(
        "InfItem",
        group(
            "Medication",
            coded("DrugId", words="navn"),
            leaf("DosageCoded", CV, 0, to={"DN": "doseringskode"}),
            leaf("Comment", ST, 0, to={"lines": "merknad"}),
            leaf("Status", CS, to="status", absent="6", codes="7307", must=("code-in-words",)),
            leaf("Form", CV, 0, to={"DN": "form"}),
            leaf("RouteOfAdm", CV, 0, to={"DN": "administrering"}),
            quantity("IntendedDuration", "varighet", "varighet_enhet"),
            quantity("QuantitySupplied", "utlevert", "utlevert_enhet"),
            quantity("UnitDose", "styrke", "styrke_enhet"),
            leaf("DosageText", ST, 0, to={"row": "dosering"}),
        ),
        *_around(leaf("Type", CS, to="art", absent="MEDB", codes="8233"), old),
        least=0,
        most=MANY,
        into="legemidler" if coded_ else "andre_legemidler",
        when=("Medication/DrugId@V", "Medication/DrugId@S") if coded_ else ("Medication",),
    )


def diagnosis(old: bool) -> El:
    """An Observation that is a main or secondary diagnosis with a code and its system."""
    return group(
        "InfItem",
        group(
            "Observation",
            leaf("Description", ANY, 0, to="beskrivelse"),
            leaf("Comment", ST, 0, to={"lines": "merknad"}),
            concept("CodedDescr", 0),
        ),
        *_around(leaf("Type", CS, to="art", absent="B", codes="8233"), old),
        least=0,
        most=MANY,
        into="diagnoser",
        when=("Observation/CodedDescr/Concept@V", "Observation/CodedDescr/Concept@S", "Type@V=H|B"),
    )


def result(old: bool) -> El:
    """ResultItem: a text, an interval, a number or a date, of one investigation."""
    text = group(
        "TextResult",
        group(
            "Result",
            leaf("Heading", CS, 0, to={"V": "overskrift", "DN": "overskrift_tekst"}),
            leaf("TextResultValue", ANY, 0, to="tekst"),
            codes_of("TextCode", "koder"),
            least=0,
        ),
    )
    interval = group("Interval", quantity("Low", "lav", "lav_enhet"), quantity("High", "hoy", "hoy_enhet"))
    number = group(
        "NumResult",
        leaf("ArithmeticComp", CS, 0, to="sammenligning"),
        quantity("NumResultValue", "verdi", "enhet", least=1),
    )
    day = group("DateResult", leaf("DateResultValue", TS, to={"V": "dato"}, blank=True))
    return group(
        "InfItem",
        group(
            "ResultItem",
            one_of(text, interval, number, day),
            leaf("ServType", CS, 0, why=_LOGISTICS),
            leaf("InvDate", TS, 0, to={"V": "undersokt"}),
            leaf("Comment", ST, 0, to={"lines": "merknad"}),
            leaf("DevResultInd", CS, 0, to="avvik"),
            group("ClinInv", coded("Id", words="navn"), codes_of("Spec", "presisering")),
            group("DiagComment", coded("Concept", into="vurdering"), modifiers(), least=0),
        ),
        *_around(leaf("Type", CS, to={"V": "art", "DN": "art_tekst"}, blank=True), old),
        least=0,
        most=MANY,
        into="resultater",
        when=("ResultItem",),
    )


def information(old: bool) -> El:
    """Any other InfItem: a warning, a finding, a history, in words or codes."""
    return group(
        "InfItem",
        group(
            "Observation",
            leaf("Description", ANY, 0, to="beskrivelse"),
            leaf("Comment", ST, 0, to={"lines": "merknad"}),
            concept("CodedDescr", 0),
        ),
        *_around(leaf("Type", CS, to={"V": "art", "DN": "art_tekst"}, blank=True), old),
        least=0,
        most=MANY,
        into="opplysninger",
    )


# -- Event --


def _planned() -> El:
    transport = group(
        "TransportArr",
        leaf("Responsibility", CS, 0),
        leaf("Status", CS, 0),
        leaf("TransportRequirement", CV, 0),
        leaf("EscortRequired", CS, 0),
        leaf("Comment", ST, 0),
        least=0,
        why=_LOGISTICS,
    )
    return group(
        "PlannedEvent",
        leaf("PlanningStage", CS, 0, why=_PLANNED),
        leaf("StatusOfPlan", CS, 0, why=_PLANNED),
        leaf("PlanComment", ST, 0, to={"lines": "kommentar"}),
        leaf("PlanningDate", TS, 0, why=_PLANNED),
        leaf("ScheduledDate", TS, 0, to={"V": "tid"}),
        leaf("AdviceSentTo", CS, 0, why=_PLANNED),
        leaf("ExpectedDelay", PQ, 0, why=_PLANNED),
        leaf("CommentExpDuration", ST, 0, to={"lines": "varighet"}),
        leaf("Preparation", ST, 0, to={"lines": "forberedelse"}),
        leaf("Advice", ST, 0, to={"lines": "rad"}),
        transport,
        into="planlagt",
    )


def _places(old: bool) -> El:
    inst = next(row for row in hcp(old, "orgnr").rows if isinstance(row, OneOf)).rows[0]
    location = group(
        "Location",
        leaf("Type", CS, 0),
        leaf("Description", ST, 0),
        _optional(_left(inst)),
        _left(hcp(old, "orgnr").rows[-1]),  # type: ignore[arg-type]  # Address stands last
        group("SubLocation", leaf("Type", CS), leaf("Place", ST), least=0, most=MANY),
    )
    return group(
        "EventLocation",
        leaf("Role", CS, 0),
        leaf("StartDateTime", TS, 0),
        leaf("EndDateTime", TS, 0),
        location,
        least=0,
        most=MANY,
        why=_PLACES,
    )


def _optional(row: El) -> El:
    return El(row.name, 0, row.most, row.ns, rows=row.rows, why=row.why)


def event(old: bool, nested: int, into: str = "", elsewhere: bool = False) -> El:
    """Event; those inside it become further ones."""
    inner = (event(old, nested - 1, "/hendelser", elsewhere=True),) if nested else ()
    return group(
        "Event",
        one_of(
            group(
                "ReportedEvent",
                leaf(
                    "StartDateTime",
                    TS,
                    to={"day": "periode.fra", "clock": "periode.fra_kl", "partial": "periode.fra_omtrent"},
                    blank=True,
                ),
                leaf(
                    "EndDateTime",
                    TS,
                    0,
                    to={"day": "periode.til", "clock": "periode.til_kl", "partial": "periode.til_omtrent"},
                ),
            ),
            _planned(),
        ),
        leaf("ServType", CS, default="N", codes="7309", why="the whole message says it"),
        leaf("Recipient", CS, 0, why=_LOGISTICS),
        leaf("Priority", CS, 0, why=_LOGISTICS),
        leaf("AdmOutcome", CS, 0, to={"V": "utskrevet_til", "DN": "utskrevet_til_tekst"}),
        leaf("ExpDuration", PQ, 0, why=_PLANNED),
        *((leaf("Id", INTEGER, default="1", why="a number inside the document"),) if old else ()),
        *inner,
        group(
            "Service",
            leaf("ServId", CV, 0, to={"DN": "tjeneste"}),
            leaf("MedSpecialty", CV, 0, to={"DN": "fagfelt"}),
            leaf("AdmCat", CS, 0, to="omsorgsniva", codes="8240"),
        ),
        related("RelServProvider", old, "medvirkende"),
        group(
            "AssRequest",
            leaf("IssueDate", TS, 0),
            leaf("MsgType", CS),
            leaf("Id", ST, 0),
            least=0,
            most=MANY,
            why="the referral itself is carried",
        ),
        _places(old),
        diagnosis(old),
        medicine(old, True),
        medicine(old, False),
        result(old),
        information(old),
        *text_of("Comment", "seksjoner"),
        concept("CodedComment", 0, MANY, into="kodede_kommentarer"),
        least=0,
        most=MANY if into else 1,
        into=into,
        elsewhere=elsewhere,
        hollow=True,
    )


# -- the whole --


def _referral(old: bool) -> El:
    about = (
        leaf("MsgDescr", ST, to={"lines": "gjelder_tekst"}, blank=True)
        if old
        else leaf("MsgDescr", CS, to={"V": "gjelder", "DN": "gjelder_tekst"}, blank=True)
    )
    reasons = group(
        "ReasonAsText",
        leaf("Heading", CS, 0, to={"V": "overskrift", "DN": "overskrift_tekst"}),
        leaf("TextResultValue", ANY, 0, to="tekst"),
        codes_of("TextCode", "koder"),
        least=0,
        most=MANY,
        into="begrunnelser",
    )
    return group(
        "ServReq",
        leaf("ServType", CS, to="handling", absent="N", codes="7309"),
        leaf("IssueDate", TS, to={"V": "dato"}, blank=True),
        leaf("ReceiptDate", TS, 0, to={"V": "mottatt"}),
        leaf("ReqComment", ST, 0, to={"lines": "kommentar"}),
        about,
        leaf("Id", ST, to="id", blank=True),
        reasons,
        concept("Diagnosis", 1, MANY, into="diagnoser"),
        least=0,
        most=MANY,
        into="henvisninger",
    )


def attachment() -> El:
    """RefDoc as `vedlegg`."""
    container = leaf("Base64Container", BASE64, to="innhold", ns=BASE64_CONTAINER)
    more = leaf("Base64Container", BASE64, 0, MANY, ns=BASE64_CONTAINER, why="one file is carried, or none")
    return group(
        "RefDoc",
        leaf("IssueDate", TS, 0, to={"V": "dato"}),
        leaf("MsgType", CS, default="A", codes="8114", why="an attachment"),
        leaf("Id", ST, 0, to="id"),
        leaf("MimeType", ST, 0, to="type"),
        leaf("Description", ST, 0, to="navn"),
        leaf("Compression", CS, 0, to="pakket"),
        one_of(
            group("Content", container, more, hollow=True, must=("one-file",), strangers="one-file"),
            leaf("FileReference", ST, 0, to="adresse"),
            least=0,
        ),
        least=0,
        most=MANY,
        into="vedlegg",
    )


def message(version: Version) -> El:
    """The whole message of one version."""
    old = version.old
    copies = group(
        "CopyDest",
        leaf("Role", CS, 0),
        group(
            "CopyDestRole",
            leaf("MsgType", CS),
            leaf("ReqComMethod", CS, 0),
            leaf("ActComMethod", CS, 0),
            least=0,
            most=MANY,
        ),
        _left(hcp(old, "orgnr")),
        least=0,
        most=MANY,
        why=WHO_ELSE,
    )
    report = group(
        "ServRprt",
        leaf("ServType", CS, to="handling", absent="N", codes="7309", must=("code",)),
        leaf("IssueDate", TS, to={"day": "dato", "clock": "dato_kl"}, must=("day",)),
        leaf("ApprDate", TS, 0, to={"V": "godkjent"}),
        leaf("Status", CS, to="status", absent="F", codes="7306"),
        leaf("Priority", CS, 0, to="prioritet"),
        leaf("Ack", CS, 0, default="J", codes="7304", why="a receipt is always given"),
        leaf("MsgDescr", ST, to="beskrivelse", absent="Epikrise"),
        leaf("ServProvId", ST, 0, to="dokument"),
        _referral(old),
        event(old, _NESTED),
        event(old, _NESTED, "hendelser"),
        patient(old),
        _party("ServProvider", old, "avsender", "SPR", "Tjenesteyter", "sender"),
        copies,
        _party("Requester", old, "mottaker", "REQ", "Rekvirent", "receiver"),
        related("RelServProvider", old, "ansvarlige"),
        attachment(),
    )
    return within(
        version.namespace,
        group(
            "Message",
            leaf("Type", CS, 0, default=version.code, codes="8279", why="always the same"),
            leaf("MsgVersion", ST, 0, why=_LOGISTICS),
            leaf("MIGversion", ST, default=version.mig, why="always the same"),
            leaf("GenDate", TS, to={"at": "/melding.sendt"}, must=("moment",)),
            leaf("MsgId", ST, to="/melding.id", derive="msgid", must=("value",))
            if old
            else leaf("MsgId", MESSAGE_ID, to="/melding.id", derive="msgid", must=("uuid",)),
            *(() if old else (leaf("Status", CS, 0, to="meldingsstatus", codes="8323"),)),
            report,
        ),
    )


def _party(name: str, old: bool, field: str, role: str, words: str, rule: str) -> El:
    return group(
        name,
        leaf("Role", CS, 0, default={"V": role, "DN": words}, why="always the same"),
        leaf("ComMethod", CS, 0, why=_LOGISTICS),
        hcp(old, f"/melding.{field}"),
        into=field,
        must=(rule,),
    )
