"""Understands what one version demands that a message of the other need not say, and how it is said there
that nobody said it.

What goes with an application crosses between 1.5 and 1.6: 1.5 demands whether the patient sent one
(EgensoknadSendt), 1.6 an event of the stay with its time (TidsfestetHendelse). Both are true or false, the
schemas have no third value, and both have words beside. So the words say that the sender did not say it, and
what was written so reads back as nothing. It must not know how a message is written.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from adapters.base import Adapter
from hub.errors import Finding
from hub.message import Record

WORDS = "Ikke oppgitt av avsenderen."
UNSTATED: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("soknad", "1.5"): {"soknad": {"egensoknad_sendt": False, "merknad": WORDS}},
    ("soknad", "1.6"): {"opphold": [{"beskrivelse": WORDS, "anslag": True}]},
}
"""By message and version: what is written where the record holds nothing. A time that is not there is no
certain one, so it is an estimate; that an application was sent is nothing to claim."""


def filled(adapter: Adapter, unstated: Mapping[str, Any]) -> Adapter:
    """The adapter, which writes what is unstated and reads it as nothing."""

    def bare(record: Record) -> Record:
        kept = {
            name: value
            for name, value in record.fields.items()
            if name not in unstated or value != unstated[name]
        }
        return Record(record.type, kept)

    def render(record: Record) -> bytes:
        return adapter.render(Record(record.type, {**unstated, **record.fields}))

    def lenient(body: bytes, rules: Collection[str]) -> tuple[Record, tuple[Finding, ...]]:
        assert adapter.lenient is not None
        record, let_through = adapter.lenient(body, rules)
        return bare(record), let_through

    return replace(
        adapter,
        parse=lambda body: bare(adapter.parse(body)),
        lenient=lenient,
        render=render,
        as_said=lambda record: bare(adapter.as_said(record)),
    )
