"""Understands that every field of a declared KITH message is written and read again, and every element is
accounted for: carried by a field of its type, or dropped for a reason, as the national schema has it."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest
from lxml import etree

from adapters.base import Adapter
from adapters.kith.msghead import MH
from adapters.kith.profile import Profile
from adapters.kith.tables import El, OneOf, everything
from adapters.registry import ADAPTERS
from adapters.safe_xml import read_xml
from hub.message import Record, walk
from mappings.types import load_types
from tests.adapters.national import Absent, schemas
from tests.adapters.national_trees import differences
from tests.adapters.test_kith_against_schemas import BEYOND, SPOILS, refusal
from tests.adapters.whole_records import whole_records

TYPES = load_types()
DECLARED = {
    adapter.name: adapter
    for adapter in ADAPTERS
    if isinstance(adapter.profile, Profile) and adapter.type != "epikrise"
}
"""All but the epikrise, which has more rules than its table and tests of its own (test_kith_epikrise.py)."""
TRIES = 5
_BEYOND = {"kvittering": frozenset(("fixed",))}  # the schema lets a receipt leave out which version it is
_WILDCARD = frozenset(("missing",))  # the schema of NAV's wrapper demands nothing
_INDEX = re.compile(r"\[\d+\]")
each = pytest.mark.parametrize("adapter", DECLARED.values(), ids=DECLARED)


def root_of(adapter: Adapter) -> El:
    assert isinstance(adapter.profile, Profile)
    return adapter.profile.root


def payload_of(adapter: Adapter) -> El:
    """The root of the content; of a message with a root of its own, the message."""
    root = root_of(adapter)
    if root.name == "EI_fellesformat":
        assert isinstance(root.rows[0], El)
        root = root.rows[0]
    if root.ns != MH:
        return root
    document = next(row for row in root.rows if isinstance(row, El) and row.name == "Document")
    content = next(row for row in document.rows if isinstance(row, El) and row.name == "RefDoc").rows[-1]
    assert isinstance(content, El)
    assert isinstance(content.rows[0], El)
    return content.rows[0]


def _of_wrapper(adapter: Adapter) -> frozenset[str]:
    return _WILDCARD if root_of(adapter).name == "EI_fellesformat" else frozenset()


def _beyond(adapter: Adapter, root: etree._Element) -> frozenset[str]:
    """Rules besides; the schema of a calendar lets any property of its own stand there, and a MsgHead needs
    no document of this kind."""
    calendar = frozenset(("unknown-element",) if root.find(".//{*}icalendar") is not None else ())
    other = frozenset(("missing",) if next(root.iter(payload_of(adapter).tag), None) is None else ())
    return _BEYOND.get(adapter.type, frozenset()) | _of_wrapper(adapter) | calendar | other


def fields_of(adapter: Adapter) -> set[str]:
    return {one.field for one in everything(root_of(adapter)) if one.field}


@each
def test_every_field_is_written_and_read_again(adapter: Adapter) -> None:
    spec, seen = TYPES[adapter.type], set[str]()
    for fields in whole_records(root_of(adapter), spec):
        assert spec.check(fields) == ()
        seen |= {_INDEX.sub("", path) for path, _ in walk(fields)}

        assert dict(walk(adapter.parse(adapter.render(Record(adapter.type, fields))).fields)) == dict(
            walk(fields)
        )

    numbers_of_nobody = {"avsender.enhet_orgnr", "mottaker.enhet_orgnr"} & fields_of(adapter)
    assert fields_of(adapter) - seen == numbers_of_nobody


@each
def test_every_element_has_a_field_of_the_type_or_a_reason(adapter: Adapter) -> None:
    assert fields_of(adapter) <= set(TYPES[adapter.type].by_path)
    silent = [one.path for one in everything(payload_of(adapter)) if not one.field and len(one.why) < 15]
    assert silent == []


@each
def test_what_one_version_has_no_place_for_is_said(adapter: Adapter) -> None:
    scalars = {spec.path for spec in TYPES[adapter.type].scalars}

    assert scalars - fields_of(adapter) == set(adapter.loses)


@each
def test_the_table_is_the_national_schema(adapter: Adapter, absent_reference: Absent) -> None:
    if schemas(len(DECLARED), absent_reference) is None:
        return
    payload = payload_of(adapter)

    assert differences(payload) == []
    first = payload.rows[0]
    assert isinstance(first, El)
    changed = replace(payload, rows=(replace(first, least=1 - first.least), *payload.rows[1:]))
    assert len(differences(changed)) == 1
    assert len(differences(replace(payload, rows=payload.rows[1:]))) == 1


@each
def test_all_that_can_be_written_is_valid_by_the_national_schemas(
    adapter: Adapter, absent_reference: Absent
) -> None:
    national = schemas(len(DECLARED), absent_reference)
    if national is None:
        return
    for fields in whole_records(root_of(adapter), TYPES[adapter.type]):
        body = adapter.render(Record(adapter.type, fields))

        assert national.findings(read_xml(body), body) == ()


def test_choices_are_found() -> None:
    """So that the records above hold each alternative."""
    found = [row for adapter in DECLARED.values() for row in payload_of(adapter).rows]

    assert any(isinstance(row, OneOf) for row in found)


@each
def test_the_table_and_the_national_schema_agree_about_spoilt_documents(
    adapter: Adapter, absent_reference: Absent
) -> None:
    national = schemas(len(DECLARED) * len(SPOILS) * TRIES, absent_reference)
    if national is None:
        return
    spec, parser = TYPES[adapter.type], etree.XMLParser(remove_comments=True)
    whole = [adapter.render(Record(adapter.type, fields)) for fields in whole_records(root_of(adapter), spec)]
    differing: list[str] = []
    for name, spoil in SPOILS.items():
        dice = random.Random(f"{adapter.name} {name}")
        for _ in range(TRIES):
            root = etree.fromstring(dice.choice(whole), parser)
            spoil(dice, root)
            body = etree.tostring(root, encoding="UTF-8")
            rules = refusal(adapter, body)
            if national.findings(read_xml(body), body):
                differing += [f"{name}: taken although invalid"] * (not rules - (BEYOND - {"one-file"}))
            elif not rules:
                written = adapter.render(adapter.parse(body))
                differing += [f"{name}: not valid again"] * bool(
                    national.findings(read_xml(written), written)
                )
            elif rules - BEYOND - _beyond(adapter, root):
                differing.append(f"{name}: refused although valid, {sorted(rules)}")

    assert differing == []
