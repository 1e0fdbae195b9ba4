"""Understands what of a KITH message a receipt must name: its id, type and time, who sent it and to whom.

Read by tables of their own, which take what they find and see no fault: a message that is refused must be
answered, too. `forms.csv` says for each format which AppRec answers it (HITS 1168:2016), and for messages
with a root of their own where the parties stand. It must not know what the answer is.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from adapters.apprec.table import hcp
from adapters.kith.codes import lists
from adapters.kith.datatypes import CS, DATETIME, ST, TS
from adapters.kith.message import contents
from adapters.kith.msghead import MH, ROOT, ident, professional
from adapters.kith.profile import Profile
from adapters.kith.tables import MANY, El, group, leaf, within
from adapters.nav.fellesformat import ROOT as FELLESFORMAT
from adapters.safe_xml import read_xml
from hub.errors import HubError

Party = Mapping[str, str]
"""One party by the fields of a receipt's `avsender`, and `orgnr`."""

NEWEST = "1.1"
_WHY = "not named in a receipt"


@dataclass(frozen=True)
class Form:
    """One row of forms.csv. `type` is what a message that does not say it is."""

    namespace: str
    apprec: str
    type: str
    holder: str
    sender: str
    receiver: str


@dataclass(frozen=True)
class Receiver:
    """One receiver of a message: its party, and the role that the message gives it (8112)."""

    party: Party
    role: str = "PRIM"


@dataclass(frozen=True)
class Head:
    """What could be read. `form` is None for a format that nobody knows. Nothing here is validated."""

    form: Form | None = None
    id: str | None = None
    type: str | None = None
    type_text: str | None = None
    made: str | None = None
    sender: Party | None = None
    receivers: tuple[Receiver, ...] = field(default=())

    @property
    def apprec(self) -> str:
        return self.form.apprec if self.form else NEWEST


def head(body: bytes) -> Head:
    """The head of a message, as far as it can be read; never raises."""
    try:
        root = read_xml(body)
    except HubError:
        return _broken(body.decode("utf-8", errors="replace"))
    if root.tag == FELLESFORMAT and (inside := root.find(ROOT)) is not None:
        root, body = inside, etree.tostring(inside, encoding="utf-8", with_tail=False)
    if root.tag == ROOT:
        return _of_msghead(root, body)
    form = form_of([etree.QName(root).namespace or ""])
    if form is None or not form.holder or etree.QName(root).localname != "Message":
        return Head(form)
    fields = _own_root(form).read(root, body).fields
    copies = tuple(Receiver(_party(one), "COP") for one in fields.get("andre", ()))
    return _head(form, fields, copies)


def form_of(namespaces: Iterable[str]) -> Form | None:
    """The form of the first namespace that has one."""
    for namespace in namespaces:
        for form in _forms():
            if fnmatchcase(namespace, form.namespace):
                return form
    return None


@cache
def _forms() -> tuple[Form, ...]:
    lines = Path(__file__).with_name("forms.csv").read_text(encoding="utf-8").splitlines()
    return tuple(Form(**row) for row in csv.DictReader(lines))


def _of_msghead(root: etree._Element, body: bytes) -> Head:
    form = form_of(etree.QName(tag).namespace or "" for tag in sorted(contents(root)))
    fields = _msghead().read(root, body).fields
    others = (Receiver(_party(one), str(one.get("rolle", ""))) for one in fields.get("andre", ()))
    return _head(form, fields, tuple(others))


def _head(form: Form | None, fields: Mapping[str, Any], others: tuple[Receiver, ...]) -> Head:
    primary = (Receiver(_party(fields["mottaker"])),) if "mottaker" in fields else ()
    return Head(
        form,
        fields.get("id"),
        fields.get("type") or (form.type if form else None) or None,
        fields.get("type_tekst"),
        fields.get("sendt"),
        _party(fields["avsender"]) if "avsender" in fields else None,
        primary + others,
    )


def _party(fields: Mapping[str, Any]) -> Party:
    return {name: str(value) for name, value in fields.items() if name != "rolle"}


# -- where it stands --


@cache
def _msghead() -> Profile:
    info = group(
        "MsgInfo",
        leaf("Type", CS, to={"V": "type", "DN": "type_tekst"}),
        leaf("GenDate", DATETIME, to="sendt"),
        leaf("MsgId", ST, to="id"),
        group("Sender", _organisation(), into="avsender"),
        group("Receiver", _organisation(), into="mottaker"),
        group(
            "OtherReceiver",
            leaf("RoleReceiver", CS, to="rolle"),
            _organisation(),
            least=0,
            most=MANY,
            into="andre",
        ),
    )
    return Profile(within(MH, group("MsgHead", info)))


def _organisation() -> El:
    units = {
        "avdeling_her": ("HER", "9051"),
        "avdeling_resh": ("RSH", "9051"),
        "avdeling_orgnr": ("ENH", "9051"),
    }
    return group(
        "Organisation",
        leaf("OrganisationName", ST, to="enhet"),
        *ident("", {"her": ("HER", "9051"), "resh": ("RSH", "9051"), "orgnr": ("ENH", "9051")}, why=_WHY),
        group(
            "Organisation",
            leaf("OrganisationName", ST, to="avdeling"),
            *ident("", units, why=_WHY),
            professional("", "behandler"),
            least=0,
        ),
        professional("", "behandler", ("avdeling", *units)),
    )


@cache
def _own_root(form: Form) -> Profile:
    holder = group(
        form.holder,
        group(form.sender, hcp("orgnr"), into="avsender"),
        group("CopyDest", hcp("orgnr"), least=0, most=MANY, into="andre"),
        group(form.receiver, hcp("orgnr"), into="mottaker"),
    )
    return Profile(
        within(
            form.namespace,
            group(
                "Message",
                leaf("Type", CS, 0, to={"V": "type", "DN": "type_tekst"}),
                leaf("GenDate", TS, to={"at": "sendt"}),
                leaf("MsgId", ST, to="id"),
                holder,
            ),
        )
    )


# -- what is no XML --

_ID = re.compile(r"<(?:[\w.-]{1,40}:)?MsgId\s*>\s*([!#-%(-;=?-\[\]-~]{1,100})\s*<")
_TYPE = re.compile(r"<(?:[\w.-]{1,40}:)?Type\s{1,9}V\s?=\s?[\"']([A-Z_0-9]{1,60})[\"']")
_NAMESPACE = re.compile(r"xmlns(?::[\w.-]{1,40})?\s?=\s?[\"']([^\"'<>]{1,200})[\"']")


def _broken(text: str) -> Head:
    """Without the id its sender cannot tell which message was refused, so it is looked for in the text."""
    number, kind = _ID.search(text), _TYPE.search(text)
    form = form_of(_NAMESPACE.findall(text))
    known = kind is not None and kind.group(1) in lists()["8279"]
    return Head(
        form,
        number.group(1) if number else None,
        kind.group(1) if kind and known else (form.type if form else None) or None,
    )
