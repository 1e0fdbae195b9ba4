"""Understands the queue that needs no broker: a table beside the hub's own.

Works on SQLite as well as PostgreSQL, with several consumers in one or many processes. State changes are
compare-and-set on the lease. Must not know what the work refers to.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from sqlalchemy import Engine, Table, delete, exists, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from hub.errors import Finding, HubError
from hub.queue.port import LADDER, Dead, Depth, Done, Handle, Later, Settlement, Work, delay, settle

POLL_SECONDS = 0.2  # how soon another process sees new work; our own is woken at once
LEASE_SECONDS = 60.0  # work of a consumer that died comes back after this
RUN = 8  # items of one shard taken at a time: fewer round trips, and the shard stays in order
FLUSH_SECONDS = 1.0  # settlements of a slow run are written at least this often
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)

_log = logging.getLogger("hub.queue")


@dataclass(frozen=True)
class _Leased:
    id: int
    work: Work


_Settled = tuple[int, float, Settlement]  # which item, handled when, how


class EmbeddedQueue:
    """A `hub.queue.port.Queue`. Publish after your own transaction: SQLite has one writer at a time."""

    def __init__(
        self,
        engine: Engine,
        table: Table,
        *,
        ladder: Sequence[float] = LADDER,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._engine = engine
        self._table = table
        self._ladder = tuple(ladder)
        self._lease_seconds = lease_seconds
        self._news = threading.Condition()
        self._published = 0

    def publish(self, works: Sequence[Work]) -> None:
        if not works:
            return
        now = time.time()
        fresh = {
            "state": "waiting",
            "created_at": now,
            "available_at": now,
            "leased_until": 0.0,
            "lease": "",
            "deliveries": 0,
        }
        rows = [{"ref": work.ref, "shard": work.shard, **fresh} for work in works]
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(self._table), rows)
        except SQLAlchemyError as exc:
            raise _unavailable() from exc
        with self._news:
            self._published += 1
            self._news.notify_all()

    def consume(self, handle: Handle, stop: threading.Event) -> None:
        """Blocks until `stop`. Several threads may call it; each leases shards of its own."""
        failures = 0
        while not stop.is_set():
            seen = self._published
            try:
                busy = self._work_once(handle, stop)
                failures = 0
            except SQLAlchemyError as exc:
                # What was leased comes back when the lease runs out; nothing else is left behind.
                _log.warning("queue table away; trying again", extra={"fault": type(exc).__name__})
                stop.wait(BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)])
                failures += 1
                continue
            if not busy:
                self._await_news(seen)

    def depth(self) -> Mapping[str, Depth]:
        table, now = self._table, time.time()
        waiting = table.c.state == "waiting"
        parts = {
            "bro.work": waiting & (table.c.available_at <= now),
            "bro.later": waiting & (table.c.available_at > now),
            "bro.dead": table.c.state == "dead",
        }
        found = {}
        try:
            with self._engine.connect() as connection:
                for name, condition in parts.items():
                    query = select(func.count(), func.min(table.c.created_at)).where(condition)
                    count, oldest = connection.execute(query).one()
                    found[name] = Depth(count, None if oldest is None else max(0.0, now - oldest))
        except SQLAlchemyError as exc:
            raise _unavailable() from exc
        return found

    def close(self) -> None:
        """Nothing to let go of: the engine belongs to the store."""

    def _await_news(self, seen: int) -> None:
        """Sleep until someone in this process publishes, or until the next look."""
        with self._news:
            self._news.wait_for(lambda: self._published != seen, timeout=POLL_SECONDS)

    def _work_once(self, handle: Handle, stop: threading.Event) -> bool:
        """Take one run and handle it in order; False when there was nothing to take."""
        lease = secrets.token_hex(16)
        run, until = self._take(lease)
        settled: list[_Settled] = []
        for position, item in enumerate(run):
            if stop.is_set():
                break
            if settled and time.time() - settled[0][1] > FLUSH_SECONDS:
                self._settle(lease, settled)
                settled.clear()
            if until - time.time() < self._lease_seconds / 2:
                until = time.time() + self._lease_seconds
                if not self._renew(lease, [left.id for left in run[position:]], until):
                    break  # we were too slow and somebody else has them
            # Dying from here to the settlement below: the lease runs out and the run comes back.
            settled.append((item.id, time.time(), settle(handle, item.work)))
        if run:
            self._settle(lease, settled)
            self._give_back(lease)  # when stopped: the rest of the run is another's at once
        return bool(run)

    def _take(self, lease: str) -> tuple[list[_Leased], float]:
        """Lease the oldest due items of the shard that has waited longest; busy shards are left alone."""
        table, now = self._table, time.time()
        due = (table.c.state == "waiting") & (table.c.available_at <= now)
        shards = (
            select(table.c.shard)
            .where(due)
            .group_by(table.c.shard)
            .having(func.max(table.c.leased_until) <= now)
            .order_by(func.min(table.c.id))
        )
        with self._engine.connect() as connection:
            free = connection.execute(shards).scalars().all()
        for shard in free:
            oldest = select(table.c.id).where(due, table.c.shard == shard).order_by(table.c.id).limit(RUN)
            # SQLite has one writer, PostgreSQL checks the row again after waiting for a rival's lock:
            # of two that take the same shard at once, one gets no row that the other has.
            rival = table.alias()
            held = (rival.c.state == "waiting") & (rival.c.shard == shard) & (rival.c.leased_until > now)
            until = time.time() + self._lease_seconds
            take = (
                update(table)
                .where(table.c.id.in_(oldest.scalar_subquery()), due, table.c.leased_until <= now)
                .where(~exists().where(held))
                .values(lease=lease, leased_until=until, deliveries=table.c.deliveries + 1)
                .returning(table.c.id, table.c.ref, table.c.shard)
            )
            with self._engine.begin() as connection:
                rows = connection.execute(take).all()
            if rows:
                return [_Leased(row.id, Work(row.ref, row.shard)) for row in sorted(rows)], until
        return [], 0.0

    def _renew(self, lease: str, ids: Sequence[int], until: float) -> bool:
        table = self._table
        mine = update(table).where(table.c.id.in_(ids), table.c.lease == lease)
        with self._engine.begin() as connection:
            return connection.execute(mine.values(leased_until=until)).rowcount == len(ids)

    def _give_back(self, lease: str) -> None:
        table = self._table
        mine = update(table).where(table.c.lease == lease, table.c.state == "waiting")
        with self._engine.begin() as connection:
            connection.execute(mine.values(leased_until=0.0, lease=""))

    def _settle(self, lease: str, settled: Sequence[_Settled]) -> None:
        """One transaction for a run. Compare-and-set on the lease: what comes too late changes nothing."""
        table = self._table
        free = {"leased_until": 0.0, "lease": ""}
        done = [number for number, _, settlement in settled if isinstance(settlement, Done)]
        with self._engine.begin() as connection:
            if done:
                connection.execute(delete(table).where(table.c.id.in_(done), table.c.lease == lease))
            for number, at, settlement in settled:
                mine = update(table).where(table.c.id == number, table.c.lease == lease)
                match settlement:
                    case Done():
                        pass
                    case Later(step):
                        due = at + delay(self._ladder, step)
                        connection.execute(mine.values(available_at=due, **free))
                    case Dead():
                        connection.execute(mine.values(state="dead", **free))
                    case never:
                        assert_never(never)


def _unavailable() -> HubError:
    return HubError("enqueue.unavailable", [Finding("queue", "unavailable", "a database that answers")])
