"""Understands an installation for tests: SQLite in a folder, a prison, NAV with a webhook, one person.

NAV's system is a list to look at that can be told to be away. The clock stands still until it is moved.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from hub import hand_over, pipeline
from hub.app import build
from hub.errors import HubError
from hub.message import Rendered
from hub.parts import Parts, work_of
from hub.permit import SendPermit
from hub.queue.port import LADDER, Settlement
from hub.settings import Settings
from hub.store import disclosures
from hub.store.disclosures import Disclosure, State
from hub.store.schema import disclosure
from hub.vault import create_keys

PRISON, NAV, SCHOOL = "310000019", "310000035", "310000051"
PERSON = "14839030186"
CANARY = "Kanarifuglesen"
START = datetime(2031, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class Clock:
    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Endpoint:
    """NAV's system: what it got, and whether it answers."""

    away: bool = False
    got: list[bytes] = field(default_factory=list)

    def send(self, permit: SendPermit, rendered: Rendered) -> None:
        permit.spend()
        if self.away:
            raise HubError("hand-over.unavailable")
        self.got.append(rendered.body)


@dataclass
class Installation:
    folder: Path
    settings: Settings
    parts: Parts
    clock: Clock
    endpoint: Endpoint

    @property
    def env(self) -> dict[str, str]:
        """The environment that names this installation."""
        return {
            "BRO_STORE": self.settings.store,
            "BRO_KEYS": str(self.settings.keys),
            "BRO_DIRECTORY": str(self.settings.directory),
        }

    def post(self, sender: str, fields: Mapping[str, Any]) -> str:
        """The hub's id of the message."""
        agency = self.parts.agency(sender)
        assert agency is not None
        return pipeline.receive(self.parts, agency, "application/json", json.dumps(fields).encode()).id

    def consent(self) -> None:
        self.post(PRISON, consent_form())

    def withdraw(self) -> None:
        self.post(PRISON, withdrawal_form())

    def mapping(self, number: int = 1) -> str:
        return self.post(PRISON, mapping_form(number))

    def attempt(self, item: Disclosure) -> Settlement:
        return hand_over.attempt(self.parts, work_of(self.parts, item.id, item.person_id))

    def to_nav(self, *states: State) -> list[Disclosure]:
        with self.parts.store.reading() as view:
            return disclosures.where(
                view, disclosure.c.recipient == NAV, disclosure.c.state.in_(states or tuple(State))
            )

    def parked(self) -> Disclosure:
        """A disclosure to NAV, whose system was away at every attempt."""
        self.consent()
        self.mapping()
        self.endpoint.away = True
        (item,) = self.to_nav(State.QUEUED)
        for _ in range(len(LADDER) + 1):
            self.attempt(item)
            self.clock.forward(minutes=1)
        (item,) = self.to_nav()
        assert item.state is State.PARKED
        return item

    def every_byte(self) -> bytes:
        """All that rests in the folder but the keys, the write-ahead log too."""
        keys = self.settings.keys
        files = (file for file in self.folder.rglob("*") if file.is_file() and keys not in file.parents)
        return b"".join(file.read_bytes() for file in files)


def install(folder: Path) -> Installation:
    secret = base64.b64encode(b"a secret for a webhook of tests!").decode()
    (folder / "nav.secret").write_text(f"whsec_{secret}")
    agencies: list[dict[str, Any]] = [
        {"org": PRISON, "name": "Nordli fengsel", "sector": "prison"},
        {
            "org": NAV,
            "name": "NAV Elvestad",
            "sector": "nav_municipal",
            "kommuner": ["9901"],
            "door": "webhook",
            "webhook": {"url": "http://127.0.0.1:9/meldinger", "secret_file": "nav.secret"},
        },
        {
            "org": SCHOOL,
            "name": "Elvestad videregående skole",
            "sector": "education",
            "kommuner": ["9901"],
        },
    ]
    (folder / "directory.yaml").write_text(yaml.safe_dump({"agencies": agencies}), encoding="utf-8")
    settings = Settings(
        store=f"sqlite:///{folder}/bro.sqlite", keys=folder / "keys", directory=folder / "directory.yaml"
    )
    create_keys(settings.keys)
    clock, endpoint = Clock(), Endpoint()
    parts = replace(build(settings, clock=clock), push=endpoint)
    return Installation(folder, settings, parts, clock, endpoint)


def consent_form() -> dict[str, Any]:
    """To NAV, about work and economy, signed."""
    return {
        "type": "samtykke.gitt",
        "melding": {"id": "skjema-1", "sendt": "2031-02-01T09:00:00+01:00"},
        "person": {"id": PERSON},
        "samtykke": {
            "serie": "skjema-1",
            "versjon": 1,
            "beslutning": "tillat",
            "gyldig_fra": "2031-01-01",
            "gyldig_til": "2031-12-31",
            "signert": True,
            "forklart": True,
            "tekstversjon": "deling-2031-1",
            "form": "skriftlig",
            "gitt_av": "pasient",
            "slag": "deling",
        },
        "avsendere": ["prison"],
        "mottakere": ["nav_municipal"],
        "formal": ["return_to_society"],
        "kategorier": ["identity", "coordination", "custody", "work", "economy"],
    }


def withdrawal_form() -> dict[str, Any]:
    return {
        "type": "samtykke.trukket",
        "melding": {"id": "trukket-1", "sendt": "2031-03-01T13:00:00+01:00"},
        "person": {"id": PERSON},
        "samtykke": {"serie": "skjema-1"},
        "tidspunkt": "2031-03-01T13:00:00+01:00",
    }


def mapping_form(number: int) -> dict[str, Any]:
    """A BRIK with a need for work and a marker in the name."""
    return {
        "type": "brik.kartlegging",
        "melding": {"id": f"brik-{number}", "sendt": "2031-03-01T10:00:00+01:00"},
        "person": {"id": PERSON, "navn": CANARY},
        "enhet": "Nordli",
        "tilbud": {"status": "gjennomfort", "dato": "2031-02-20"},
        "kommuner": {"opphold": "9901"},
        "arbeid": {"behov": "noe", "onske": True},
        "okonomi": {"behov": "stort", "onske": True},
    }
