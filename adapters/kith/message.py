"""Understands how a declared KITH message becomes an adapter: how it is recognised, read and written.

    own_root(...) for a message with a `Message` root of its own, in_msghead(...) for one inside MsgHead

The two functions make all an adapter needs; a folder of a message holds its table and one call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from lxml import etree

from adapters.base import Adapter, Sniff, without
from adapters.kith.codes import systems
from adapters.kith.datatypes import OID
from adapters.kith.locating import locate
from adapters.kith.msghead import BASE64_CONTAINER, PREFIXES, ROOT, msghead
from adapters.kith.profile import Profile
from adapters.kith.saying import Saying
from adapters.kith.tables import El, carried
from adapters.kith.texts import say
from adapters.safe_xml import read_xml
from hub.errors import Finding, HubError
from hub.message import Record, walk

MEDIA_TYPES = ("application/xml", "text/xml")


@cache
def deviations() -> Mapping[str, Mapping[str, str]]:
    """What a lenient partner may do, by rule, in both languages."""
    text = Path(__file__).with_name("deviations.yaml").read_text(encoding="utf-8")
    found: Mapping[str, Mapping[str, str]] = yaml.safe_load(text)
    return found


def own_root(
    name: str,
    type_name: str,
    root: El,
    codes: Collection[str],
    prefixes: Mapping[str, str] | None = None,
    loses: Mapping[str, str] | None = None,
) -> Adapter:
    """An adapter for a message with its own root. `codes` are the values of `Type` that it may say of itself;
    where that says no code, the namespace alone tells."""
    profile = Profile(root, prefixes or {})

    def recognise(sniff: Sniff) -> bool:
        if sniff.root != root.tag or sniff.tree is None:
            return False
        said = sniff.tree.find(f"{{{root.ns}}}Type")
        code, words = ("", "") if said is None else ((said.get(name) or "").strip() for name in ("V", "DN"))
        return code in codes or not (code or words)

    return _adapter(name, type_name, profile, recognise, loses or {})


def in_msghead(
    name: str,
    type_name: str,
    codes: Collection[str],
    payload: El,
    *more: El,
    envelope: El | None = None,
    loses: Mapping[str, str] | None = None,
) -> Adapter:
    """An adapter for a message inside MsgHead. Recognised by the root of the content and MsgInfo/Type; the
    first of `codes` is written, unless an `envelope` of `msghead()` says otherwise."""
    first, *others = codes
    profile = Profile(envelope or msghead(first, payload, *more, others=tuple(others)), PREFIXES)

    def recognise(sniff: Sniff) -> bool:
        if sniff.root != ROOT or sniff.tree is None:
            return False
        return message_type(sniff.tree) in codes and payload.tag in contents(sniff.tree)

    return _adapter(name, type_name, profile, recognise, loses or {})


def alone(adapter: Adapter, *payload: El) -> Adapter:
    """The same adapter, which does not recognise a message with documents of other standards beside its own
    and attachments: it would lose them."""
    own = {*(one.tag for one in payload), f"{{{BASE64_CONTAINER}}}Base64Container"}

    def recognise(sniff: Sniff) -> bool:
        return adapter.recognise(sniff) and sniff.tree is not None and contents(sniff.tree) <= own

    return replace(adapter, recognise=recognise)


def wrapped(
    name: str, inner: Adapter, root: El, render: Callable[[Adapter], Adapter] = lambda adapter: adapter
) -> Adapter:
    """An adapter for what `inner` reads inside another root element, with `root` as the whole table. `render`
    is what a format lets nobody write."""
    assert isinstance(inner.profile, Profile)
    content = inner.profile.root.tag

    def recognise(sniff: Sniff) -> bool:
        if sniff.root != root.tag or sniff.tree is None:
            return False
        found = list(sniff.tree.iterchildren(content))
        return len(found) == 1 and inner.recognise(replace(sniff, root=content, tree=found[0]))

    profile = Profile(root, {name: ns for name, ns in inner.profile.prefixes.items() if name})
    return render(_adapter(name, inner.type, profile, recognise, inner.loses))


def losses(name: str, mine: El, *others: El) -> Mapping[str, str]:
    """The fields that other messages of the type carry and this one has no element for."""
    fields = frozenset[str]().union(*map(carried, others)) - carried(mine)
    return dict.fromkeys(sorted(fields), f"{name} has no element for it")


def message_type(root: etree._Element) -> str:
    """MsgInfo/Type of a MsgHead."""
    said = root.find("{*}MsgInfo/{*}Type")
    return "" if said is None else (said.get("V") or "").strip()


def contents(root: etree._Element) -> frozenset[str]:
    """The roots of what a MsgHead carries."""
    return frozenset(str(item.tag) for item in root.iterfind("{*}Document/{*}RefDoc/{*}Content/*"))


def _lost(
    there: Mapping[str, Any], given: Mapping[str, Any], said: Callable[[], Mapping[str, Any]]
) -> list[str]:
    """The paths of what was given, in the message's own words, and is not there."""
    if there == given or there == (as_said := said()):
        return []
    found = dict(walk(there))
    return [path for path, value in walk(as_said) if found.get(path) != value]


def _by_oid(value: Any) -> Any:
    """With each code system named by its OID, where other formats have a URI for it."""
    if isinstance(value, Mapping):
        return {
            name: f"{OID}{systems()[inside]}" if name == "system" and inside in systems() else _by_oid(inside)
            for name, inside in value.items()
        }
    return [_by_oid(inside) for inside in value] if isinstance(value, list) else value


def _adapter(
    name: str, type_name: str, profile: Profile, recognise: Callable[[Sniff], bool], loses: Mapping[str, str]
) -> Adapter:
    saying = Saying(profile.root)

    def as_said(record: Record) -> Record:
        return Record(record.type, {name: _by_oid(value) for name, value in saying(record.fields).items()})

    def parse(body: bytes) -> Record:
        return Record(type_name, profile.parse(read_xml(body), body))

    def read(body: bytes, lenient: Collection[str]) -> tuple[Record, tuple[Finding, ...]]:
        reading = profile.read(read_xml(body), body, lenient)
        if reading.refused:
            raise HubError("parse.invalid", reading.refused)
        return Record(type_name, reading.fields), reading.let_through

    def render(record: Record) -> bytes:
        if record.type != type_name:
            raise HubError("render.incomplete")
        fields: Mapping[str, Any] = record.fields
        tree = profile.tree(fields)
        body = profile.written(tree)
        read_again = profile.read(tree, body)
        if read_again.refused:  # the schema is narrower than the type: nobody could read what was written
            raise HubError("render.incomplete", read_again.refused)
        if lost := _lost(read_again.fields, fields, lambda: as_said(without(record, loses)).fields):
            said_so = say("unsaid")
            found = [Finding(path, said_so.rule, said_so.en, nb=said_so.nb) for path in lost]
            raise HubError("render.incomplete", found)
        return body

    def located(body: bytes, found: Iterable[Finding]) -> list[Finding]:
        return locate(profile.root, body, found)

    def partly(body: bytes) -> Record:
        return Record(type_name, profile.read(read_xml(body), body).fields)

    return Adapter(
        name,
        type_name,
        MEDIA_TYPES,
        recognise,
        parse,
        render,
        lenient=read,
        profile=profile,
        loses=loses,
        addressed=True,
        national=True,
        as_said=as_said,
        yields=saying.yields,
        locate=located,
        partly=partly,
    )
