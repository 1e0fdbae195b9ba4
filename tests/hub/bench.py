"""Understands a hub on the bench: all its parts without a network, driven one step at a time.

The store is real. The queue is a list that a test can look into, the recipients are `Recipients`, who
keep what reached them and can be told to fail in the ways that real ones do.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from stdnum.no import fodselsnummer

from hub import gps, hand_over, inbox, pipeline, status, sweeper
from hub.app import build
from hub.audit import log
from hub.audit.log import Kind
from hub.audit.verify import Report, verify
from hub.demo.world import CAST, PERSON
from hub.errors import HubError
from hub.identity import Desk
from hub.message import Agency, Rendered
from hub.parts import Parts
from hub.permit import SendPermit
from hub.queue.port import Dead, Depth, Done, Handle, Later, Work, settle
from hub.settings import Settings
from hub.shapes import Accepted
from hub.store import people
from hub.store.disclosures import Disclosure, where
from hub.store.engine import Store
from hub.store.schema import audit_leaf, disclosure, person
from hub.vault import create_keys

BODIES = Path(__file__).parents[2] / "hub" / "demo" / "bodies"
JSON, FHIR, XML = "application/json", "application/fhir+json", "application/xml"
START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
MEDIA = {".xml": XML, ".json": JSON}


class Clock:
    """Stands still unless moved."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


class HandQueue:
    """Work in a list. `later` holds what was put off, `dead` what was put aside."""

    def __init__(self) -> None:
        self.ready: deque[Work] = deque()
        self.later: list[tuple[Work, int]] = []
        self.dead: list[Work] = []
        self.away = False

    def publish(self, works: Sequence[Work]) -> None:
        if self.away:
            raise HubError("enqueue.unavailable")
        self.ready.extend(works)

    def consume(self, handle: Handle, stop: threading.Event) -> None:
        """All that is ready, once. What is put off stays off until `soon`."""
        while self.ready and not stop.is_set():
            work = self.ready.popleft()
            match settle(handle, work):
                case Later(step):
                    self.later.append((work, step))
                case Dead():
                    self.dead.append(work)
                case Done():
                    pass

    def soon(self) -> None:
        """The delays are over."""
        self.ready.extend(work for work, _ in self.later)
        self.later.clear()

    def depth(self) -> Mapping[str, Depth]:
        return {"ready": Depth(len(self.ready), None)}

    def close(self) -> None:
        """Nothing to let go of."""


@dataclass(frozen=True)
class Sent:
    """One message that reached a recipient."""

    disclosure: str
    recipient: str
    attempt: int
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        return self.body.decode()


class Recipients:
    """All recipients whose system the hub calls. `fail` says how the next calls end, by organisation:

    `unavailable` and `refused` before it arrives, `untold` after it arrived, `crash` as no door should.
    """

    def __init__(self) -> None:
        self.got: list[Sent] = []
        self.calls: list[str] = []
        self.fail: dict[str, list[str]] = {}
        self.down: set[str] = set()
        self.meanwhile: Callable[[SendPermit], None] = lambda permit: None

    def send(self, permit: SendPermit, rendered: Rendered) -> None:
        permit.spend()
        org = permit.recipient.org
        self.calls.append(org)
        self.meanwhile(permit)
        ending = self.fail[org].pop(0) if self.fail.get(org) else ("unavailable" if org in self.down else "")
        if ending == "crash":
            raise RuntimeError("a door failed in a way that nobody foresaw")
        if ending in ("", "untold"):
            self.got.append(Sent(permit.disclosure, org, permit.attempt, rendered.body))
        if ending in ("unavailable", "untold"):
            raise HubError("hand-over.unavailable")
        if ending:
            raise HubError(f"hand-over.{ending}")


class Bell:
    """Tells recipients with a queue of their own that something lies ready."""

    def __init__(self) -> None:
        self.rung: list[str] = []
        self.broken = False

    def send(self, permit: SendPermit) -> None:
        permit.spend()
        if self.broken:
            raise HubError("hand-over.unavailable")
        self.rung.append(permit.disclosure)

    def close(self) -> None:
        """Nothing to let go of."""


@dataclass
class Bench:
    """One hub. `post` is an agency speaking; `drain` lets the worker do all there is to do now."""

    parts: Parts
    clock: Clock
    queue: HandQueue
    push: Recipients
    bell: Bell
    url: str

    def agency(self, key: str) -> Agency:
        return self.parts.directory[org(key)].agency

    def post(self, key: str, what: str | bytes | Mapping[str, Any], media_type: str = "") -> Accepted:
        """`what`: the name of a prepared body, the fields of a message, or bytes."""
        if isinstance(what, str):
            media_type = media_type or (FHIR if ".fhir." in what else MEDIA[Path(what).suffix])
            what = (BODIES / what).read_bytes()
        if not isinstance(what, bytes):
            what = json.dumps(what).encode()
        return pipeline.receive(self.parts, self.agency(key), media_type or JSON, what)

    def register_gp(self, who: int = 0, key: str = "gp") -> None:
        """The person is on this practice's list."""
        said = gps.Said(org(key), self.clock().date(), None, "fastlegeregisteret")
        gps.record(self.parts, number(who), said, Desk("Kari Vik", "oppslag", "kari"))

    def drain(self) -> None:
        self.queue.consume(lambda work: hand_over.attempt(self.parts, work), threading.Event())

    def come_for_it(self, key: str, *, acknowledge: bool = True) -> list[Rendered]:
        """Fetch everything that lies in an agency's inbox."""
        got = []
        for entry in inbox.entries(self.parts, self.agency(key), None, 1000):
            got.append(hand_over.fetch(self.parts, self.agency(key), entry["id"]))
            if acknowledge:
                hand_over.acknowledge(self.parts, self.agency(key), entry["id"])
        return got

    def listed(self, key: str) -> list[str]:
        return [entry["id"] for entry in inbox.entries(self.parts, self.agency(key), None, 1000)]

    def status(self, key: str, accepted: Accepted) -> dict[str, dict[str, Any]]:
        """What the sender sees, by the recipient's organisation number."""
        shown = status.of_message(self.parts, self.agency(key), accepted.id)
        return {row["org"]: row for row in shown["recipients"]}

    def got(self, key: str) -> list[Sent]:
        return [sent for sent in self.push.got if sent.recipient == org(key)]

    def rows(self, key: str | None = None, **about: str) -> list[Disclosure]:
        """Disclosures to an agency, in the person's order, without those that only keep the traffic
        equal: nothing is left of them to give, or to tell."""
        conditions = [disclosure.c[name] == value for name, value in about.items()]
        if key is not None:
            conditions.append(disclosure.c.recipient == org(key))
        with self.parts.store.reading() as view:
            found = where(view, *conditions, limit=100_000)
        return [row for row in found if not _is_for_show(row)]

    def row(self, key: str, **about: str) -> Disclosure:
        [only] = self.rows(key, **about)
        return only

    def column(self, disclosure_id: str, name: str) -> Any:
        with self.parts.store.reading() as view:
            return view.scalar(select(disclosure.c[name]).where(disclosure.c.id == disclosure_id))

    def leaves(self, kind: Kind, person_id: str | None = None) -> list[dict[str, Any]]:
        """The private part of every leaf of a kind, about everybody or one person, in the order written."""
        return leaves_in(self.parts, kind, person_id)

    def people(self) -> list[str]:
        with self.parts.store.reading() as view:
            return list(view.scalars(select(person.c.id)))

    def sweep(self) -> None:
        sweeper.turn(self.parts)

    def verify(self, *, remembered: str | None = None) -> Report:
        while log.integrate(self.parts.store, self.parts.vault, self.clock()):
            pass
        return verify(self.parts.store, self.parts.vault, remembered=remembered)


def leaves_in(parts: Parts, kind: Kind, person_id: str | None = None) -> list[dict[str, Any]]:
    """The same of any hub's log."""
    with parts.store.reading() as view:
        rows = view.execute(select(audit_leaf).order_by(audit_leaf.c.id)).all()
        return [
            log.open_private(parts.vault, people.load(view, row.person_id).key, row)
            for row in rows
            if log.kind_of(row) is kind and person_id in (None, row.person_id)
        ]


def org(key: str) -> str:
    return next(agency.org for agency in CAST if agency.key == key)


def first_parts(folder: Path) -> Parts:
    """Everything that does not change from test to test, built as the application builds it."""
    keys, directory = folder / "keys", folder / "directory.yaml"
    create_keys(keys)
    directory.write_text(yaml.safe_dump({"agencies": [*_entries(folder)]}, allow_unicode=True))
    settings = Settings(
        store=f"sqlite:///{folder}/first.sqlite", queue="embedded", keys=keys, directory=directory
    )
    return build(settings)


def _entries(folder: Path) -> Iterator[dict[str, object]]:
    (folder / "secret").write_text("whsec_" + "c2Vj" * 8)
    for agency in CAST:
        entry = agency.entry()
        if agency.key == "prison_health":
            entry["serves"] = [org("prison")]
        if agency.door == "webhook":
            entry["webhook"] = {"url": "http://127.0.0.1:9/", "secret_file": "secret"}
        yield entry


def on_the_bench(first: Parts, url: str) -> Bench:
    """A hub of its own on the (migrated) database at `url`."""
    count = itertools.count(1)
    clock, queue, push, bell = Clock(), HandQueue(), Recipients(), Bell()
    parts = replace(
        first,
        store=Store(url),
        queue=queue,
        push=push,
        notify=bell,
        clock=clock,
        new_id=lambda: f"id{next(count):06d}",
    )
    return Bench(parts, clock, queue, push, bell, url)


def with_door(bench: Bench, key: str, door: str) -> None:
    """From now on the agency has another door."""
    party = bench.parts.directory[org(key)]
    changed = {**bench.parts.directory, org(key): replace(party, agency=replace(party.agency, door=door))}
    bench.parts = replace(bench.parts, directory=changed)


def number(count: int) -> str:
    """A synthetic identity number for each count; 0 is the person of the prepared bodies."""
    if count == 0:
        return PERSON
    for serial in itertools.count(count * 3):
        digits = f"{1 + count % 28:02d}{81 + count // 28 % 12:02d}85{100 + serial % 350:03d}"
        try:
            first = fodselsnummer.calc_check_digit1(digits + "00")
            second = fodselsnummer.calc_check_digit2(digits + first + "0")
        except ValueError:
            continue
        if len(first) == len(second) == 1 and first.isdigit() and second.isdigit():
            return digits + first + second
    raise AssertionError


def fields(name: str, *, message_id: str = "", who: int = 0) -> dict[str, Any]:
    """The fields of a prepared JSON body, about another person or under another message id."""
    said: dict[str, Any] = json.loads((BODIES / name).read_text())
    if message_id:
        said["melding"]["id"] = message_id
    if "person" in said:
        said["person"]["id"] = number(who)
    return said


def xml_brik(*, message_id: str = "BRIK-2026-0117", who: int = 0) -> bytes:
    text = (BODIES / "brik.xml").read_text()
    return text.replace("BRIK-2026-0117", message_id).replace(PERSON, number(who)).encode()


def fhir(name: str, *, series: str = "", who: int = 0) -> bytes:
    """A prepared FHIR body about another person; a consent gets a series (and message id) of its own."""
    said = json.loads((BODIES / name).read_text())
    if series:
        for identifier in said["identifier"]:
            identifier["value"] = series
    return json.dumps(said).replace(PERSON, number(who)).encode()


def referral(message_id: str, who: int = 0) -> dict[str, Any]:
    return fields("henvisning-2.json", message_id=message_id, who=who)


def release_date(version: int, *, who: int = 0, series: str = "opphold-77", day: str = "") -> dict[str, Any]:
    said = fields("loslatelse-3.json", message_id=f"{series}-{version}", who=who)
    planned = {"serie": series, "versjon": version, "planlagt_dato": day or f"2027-04-{version:02d}"}
    said["loslatelse"].update(planned)
    return said


def withdrawal(series: str, message_id: str, who: int = 0) -> dict[str, Any]:
    said = fields("samtykke-tsb-trukket.json", message_id=message_id, who=who)
    said["samtykke"]["serie"] = series
    return said


def consent(name: str, series: str, version: int = 1, *, who: int = 0, **said: Any) -> dict[str, Any]:
    """A prepared consent in another series or version. `said` replaces what it says."""
    document = fields(name, message_id=f"{series}-{version}", who=who)
    document["samtykke"].update(serie=series, versjon=version)
    for key, value in said.items():
        if key in document["samtykke"] or key == "erstatter":
            document["samtykke"][key] = value
        else:
            document[key] = value
    return document


def refusal(series: str, recipients: Sequence[str], who: int = 0) -> dict[str, Any]:
    document = consent("samtykke-nav.json", series, who=who, beslutning="nekt")
    document["mottakere"] = list(recipients)
    for name in ("avsendere", "formal", "kategorier"):
        document.pop(name)
    return document


def run_together(*tasks: Callable[[], Any]) -> list[Any]:
    """Run all at once in threads; results or exceptions, in order."""
    start = threading.Barrier(len(tasks))
    results: list[Any] = [None] * len(tasks)

    def one(index: int, task: Callable[[], Any]) -> None:
        start.wait()
        try:
            results[index] = task()
        except Exception as exc:  # noqa: BLE001  # the test judges what came
            results[index] = exc

    threads = [threading.Thread(target=one, args=pair, daemon=True) for pair in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return results


def _is_for_show(row: Disclosure) -> bool:
    """See docs/decisions/0005."""
    return (row.revision > 1 and row.outcome is None) or row.code == "decide.not-told"
