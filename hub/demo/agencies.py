"""Understands the simulated agencies of the demo: real clients and servers on loopback.

Each speaks its own format over its own door. They know the hub by its addresses only, and what they
got is what the story's facts are read from: the recipients' side, not the hub's.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from hub.api.client import AgencyClient
from hub.doors.webhook import verify


@dataclass(frozen=True)
class Got:
    """One message that reached an agency."""

    disclosure: str
    media_type: str
    body: bytes = field(repr=False)


class InboxAgency:
    """Comes for its messages: list, fetch, acknowledge."""

    def __init__(self, client: AgencyClient) -> None:
        self.client = client
        self.got: list[Got] = []

    def post(self, media_type: str, body: bytes) -> Mapping[str, Any]:
        return self.client.post_message(media_type, body)

    def collect(self) -> None:
        """Fetch and acknowledge everything that lies in the inbox."""
        after: str | None = None
        while entries := self.client.inbox(after=after)["entries"]:
            for entry in entries:
                fetched = self.client.fetch(entry["id"])
                self.got.append(Got(fetched.disclosure, fetched.media_type, fetched.body))
                self.client.acknowledge(entry["id"])
                after = entry["position"]


class WebhookAgency(InboxAgency):
    """Is called by the hub. Checks the signature, drops copies by their id, can be taken down."""

    def __init__(self, client: AgencyClient, port: int, secret: bytes) -> None:
        super().__init__(client)
        self.calls = 0
        self._port = port
        self._secret = secret
        self._server: ThreadingHTTPServer | None = None
        self.up()

    def up(self) -> None:
        """Answer on our port."""
        agency = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(agency.take(dict(self.headers.items()), body))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing of a message goes to a log."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def down(self) -> None:
        """Stop answering: connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        """The HTTP status for one call. A copy of what we have is answered like the first."""
        self.calls += 1
        if not verify(self._secret, headers, body, datetime.now(UTC)):
            return 401
        disclosure = headers.get("webhook-id", headers.get("Webhook-Id", ""))
        if all(got.disclosure != disclosure for got in self.got):
            self.got.append(Got(disclosure, headers["Content-Type"], body))
        return 204

    def collect(self) -> None:
        """Nothing to come for: messages come to us."""
