"""What was answered before the schema knew of answers: found again in a time that grows with the rows, since
nothing else can start meanwhile, and in the order it came."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, text, update

from hub.errors import HubError
from hub.store.schema import message
from tests.hub.bench import Bench
from tests.hub.store.upgrading import fill, of_revision, upgrade
from tests.hub.store.upgrading import no_tables as no_tables
from tests.hub.test_referral import answer, asked


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


def test_twice_the_rows_are_twice_the_work(no_tables: Callable[[], str]) -> None:
    work: list[int] = []
    for count in (400, 800):
        store = of_revision(no_tables(), "0006")
        with store.writing() as tx:
            fill(tx, count)
        with store.writing() as tx, counted(tx, work):
            upgrade(tx, "0007")
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
