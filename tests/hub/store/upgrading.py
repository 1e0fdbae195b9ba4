"""Understands databases of an older schema: how to make one, and what stood in it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from hub.store.engine import Store
from tests.servers import PostgreSQL

MIGRATIONS = Path(__file__).parents[3] / "hub" / "store" / "migrations"
MESSAGE = "message (id, sender, sender_key, content, type, person_id, superseded, received_at)"
DISCLOSURE = (
    "disclosure (id, message_id, person_id, agreement, recipient, revision, place, state, attempts,"
    " created_at, answered_at)"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def no_tables(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """A database without a table, another one each time it is called."""
    if request.param == "sqlite":
        numbers = itertools.count()
        return lambda: f"sqlite:///{tmp_path}/empty-{next(numbers)}.sqlite"
    server: PostgreSQL = request.getfixturevalue("postgres")
    return server.fresh_database


def upgrade(tx: Connection, to: str) -> None:
    """Bring the schema to a revision and no further."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = tx
    command.upgrade(config, to)


def of_revision(url: str, revision: str, *rows: str) -> Store:
    """A store whose schema is an older one, with rows in it: each as `table (columns) VALUES (...)`."""
    store = Store(url)
    with store.writing() as tx:
        upgrade(tx, revision)
    with store.writing() as tx:
        for row in rows:
            tx.execute(text(f"INSERT INTO {row}"))
    return store


def fill(tx: Connection, count: int) -> None:
    """So many requests to one office, each answered by it, and each sent on to another because of that."""
    tx.execute(
        text("INSERT INTO person (id, epoch, protected_address, created_at) VALUES ('p', 0, false, 0)")
    )
    messages = text(f"INSERT INTO {MESSAGE} VALUES (:id, :sender, :id, 'c', 't', 'p', false, :at)")
    disclosures = text(
        f"INSERT INTO {DISCLOSURE} VALUES (:id, :of, 'p', 'a', :to, 1, 1, 'done', 1, :at, :answered)"
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
