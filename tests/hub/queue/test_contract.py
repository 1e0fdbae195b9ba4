"""What every queue promises, run on the embedded one (SQLite, PostgreSQL) and on RabbitMQ."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import MetaData, create_engine

from hub.errors import HubError
from hub.queue.embedded import EmbeddedQueue
from hub.queue.port import Dead, Done, Later, Queue, Settlement, Work
from hub.queue.rabbit import RabbitQueue
from hub.queue.table import queue_table
from hub.queue.topology import hub_topology
from tests.servers import PostgreSQL, RabbitMQ, private_postgres, private_rabbit

LADDER = (0.2, 1.0)
LEASE_SECONDS = 1.5
KINDS = ("embedded-sqlite", "embedded-postgres", "rabbit")
SERVED = ("embedded-postgres", "rabbit")


@contextmanager
def opened(kind: str, url: str) -> Iterator[Queue]:
    """Also used by the consumer process that a test kills."""
    if kind == "rabbit":
        with closing(RabbitQueue(url, topology=hub_topology(ladder=LADDER))) as queue:
            yield queue
    else:
        engine = create_engine(url, pool_pre_ping=True)
        metadata = MetaData()
        table = queue_table(metadata)
        metadata.create_all(engine)
        yield EmbeddedQueue(engine, table, ladder=LADDER, lease_seconds=LEASE_SECONDS)
        engine.dispose()


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """The kind of a queue, and the URL of a place of its own."""
    match request.param:
        case "embedded-sqlite":
            return request.param, f"sqlite:///{tmp_path / 'queue.sqlite'}"
        case "embedded-postgres":
            return request.param, request.getfixturevalue("postgres").fresh_database()
        case _:
            return request.param, request.getfixturevalue("rabbit").fresh_vhost()


@pytest.fixture
def queue(address: tuple[str, str]) -> Iterator[Queue]:
    with opened(*address) as queue:
        yield queue


class Handler:
    """Writes down what it was given and when; answers what the test says."""

    def __init__(self, answer: Callable[[Work, int], Settlement] = lambda work, time: Done()) -> None:
        self.seen: list[tuple[Work, float]] = []
        self._answer = answer

    def __call__(self, work: Work) -> Settlement:
        times = sum(1 for seen, _ in self.seen if seen == work)
        self.seen.append((work, time.monotonic()))
        return self._answer(work, times)

    @property
    def works(self) -> list[Work]:
        return [work for work, _ in self.seen]


@contextmanager
def consuming(queue: Queue, handler: Callable[[Work], Settlement]) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=queue.consume, args=(handler, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def eventually(holds: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "did not become true in time"
        time.sleep(0.02)


def works(count: int, *, first: int = 0, shards: int = 8) -> list[Work]:
    return [Work(f"w{number}", number % shards) for number in range(first, first + count)]


def test_what_is_published_is_consumed_once_when_nothing_fails(queue: Queue) -> None:
    handler = Handler()

    queue.publish(works(50))
    with consuming(queue, handler):
        eventually(lambda: len(handler.seen) >= 50)
        queue.publish(works(50, first=50))
        eventually(lambda: len(handler.seen) >= 100)
        time.sleep(0.5)

    assert sorted(work.ref for work in handler.works) == sorted(work.ref for work in works(100))


def test_publishing_wakes_an_idle_consumer_within_half_a_second(queue: Queue) -> None:
    handler = Handler()

    with consuming(queue, handler):
        queue.publish(works(1))
        eventually(lambda: len(handler.seen) == 1)
        time.sleep(1)
        before = time.monotonic()
        queue.publish(works(1, first=1))
        eventually(lambda: len(handler.seen) == 2)

    assert handler.seen[1][1] - before < 0.5


def test_work_of_one_shard_comes_in_the_order_it_was_published(queue: Queue) -> None:
    handler = Handler()
    published = works(120, shards=3)

    with consuming(queue, handler):
        for start in range(0, 120, 10):
            queue.publish(published[start : start + 10])
        eventually(lambda: len(handler.seen) == 120)

    for shard in range(3):
        assert [w for w in handler.works if w.shard == shard] == [w for w in published if w.shard == shard]


def test_two_consumers_never_handle_one_shard_at_the_same_time(address: tuple[str, str]) -> None:
    inside: dict[int, int] = dict.fromkeys(range(8), 0)
    overlaps: list[int] = []
    done: list[Work] = []
    guard = threading.Lock()

    def handler(work: Work) -> Settlement:
        with guard:
            inside[work.shard] += 1
            if inside[work.shard] > 1:
                overlaps.append(work.shard)
        time.sleep(0.005)
        with guard:
            inside[work.shard] -= 1
            done.append(work)
        return Done()

    published = works(160, shards=4)
    with opened(*address) as first, opened(*address) as second:
        first.publish(published)
        with consuming(first, handler), consuming(second, handler):
            eventually(lambda: len(done) >= 160)

    assert overlaps == []
    for shard in range(4):
        assert [w for w in done if w.shard == shard] == [w for w in published if w.shard == shard]


@pytest.mark.parametrize(("step", "seconds"), [(0, 0.2), (1, 1.0), (7, 1.0)])
def test_later_comes_back_after_its_delay_and_not_before(queue: Queue, step: int, seconds: float) -> None:
    handler = Handler(lambda work, times: Later(step) if times == 0 else Done())

    with consuming(queue, handler):
        queue.publish(works(1))
        eventually(lambda: len(handler.seen) == 2)

    between = handler.seen[1][1] - handler.seen[0][1]
    assert seconds <= between + 0.01
    assert between < seconds + 1.5


def test_work_that_waits_does_not_hold_up_its_shard(queue: Queue) -> None:
    handler = Handler(lambda work, times: Later(1) if work.ref == "w0" and times == 0 else Done())

    with consuming(queue, handler):
        queue.publish(works(3, shards=1))
        eventually(lambda: len(handler.seen) == 4)

    assert [work.ref for work in handler.works] == ["w0", "w1", "w2", "w0"]


def test_a_handler_that_fails_loses_nothing(queue: Queue) -> None:
    def fail_twice(work: Work, times: int) -> Settlement:
        if times < 2:
            raise RuntimeError("broken on purpose")
        return Done()

    handler = Handler(fail_twice)

    with consuming(queue, handler):
        queue.publish(works(10))
        eventually(lambda: len(handler.seen) == 30)

    assert all(handler.works.count(work) == 3 for work in works(10))


def test_dead_work_is_put_aside_and_counted(queue: Queue) -> None:
    handler = Handler(lambda work, times: Dead())

    with consuming(queue, handler):
        queue.publish(works(3))
        eventually(lambda: queue.depth()["bro.dead"].messages == 3)

    assert len(handler.seen) == 3
    assert sum(depth.messages for depth in queue.depth().values()) == 3


def test_settled_work_leaves_nothing_behind(queue: Queue) -> None:
    handler = Handler()

    queue.publish(works(20))
    before = sum(depth.messages for depth in queue.depth().values())
    with consuming(queue, handler):
        eventually(lambda: len(handler.seen) == 20)

    assert before == 20
    eventually(lambda: sum(depth.messages for depth in queue.depth().values()) == 0)


def test_stopping_gives_the_rest_back_at_once(queue: Queue) -> None:
    stop = threading.Event()
    first = Handler(lambda work, times: Done())

    def stop_after_three(work: Work) -> Settlement:
        if len(first.seen) == 2:
            stop.set()
        return first(work)

    queue.publish(works(40, shards=1))
    queue.consume(stop_after_three, stop)
    second = Handler()
    began = time.monotonic()
    with consuming(queue, second):
        eventually(lambda: len(second.seen) == 37)

    assert first.works == works(3, shards=1)
    assert set(second.works) == set(works(37, first=3, shards=1))
    assert second.seen[0][1] - began < 1.0


CONSUMER_THAT_HANGS = """
import sys, threading, time
from tests.hub.queue.test_contract import opened

def hang(work):
    print("got", flush=True)
    time.sleep(600)

with opened(sys.argv[1], sys.argv[2]) as queue:
    queue.consume(hang, threading.Event())
"""


def test_work_of_a_killed_consumer_comes_back_in_order(queue: Queue, address: tuple[str, str]) -> None:
    root = Path(__file__).parents[3]
    queue.publish(works(5, shards=1))
    victim = subprocess.Popen(
        [sys.executable, "-c", CONSUMER_THAT_HANGS, *address], cwd=root, stdout=subprocess.PIPE
    )
    with victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == b"got\n"
        victim.kill()
    handler = Handler()

    with consuming(queue, handler):
        eventually(lambda: len(handler.seen) == 5)

    assert handler.works == works(5, shards=1)


class Server(Protocol):
    def start(self) -> None: ...
    def kill9(self) -> None: ...


@pytest.fixture(scope="module")
def own_servers() -> Iterator[dict[str, PostgreSQL | RabbitMQ]]:
    """Servers that may be killed: not those that the other tests share."""
    with private_postgres() as postgres, private_rabbit() as rabbit:
        yield {"embedded-postgres": postgres, "rabbit": rabbit}


@pytest.fixture(params=SERVED)
def served(
    request: pytest.FixtureRequest, own_servers: dict[str, PostgreSQL | RabbitMQ]
) -> Iterator[tuple[Queue, Server]]:
    server = own_servers[request.param]
    url = server.fresh_database() if isinstance(server, PostgreSQL) else server.fresh_vhost()
    with opened(request.param, url) as queue:
        yield queue, server


def publish_until_taken(queue: Queue, batch: list[Work]) -> int:
    """As the sweeper does: again until it is durable. Returns how often it was refused."""
    refused = 0
    while True:
        try:
            queue.publish(batch)
        except HubError as exc:
            assert exc.code == "enqueue.unavailable"  # noqa: PT017  # any other code is the failure
            refused += 1
            time.sleep(0.1)
        else:
            return refused


def test_killing_the_server_in_mid_traffic_loses_nothing(served: tuple[Queue, Server]) -> None:
    queue, server = served
    handler = Handler(lambda work, times: Later(0) if times == 0 and work.shard == 3 else Done())
    refused = 0

    with consuming(queue, handler):
        for number in range(30):
            if number == 10:
                server.kill9()
                restart = threading.Timer(0.5, server.start)
                restart.start()
            refused += publish_until_taken(queue, works(20, first=number * 20))
        restart.join()
        eventually(lambda: {work.ref for work in handler.works} >= {w.ref for w in works(600)}, 60)
        eventually(lambda: sum(depth.messages for depth in queue.depth().values()) == 0, 60)

    assert refused > 0


def test_publishing_to_a_server_that_is_down_is_refused_by_code_and_works_again_afterwards(
    served: tuple[Queue, Server],
) -> None:
    queue, server = served
    queue.publish(works(1))

    server.kill9()
    try:
        with pytest.raises(HubError) as refused:
            queue.publish(works(1, first=1))
        with pytest.raises(HubError) as unseen:
            queue.depth()
    finally:
        server.start()
    queue.publish(works(1, first=2))

    assert refused.value.code == unseen.value.code == "enqueue.unavailable"
    eventually(lambda: sum(depth.messages for depth in queue.depth().values()) >= 2)


def test_a_consumer_started_while_the_server_is_down_begins_when_it_is_back(
    served: tuple[Queue, Server],
) -> None:
    queue, server = served
    handler = Handler()
    queue.publish(works(4))

    server.kill9()
    with consuming(queue, handler):
        time.sleep(1)
        server.start()
        eventually(lambda: {work.ref for work in handler.works} == {w.ref for w in works(4)}, 30)


def test_names_tell_nothing(queue: Queue) -> None:
    queue.publish(works(1))

    for name in queue.depth():
        assert name.rstrip("0123456789.") in {"bro.work", "bro.later", "bro.dead", "bro.unroutable"}
