"""Understands how a message is read from its sender: strictly, or as leniently as its directory entry says.

A partner with `reading: lenient` may break its format in ways that change nothing; whatever was let through
is noted in the audit. Where the installation has the official schemas, they are asked, too: about what came,
or, where something was let through that they would say no to, about what was understood, in proper form.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapters.base import Adapter
from adapters.kith.message import deviations
from adapters.safe_xml import read_xml
from hub.errors import Finding, HubError
from hub.message import Received, Record
from hub.parts import Parts
from hub.telling import told_whole

LENIENT = "lenient"


@dataclass(frozen=True)
class Read:
    """A record, the adapter that read it, and what its sender was allowed to do otherwise."""

    record: Record
    adapter: Adapter
    let_through: tuple[Finding, ...] = ()


def read(parts: Parts, received: Received) -> Read:
    """Bytes to the values of one type, or every finding at once: the format's, and the official schemas'."""
    adapter = parts.registry.recognise(received.media_type, received.body)
    spec, body = parts.types[adapter.type], received.body
    if received.sender.reading == LENIENT and adapter.lenient is not None:
        try:
            record, let_through = adapter.lenient(body, tuple(deviations()))
        except HubError as refused:  # what the schemas say of such a body would be about the deviations, too
            raise told_whole(adapter, spec, body, refused) from None
    else:
        try:
            record, let_through = adapter.parse(body), ()
        except HubError as refused:
            raise told_whole(adapter, spec, body, refused, lambda: nationally(parts, adapter, body)) from None
    found = _as_understood(parts, adapter, body, record) if let_through else nationally(parts, adapter, body)
    if found:
        raise HubError("parse.invalid", found)
    return Read(spec.in_microseconds(record), adapter, let_through)


def _as_understood(parts: Parts, adapter: Adapter, body: bytes, record: Record) -> tuple[Finding, ...]:
    """What the official schemas say no to when the record is written as its format demands. Without line and
    column: those of what was written are not the sender's. Raises parse.invalid when it cannot be written."""
    national = parts.national
    if national is None or not adapter.national or not national.knows(read_xml(body)):
        return ()
    try:
        written = adapter.render(record)
    except HubError as fault:
        raise HubError("parse.invalid", fault.findings) from None
    return tuple(replace(one, line=None, column=None) for one in nationally(parts, adapter, written))


def nationally(parts: Parts, adapter: Adapter, body: bytes) -> tuple[Finding, ...]:
    """What the official schemas of the installation say no to; nothing where it has none for the format."""
    if parts.national is None or not adapter.national:
        return ()
    return parts.national.findings(read_xml(body), body)
