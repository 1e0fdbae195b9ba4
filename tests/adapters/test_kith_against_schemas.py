"""Understands that our tables and the national schemas give the same answer about spoilt documents."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

import adapters
from adapters.base import Adapter
from adapters.kith.profile import Profile
from adapters.kith.tables import El, OneOf
from adapters.kith_epikrise.adapter import ADAPTERS
from hub.errors import HubError
from mappings.types import load_types
from tests.adapters.national import Absent, samples, schemas

FOLDER = Path(adapters.__file__).parent / "kith_epikrise/examples"
BEYOND = frozenset(
    (
        *("msgid-uuid", "person-number-missing", "person-number", "person-number-local"),
        *("person-name-missing", "sender-missing", "receiver-missing", "code", "day", "moment", "empty"),
        *(
            "one-file",
            "base64",
            "once",
            "other-professional",
            "part-missing",
            "annotation",
            "person-number-two",
        ),
    )
)
"""Rules that no schema knows, or that libxml2 is lax about: base64 without its padding."""
EPIKRISE = load_types()["epikrise"]
TRIES = 120
XHTML = "{http://www.w3.org/1999/xhtml}"

Spoil = Callable[[random.Random, etree._Element], None]


def _parent(item: etree._Element) -> etree._Element:
    parent = item.getparent()
    assert parent is not None
    return parent


def _any(dice: random.Random, root: etree._Element) -> etree._Element:
    return dice.choice([item for item in root.iterdescendants() if not str(item.tag).startswith(XHTML)])


def _drop(dice: random.Random, root: etree._Element) -> None:
    item = _any(dice, root)
    _parent(item).remove(item)


def _twice(dice: random.Random, root: etree._Element) -> None:
    item = _any(dice, root)
    item.addnext(copy.deepcopy(item))


def _swap(dice: random.Random, root: etree._Element) -> None:
    item = _any(dice, root)
    if (after := item.getnext()) is not None:
        after.addnext(item)


def _move(dice: random.Random, root: etree._Element) -> None:
    item, there = _any(dice, root), _any(dice, root)
    if item not in there.iterancestors() and item is not there:
        there.addnext(copy.deepcopy(item))


def _rename(dice: random.Random, root: etree._Element) -> None:
    _any(dice, root).tag = _any(dice, root).tag


def _attribute(dice: random.Random, root: etree._Element) -> None:
    item = _any(dice, root)
    name = dice.choice(["V", "S", "DN", "OT", "U", "X"])
    values = ["", "2030-01-02", "2030-1-2", "2030-01-02T03:04", "2030-01-02T03:04:05Z", "2030", "2030-13"]
    item.set(
        name, dice.choice([*values, "1.5", "1,5", "1e3", "INF", "2.16.578", "2..1", "true", "a b", " 12 "])
    )


def _bare(dice: random.Random, root: etree._Element) -> None:
    item = _any(dice, root)
    item.attrib.clear()
    item.text = None


def _empty(dice: random.Random, root: etree._Element) -> None:
    item = _any(dice, root)
    for child in list(item):
        item.remove(child)


def _text(dice: random.Random, root: etree._Element) -> None:
    _any(dice, root).text = dice.choice(["x", "17", "  ", "2030-01-02"])


SPOILS: dict[str, Spoil] = {
    "drop": _drop,
    "twice": _twice,
    "swap": _swap,
    "move": _move,
    "rename": _rename,
    "attribute": _attribute,
    "bare": _bare,
    "empty": _empty,
    "text": _text,
}


def refusal(adapter: Adapter, body: bytes) -> frozenset[str]:
    """The rules that a body breaks."""
    try:
        adapter.parse(body)
    except HubError as refused:
        return frozenset(finding.rule for finding in refused.findings) or frozenset({refused.code})
    return frozenset()


@pytest.mark.parametrize("name", sorted(SPOILS))
@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda a: a.name)
def test_our_tables_and_the_national_schema_agree(
    adapter: Adapter, name: str, absent_reference: Absent
) -> None:
    national = schemas(TRIES, absent_reference)
    if national is None:
        return
    dice = random.Random(f"{adapter.name} {name}")
    version = adapter.name[-3:]
    files = samples(f"sarepta-standarder/eksempel/Epikrise/**/*v{version}_n.xml", 1, absent_reference)
    bodies = [file.read_bytes() for file in [FOLDER / f"epikrise-{version}.xml", *files]]
    parser = etree.XMLParser(remove_comments=True)
    differing: list[tuple[int, str]] = []
    for number in range(TRIES):
        root = etree.fromstring(dice.choice(bodies), parser)
        SPOILS[name](dice, root)
        body = etree.tostring(root)
        refused = refusal(adapter, body)
        if national.findings(etree.fromstring(body), body):
            if not refused - (BEYOND - {"one-file"}):
                differing.append((number, "taken although invalid"))
        elif refused - BEYOND:
            differing.append((number, "refused although valid"))
        elif not refused:
            record = adapter.parse(body)
            written = adapter.render(record)
            if adapter.parse(written) != record:
                differing.append((number, "read otherwise"))
            if EPIKRISE.check(record.fields) or national.findings(etree.fromstring(written), written):
                differing.append((number, "fits not"))

    assert differing == []


# -- and about a document that holds every element that the table has --

VALUES = {
    "CS": {"V": "X", "DN": "x"},
    "CV": {"V": "J45", "S": "2.16.578.1.12.4.1.1.7110", "DN": "x", "OT": "y"},
    "TS": {"V": "2030-01-02T03:04:05"},
    "PQ": {"V": "1.5", "U": "mg"},
    "URL": {"V": "tel:12345678"},
}
TEXTS = {"ST": "x", "anyType": "x", "integer": "1", "base64Binary": "aGVp"}
STEERING = {
    "MsgId": "0d6f7c58-2a41-4b7e-9a53-5d1f6f2f9c10",
    "OffId": "15859010099",
    "TypeOffId": "FNR",
    "ServType": "N",
    "Form": "53",
    "RouteOfAdm": "53",
}
"""Values that rules look at, by the name of the element."""


def whole(row: El, choice: int, inside: int = 0) -> etree._Element:
    """An element with every row once, of each choice one; a row that may repeat stands twice. `inside`: how
    deep in an event that is inside another; no further one stands there."""
    element = etree.Element(row.tag)
    if row.type is not None:
        said = STEERING.get(row.name) or row.default.get(row.type.main)
        attributes = VALUES.get(row.type.name, {})
        for name, value in attributes.items():
            element.set(name, said if said and name == "V" else value)
        if not attributes:
            element.text = said or TEXTS[row.type.name]
        return element
    for below in row.rows:
        member = below.rows[choice % len(below.rows)] if isinstance(below, OneOf) else below
        if member.name == "Base64Container" and len(element):
            continue
        if member.elsewhere and inside:
            continue
        if row.slots[member.tag].most == 1 and element.find(member.tag) is not None:
            continue
        for _ in range(2 if member.most > 1 and member.name not in ("Event", "Address") else 1):
            deeper = inside + (member.elsewhere or inside > 0)
            element.append(_asked(whole(member, choice, deeper), member))
    return element


def _asked(element: etree._Element, row: El) -> etree._Element:
    """What tells a row from others of its name."""
    for condition in row.when:
        path, _, values = condition.partition("=")
        steps, _, attribute = path.partition("@")
        there = element.find("/".join(f"{{*}}{step}" for step in steps.split("/"))) if steps else element
        if values and attribute and there is not None:
            there.set(attribute, values.split("|")[0])
    return element


@pytest.mark.parametrize("choice", range(4))
@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda a: a.name)
def test_a_document_with_every_element_is_valid_and_survives(
    adapter: Adapter, choice: int, absent_reference: Absent
) -> None:
    assert isinstance(adapter.profile, Profile)
    # The schema of 1.1 has a key that no event inside an event can fulfil.
    body = etree.tostring(whole(adapter.profile.root, choice, inside=adapter.name.endswith("1.1")))
    record = adapter.parse(body)
    written = adapter.render(record)

    assert adapter.parse(written) == record
    assert EPIKRISE.check(record.fields) == ()
    if (national := schemas(2, absent_reference)) is not None:
        assert national.findings(etree.fromstring(body), body) == ()
        assert national.findings(etree.fromstring(written), written) == ()
