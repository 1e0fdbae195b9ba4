"""Killed in the middle of bringing the schema up to date: the database is as it was before, and the next
start brings it up to date."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from hub.parts import Parts
from hub.store.engine import Store
from hub.store.schema import metadata
from tests.faults.killing import Points, killed
from tests.hub.bench import on_the_bench
from tests.hub.store.upgrading import fill, of_revision
from tests.hub.store.upgrading import no_tables as no_tables

ROWS = 3


@pytest.fixture
def old(no_tables: Callable[[], str]) -> str:
    """A database of the schema before answers were known, with requests that were answered and sent on."""
    url = no_tables()
    store = of_revision(url, "0006")
    with store.writing() as tx:
        fill(tx, ROWS)
    store.close()
    return url


def everything(url: str) -> dict[str, object]:
    """All columns, indexes and rows there are."""
    store = Store(url)
    with store.reading() as view:
        there = inspect(view)
        found: dict[str, object] = {
            table: (
                sorted(column["name"] for column in there.get_columns(table)),
                sorted(str(index["name"]) for index in there.get_indexes(table)),
                sorted(map(repr, view.execute(text(f"SELECT * FROM {table}")))),
            )
            for table in there.get_table_names()
        }
    store.close()
    return found


def test_an_upgrade_that_was_killed_has_not_begun(old: str, first: Parts) -> None:
    before = everything(old)

    def upgrade(points: Points) -> None:
        points.watch(Store(old)).migrate()

    stood = []
    for point in itertools.count():
        if not killed(upgrade, point):
            break
        stood.append(everything(old) == before)

    # Only who dies after the last commit leaves something, and that is all of it.
    assert stood == [True] * (len(stood) - 1) + [False]
    assert len(stood) > 10
    store = Store(old)
    with store.reading() as view:
        assert compare_metadata(MigrationContext.configure(view), metadata) == []
        assert view.scalar(text("SELECT version_num FROM alembic_version")) == "0011"
        answers = view.execute(text("SELECT id, answers FROM message ORDER BY id")).all()
        because = view.execute(text("SELECT id, because_of FROM disclosure ORDER BY id")).all()
    store.close()
    ids = range(ROWS)
    assert answers == [(f"a{n}", f"d{n}") for n in ids] + [(f"q{n}", None) for n in ids]
    assert because == [(f"d{n}", None) for n in ids] + [(f"e{n}", f"a{n}") for n in ids]
    hub = on_the_bench(first, old)
    hub.post("prison_health", "samtykke-bolig.json")
    hub.post("prison", "brik.xml")
    hub.drain()
    assert len(hub.got("housing")) == 1
    hub.parts.store.close()


def test_what_was_killed_is_brought_up_to_date_by_the_next_start(old: str) -> None:
    """At any one point: nothing that the dead one held is held still."""
    assert killed(lambda points: points.watch(Store(old)).migrate(), 6)
    store = Store(old)

    store.migrate()

    with store.reading() as view:
        assert compare_metadata(MigrationContext.configure(view), metadata) == []
        assert view.scalar(text("SELECT count(answers) FROM message")) == ROWS
        assert view.scalar(text("SELECT count(because_of) FROM disclosure")) == ROWS
    store.close()
