"""The story of `bro demo`, fact by fact, on both installations, and what the broker can see of it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pika
import pytest
from sqlalchemy.pool import QueuePool

from hub.demo.agencies import InboxAgency
from hub.demo.story import body, play
from hub.demo.world import World
from tests.servers import PostgreSQL, RabbitMQ


@pytest.fixture(scope="module")
def production(postgres: PostgreSQL, rabbit: RabbitMQ) -> Iterator[World]:
    with World(store=postgres.fresh_database(), queue=rabbit.fresh_vhost()) as world:
        yield world


def broken(world: World) -> list[str]:
    return [f"{fact.chapter}: {fact.sentence}" for fact in play(world) if not fact.holds]


def test_every_fact_holds_on_sqlite_with_the_embedded_queue() -> None:
    with World() as world:
        assert broken(world) == []


def test_whoever_leaves_the_world_leaves_no_connection_open(postgres: PostgreSQL) -> None:
    with World(store=postgres.fresh_database()) as world:
        pool = world.parts.store.engine.pool
        assert isinstance(pool, QueuePool)
        with world.parts.store.reading():
            pass
        assert pool.checkedin()
    assert pool.checkedin() == 0


def test_every_fact_holds_on_postgresql_with_rabbitmq(production: World) -> None:
    assert broken(production) == []


def test_those_who_come_for_messages_were_told_on_their_own_queue(production: World) -> None:
    told = [json.loads(text) for text in drained(production, f"bro.out.{production.opaque('nav')}")]

    fetched = {got.disclosure for got in production.agencies["nav"].got}
    assert fetched
    assert {notice["id"] for notice in told} == fetched
    assert all(notice["fetch_url"] == f"/v1/inbox/{notice['id']}" for notice in told)


def test_a_message_put_on_the_senders_own_queue_crosses_like_any_other(production: World) -> None:
    prison, nav = production.opaque("prison"), production.agencies["nav"]
    before = len(nav.got)
    brik = body("brik.xml").replace(b"BRIK-2026-0117", b"BRIK-OVER-AMQP")

    with connection(production) as broker:
        broker.channel().basic_publish(
            f"bro.in.{prison}",
            "",
            brik,
            pika.BasicProperties(  # type: ignore[no-untyped-call]  # pika left it so
                content_type="application/xml", correlation_id="mine"
            ),
        )
    production.wait_for("the message", lambda: collected(production, nav) > before)

    replies = [json.loads(text) for text in drained(production, f"bro.reply.{prison}")]
    assert [reply.get("message_id") for reply in replies] == ["BRIK-OVER-AMQP"]
    assert len(nav.got) == before + 1


def collected(world: World, agency: InboxAgency) -> int:
    agency.collect()
    return len(agency.got)


def connection(world: World) -> pika.BlockingConnection:
    return pika.BlockingConnection(pika.URLParameters(world.settings.queue))


def drained(world: World, queue: str) -> list[bytes]:
    """Everything that lies on a queue."""
    found: list[bytes] = []
    with connection(world) as broker:
        channel = broker.channel()
        while True:
            method, _, text = channel.basic_get(queue, auto_ack=True)
            if method is None:
                return found
            assert text is not None
            found.append(text)
