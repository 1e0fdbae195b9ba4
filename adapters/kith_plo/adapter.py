"""Understands the care messages in MsgHead 1.2: discharge, admission, to the doctor, and with an application.

Wire:   KITH PLO 1.5 (2009-06-30) and 1.6 (2012-04-01); a root per message, components that they share.
Units:  days as they are written; counts and measures as the text of a number, with their unit beside.
Quirks: Forsendelsesstatus N, M or C: a change is the whole message again, what is taken back is nearly empty.
Agreed: README.md beside this file.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from adapters.base import Adapter
from adapters.kith.message import alone, in_msghead, losses
from adapters.kith.msghead import msghead
from adapters.kith.tables import El
from adapters.kith_plo.messages import MESSAGES, VERSIONS, Message, payload
from hub.errors import Finding, HubError
from hub.message import Record


@cache
def _content(name: str, version: str) -> El:
    return payload(MESSAGES[name], version)


@cache
def _envelope(name: str, version: str) -> El:
    """The reports are one message type: which of them it is, is the field `meldingstype`."""
    message = MESSAGES[name]
    several = sum(other.type == message.type for other in MESSAGES.values()) > 1
    return msghead(message.code, _content(name, version), others=(message.code,) if several else ())


def _adapter(name: str, message: Message, version: str) -> Adapter:
    content, envelope = _content(name, version), _envelope(name, version)
    same = [
        _envelope(other, each)
        for other, its in MESSAGES.items()
        for each in VERSIONS
        if its.type == message.type
    ]
    adapter = in_msghead(
        f"kith-plo-{name}-{version}",
        message.type,
        (message.code,),
        content,
        envelope=envelope,
        loses=losses(f"{message.code} {version}", envelope, *same),
    )

    def render(record: Record) -> bytes:
        said = record.get("meldingstype")
        if said not in (None, message.code):
            raise HubError("render.incomplete", [Finding("meldingstype", "fixed", message.code)])
        return adapter.render(record)

    return alone(replace(adapter, render=render), content)


ADAPTERS = tuple(
    _adapter(name, message, version) for name, message in MESSAGES.items() for version in VERSIONS
)
