"""Understands the contents of a referral that all versions have: reasons, diagnoses, medicines, results.

`moment` is the datatype of a point in time: TS in 1.0 and 1.1, a dateTime in 2.0. `new` is 2.0, where
headings and kinds are CV rather than CS.
"""

from __future__ import annotations

from adapters.kith.datatypes import CS, CV, DATE, DATETIME, PQ, ST, TS, Datatype
from adapters.kith.parts import coded, lines, status
from adapters.kith.tables import MANY, El, group, leaf, one_of

_CONCEPT = {"V": "kode", "S": "system", "DN": "tekst", "OT": "annet"}
_NAMED = {**_CONCEPT, "DN": "navn"}


def moment(new: bool) -> Datatype:
    return DATETIME if new else TS


def day(new: bool) -> Datatype:
    return DATE if new else TS


def precautions(new: bool) -> El:
    return group(
        "PatientPrecaution",
        lines("Precaution", "tekst", 1),
        leaf("StartDateTime", moment(new), 0, to={"V": "fra"}),
        leaf("EndDateTime", moment(new), 0, to={"V": "til"}),
        least=0,
        most=MANY,
        into="/hensyn",
    )


def _around(kind: str, new: bool) -> tuple[El, ...]:
    """What every InfItem has after its content."""
    type_ = coded("Type", "art", 1) if new else status("Type", "art", 1)
    return (
        type_,
        leaf("StartDateTime", moment(new), 0, to={"V": "fra"}),
        leaf("EndDateTime", moment(new), 0, to={"V": "til"}),
        leaf("OrgDate", moment(new), 0, to={"V": "notert"}),
    )


def _item(into: str, content: El, new: bool) -> El:
    """An InfItem is a result, a medicine or another piece of information by what it holds."""
    when = () if content.name == "Observation" else (content.name,)
    return group("InfItem", content, *_around(into, new), least=0, most=MANY, into=f"/{into}", when=when)


def items(new: bool) -> tuple[El, ...]:
    text = group(
        "TextResult",
        group(
            "Result",
            status("Heading", "overskrift"),
            lines("TextResultValue", "tekst"),
            coded("TextCode", "tekstkode"),
            least=0,
            hollow=True,
        ),
    )
    interval = group(
        "Interval",
        leaf("Low", PQ, 0, to={"V": "lav", "U": "lav_enhet"}),
        leaf("High", PQ, 0, to={"V": "hoy", "U": "hoy_enhet"}),
    )
    number = group(
        "NumResult",
        leaf("ArithmeticComp", CS, 0, to="sammenligning"),
        leaf("NumResultValue", PQ, to={"V": "verdi", "U": "enhet"}, blank=True),
    )
    date = group("DateResult", leaf("DateResultValue", day(new), to={"V": "dato"}, blank=True))
    result = group(
        "ResultItem",
        one_of(text, interval, date, number),
        leaf("ServType", CS, 0, why="the whole message says it"),
        leaf("InvDate", moment(new), 0, to={"V": "undersokt"}),
        lines("Comment", "merknad"),
        leaf("DevResultInd", CS, 0, to="avvik"),
        group("ClinInv", leaf("Id", CV, to=_NAMED, blank=True), coded("Spec", "presisering", 0, MANY)),
    )
    medicine = group(
        "Medication",
        leaf("DrugId", CV, to=_NAMED, blank=True),
        lines("Comment", "merknad"),
        status("Status", "status", 1),
        leaf("IntendedDuration", PQ, 0, to={"V": "varighet", "U": "varighet_enhet"}),
        leaf("QuantitySupplied", PQ, 0, to={"V": "utlevert", "U": "utlevert_enhet"}),
        leaf("UnitDose", PQ, 0, to={"V": "styrke", "U": "styrke_enhet"}),
        lines("DosageText", "dosering"),
    )
    other = group("Observation", lines("Description", "beskrivelse"), lines("Comment", "merknad"))
    return (
        _item("resultater", result, new),
        _item("legemidler", medicine, new),
        _item("opplysninger", other, new),
    )


def reasons(new: bool) -> El:
    heading = coded("Heading", "overskrift") if new else status("Heading", "overskrift")
    return group(
        "ReasonAsText",
        heading,
        lines("TextResultValue", "tekst"),
        coded("TextCode", "koder", 0, MANY),
        least=0,
        most=MANY,
        into="begrunnelser",
    )


def diagnoses(least: int) -> El:
    more = group(
        "Modifier",
        status("Name", "navn", 1),
        coded("Value", "verdier", 1, MANY),
        least=0,
        most=MANY,
        into="tillegg",
    )
    concept = leaf("Concept", CV, to=_CONCEPT, blank=True)
    return group("Diagnosis", concept, more, least=least, most=MANY, into="diagnoser")


def wanted(old: bool, new: bool) -> El:
    """ReqServ: what is asked for, and how urgent it is."""
    purpose = () if new else (status("Purpose", "formal"),)
    service = group(
        "Service",
        coded("ServId", "tjeneste"),
        coded("MedSpeciality", "fagfelt"),
        status("AdmCat", "omsorgsniva"),
        least=0,
    )
    return group(
        "ReqServ",
        status("ServType", "handling", 1),
        *purpose,
        leaf("ReqDate", day(new), 0, to={"V": "dato"}),
        status("Priority", "hastegrad", 0 if old else 1),
        lines("Comment", "merknad"),
        *(() if new else (service,)),
        least=0 if old else 1,
        into="onsket",
    )


def comments(new: bool) -> El:
    heading = coded("Heading", "overskrift") if new else status("Heading", "overskrift", 1)
    return group(
        "Comment",
        heading,
        leaf("TextResultValue", ST, 0 if new else 1, to={"lines": "tekst"}, blank=not new),
        coded("CodedComment", "koder", 0 if new else 1, MANY),
        least=0,
        most=MANY,
        into="kommentarer",
    )


def consent(old: bool, new: bool) -> El:
    """What the referrer says of the patient's consent: told on, and never a consent of the hub."""
    given = () if old else (leaf("GivenBy", ST, 0, to="gitt_av"),)
    return group(
        "Consent",
        coded("ConsentStatus", "status", 1 if new else 0),
        leaf("ConsentDate", TS if old else DATE, 0, to={"V": "dato"}),
        leaf("Merknad", ST, 1 if old else 0, to={"lines": "merknad"}, blank=old),
        *given,
        least=0,
        most=MANY if new else 1,
        listed=True,
        into="/samtykker",
    )
