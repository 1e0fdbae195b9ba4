"""Understands which exchanges, queues and bindings the hub needs at a broker, as a value to look at.

`hub_topology()` is the one description; `lint()` says what in a description would lose, loop or disorder
work. Declaring it is the door's matter: this module has never met a broker.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hub.errors import Finding
from hub.queue.port import LADDER, SHARDS

DELIVERY_LIMIT = 20
"""Deliveries without an answer (a consumer died with it) before work is put aside as poison."""

WORK, DEAD, UNROUTABLE = "bro.work", "bro.dead", "bro.unroutable"
_NAME = re.compile(r"bro\.(work|later|dead|unroutable)(\.\d+){0,2}")


class Role(StrEnum):
    """What a queue is for."""

    WORK = "work"
    DELAY = "delay"
    ASIDE = "aside"


@dataclass(frozen=True)
class Exchange:
    """`direct` goes by key, `fanout` to all. `alternate` takes what has nowhere to go."""

    name: str
    kind: str = "direct"
    alternate: str | None = None


@dataclass(frozen=True)
class Mailbox:
    """One queue at the broker. `watched` = its depth is alarmed on; `dead_letter` = an exchange."""

    name: str
    role: Role
    dead_letter: str | None = None
    ttl_seconds: float | None = None
    delivery_limit: int | None = None
    single_consumer: bool = False
    watched: bool = False

    def arguments(self) -> dict[str, str | int | bool]:
        """As the broker wants them. Dead-lettering is at-least-once, which reject-publish makes possible."""
        said: dict[str, str | int | bool] = {"x-queue-type": "quorum"}
        if self.dead_letter is not None:
            said["x-dead-letter-exchange"] = self.dead_letter
            said["x-dead-letter-strategy"] = "at-least-once"
            said["x-overflow"] = "reject-publish"
        if self.ttl_seconds is not None:
            said["x-message-ttl"] = round(self.ttl_seconds * 1000)
        if self.delivery_limit is not None:
            said["x-delivery-limit"] = self.delivery_limit
        if self.single_consumer:
            said["x-single-active-consumer"] = True
        return said


@dataclass(frozen=True)
class Binding:
    """From an exchange to a queue; the key matters to direct exchanges only."""

    exchange: str
    queue: str
    key: str = ""


@dataclass(frozen=True)
class Topology:
    """All of it, with the numbers it was made from."""

    shards: int
    ladder: tuple[float, ...]
    exchanges: tuple[Exchange, ...]
    queues: tuple[Mailbox, ...]
    bindings: tuple[Binding, ...]

    @property
    def work_queues(self) -> tuple[Mailbox, ...]:
        return tuple(queue for queue in self.queues if queue.role is Role.WORK)


def hub_topology(shards: int = SHARDS, ladder: Sequence[float] = LADDER) -> Topology:
    """Work goes to its shard's queue, waits in a delay queue and returns, or ends aside, never nowhere."""
    numbers = range(shards)
    delays = [(later_name(seconds), seconds) for seconds in ladder]
    aside = (Mailbox(DEAD, Role.ASIDE, watched=True), Mailbox(UNROUTABLE, Role.ASIDE, watched=True))
    return Topology(
        shards=shards,
        ladder=tuple(ladder),
        exchanges=(
            Exchange(WORK, "direct", alternate=UNROUTABLE),
            Exchange(DEAD, "fanout"),
            Exchange(UNROUTABLE, "fanout"),
            *(Exchange(name, "fanout") for name, _ in delays),
        ),
        queues=(
            *(_work_queue(number) for number in numbers),
            # The message keeps its routing key, so it returns to the shard it came from.
            *(Mailbox(name, Role.DELAY, dead_letter=WORK, ttl_seconds=seconds) for name, seconds in delays),
            *aside,
        ),
        bindings=(
            *(Binding(WORK, f"{WORK}.{number}", str(number)) for number in numbers),
            *(Binding(name, name) for name, _ in delays),
            *(Binding(queue.name, queue.name) for queue in aside),
        ),
    )


def later_name(seconds: float) -> str:
    """The delay exchange and queue of one step of the ladder."""
    return f"bro.later.{seconds:g}"


def _work_queue(number: int) -> Mailbox:
    return Mailbox(
        f"{WORK}.{number}",
        Role.WORK,
        dead_letter=DEAD,
        delivery_limit=DELIVERY_LIMIT,
        single_consumer=True,
    )


def lint(topology: Topology) -> list[Finding]:
    """Every way in which this description would lose, loop, disorder or disclose; empty is good."""
    return [
        *_lint_names(topology),
        *_lint_numbers(topology),
        *_lint_bindings(topology),
        *_lint_exchanges(topology),
        *(finding for queue in topology.queues for finding in _lint_queue(topology, queue)),
    ]


def _lint_names(topology: Topology) -> Iterator[Finding]:
    for group in ("exchanges", "queues"):
        names = [thing.name for thing in getattr(topology, group)]
        for position, name in enumerate(names):
            if not _NAME.fullmatch(name):  # the name itself may be the disclosure: not repeated here
                yield Finding(f"{group}[{position}]", "name-not-opaque", _NAME.pattern)
            if name in names[:position]:
                yield Finding(f"{group}[{position}]", "declared-twice", "one declaration of each name")


def _lint_numbers(topology: Topology) -> Iterator[Finding]:
    declared = {queue.name for queue in topology.queues}
    for number in range(topology.shards):
        if f"{WORK}.{number}" not in declared:
            yield Finding(f"{WORK}.{number}", "shard-missing", "a work queue for every shard")
    ladder = topology.ladder
    if not ladder or any(seconds <= 0 for seconds in ladder) or list(ladder) != sorted(set(ladder)):
        yield Finding("ladder", "ladder-not-rising", "at least one delay, each longer than the one before")
    for seconds in ladder:
        if later_name(seconds) not in declared:
            yield Finding(later_name(seconds), "delay-missing", "a delay queue for every step of the ladder")


def _lint_bindings(topology: Topology) -> Iterator[Finding]:
    exchanges = {exchange.name for exchange in topology.exchanges}
    queues = {queue.name for queue in topology.queues}
    for binding in topology.bindings:
        if binding.exchange not in exchanges:
            yield Finding(binding.exchange, "binding-dangles", "a declared exchange")
        if binding.queue not in queues:
            yield Finding(binding.queue, "binding-dangles", "a declared queue")
    for name in sorted(queues - {binding.queue for binding in topology.bindings}):
        yield Finding(name, "queue-unbound", "a binding that work can come in by")


def _lint_exchanges(topology: Topology) -> Iterator[Finding]:
    kinds = {exchange.name: exchange.kind for exchange in topology.exchanges}
    bound = {binding.exchange for binding in topology.bindings}
    for exchange in topology.exchanges:
        if exchange.name not in bound:
            yield Finding(exchange.name, "exchange-leads-nowhere", "a queue bound to it")
        if exchange.kind == "direct" and exchange.alternate is None:
            yield Finding(exchange.name, "alternate-missing", "an alternate exchange for unknown keys")
        if exchange.alternate is not None and kinds.get(exchange.alternate) != "fanout":
            yield Finding(exchange.name, "alternate-undeclared", "a declared fanout exchange")


def _lint_queue(topology: Topology, queue: Mailbox) -> Iterator[Finding]:
    exchanges = {exchange.name for exchange in topology.exchanges}
    if queue.dead_letter is not None and queue.dead_letter not in exchanges:
        yield Finding(queue.name, "dead-letter-undeclared", "a declared exchange")
    match queue.role:
        case Role.WORK:
            if queue.delivery_limit is None:
                yield Finding(queue.name, "redelivery-unlimited", "a delivery limit")
            if queue.dead_letter is None:
                yield Finding(queue.name, "dead-letter-missing", "an exchange for what exceeds the limit")
            if not queue.single_consumer:
                yield Finding(queue.name, "order-lost", "a single active consumer")
            if queue.ttl_seconds is not None:
                yield Finding(queue.name, "work-expires", "no time to live on work")
        case Role.DELAY:
            if queue.ttl_seconds is None or queue.ttl_seconds <= 0:
                yield Finding(queue.name, "delay-without-end", "a time to live")
            if queue.dead_letter is None or queue.dead_letter != WORK:
                yield Finding(queue.name, "delay-leads-nowhere", f"dead-lettering back to {WORK}")
        case Role.ASIDE:
            if not queue.watched:
                yield Finding(queue.name, "nobody-watches", "a consumer or an alarm")
            if queue.ttl_seconds is not None:
                yield Finding(queue.name, "work-expires", "no time to live on what was put aside")
