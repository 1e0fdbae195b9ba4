"""Understands how to write the messages that carry the markers: every text field of a type, and the codes
and names that give substance use away. Written by our own adapters; what they would not write, by hand.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

from hub.message import Record
from hub.parts import Parts
from mappings.fields import FieldSpec, Kind
from tests.leaks.canaries import CANARIES, TSB_ORG

JSON, FHIR, XML = "application/json", "application/fhir+json", "application/xml"
Fields = dict[str, Any]

PERSON = {"id": CANARIES["person.id"], "navn": CANARIES["person.navn"]}
SENT = "2026-11-03T08:30:00+01:00"
ICD, ATC, LOINC = "urn:oid:2.16.578.1.12.4.1.1.7110", "urn:oid:2.16.578.1.12.4.1.1.7180", "http://loinc.org"

_SAID = {
    "brik.enhet": "Rusmestringsenheten {}",
    "brik.kommuner.bydel": "{}byen",
    "brik.rus.tiltak": "Avrusning ved {}",
    "brik.rus.audit.versjon": "{}",
    "brik.rus.dudit.versjon": "{}",
}


def planted(spec: FieldSpec) -> str:
    """What stands in one text field of a BRIK."""
    slot = f"brik.{spec.path}"
    usual = "Ønsker seg bort fra rusmiljøet, {}." if spec.free_text else "Avtalt tiltak {}"
    return _SAID.get(slot, usual).format(CANARIES[slot])


def brik(parts: Parts, slot: str = "brik") -> Fields:
    """A BRIK with every text field filled; a text field that no canary is declared for is a KeyError."""
    fields: Fields = copy.deepcopy(BARE_BRIK)
    fields["melding"] = {"id": CANARIES[f"{slot}.id"], "sendt": SENT}
    for spec in parts.types["brik.kartlegging"].scalars:
        group, _, name = spec.path.rpartition(".")
        if spec.kind in (Kind.TEXT, Kind.FREE_TEXT) and group not in ("melding", "person"):
            here = fields
            for step in filter(None, group.split(".")):
                here = here.setdefault(step, {})
            here[name] = planted(spec)
    return fields


BARE_BRIK: Fields = {
    "person": PERSON,
    "tilbud": {"status": "gjennomfort"},
    "kommuner": {"opphold": "9901", "arrest": "9901", "folkeregistrert": "9901", "loslatelse": "9901"},
    "loslatelse": {"planlagt_dato": "2027-03-01", "type": "proveloslatelse", "sikkerhet": "sannsynlig"},
    "bolig": {"behov": "stort", "onske": True, "prioritet": 1},
    "utdanning": {"behov": "noe", "onske": True, "prioritet": 4},
    "arbeid": {"behov": "stort", "onske": True, "prioritet": 2},
    "okonomi": {"behov": "stort", "onske": True, "prioritet": 3},
    "helse": {"behov": "noe", "onske": True, "prioritet": 5, "onsker_kontakt": True},
    "rus": {
        "behov": "stort",
        "onske": True,
        "prioritet": 1,
        "tidligere_behandling": True,
        "audit": {
            "instrument": "AUDIT",
            "dato": CANARIES["brik.rus.audit.dato"],
            "svar": json.loads(f"[{CANARIES['brik.rus.audit.svar']}]"),
            "sum": 21,
        },
        "dudit": {
            "instrument": "DUDIT",
            "dato": CANARIES["brik.rus.dudit.dato"],
            "svar": json.loads(f"[{CANARIES['brik.rus.dudit.svar']}]"),
            "sum": 24,
        },
    },
}


def epikrise() -> Fields:
    """Diagnoses, medicines and sections: some about asthma, some that tell of substance use."""
    said = {slot.removeprefix("epikrise."): text for slot, text in CANARIES.items()}
    return {
        "melding": {"id": CANARIES["epikrise.id"], "sendt": SENT, "mottaker": "310000086"},
        "person": PERSON,
        "avsender": {"enhet": f"Helsetjenesten {said['enhet']}", "behandler": f"Lege {said['behandler']}"},
        "dato": "2026-11-05",
        "periode": {"fra": "2026-06-01", "til": "2026-11-05"},
        "diagnoser": [
            {"system": ICD, "kode": "J45.9", "tekst": f"Astma {said['diagnose']}"},
            {"system": ICD, "kode": said["rus.kode"], "tekst": f"Opioidavhengighet {said['rus.diagnose']}"},
        ],
        "legemidler": [
            {
                "system": ATC,
                "kode": "R03AC02",
                "navn": "Salbutamol",
                "dosering": f"Daglig {said['dosering']}",
            },
            {
                "system": ATC,
                "kode": said["rus.atc"],
                "navn": said["rus.merkenavn"],
                "dosering": f"Overvåket inntak {said['rus.dosering']}",
            },
        ],
        "seksjoner": [
            {
                "kode": "8648-8",
                "tittel": f"Forløp {said['tittel']}",
                "tekst": "Pasienten har hatt stabil astma og har fått ny inhalator. Lungefunksjonen er "
                f"god, og det er ikke behov for videre utredning nå, {said['tekst']}.",
            },
            {
                "kode": "18776-5",
                "tittel": f"Rusbehandling {said['rus.tittel']}",
                "tekst": f"Pasienten ønsker å fortsette i LAR etter løslatelsen, {said['rus.tekst']}.",
            },
            {
                "kode": "8716-3",
                "tittel": "Sosialt",
                "tekst": f"Pasienten har vært rusfri i tre måneder, {said['rus.ord']}. "
                f"Se vedlegg LAR-sjekkliste_{said['fil']}.pdf.",
            },
        ],
    }


def referral(slot: str) -> Fields:
    return {
        "type": "tsb.henvisning",
        "melding": {"id": CANARIES[f"{slot}.id"], "sendt": SENT, "mottaker": TSB_ORG},
        "person": PERSON,
        "henviser": {"rolle": "fengselslege", "enhet": f"Legekontoret {CANARIES['henvisning.enhet']}"}
        if slot == "henvisning"
        else {"rolle": "fengselslege"},
        "rus": {"behov": "stort", "merknad": f"Ber om avrusning, {CANARIES[f'{slot}.merknad']}."},
        "loslatelse": {"planlagt_dato": "2027-04-15", "type": "proveloslatelse", "sikkerhet": "bekreftet"},
    }


def release_date(version: int = 1, message_id: str = "") -> Fields:
    return {
        "type": "opphold.loslatelsesdato",
        "melding": {"id": message_id or CANARIES["dato.id"], "sendt": SENT},
        "person": PERSON,
        "enhet": f"Rusmestringsenheten {CANARIES['dato.enhet']}",
        "loslatelse": {
            "serie": "opphold-77",
            "versjon": version,
            "status": "planlagt",
            "planlagt_dato": "2027-04-15",
            "type": "proveloslatelse",
            "sikkerhet": "bekreftet",
        },
    }


def nav_answer(asked: str) -> Fields:
    return {
        "type": "nav.sak",
        "melding": {"id": CANARIES["nav-svar.id"], "sendt": SENT, "svar_pa": asked},
        "person": PERSON,
        "tema": "tilbakeforing",
        "handling": "svar",
        "svar": {"status": "time_avtalt"},
        "time": {"tidspunkt": "2027-04-16T10:00:00+02:00", "sted": f"Storgata 1, {CANARIES['svar.sted']}"},
    }


def housing_answer(asked: str) -> Fields:
    return {
        "type": "bolig.svar",
        "melding": {"id": CANARIES["bolig-svar.id"], "sendt": SENT, "svar_pa": asked},
        "person": PERSON,
        "status": "tilbud_midlertidig",
        "bolig": {"innflytting": "2027-04-15", "adresse": f"Storgata 2, {CANARIES['svar.adresse']}"},
    }


def consent(
    series: str,
    recipient: str,
    categories: Sequence[str],
    *,
    purpose: str = "return_to_society",
    senders: Sequence[str] = ("prison", "prison_health"),
    permits: bool = True,
    version: int = 1,
    message_id: str = "",
) -> Fields:
    """What a person says: to whom, what, for what."""
    return {
        "type": "samtykke.gitt",
        "melding": {"id": message_id or f"{series}-{version}", "sendt": SENT},
        "person": {"id": PERSON["id"]},
        "samtykke": {
            "serie": series,
            "versjon": version,
            "beslutning": "tillat" if permits else "nekt",
            "gyldig_fra": "2026-11-01",
            "gyldig_til": "2027-11-01",
            "signert": True,
            "forklart": True,
            "tekstversjon": f"deling {CANARIES['samtykke.tekst']}",
            "form": "skriftlig",
            "gitt_av": "pasient",
            "slag": "deling",
        },
        "avsendere": list(senders),
        "mottakere": [recipient],
        "formal": [purpose],
        "kategorier": list(categories),
    }


WHO = ("identity", "coordination", "custody")


def to_nav(**more: Any) -> Fields:
    return consent(CANARIES["samtykke-nav.id"], "nav_municipal", (*WHO, "work", "economy"), **more)


def to_housing(**more: Any) -> Fields:
    return consent(CANARIES["samtykke-bolig.id"], "municipality_housing", (*WHO, "housing"), **more)


def to_tsb(**more: Any) -> Fields:
    categories = (*WHO, "substance_use")
    return consent(CANARIES["samtykke-tsb.id"], TSB_ORG, categories, **{"purpose": "treatment", **more})


def to_gp(**more: Any) -> Fields:
    categories = (*WHO, "substance_use")
    return consent(CANARIES["samtykke-gp.id"], "310000086", categories, **{"purpose": "treatment", **more})


def to_school(**more: Any) -> Fields:
    return consent(CANARIES["samtykke-skole.id"], "education", (*WHO, "education"), **more)


def to_health(**more: Any) -> Fields:
    """To the prison's own health service, which gets the wish for contact without it, unless refused."""
    categories = (*WHO, "somatic_health", "mental_health", "substance_use")
    return consent("samtykke-helse", "prison_health", categories, **{"purpose": "treatment", **more})


def withdrawn(series: str, message_id: str) -> Fields:
    return {
        "type": "samtykke.trukket",
        "melding": {"id": message_id, "sendt": SENT},
        "person": {"id": PERSON["id"]},
        "samtykke": {"serie": series},
        "tidspunkt": "2026-11-12T09:55:00+01:00",
    }


def as_json(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode()


def as_xml(parts: Parts, fields: Fields) -> bytes:
    return parts.registry.by_name("brik-xml").render(Record("brik.kartlegging", fields))


def as_fhir(parts: Parts, fields: Fields) -> bytes:
    return parts.registry.by_name("fhir-epikrise").render(Record("epikrise", fields))
