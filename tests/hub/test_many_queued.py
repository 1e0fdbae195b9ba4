"""Many thousand messages are queued, one person withdraws, and the queue is worked off: nothing for that
person, everything for all others, on both installations."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, event, func, select

from hub import hand_over, pipeline, repair
from hub.message import Received
from hub.parts import Parts, work_of
from hub.queue.embedded import EmbeddedQueue
from hub.queue.port import LADDER, Queue, Work
from hub.queue.rabbit import RabbitQueue
from hub.queue.topology import hub_topology
from hub.store import disclosures, messages, people
from hub.store.disclosures import State
from hub.store.messages import Stored
from hub.store.schema import disclosure, queue_item
from tests.hub.bench import (
    FHIR,
    JSON,
    XML,
    Bench,
    consent,
    fhir,
    number,
    on_the_bench,
    org,
    referral,
    withdrawal,
    xml_brik,
)
from tests.servers import RabbitMQ

GONE = 7  # who withdraws
_MOST = 900.0  # seconds


def stored(bench: Bench, who: int, count: int) -> list[Work]:
    """`count` referrals about one person, as intake leaves them when its rendering was destroyed by a
    change of consent: written by the store's own functions, many in one transaction."""
    parts, clock, sender = bench.parts, bench.clock(), bench.agency("prison_health")
    body = json.dumps(referral("H", who=who)).encode()
    record = pipeline.parse(parts, Received("x", sender, JSON, body, clock)).record
    works = []
    with parts.store.writing() as tx:
        person = people.find_or_create(tx, parts.vault, number(who), clock, parts.new_id)
        place = disclosures.next_place(tx, person.one)
        rows = []
        for index in range(count):
            message_id, disclosure_id = parts.new_id(), parts.new_id()
            one = Stored(message_id, sender.org, record.type, person.id, clock, superseded=False)
            key = parts.vault.pseudonym("message", f"{sender.org} {message_id}")
            messages.keep(tx, parts.vault, one, person, record, sender_key=key, content=key, series=None)
            rows.append(
                {
                    "id": disclosure_id,
                    "message_id": message_id,
                    "person_id": person.id,
                    "agreement": "henvisning-tsb",
                    "recipient": org("tsb"),
                    "revision": 1,
                    "place": place + index,
                    "state": State.QUEUED,
                    "created_at": clock,
                    "due_at": clock,
                }
            )
            works.append(work_of(parts, disclosure_id, person.id))
        disclosures.add(tx, rows)
    return works


def every_kind(bench: Bench) -> None:
    """Of the person who will withdraw, before all the rest: offered in an inbox, parked and to be tried
    again by an operator, and put off on the ladder with everything else to TSB behind it."""
    bench.post("prison_health", consent("samtykke-nav.json", "nav", who=GONE))
    bench.post("prison_health", consent("samtykke-bolig.json", "bolig", who=GONE))
    bench.push.down |= {org("housing"), org("prison_health")}
    bench.post("prison", xml_brik(message_id="B", who=GONE), XML)
    bench.drain()
    for _ in range(len(LADDER)):
        bench.queue.soon()
        bench.drain()
    [parked] = bench.rows("housing", state="parked")
    assert bench.listed("nav")
    repair.retry(bench.parts, parked.id, operator="vakt", reason="nytt forsøk")
    bench.push.down.add(org("tsb"))
    late = bench.post("prison_health", referral("put-off", who=GONE)).id
    work = [w for w in bench.queue.ready if bench.parts.vault.read_handle(w.ref) != parked.id]
    retried = [w for w in bench.queue.ready if w not in work]
    bench.queue.ready = deque(work)
    bench.drain()
    assert bench.row("tsb", message_id=late).attempts == 1
    bench.queue.soon()
    bench.queue.ready.extend(retried)
    bench.push.down.clear()


def work_off(bench: Bench, queue: Queue, works: Sequence[Work], threads: int) -> None:
    """Everything through the real queue until nothing is queued that could go."""
    parts, stop = replace(bench.parts, queue=queue), threading.Event()
    loops = [
        threading.Thread(
            target=queue.consume, args=(lambda work: hand_over.attempt(parts, work), stop), daemon=True
        )
        for _ in range(threads)
    ]
    queue.publish(works)
    for loop in loops:
        loop.start()
    deadline, before = time.monotonic() + _MOST, -1
    try:
        while time.monotonic() < deadline:
            time.sleep(0.5)
            with parts.store.reading() as view:
                left = view.scalar(select(func.count()).where(disclosure.c.state == State.QUEUED))
                if not left or (left == before and _blocked(view)):
                    return
            before = left
        raise TimeoutError("the queue is not worked off")
    finally:
        stop.set()
        for loop in loops:
            loop.join(30)


def _blocked(view: Connection) -> bool:
    """All that is queued stands behind something parked, of the one who withdrew."""
    queued = disclosures.where(view, disclosure.c.state == State.QUEUED, limit=100)
    return not any(disclosures.is_its_turn(view, row) for row in queued)


def play(bench: Bench, queue: Queue, persons: int, each: int, *, threads: int = 1) -> None:
    works, about = [], {}
    for who in range(1, persons + 1):
        bench.post("prison_health", fhir("samtykke-tsb.fhir.json", series=f"s-{who}", who=who), FHIR)
        if who == GONE:
            every_kind(bench)
        mine = stored(bench, who, each)
        works += mine
        about[who] = [str(bench.parts.vault.read_handle(work.ref)) for work in mine]
    bench.push.got.clear()
    works += list(bench.queue.ready)
    bench.queue.ready.clear()
    for series in (f"s-{GONE}", "nav", "bolig"):
        bench.post("prison_health", withdrawal(series, f"t-{series}", who=GONE))
    works += list(bench.queue.ready)
    replayed = works[:each]  # the broker hands the same work out again, and so does a replay
    work_off(bench, queue, [*works, *replayed], threads)

    referrals = {row.id for row in bench.rows() if not row.agreement.startswith("samtykke-trukket")}
    with bench.parts.store.reading() as view:
        gone = people.find_id(view, bench.parts.vault, number(GONE))
        theirs = {row.id for row in disclosures.where(view, disclosure.c.person_id == gone, limit=100_000)}
    got = [sent.disclosure for sent in bench.push.got if sent.disclosure in referrals]
    assert not set(got) & theirs
    assert not set(bench.listed("nav")) & theirs
    about.pop(GONE)
    assert len(got) == len(set(got)) == (persons - 1) * each
    order = {ref: index for index, ref in enumerate(got)}
    assert all(sorted(refs, key=order.__getitem__) == refs for refs in about.values())
    with bench.parts.store.reading() as view:
        keys = view.scalars(select(disclosure.c.wrapped_key).where(disclosure.c.person_id == gone)).all()
    assert set(keys) == {None}


def test_ten_thousand_queued_on_sqlite_with_the_embedded_queue(first: Parts, sqlite_url: str) -> None:
    bench = on_the_bench(first, sqlite_url)
    event.listen(bench.parts.store.engine, "connect", _without_waiting_for_the_disk)
    bench.parts.store.engine.dispose()
    play(bench, EmbeddedQueue(bench.parts.store.engine, queue_item), persons=100, each=100)
    bench.parts.store.close()


def test_two_thousand_queued_on_postgresql_with_rabbitmq(
    first: Parts, postgres_url: str, rabbit: RabbitMQ
) -> None:
    bench = on_the_bench(first, postgres_url)
    queue = RabbitQueue(rabbit.fresh_vhost(), topology=hub_topology(ladder=LADDER))
    play(bench, queue, persons=50, each=40)
    queue.close()
    bench.parts.store.close()


def _without_waiting_for_the_disk(connection: object, _record: object) -> None:
    """Nothing here must outlive a power cut."""
    connection.execute("PRAGMA synchronous=OFF")  # type: ignore[attr-defined]  # a sqlite3.Connection
