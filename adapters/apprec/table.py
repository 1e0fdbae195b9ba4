"""Understands the whole of an AppRec: every element in the order of the schema, with the field it goes to.

The two versions have the same elements (HIS 80415:2004 and 80415:2012); their roles have other codes. It must
not know what a receipt is given for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lxml import etree

from adapters.kith.codes import meaning
from adapters.kith.datatypes import CS, CV, DATETIME, ST, URL, Datatype, Fault, Parts
from adapters.kith.tables import MANY, El, Numbers, group, leaf, one_of, within, without
from adapters.kith.texts import say

STATUS: Mapping[str, str] = {"1": "mottatt", "2": "avvist", "3": "delvis"}
"""List 8258 to the word of the message type. `startet` and `avsluttet` are no answer to a sending."""

_UNITS, _PERSONS, _ROLES = "9051", "8116", "apprec-role"
_ADDRESS = "the hub carries no addresses: a graded one must not travel by chance"
_LOCAL = "a number or type of one house leads to nobody in another"
_ONE = "one department and one professional of a party are carried"
_SOFTWARE = "the software says nothing of the message"
_SPECIALITY = "the speciality of a unit may tell what the matter is; the unit has its name"


@dataclass(frozen=True)
class Version:
    """One version with the roles in it: of who answers (REQ for a Requester) and of who is answered."""

    name: str
    namespace: str
    mig: str
    primary: str
    requester: str
    answered: str


V10 = Version(
    "1.0", "http://www.kith.no/xmlstds/apprec/2004-11-21", "1.0 2004-11-21", "SPR", "REQ", "RECEIVER"
)
V11 = Version("1.1", "http://www.kith.no/xmlstds/apprec/2012-02-15", "v1.1 2012-02-15", "PRIM", "PRIM", "AVS")
COPY = "COP"
"""The role of a copy receiver in both."""


def _read_status(element: etree._Element) -> tuple[Parts, list[Fault]]:
    said = (element.get("V") or "").strip()
    return ({"word": STATUS[said]}, []) if said in STATUS else ({}, [say("code", *STATUS)])


def _write_status(element: etree._Element, parts: Mapping[str, object]) -> None:
    code = next(code for code, word in STATUS.items() if word == parts["word"])
    element.set("V", code)
    element.set("DN", meaning("8258", code) or "")


_STATUS = Datatype("CS", "word", _read_status, _write_status, frozenset({"V", "DN"}))
"""A CS of list 8258. Whether a receipt is good or bad is not a thing to guess: an unknown code is a fault."""


def _read_number(element: etree._Element) -> tuple[Parts, list[Fault]]:
    parts, faults = ST.read(element)
    return ({"text": parts["text"], "again": parts["text"]} if "text" in parts else {}), faults


_NUMBER = replace(ST, read=_read_number)
"""An ST that two fields carry."""


def _number(name: str, codes: str) -> tuple[El, El]:
    return leaf("Id", ST, 0, to=f"{name}#id"), leaf("TypeId", CS, 0, to=f"{name}#type", codes=codes)


def _further(name: str, codes: str) -> El:
    return group(
        "AdditionalId",
        leaf("Id", ST, to="id"),
        leaf("Type", CS, to="type", codes=codes),
        least=0,
        most=MANY,
        into=f"{name}#more",
    )


def _first(row: El) -> tuple[El, El]:
    """A row of which the first is carried, and the row of those that follow."""
    plain = without(row, _ONE)
    return row, El(plain.name, 0, MANY, plain.ns, rows=plain.rows, why=_ONE)


def hcp(organisation: str) -> El:
    """HCP, as it is in every older message too. `organisation` is the field of the organisation number."""
    units = {"HER": "avdeling_her", "RSH": "avdeling_resh", "ENH": "avdeling_orgnr"}
    persons = {"HER": "behandler_her", "HPR": "behandler_hpr"}
    dept = group(
        "Dept",
        leaf("Type", CS, 0, why=_LOCAL),
        leaf("Name", ST, 0, to="avdeling"),
        *_number("avd", _UNITS),
        _further("avd", _UNITS),
        least=0,
        numbers=Numbers("avd", units),
    )
    person = group(
        "HCPerson",
        leaf("Name", ST, 0, to="behandler"),
        *_number("beh", _PERSONS),
        _further("beh", _PERSONS),
        least=0,
        numbers=Numbers("beh", persons),
    )
    inst = group(
        "Inst",
        leaf("Name", ST, 0, to="enhet"),
        *_number("enh", _UNITS),
        *_first(dept),
        _further("enh", _UNITS),
        *_first(person),
        numbers=Numbers("enh", {"HER": "her", "ENH": organisation, "RSH": "resh"}),
        needs=("enhet", "her", "resh", organisation, "avdeling", *units.values()),
    )
    prof = group(
        "HCProf",
        leaf("Type", CS, 0, to="behandler_type", codes="9060"),
        leaf("Name", ST, 0, to="behandler"),
        *_number("alene", _PERSONS),
        _further("alene", _PERSONS),
        numbers=Numbers("alene", persons),
    )
    return group("HCP", one_of(inst, prof), leaf("MedSpeciality", CV, 0, why=_SPECIALITY), _address())


def _address() -> El:
    return group(
        "Address",
        leaf("Type", CS),
        leaf("StreetAdr", ST, 0),
        leaf("PostalCode", ST, 0),
        leaf("City", ST, 0),
        leaf("County", CS, 0),
        leaf("Country", CS, 0),
        leaf("CityDistr", CS, 0),
        leaf("TeleAddress", URL, 0, MANY),
        least=0,
        why=_ADDRESS,
    )


def _party(name: str, field: str, rule: str) -> El:
    role = leaf("Role", CS, 0, to="rolle", codes=_ROLES)
    return group(name, role, hcp(f"/melding.{field}"), into=field, must=(rule,))


def receipt(version: Version) -> El:
    """The whole receipt of one version. What it is for stands in `gjelder` and, as for every answer, in
    `melding.svar_pa`."""
    original = group(
        "OriginalMsgId",
        leaf("MsgType", CS, to={"V": "gjelder_type", "DN": "gjelder_type_tekst"}, must=("value",)),
        leaf("IssueDate", DATETIME, to={"at": "gjelder_sendt"}),
        leaf("Id", _NUMBER, to={"text": "gjelder", "again": "/melding.svar_pa"}, must=("value",)),
    )
    fault = {"V": "kode", "S": "system", "DN": "tekst", "OT": "forklaring"}
    return within(
        version.namespace,
        group(
            "AppRec",
            leaf("MsgType", CS, value="APPREC", codes="8279", why="always the same"),
            leaf("MIGversion", ST, default=version.mig, why="always the same"),
            leaf("SoftwareName", ST, 0, why=_SOFTWARE),
            leaf("SoftwareVersion", ST, 0, why=_SOFTWARE),
            leaf("GenDate", DATETIME, to="/melding.sendt"),
            leaf("Id", ST, to="/melding.id", must=("value",)),
            _party("Sender", "avsender", "sender"),
            _party("Receiver", "mottaker", "receiver"),
            leaf("Status", _STATUS, to="status"),
            leaf("Error", CV, 0, MANY, into="feil", to=fault),
            original,
        ),
    )
