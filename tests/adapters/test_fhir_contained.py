"""Understands that who stands in the resource that refers to it is read as if it were an entry, and that of a
resource that is refused nothing more is told than that."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.group import Group

import adapters
from adapters import fhir_bundle
from adapters.fhir_epikrise.adapter import ADAPTERS
from adapters.fhir_epikrise.reading import HPR, MODELS, RESH
from adapters.fhir_tsb.adapter import ADAPTERS as TSB
from adapters.fhir_tsb.reading import MODELS as TSB_MODELS
from adapters.fhir_xml import Models, write_fhir_xml
from hub.errors import HubError
from tests.adapters.foreign import NATIONAL, document, observation, put
from tests.mutating import mutated

AS_JSON, AS_XML = ADAPTERS
EXAMPLES = Path(adapters.__file__).parent
Change = Callable[[Any], object]
Told = list[tuple[str, str]]
WRITTEN: Models = {**MODELS, "Group": Group}

UNIT = {
    "resourceType": "Organization",
    "id": "u",
    "name": "Elvestad",
    "identifier": [{"system": RESH, "value": "7"}],
}
DOCTOR = {
    "resourceType": "Practitioner", "id": "d", "name": [{"family": "Prøve", "given": ["Lege"]}],
    "identifier": [{"system": HPR, "value": "9144889"}],
}  # fmt: skip  # a resource in a line
ROLE = {
    "resourceType": "PractitionerRole", "id": "r", "practitioner": {"reference": "#d"},
    "organization": {"reference": "#u"},
}  # fmt: skip  # a resource in a line


def first(bundle: Any) -> Any:
    return bundle["entry"][0]["resource"]


def inside(*contained: Any, author: str = "#r") -> Any:
    """A document whose author is contained in the Composition."""
    made = document()
    del made["entry"][2]
    first(made).update(contained=list(copy.deepcopy(contained)), author=[{"reference": author}])
    return made


def told(made: Any) -> Told:
    """What both spellings tell of it, which is the same."""
    found = [_told(AS_JSON, json.dumps(made).encode()), _told(AS_XML, write_fhir_xml(made, WRITTEN))]
    assert found[0] == found[1]
    return found[0]


def _told(adapter: Any, body: bytes) -> Told:
    try:
        adapter.parse(body)
    except HubError as refusal:
        code, found = refusal.code, refusal.findings
    else:
        return []
    assert code == "parse.invalid"
    assert all(one.line and one.column for one in found)
    return [(one.at, one.rule) for one in found]


def test_authors_that_are_contained_are_read_as_if_they_were_entries() -> None:
    made = inside(UNIT, DOCTOR, ROLE)
    apart = document()
    apart["entry"][2:] = [
        {
            "fullUrl": f"urn:uuid:{one['id']}",
            "resource": json.loads(json.dumps(one).replace("#", "urn:uuid:")),
        }
        for one in (UNIT, DOCTOR, ROLE)
    ]
    first(apart)["author"] = [{"reference": "urn:uuid:r"}]

    there = AS_JSON.parse(json.dumps(made).encode())

    assert there == AS_JSON.parse(json.dumps(apart).encode())
    assert there == AS_XML.parse(write_fhir_xml(made, WRITTEN))
    assert there.fields["avsender"] == {
        "enhet": "Elvestad", "resh": "7", "behandler": "Lege Prøve", "behandler_hpr": "9144889",
    }  # fmt: skip  # an entry in a line


@pytest.mark.parametrize("round_about", [True, False])
def test_units_of_units_are_left_behind_however_many(round_about: bool) -> None:
    made, many = document(), 3_000
    units: list[Any] = [
        {"resourceType": "Organization", "name": "x", "partOf": {"reference": f"urn:uuid:o{one + 1}"}}
        for one in range(many)
    ]
    units[-1]["partOf"]["reference"] = "urn:uuid:o0" if round_about else "urn:uuid:o"
    made["entry"] += [{"fullUrl": f"urn:uuid:o{n}", "resource": unit} for n, unit in enumerate(units)]
    first(made)["custodian"] = {"reference": "urn:uuid:o0"}

    assert AS_JSON.parse(json.dumps(made).encode()) == AS_JSON.parse(json.dumps(document()).encode())


ROUND = {"resourceType": "PractitionerRole", "id": "r"}


@pytest.mark.parametrize("name", ["organization", "practitioner"])
@pytest.mark.parametrize("of", [("#r",), ("#s", "#r")])
def test_a_role_in_a_role_is_no_author(name: str, of: tuple[str, ...]) -> None:
    roles = [{**ROUND, "id": one, name: {"reference": to}} for one, to in zip(("r", "s"), of, strict=False)]

    found = told(inside(UNIT, DOCTOR, *roles))

    assert (f"entry[0].resource.contained[2].{name}.reference", "reference") in found


def test_who_else_had_to_do_with_it_may_be_contained() -> None:
    made = put(document(), observation(contained=[DOCTOR], performer=[{"reference": "#d"}]))
    put(made, {
        "resourceType": "Condition", "code": {"coding": [{"system": "urn:x", "code": "A"}]},
        "subject": {"reference": "urn:uuid:p"}, "contained": [DOCTOR], "recorder": {"reference": "#d"},
    }, "urn:uuid:y")  # fmt: skip  # an entry in a line

    assert told(made) == []


def test_the_unit_that_refers_may_be_contained() -> None:
    made = json.loads((EXAMPLES / "fhir_tsb/examples/henvisning.json").read_bytes())
    [role] = [e["resource"] for e in made["entry"] if e["resource"]["resourceType"] == "PractitionerRole"]
    [unit] = [e for e in made["entry"] if e["resource"]["resourceType"] == "Organization"]
    as_entry = TSB[0].parse(json.dumps(made).encode())
    made["entry"].remove(unit)
    role["contained"] = [{**unit["resource"], "id": "u"}]
    role["organization"] = {"reference": "#u"}
    models: Models = TSB_MODELS

    assert TSB[0].parse(json.dumps(made).encode()) == as_entry
    assert TSB[1].parse(write_fhir_xml(made, models)) == as_entry


COMPOSITION = "entry[0].resource"
REFUSED: dict[str, tuple[Any, Told]] = {
    "nobody refers to it": (inside(UNIT, DOCTOR, author="#u"), [(f"{COMPOSITION}.contained[1]", "unreached")]),
    "a person": (
        inside(UNIT, {"resourceType": "Patient", "id": "x"}, author="#u"),
        [(f"{COMPOSITION}.contained[1]", "contained")],
    ),
    "the person of the document": (
        (lambda b: (first(b).update(subject={"reference": "#x"}), b)[1])(
            inside(UNIT, {"resourceType": "Patient", "id": "x", "identifier": [NATIONAL]}, author="#u")
        ),
        [(f"{COMPOSITION}.contained[1]", "contained")],
    ),
    "an observation": (
        put(document(), observation(
            contained=[observation(id="m", subject={"reference": "#"})], hasMember=[{"reference": "#m"}])),
        [("entry[3].resource.contained[0]", "contained")],
    ),
    "without an id": (
        inside({k: v for k, v in UNIT.items() if k != "id"}, author="#u"), [(f"{COMPOSITION}.contained[0]", "contained")],
    ),
    "one id twice": (inside(UNIT, UNIT, author="#u"), [(f"{COMPOSITION}.contained[1]", "contained")]),
    "contained in what is contained": (
        inside({**UNIT, "contained": [DOCTOR]}, author="#u"), [(f"{COMPOSITION}.contained[0]", "contained")],
    ),
    "what another resource contains": (
        put(inside(UNIT, author="#u"), observation(performer=[{"reference": "#u"}])),
        [("entry[2].resource.performer[0].reference", "reference")],
    ),
    "the resource itself": (
        inside(UNIT, author="#"), [(f"{COMPOSITION}.author[0].reference", "reference")],
    ),
    "a name that nobody has": (
        inside(UNIT, author="#v"), [(f"{COMPOSITION}.author[0].reference", "reference")],
    ),
    "another kind than an author": (
        inside({"resourceType": "Location", "id": "l", "name": "x"}, author="#l"),
        [(f"{COMPOSITION}.author[0].reference", "reference")],
    ),
    "something nobody reads": (
        inside({**UNIT, "endpoint": [{"reference": "urn:uuid:p"}]}, author="#u"),
        [(f"{COMPOSITION}.contained[0].endpoint", "not-read")],
    ),
    "a label": (
        inside({**UNIT, "meta": {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
                                               "code": "R"}]}}, author="#u"),
        [(f"{COMPOSITION}.contained[0].meta.security[0]", "security-label")],
    ),
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("made", "expected"), REFUSED.values(), ids=REFUSED)
def test_every_other_resource_that_is_contained_is_refused_by_one_finding(made: Any, expected: Told) -> None:
    assert told(made) == expected


def test_an_address_that_looks_like_the_inside_of_a_resource_does_not_reach_it() -> None:
    made = inside(UNIT, author=f"{COMPOSITION}#u")

    assert told(made) == [(f"{COMPOSITION}.author[0].reference", "reference")]


def again(bundle: Any, index: int, **more: Any) -> None:
    entry = copy.deepcopy(bundle["entry"][index])
    entry["resource"].update(more)
    bundle["entry"].append(entry)


ALONE: dict[str, tuple[Change, Told]] = {
    **{
        f"entry {index} twice": (partial(again, index=index), [("entry[4].fullUrl", "unique")])
        for index in range(4)
    },
    "an author of no kind": (
        lambda b: b["entry"][2].update(resource={"resourceType": "Group", "name": "x"}),
        [("entry[2].resource.resourceType", "code")],
    ),
    "a person of no kind": (
        lambda b: b["entry"][1].update(resource={"resourceType": "Group", "name": "x"}),
        [("entry[1].resource.resourceType", "code")],
    ),
    "no first entry": (
        lambda b: b["entry"][0].update(resource={"resourceType": "Group", "type": "person"}),
        [("entry[0].resource.resourceType", "code")],
    ),
    "a person in front": (
        lambda b: b["entry"].insert(0, b["entry"].pop(1)), [("entry[0].resource.resourceType", "code")],
    ),
    "an author that is nowhere": (
        lambda b: first(b)["author"][0].update(reference="urn:uuid:no"),
        [(f"{COMPOSITION}.author[0].reference", "reference")],
    ),
    "a person that is nowhere": (
        lambda b: first(b)["subject"].update(reference="urn:uuid:no"),
        [(f"{COMPOSITION}.subject.reference", "reference")],
    ),
    "a finding of no kind": (
        lambda b: b["entry"][3].update(resource={"resourceType": "Group"}),
        [("entry[3].resource.resourceType", "code")],
    ),
    "an extension of the person": (
        lambda b: b["entry"][1]["resource"].update(extension=[{"url": "urn:x", "valueString": "x"}]),
        [("entry[1].resource.extension[0].url", "extension")],
    ),
    "an extension of the author": (
        lambda b: b["entry"][2]["resource"].update(extension=[{"url": "urn:x", "valueString": "x"}]),
        [("entry[2].resource.extension[0].url", "extension")],
    ),
    "an entry that nothing refers to": (
        lambda b: put(b, {"resourceType": "Organization", "name": "x", "extension": [{"url": "urn:x", "valueCode": "x"}]},
                      "urn:uuid:z", entry=False),
        [("entry[4].resource", "unreached")],
    ),
    "that, and a code that means nothing": (
        lambda b: (put(b, {"resourceType": "Organization", "name": "x"}, "urn:uuid:z", entry=False),
                   first(b).update(status="preliminary")),
        [(f"{COMPOSITION}.status", "value"), ("entry[4].resource", "unreached")],
    ),
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("change", "expected"), ALONE.values(), ids=ALONE)
def test_of_one_fault_the_cause_is_told_and_nothing_that_follows(change: Change, expected: Told) -> None:
    made = put(document(), observation())
    change(made)

    assert told(made) == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kind not in CONTAINABLE", "False"),
        ('inner.has("contained")', "False"),
        ("address in self._by_address\n        ):", "False):"),
        ("if not self._lost and not", "if not"),
        ("& _LOSING", "& set()"),
        ("if not self.is_refused(address, reference.at)", "if True"),
        (
            'return (container.group() if container else "", reference.partition(_HISTORY)[0])',
            'return ("", reference.partition(_HISTORY)[0])',
        ),
    ],
)  # fmt: skip  # one check per line
def test_a_check_that_is_gone_is_noticed(old: str, new: str) -> None:
    cases = [*REFUSED.values(), *((_changed(change), expected) for change, expected in ALONE.values())]
    with mutated(fhir_bundle, old, new):
        noticed = [made for made, expected in cases if _differs(made, expected)]

    assert noticed


def _changed(change: Change) -> Any:
    made = put(document(), observation())
    change(made)
    return made


def _differs(made: Any, expected: Told) -> bool:
    try:
        return told(made) != expected
    except Exception:  # noqa: BLE001  whatever it breaks
        return True
