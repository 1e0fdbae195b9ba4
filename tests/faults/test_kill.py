"""Killing whatever there is to kill, at random moments, while messages flow.

What holds afterwards, always: every message that was answered for reached its recipient, under one
disclosure id whose copies are the same to the byte; in the order of its person; and the audit log is
whole. What survived a killing is never restarted.
"""

from __future__ import annotations

import base64
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.audit import log
from hub.audit.verify import verify
from hub.demo.world import CAST
from hub.parts import Parts
from hub.store.disclosures import Disclosure, State, where
from hub.store.schema import disclosure
from hub.vault import create_keys
from tests.faults.process import hub_parts
from tests.faults.receiver import Receiver
from tests.servers import PostgreSQL, RabbitMQ

ROOT = Path(__file__).parents[2]
SECRET = b"a receiver's secret of thirty-two"
PERSONS = 5
SECONDS = 120.0


class Lab:
    """A hub process, its recipient, and what was answered."""

    def __init__(self, folder: Path, store: str, queue: str, receiver: Receiver) -> None:
        self.folder, self.store, self.queue, self.receiver = folder, store, queue, receiver
        self.answered: dict[int, dict[str, Any]] = {}
        self.waited: list[str] = []
        self.died = False
        self.ended = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        create_keys(folder / "keys")
        secret = base64.b64encode(SECRET).decode()
        (folder / "secret").write_text(f"whsec_{secret}")
        reached = {"webhook": {"url": self.receiver.url, "secret_file": "secret"}}
        agencies = [cast.entry() | reached for cast in CAST if cast.key in ("prison_health", "tsb")]
        (folder / "directory.yaml").write_text(yaml.safe_dump({"agencies": agencies}, allow_unicode=True))

    def start(self, last: int) -> None:
        """A hub process that posts on, from the first message that has no answer."""
        self.ended.clear()
        first = max(self.answered, default=-1) + 1
        words = [str(self.folder), self.store, self.queue, str(first), str(last), str(PERSONS)]
        with (self.folder / "stderr").open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.process", *words],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said = json.loads(line) if line.endswith("\n") else {}
            if "id" in said:
                self.answered[said["number"]] = said
            if "waited" in said:
                self.waited.append(said["waited"])
            self.died |= "died" in said
            if "end" in said:
                self.ended.set()

    def kill9(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._reader is not None:
                self._reader.join(10)
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None

    def until(self, what: str, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS
        while not holds():
            assert not self.died, "a thread of the hub died"
            assert self._process is None or self._process.poll() is None, self.stderr()
            assert time.monotonic() < deadline, f"{what}: {self.state()}"
            time.sleep(0.05)

    def stderr(self) -> str:
        return (self.folder / "stderr").read_text()[-3000:]

    def state(self) -> dict[str, object]:
        return {
            "answered": len(self.answered),
            "arrived": len(self.receiver.once()),
            "waited": self.waited[-5:],
        }

    def rows(self, parts: Parts) -> list[Disclosure]:
        with parts.store.reading() as view:
            return where(
                view,
                disclosure.c.agreement == "henvisning-tsb",
                disclosure.c.revision == 1,  # what is left for later keeps a row of its own
                limit=10_000,
            )


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(SECRET) as running:
        yield running


@pytest.fixture
def small(tmp_path: Path, receiver: Receiver) -> Iterator[Lab]:
    """SQLite and the embedded queue."""
    lab = Lab(tmp_path, f"sqlite:///{tmp_path}/bro.sqlite", "embedded", receiver)
    yield lab
    lab.kill9()


@pytest.fixture
def large(tmp_path: Path, receiver: Receiver, postgres: PostgreSQL, rabbit: RabbitMQ) -> Iterator[Lab]:
    """PostgreSQL and RabbitMQ."""
    lab = Lab(tmp_path, postgres.fresh_database(), rabbit.fresh_vhost(), receiver)
    yield lab
    lab.kill9()


def holds(lab: Lab) -> None:
    """Wait until everything answered is settled, and judge."""
    parts = hub_parts(lab.folder, lab.store, lab.queue)
    try:
        lab.until("all to be settled", lambda: all(row.state is State.DONE for row in lab.rows(parts)))
        rows = lab.rows(parts)
        by_message = {row.message_id: row for row in rows}
        assert len(by_message) == len(rows)
        answered = [by_message[said["id"]].id for said in lab.answered.values()]
        assert len(set(answered)) == len(lab.answered)
        arrived = lab.receiver.once()
        assert set(answered) <= set(arrived)
        assert set(arrived) == {row.id for row in rows}, "what arrived is what the hub says it handed over"
        assert lab.receiver.copies_that_differ() == []
        assert lab.receiver.forged == 0
        for person in {row.person_id for row in rows}:
            theirs = [row.id for row in sorted(rows, key=lambda row: row.place) if row.person_id == person]
            assert [one for one in arrived if one in set(theirs)] == theirs
        lab.kill9()
        while log.integrate(parts.store, parts.vault, parts.clock()):
            pass
        report = verify(parts.store, parts.vault)
        assert report.whole, report.faults
        assert report.hand_overs == len(rows)
    finally:
        parts.queue.close()
        parts.store.close()


def killed_at_random(lab: Lab, seed: int, rounds: int, each: int) -> None:
    chance = random.Random(seed)
    for number in range(1, rounds + 1):
        before = len(lab.answered)
        lab.start(each * (rounds + 1))
        lab.until("traffic", lambda before=before: len(lab.answered) >= before + 3)  # type: ignore[misc]  # bound now
        time.sleep(chance.uniform(0.0, 0.8))
        lab.kill9()
        assert number < rounds or not lab.ended.is_set()
    lab.start(max(lab.answered) + 10)
    assert lab.ended.wait(SECONDS)
    holds(lab)


def test_killing_the_hub_loses_nothing_on_sqlite(small: Lab) -> None:
    killed_at_random(small, seed=11, rounds=4, each=200)


def test_killing_the_hub_loses_nothing_on_postgresql_and_rabbitmq(large: Lab) -> None:
    killed_at_random(large, seed=12, rounds=3, each=200)


def outage(lab: Lab, away: Callable[[], None], back: Callable[[], None]) -> None:
    """Something goes away while messages flow, and comes back; the hub process is left alone."""
    lab.start(160)
    lab.until("traffic", lambda: len(lab.answered) >= 20)
    away()
    time.sleep(1.0)
    back()
    assert lab.ended.wait(SECONDS), lab.state()
    holds(lab)


def test_killing_the_broker_loses_nothing_and_the_hub_is_not_restarted(large: Lab, rabbit: RabbitMQ) -> None:
    outage(large, rabbit.kill9, rabbit.start)


def test_killing_the_database_loses_nothing_and_the_hub_is_not_restarted(
    large: Lab, postgres: PostgreSQL
) -> None:
    outage(large, postgres.kill9, postgres.start)


def test_a_broker_that_forgot_everything_is_told_again(large: Lab, rabbit: RabbitMQ) -> None:
    vhost = large.queue.rpartition("/")[2]

    def wipe() -> None:
        rabbit.ctl("delete_vhost", vhost)

    def empty() -> None:
        rabbit.ctl("add_vhost", vhost)
        rabbit.ctl("set_permissions", "-p", vhost, "bro", ".*", ".*", ".*")

    outage(large, wipe, empty)
