"""Understands the parties of an epikrise: HCP with Inst or HCProf, their numbers, and the patient."""

from __future__ import annotations

from functools import cache

from adapters.kith.datatypes import CS, CV, ST, TS, URL
from adapters.kith.msghead import born_and_sex
from adapters.kith.parts import lines
from adapters.kith.tables import MANY, El, Numbers, Row, group, leaf, one_of, without

WHO_ELSE = "who else gets a message is decided by the agreements"
ADDRESS = "the hub carries no addresses: a graded one must not travel by chance"
SPECIALITY = "the speciality of a unit may tell what the matter is; the unit has its name"
LOCAL = "a number of one house leads to nobody in another"
_UNITS, _PERSONS = "9051", "8116"
IN_UNIT = "a professional in a unit (HCPerson) has no profession; one alone (HCProf) has"
ONE = "one department and one professional of a party are carried"


def numbers(name: str, codes: str) -> tuple[El, El]:
    """Id and TypeId, noted for `Numbers`."""
    return leaf("Id", ST, 0, to=f"{name}#id"), leaf("TypeId", CS, 0, to=f"{name}#type", codes=codes)


def further(name: str, codes: str) -> El:
    """AdditionalId, noted for `Numbers`."""
    return group(
        "AdditionalId",
        leaf("Id", ST, to="id"),
        leaf("Type", CS, to="type", codes=codes),
        least=0,
        most=MANY,
        into=f"{name}#more",
    )


def address() -> El:
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
        why=ADDRESS,
    )


def _dept(prefix: str) -> tuple[El, El]:
    row = group(
        "Dept",
        leaf("Type", CS, 0, why=LOCAL),
        leaf("Name", ST, 0, to=f"{prefix}avdeling"),
        *numbers(f"{prefix}avd", _UNITS),
        further(f"{prefix}avd", _UNITS),
        least=0,
        numbers=Numbers(f"{prefix}avd", {"HER": f"{prefix}avdeling_her", "RSH": f"{prefix}avdeling_resh"}),
    )
    return row, _rest(row)


def _person(prefix: str, name: str) -> tuple[El, El]:
    row = group(
        "HCPerson",
        leaf("Name", ST, 0, to=f"{prefix}{name}"),
        *numbers(f"{prefix}{name}", _PERSONS),
        further(f"{prefix}{name}", _PERSONS),
        least=0,
        numbers=Numbers(f"{prefix}{name}", {"HER": f"{prefix}{name}_her", "HPR": f"{prefix}{name}_hpr"}),
    )
    return row, _rest(row)


def _rest(row: El) -> El:
    """Further elements of the name, of which the first was carried."""
    plain = without(row, ONE)
    return El(plain.name, 0, MANY, plain.ns, rows=plain.rows, why=ONE)


@cache
def hcp(old: bool, organisation: str) -> El:
    """HCP. An institution is `enhet` with `her`, `avdeling` and `behandler`; a professional alone is
    `behandler`. `organisation` is the field of the organisation number. `old`: the elements of 1.1."""
    inst = group(
        "Inst",
        leaf("Name", ST, 0, to="enhet"),
        *((leaf("Type", CS, 0, why=LOCAL),) if old else ()),
        *numbers("enhet", _UNITS),
        *_dept(""),
        *_person("", "behandler"),
        further("enhet", _UNITS),
        numbers=Numbers("enhet", {"HER": "her", "ENH": organisation, "RSH": "resh"}),
        needs=("enhet", "her", "resh", organisation, "avdeling", "avdeling_her", "avdeling_resh"),
    )
    prof = group(
        "HCProf",
        leaf("Type", CS, 0, to="behandler_type", codes="9060"),
        leaf("Position", CV, 0, why=LOCAL),
        leaf("Name", ST, 0, to="behandler"),
        leaf("Qual", CV, 0, MANY, why=LOCAL),
        *numbers("alene", _PERSONS),
        further("alene", _PERSONS),
        numbers=Numbers("alene", {"HER": "behandler_her", "HPR": "behandler_hpr"}),
    )
    rows: tuple[Row, ...] = (
        one_of(inst, prof, yields={"behandler_type": IN_UNIT}),
        leaf("MedSpecialty", CV, 0, why=SPECIALITY),
        *(_ids_of_parties() if old else ()),
        address(),
    )
    return group("HCP", *rows)


def _ids_of_parties() -> tuple[El, El]:
    return leaf("PartyIdByRequester", ST, 0, why=LOCAL), leaf("PartyIdByServProv", ST, 0, why=LOCAL)


def related(name: str, old: bool, into: str, role: bool = True, times: bool = False) -> El:
    """A list of those who have to do with it: Relation, Role or times, HCP."""
    return group(
        name,
        leaf("Relation", CS, to="relasjon", codes="8254", blank=True),
        *((leaf("StartDateTime", TS, 0, to={"V": "fra"}),) if times else ()),
        *((leaf("EndDateTime", TS, 0, to={"V": "til"}),) if times else ()),
        *((leaf("Role", CS, 0, to="rolle"),) if role else ()),
        hcp(old, "orgnr"),
        least=0,
        most=MANY,
        into=into,
    )


def patient(old: bool) -> El:
    """Patient as `person`, with what warns about the person and who is near."""
    return group(
        "Patient",
        *born_and_sex(TS),
        leaf("DateOfDeath", TS, 0, to={"V": "/dodstidspunkt"}),
        leaf("Name", ST, 0, to="navn"),
        leaf("IdByServProvider", ST, 0, why=LOCAL),
        leaf("IdByRequester", ST, 0, why=LOCAL),
        leaf("OffId", ST, 0, to={"text": "#id"}, derive="person-id"),
        leaf("TypeOffId", CS, 0, to={"V": "#type"}, derive="person-kind", codes="8116"),
        group(
            "PatientPrecaution",
            lines("Precaution", "tekst", 1),
            leaf("StartDateTime", TS, 0, to={"V": "fra"}),
            leaf("EndDateTime", TS, 0, to={"V": "til"}),
            least=0,
            most=MANY,
            into="/hensyn",
        ),
        group(
            "PatientRelParty",
            leaf("Relation", CS, to={"V": "relasjon", "DN": "relasjon_tekst"}, blank=True),
            leaf("Name", ST, 0, to="navn"),
            leaf("RelPartyOffId", ST, 0, why="the number of a third person is not needed to know who it is"),
            address(),
            least=0,
            most=MANY,
            into="/naere",
        ),
        related("PatRelHCP", old, "/helsepersonell", role=old, times=True),
        group(
            "AdditionalId",
            leaf("Id", ST, to="id"),
            leaf("Type", CS, to="type"),
            least=0,
            most=MANY,
            into="#more",
            elsewhere=True,
        ),
        address(),
        into="/person",
        fill="patient-number",
        must=("patient",),
    )
