"""Understands a hub without sockets, in which everything that anybody could see is written down.

The REST door, the store and the whole way of a message are the real ones. The queue is a list that keeps
what a broker would have seen; the recipients keep what reached them. Time stands still within a step, and
ids follow from the step's name, so that two runs can be compared byte for byte.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from joserfc.jwk import ECKey
from sqlalchemy import event

from hub import gps, hand_over
from hub.api.app import create_app
from hub.app import Hub
from hub.demo.world import CAST, PERSON
from hub.errors import HubError
from hub.identity import Desk
from hub.message import Agency, Rendered
from hub.parts import Parts
from hub.permit import SendPermit
from hub.queue.port import Depth, Handle, Later, Work, settle
from hub.store.engine import Store
from tests.hub.fakes import NOW, claims, key_document, settings, sign

OURS = ("hub", "adapters", "mappings", "consent")
START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ORGS = {agency.key: agency.org for agency in CAST}
KEYS = {agency.org: agency.key for agency in CAST}
_MOST_ATTEMPTS = 40


@dataclass(frozen=True)
class Sent:
    """One hand-over to a recipient whose system the hub calls."""

    phase: str
    key: str
    disclosure: str
    attempt: int
    adapter: str
    media_type: str
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Call:
    """One call of the REST door by an agency, and the whole answer."""

    phase: str
    key: str
    what: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)

    @property
    def said(self) -> Any:
        return json.loads(self.body)


class Recipients:
    """Keep what reaches them. `answers`: the HTTP status of an agency, or None when nobody is there."""

    def __init__(self, phase: Callable[[], str]) -> None:
        self._phase = phase
        self.sent: list[Sent] = []
        self.answers: dict[str, int | None] = {}

    def send(self, permit: SendPermit, rendered: Rendered) -> None:
        permit.spend()
        key = KEYS[permit.recipient.org]
        status = self.answers.get(key, 204)
        if status is None:
            raise HubError("hand-over.unavailable")
        self.sent.append(
            Sent(
                self._phase(),
                key,
                permit.disclosure,
                permit.attempt,
                rendered.adapter,
                rendered.media_type,
                rendered.body,
            )
        )
        if status >= 500:
            raise HubError("hand-over.unavailable")
        if status >= 400:
            raise HubError("hand-over.refused")


class Broker:
    """What a broker would have seen: every publication, every handing out and every settlement."""

    def __init__(self, phase: Callable[[], str]) -> None:
        self._phase = phase
        self.saw: list[tuple[str, str, tuple[Work, ...]]] = []
        self._ready: list[Work] = []
        self._later: list[Work] = []

    def publish(self, works: Sequence[Work]) -> None:
        if not works:
            return
        self.saw.append((self._phase(), "published", tuple(works)))
        self._ready.extend(works)

    def work_off(self, handle: Handle) -> None:
        """Hand out all there is, then what was put off once, until nothing is left."""
        for _ in range(_MOST_ATTEMPTS):
            while self._ready:
                work = self._ready.pop(0)
                settlement = settle(handle, work)
                self.saw.append((self._phase(), repr(settlement), (work,)))
                if isinstance(settlement, Later):
                    self._later.append(work)
            if not self._later:
                return
            self._ready, self._later = self._later, []
        raise TimeoutError("the work never ends")

    def work_once(self, handle: Handle) -> None:
        """Hand out all there is; what is put off stays off."""
        ready, self._ready = self._ready, []
        for work in ready:
            settlement = settle(handle, work)
            self.saw.append((self._phase(), repr(settlement), (work,)))
            if isinstance(settlement, Later):
                self._later.append(work)

    def soon(self) -> None:
        self._ready, self._later = [*self._ready, *self._later], []

    def consume(self, handle: Handle, stop: threading.Event) -> None:
        raise NotImplementedError("the lab works off by hand")

    def depth(self) -> Mapping[str, Depth]:
        return {"ready": Depth(len(self._ready), None)}

    def close(self) -> None:
        """Nothing to let go of."""


class Lines(logging.Handler):
    """Every record of our own code at any level, and of the libraries that have a part in it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(("sqlalchemy", "httpx", "asyncio", "httpcore", "pika")):
            self.records.append(record)


def register_gp(parts: Parts) -> None:
    """The person is on the list of the practice that everything for a GP goes to."""
    said = gps.Said(ORGS["gp"], date(2026, 1, 1), None, "fastlegeregisteret")
    gps.record(parts, PERSON, said, Desk("Kari Vik", "oppslag", "lab"))


class Lab:
    """One hub. Every step has a name; `phase` is the name of the step under way."""

    def __init__(self, first: Parts, folder: Path, url: str, *, even_out: float = 0) -> None:
        self.folder, self.phase, self.clock_at = folder, "start", START
        self._count = Counter[str]()
        self.broker, self.recipients = Broker(lambda: self.phase), Recipients(lambda: self.phase)
        self.calls: list[Call] = []
        self.posted: list[bytes] = []
        self.transactions: Counter[str] = Counter()
        self.lines = Lines()
        self.parts = replace(
            first,
            store=Store(url),
            queue=self.broker,
            push=self.recipients,
            notify=None,
            clock=lambda: self.clock_at,
            new_id=self._new_id,
        )
        self._watch_store()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "jwks.json").write_bytes(key_document(_signing_key()))
        self._app = create_app(
            Hub(self.parts),
            settings=settings(folder),
            directory=self.parts.directory,
            clock=lambda: NOW,
            even_out=even_out,  # 0: nobody holds a stopwatch, but where that is what is tested
        )
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        self._loop = asyncio.Runner()
        self._http = httpx.AsyncClient(transport=transport, base_url="http://hub.example")

    def __enter__(self) -> Self:
        root = logging.getLogger()
        self._levels = [root.level, *(logging.getLogger(name).level for name in OURS)]
        for name in ("", *OURS):
            logging.getLogger(name).setLevel(logging.DEBUG)
        root.addHandler(self.lines)
        register_gp(self.parts)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        root = logging.getLogger()
        root.removeHandler(self.lines)
        for name, level in zip(("", *OURS), self._levels, strict=True):
            logging.getLogger(name).setLevel(level)
        self._loop.run(self._http.aclose())
        self._loop.close()
        self.parts.store.close()

    def step(self, name: str) -> None:
        """From now on it is another minute, and ids are drawn from this name."""
        self.phase = name
        self.clock_at += timedelta(minutes=1)

    def post(self, key: str, media_type: str, body: bytes) -> Call:
        self.posted.append(body)
        return self.call(key, "POST", "/v1/messages", content=body, headers={"Content-Type": media_type})

    def call(self, key: str, method: str, path: str, **more: Any) -> Call:
        """One call with the agency's own token; without any when `key` is empty."""
        headers = {"Authorization": f"Bearer {_token(key)}"} if key else {}
        more = {**more, "headers": headers | more.get("headers", {})}
        answer = self._loop.run(self._http.request(method, path, **more))
        told = tuple(sorted(answer.headers.items()))
        self.calls.append(Call(self.phase, key, f"{method} {path}", answer.status_code, told, answer.content))
        return self.calls[-1]

    def work_off(self) -> None:
        self.broker.work_off(lambda work: hand_over.attempt(self.parts, work))

    def work_once(self) -> None:
        self.broker.work_once(lambda work: hand_over.attempt(self.parts, work))

    def collect(self) -> None:
        """Everybody who has an inbox lists it, fetches everything and acknowledges it."""
        for agency in CAST:
            if agency.door == "inbox":
                for entry in self.call(agency.key, "GET", "/v1/inbox").said["entries"]:
                    self.call(agency.key, "GET", f"/v1/inbox/{entry['id']}")
                    self.call(agency.key, "POST", f"/v1/inbox/{entry['id']}/acknowledgement")

    def settle(self) -> None:
        self.work_off()
        self.collect()
        self.work_off()

    def _new_id(self) -> str:
        self._count[self.phase] += 1
        name = f"{self.phase} {self._count[self.phase]}"
        return base64.b32encode(hashlib.sha256(name.encode()).digest()).decode().lower()[:26]

    def _watch_store(self) -> None:
        engine = self.parts.store.engine
        if self.parts.store.sqlite:
            event.listen(engine, "connect", _without_waiting_for_the_disk)

        @event.listens_for(engine, "begin")
        def begun(connection: Any) -> None:
            self.transactions[self.phase] += 1


def _without_waiting_for_the_disk(connection: Any, _record: Any) -> None:
    """Nothing here must outlive a power cut."""
    connection.execute("PRAGMA synchronous=OFF")


@cache
def _signing_key() -> ECKey:
    return ECKey.generate_key("P-256", {"kid": "lab"})


@cache
def _token(key: str) -> str:
    agency = next(agency for agency in CAST if agency.key == key)
    return sign(_signing_key(), claims(Agency(agency.org, agency.name, agency.sector)))


def evidence(lab: Lab) -> Iterator[tuple[str, bytes]]:
    """Every place where bytes rest or leave, by name."""
    for sent in lab.recipients.sent:
        yield f"payload/{sent.key}/{sent.phase}", sent.body
    for call in lab.calls:
        told = "\n".join(f"{name}: {value}" for name, value in call.headers).encode()
        payload = call.what.startswith("GET /v1/inbox/") and call.status == 200
        yield f"{'payload' if payload else 'response'}/{call.key or 'nobody'}/{call.phase}", call.body
        yield f"response/{call.key or 'nobody'}/{call.phase}", told
    for phase, what, works in lab.broker.saw:
        yield f"broker/{phase}", f"{what} {works}".encode()
    for record in lab.lines.records:
        yield "log", f"{record.getMessage()} {record.__dict__}".encode()
    for file in sorted(lab.folder.rglob("*")):
        if file.is_file():
            yield f"store/{file.relative_to(lab.folder)}", file.read_bytes()


_METRIC = re.compile(r"^(bro_\w+(?:\{[^}]*\})?) (\S+)$", re.MULTILINE)


def counted(metrics: bytes) -> dict[str, float]:
    """Our own series of a metrics text; the rest tells of the process and of no message. The moment a
    counter was born is left out."""
    found = {name: float(value) for name, value in _METRIC.findall(metrics.decode())}
    return {name: value for name, value in found.items() if "_created" not in name}
