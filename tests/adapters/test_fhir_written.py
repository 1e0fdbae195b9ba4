"""Understands that what the FHIR adapters write is FHIR R4, judged by a library we did not write."""

from __future__ import annotations

import json
from importlib import import_module

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.registry import ADAPTERS
from hub.message import Record
from tests.adapters import records


@settings(deadline=None, max_examples=100)
@given(st.one_of(records.epikrise, records.tsb, records.consent, records.brik, records.receipt))
def test_what_is_written_is_fhir_r4(record: Record) -> None:
    adapter = next(one for one in ADAPTERS if one.type == record.type and one.name.startswith("fhir-"))
    document = json.loads(adapter.render(record))

    kind = document["resourceType"]
    model = getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
    assert json.loads(model.model_validate(document).model_dump_json()).keys() == document.keys()
