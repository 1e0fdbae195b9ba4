"""Understands the demo's own token issuer: client assertions in, access tokens out.

The Maskinporten shape: `POST /token` with the JWT grant (RFC 7523), a client proved by its own key,
`consumer.ID` as an ISO 6523 organisation number, keys at `/jwks`. It is a separate app so that the
hub trusts it only through its published keys, as it would trust the real one. It knows nothing of
the hub.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ALGORITHMS = ("RS256", "PS256", "ES256")
ASSERTION_SECONDS = 120
TOKEN_SECONDS = 120
_LEEWAY_SECONDS = 10
_MAX_FORM_BYTES = 16 * 1024
_REQUIRED = frozenset({"aud", "iss", "scope", "iat", "exp", "jti"})
_KNOWN = _REQUIRED | {"resource"}


class Refused(Exception):
    """An OAuth error code (RFC 6749, 5.2). Its text is that code, and tells nothing more."""


@dataclass(frozen=True)
class Client:
    """A registered client: the system of one organisation, known by its public key."""

    client_id: str
    org: str
    public_key: RSAKey | ECKey = field(repr=False)
    scopes: frozenset[str]


class Issuer:
    """Exchanges assertions for tokens. `url` is its `iss` and what assertions must have as `aud`."""

    def __init__(
        self,
        url: str,
        *,
        audience: str,
        key: RSAKey | ECKey,
        clients: Iterable[Client],
        clock: Callable[[], datetime],
    ) -> None:
        key.ensure_kid()
        self.url = url
        self._audience = audience
        self._key = key
        self._clients = {client.client_id: client for client in clients}
        self._clock = clock
        self._used: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def jwks(self) -> Mapping[str, Any]:
        """The public half of the signing key."""
        alg = "RS256" if isinstance(self._key, RSAKey) else "ES256"
        return {"keys": [{**self._key.as_dict(private=False), "use": "sig", "alg": alg}]}

    def token(self, assertion: str) -> Mapping[str, Any]:
        """The token answer for a client's assertion, or Refused."""
        now = self._clock().timestamp()
        client, claims = self._proved(assertion)
        if set(claims) - _KNOWN:
            raise Refused("invalid_request")
        if not set(claims) >= _REQUIRED or claims["aud"] != self.url:
            raise Refused("invalid_grant")
        issued, expires, used = claims["iat"], claims["exp"], claims["jti"]
        if not all(isinstance(moment, int) and not isinstance(moment, bool) for moment in (issued, expires)):
            raise Refused("invalid_grant")
        in_force = issued <= now + _LEEWAY_SECONDS and expires > now - _LEEWAY_SECONDS
        if not in_force or not 0 < expires - issued <= ASSERTION_SECONDS:
            raise Refused("invalid_grant")
        scopes = claims["scope"].split(" ") if isinstance(claims["scope"], str) else []
        if not scopes or not client.scopes.issuperset(scopes):
            raise Refused("invalid_scope")
        if claims.get("resource", self._audience) != self._audience:
            raise Refused("invalid_target")
        if not isinstance(used, str) or not used or not self._first_use(client, used, expires, now):
            raise Refused("invalid_grant")
        return {
            "access_token": self._sign(client, scopes, int(now)),
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "scope": " ".join(scopes),
        }

    def _proved(self, assertion: str) -> tuple[Client, Mapping[str, Any]]:
        """The client whose key signed this, and what it says."""

        def key_of_issuer(signature: Any) -> RSAKey | ECKey:
            claimed = _unproved_issuer(signature.payload)
            client = self._clients.get(claimed)
            wanted = ECKey if signature.headers().get("alg") == "ES256" else RSAKey
            if client is None or not isinstance(client.public_key, wanted):
                raise ValueError("no key")
            if signature.headers().get("kid") != client.public_key.kid:
                raise ValueError("no key")
            return client.public_key

        try:
            registry = JWSRegistry(algorithms=list(ALGORITHMS))
            claims = jwt.decode(assertion, key_of_issuer, registry=registry).claims
        except (JoseError, ValueError, TypeError, KeyError):
            raise Refused("invalid_grant") from None
        return self._clients[claims["iss"]], claims

    def _first_use(self, client: Client, jti: str, expires: float, now: float) -> bool:
        with self._lock:
            self._used = {key: until for key, until in self._used.items() if until > now}
            if (client.client_id, jti) in self._used:
                return False
            self._used[client.client_id, jti] = expires + _LEEWAY_SECONDS + 1
            return True

    def _sign(self, client: Client, scopes: list[str], now: int) -> str:
        alg = "RS256" if isinstance(self._key, RSAKey) else "ES256"
        claims = {
            "iss": self.url,
            "aud": self._audience,
            "client_id": client.client_id,
            "client_amr": "private_key_jwt",
            "token_type": "Bearer",
            "scope": " ".join(scopes),
            "consumer": {"authority": "iso6523-actorid-upis", "ID": f"0192:{client.org}"},
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "jti": secrets.token_urlsafe(16),
        }
        return jwt.encode({"alg": alg, "kid": self._key.kid}, claims, self._key, algorithms=[alg])


def _unproved_issuer(payload: bytes) -> str:
    """Who the assertion claims to come from: only used to find the key that must prove it."""
    claims = json.loads(payload)
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    if not isinstance(issuer, str):
        raise TypeError("no issuer")
    return issuer


def create_issuer(issuer: Issuer) -> Starlette:
    """The issuer as an ASGI app."""

    async def token(request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _MAX_FORM_BYTES:
                return _error("invalid_request")
        try:
            form = parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=10)
        except ValueError:
            return _error("invalid_request")
        if form.get("grant_type") != [GRANT]:
            return _error("unsupported_grant_type")
        if len(form.get("assertion", [])) != 1 or set(form) != {"grant_type", "assertion"}:
            return _error("invalid_request")
        try:
            answer = await run_in_threadpool(issuer.token, form["assertion"][0])
        except Refused as refused:
            return _error(str(refused))
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    async def jwks(request: Request) -> Response:
        return JSONResponse(issuer.jwks())

    async def metadata(request: Request) -> Response:
        base = issuer.url.rstrip("/")
        return JSONResponse(
            {
                "issuer": issuer.url,
                "token_endpoint": f"{base}/token",
                "jwks_uri": f"{base}/jwks",
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                "grant_types_supported": [GRANT],
                "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
            }
        )

    return Starlette(
        routes=[
            Route("/token", token, methods=["POST"]),
            Route("/jwks", jwks, methods=["GET"]),
            Route("/.well-known/oauth-authorization-server", metadata, methods=["GET"]),
        ]
    )


def _error(code: str) -> Response:
    return JSONResponse({"error": code}, status_code=400, headers={"Cache-Control": "no-store"})


def new_client_key() -> ECKey:
    """A private key for a client, with its id."""
    key = ECKey.generate_key("P-256")
    key.ensure_kid()
    return key


def public_half(key: ECKey | RSAKey) -> ECKey | RSAKey:
    """What a client registers with the issuer."""
    kind = ECKey if isinstance(key, ECKey) else RSAKey
    return kind.import_key(key.as_dict(private=False))
