"""Understands who may look: whoever opened the address that the hub printed when it started.

The key in that address is exchanged for a cookie that ends after eight hours. Nothing is stored: the
cookie says when it ends, signed under a key drawn from the first, so a restart ends all of them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta

COOKIE = "bro_console"
LASTS = timedelta(hours=8)


class Door:
    """Checks keys and cookies, in constant time."""

    def __init__(self, key: str, clock: Callable[[], datetime]) -> None:
        if len(key) < 32:
            raise ValueError("a console key has at least 32 characters")
        self._key = hashlib.sha256(key.encode()).digest()
        self._signing = hmac.new(key.encode(), b"bro console cookie", hashlib.sha256).digest()
        self._clock = clock

    def opens(self, key: str) -> bool:
        given = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
        return hmac.compare_digest(given, self._key)

    def cookie(self) -> str:
        """A fresh one: when it ends, and the proof that we said so."""
        ends = int((self._clock() + LASTS).timestamp())
        return f"{ends}.{self._sign(str(ends))}"

    def knows(self, cookie: str | None) -> bool:
        ends, _, signature = (cookie or "").partition(".")
        good = hmac.compare_digest(signature.encode("utf-8", "replace"), self._sign(ends).encode())
        return good and int(ends) > self._clock().timestamp()

    def _sign(self, ends: str) -> str:
        return hmac.new(self._signing, ends.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
