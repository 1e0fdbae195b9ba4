"""Understands what memory an epikrise in FHIR may cost, and that more than anybody means is not unfolded."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import pytest

from adapters.base import Adapter
from adapters.fhir_epikrise.adapter import ADAPTERS
from hub.errors import HubError
from hub.message import Record
from tests.adapters.records import FNR

MEMORY = 10
"""As often as the document itself."""

ICD, ATC = "urn:oid:2.16.578.1.12.4.1.1.7110", "urn:oid:2.16.578.1.12.4.1.1.7180"
NOTE = "Stabil gjennom oppholdet, uten innleggelser. Kontroll hos fastlegen om fire uker. "


def epikrise(parts: int) -> Record:
    """A record of so many parts, of about 3.5 kB each in JSON and 4 kB in XML: codes and a third of text."""
    fields: dict[str, Any] = {
        "melding": {"id": "epi-1", "sendt": "2026-11-02T14:05:00+01:00", "mottaker": "310000000"},
        "person": {"id": FNR, "navn": "Testperson Furulund"},
        "avsender": {"enhet": "Furulund fengselshelsetjeneste", "behandler": "Lege Prøve"},
        "dato": "2026-11-02",
        "diagnoser": [{"system": ICD, "kode": f"J{n % 100:02}", "tekst": "Astma"} for n in range(3 * parts)],
        "legemidler": [
            {"system": ATC, "kode": "R03AC02", "navn": "Salbutamol", "dosering": "Ved behov"}
            for _ in range(parts)
        ],
        "seksjoner": [{"kode": "8648-8", "tittel": "Forløp", "tekst": NOTE * 15} for _ in range(parts)],
    }
    return Record("epikrise", fields)


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda a: a.name)
def test_memory_is_bounded_by_the_document(adapter: Adapter) -> None:
    body = adapter.render(epikrise(120))
    adapter.parse(body)
    gc.collect()

    tracemalloc.start()
    try:
        record = adapter.parse(body)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert record.type == "epikrise"
    assert most < MEMORY * len(body)


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda a: a.name)
def test_more_than_anybody_means_is_refused_before_it_is_looked_at(adapter: Adapter) -> None:
    record = epikrise(1)
    many = {**record.fields, "diagnoser": record.fields["diagnoser"][:1] * 6_000}
    body = adapter.render(Record("epikrise", many))

    with pytest.raises(HubError) as refused:
        adapter.parse(body)

    assert refused.value.code == "parse.forbidden-construct"
