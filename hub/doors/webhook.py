"""Understands pushing one message to an agency's webhook, and checking such a push.

Standard Webhooks: `webhook-id` is the disclosure id (the same for every copy, so that the receiver
can drop repeats), `webhook-timestamp` seconds since 1970, `webhook-signature` `v1,` and base64 of
HMAC-SHA256 over `<id>.<timestamp>.<body>`. The address comes from the directory and nowhere else;
no redirect and no proxy can move it, and of the answer only the status counts. It decides nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from datetime import datetime

import certifi
import httpcore

from hub.directory import Directory
from hub.errors import HubError
from hub.message import Rendered
from hub.permit import SendPermit

TOLERANCE_SECONDS = 300
_READ_AT_MOST = 1024
_TRY_AGAIN = frozenset({408, 425, 429})
_CONNECTIONS = 32

_deadline: ContextVar[float] = ContextVar("deadline")
"""When the current attempt has to be over, on the monotonic clock."""


class Webhook:
    """Pushes to the agencies of one directory. Safe to share between threads."""

    def __init__(
        self,
        directory: Directory,
        timeout: float,
        *,
        clock: Callable[[], float] = time.time,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        """`timeout` is for a whole attempt, in seconds. `trusted` are the certificate authorities
        when they are others than the usual ones; certificates are checked in any case."""
        context = trusted or ssl.create_default_context(cafile=certifi.where())
        if context.verify_mode is not ssl.CERT_REQUIRED or not context.check_hostname:
            raise ValueError("certificates are always checked")
        # At DEBUG the library logs what the recipient answers, and that may quote our message.
        logging.getLogger("httpcore").setLevel(logging.WARNING)
        self._directory = directory
        self._timeout = timeout
        self._clock = clock
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=_CONNECTIONS,
            keepalive_expiry=15.0,
            network_backend=_OnTime(httpcore.SyncBackend()),
        )

    def send(self, permit: SendPermit, rendered: Rendered) -> None:
        """One attempt. Returns when the recipient has it; `hand-over.refused` when it will not take
        it, `hand-over.unavailable` when it may later (it may even have it: the id tells)."""
        party = self._directory.get(permit.recipient.org)
        if party is None or party.webhook is None or rendered.recipient.org != permit.recipient.org:
            raise HubError("hub.internal")
        headers = {
            "Content-Type": rendered.media_type,
            "User-Agent": "brobygger",
            **signed(party.webhook.secret, permit.disclosure, int(self._clock()), rendered.body),
        }
        permit.spend()
        status = self._post(party.webhook.url, headers, rendered.body)
        if 200 <= status < 300:
            return
        raise HubError(
            "hand-over.unavailable" if status in _TRY_AGAIN or status >= 500 else "hand-over.refused"
        )

    def close(self) -> None:
        """Close idle connections."""
        self._pool.close()

    def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        mark = _deadline.set(time.monotonic() + self._timeout)
        waits = dict.fromkeys(("connect", "read", "write", "pool"), self._timeout)
        lines = [*((name, value) for name, value in headers.items()), ("Content-Length", str(len(body)))]
        try:
            with self._pool.stream(
                "POST",
                url,
                headers=[("Host", _host(url)), *lines],
                content=body,
                extensions={"timeout": waits},
            ) as response:
                _discard(response.iter_stream())
                return response.status
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError):
            raise HubError("hand-over.unavailable") from None
        finally:
            _deadline.reset(mark)


def signed(secret: bytes, identifier: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of a push."""
    return {
        "webhook-id": identifier,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": "v1," + _signature(secret, identifier, str(timestamp), body),
    }


def verify(secret: bytes, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether a push was signed with this secret, over this body, within five minutes. `headers` may
    be in any case. Several signatures (a key being changed) stand side by side with a blank."""
    lower = {name.lower(): value for name, value in headers.items()}
    identifier = lower.get("webhook-id", "")
    timestamp = lower.get("webhook-timestamp", "")
    if not identifier or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    right = "v1," + _signature(secret, identifier, timestamp, body)
    given = lower.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(right.encode(), one.encode()) for one in given)


def _signature(secret: bytes, identifier: str, timestamp: str, body: bytes) -> str:
    content = f"{identifier}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()


def _host(url: str) -> str:
    parsed = httpcore.URL(url)
    return bytes(parsed.host).decode("ascii") + (f":{parsed.port}" if parsed.port else "")


def _discard(answer: Iterable[bytes]) -> None:
    """Read a short answer to its end, so that the connection can be used again; give up on a long
    one. None of it is looked at."""
    read = 0
    for part in answer:
        read += len(part)
        if read > _READ_AT_MOST:
            return


class _OnTime(httpcore.NetworkBackend):
    """Sockets that keep the deadline of the attempt. A timeout per read alone would let a recipient
    that answers one byte at a time hold a worker for ever."""

    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        return _OnTimeStream(
            self._backend.connect_tcp(
                host, port, _left(httpcore.ConnectTimeout), local_address, socket_options
            )
        )


class _OnTimeStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), 65536):  # a slow reader must not stretch one long write
            self._stream.write(buffer[start : start + 65536], _left(httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _OnTimeStream(
            self._stream.start_tls(ssl_context, server_hostname, _left(httpcore.ConnectTimeout))
        )

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def _left(too_late: type[httpcore.TimeoutException]) -> float:
    """Seconds the attempt still has."""
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise too_late("the attempt took too long")
    return left
