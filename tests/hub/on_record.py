"""Understands what holds of anything that is recorded about a person at the desk: over a link in doubt it
opens nothing, nor when it cannot be read, and no word of it stands in its table in clear.
"""

from __future__ import annotations

from collections.abc import Callable, Sized

from sqlalchemy import Table, select, update

from hub import identity
from hub.identity import Desk
from tests.hub.bench import Bench, number

KARI, OLA = Desk("Kari Vik", "oppslag", "kari"), Desk("Ola Nes", "kontrollert", "ola")


def expect_it_opens_only_over_a_confirmed_link(bench: Bench, got: Callable[[], Sized]) -> None:
    """It is recorded on the other number of the one about whom something waits."""
    identity.link(bench.parts, [number(0), number(1)], KARI)
    bench.drain()
    assert len(got()) == 0

    identity.confirm(bench.parts, [number(0), number(1)], OLA)
    bench.drain()

    assert len(got()) == 1


def make_unreadable(bench: Bench, table: Table) -> None:
    """No key opens what stands in the table any more."""
    with bench.parts.store.writing() as tx:
        tx.execute(update(table).values(wrapped_key=b"another"))


def expect_none_in_clear(bench: Bench, table: Table, *words: str) -> None:
    """Of the one row of the table."""
    with bench.parts.store.reading() as view:
        [row] = view.execute(select(table)).all()
    for value in row:
        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        assert all(word not in text for word in words)
