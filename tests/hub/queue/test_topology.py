"""What the description of the broker must hold, and that each way to get it wrong is noticed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hub.errors import HubError
from hub.queue.port import LADDER, SHARDS
from hub.queue.rabbit import RabbitQueue
from hub.queue.topology import Binding, Exchange, Mailbox, Role, Topology, hub_topology, lint

GOOD = hub_topology()


def with_queue(name: str, **changes: Any) -> Topology:
    queues = tuple(replace(queue, **changes) if queue.name == name else queue for queue in GOOD.queues)
    assert queues != GOOD.queues
    return replace(GOOD, queues=queues)


def with_exchange(name: str, **changes: Any) -> Topology:
    changed = tuple(
        replace(exchange, **changes) if exchange.name == name else exchange for exchange in GOOD.exchanges
    )
    assert changed != GOOD.exchanges
    return replace(GOOD, exchanges=changed)


def without(queue: str) -> Topology:
    return replace(
        GOOD,
        queues=tuple(kept for kept in GOOD.queues if kept.name != queue),
        bindings=tuple(kept for kept in GOOD.bindings if kept.queue != queue),
    )


DEFECTS: dict[str, tuple[Callable[[], Topology], str]] = {
    "dead letters to nowhere": (
        lambda: with_queue("bro.work.0", dead_letter="bro.dead.9"),
        "dead-letter-undeclared",
    ),
    "no dead letters": (lambda: with_queue("bro.work.0", dead_letter=None), "dead-letter-missing"),
    "redelivery for ever": (lambda: with_queue("bro.work.0", delivery_limit=None), "redelivery-unlimited"),
    "many consumers": (lambda: with_queue("bro.work.0", single_consumer=False), "order-lost"),
    "work that expires": (lambda: with_queue("bro.work.0", ttl_seconds=60), "work-expires"),
    "dead work that expires": (lambda: with_queue("bro.dead", ttl_seconds=60), "work-expires"),
    "a delay without end": (lambda: with_queue("bro.later.10", ttl_seconds=None), "delay-without-end"),
    "a delay that drops": (lambda: with_queue("bro.later.10", dead_letter=None), "delay-leads-nowhere"),
    "a delay that buries": (
        lambda: with_queue("bro.later.10", dead_letter="bro.dead"),
        "delay-leads-nowhere",
    ),
    "nobody looks": (lambda: with_queue("bro.dead", watched=False), "nobody-watches"),
    "a shard forgotten": (lambda: without("bro.work.3"), "shard-missing"),
    "a delay forgotten": (lambda: without("bro.later.60"), "delay-missing"),
    "an exchange without queue": (lambda: without("bro.unroutable"), "exchange-leads-nowhere"),
    "a name that tells": (
        lambda: replace(GOOD, queues=(*GOOD.queues, Mailbox("tsb.referrals", Role.ASIDE, watched=True))),
        "name-not-opaque",
    ),
    "a name twice": (lambda: replace(GOOD, queues=(*GOOD.queues, GOOD.queues[0])), "declared-twice"),
    "a queue nothing reaches": (
        lambda: replace(GOOD, queues=(*GOOD.queues, Mailbox("bro.work.99", Role.ASIDE, watched=True))),
        "queue-unbound",
    ),
    "a binding from nothing": (
        lambda: replace(GOOD, bindings=(*GOOD.bindings, Binding("bro.work.9", "bro.dead"))),
        "binding-dangles",
    ),
    "a binding to nothing": (
        lambda: replace(GOOD, bindings=(*GOOD.bindings, Binding("bro.dead", "bro.work.9"))),
        "binding-dangles",
    ),
    "no alternate": (lambda: with_exchange("bro.work", alternate=None), "alternate-missing"),
    "an alternate undeclared": (
        lambda: with_exchange("bro.work", alternate="bro.dead.9"),
        "alternate-undeclared",
    ),
    "an alternate that has keys": (
        lambda: replace(
            GOOD, exchanges=tuple(Exchange(e.name, "direct", e.alternate) for e in GOOD.exchanges)
        ),
        "alternate-undeclared",
    ),
    "a ladder that falls": (lambda: replace(GOOD, ladder=tuple(reversed(GOOD.ladder))), "ladder-not-rising"),
    "no ladder": (lambda: replace(GOOD, ladder=()), "ladder-not-rising"),
}


def test_the_hubs_own_topology_has_no_defect() -> None:
    assert lint(hub_topology()) == []
    assert lint(hub_topology(shards=1, ladder=(0.2, 1.0))) == []


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_found(defect: str) -> None:
    make, rule = DEFECTS[defect]

    assert rule in {finding.rule for finding in lint(make())}


def test_a_defective_topology_is_never_used() -> None:
    make, _ = DEFECTS["redelivery for ever"]

    with pytest.raises(HubError) as refused:
        RabbitQueue("amqp://127.0.0.1:1/", topology=make())

    assert refused.value.code == "settings.invalid"
    assert refused.value.findings


def test_a_name_that_tells_is_not_repeated_in_the_finding() -> None:
    make, _ = DEFECTS["a name that tells"]

    assert "tsb" not in repr([finding for finding in lint(make()) if finding.rule == "name-not-opaque"])


def test_queues_come_from_the_two_constants() -> None:
    names = {queue.name for queue in GOOD.queues}

    assert {f"bro.work.{number}" for number in range(SHARDS)} <= names
    assert {f"bro.later.{seconds:g}" for seconds in LADDER} <= names
    assert len(names) == SHARDS + len(LADDER) + 2


def test_every_queue_is_replicated_and_dead_letters_at_least_once() -> None:
    for queue in GOOD.queues:
        said = queue.arguments()
        assert said["x-queue-type"] == "quorum"
        if "x-dead-letter-exchange" in said:
            assert said["x-dead-letter-strategy"] == "at-least-once"
            assert said["x-overflow"] == "reject-publish"
