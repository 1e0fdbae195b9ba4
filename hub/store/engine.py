"""Understands how to reach the database, SQLite or PostgreSQL, and how to hold a person's gate.

Two kinds of transaction: `writing()` takes SQLite's single writer place at once (BEGIN IMMEDIATE),
so that two writers wait for each other instead of failing at commit; `reading()` never blocks one.

The gate: whatever hands something over about a person, and whatever changes what the person allows,
does so alone, across threads and processes. It is held by the operating system (file lock beside
the SQLite file) or by PostgreSQL (advisory lock of a session), so it opens by itself when its holder
dies. With it, a withdrawal that has committed is never followed by a message.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from hub.errors import HubError

_GATES = 256  # file locks; two persons may share one, which costs a wait and nothing else
_MIGRATIONS = Path(__file__).parent / "migrations"


class Store:
    """The door to one database."""

    def __init__(self, url: str) -> None:
        # At DEBUG the library logs every row it reads: who gets something about whom.
        logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)
        self.url = url
        self.sqlite = url.startswith("sqlite")
        self.engine = _sqlite(url) if self.sqlite else _postgresql(url)
        self._gates = None if self.sqlite else _gates(url)
        self._closed = False
        for engine in filter(None, (self.engine, self._gates)):
            event.listen(engine, "checkin", self._returned)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction; committed at the end, rolled back on any exception."""
        with _translated(), self.engine.begin() as tx:
            yield tx

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view, however long it takes; never waits for a writer."""
        options: dict[str, Any] = {"hub_reading": True}
        if not self.sqlite:
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with (
            _translated(),
            self.engine.connect().execution_options(**options) as view,
            view.begin(),
        ):
            yield view

    def alone(self, tx: Connection, name: str) -> None:
        """Wait, inside a writing transaction, until no other one has said the same name."""
        if not self.sqlite:  # SQLite lets one writer in at a time anyway
            tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _lock_key(name)})

    @contextmanager
    def gate(self, *person_ids: str) -> Iterator[None]:
        """Be alone with these persons' disclosures and consents. Waits; never nests: whoever needs
        several gates names them all at once, and they are taken in one order, the same for everybody."""
        if self._gates is None:
            with self._file_gates(person_ids):
                yield
            return
        with (
            _translated(),
            self._gates.connect().execution_options(isolation_level="AUTOCOMMIT") as session,
        ):
            try:
                for key in sorted({_lock_key(person_id) for person_id in person_ids}):
                    session.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
                # Dying here: the session ends and PostgreSQL opens the gates.
                yield
            finally:
                _open_again(session)

    @contextmanager
    def _file_gates(self, person_ids: tuple[str, ...]) -> Iterator[None]:
        folder = Path(f"{self.engine.url.database}.gates")
        folder.mkdir(mode=0o700, exist_ok=True)
        # Two persons can share a file, and to lock it twice would be to wait for oneself.
        numbers = {hashlib.sha256(person_id.encode()).digest()[0] % _GATES for person_id in person_ids}
        with ExitStack() as held:
            for number in sorted(numbers):
                handle = os.open(folder / f"{number:02x}", os.O_RDWR | os.O_CREAT, 0o600)
                held.callback(os.close, handle)
                fcntl.flock(handle, fcntl.LOCK_EX)
            # Dying here: the kernel closes the handles and opens the gates.
            yield

    def migrate(self) -> None:
        """Bring the schema up to date. Safe to run from several processes at once."""
        from alembic import command  # a third of a second, for whoever opens no database
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        with self.gate("schema"), self.engine.begin() as tx:
            config.attributes["connection"] = tx
            command.upgrade(config, "head")
            # Dying here, or in the middle: the schema and all rows are as before, and the gate opens by
            # itself. The next start does it from the beginning.

    def close(self) -> None:
        """Let go of every connection: of those in use when their user is done."""
        self._closed = True
        for engine in filter(None, (self.engine, self._gates)):
            engine.dispose()

    def _returned(self, _connection: Any, record: ConnectionPoolEntry) -> None:
        """What somebody still used when the store was closed comes back to a pool that nobody looks
        into any more, and would stay open there."""
        if self._closed:
            record.invalidate()


def _open_again(session: Connection) -> None:
    """Open whatever gates a session holds, before somebody else gets it. One that cannot say so any more
    ends, and its gates with it; what was done behind them is done, so that is nobody's error."""
    try:
        session.execute(text("SELECT pg_advisory_unlock_all()"))
    except DBAPIError:
        session.invalidate()  # whatever else stops it here ends the session by the library's own doing


def _lock_key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


@contextmanager
def _translated() -> Iterator[None]:
    """A database that is away, or two that wrote the same at once: waiting helps, nothing is broken."""
    try:
        yield
    except (OperationalError, IntegrityError) as exc:
        raise HubError("receive.busy") from exc


def _postgresql(url: str) -> Engine:
    # pool_pre_ping: a connection that died with the database is replaced before use, so no process
    # needs a restart after the database was away. hide_parameters: no value in an exception.
    return create_engine(url, pool_size=10, max_overflow=20, pool_pre_ping=True, hide_parameters=True)


def _gates(url: str) -> Engine:
    # Sessions are kept, as beginning one costs as much as all that is done behind a gate. Nobody waits for
    # one to come back: who has it may be waiting for a gate that the one without it holds.
    return create_engine(url, pool_size=10, max_overflow=-1, pool_pre_ping=True, hide_parameters=True)


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": 60})
    path = engine.url.database
    if path:
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("hub_reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine
