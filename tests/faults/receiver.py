"""Understands a recipient that outlives the hub: it writes down all that reaches it, copies too.

Now and then it takes a message and lets the line go dead before it answers, as real ones do.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from hub.doors.webhook import verify


class Receiver:
    """`got` has every copy in order of arrival: disclosure and body."""

    def __init__(self, secret: bytes, *, silent: float = 0.05, seed: int = 1) -> None:
        self.got: list[tuple[str, bytes]] = []
        self.forged = 0
        self._lock = threading.Lock()
        chance, receiver = random.Random(seed), self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver._lock:
                    if verify(secret, dict(self.headers.items()), body, datetime.now(UTC)):
                        receiver.got.append((self.headers["webhook-id"], body))
                    else:
                        receiver.forged += 1
                    silent_now = chance.random() < silent
                if silent_now:
                    self.close_connection = True
                    return
                self.send_response(204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Nothing of a message goes to a log."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def once(self) -> list[str]:
        """Each disclosure once, in the order in which it came first."""
        return list(dict.fromkeys(disclosure for disclosure, _ in self.got))

    def copies_that_differ(self) -> list[str]:
        bodies = Counter(disclosure for disclosure, _ in set(self.got))
        return [disclosure for disclosure, count in bodies.items() if count > 1]
