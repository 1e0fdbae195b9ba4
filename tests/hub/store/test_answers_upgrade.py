"""What was answered before the schema knew of answers: found again in a time that grows with the rows, since
nothing else can start meanwhile, and in the order it came."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text, update

from hub.errors import HubError
from hub.store.engine import Store
from hub.store.schema import message
from tests.hub.bench import Bench
from tests.hub.test_referral import answer, asked
from tests.servers import PostgreSQL

MIGRATIONS = Path(__file__).parents[3] / "hub" / "store" / "migrations"


@pytest.fixture(params=["sqlite", "postgresql"])
def two_empty(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Two databases without a table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/one.sqlite", f"sqlite:///{tmp_path}/two.sqlite"
    server: PostgreSQL = request.getfixturevalue("postgres")
    return server.fresh_database(), server.fresh_database()


def upgraded(tx: Connection, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = tx
    command.upgrade(config, to)


def filled(tx: Connection, count: int) -> None:
    """So many requests to one office, each answered by it, and each sent on to another because of that."""
    tx.execute(
        text("INSERT INTO person (id, epoch, protected_address, created_at) VALUES ('p', 0, false, 0)")
    )
    messages = text(
        "INSERT INTO message (id, sender, sender_key, content, type, person_id, superseded, received_at)"
        " VALUES (:id, :sender, :id, 'c', 't', 'p', false, :at)"
    )
    disclosures = text(
        "INSERT INTO disclosure (id, message_id, person_id, agreement, recipient, revision, place, state,"
        " attempts, created_at, answered_at)"
        " VALUES (:id, :of, 'p', 'a', :to, 1, 1, 'done', 1, :at, :answered)"
    )
    for n in range(count):
        asked, answered = 10 * n, 10 * n + 5
        for row in ((f"q{n}", "1", asked), (f"a{n}", "2", answered)):
            tx.execute(messages, dict(zip(("id", "sender", "at"), row, strict=True)))
        for id_, to, at, answered_at in (
            (f"d{n}", "2", asked, answered),
            (f"e{n}", "3", answered, None),
        ):
            row_of = {"id": id_, "of": f"q{n}", "to": to, "at": at, "answered": answered_at}
            tx.execute(disclosures, row_of)


@contextmanager
def counted(tx: Connection, work: list[int]) -> Iterator[None]:
    """What the database does meanwhile: instructions of SQLite, rows that PostgreSQL reads."""
    if tx.dialect.name == "sqlite":
        steps = [0]

        def step() -> None:
            steps[0] += 1

        driver = tx.connection.driver_connection
        assert driver is not None
        driver.set_progress_handler(step, 10)
        yield
        driver.set_progress_handler(None, 0)
        work.append(steps[0])
        return
    read = text("SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables")
    before = int(tx.scalar(read) or 0)
    yield
    work.append(int(tx.scalar(read) or 0) - before)


def test_twice_the_rows_are_twice_the_work(two_empty: tuple[str, str]) -> None:
    work: list[int] = []
    for url, count in zip(two_empty, (400, 800), strict=True):
        store = Store(url)
        with store.writing() as tx:
            upgraded(tx, "0006")
            filled(tx, count)
        with store.writing() as tx, counted(tx, work):
            upgraded(tx, "0007")
        with store.reading() as view:
            answers = "SELECT count(*) FROM message WHERE answers = 'd' || substr(id, 2) AND id LIKE 'a%'"
            caused = "SELECT count(*) FROM disclosure WHERE because_of = 'a' || substr(id, 2)"
            found = [view.scalar(text(query)) for query in (answers, caused)]
        store.close()
        assert found == [count, count]
    assert work[0] > 0
    assert work[1] < 2.5 * work[0]


def test_what_was_answered_before_there_was_an_order_comes_first(either: Bench) -> None:
    request = asked(either)
    answer(either, request, "mottatt")
    with either.parts.store.writing() as tx:
        tx.execute(update(message).where(message.c.answers.is_not(None)).values(answer_no=None))
    either.clock.forward(hours=1)
    answer(either, request, "avslag", avslag_grunn="ingen_ledig")

    with pytest.raises(HubError, match=r"route\.move-not-allowed"):
        answer(either, request, "tilbud_permanent")
