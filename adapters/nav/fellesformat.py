"""Understands NAV's wrapper, which its receiver puts around a message before it goes on inside NAV.

Wire:   root EI_fellesformat of http://www.nav.no/xml/eiff/2/ around a message and MottakenhetBlokk.
Units:  a time without a zone is Norwegian time.
Quirks: in any order; who sends to NAV never writes it; the ebXML names of the sending are attributes.
Agreed: ../nav_dialog/README.md.

What the block says is of one receiving. None of it is carried: a message that goes on is another sending,
and gets names that follow from what it asks or answers. It must not know any message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from lxml import etree

from adapters.kith.datatypes import DATETIME, INTEGER, ST, Datatype, Fault, Parts
from adapters.kith.tables import MANY, Attribute, El, group, within
from adapters.kith.texts import say

EIFF = "http://www.nav.no/xml/eiff/2/"
ROOT = f"{{{EIFF}}}EI_fellesformat"

_RECEIVING = "about this receiving at NAV only; what goes on is another sending"
_SIGNER = "who sealed the sending is proved at the door; a number of somebody else is not handed on"
_PARTY = "the message names its parties itself"
_TRACE = "what NAV's own systems noted on the way says nothing of the message"


class Sending(NamedTuple):
    """What the block says of a message: the ebXML names, each empty where it has none."""

    service: str = ""
    action: str = ""
    role: str = ""


def _of_length(wanted: int) -> Datatype:
    def read(element: etree._Element) -> tuple[Parts, list[Fault]]:
        said = " ".join((element.text or "").split())
        return {}, [] if len(said) == wanted else [say("length", wanted)]

    return Datatype("string", "text", read, ST.write, text=True)


def fellesformat(payload: El, names: Callable[[Mapping[str, Any]], Sending]) -> El:
    """The wrapper around the root element of a message; `names` says under which names a record is sent."""

    def dropped(name: str, why: str, type: Datatype | None = None) -> Attribute:
        return Attribute(name, type=type, why=why)

    def number(top: Mapping[str, Any]) -> str:
        return str(top.get("melding", {}).get("id", ""))

    block = group(
        "MottakenhetBlokk",
        attributes=(
            Attribute("ediLoggId", says=number, demanded=True),
            dropped("avsender", _RECEIVING),
            dropped("ebXMLSamtaleId", _RECEIVING),
            dropped("mottaksId", _RECEIVING),
            dropped("meldingsType", _RECEIVING),
            dropped("avsenderRef", _SIGNER),
            dropped("avsenderFnrFraDigSignatur", _SIGNER, _of_length(11)),
            dropped("mottattDatotid", _RECEIVING, DATETIME),
            dropped("orgNummer", _PARTY, _of_length(9)),
            dropped("avsenderOrgNrFraDigSignatur", _SIGNER, _of_length(9)),
            dropped("partnerReferanse", _RECEIVING),
            dropped("herIdentifikator", _PARTY),
            Attribute("ebRole", says=lambda top: names(top).role),
            Attribute("ebService", says=lambda top: names(top).service),
            Attribute("ebAction", says=lambda top: names(top).action),
        ),
    )
    trace = group(
        "SporinformasjonBlokk",
        attributes=tuple(
            Attribute(name, demanded=True, type=type, why=_TRACE)
            for name, type in (
                ("programID", None),
                ("programVersjonID", None),
                ("programResultatKoder", INTEGER),
                ("tidsstempel", DATETIME),
            )
        ),
        least=0,
        most=MANY,
        why=_TRACE,
    )
    return within(EIFF, group("EI_fellesformat", payload, block, trace, any_order=True))
