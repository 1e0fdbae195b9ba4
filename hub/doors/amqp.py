"""Understands the AMQP doors: messages in, and notifications out, on queues of each agency's own.

    bro.in.<opaque>      exchange and quorum queue: the agency's user may write to the exchange only
    bro.reply.<opaque>   what became of each: a receipt or a problem document, by correlation id
    bro.out.<opaque>     notifications: fetch this from the REST door; the fetch is the hand-over
    bro.dead.<opaque>    what the hub could not take for a fault of its own, kept for operations

Who sent a message is told by the queue it came through, which is why only that agency may write to
it. A message is acknowledged when the store has it, or when its sender has been told why not; dying
in between gives it again, and the sender's message id makes it a duplicate. Names are opaque and a
notification carries an id: neither tells of an agency, a person or a type.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError, ConsumerCancelled
from pika.spec import Basic, BasicProperties

from hub.api.facade import Accepted
from hub.api.problem import document, public
from hub.directory import Directory
from hub.errors import HubError
from hub.fault import where
from hub.message import Agency
from hub.permit import SendPermit

log = logging.getLogger(__name__)

Receive = Callable[[Agency, str, bytes], Accepted]

_PERSISTENT = 2
_DELIVERY_LIMIT = 20
_REPLIES_KEPT = 100_000
_REPLY_SECONDS = 7 * 24 * 3600
_BUSY_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)  # while the hub is busy: the last one again and again
_FAULT_ATTEMPTS = 3
_RECONNECT_PAUSES = (0.2, 0.5, 1.0, 2.0)
_IDLE_SECONDS = 0.2
_STOP_SECONDS = 10.0


def permissions(opaque: str) -> Mapping[str, str]:
    """What the agency's broker user may do, as regular expressions for `set_permissions`."""
    return {
        "configure": "^$",
        "write": rf"^bro\.in\.{opaque}$",
        "read": rf"^bro\.(reply|out)\.{opaque}$",
    }


def declare(channel: BlockingChannel, opaque: str) -> None:
    """The exchange and queues of one agency. Declaring again what is there changes nothing."""
    quorum = {"x-queue-type": "quorum"}
    channel.queue_declare(f"bro.dead.{opaque}", durable=True, arguments=quorum)
    channel.queue_declare(f"bro.out.{opaque}", durable=True, arguments=quorum)
    # Replies are a convenience beside the status address, so the oldest may go: an agency that never
    # reads them must not fill the broker.
    limits = {"x-max-length": _REPLIES_KEPT, "x-message-ttl": _REPLY_SECONDS * 1000}
    channel.queue_declare(f"bro.reply.{opaque}", durable=True, arguments=quorum | limits)
    incoming = f"bro.in.{opaque}"
    channel.queue_declare(
        incoming,
        durable=True,
        arguments=quorum
        | {
            "x-single-active-consumer": True,  # an agency's messages stay in their order
            "x-delivery-limit": _DELIVERY_LIMIT,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": f"bro.dead.{opaque}",
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )
    channel.exchange_declare(incoming, exchange_type="fanout", durable=True)
    channel.queue_bind(incoming, incoming)


class Incoming:
    """Takes what the agencies of the directory put on their queues."""

    def __init__(self, amqp_url: str, directory: Directory, receive: Receive, *, max_body_bytes: int) -> None:
        self._parameters = _parameters(amqp_url)
        self._agencies = {party.amqp: party.agency for party in directory.values() if party.amqp}
        self._receive = receive
        self._max_body_bytes = max_body_bytes

    def run(self, stop: threading.Event) -> None:
        """Take in for every agency until told to stop. Blocks: give it a thread of its own.

        Each agency has a thread and a connection, because a call to a broker queue that has lost its
        leader does not come back for a minute, and must not hold up the others.
        """
        threads = [
            threading.Thread(target=self.serve, args=(opaque, agency, stop), daemon=True)
            for opaque, agency in self._agencies.items()
        ]
        for thread in threads:
            thread.start()
        stop.wait()
        deadline = time.monotonic() + _STOP_SECONDS
        for thread in threads:
            # One still held by the broker dies with the process: what it had comes again.
            thread.join(max(0.0, deadline - time.monotonic()))

    def serve(self, opaque: str, agency: Agency, stop: threading.Event) -> None:
        """Take in for one agency until told to stop; a broker that goes away is waited for."""
        failures = 0
        while not stop.is_set():
            try:
                with _connection(self._parameters) as connection:
                    self._consume(connection, opaque, agency, stop)
            except (AMQPError, OSError) as error:
                log.warning(
                    "AMQP door lost the broker",
                    extra={"action": "amqp-lost", "error": type(error).__name__},
                )
                stop.wait(_RECONNECT_PAUSES[min(failures, len(_RECONNECT_PAUSES) - 1)])
                failures += 1

    def _consume(
        self, connection: pika.BlockingConnection, opaque: str, agency: Agency, stop: threading.Event
    ) -> None:
        channel = connection.channel()
        declare(channel, opaque)
        channel.confirm_delivery()
        channel.basic_qos(prefetch_count=1)
        channel.basic_consume(f"bro.in.{opaque}", _Taking(self, connection, stop, opaque, agency))
        while not stop.is_set():
            if not channel.consumer_tags:  # the broker cancels consumers when a queue loses its leader
                raise ConsumerCancelled
            connection.process_data_events(_IDLE_SECONDS)

    def judge(
        self, agency: Agency, properties: BasicProperties, body: bytes, pause: Callable[[float], bool]
    ) -> dict[str, Any] | None:
        """The reply to one message, or None when it has to come again. `pause` waits and says
        whether to go on."""
        busy = faults = 0
        while True:
            try:
                return self._reply(agency, properties, body)
            except HubError as error:
                told = public(error.problem).code
                if told not in ("receive.busy", "hub.internal"):
                    return document(error.code, error.findings)
                faults += told == "hub.internal"
            except Exception as error:  # noqa: BLE001  its text may hold a value: only its place is logged
                faults += 1
                log.error(
                    "unexpected fault at the AMQP door",
                    extra={"action": "amqp-fault", "error": type(error).__name__, "where": where(error)},
                )
            if faults >= _FAULT_ATTEMPTS:
                return document("hub.internal")
            if not pause(_BUSY_PAUSES[min(busy, len(_BUSY_PAUSES) - 1)]):
                return None
            busy += 1

    def _reply(self, agency: Agency, properties: BasicProperties, body: bytes) -> dict[str, Any]:
        if len(body) > self._max_body_bytes:
            raise HubError("receive.too-large")
        stated = (properties.content_type or "").strip().lower()
        accepted = self._receive(agency, stated, body)
        return {
            "id": accepted.id,
            "message_id": accepted.message_id,
            "status_url": f"/v1/messages/{accepted.id}",
            "duplicate": accepted.duplicate,
        }


class _Taking:
    """One agency's queue on one connection: judge, reply, acknowledge, in that order."""

    def __init__(
        self,
        door: Incoming,
        connection: pika.BlockingConnection,
        stop: threading.Event,
        opaque: str,
        agency: Agency,
    ) -> None:
        self._door = door
        self._connection = connection
        self._stop = stop
        self._opaque = opaque
        self._agency = agency

    def __call__(
        self, channel: BlockingChannel, method: Basic.Deliver, properties: BasicProperties, body: bytes
    ) -> None:
        if self._stop.is_set():
            return
        reply = self._door.judge(self._agency, properties, body, self._pause)
        if reply is None:
            return  # stopping: unacknowledged, so it comes again
        # Dying here: stored, not replied. It comes again as a duplicate and is replied to then.
        channel.basic_publish(
            "",
            f"bro.reply.{self._opaque}",
            json.dumps(reply, ensure_ascii=False).encode(),
            BasicProperties(  # type: ignore[no-untyped-call]  # pika left it so
                content_type="application/problem+json" if "code" in reply else "application/json",
                correlation_id=properties.correlation_id or properties.message_id,
                delivery_mode=_PERSISTENT,
            ),
            mandatory=True,
        )
        # Dying here: replied, comes again, replied a second time with the same id.
        tag = method.delivery_tag or 0
        if reply.get("code") == "hub.internal":
            channel.basic_reject(tag, requeue=False)  # to bro.dead: ours to repair, not the sender's
        else:
            channel.basic_ack(tag)

    def _pause(self, seconds: float) -> bool:
        self._connection.sleep(seconds)  # keeps the heartbeat
        return not self._stop.is_set()


class Notify:
    """Tells an agency on its own queue that something waits at the REST door. Shared by threads."""

    def __init__(self, directory: Directory, amqp_url: str) -> None:
        self._directory = directory
        self._parameters = _parameters(amqp_url)
        self._lock = threading.Lock()
        self._channel: BlockingChannel | None = None

    def send(self, permit: SendPermit) -> None:
        """One notification, confirmed by the broker; `hand-over.unavailable` when it was not."""
        party = self._directory.get(permit.recipient.org)
        if party is None or party.amqp is None:
            raise HubError("hub.internal")
        notice = {"id": permit.disclosure, "fetch_url": f"/v1/inbox/{permit.disclosure}"}
        permit.spend()
        with self._lock:
            try:
                self._publish(party.amqp, permit.disclosure, notice)
            except (AMQPError, OSError):
                # A connection that has been idle may have been closed under us: once more on a new
                # one. The recipient may get the notice twice, with the same id.
                self._drop()
                try:
                    self._publish(party.amqp, permit.disclosure, notice)
                except (AMQPError, OSError):
                    self._drop()
                    raise HubError("hand-over.unavailable") from None

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._drop()

    def _publish(self, opaque: str, identifier: str, notice: Mapping[str, str]) -> None:
        if self._channel is None:
            self._channel = pika.BlockingConnection(self._parameters).channel()
            self._channel.confirm_delivery()
            for party in self._directory.values():
                if party.amqp:
                    declare(self._channel, party.amqp)
        self._channel.basic_publish(
            "",
            f"bro.out.{opaque}",
            json.dumps(notice).encode(),
            BasicProperties(  # type: ignore[no-untyped-call]  # pika left it so
                content_type="application/json", message_id=identifier, delivery_mode=_PERSISTENT
            ),
            mandatory=True,
        )

    def _drop(self) -> None:
        if self._channel is not None:
            with suppress(AMQPError, OSError):
                self._channel.connection.close()
            self._channel = None


def _parameters(url: str) -> pika.URLParameters:
    parameters = pika.URLParameters(url)
    parameters.heartbeat = 60
    parameters.blocked_connection_timeout = 30
    parameters.socket_timeout = 10
    parameters.client_properties = {"connection_name": "brobygger-doors"}
    return parameters


@contextmanager
def _connection(parameters: pika.URLParameters) -> Iterator[pika.BlockingConnection]:
    connection = pika.BlockingConnection(parameters)
    try:
        yield connection
    finally:
        with suppress(AMQPError, OSError):
            if connection.is_open:
                connection.close()
