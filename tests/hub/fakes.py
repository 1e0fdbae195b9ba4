"""Understands stand-ins for what the doors talk to: a hub in memory, agencies, an issuer's key.

The hub keeps what it was given in lists to look at; it decides nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from adapters.fiks.message import read_headers
from adapters.fiks.package import MEDIA_TYPE as PACKAGE
from hub.directory import Party, WebhookDoor
from hub.errors import Finding, HubError
from hub.message import Agency, Rendered, Sector
from hub.settings import Settings

CANARY = "kanari-7f3e-hemmelig"
NOW = datetime(2031, 3, 1, 12, 0, tzinfo=UTC)
ISSUER = "https://issuer.example/"
AUDIENCE = "https://hub.example/"
SECRET = b"an agency's webhook secret, 24+"

PRISON = Agency("310000108", "Fjordheim fengsel", Sector.PRISON)
NAV = Agency("310000116", "NAV Lia", Sector.NAV_MUNICIPAL)
STRANGER = Agency("310000124", "Ukjent etat", Sector.COURT)


def directory(*, url: str | None = None) -> Mapping[str, Party]:
    """The prison and NAV; NAV with a webhook at `url`."""
    webhook = WebhookDoor(url, SECRET) if url else None
    return {
        PRISON.org: Party(PRISON, amqp="k3v9q2m7x1pd"),
        NAV.org: Party(NAV, webhook, amqp="w8b5t4n6z0ra"),
    }


@dataclass(frozen=True)
class Stored:
    id: str
    message_id: str
    duplicate: bool


@dataclass
class FakeHub:
    """Stores JSON messages with an `id`; hands out what a test put into `inboxes`."""

    messages: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    inboxes: dict[str, dict[str, bytes]] = field(default_factory=dict)
    acknowledged: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    raises: list[Exception] = field(default_factory=list)
    receipts: bool = False

    def receive(self, sender: Agency, media_type: str, body: bytes) -> Stored:
        self.bodies.append(body)
        if self.raises:
            raise self.raises.pop(0)
        if media_type not in ("application/json", PACKAGE):
            raise HubError("parse.format-unknown")
        try:
            said = read_headers(body) if media_type == PACKAGE else json.loads(body)
            message_id = str(said["KlientMeldingId" if media_type == PACKAGE else "id"])
        except (ValueError, KeyError, TypeError):
            raise HubError("parse.malformed", [Finding("", "json", "a JSON object", 1, 1)]) from None
        key = "m_" + hashlib.sha256(f"{sender.org} {message_id}".encode()).hexdigest()[:12]
        digest = hashlib.sha256(body).hexdigest()
        before = self.messages.setdefault(key, (sender.org, message_id, digest))
        if before[2] != digest:
            raise HubError("receive.duplicate-id")
        return Stored(key, message_id, duplicate=len(self.bodies) != len(set(self.bodies)))

    def apprec(self, sender: Agency, body: bytes, refused: HubError | None) -> Rendered | None:
        said = b"1" if refused is None else refused.code.encode()
        return (
            Rendered(sender, "apprec", "application/xml", b"<AppRec>" + said + b"</AppRec>")
            if self.receipts
            else None
        )

    def of_message(self, reader: Agency, message_id: str) -> Mapping[str, Any]:
        if self.messages.get(message_id, ("",))[0] != reader.org:
            raise HubError("receive.not-found")
        return {"id": message_id, "state": "received"}

    def receipt(self, reader: Agency, consent_id: str, language: str) -> Mapping[str, Any]:
        raise HubError("receive.not-found")

    def preview(self, sender: Agency, media_type: str, body: bytes) -> Mapping[str, Any]:
        if self.raises:
            raise self.raises.pop()
        told = {"agreement": "a", "org": NAV.org, "name": NAV.name, "state": "accepted", "code": None}
        return {"recipients": [{**told, "withheld": None}]}

    def entries(self, reader: Agency, after: str | None, limit: int) -> Sequence[Mapping[str, Any]]:
        waiting = list(self.inboxes.get(reader.org, {}))
        numbered = [{"id": name, "position": str(index)} for index, name in enumerate(waiting, start=1)]
        return [entry for entry in numbered if int(str(entry["position"])) > int(after or 0)][:limit]

    def fetch(self, reader: Agency, disclosure: str) -> Rendered:
        if self.raises:
            raise self.raises.pop(0)
        body = self.inboxes.get(reader.org, {}).get(disclosure)
        if body is None:
            raise HubError("receive.not-found")
        return Rendered(reader, "brik_xml", "application/xml", body)

    def acknowledge(self, reader: Agency, disclosure: str) -> None:
        if disclosure not in self.inboxes.get(reader.org, {}):
            raise HubError("receive.not-found")
        self.acknowledged.append((reader.org, disclosure))


def settings(folder: Path, **changes: Any) -> Settings:
    """Settings that trust the key document in `folder`."""
    return Settings(issuer=ISSUER, audience=AUDIENCE, jwks_file=folder / "jwks.json", **changes)


def key_document(*keys: RSAKey | ECKey) -> bytes:
    return json.dumps({"keys": [key.as_dict(private=False) | {"use": "sig"} for key in keys]}).encode()


def claims(agency: Agency, **changes: Any) -> dict[str, Any]:
    """The claims of a token that is valid now; a change to None takes one away."""
    now = int(NOW.timestamp())
    whole = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + 120,
        "scope": "bro:messages.write bro:messages.read bro:decisions.preview",
        "consumer": {"authority": "iso6523-actorid-upis", "ID": f"0192:{agency.org}"},
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


def sign(key: RSAKey | ECKey, body: Mapping[str, Any], **header: Any) -> str:
    alg = header.pop("alg", "ES256" if isinstance(key, ECKey) else "RS256")
    whole = {"alg": alg, "kid": key.kid} | header
    return jwt.encode({k: v for k, v in whole.items() if v is not None}, dict(body), key, algorithms=[alg])


Sign = Callable[..., str]
