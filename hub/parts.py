"""Understands what a message meets on its way: everything, built once in `hub/app.py`.

Plain values and ports; tests build one with another clock or another queue and nothing else changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from consent.labels import CodeLists
from consent.rows import Pack
from consent.texts import Texts, load_texts
from hub.directory import Party
from hub.errors import HubError
from hub.message import Agency, Rendered, Sector
from hub.permit import SendPermit
from hub.queue.port import LADDER, SHARDS, Queue, Work
from hub.store.engine import Store
from hub.vault import Vault
from mappings.agreements import Agreement
from mappings.identifiers import Numbers
from mappings.types import TypeSpec

if TYPE_CHECKING:  # half of what the hub takes to start, and most commands read no message
    from adapters.kith.national import NationalSchemas
    from adapters.registry import Registry


class Push(Protocol):
    """A door that sends content to a recipient's system."""

    def send(self, permit: SendPermit, rendered: Rendered) -> None:
        """Hand over. Raises hand-over.unavailable (try again) or hand-over.refused (do not)."""


class Notify(Protocol):
    """A door that tells a recipient that something lies in its inbox; content is fetched."""

    def send(self, permit: SendPermit) -> None:
        """Tell the permit's recipient of its disclosure. Raises hand-over.unavailable."""

    def close(self) -> None:
        """Let go of the connection."""


@dataclass(frozen=True)
class Parts:
    """Everything a message meets. `clock` gives aware UTC times, `new_id` opaque ids."""

    store: Store
    vault: Vault
    types: Mapping[str, TypeSpec]
    agreements: tuple[Agreement, ...]
    formats: Callable[[], Registry]
    directory: Mapping[str, Party]
    pack: Pack
    codes: CodeLists
    queue: Queue
    push: Push
    notify: Notify | None
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    texts: Texts = field(default_factory=load_texts)
    ladder: Sequence[float] = LADDER
    grace: timedelta = timedelta(seconds=30)
    """How long after its time we assume that work was forgotten; longer than any worker takes."""
    national: NationalSchemas | None = None
    """The official schemas, where the installation has them."""
    numbers: Numbers = Numbers.ALL

    @cached_property
    def registry(self) -> Registry:
        """All formats, made at the first use. Raises settings.invalid if one of another package, or one that
        the directory names, is not there."""
        return self.formats()

    def close(self) -> None:
        """Let go of what sending and publishing hold on to."""
        self.queue.close()
        if self.notify is not None:
            self.notify.close()

    def agency(self, org: str) -> Agency | None:
        party = self.directory.get(org)
        return party.agency if party else None

    def agencies(self, sector: Sector) -> tuple[Agency, ...]:
        return tuple(p.agency for p in self.directory.values() if p.agency.sector is sector)

    def find_agreement(self, agreement_id: str) -> Agreement | None:
        """None when its file is gone: what was planned under it can still be withdrawn and shown."""
        return next((a for a in self.agreements if a.id == agreement_id), None)

    def agreement(self, agreement_id: str) -> Agreement:
        """Raises route.agreement-missing."""
        found = self.find_agreement(agreement_id)
        if found is None:
            raise HubError("route.agreement-missing")
        return found


def work_of(parts: Parts, disclosure: str, person_id: str) -> Work:
    """The queue's view of a disclosure: a handle made for this once, so that nobody can see that the
    same thing comes again, and the shard that all work of the person takes."""
    return Work(parts.vault.handle(disclosure), hashlib.sha256(person_id.encode()).digest()[0] % SHARDS)
