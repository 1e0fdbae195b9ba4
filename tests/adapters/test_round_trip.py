"""Understands that what an adapter writes, it reads back as the same record."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.base import Adapter, without
from adapters.registry import ADAPTERS, adapters_for
from hub.errors import HubError
from hub.message import Record
from tests.adapters import digisos_records, records, test_fiks

FIKS = ["bolig.foresporsel", "bolig.svar", "kvittering"]
DIGISOS = ["sosialhjelp.soknad", "digisos.soker", "sosialhjelp.vedlegg"]
CONSENTS = ["samtykke.gitt", "samtykke.trukket"]
REGISTRY = adapters_for(["brik.kartlegging", "epikrise", "tsb.henvisning", *CONSENTS, *DIGISOS, *FIKS])
ANY_RECORD = st.one_of(
    records.brik,
    records.epikrise,
    records.tsb,
    records.consent,
    records.withdrawal,
    digisos_records.any_record,
    test_fiks.requests,
    test_fiks.answers,
)
"""Of every type of which each format writes whatever a record holds."""

RECEIPTS = {
    "apprec-1.0": records.kvittering,
    "apprec-1.1": records.kvittering,
    "nav-apprec-1.0": records.kvittering,
    "nav-apprec-1.1": records.kvittering,
    "fhir-task": records.receipt,
    "fhir-task-xml": records.receipt,
    "fiks-kvittering": test_fiks.receipts,
}
"""What each format must write. The type has more than any of them: an AppRec has the faults and the parties
and no work that has begun, a Task the work and the faults but no parties, and over Fiks a receipt answers a
message. What is not of its own a format refuses, or drops what it says it loses."""
ANY_RECEIPT = st.one_of(records.receipt, records.kvittering, test_fiks.receipts)


def holds(adapter: Adapter, record: Record) -> None:
    body = adapter.render(record)

    assert adapter.parse(body) == without(record, adapter.loses)
    assert adapter.render(record) == body
    assert REGISTRY.recognise(adapter.media_type, body) is adapter


def written(adapter: Adapter, record: Record) -> tuple[bytes, str]:
    """The bytes, or the code of the refusal."""
    try:
        return adapter.render(record), ""
    except HubError as refused:
        return b"", refused.code


@settings(deadline=None, max_examples=200)
@given(ANY_RECORD)
def test_what_an_adapter_writes_it_reads_back_as_the_same_record(record: Record) -> None:
    for adapter in REGISTRY.adapters:
        if adapter.type == record.type:
            holds(adapter, record)


@pytest.mark.parametrize("name", RECEIPTS)
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_a_receipt_that_a_format_must_write_is_read_back_as_the_same(name: str, data: st.DataObject) -> None:
    (adapter,) = (one for one in REGISTRY.adapters if one.name == name)

    holds(adapter, data.draw(RECEIPTS[name]))


@settings(deadline=None, max_examples=100)
@given(ANY_RECEIPT)
def test_any_other_receipt_is_written_whole_or_not_at_all(record: Record) -> None:
    for name in RECEIPTS:
        (adapter,) = (one for one in REGISTRY.adapters if one.name == name)
        body, code = written(adapter, record)

        assert code in ("", "render.incomplete")
        if not code:
            assert adapter.parse(body) == without(record, adapter.loses)


def test_every_format_of_a_receipt_says_what_it_must_write() -> None:
    assert {adapter.name for adapter in ADAPTERS if adapter.type == "kvittering"} == set(RECEIPTS)


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
        *CONSENTS,
        *DIGISOS,
        *FIKS,
    }
