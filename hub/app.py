"""Understands how everything is put together. The only wiring: nothing else builds a part.

build(settings) -> Parts          what a message meets on its way
Hub(parts)                        the eight calls that the doors make (hub/api/facade.py)
Running(parts, settings)          the threads: workers, sweeper, AMQP door
"""

from __future__ import annotations

import base64
import logging
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consent.labels import load_codes
from consent.policy_files import load_pack
from hub import apprec, hand_over, inbox, pipeline, preview, register, status, sweeper
from hub.directory import Directory, load_directory
from hub.doors.amqp import Incoming, Notify
from hub.doors.webhook import Webhook
from hub.errors import Finding, HubError
from hub.message import Agency, Rendered
from hub.parts import Parts
from hub.queue.embedded import EmbeddedQueue
from hub.queue.port import LADDER, Queue
from hub.queue.rabbit import RabbitQueue
from hub.queue.topology import hub_topology
from hub.settings import Settings
from hub.shapes import Accepted
from hub.store.engine import Store
from hub.store.schema import queue_item
from hub.vault import create_keys, open_vault
from mappings.agreements import load_agreements
from mappings.types import TypeSpec, load_types

if TYPE_CHECKING:
    from adapters.kith.national import NationalSchemas
    from adapters.registry import Registry

_log = logging.getLogger("hub.app")


def now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    """Opaque: 128 random bits in 26 letters and digits that no eye confuses. As many as a UUID has, which
    some formats demand as the id of a message (adapters/kith/rules.py)."""
    return base64.b32encode(secrets.token_bytes(16)).decode().lower()[:26]


def build(
    settings: Settings,
    *,
    clock: Callable[[], datetime] = now,
    ids: Callable[[], str] = new_id,
    ladder: Sequence[float] = LADDER,
    grace: timedelta = timedelta(seconds=30),
    reads: bool = True,
) -> Parts:
    """All parts, ready: files read and checked, keys made if this is a small installation's first start,
    schema up to date. Nothing is written where a file is wrong. The formats are made and checked now if it
    `reads` messages, and else when one is read after all.

    Raises settings.invalid, map.invalid, policy.invalid with every finding.
    """
    types = load_types()
    agreements = load_agreements(types)
    pack, codes = load_pack(settings.policy), load_codes()
    directory = load_directory(settings.directory)
    formats = cache(partial(_formats, types, settings.adapters, directory))
    if reads:
        formats()
    # Only now is anything written: a start that is refused for its files leaves nothing behind.
    if settings.embedded and not settings.keys.exists():
        create_keys(settings.keys)
    vault = open_vault(settings.keys)
    store = Store(settings.store)
    store.migrate()
    return Parts(
        store=store,
        vault=vault,
        types=types,
        agreements=agreements,
        formats=formats,
        directory=directory,
        pack=pack,
        codes=codes,
        queue=_queue(settings, store, ladder, grace),
        push=Webhook(directory, settings.webhook_timeout_seconds),
        notify=None if settings.queue == "embedded" else Notify(directory, settings.queue),
        clock=clock,
        new_id=ids,
        ladder=ladder,
        grace=grace,
        national=_national(settings.schema_dir) if settings.schema_dir else None,
        numbers=settings.numbers,
    )


def _queue(settings: Settings, store: Store, ladder: Sequence[float], grace: timedelta) -> Queue:
    if settings.queue == "embedded":
        lease = 2 * grace.total_seconds()
        return EmbeddedQueue(store.engine, queue_item, ladder=ladder, lease_seconds=lease)
    return RabbitQueue(settings.queue, topology=hub_topology(ladder=ladder))


def _national(folder: Path) -> NationalSchemas:
    from adapters.kith.national import NationalSchemas  # as _formats

    return NationalSchemas(folder)


def _formats(types: Mapping[str, TypeSpec], stamps: Path, directory: Directory) -> Registry:
    from adapters.registry import adapters_for  # makes every national table: most of the time to start
    from adapters.third_party import enabled, read_stamps

    registry = adapters_for(types, enabled(read_stamps(stamps)))
    _check_formats(directory, registry.by_name)
    return registry


def _check_formats(directory: Directory, by_name: Callable[[str], Any]) -> None:
    """Every format that the directory names has an adapter, for the type it is named for."""
    findings = []
    for org, party in directory.items():
        for message_type, name in party.agency.formats.items():
            with suppress(HubError):
                if by_name(name).type == message_type:
                    continue
            at = f"directory.{org}.formats"
            findings.append(Finding(at=at, rule="format", expected="an adapter of that message type"))
    if findings:
        raise HubError("settings.invalid", findings)


class Hub:
    """The hub as its doors see it."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def receive(self, sender: Agency, media_type: str, body: bytes) -> Accepted:
        return pipeline.receive(self.parts, sender, media_type, body)

    def apprec(self, sender: Agency, body: bytes, refused: HubError | None) -> Rendered | None:
        return apprec.of_message(self.parts, sender, body, refused)

    def of_message(self, reader: Agency, message_id: str) -> Mapping[str, Any]:
        return status.of_message(self.parts, reader, message_id)

    def preview(self, sender: Agency, media_type: str, body: bytes) -> Mapping[str, Any]:
        return preview.shown(preview.of_own_message(self.parts, sender, media_type, body))

    def receipt(self, reader: Agency, consent_id: str, language: str) -> Mapping[str, Any]:
        return register.receipt_of(self.parts, consent_id, language, reader)

    def entries(self, reader: Agency, after: str | None, limit: int) -> Sequence[Mapping[str, Any]]:
        return inbox.entries(self.parts, reader, after, limit)

    def fetch(self, reader: Agency, disclosure: str) -> Rendered:
        return hand_over.fetch(self.parts, reader, disclosure)

    def acknowledge(self, reader: Agency, disclosure: str) -> None:
        hand_over.acknowledge(self.parts, reader, disclosure)

    def ready(self) -> bool:
        """Do store and queue answer?"""
        try:
            with self.parts.store.reading() as view:
                view.exec_driver_sql("SELECT 1")
            self.parts.queue.depth()
        except HubError:
            return False
        return True


class Running:
    """The threads of one process. Each survives the absence of broker and database by itself."""

    def __init__(self, parts: Parts, settings: Settings) -> None:
        self._parts = parts
        self._stop = threading.Event()
        loops: dict[str, Callable[[], None]] = {
            "worker": partial(parts.queue.consume, partial(hand_over.attempt, parts), self._stop),
            "sweeper": partial(sweeper.run, parts, self._stop),
        }
        if settings.queue != "embedded":
            incoming = Incoming(
                settings.queue,
                parts.directory,
                Hub(parts).receive,
                max_body_bytes=settings.max_body_bytes,
            )
            loops["amqp"] = partial(incoming.run, self._stop)
        self._threads = [
            threading.Thread(target=loop, name=f"bro-{name}", daemon=True) for name, loop in loops.items()
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 20.0) -> None:
        """Let what is under way end; nothing is lost if it does not."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout)
        self._parts.close()

    @property
    def alive(self) -> bool:
        return all(thread.is_alive() for thread in self._threads)
