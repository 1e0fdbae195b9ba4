"""The database: the schema that migrations build, the gate, times, and being moved from one state."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event, insert, inspect, select, text
from sqlalchemy.exc import OperationalError

from hub.errors import HubError
from hub.parts import Parts
from hub.store import disclosures, people
from hub.store.disclosures import LostRace, State
from hub.store.engine import Store
from hub.store.schema import instant, metadata, microseconds, person
from tests.hub.bench import Bench, run_together
from tests.hub.store.upgrading import DISCLOSURE, MESSAGE, of_revision
from tests.hub.store.upgrading import no_tables as no_tables
from tests.servers import PostgreSQL

ROOT = Path(__file__).parents[3]
HOLDER = """
import sys, time
from hub.store.engine import Store
with Store(sys.argv[1]).gate(sys.argv[2]):
    print("in", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def empty(no_tables: Callable[[], str]) -> str:
    """A database without a table."""
    return no_tables()


def test_migrations_build_what_the_schema_says(empty: str) -> None:
    store = Store(empty)
    store.migrate()
    with store.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
        built = set(inspect(connection).get_table_names())
    store.close()
    assert found == []
    assert set(metadata.tables) <= built


def test_a_database_of_the_first_schema_with_rows_in_it_is_brought_up_to_date(empty: str) -> None:
    store = of_revision(
        empty,
        "0001",
        "person (id, epoch, protected_address, created_at) VALUES ('p', 3, true, 5)",
        "identifier (pseudonym, person_id) VALUES ('x', 'p')",
        "consent (id, person_id, series, version, recorded_by, recorded_at) VALUES ('c','p','s',1,'1',5)",
        f"{MESSAGE} VALUES ('m', '1', 'k', 'c', 't', 'p', false, 5)",
        f"{DISCLOSURE} VALUES ('d', 'm', 'p', 'a', '2', 1, 1, 'queued', 2, 5, NULL)",
    )
    store.migrate()
    with store.reading() as view:
        owner, item = people.load(view, "p"), disclosures.load(view, "d")
        assert compare_metadata(MigrationContext.configure(view), metadata) == []
    store.close()
    assert (owner.epoch, owner.protected_address, owner.deceased) == (3, True, False)
    assert item is not None
    assert (item.state, item.attempts, item.uncertain_at) == (State.QUEUED, 2, None)


def test_what_was_answered_and_sent_on_before_is_known_from_its_times(empty: str) -> None:
    store = of_revision(
        empty,
        "0006",
        "person (id, epoch, protected_address, created_at) VALUES ('p', 7, false, 5)",
        f"{MESSAGE} VALUES ('asked', '1', 'k', 'c', 't', 'p', false, 5)",
        f"{MESSAGE} VALUES ('answer', '2', 'l', 'd', 'u', 'p', false, 9)",
        f"{MESSAGE} VALUES ('other', '2', 'm', 'e', 'u', 'p', false, 11)",
        f"{DISCLOSURE} VALUES ('first', 'asked', 'p', 'a', '2', 1, 1, 'done', 1, 5, 9)",
        f"{DISCLOSURE} VALUES ('more', 'asked', 'p', 'a', '2', 2, 2, 'waiting', 0, 5, NULL)",
        f"{DISCLOSURE} VALUES ('onward', 'asked', 'p', 'a', '3', 1, 3, 'done', 1, 9, NULL)",
        f"{DISCLOSURE} VALUES ('back', 'answer', 'p', 'b', '1', 1, 4, 'done', 1, 9, NULL)",
    )
    store.migrate()
    with store.reading() as view:
        answers = {row.id: row.answers for row in view.execute(text("SELECT id, answers FROM message"))}
        because = {item.id: item.because_of for item in disclosures.where(view)}
    store.close()
    assert answers == {"asked": None, "answer": "first", "other": None}
    assert because == {"first": None, "more": None, "onward": "answer", "back": None}


def test_migrating_twice_changes_nothing(url: str) -> None:
    store = Store(url)
    with store.writing() as tx:
        tx.execute(insert(person).values(id="p", epoch=7, protected_address=False, created_at=instant(0)))
    store.migrate()
    with store.reading() as view:
        assert view.scalar(select(person.c.epoch)) == 7
    store.close()


def test_several_processes_migrate_at_once(empty: str) -> None:
    migrate = [
        sys.executable,
        "-c",
        "import sys; from hub.store.engine import Store; Store(sys.argv[1]).migrate()",
    ]
    running = [
        subprocess.Popen([*migrate, empty], cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    said = [process.communicate(timeout=60)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], said
    store = Store(empty)
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    store.close()


def test_the_gate_lets_one_thread_in_at_a_time(url: str) -> None:
    store = Store(url)
    inside, most = [0], [0]

    def work() -> None:
        for _ in range(5):
            with store.gate("somebody"):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0.002)
                inside[0] -= 1

    assert run_together(*[work] * 6) == [None] * 6
    store.close()
    assert most[0] == 1


def test_gates_of_two_persons_do_not_meet(url: str) -> None:
    store, both = Store(url), threading.Barrier(2, timeout=10)

    def work(name: str) -> None:
        with store.gate(name):
            both.wait()

    assert run_together(lambda: work("ada"), lambda: work("bo")) == [None, None]
    store.close()


def test_the_gate_holds_across_processes_and_opens_when_its_holder_is_killed(url: str) -> None:
    store = Store(url)
    entered = threading.Event()

    def enter() -> None:
        with store.gate("somebody"):
            entered.set()

    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, url, "somebody"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "in\n"
        waiting = threading.Thread(target=enter, daemon=True)
        waiting.start()
        assert not entered.wait(0.5)
    finally:
        holder.kill()
        holder.wait()
    assert entered.wait(10)
    waiting.join(10)
    holder.stdout.close()
    store.close()


def test_the_gate_opens_when_its_holder_raises(url: str) -> None:
    store, other = Store(url), Store(url)
    with pytest.raises(KeyError), store.gate("somebody"):
        raise KeyError
    assert enters_soon(other, "somebody")
    store.close()
    other.close()


def test_gates_open_one_after_the_other_in_sessions_that_are_kept(postgres_url: str) -> None:
    store, other, began = Store(postgres_url), Store(postgres_url), []
    gates = store._gates
    assert gates is not None
    event.listen(gates, "connect", lambda connection, record: began.append(connection))
    for name in ("ada", "bo", "ada"):
        with store.gate(name, "both"):
            assert not enters_soon(other, "both", seconds=0.2)
    assert all(enters_soon(other, name) for name in ("ada", "bo", "both"))
    assert len(began) == 1
    store.close()
    other.close()


def test_a_session_that_ends_behind_the_gate_takes_its_gates_along_and_is_not_used_again(
    postgres_url: str,
) -> None:
    store, other = Store(postgres_url), Store(postgres_url)
    with store.gate("somebody"), other.engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
                "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        )
        done = "behind the gate, and no error after it"
    assert done
    assert enters_soon(other, "somebody")
    with store.gate("somebody"):
        assert not enters_soon(other, "somebody", seconds=0.2)
    store.close()
    other.close()


def test_a_session_that_cannot_open_its_gates_ends(postgres_url: str) -> None:
    store, other = Store(postgres_url), Store(postgres_url)
    gates = store._gates
    assert gates is not None

    def refused(
        _connection: object, _cursor: object, statement: str, parameters: object, *_: object
    ) -> tuple[str, object]:
        return statement.replace("unlock_all", "no_such_thing"), parameters

    event.listen(gates, "before_cursor_execute", refused, retval=True)
    with store.gate("somebody"):
        pass
    assert enters_soon(other, "somebody")
    store.close()
    other.close()


def enters_soon(store: Store, name: str, seconds: float = 10) -> bool:
    """Whether the gate opens; whoever still waits behind it then goes on waiting, and through."""
    entered = threading.Event()

    def enter() -> None:
        with store.gate(name):
            entered.set()

    threading.Thread(target=enter, daemon=True).start()
    return entered.wait(seconds)


@pytest.mark.parametrize(
    "at",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2026, 11, 22, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, 0, 1, tzinfo=UTC),  # the hour that Oslo skips
        datetime(2126, 2, 28, 12, 0, 0, 123_456, tzinfo=UTC),
    ],
)
def test_times_come_back_to_the_microsecond(bench: Bench, at: datetime) -> None:
    assert instant(microseconds(at)) == at
    with bench.parts.store.writing() as tx:
        tx.execute(insert(person).values(id="p", epoch=0, protected_address=False, created_at=at))
    with bench.parts.store.reading() as view:
        assert view.scalar(select(person.c.created_at)) == at
        assert view.scalar(select(person.c.id).where(person.c.created_at < at + timedelta(microseconds=1)))
        assert not view.scalar(select(person.c.id).where(person.c.created_at < at))


def test_times_come_back_to_the_microsecond_from_postgresql(first: Parts, postgres: PostgreSQL) -> None:
    store, at = Store(postgres.fresh_database()), datetime(2026, 11, 22, 23, 59, 59, 999_999, tzinfo=UTC)
    store.migrate()
    with store.writing() as tx:
        tx.execute(insert(person).values(id="p", epoch=0, protected_address=False, created_at=at))
    with store.reading() as view:
        assert view.scalar(select(person.c.created_at)) == at
    store.close()


def test_of_two_that_move_a_disclosure_one_loses(either: Bench) -> None:
    either.post("prison", "brik.xml")
    item = either.row("nav")
    with either.parts.store.writing() as tx:
        disclosures.move(tx, item, State.PARKED)
    with pytest.raises(LostRace), either.parts.store.writing() as tx:
        disclosures.move(tx, item, State.DONE)
    assert either.row("nav").state is State.PARKED


def test_a_move_loses_when_somebody_else_has_begun_an_attempt(either: Bench) -> None:
    either.post("prison", "brik.xml")
    item = either.row("nav")
    with either.parts.store.writing() as tx:
        disclosures.move(tx, item, State.QUEUED, attempts=1)
    with pytest.raises(LostRace), either.parts.store.writing() as tx:
        disclosures.move(tx, item, State.DONE)
    assert either.row("nav").state is State.QUEUED


def test_many_threads_move_a_disclosure_and_exactly_one_wins(either: Bench) -> None:
    either.post("prison", "brik.xml")
    item = either.row("nav")

    def move() -> None:
        with either.parts.store.writing() as tx:
            disclosures.move(tx, item, State.PARKED)

    results = run_together(*[move] * 8)
    assert results.count(None) == 1
    assert sum(isinstance(result, LostRace) for result in results) == 7


def fail_after(do: Callable[[], object]) -> None:
    do()
    raise KeyError


def test_what_raises_leaves_nothing_behind(either: Bench) -> None:
    row = {"id": "p", "epoch": 0, "protected_address": False, "created_at": instant(0)}
    with pytest.raises(KeyError), either.parts.store.writing() as tx:
        fail_after(lambda: tx.execute(insert(person).values(**row)))
    assert either.people() == []


def test_a_database_that_is_away_is_busy_and_not_broken(tmp_path: Path) -> None:
    store = Store("postgresql+psycopg://nobody@127.0.0.1:9/none")
    for door in (store.writing, store.reading):
        with pytest.raises(HubError) as refused, door():
            pass
        assert refused.value.code == "receive.busy"
    with pytest.raises(HubError) as refused, store.gate("somebody"):
        pass
    assert refused.value.code == "receive.busy"


def test_a_value_never_stands_in_the_text_of_a_database_error(either: Bench) -> None:
    row = {"id": "kanari-hemmelig", "epoch": 0, "protected_address": False, "created_at": instant(0)}
    with pytest.raises(HubError) as refused, either.parts.store.writing() as tx:
        tx.execute(insert(person), [row, row])
    told = repr(refused.value) + repr(refused.value.findings)
    assert "kanari" not in told
    assert not isinstance(refused.value.__cause__, OperationalError)


def test_what_is_in_use_while_the_store_closes_is_closed_when_it_comes_back(url: str) -> None:
    store, closed = Store(url), []
    event.listen(store.engine, "close", lambda connection, record: closed.append(connection))
    with store.reading() as view:
        used = view.connection.dbapi_connection
        store.close()
        assert used not in closed
        assert view.execute(text("SELECT 1")).scalar() == 1
    assert used in closed
