"""Understands a receipt as national XML: KITH AppRec 1.0 and 1.1 (HIS 80415:2004 and 80415:2012).

Wire:   UTF-8 XML, root {http://www.kith.no/xmlstds/apprec/...}AppRec.
Units:  times without a zone are Norwegian time.
Quirks: the two versions differ in namespace, MIGversion and the codes of the roles only.
Agreed: README.md beside this file; `answering.py` says what answer a message gets.
"""

from __future__ import annotations

from dataclasses import replace

from adapters.apprec.table import STATUS, V10, V11, Version, receipt
from adapters.base import Adapter
from adapters.kith.message import own_root
from hub.errors import Finding, HubError
from hub.message import Record

TYPE = "kvittering"
LOSES = {
    "person.id": "a receipt names the message, never the person",
    "person.navn": "a receipt names the message, never the person",
    "kode": "an AppRec has the codes of list 8221 in its errors",
}
"""Fields of the type that an AppRec has no element for."""


def _adapter(version: Version) -> Adapter:
    return of_sendings(own_root(f"apprec-{version.name}", TYPE, receipt(version), (), loses=LOSES))


def of_sendings(adapter: Adapter) -> Adapter:
    """The adapter, which writes receipts for sendings only."""

    def silent(record: Record) -> bool:
        """One AppRec is given for a sending, when it comes in. That work has begun or ended is none."""
        return record.get("status") not in STATUS.values()

    def render(record: Record) -> bytes:
        if silent(record):
            expected = "one of " + ", ".join(STATUS.values())
            raise HubError("render.incomplete", [Finding("status", "code", expected)])
        return adapter.render(record)

    return replace(adapter, render=render, silent=silent)


ADAPTERS = tuple(_adapter(version) for version in (V10, V11))
BY_VERSION = {version.name: adapter for version, adapter in zip((V10, V11), ADAPTERS, strict=True)}
