"""What the desk has to say of a FHIR Consent stands where it is said there, or would be."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest

from adapters.base import Findings
from adapters.fhir_consent import places, reading
from adapters.fhir_consent.adapter import ADAPTERS
from adapters.fhir_consent.resource import models
from adapters.fhir_wire import Places, json_places
from adapters.fhir_xml import XmlReader, write_fhir_xml
from adapters.fhir_xml_places import XmlPlaces
from adapters.safe_xml import read_xml
from consent import intake
from hub.errors import HubError
from hub.message import Sector
from mappings.types import load_types
from tests import mutating
from tests.adapters import consents

Change = Callable[[Any], object]

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)
TYPE = load_types()["samtykke.gitt"]
JSON, XML = ADAPTERS


def without(name: str) -> Change:
    return lambda c: c["provision"].pop(name)


def permitting(c: Any) -> None:
    """A refusal that lets one thing through, and does not say to whom, what or how long."""
    c["provision"] = {
        "type": "deny",
        "provision": [
            {"type": "permit", "purpose": [consents.code(f"{consents.OURS}purpose", "treatment")]},
        ],
    }


def _bare(c: Any) -> None:
    for name in ("decision", "provision", "period"):
        del c[name]
    c["decision"] = "permit"


def _number(actors: Any) -> None:
    actors["actor"][1]["reference"]["identifier"]["value"] = "310000044"


TOLD: list[tuple[str, Change, set[str]]] = [
    ("r4", without("purpose"), {"provision.purpose"}),
    ("r4", without("securityLabel"), {"provision.securityLabel"}),
    ("r4", without("actor"), {"provision.actor"}),
    ("r4", without("period"), {"provision.period.start", "provision.period.end"}),
    ("r4", lambda c: c["provision"].update(period={"start": "2026-01-01"}), {"provision.period.end"}),
    (
        "r4",
        lambda c: c["provision"].update(period={"start": "2026-12-31", "end": "2026-01-01"}),
        {"provision.period.end"},
    ),
    ("r4", lambda c: _number(c["provision"]), {"provision.actor[1].reference.identifier.value"}),
    ("r4", lambda c: c.update(dateTime="2027-01-01"), {"dateTime"}),
    ("r4", lambda c: c["meta"].update(versionId="100001"), {"meta.versionId"}),
    ("r4", lambda c: c.pop("extension"), {"extension"}),
    ("r4", lambda c: c.pop("sourceAttachment"), {"sourceAttachment"}),
    (
        "r4",
        lambda c: c["provision"]["provision"][0].update(period={"start": "2026-03-01", "end": "2026-02-01"}),
        {"provision.provision[0].period.end"},
    ),
    (
        "r4",
        permitting,
        {
            f"provision.provision[0].{name}"
            for name in ("actor", "securityLabel", "period.start", "period.end")
        },
    ),
    (
        "r5",
        lambda c: c["provision"][0].pop("purpose"),
        {"provision[0].purpose"},
    ),
    (
        "r5",
        lambda c: (c["provision"][0].pop("period"), c.pop("period")),
        {"provision[0].period.start", "provision[0].period.end"},
    ),
    ("r5", lambda c: _number(c["provision"][0]), {"provision[0].actor[1].reference.identifier.value"}),
    ("r5", _bare, {"provision", "period.start", "period.end"}),
    ("r5", lambda c: c.update(date="2027-01-01"), {"date"}),
]  # one row per case # fmt: skip


def found(document: dict[str, Any]) -> list[Any]:
    record = reading.read(document)
    if findings := TYPE.check(record.fields):
        return list(findings)
    with pytest.raises(HubError) as refused:
        intake.check(record, Sector.PRISON_HEALTH, AT)
    return list(refused.value.findings)


@pytest.mark.parametrize(("release", "change", "expected"), TOLD)
def test_what_the_desk_finds_stands_where_the_document_says_it(
    release: str, change: Change, expected: set[str]
) -> None:
    document = consents.r4() if release == "r4" else consents.r5()
    change(document)
    findings = found(document)
    body = json.dumps(document, indent=1).encode()
    stands = json_places(body.decode())

    told = JSON.locate(body, findings)  # type: ignore[misc]  # it has one

    assert {finding.at for finding in told} == expected
    assert all((one.line, one.column) == _nearest(one.at, stands) for one in told)
    releases = models(frozenset(document))
    xml = write_fhir_xml(document, releases)
    told = XML.locate(xml, findings)  # type: ignore[misc]  # it has one
    assert {finding.at for finding in told} == expected
    in_xml = XmlPlaces(XmlReader(read_xml(xml), releases, Findings()), xml)
    assert all((one.line, one.column) == _nearest(one.at, in_xml) for one in told)


def _nearest(at: str, stands: Places) -> tuple[int, int]:
    while at and stands.get(at) is None:
        at = at[: max(at.rfind("."), at.rfind("["), 0)]
    return stands.get(at) or (1, 1)


MUTATIONS = [
    (places, "newer = looks_newer(document)", "newer = False"),
    (places, "newer = looks_newer(document)", "newer = True"),
    (places, 'return (_R5 if newer else _R4).get(at)', "return None"),
    (places, '("" if newer else "provision.") + exception', '"provision." + exception'),
    (places, '.replace("unntak", "provision")', ""),
    (places, '(f".{there}" if there else "")', '""'),
    *((places, f'    "samtykke.{name}": "', f'    "samtykke.x{name}": "')
      for name in ("versjon", "signert", "tekstversjon")),
]  # one row per case # fmt: skip


@mutating.each(MUTATIONS)
def test_every_place_is_needed(where: ModuleType, old: str, new: str) -> None:
    mutating.expect_noticed(
        where, old, new, lambda: mutating.rows(test_what_the_desk_finds_stands_where_the_document_says_it)
    )
