"""Understands how to run a withdrawal against hand-overs in an order of our choosing, on the real code.

One thread moves at a time. It stops at named points (wanting a gate, beginning and committing a
transaction, sending the first byte) and whoever draws the lot goes on; who would wait for a lock that
another holds is not drawn. `sent` and `committed` are written in the order they happened, so whether
something left after the withdrawal's commit is a look at one list.

Run by itself it plays many rounds and prints what it saw:

    python -m tests.hub.interleaving SEED ATTEMPTS FOLDER
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, event

from hub import hand_over, identity
from hub.errors import HubError
from hub.identity import Desk
from hub.parts import Parts
from hub.permit import SendPermit
from hub.queue.port import Later
from hub.store.engine import Store
from tests.hub.bench import (
    FHIR,
    XML,
    Bench,
    consent,
    fhir,
    first_parts,
    number,
    on_the_bench,
    org,
    referral,
    withdrawal,
    xml_brik,
)

PERSONS = 30  # prepared at once; the database is put back when all have been used
_STUCK = 20.0  # seconds: more than any step takes
DESK = Desk("Kari Vik", "prøve", "kari")


class Turns:
    """Lets one of several threads move at a time."""

    def __init__(self, chance: random.Random, patience: float = _STUCK) -> None:
        self._chance = chance
        self._patience = patience
        self._back = threading.Semaphore(0)
        self._waiting: dict[int, tuple[threading.Semaphore, Callable[[], bool]]] = {}
        self._running: set[int] = set()
        self._mine = threading.local()
        self._lock = threading.Lock()

    def step(self, ready: Callable[[], bool] = lambda: True) -> None:
        """Stop here until drawn; not before `ready`. Outside a round it does nothing."""
        me = getattr(self._mine, "number", None)
        if me is None:
            return
        go = threading.Semaphore(0)
        with self._lock:
            self._waiting[me] = (go, ready)
            self._running.discard(me)
        self._back.release()
        go.acquire()

    def play(self, *tasks: Callable[[], None]) -> None:
        """All tasks, to the end. Raises what one of them raised."""
        faults: list[BaseException] = []

        def run(me: int, task: Callable[[], None]) -> None:
            self._mine.number = me
            self.step()
            try:
                task()
            except BaseException as exc:  # noqa: BLE001  # the round judges what came
                faults.append(exc)
            with self._lock:
                self._running.discard(me)
            self._back.release()

        threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(tasks)]
        self._running = set(range(len(tasks)))
        for thread in threads:
            thread.start()
        while self._running or self._waiting:
            self._settle()
            self._draw()
        for thread in threads:
            thread.join(_STUCK)
        if faults:
            raise faults[0]

    def _settle(self) -> None:
        """Wait until nobody moves. One that does not come back waits for a lock inside the database."""
        while self._running:
            if not self._back.acquire(timeout=self._patience):
                if self._patience == _STUCK:
                    raise TimeoutError("a thread waits for something that the turns know nothing of")
                return

    def _draw(self) -> None:
        with self._lock:
            able = [me for me, (_, ready) in sorted(self._waiting.items()) if ready()]
            if not able:
                if self._waiting and not self._running:
                    raise TimeoutError("everybody waits for somebody")
                return
            me = self._chance.choice(able)
            go, _ = self._waiting.pop(me)
            self._running.add(me)
        go.release()


class SteppedStore(Store):
    """The real store, which stops at its gates and transactions. `gates` False: nobody waits at one."""

    def __init__(self, url: str, turns: Turns, *, gates: bool = True) -> None:
        super().__init__(url)
        self._turns, self._with_gates = turns, gates
        self._held: Counter[str] = Counter()
        self._writer = False
        self.after_commit: Callable[[], None] = lambda: None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        self._turns.step(lambda: not (self.sqlite and self._writer))
        self._writer = True
        try:
            with super().writing() as tx:
                yield tx
                self._turns.step()
            self.after_commit()
        finally:
            self._writer = False
        self._turns.step()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        self._turns.step()
        with super().reading() as view:
            yield view

    @contextmanager
    def gate(self, *person_ids: str) -> Iterator[None]:
        if not self._with_gates:
            self._turns.step()
            yield
            return
        mine = set(person_ids)
        self._turns.step(lambda: not any(self._held[one] for one in mine))
        self._held.update(mine)
        try:
            with super().gate(*mine):
                yield
        finally:
            self._held.subtract(mine)


@dataclass
class Seen:
    """Of all rounds: attempts made, messages that left before and after the withdrawal's commit, and how
    often the withdrawal won."""

    rounds: int = 0
    attempts: int = 0
    sent: int = 0
    late: int = 0
    stopped: int = 0


class World:
    """One database, whose persons are used up one in each round."""

    def __init__(self, first: Parts, url: str, seed: int, *, gates: bool = True, patience: float = _STUCK):
        self.chance = random.Random(seed)
        self.turns = Turns(self.chance, patience)
        self.bench: Bench = on_the_bench(first, url)
        self.store = SteppedStore(url, self.turns, gates=gates)
        if self.store.sqlite:
            event.listen(self.store.engine, "connect", _without_waiting_for_the_disk)
        self.bench.parts.store.close()
        self.bench.parts = replace(self.bench.parts, store=self.store)
        self.bench.push.meanwhile = self._leaves
        self.happened: list[tuple[str, str]] = []
        self.seen = Seen()
        self._works: list[object] = []
        self._template: sqlite3.Connection | None = None
        self._next = 0

    def close(self) -> None:
        self.store.close()

    def _leaves(self, permit: SendPermit) -> None:
        self.turns.step()
        self.happened.append(("sent", permit.disclosure))
        self.turns.step()

    def prepare(self) -> None:
        """Fresh persons, each with a consent and a referral that is queued, put off, or parked once."""
        if self._template is not None:
            path = str(self.store.engine.url.database)
            self.store.engine.dispose()
            with sqlite3.connect(path) as database:
                self._template.backup(database)
            database.close()
            self._next = 0
            return
        for who in range(1, PERSONS + 1):
            series = f"s-{who}"
            self.bench.post("prison_health", fhir("samtykke-tsb.fhir.json", series=series, who=who), FHIR)
            self.bench.post("prison_health", referral(f"H-{who}", who=who))
        self._works = list(self.bench.queue.ready)
        self.bench.queue.ready.clear()
        if self.store.sqlite:
            self._template = sqlite3.connect(":memory:", check_same_thread=False)
            with sqlite3.connect(str(self.store.engine.url.database)) as database:
                database.backup(self._template)
            database.close()

    def round(self, change: str = "withdraw") -> None:
        """One person withdraws, or is linked to somebody who refuses, while workers hand over."""
        if self._next == 0 or self._next == PERSONS:
            self.prepare()
        self._next += 1
        who, work = self._next, self._works[self._next - 1]
        self.happened.clear()
        self.bench.push.fail[org("tsb")] = self.chance.choices(
            ["unavailable", "untold", ""], weights=(2, 1, 3), k=4
        )
        changed: list[bool] = []

        late = self.chance.randrange(14)

        def hand() -> None:
            for _ in range(late):
                self.turns.step()
            for _ in range(3):
                self.seen.attempts += 1
                try:
                    again = hand_over.attempt(self.bench.parts, work)  # type: ignore[arg-type]  # a Work
                except HubError:
                    continue  # what the person allows changed just then: it comes again
                if not isinstance(again, Later):
                    return

        def change_it() -> None:
            def committed() -> None:
                if threading.current_thread() is mine:
                    self.happened.append(("committed", ""))

            mine = threading.current_thread()
            self.store.after_commit = committed
            if change == "withdraw":
                self.bench.post("prison_health", withdrawal(f"s-{who}", f"t-{who}", who=who))
            else:
                identity.protect(self.bench.parts, [number(who)], DESK)
            changed.append(True)

        more = self.chance.random() < 0.3  # sometimes the broker hands the same work to two
        self.turns.play(hand, change_it, *((hand,) if more else ()))
        assert changed
        self.bench.queue.ready.clear()
        self._judge()

    def fetch_round(self) -> None:
        """A recipient fetches a second time while the person withdraws: the fetch's commit is the hand-over.
        What was fetched once is finished, so no change of its state can hold the second fetch back."""
        self._next += 1
        who, nav = self._next, self.bench.agency("nav")
        self.bench.post("prison_health", consent("samtykke-nav.json", f"n-{who}", who=who))
        posted = self.bench.post("prison", xml_brik(message_id=f"B-{who}", who=who), XML)
        self.bench.drain()
        entry = self.bench.row("nav", message_id=posted.id).id
        hand_over.fetch(self.bench.parts, nav, entry)
        self.happened.clear()
        names: dict[threading.Thread, str] = {}
        self.store.after_commit = lambda: self.happened.append(
            (names.get(threading.current_thread(), ""), entry)
        )

        def fetch() -> None:
            names[threading.current_thread()] = "fetched"
            self.seen.attempts += 1
            try:
                hand_over.fetch(self.bench.parts, nav, entry)
            except HubError:  # busy, or gone: its commits brought nothing
                self.happened[:] = [(w, e) for w, e in self.happened if w != "fetched"]
            else:
                self.happened[:] = [("sent" if w == "fetched" else w, e) for w, e in self.happened]

        def withdraw() -> None:
            names[threading.current_thread()] = "committed"
            try:
                self.bench.post("prison_health", withdrawal(f"n-{who}", f"t-{who}", who=who))
            except HubError:  # without gates two can move the same disclosure, and one of them loses
                lost.append(True)

        lost: list[bool] = []
        self.turns.play(fetch, withdraw)
        self.store.after_commit = lambda: None
        if not lost:
            self._judge()

    def _judge(self) -> None:
        last = max(i for i, (what, _) in enumerate(self.happened) if what == "committed")
        late = sum(what == "sent" for what, _ in self.happened[last:])
        sent = sum(what == "sent" for what, _ in self.happened)
        self.seen.rounds += 1
        self.seen.late += late
        self.seen.sent += sent - late
        self.seen.stopped += sent == 0


def _without_waiting_for_the_disk(connection: sqlite3.Connection, _record: object) -> None:
    """Nothing here must outlive a power cut."""
    connection.execute("PRAGMA synchronous=OFF")


def play(folder: Path, seed: int, attempts: int, changes: Collection[str] = ("withdraw", "protect")) -> Seen:
    """Rounds on a fresh SQLite database until so many hand-overs were attempted."""
    world = World(first := first_parts(folder), first.store.url, seed)
    first.store.close()
    while world.seen.attempts < attempts:
        world.round(world.chance.choice(sorted(changes)))
    world.close()
    return world.seen


if __name__ == "__main__":
    print(json.dumps(play(Path(sys.argv[3]), int(sys.argv[1]), int(sys.argv[2])).__dict__))
