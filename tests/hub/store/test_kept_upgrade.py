"""Copies that an ended link left, wider than their documents were: as narrow as those after the upgrade."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import text

from tests.hub.store.upgrading import no_tables as no_tables
from tests.hub.store.upgrading import of_revision, upgrade

CONSENT = (
    "consent (id, person_id, series, version, recorded_by, recorded_at, permissions_ended_at)"
    " VALUES ('{0}', 'p', '{0}', 1, 'o', 0, {1})"
)
KEPT = (
    "kept_refusal (id, person_id, consent_id, from_person, series, version, recorded_at, kept_at)"
    " VALUES ('k-{0}', 'q', '{0}', 'p', '{0}', 1, 0, 10)"
)
ENDED = {"before": "9", "just then": "10", "later": "11", "never": "NULL"}


def test_a_copy_is_as_narrow_as_its_document_was_when_the_link_ended(no_tables: Callable[[], str]) -> None:
    persons = (
        f"person (id, epoch, protected_address, created_at) VALUES ('{id_}', 0, false, 0)" for id_ in "pq"
    )
    documents = (CONSENT.format(series, at) for series, at in ENDED.items())
    copies = (KEPT.format(series) for series in (*ENDED, "forgotten"))
    store = of_revision(no_tables(), "0009", *persons, *documents, *copies)

    with store.writing() as tx:
        upgrade(tx, "0010")
        found = tx.execute(text("SELECT consent_id, permissions_ended_at FROM kept_refusal")).all()
    store.close()

    assert {row.consent_id: row.permissions_ended_at for row in found} == {
        "before": 9, "just then": 10, "later": None, "never": None, "forgotten": None,
    }  # fmt: skip  # one line is enough
