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
from adapters.kith_epikrise.adapter import ADAPTERS
from hub.errors import HubError
from mappings.types import load_types
from tests.adapters.national import Absent, samples, schemas

FOLDER = Path(adapters.__file__).parent / "kith_epikrise/examples"
BEYOND = frozenset(
    (
        *("msgid-uuid", "person-number-missing", "person-number", "person-number-local"),
        *("person-name-missing", "sender-missing", "receiver-missing", "code", "day", "moment", "empty"),
        *("one-file", "base64"),
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


def _refusal(adapter: Adapter, body: bytes) -> frozenset[str]:
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
        refused = _refusal(adapter, body)
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
