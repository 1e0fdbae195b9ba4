"""Understands the outermost layer of the API: nothing raw gets out, and every answer is guarded.

It turns whatever escaped into `hub.internal`, logs where that was without saying what was in it
(an exception's text may hold a value of a message), and sets the security headers an answer lacks.
"""

from __future__ import annotations

import asyncio
import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api import fhir
from hub.api.problem import answer
from hub.errors import HubError
from hub.fault import where

log = logging.getLogger(__name__)

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_LINGER_BYTES = 256 * 1024
_LINGER_SECONDS = 2.0
"""What is still taken in and thrown away after a refusal, at most: enough for an honest caller to end
its request and read why it was refused, nothing worth having for anybody else."""


class Guard:
    """Wraps an ASGI app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False
        unread = _announces_body(scope)

        async def reading() -> Message:
            nonlocal unread
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                unread = False
            return message

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if unread:  # nobody will read the rest, so the connection cannot be used again
                    headers["Connection"] = "close"
            elif unread and message["type"] == "http.response.body" and not message.get("more_body", False):
                # Closing while bytes still come in resets the connection, and the caller may then
                # never see the answer (RFC 9112 section 9.6). So: the answer, the rest, the end.
                await send({**message, "more_body": True})
                await _drain(receive)
                message = {"type": "http.response.body", "body": b"", "more_body": False}
            await send(message)

        try:
            await self._app(scope, reading, guarded)
        except Exception as error:  # noqa: BLE001  the last place that can keep a value out of the logs
            log.error(
                "unexpected fault in the API",
                extra={"action": "api-fault", "error": type(error).__name__, "where": where(error)},
            )
            # Once an answer has begun the connection is simply cut: the caller sees it incomplete.
            if not started:
                refuse = fhir.refused if fhir.speaks(scope["path"]) else answer
                await refuse(HubError("hub.internal"))(scope, receive, guarded)


async def _drain(receive: Receive) -> None:
    """Read on without keeping anything, until the caller is done or has had its share."""
    left, ends = _LINGER_BYTES, time.monotonic() + _LINGER_SECONDS
    while left > 0 and (patience := ends - time.monotonic()) > 0:
        try:
            message = await asyncio.wait_for(receive(), patience)
        except TimeoutError:
            return
        if message["type"] != "http.request" or not message.get("more_body", False):
            return
        left -= max(len(message.get("body", b"")), 1)


def _announces_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
