"""Understands what to say of a sound MsgHead that nobody here reads: which content is not read, and where.

`unread.csv` holds the names of the national standards' own roots. A content of another name is told by its
place alone: a name may be the sender's own words.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

from lxml import etree

from adapters.base import Adapter
from adapters.kith.msghead import ROOT
from adapters.kith.places import fault_at
from adapters.kith.profile import Profile
from adapters.kith.tables import El, OneOf
from adapters.kith.texts import say
from adapters.safe_xml import positions
from hub.errors import Finding


@cache
def _known() -> Collection[str]:
    with Path(__file__).with_name("unread.csv").open(encoding="utf-8", newline="") as file:
        return frozenset(row["content"] for row in csv.DictReader(file))


def roots_read(adapters: Collection[Adapter]) -> frozenset[str]:
    """The roots, by Clark name, that some of these adapters read as content of a MsgHead."""
    tables = (one.profile.root for one in adapters if isinstance(one.profile, Profile))
    return frozenset(tag for root in tables for tag in _contents(root))


def _contents(row: El) -> Iterator[str]:
    for below in row.rows:
        for member in below.rows if isinstance(below, OneOf) else (below,):
            yield from (tag for tag in member.slots) if member.name == "Content" else _contents(member)


def unread(root: etree._Element, body: bytes, read: Collection[str]) -> tuple[Finding, ...]:
    """Each content of a MsgHead, alone or wrapped, that is none of `read`, by line and column. Where all are,
    they are not read together or under this type: then the type is told. Empty for what is no MsgHead."""
    head = root if root.tag == ROOT else root.find(ROOT)
    if head is None:
        return ()
    where = dict(zip(root.iter(), positions(body), strict=True))
    before = "" if head is root else f"/{etree.QName(root).localname}"
    found = []
    for number, document in enumerate(head.iterchildren("{*}Document"), 1):
        for content in document.iterfind("{*}RefDoc/{*}Content/*"):
            if content.tag not in read:
                name = etree.QName(content).localname
                said = say("content-named", name) if name in _known() else say("content")
                at = f"{before}/MsgHead/Document[{number}]/RefDoc/Content/{name if name in _known() else '?'}"
                found.append(fault_at(where, content, at, said))
    kind = head.find("{*}MsgInfo/{*}Type")
    if not found:
        element = head if kind is None else kind
        found = [fault_at(where, element, f"{before}/MsgHead/MsgInfo/Type", say("content-type"))]
    return tuple(found)
