"""Understands the appointments beside a Dialogmelding: iCalendar as XML, as services for citizens use it.

Carried: when, where, what, with whom, and which referral or earlier appointment it belongs to. A time with no
zone is Norwegian time, and is written so. Rules of repetition, alarms of other kinds and time zones of their
own would change when something is: a calendar that holds them is refused. It must not know any message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from lxml import etree

from adapters.kith.datatypes import DATE, DATETIME, OPAQUE, ST, ZONE, Datatype, Fault, Parts
from adapters.kith.tables import MANY, El, Row, group, leaf, one_of, within
from adapters.kith.texts import say

NS = "urn:ietf:params:xml:ns:icalendar-2.0"
ROOT = f"{{{NS}}}icalendar"
MAKER = "Brobygger"

_CONTACT = "the directory has the contact data of its parties"
_WRITTEN = "when and how often somebody's calendar wrote it says nothing of the appointment"
_ALARM = "an alarm is for whoever set it"
_CANCELLED = (
    "Avlyst av tjeneste",
    "Avlyst - ikke hjemme",
    "Avlyst av tjenestemottaker selv",
    "Avlyst på vegne av tjenestemottaker",
)
_ZONE = re.compile(r"[+-][0-9]{2}:[0-9]{2}$", re.ASCII)
_DURATION = re.compile(
    r"[+-]?P([0-9]+Y)?([0-9]+M)?([0-9]+D)?T?([0-9]+H)?([0-9]+M)?([0-9]+S)?|[0-9]+W", re.ASCII
)


def _read_moment(element: etree._Element) -> tuple[Parts, list[Fault]]:
    """Without a zone, or in UTC."""
    said = (element.text or "").strip()
    return ({}, [say("datetime")]) if _ZONE.search(said) else DATETIME.read(element)


def _write_moment(element: etree._Element, parts: Mapping[str, object]) -> None:
    """As the clock in Norway shows it; in UTC where that could mean two moments, or if it came so."""
    said = str(parts["at"])
    moment = datetime.fromisoformat(said)
    there = moment.astimezone(ZONE).replace(tzinfo=None)
    if said.endswith("Z") or there.replace(tzinfo=ZONE).astimezone(UTC) != moment:
        element.text = moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    else:
        element.text = there.isoformat()


MOMENT = replace(DATETIME, name="date-time", read=_read_moment, write=_write_moment)


def _only(name: str, allowed: re.Pattern[str] | tuple[str, ...], rule: str) -> Datatype:
    def read(element: etree._Element) -> tuple[Parts, list[Fault]]:
        said = element.text or ""
        fits = said in allowed if isinstance(allowed, tuple) else bool(allowed.fullmatch(said))
        names = allowed if isinstance(allowed, tuple) else ()
        return ({"text": said}, []) if fits else ({}, [say(rule, *names)])

    return replace(ST, name=name, read=read)


def _text(name: str, field: str) -> El:
    return group(name, leaf("text", ST, to={"lines": field}), least=0)


def _when(name: str, field: str) -> El:
    day = leaf("date", DATE, to=f"{field}_dag")
    return group(name, one_of(leaf("date-time", MOMENT, to=field), day), least=0)


def _who(name: str, into: str, most: int = 1) -> El:
    """Somebody by name; the address is left behind, and stands empty where the schema demands one."""
    name_ = group("cn", leaf("text", ST, to={"lines": "navn"}), least=0)
    called = group("parameters", name_, any_order=True, least=0)
    address = leaf("cal-address", ST, blank=True, why=_CONTACT)
    return group(name, called, address, least=0, most=most, into=into)


def _left(name: str) -> El:
    return leaf(name, OPAQUE, 0, MANY, why=_WRITTEN)


def _event() -> El:
    properties: tuple[Row, ...] = (
        _when("dtstart", "start"),
        _when("dtend", "slutt"),
        _text("uid", "id"),
        group(
            "related-to",
            one_of(leaf("uri", ST, to="id"), leaf("uid", ST, to="id"), leaf("text", ST, to="id")),
            least=0,
            most=MANY,
            into="gjelder",
        ),
        group("contact", leaf("text", ST, to={"lines": "id"}), least=0, most=MANY, into="kontakter"),
        _text("status", "status"),
        _text("summary", "tittel"),
        _text("description", "beskrivelse"),
        _text("location", "sted"),
        _who("organizer", "arrangor"),
        _who("attendee", "deltakere", MANY),
        group(
            "categories",
            leaf("text", ST, 1, MANY, to={"lines": "ord"}),
            least=0,
            most=MANY,
            into="kategorier",
        ),
        group("x-available-at", leaf("date-time", MOMENT, to="ledig_fra"), least=0),
        _text("x-referral-id", "henvisning"),
        group(
            "x-cancellation-reason",
            leaf("text", _only("reason", _CANCELLED, "code"), to="avlysning"),
            least=0,
        ),
        group(
            "x-expected-duration",
            leaf("duration", _only("duration", _DURATION, "duration"), to="varighet"),
            least=0,
        ),
        _left("dtstamp"),
        _left("created"),
        _left("last-modified"),
        _left("sequence"),
    )  # one row per entry # fmt: skip
    return group(
        "vevent",
        group("properties", *properties, any_order=True, least=0),
        group("components", leaf("valarm", OPAQUE, 0, MANY, why=_ALARM)),
        least=0,
        most=MANY,
        into="/timer",
    )


def calendar() -> El:
    """The root element of the content, with each appointment of each calendar in `timer`."""
    version = group("version", leaf("text", ST, value="2.0"))
    maker = group("prodid", leaf("text", ST, default=MAKER, why="which program wrote it says nothing"))
    about = group("properties", version, maker, any_order=True)
    one = group("vcalendar", about, group("components", _event()), most=MANY)
    return within(NS, group("icalendar", one, most=MANY))
