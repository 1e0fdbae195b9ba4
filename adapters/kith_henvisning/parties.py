"""Understands the parties of Henvisning 1.0 and 1.1: HCP with Inst or HCProf, in the fields of MsgHead."""

from __future__ import annotations

from adapters.kith.datatypes import CS, CV, ST
from adapters.kith.tables import MANY, El, Numbers, group, leaf, one_of, without
from adapters.kith_epikrise.parties import IN_UNIT, LOCAL, ONE, SPECIALITY, address, further, numbers

_UNITS, _PERSONS = "9051", "8116"
_PERSON = {"HER": "behandler_her", "HPR": "behandler_hpr"}


def _first(row: El) -> tuple[El, El]:
    """The row, and the same dropped for what stands there besides the first."""
    rest = without(row, ONE)
    return row, El(rest.name, 0, MANY, rows=rest.rows, why=ONE)


def hcp(old: bool, organisation: str) -> El:
    """`enhet` with its numbers, `avdeling`, `behandler`; a professional alone is `behandler` with an
    occupation. `organisation` is the field of the organisation number."""
    person = group(
        "HCPerson",
        leaf("Name", ST, 0, to="behandler"),
        *numbers("behandler", _PERSONS),
        further("behandler", _PERSONS),
        least=0,
        numbers=Numbers("behandler", _PERSON),
    )
    department = group(
        "Dept",
        leaf("Type", CS, 0, why=LOCAL),
        leaf("Name", ST, 0, to="avdeling"),
        *numbers("avdeling", _UNITS),
        further("avdeling", _UNITS),
        least=0,
        numbers=Numbers("avdeling", {"HER": "avdeling_her", "RSH": "avdeling_resh"}),
    )
    institution = group(
        "Inst",
        leaf("Name", ST, 0, to="enhet"),
        *numbers("enhet", _UNITS),
        further("enhet", _UNITS),
        *_first(person),
        *_first(department),
        numbers=Numbers("enhet", {"HER": "her", "ENH": organisation, "RSH": "resh"}),
        needs=("enhet", "her", "resh", organisation, "avdeling", "avdeling_her", "avdeling_resh"),
    )
    professional = group(
        "HCProf",
        leaf("Type", CS, 0, to="behandler_type", codes="9060"),
        leaf("Name", ST, 0, to="behandler"),
        *numbers("alene", _PERSONS),
        further("alene", _PERSONS),
        numbers=Numbers("alene", _PERSON),
    )
    ids = (leaf("PartyIdByRequester", ST, 0, why=LOCAL), leaf("PartyIdByServProv", ST, 0, why=LOCAL))
    return group(
        "HCP",
        one_of(institution, professional, yields={"behandler_type": IN_UNIT}),
        leaf("MedSpeciality", CV, 0, why=SPECIALITY),
        *(ids if old else ()),
        address(),
    )


def party(name: str, old: bool, field: str, rule: str) -> El:
    """ServProvider, who is asked, or Requester, who asks."""
    way = () if old else (leaf("ComMethod", CS, 0, why="how this sending travels"),)
    return group(
        name,
        leaf("Role", CS, 0, why="the element says it"),
        *way,
        hcp(old, f"/melding.{field}"),
        into=field,
        must=(rule,),
    )
