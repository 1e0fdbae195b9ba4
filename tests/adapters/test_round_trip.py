"""Understands that what an adapter writes, it reads back as the same record."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.registry import ADAPTERS, adapters_for
from hub.message import Record, walk
from tests.adapters import digisos_records, records, test_fiks

FIKS = ["bolig.foresporsel", "bolig.svar", "kvittering"]
DIGISOS = ["sosialhjelp.soknad", "digisos.soker", "sosialhjelp.vedlegg"]
REGISTRY = adapters_for(["brik.kartlegging", "epikrise", "tsb.henvisning", "samtykke.gitt", *DIGISOS, *FIKS])
ANY_RECORD = st.one_of(
    records.brik,
    records.epikrise,
    records.tsb,
    records.consent,
    records.receipt,
    records.kvittering,
    digisos_records.any_record,
    test_fiks.any_record,
)


def kept(record: Record, lost: Mapping[str, str]) -> Record:
    """The record without the fields that a format has no place for."""
    return record.only(
        frozenset(path for path, _ in walk(record.fields) if re.sub(r"\[\d+\]", "", path) not in lost)
    )


@settings(deadline=None, max_examples=200)
@given(ANY_RECORD)
def test_what_an_adapter_writes_it_reads_back_as_the_same_record(record: Record) -> None:
    for adapter in REGISTRY.adapters:
        if adapter.type == record.type:
            body = adapter.render(record)

            assert adapter.parse(body) == kept(record, adapter.loses)
            assert REGISTRY.recognise(adapter.media_type, body) is adapter


@settings(deadline=None, max_examples=50)
@given(ANY_RECORD)
def test_the_same_record_gives_the_same_bytes(record: Record) -> None:
    for adapter in REGISTRY.adapters:
        if adapter.type == record.type:
            assert adapter.render(record) == adapter.render(record)


def test_every_written_adapter_is_exercised_here() -> None:
    """The other KITH messages have a test of their own that fills every field (test_kith_whole.py)."""
    assert {adapter.type for adapter in ADAPTERS} - {
        "dialogmelding",
        "henvisning",
        "pleie.rapport",
        "pleie.soknad",
    } == {
        "brik.kartlegging",
        "epikrise",
        "tsb.henvisning",
        "samtykke.gitt",
        *DIGISOS,
        *FIKS,
    }
