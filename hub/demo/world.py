"""Understands the world the demo plays in: a hub, an issuer, and seven agencies, all real, on free
loopback ports, with their files in one temporary folder.

The person and the agencies are invented; the identity number is synthetic (month + 80). The clock can
be moved forward, so that a deadline of days passes in a demo of seconds.
"""

from __future__ import annotations

import base64
import contextlib
import secrets
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn
import yaml
from joserfc.jwk import ECKey

from hub.api.app import create_app, server
from hub.api.client import PREVIEW, SCOPES, AgencyClient
from hub.app import Hub, Running, build
from hub.demo.agencies import InboxAgency, WebhookAgency
from hub.issuer import Client, Issuer, create_issuer, new_client_key, public_half
from hub.message import Sector
from hub.metrics import registry
from hub.settings import Listen, Settings
from hub.store.disclosures import State, is_its_turn, where
from hub.store.schema import disclosure
from hub.vault import create_keys
from mappings.identifiers import Numbers

PERSON = "14839030186"
KOMMUNE = "9901"
LADDER = (0.5, 1, 2, 4, 8, 16)
"""Retry soon: the demo does not wait as long as an operator would want a recipient to have."""

_SECONDS = 30.0  # more than any step takes


@dataclass(frozen=True)
class Cast:
    """One agency: organisation number, neutral name, sector, how it gets its messages."""

    key: str
    org: str
    name: str
    sector: Sector
    door: str
    formats: tuple[tuple[str, str], ...] = ()

    def entry(self) -> dict[str, object]:
        """What the directory says of it, without where it is reached."""
        return {
            "org": self.org,
            "name": self.name,
            "sector": self.sector.value,
            "kommuner": [KOMMUNE],
            "door": self.door,
            "formats": dict(self.formats),
        }


CAST = (
    Cast("prison", "310000019", "Nordli fengsel", Sector.PRISON, "inbox"),
    Cast("prison_health", "310000027", "Helsetjenesten i Nordli", Sector.PRISON_HEALTH, "webhook"),
    Cast("nav", "310000035", "NAV Elvestad", Sector.NAV_MUNICIPAL, "inbox"),
    Cast("housing", "310000043", "Elvestad boligkontor", Sector.MUNICIPALITY_HOUSING, "webhook"),
    Cast("school", "310000051", "Elvestad videregående skole", Sector.EDUCATION, "inbox"),
    Cast("tsb", "310000078", "Solbakken klinikk", Sector.TSB, "webhook", (("tsb.henvisning", "fhir-tsb"),)),
    Cast("gp", "310000086", "Fjelltun legesenter", Sector.GP, "inbox", (("epikrise", "fhir-epikrise"),)),
)

ORGS = {agency.key: agency.org for agency in CAST}
NAMES = {agency.org: agency.name for agency in CAST} | {agency.key: agency.name for agency in CAST}
"""The neutral name of each, by organisation number and by its key in the story."""


class Clock:
    """The hub's clock: the real one, moved forward by as much as the story asks."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def forward(self, by: timedelta) -> None:
        self._ahead += by


class World:
    """Everything running. Leaving it stops everything and removes the folder.

    With a RabbitMQ as `queue`, those who come for their messages are told on a queue of their own.
    """

    def __init__(
        self, *, store: str | None = None, queue: str | None = None, port: int | None = None
    ) -> None:
        self._stack = contextlib.ExitStack()
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="bro-demo-")))
        self.clock = Clock()
        self._ports = {agency.key: free_port() for agency in CAST}
        self._opaque = {agency.key: secrets.token_hex(12) for agency in CAST}
        self.amqp = queue is not None and queue.startswith("amqp")
        self._secrets = {agency.key: secrets.token_bytes(32) for agency in CAST}
        self._client_keys = {agency.key: new_client_key() for agency in CAST}
        issuer_port = free_port()
        self.issuer_url = f"http://127.0.0.1:{issuer_port}/"
        self.port = port or free_port()
        self.hub_url = f"http://127.0.0.1:{self.port}"
        self._serve_issuer(issuer_port)
        self.settings = self._settings(store, queue)
        self.parts = build(self.settings, clock=self.clock, ladder=LADDER)
        self._stack.callback(self.parts.store.close)  # after everything that uses it has ended
        self.running = Running(self.parts, self.settings)
        self.running.start()
        self._stack.callback(self.running.stop)
        self._serve_hub()
        self.agencies = {agency.key: self._agency(agency) for agency in CAST}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def webhook(self, key: str) -> WebhookAgency:
        agency = self.agencies[key]
        assert isinstance(agency, WebhookAgency)
        return agency

    @staticmethod
    def org(key: str) -> str:
        """The organisation number of one of the cast."""
        return next(agency.org for agency in CAST if agency.key == key)

    def settle(self) -> None:
        """Wait until the hub has nothing left to do but retries, then let everybody come for what
        is theirs. Raises TimeoutError when it does not come to rest."""
        self._until_quiet()
        for agency in self.agencies.values():
            agency.collect()
        self._until_quiet()

    def _until_quiet(self) -> None:
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            if not self._busy():
                return
            time.sleep(0.05)
        raise TimeoutError("the hub did not come to rest")

    def _busy(self) -> bool:
        """Something could be done now: not tried yet, and not waiting behind what is tried again."""
        with self.parts.store.reading() as view:
            untried = where(view, disclosure.c.state == State.QUEUED, disclosure.c.attempts == 0)
            return any(is_its_turn(view, item) for item in untried)

    def wait_for(self, what: str, holds: object) -> None:
        """Poll until `holds()` is true, or raise TimeoutError(what)."""
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            if callable(holds) and holds():
                return
            time.sleep(0.05)
        raise TimeoutError(what)

    def _settings(self, store: str | None, queue: str | None) -> Settings:
        keys, directory = self.folder / "keys", self.folder / "directory.yaml"
        create_keys(keys)
        directory.write_text(yaml.safe_dump({"agencies": self._directory()}, allow_unicode=True))
        return Settings(
            store=store or f"sqlite:///{self.folder}/bro.sqlite",
            queue=queue or "embedded",
            keys=keys,
            directory=directory,
            listen=Listen("127.0.0.1", self.port),
            issuer=self.issuer_url,
            audience="bro-demo",
            jwks_url=f"{self.issuer_url}jwks",
            webhook_timeout_seconds=5,
            numbers=Numbers.SYNTHETIC,
        )

    def _directory(self) -> list[dict[str, object]]:
        return [self._entry(agency) for agency in CAST]

    def opaque(self, key: str) -> str:
        """The id in the names of an agency's exchange and queues; tells nothing of the agency."""
        return self._opaque[key]

    def _entry(self, agency: Cast) -> dict[str, object]:
        entry = agency.entry()
        if self.amqp and agency.door == "inbox":
            entry |= {"door": "amqp", "amqp": self.opaque(agency.key)}
        if agency.key == "prison_health":
            entry["serves"] = [CAST[0].org]
        if agency.door == "webhook":
            secret = base64.b64encode(self._secrets[agency.key]).decode()
            (self.folder / f"{agency.key}.secret").write_text(f"whsec_{secret}")
            entry["webhook"] = {
                "url": f"http://127.0.0.1:{self._ports[agency.key]}/meldinger",
                "secret_file": f"{agency.key}.secret",
            }
        return entry

    def _agency(self, agency: Cast) -> InboxAgency:
        client = AgencyClient(
            self.hub_url,
            issuer_url=self.issuer_url,
            client_id=f"client-{agency.key}",
            key=self._client_keys[agency.key],
        )
        self._stack.callback(client.close)
        if agency.door == "inbox":
            return InboxAgency(client)
        called = WebhookAgency(client, self._ports[agency.key], self._secrets[agency.key])
        self._stack.callback(called.down)
        return called

    def _serve_issuer(self, port: int) -> None:
        clients = [
            Client(
                f"client-{agency.key}", agency.org, self._public(agency.key), frozenset({*SCOPES, PREVIEW})
            )
            for agency in CAST
        ]
        issuer = Issuer(
            self.issuer_url,
            audience="bro-demo",
            key=new_client_key(),
            clients=clients,
            clock=lambda: datetime.now(UTC),
        )
        config = uvicorn.Config(
            create_issuer(issuer), host="127.0.0.1", port=port, log_config=None, access_log=False
        )
        self._stack.enter_context(serving(uvicorn.Server(config)))

    def _public(self, key: str) -> ECKey:
        half = public_half(self._client_keys[key])
        assert isinstance(half, ECKey)
        return half

    def _serve_hub(self) -> None:
        hub = Hub(self.parts)
        self.app = create_app(
            hub,
            settings=self.settings,
            directory=self.parts.directory,
            clock=lambda: datetime.now(UTC),
            ready=hub.ready,
            registry=registry(self.parts),
        )
        self._stack.enter_context(serving(server(self.app, self.settings)))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(server: uvicorn.Server) -> Iterator[None]:
    """Run a server in a thread of its own; returns when it answers."""
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + _SECONDS
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            raise TimeoutError("a server of the demo did not start")
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(_SECONDS)
