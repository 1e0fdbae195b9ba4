"""Understands what to say of a sound message that nobody here reads: which content of a MsgHead is not read,
and where, or that the wrapper around a message is not.

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


def _contents(row: El) -> Iterator[str]:
    for below in row.rows:
        for member in below.rows if isinstance(below, OneOf) else (below,):
            yield from (tag for tag in member.slots) if member.name == "Content" else _contents(member)


def unread(root: etree._Element, body: bytes, adapters: Collection[Adapter]) -> tuple[Finding, ...]:
    """A wrapper that none of these adapters reads, around a message that one might. Or each content of a
    MsgHead, alone or wrapped, that none reads, by line and column; where all are, they are not read together
    or under this type: then the type is told. Empty for what is no MsgHead."""
    tables = [one.profile.root for one in adapters if isinstance(one.profile, Profile)]
    heads = {table.tag for table in tables}
    wrappers = {table.tag for table in tables if not heads.isdisjoint(table.slots)}
    bare = heads - wrappers
    if root.tag not in heads and bare and next(root.iter(*bare), None) is not None:
        return (_wrapper(root, body, wrappers),)
    head = root if root.tag == ROOT else root.find(ROOT)
    read = frozenset(tag for table in tables for tag in _contents(table))
    return () if head is None else _unread(root, head, body, read)


def _wrapper(root: etree._Element, body: bytes, wrappers: Collection[str]) -> Finding:
    read = [etree.QName(tag) for tag in sorted(wrappers)]
    name = etree.QName(root).localname
    at = name if name in [one.localname for one in read] else "?"
    said = say("wrapper", *(f"{one.localname} ({one.namespace})" for one in read))
    return fault_at({root: positions(body)[0]}, root, f"/{at}", said)


def _unread(
    root: etree._Element, head: etree._Element, body: bytes, read: Collection[str]
) -> tuple[Finding, ...]:
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
