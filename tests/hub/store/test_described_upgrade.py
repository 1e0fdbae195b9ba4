"""Records of a schema that knew none but numbered persons."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from hub.store.schema import person
from tests.hub.store.upgrading import no_tables as no_tables
from tests.hub.store.upgrading import of_revision, upgrade


def test_whoever_was_there_has_a_number_also_who_is_forgotten(no_tables: Callable[[], str]) -> None:
    rows = (
        f"person (id, epoch, wrapped_key, protected_address, created_at) VALUES ('{id_}', 0, {key}, false, 0)"
        for id_, key in (("known", "'k'"), ("forgotten", "NULL"))
    )
    store = of_revision(no_tables(), "0010", *rows)

    with store.writing() as tx:
        upgrade(tx, "0011")
        found = tx.execute(select(person.c.id, person.c.numbered)).all()
    store.close()

    assert {row.id: row.numbered for row in found} == {"known": True, "forgotten": True}
