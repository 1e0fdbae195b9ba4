"""Understands how much the API takes in: body size, bodies at a time, time to send one.

The size is counted while bytes arrive, so a wrong or absent Content-Length changes nothing, and
reading stops at the limit. It knows no routes and no formats.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect, Request

from adapters.safe_xml import ENCODINGS
from hub.errors import Finding, HubError

_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,63}/[a-z0-9!#$&^_.+-]{1,63}")
_CHARSET = re.compile(r"charset\s*=\s*\"?([^\";\s]+)", re.IGNORECASE)


class Bodies:
    """Reads bodies for one app, never more than `uploads` of them at the same time."""

    def __init__(self, *, limit: int, uploads: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._places = asyncio.Semaphore(uploads)

    @asynccontextmanager
    async def of(self, request: Request) -> AsyncIterator[bytes]:
        """The whole body, which keeps its place until the block is left. Raises
        `receive.too-large`, `receive.busy` or `receive.request-invalid`."""
        self._refuse_announced(request)
        try:
            async with asyncio.timeout(self._seconds):
                await self._places.acquire()
        except TimeoutError:
            raise HubError("receive.busy") from None
        try:
            yield await self._read(request)
        finally:
            self._places.release()

    def _refuse_announced(self, request: Request) -> None:
        """Refuse on the headers alone what need not be read at all."""
        length = request.headers.get("content-length", "")
        if length.isascii() and length.isdigit() and int(length[:20]) > self._limit:
            raise HubError("receive.too-large")
        if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise _invalid("header.content-encoding", "identity", "a body that is not compressed")

    async def _read(self, request: Request) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(self._seconds):
                async for part in request.stream():
                    if len(body) + len(part) > self._limit:
                        raise HubError("receive.too-large")
                    body += part
        except TimeoutError:
            raise _invalid("body", "too-slow", f"the whole body within {self._seconds:g} seconds") from None
        except ClientDisconnect:
            raise _invalid("body", "cut-off", "the whole body") from None
        return bytes(body)


def accepted_types(request: Request) -> list[str]:
    """The media types that a caller accepts, without parameters, as it names them; "" where it names none."""
    return [part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")]


def media_type(request: Request) -> str:
    """The media type of the body without its parameters. Only UTF-8 may be announced, or, but for JSON,
    another encoding that is read here; for XML the charset stays, because the document says one, too."""
    stated = request.headers.getlist("content-type")
    if len(stated) != 1:
        raise _invalid("header.content-type", "required", "one media type")
    essence, _, parameters = stated[0].partition(";")
    essence = essence.strip().lower()
    if not _MEDIA_TYPE.fullmatch(essence):
        raise _invalid("header.content-type", "media-type", "a media type, such as application/json")
    charset = _CHARSET.search(parameters)
    if charset is None:
        return essence
    name = charset.group(1).lower()
    if name not in (() if essence.endswith("json") else ENCODINGS) and name not in ("utf-8", "utf8"):
        raise _invalid("header.content-type", "charset", "utf-8 or no charset")
    return f"{essence}; charset={name}" if essence.endswith("xml") else essence


def _invalid(at: str, rule: str, expected: str) -> HubError:
    return HubError("receive.request-invalid", [Finding(at=at, rule=rule, expected=expected)])
