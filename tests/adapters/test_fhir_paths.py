"""Understands that each element which the sender made up is told in its own place, and never by its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import adapters
from adapters.base import Adapter
from adapters.fhir_consent.adapter import ADAPTERS as CONSENT
from adapters.fhir_consent.resource import models
from adapters.fhir_epikrise.adapter import ADAPTERS as EPIKRISE
from adapters.fhir_epikrise.reading import MODELS as EPIKRISE_MODELS
from adapters.fhir_paths import below, noted, shown_as
from adapters.fhir_tsb.adapter import ADAPTERS as TSB
from adapters.fhir_tsb.reading import MODELS
from adapters.fhir_withdrawal.adapter import ADAPTERS as WITHDRAWAL
from adapters.fhir_xml import write_fhir_xml
from hub.errors import Finding, HubError
from tests.adapters.foreign import document as epikrise
from tests.adapters.foreign import observation, put

FOLDER = Path(adapters.__file__).parent
MARK = "kanari"


def refused(adapter: Adapter, body: bytes) -> tuple[Finding, ...]:
    with pytest.raises(HubError) as told:
        adapter.parse(body)
    return told.value.findings


def lines_with(body: bytes, mark: str) -> list[int]:
    return [number for number, line in enumerate(body.decode().split("\n"), 1) if mark in line]


def consent() -> Any:
    return json.loads((FOLDER / "fhir_consent/examples/samtykke_tsb.json").read_bytes())


def referral() -> Any:
    return json.loads((FOLDER / "fhir_tsb/examples/henvisning.json").read_bytes())


def made_up() -> list[tuple[Adapter, Any]]:
    """Documents with elements that nobody knows: beside each other, within each other, at the top."""
    first, second = consent(), referral()
    first["provision"] |= {f"{MARK}1": "a", f"{MARK}.\u00e6": "b"}
    first[f"{MARK}3"] = "c"
    for entry in second["entry"][:3]:
        entry["resource"] |= {f"{MARK}1": "a", f"{MARK}\\2": {"x": "b"}}
    return [(CONSENT[0], first), (TSB[0], second), (EPIKRISE[0], narrated())]


def narrated() -> Any:
    """An epikrise with such elements in what becomes lines of its text, at every depth of it."""
    unknown = {f"{MARK}1": "a", f"_{MARK}2": {"extension": [{"url": "urn:x"}]}, f"{MARK}.3": [{"x": 1}]}
    parts = [{"code": {"text": "Puls"}, **unknown}, {"code": {"text": "Syn"}, f"{MARK}4": None}]
    return put(epikrise(), observation(component=parts, **unknown))


@pytest.mark.parametrize(("adapter", "document"), made_up(), ids=["consent", "referral", "epikrise"])
def test_each_made_up_element_is_told_where_it_stands(adapter: Adapter, document: Any) -> None:
    for escaped in (True, False):
        body = json.dumps(document, indent=1, ensure_ascii=escaped).encode()

        found = refused(adapter, body)

        assert sorted(one.line or 0 for one in found) == lines_with(body, MARK)
        assert {one.at.rpartition(".")[2] for one in found} == {"?"}
        assert {type(one.at) for one in found} == {str}


def test_what_may_change_a_withdrawal_is_told_where_it_stands() -> None:
    ended = json.loads((FOLDER / "fhir_withdrawal/examples/trukket.json").read_bytes())
    modified = {"modifierExtension": [{"url": MARK}]}
    ended["provision"] = {"type": "permit", "a": [{"b": modified}, {"c": {"implicitRules": MARK}}]}
    body = json.dumps(ended, indent=1).encode()

    found = [one for one in refused(WITHDRAWAL[0], body) if one.rule == "not-read"]

    assert [(one.at, one.line) for one in found] == [
        ("provision.?[0].?.modifierExtension", lines_with(body, '"modifierExtension"')[0]),
        ("provision.?[1].?.implicitRules", lines_with(body, '"implicitRules"')[0]),
    ]


@pytest.mark.parametrize(("index", "known"), [(1, {**models(frozenset())}), (1, MODELS)])
def test_in_xml_each_fault_is_told_where_it_stands(index: int, known: Any) -> None:
    adapter, document = (CONSENT[index], consent()) if "Consent" in known else (TSB[index], referral())
    lines = write_fhir_xml(document, known).replace(b"><", b">\n<").split(b"\n")
    status = next(number for number, line in enumerate(lines) if line.startswith(b"<status "))
    lines[status + 1 : status + 1] = [b'<kanari value="a"/>', lines[status], b'<kanari value="b"/>']
    body = b"\n".join(lines)

    found = refused(adapter, body)

    assert [(one.rule, one.line) for one in found] == [
        ("unknown-element", status + 2),
        ("count", status + 3),
        ("unknown-element", status + 4),
    ]


def test_in_xml_what_is_made_up_in_a_narrated_resource_is_told_where_it_stands() -> None:
    written = write_fhir_xml(
        put(epikrise(), observation(component=[{"code": {"text": "Puls"}}])), EPIKRISE_MODELS
    )
    lines = written.replace(b"><", b">\n<").replace(b"<component>", b"<component>\n<kanari1/>")
    body = lines.replace(b"</Observation>", b'<kanari2 value="a"/>\n<kanari3><b/></kanari3>\n</Observation>')

    found = refused(EPIKRISE[1], body)

    assert [(one.at, one.line) for one in found] == [
        ("entry[3].resource.component[0].?", lines_with(body, "kanari1")[0]),
        ("entry[3].resource.?", lines_with(body, "kanari2")[0]),
        ("entry[3].resource.?", lines_with(body, "kanari3")[0]),
    ]


def test_an_element_of_fhir_is_told_by_its_name_wherever_it_stands() -> None:
    document = referral()
    request = next(
        e["resource"] for e in document["entry"] if e["resource"]["resourceType"] == "ServiceRequest"
    )
    request["note"][0] |= {"authorString": "x", "time": "2030-01-01"}

    found = refused(TSB[0], json.dumps(document).encode())

    assert [one.at.rpartition(".")[2] for one in found] == ["authorString", "time"]


PATHS: list[tuple[str, str, str, str]] = [
    ("", "status", "status", "status"),
    ("a", "status", "a.status", "a.status"),
    ("", MARK, "?", MARK),
    ("a", f"_{MARK}", "a.?", f"a._{MARK}"),
    (shown_as("a.?", "a.b"), MARK, "a.?.?", f"a.b.{MARK}"),
]


@pytest.mark.parametrize(("at", "name", "path", "place"), PATHS)
def test_a_path_is_shown_without_names_that_the_sender_made_up(
    at: str, name: str, path: str, place: str
) -> None:
    found = below(at, name)

    assert (found, noted(found), repr(found)) == (path, place, repr(path))
    assert noted(path) == path
