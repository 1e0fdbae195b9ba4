"""Understands the queue on RabbitMQ: the hub's door to pika, and the place where its exceptions end.

Three kinds of connection: a lasting one to publish on, a lasting one to consume on, and short ones to
declare and to look. The broker sees references and shard numbers, nothing else. Must not know what the
work refers to.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from queue import SimpleQueue
from typing import assert_never

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.channel import Channel
from pika.connection import Connection
from pika.exceptions import AMQPError, ChannelClosedByBroker
from pika.spec import PERSISTENT_DELIVERY_MODE, Basic, BasicProperties

from hub.errors import Finding, HubError
from hub.queue.port import Dead, Depth, Done, Handle, Later, Settlement, Work, delay, settle
from hub.queue.topology import WORK, Topology, hub_topology, later_name, lint

PREFETCH = 8  # per shard; what a dying consumer held counts as delivered once more, so keep it small
CONFIRM_SECONDS = 15.0  # the broker's time to take a batch before it counts as away
TICK_SECONDS = 0.2  # how soon a consumer notices that it should stop
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
STEADY_SECONDS = 10.0  # a connection that lasted this long was a good one: start over with short waits

Message = tuple[str, str, bytes]  # exchange, routing key, body
_Send = Callable[[Sequence[Message]], None]
_Inbox = SimpleQueue[tuple[int, Work] | None]

_log = logging.getLogger("hub.queue")


class RabbitQueue:
    """A `hub.queue.port.Queue`. `workers` threads handle; a shard stays with one of them."""

    def __init__(self, url: str, *, topology: Topology | None = None, workers: int = 1) -> None:
        self._topology = topology or hub_topology()
        if findings := lint(self._topology):
            raise HubError("settings.invalid", findings)
        logging.getLogger("pika").setLevel(logging.CRITICAL)  # we say it in one line, pika in twenty
        self._parameters = _parameters(url)
        self._workers = workers
        self._lock = threading.Lock()
        self._link: _Link | None = None

    def publish(self, works: Sequence[Work]) -> None:
        self._send([(WORK, str(work.shard), work.ref.encode("ascii")) for work in works])

    def consume(self, handle: Handle, stop: threading.Event) -> None:
        failures = 0
        while not stop.is_set():
            began = time.monotonic()
            try:
                self._declare()
                with _blocking(self._parameters) as connection:
                    _Session(connection, self._topology, handle, self._send, stop).run(self._workers)
                failures = 0
            except (AMQPError, OSError, HubError) as exc:
                # What was handed out and not answered comes back by itself on the next connection.
                if time.monotonic() - began > STEADY_SECONDS:
                    failures = 0
                _log.warning("broker away; trying again", extra={"fault": type(exc).__name__})
                stop.wait(BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)])
                failures += 1

    def depth(self) -> Mapping[str, Depth]:
        """Messages ready in each queue, without those in a consumer's hands. AMQP does not tell ages."""
        found = {}
        with _translated(), _blocking(self._parameters) as connection:
            channel = connection.channel()
            for queue in self._topology.queues:
                count = channel.queue_declare(queue.name, passive=True).method.message_count
                found[queue.name] = Depth(count or 0, None)
        return found

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _send(self, messages: Sequence[Message]) -> None:
        """One batch, one wait. After any trouble the next batch starts on a new, declared connection."""
        if not messages:
            return
        with self._lock:
            try:
                if self._link is None or self._link.lost:
                    self._drop()
                    self._declare()
                    with _translated():
                        self._link = _Link(self._parameters)
                self._link.send(messages)
            except HubError:
                self._drop()
                raise

    def _declare(self) -> None:
        with _translated(), _blocking(self._parameters) as connection:
            declare(connection.channel(), self._topology)

    def _drop(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None


def declare(channel: BlockingChannel, topology: Topology) -> None:
    """Make the broker have it. Again is harmless; a queue that differs raises enqueue.unavailable."""
    for exchange in topology.exchanges:
        said = {"alternate-exchange": exchange.alternate} if exchange.alternate else None
        channel.exchange_declare(exchange.name, exchange.kind, durable=True, arguments=said)
    for queue in topology.queues:
        try:
            channel.queue_declare(queue.name, durable=True, arguments=queue.arguments())
        except ChannelClosedByBroker as exc:
            expected = "a queue declared as the topology says; delete the old one when it is empty"
            finding = Finding(queue.name, "topology-differs", expected)
            raise HubError("enqueue.unavailable", [finding]) from exc
    for binding in topology.bindings:
        channel.queue_bind(binding.queue, binding.exchange, binding.key)


class _Link:
    """One connection to publish on, turned by its own thread. Confirms are counted, not awaited one by one.

    pika's blocking channel waits for each confirm, so this one uses the event-driven connection.
    """

    def __init__(self, parameters: pika.URLParameters) -> None:
        self._settled = threading.Event()  # the thing now awaited (opening, or a batch) has an end
        self._trouble = ""
        self._sent = 0
        self._awaited: set[int] = set()
        self._channel: Channel | None = None
        self.lost = False
        self._connection = pika.SelectConnection(
            parameters,
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_lost,
            on_close_callback=self._on_lost,
        )
        threading.Thread(target=self._turn, name="bro-publish", daemon=True).start()
        try:
            self._await(CONFIRM_SECONDS)
        except HubError:
            self.close()
            raise

    def send(self, messages: Sequence[Message]) -> None:
        """Returns when the broker has all of them on disk; raises enqueue.unavailable if not all."""
        self._settled.clear()
        if not self.lost:  # lost a moment later: the callback never runs and the waiting ends below
            self._connection.ioloop.add_callback_threadsafe(partial(self._publish, messages))
        self._await(CONFIRM_SECONDS)

    def close(self) -> None:
        self._connection.ioloop.add_callback_threadsafe(self._close)

    def _await(self, seconds: float) -> None:
        if not self._settled.wait(seconds):
            self._trouble = "silent"
        if self._trouble or self.lost:
            raise _unavailable(self._trouble or "unavailable")

    def _turn(self) -> None:
        try:
            self._connection.ioloop.start()
        except (AMQPError, OSError) as exc:
            _log.warning("publishing connection broke", extra={"fault": type(exc).__name__})
        finally:
            self._on_lost()
            self._connection.ioloop.close()

    def _close(self) -> None:
        if self._connection.is_open:
            self._connection.close()
        elif not self._connection.is_closing:
            self._connection.ioloop.stop()

    def _publish(self, messages: Sequence[Message]) -> None:
        channel = self._channel
        if self.lost or channel is None or not channel.is_open:
            self._on_lost()
            return
        self._awaited = set(range(self._sent + 1, self._sent + len(messages) + 1))
        self._sent += len(messages)
        persistent = BasicProperties(  # type: ignore[no-untyped-call]  # pika left it so
            delivery_mode=PERSISTENT_DELIVERY_MODE
        )
        for exchange, key, body in messages:
            channel.basic_publish(exchange, key, body, persistent, mandatory=True)

    def _on_open(self, connection: Connection) -> None:
        connection.channel(on_open_callback=self._on_channel)

    def _on_channel(self, channel: Channel) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._on_lost)
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm, callback=lambda _: self._settled.set())

    def _on_return(self, *_: object) -> None:
        self._trouble = "unroutable"  # the broker confirms it all the same, so this must be remembered

    def _on_confirm(self, frame: pika.frame.Method[Basic.Ack | Basic.Nack]) -> None:
        answer = frame.method
        upto = answer.delivery_tag
        if isinstance(answer, Basic.Nack):
            self._trouble = "refused"
        if answer.multiple:
            self._awaited = {tag for tag in self._awaited if tag > upto}
        else:
            self._awaited.discard(upto)
        if not self._awaited:
            self._settled.set()

    def _on_lost(self, *_: object) -> None:
        self.lost = True
        self._settled.set()
        self._connection.ioloop.stop()


class _Session:
    """One connection's worth of consuming. pika lives in the calling thread and keeps the heartbeat;
    handlers live in their own threads and hand their settlements back."""

    def __init__(
        self,
        connection: pika.BlockingConnection,
        topology: Topology,
        handle: Handle,
        send: _Send,
        stop: threading.Event,
    ) -> None:
        self._connection = connection
        self._topology = topology
        self._handle = handle
        self._send = send
        self._stop = stop
        self._over = threading.Event()
        self._cancelled = False
        self._channel = connection.channel()

    def run(self, workers: int) -> None:
        """Until told to stop, or the connection or a queue is lost (raises what pika raises)."""
        inboxes: list[_Inbox] = [SimpleQueue() for _ in range(workers)]
        threads = [threading.Thread(target=self._work, args=(inbox,), name="bro-handle") for inbox in inboxes]
        try:
            for thread in threads:
                thread.start()
            self._subscribe(inboxes)
            while not self._stop.is_set():
                self._connection.process_data_events(TICK_SECONDS)
                if self._cancelled:
                    raise _unavailable("consumer-cancelled")
            self._end(inboxes)
            while any(thread.is_alive() for thread in threads):
                self._connection.process_data_events(TICK_SECONDS / 10)
            said = threading.Event()  # callbacks run in order: after this one, all settlements are out
            self._connection.add_callback_threadsafe(said.set)
            while not said.is_set():
                self._connection.process_data_events(TICK_SECONDS)
        finally:
            # A handler still at work finishes here, so that no two of one shard overlap.
            self._end(inboxes)
            for thread in threads:
                thread.join()

    def _subscribe(self, inboxes: Sequence[_Inbox]) -> None:
        channel = self._channel
        channel.basic_qos(prefetch_count=PREFETCH)
        channel.add_on_cancel_callback(self._on_cancel)
        for shard, queue in enumerate(self._topology.work_queues):
            receive = partial(self._on_message, inboxes[shard % len(inboxes)], shard)
            channel.basic_consume(queue.name, on_message_callback=receive)

    def _on_cancel(self, *_: object) -> None:
        self._cancelled = True

    def _on_message(
        self,
        inbox: _Inbox,
        shard: int,
        channel: BlockingChannel,
        method: Basic.Deliver,
        _: BasicProperties,
        body: bytes,
    ) -> None:
        try:
            inbox.put((method.delivery_tag, Work(body.decode("ascii"), shard)))
        except UnicodeDecodeError:  # not published by us; an operator should see it
            channel.basic_reject(method.delivery_tag, requeue=False)

    def _end(self, inboxes: Sequence[_Inbox]) -> None:
        self._over.set()
        for inbox in inboxes:
            inbox.put(None)

    def _work(self, inbox: _Inbox) -> None:
        while (delivery := inbox.get()) is not None:
            # Else the broker gives it to the next consumer, perhaps after what came later in its shard.
            if not self._over.is_set() and not self._stop.is_set():
                tag, work = delivery
                self._settle(tag, work, settle(self._handle, work))

    def _settle(self, tag: int, work: Work, settlement: Settlement) -> None:
        match settlement:
            case Done():
                answer = partial(self._channel.basic_ack, tag)
            case Later(step):
                if not self._postpone(work, step):
                    return
                # Dying here: two copies, one now and one later. Handling bears to see work twice.
                answer = partial(self._channel.basic_ack, tag)
            case Dead():
                answer = partial(self._channel.basic_reject, tag, requeue=False)
            case never:
                assert_never(never)
        with suppress(AMQPError):  # the connection is gone: it comes back, and is settled then
            self._connection.add_callback_threadsafe(answer)

    def _postpone(self, work: Work, step: int) -> bool:
        """Into the delay queue, confirmed; False when the session ended before the broker took it."""
        name = later_name(delay(self._topology.ladder, step))
        while True:
            try:
                self._send([(name, str(work.shard), work.ref.encode("ascii"))])
                return True
            except HubError:
                if self._over.wait(BACKOFF_SECONDS[1]):
                    return False


@contextmanager
def _blocking(parameters: pika.URLParameters) -> Iterator[pika.BlockingConnection]:
    connection = pika.BlockingConnection(parameters)
    try:
        yield connection
    finally:
        with suppress(AMQPError, OSError):
            connection.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (AMQPError, OSError) as exc:
        raise _unavailable(type(exc).__name__) from exc


def _unavailable(rule: str) -> HubError:
    return HubError("enqueue.unavailable", [Finding("broker", rule, "a broker that answers and takes work")])


def _parameters(url: str) -> pika.URLParameters:
    """Short patience for opening, so that trouble shows; heartbeats find a broker that vanished."""
    parameters = pika.URLParameters(url)
    parameters.heartbeat = 20
    parameters.connection_attempts = 1
    parameters.socket_timeout = 5
    parameters.stack_timeout = 10
    parameters.blocked_connection_timeout = 30
    return parameters
