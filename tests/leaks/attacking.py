"""Understands what the attacks have in common: who agreed to what, how a message is made to carry
something, and who got it. It must not know what any attack is about.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from hub.demo.world import CAST
from hub.message import HEALTH_SECTORS
from hub.parts import Parts
from mappings.fields import FieldSpec, Kind
from tests.leaks import messages as m
from tests.leaks.lab import Call, Lab, evidence
from tests.leaks.messages import FHIR, JSON, XML
from tests.leaks.search import Search

NOT_HEALTH = tuple(agency.key for agency in CAST if agency.sector not in HEALTH_SECTORS)
_numbers = itertools.count(1)


def some_id(kind: str = "melding") -> str:
    return f"{kind}-{next(_numbers)}"


def accepted(call: Call) -> str:
    """The hub's id of what was posted; anything but an acceptance is a fault of the test."""
    assert call.status == 202, (call.status, call.body)
    return str(call.said["id"])


def refused(call: Call) -> str:
    """The code of a refusal; nothing else may come."""
    assert 400 <= call.status < 500, (call.status, call.body)
    return str(call.said["code"])


def agree(lab: Lab, *whom: str) -> None:
    """The person signs the form for each: nav, housing, school, health, tsb, gp."""
    forms = {
        "nav": m.to_nav,
        "housing": m.to_housing,
        "school": m.to_school,
        "health": m.to_health,
        "tsb": m.to_tsb,
        "gp": m.to_gp,
    }
    for who in whom:
        accepted(lab.post("prison_health", JSON, m.as_json(forms[who](message_id=some_id(who)))))


def withdraw(lab: Lab, fields: m.Fields) -> None:
    said = m.withdrawn(fields["samtykke"]["serie"], some_id("trukket"))
    accepted(lab.post("prison_health", JSON, m.as_json(said)))


def bare_brik(**more: Any) -> m.Fields:
    """A mapping without a word of text in it."""
    fields: m.Fields = copy.deepcopy(m.BARE_BRIK)
    fields["melding"] = {"id": some_id("brik"), "sendt": m.SENT}
    fields["enhet"] = "Avdeling B"
    for form in ("audit", "dudit"):
        fields["rus"][form]["versjon"] = "1"
    return {**fields, **more}


def texts(parts: Parts, message_type: str) -> list[FieldSpec]:
    """Every text field of a type that takes any words."""
    return [
        spec
        for spec in parts.types[message_type].scalars
        if spec.kind in (Kind.TEXT, Kind.FREE_TEXT)
        and spec.pattern is None
        and not spec.path.startswith("melding.")
    ]


def put(fields: m.Fields, path: str, value: object) -> None:
    *groups, name = path.split(".")
    here = fields
    for group in groups:
        here = here.setdefault(group, {})
    here[name] = value


def post_brik(lab: Lab, fields: m.Fields) -> Call:
    return lab.post("prison", XML, m.as_xml(lab.parts, fields))


def summary(*, diagnoses: Any = None, medicines: Any = None, sections: Any = None) -> m.Fields:
    """A discharge summary about asthma, with whatever an attack adds to it."""
    asthma = {"system": m.ICD, "kode": "J45.9", "tekst": "Astma"}
    inhaler = {"system": m.ATC, "kode": "R03AC02", "navn": "Salbutamol", "dosering": "Ved behov"}
    course = {
        "kode": "8648-8",
        "tittel": "Forløp",
        "tekst": "Pasienten har hatt stabil astma og har fått ny inhalator. Lungefunksjonen er god.",
    }
    return {
        "melding": {"id": some_id("epikrise"), "sendt": m.SENT, "mottaker": "310000086"},
        "person": m.PERSON,
        "avsender": {"enhet": "Helsetjenesten i Nordli"},
        "dato": "2026-11-05",
        "diagnoser": [asthma, *(diagnoses or [])],
        "legemidler": [inhaler, *(medicines or [])],
        "seksjoner": [course, *(sections or [])],
    }


def post_summary(lab: Lab, fields: m.Fields) -> Call:
    return lab.post("prison_health", FHIR, m.as_fhir(lab.parts, fields))


def got(lab: Lab, key: str) -> list[bytes]:
    """Every payload that an agency has: pushed to it or fetched by it."""
    pushed = [sent.body for sent in lab.recipients.sent if sent.key == key]
    fetched = [
        call.body
        for call in lab.calls
        if call.key == key and call.what.startswith("GET /v1/inbox/") and call.status == 200
    ]
    return pushed + fetched


def read_by(lab: Lab, key: str) -> list[m.Fields]:
    """The same, as the recipient's own program reads it."""
    found = []
    for body in got(lab, key):
        media = FHIR if b"resourceType" in body else JSON
        found.append(dict(lab.parts.registry.recognise(media, body).parse(body).fields))
    return found


def places(lab: Lab, markers: Mapping[str, str] | str, *, but: Iterable[str] = ()) -> set[tuple[str, str]]:
    """Which marker stands in which place. `but`: beginnings of places where it may."""
    named = {"it": markers} if isinstance(markers, str) else markers
    search, allowed = Search(named), tuple(but)
    return {
        (hit.marker, place)
        for place, data in evidence(lab)
        if not (allowed and place.startswith(allowed))
        for hit in search.hits(data)
    }
