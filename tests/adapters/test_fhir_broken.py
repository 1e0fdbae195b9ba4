"""Understands that an epikrise of others, broken in any place, is read whole or refused without a value."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.fhir_epikrise.adapter import ADAPTERS
from adapters.fhir_extensions import LEFT_EXTENSIONS
from hub.errors import HubError
from tests.adapters.foreign import document, observation, put

MARKER = "KANARI-7c1f"


def rich() -> Any:
    """Something of everything that is narrated."""
    bundle = document()
    bundle["entry"][0]["resource"]["encounter"] = {"reference": "urn:uuid:e"}
    put(
        bundle, observation(note=[{"text": "x"}], hasMember=[{"reference": "urn:uuid:y"}], bodySite=TWO_CODES)
    )
    put(bundle, observation(component=[{"code": TWO_CODES, "valueString": "x"}]), "urn:uuid:y", entry=False)
    left = {"url": next(iter(LEFT_EXTENSIONS)), "valueCode": "x"}
    bundle["entry"][1]["resource"]["name"][0].update(extension=[left], _text={"extension": [left]})
    encounter = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"code": "IMP"},
        "subject": {"reference": "urn:uuid:p"},
        "period": {"start": "2026-02-01"},
        "reasonCode": [{"text": "x"}],
    }
    put(bundle, encounter, "urn:uuid:e", entry=False)
    condition = {"resourceType": "Condition", "code": TWO_CODES, "subject": {"reference": "urn:uuid:p"}}
    return put(bundle, {**condition, "bodySite": [TWO_CODES], "extension": [left]}, "urn:uuid:d")


TWO_CODES = {
    "coding": [
        {"system": "http://snomed.info/sct", "code": "1", "display": "En"},
        {"system": "http://hl7.org/fhir/sid/icd-10", "code": "J45"},
    ],
    "text": "Noe",
}
ODD = st.sampled_from(
    [
        MARKER, 7, -1, True, None, "", [], {}, [MARKER], [[MARKER]], [None], {MARKER: MARKER},
        {"url": [MARKER]}, [{"url": {MARKER: 1}}], {"reference": MARKER}, {"reference": "urn:uuid:x"},
        {"reference": "urn:uuid:c"}, {"coding": MARKER}, {"coding": [MARKER]}, {"coding": [{"code": [7]}]},
        {"text": [MARKER]}, "urn:uuid:x", "entered-in-error", [{"system": MARKER, "value": {MARKER: 1}}],
    ]
)  # one row per case # fmt: skip


@settings(deadline=None, max_examples=600)
@given(st.data())
def test_broken_anywhere_it_is_read_whole_or_refused_without_a_value(data: st.DataObject) -> None:
    bundle = copy.deepcopy(rich())  # its parts are shared
    places = list(_places(bundle))
    holder, key = places[data.draw(st.integers(0, len(places) - 1))]
    match data.draw(st.sampled_from(["replace", "remove", "add"])):
        case "replace":
            holder[key] = data.draw(ODD)
        case "remove":
            del holder[key]
        case _ if isinstance(holder, dict):
            name = data.draw(
                st.sampled_from([MARKER, "extension", "_code", "text", "note", "status", "bodySite"])
            )
            holder[name] = data.draw(ODD)

    try:
        record = ADAPTERS[0].parse(json.dumps(bundle).encode())
    except HubError as refused:
        _tells_nothing(refused)
    else:
        for adapter in ADAPTERS:
            assert adapter.parse(adapter.render(record)) == record


def _tells_nothing(refusal: HubError) -> None:
    link: BaseException | None = refusal
    while link is not None:
        assert MARKER not in f"{link!r}{link}"
        link = link.__cause__ or link.__context__
    assert MARKER not in repr(refusal.findings)
    assert refusal.code in ("parse.invalid", "parse.malformed")
    assert refusal.findings


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in list(pairs):
        yield node, key
        yield from _places(child)
