"""Understands how an agency's system talks to the hub: a token by assertion, then the REST door.

For the demo's agencies and for tests; it is also the shortest answer to "how do I connect". It knows
nothing of the hub but its addresses.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION_SECONDS = 60
_RENEW_SECONDS = 20
SCOPES = ("bro:messages.write", "bro:messages.read")
PREVIEW = "bro:decisions.preview"
"""Asked for only by those who try a message before they post it."""


class ProblemAnswer(Exception):
    """The hub said no, by code."""

    def __init__(self, problem: Mapping[str, Any], status: int) -> None:
        self.problem = problem
        self.status = status
        self.code = str(problem.get("code", ""))
        super().__init__(f"{status} {self.code}")


@dataclass(frozen=True)
class Fetched:
    """One message from the inbox, in the agency's own format."""

    disclosure: str
    media_type: str
    body: bytes = field(repr=False)


class AgencyClient:
    """One agency's system. Not shared between threads."""

    def __init__(
        self,
        hub_url: str,
        *,
        issuer_url: str,
        client_id: str,
        key: ECKey | RSAKey,
        scopes: tuple[str, ...] = SCOPES,
        clock: Callable[[], float] = time.time,
        timeout: float = 30.0,
    ) -> None:
        self._issuer_url = issuer_url
        self._client_id = client_id
        self._key = key
        self._scopes = scopes
        self._clock = clock
        self._http = httpx.Client(base_url=hub_url, timeout=timeout, trust_env=False)
        self._token = ""
        self._token_until = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def post_message(self, media_type: str, body: bytes) -> Mapping[str, Any]:
        """Post one message: id, message_id, status_url, duplicate; ProblemAnswer when refused."""
        answer = self._call("POST", "/v1/messages", content=body, headers={"Content-Type": media_type})
        return dict(answer.json())

    def status(self, message: str) -> Mapping[str, Any]:
        """Where a message of ours stands, by the id or the status_url from `post_message`."""
        path = message if message.startswith("/") else f"/v1/messages/{message}"
        return dict(self._call("GET", path).json())

    def inbox(self, after: str | None = None, limit: int = 50) -> Mapping[str, Any]:
        """One page: entries, and the `after` of the next."""
        params = {"limit": str(limit)} | ({"after": after} if after is not None else {})
        return dict(self._call("GET", "/v1/inbox", params=params).json())

    def fetch(self, disclosure: str) -> Fetched:
        """One entry in our own format."""
        answer = self._call("GET", f"/v1/inbox/{disclosure}")
        return Fetched(answer.headers["Bro-Disclosure-Id"], answer.headers["Content-Type"], answer.content)

    def acknowledge(self, disclosure: str) -> None:
        """Say that we have it safely."""
        self._call("POST", f"/v1/inbox/{disclosure}/acknowledgement")

    def token(self) -> str:
        """An access token that is good for a while yet."""
        if self._clock() > self._token_until - _RENEW_SECONDS:
            now = int(self._clock())
            answer = self._http.post(
                self._issuer_url.rstrip("/") + "/token",
                data={"grant_type": _GRANT, "assertion": self._assertion(now)},
            )
            if answer.status_code != 200:
                raise ProblemAnswer({"code": "receive.unauthenticated"}, answer.status_code)
            granted = answer.json()
            self._token, self._token_until = granted["access_token"], now + granted["expires_in"]
        return self._token

    def _assertion(self, now: int) -> str:
        alg = "ES256" if isinstance(self._key, ECKey) else "RS256"
        claims = {
            "aud": self._issuer_url,
            "iss": self._client_id,
            "scope": " ".join(self._scopes),
            "iat": now,
            "exp": now + _ASSERTION_SECONDS,
            "jti": secrets.token_urlsafe(16),
        }
        return jwt.encode({"alg": alg, "kid": self._key.kid}, claims, self._key, algorithms=[alg])

    def _call(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        answer = self._http.request(
            method,
            path,
            content=content,
            params=params,
            headers={"Authorization": f"Bearer {self.token()}", **(headers or {})},
        )
        if answer.status_code >= 300:
            problem = answer.headers.get("content-type", "").startswith("application/problem+json")
            raise ProblemAnswer(answer.json() if problem else {}, answer.status_code)
        return answer
