"""Understands access tokens in the Maskinporten shape: whose they are, or why they are not valid here.

A token is a JWT signed by the one trusted issuer with an asymmetric key that the issuer publishes.
Whatever is wrong with one, the answer is the same `receive.unauthenticated`: a caller who does not
hold a valid token learns nothing of what the hub checks. When the issuer's keys cannot be read, no
token is valid. It knows no routes and no messages.
"""

from __future__ import annotations

import base64
import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import CompactSignature, JWSRegistry

from hub.directory import Directory
from hub.errors import HubError
from hub.message import Agency

log = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "PS256", "ES256")
LEEWAY_SECONDS = 10
AUTHORITY = "iso6523-actorid-upis"
ORG_PREFIX = "0192:"
_MAX_TOKEN_CHARACTERS = 8192
_MAX_JWKS_BYTES = 256 * 1024
_MIN_RSA_BITS = 2048
_READ_AGAIN_SECONDS = 60.0  # at most once a minute, however many unknown key ids arrive
_FIRST_READ_AGAIN_SECONDS = 5.0  # while there are no keys at all, the issuer may just be starting
_KEYS_GOOD_SECONDS = 3600.0  # a key the issuer took away stops working within the hour
_FETCH_TIMEOUT = httpx.Timeout(5.0)


class Scope(StrEnum):
    """What a token may be used for."""

    WRITE = "bro:messages.write"
    READ = "bro:messages.read"
    PREVIEW = "bro:decisions.preview"


PublicKey = RSAKey | ECKey
Keys = Mapping[str, PublicKey]


class Source(Protocol):
    """Where the issuer's key document comes from. Raises OSError or ValueError when it cannot."""

    def __call__(self) -> bytes: ...


def file_source(path: Path) -> Source:
    """The key document in a file."""
    return path.read_bytes


def url_source(url: str) -> Source:
    """The key document at the issuer: no redirects, no proxy from the environment, bounded."""

    def fetch() -> bytes:
        client = httpx.Client(timeout=_FETCH_TIMEOUT, follow_redirects=False, trust_env=False)
        try:
            with client, client.stream("GET", url) as response:
                if response.status_code != 200:
                    raise OSError("the issuer did not give its keys")
                document = b""
                for part in response.iter_bytes():
                    document += part
                    if len(document) > _MAX_JWKS_BYTES:
                        raise ValueError("the issuer's key document is too large")
                return document
        except httpx.HTTPError as error:
            raise OSError("the issuer does not answer") from error

    return fetch


def read_keys(document: bytes) -> Keys:
    """The usable signature keys of a JWKS by key id; ValueError, KeyError or TypeError
    when the document is no JWKS.

    Left out: symmetric and private keys, encryption keys, weak RSA, curves other than P-256, keys
    without an id, and every key of an id that stands twice.
    """
    entries = json.loads(document)["keys"] if document else None
    if not isinstance(entries, list):
        raise TypeError("not a key set")
    keys: dict[str, PublicKey] = {}
    seen: set[str] = set()
    for entry in entries:
        kid = entry.get("kid") if isinstance(entry, dict) else None
        if not isinstance(kid, str) or not kid:
            continue
        if kid in seen:
            keys.pop(kid, None)
            continue
        seen.add(kid)
        key = _public_key(entry)
        if key is not None:
            keys[kid] = key
    return keys


def _public_key(entry: Mapping[str, Any]) -> PublicKey | None:
    if "d" in entry or entry.get("use", "sig") != "sig":
        return None
    try:
        if entry.get("kty") == "RSA":
            return RSAKey.import_key(dict(entry)) if _bits(entry["n"]) >= _MIN_RSA_BITS else None
        if entry.get("kty") == "EC" and entry.get("crv") == "P-256":
            return ECKey.import_key(dict(entry))
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return None


def _bits(modulus: str) -> int:
    """The size of an RSA key, asked before the library sees it: it warns where we refuse."""
    return int.from_bytes(base64.urlsafe_b64decode(modulus + "==")).bit_length()


class IssuerKeys:
    """The issuer's keys, kept, and read again when an unknown key id appears."""

    def __init__(self, source: Source, monotonic: Callable[[], float]) -> None:
        self._source = source
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._keys: Keys = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None

    def get(self, kid: str) -> PublicKey | None:
        """The key of that id, or None when the issuer has none, or cannot be asked."""
        with self._lock:
            if self._read_at is not None and self._monotonic() - self._read_at > _KEYS_GOOD_SECONDS:
                self._read()
            if kid not in self._keys:
                self._read()
            return self._keys.get(kid)

    def _read(self) -> None:
        now = self._monotonic()
        pause = _READ_AGAIN_SECONDS if self._keys else _FIRST_READ_AGAIN_SECONDS
        if self._tried_at is not None and now - self._tried_at < pause:
            return
        self._tried_at = now
        try:
            self._keys = read_keys(self._source())
            self._read_at = now
        except (OSError, ValueError, KeyError, TypeError):
            log.warning("issuer keys unreadable", extra={"action": "issuer-keys-unreadable"})
            if self._read_at is not None and now - self._read_at > _KEYS_GOOD_SECONDS:
                self._keys = {}


@dataclass(frozen=True)
class Tokens:
    """Judges tokens. `keys` None means that no issuer is configured: no token is valid."""

    issuer: str
    audience: str
    keys: IssuerKeys | None
    directory: Directory
    clock: Callable[[], datetime]

    def agency(self, authorization: str | None, scope: Scope) -> Agency:
        """The agency the token speaks for. Raises `receive.unauthenticated`,
        `receive.scope-missing` or `receive.agency-unknown`."""
        claims = self._claims(authorization)
        scopes = claims.get("scope")
        if not isinstance(scopes, str) or scope.value not in scopes.split(" "):
            raise HubError("receive.scope-missing")
        party = self.directory.get(_organisation(claims))
        if party is None:
            raise HubError("receive.agency-unknown")
        return party.agency

    def _claims(self, authorization: str | None) -> Mapping[str, Any]:
        kind, _, token = (authorization or "").partition(" ")
        if kind.lower() != "bearer" or not token or len(token) > _MAX_TOKEN_CHARACTERS:
            raise HubError("receive.unauthenticated")
        try:
            registry = JWSRegistry(algorithms=list(ALGORITHMS))
            claims = jwt.decode(token, self._key, registry=registry).claims
        except (JoseError, ValueError, TypeError, KeyError):
            raise HubError("receive.unauthenticated") from None
        if not self._in_force(claims):
            raise HubError("receive.unauthenticated")
        return claims

    def _key(self, signature: Any) -> PublicKey:
        if not isinstance(signature, CompactSignature) or self.keys is None:
            raise ValueError("no key")
        header = signature.headers()
        kid = header.get("kid")
        if not isinstance(kid, str) or header.get("alg") not in ALGORITHMS or "crit" in header:
            raise ValueError("no key")
        key = self.keys.get(kid)
        wanted = ECKey if header["alg"] == "ES256" else RSAKey
        if not isinstance(key, wanted) or key.get("alg") not in (None, header["alg"]):
            raise ValueError("no key")
        return key

    def _in_force(self, claims: Mapping[str, Any]) -> bool:
        now = self.clock().timestamp()
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        expires, issued = _moment(claims, "exp"), _moment(claims, "iat")
        starts = _moment(claims, "nbf") if "nbf" in claims else issued
        return (
            bool(self.issuer)
            and bool(self.audience)
            and claims.get("iss") == self.issuer
            and self.audience in audiences
            and expires is not None
            and issued is not None
            and starts is not None
            and expires > now - LEEWAY_SECONDS
            and issued <= now + LEEWAY_SECONDS
            and starts <= now + LEEWAY_SECONDS
        )


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _organisation(claims: Mapping[str, Any]) -> str:
    consumer = claims.get("consumer")
    if not isinstance(consumer, dict) or consumer.get("authority") != AUTHORITY:
        raise HubError("receive.agency-unknown")
    actor = consumer.get("ID")
    if not isinstance(actor, str) or not actor.startswith(ORG_PREFIX):
        raise HubError("receive.agency-unknown")
    return actor.removeprefix(ORG_PREFIX)
