"""Verifying: whatever is done to the log behind the hub's back is seen. Each case is one tampering."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, delete, func, insert, select, update

from hub.audit import log, tree
from hub.audit.verify import Given, verify
from hub.demo.story import body
from hub.message import Outcome
from hub.store.disclosures import State
from hub.store.schema import audit_checkpoint, audit_leaf, consent, disclosure, person
from tests.hub.bench import FHIR, Bench, fhir, org, referral

Tamper = Callable[[Connection], object]


@pytest.fixture
def whole(bench: Bench) -> Bench:
    """A log with three checkpoints and hand-overs of two persons."""
    for who in (0, 1):
        bench.post("prison_health", fhir("samtykke-tsb.fhir.json", series=f"s{who}", who=who), FHIR)
        bench.post("prison_health", referral(f"H{who}", who=who))
        bench.drain()
        assert bench.verify().whole
    bench.post("prison", "brik.xml")
    bench.drain()
    report = bench.verify()
    assert report.whole
    assert (report.checkpoints, report.forgotten) == (3, 0)
    assert report.hand_overs == 4
    return bench


def leaf(tx: Connection, position: int) -> Any:
    """By its position; negative ones count from the end."""
    size = tx.scalar(select(func.count()).select_from(audit_leaf)) or 0
    return tx.execute(select(audit_leaf).where(audit_leaf.c.position == position % size)).one()


def change(tx: Connection, row: Any, **values: Any) -> None:
    tx.execute(update(audit_leaf).where(audit_leaf.c.id == row.id).values(**values))


def flip(content: bytes, at: int = 20) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def public_time(tx: Connection) -> None:
    row = leaf(tx, 3)
    change(tx, row, public=row.public.replace('"at":"2026', '"at":"2025'))


def public_kind(tx: Connection) -> None:
    row = next(r for r in tx.execute(select(audit_leaf)).all() if '"hand-over"' in r.public)
    change(tx, row, public=row.public.replace("hand-over", "decision"))


def public_commitment(tx: Connection) -> None:
    row = leaf(tx, 2)
    at = row.public.index('"commitment":"') + 20
    change(tx, row, public=row.public[:at] + ("0" if row.public[at] != "0" else "1") + row.public[at + 1 :])


def public_nonsense(tx: Connection) -> None:
    change(tx, leaf(tx, 2), public="nonsense")


def ciphertext(tx: Connection) -> None:
    row = leaf(tx, 2)
    change(tx, row, ciphertext=flip(row.ciphertext))


def wrapped_key(tx: Connection) -> None:
    row = leaf(tx, 2)
    change(tx, row, wrapped_key=flip(row.wrapped_key))


def key_taken_away(tx: Connection) -> None:
    change(tx, leaf(tx, 2), wrapped_key=None)


def another_disclosure(tx: Connection) -> None:
    row = next(r for r in tx.execute(select(audit_leaf)).all() if r.disclosure_id)
    change(tx, row, disclosure_id="id999999")


def nobodys(tx: Connection) -> None:
    change(tx, leaf(tx, 2), person_id="nobody")


def first_deleted(tx: Connection) -> None:
    tx.execute(delete(audit_leaf).where(audit_leaf.c.id == leaf(tx, 0).id))


def middle_deleted(tx: Connection) -> None:
    tx.execute(delete(audit_leaf).where(audit_leaf.c.id == leaf(tx, 5).id))


def last_deleted(tx: Connection) -> None:
    tx.execute(delete(audit_leaf).where(audit_leaf.c.id == leaf(tx, -1).id))


def middle_deleted_and_closed_up(tx: Connection) -> None:
    gone = leaf(tx, 5)
    tx.execute(delete(audit_leaf).where(audit_leaf.c.id == gone.id))
    for row in tx.execute(
        select(audit_leaf).where(audit_leaf.c.position > 5).order_by(audit_leaf.c.position)
    ).all():
        change(tx, row, position=row.position - 1)


def swapped(tx: Connection) -> None:
    one, two = leaf(tx, 4), leaf(tx, 5)
    change(tx, one, position=None)
    change(tx, two, position=4)
    change(tx, one, position=5)


def inserted(tx: Connection) -> None:
    row = leaf(tx, 4)
    values = {name: getattr(row, name) for name in ("public", "person_id", "disclosure_id", "ciphertext")}
    size = tx.scalar(select(func.count()).select_from(audit_leaf))
    tx.execute(insert(audit_leaf).values(position=size, wrapped_key=row.wrapped_key, **values))


def duplicated(tx: Connection) -> None:
    row, other = leaf(tx, 4), leaf(tx, 5)
    names = ("public", "person_id", "disclosure_id", "ciphertext", "wrapped_key")
    change(tx, other, **{name: getattr(row, name) for name in names})


def newest(tx: Connection) -> Any:
    return tx.execute(select(audit_checkpoint).order_by(audit_checkpoint.c.size.desc()).limit(1)).one()


def note_changed(tx: Connection) -> None:
    row = newest(tx)
    tx.execute(
        update(audit_checkpoint)
        .where(audit_checkpoint.c.size == row.size)
        .values(note=row.note.replace(f"\n{row.size}\n", f"\n{row.size + 1}\n"))
    )


def signature_changed(tx: Connection) -> None:
    row = newest(tx)
    at = row.note.rindex(" ") + 41
    note = row.note[:at] + ("A" if row.note[at] != "A" else "B") + row.note[at + 1 :]
    tx.execute(update(audit_checkpoint).where(audit_checkpoint.c.size == row.size).values(note=note))


def size_changed(tx: Connection) -> None:
    row = newest(tx)
    tx.execute(update(audit_checkpoint).where(audit_checkpoint.c.size == row.size).values(size=row.size + 1))


def frontier_changed(tx: Connection) -> None:
    row = newest(tx)
    frontier = ("0" if row.frontier[0] != "0" else "1") + row.frontier[1:]
    tx.execute(update(audit_checkpoint).where(audit_checkpoint.c.size == row.size).values(frontier=frontier))


def checkpoint_deleted(tx: Connection) -> None:
    tx.execute(delete(audit_checkpoint).where(audit_checkpoint.c.size == newest(tx).size))


def signed_by_another(tx: Connection) -> None:
    row = newest(tx)
    hashes = [
        tree.leaf_hash(public.encode())
        for public in tx.scalars(select(audit_leaf.c.public).order_by(audit_leaf.c.position))
    ]
    note = log.sign(Ed25519PrivateKey.generate(), row.size, tree.root_of(hashes))
    tx.execute(update(audit_checkpoint).where(audit_checkpoint.c.size == row.size).values(note=note))


def delivered_without_a_leaf(tx: Connection) -> None:
    waiting = tx.scalar(select(disclosure.c.id).where(disclosure.c.state == State.WAITING).limit(1))
    tx.execute(
        update(disclosure)
        .where(disclosure.c.id == waiting)
        .values(state=State.DONE, outcome=Outcome.DELIVERED)
    )


def hand_over_denied(tx: Connection) -> None:
    sent = tx.scalar(select(disclosure.c.id).where(disclosure.c.recipient == org("tsb")).limit(1))
    tx.execute(
        update(disclosure)
        .where(disclosure.c.id == sent)
        .values(outcome=Outcome.WITHHELD, handed_over_at=None)
    )


def disclosure_deleted(tx: Connection) -> None:
    sent = tx.scalar(select(disclosure.c.id).where(disclosure.c.handed_over_at.is_not(None)).limit(1))
    tx.execute(delete(disclosure).where(disclosure.c.id == sent))


TAMPERINGS: tuple[Tamper, ...] = (
    public_time,
    public_kind,
    public_commitment,
    public_nonsense,
    ciphertext,
    wrapped_key,
    key_taken_away,
    another_disclosure,
    nobodys,
    first_deleted,
    middle_deleted,
    last_deleted,
    middle_deleted_and_closed_up,
    swapped,
    inserted,
    duplicated,
    note_changed,
    signature_changed,
    size_changed,
    frontier_changed,
    checkpoint_deleted,
    signed_by_another,
    delivered_without_a_leaf,
    hand_over_denied,
    disclosure_deleted,
)


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_it_is_seen(whole: Bench, tamper: Tamper) -> None:
    with whole.parts.store.writing() as tx:
        tamper(tx)
    assert not verify(whole.parts.store, whole.parts.vault).whole


def note_of(bench: Bench) -> str:
    with bench.parts.store.reading() as view:
        return str(newest(view).note)


def cut_to(tx: Connection, checkpoint: Any) -> None:
    tx.execute(delete(audit_leaf).where(audit_leaf.c.position >= checkpoint.size))
    tx.execute(delete(audit_checkpoint).where(audit_checkpoint.c.size > checkpoint.size))


def oldest(tx: Connection) -> Any:
    return tx.execute(select(audit_checkpoint).order_by(audit_checkpoint.c.size).limit(1)).one()


def test_a_log_cut_back_to_an_older_checkpoint_is_seen_by_who_remembers(whole: Bench) -> None:
    remembered = note_of(whole)
    with whole.parts.store.writing() as tx:
        first = tx.scalar(select(audit_leaf.c.person_id).order_by(audit_leaf.c.id).limit(1))
        cut_to(tx, oldest(tx))
        tx.execute(delete(consent).where(consent.c.person_id != first))
        tx.execute(delete(disclosure).where(~disclosure.c.recipient.in_([org("tsb")])))
        kept = set(tx.scalars(select(audit_leaf.c.disclosure_id)))
        tx.execute(delete(disclosure).where(disclosure.c.id.not_in([k for k in kept if k])))
    report = verify(whole.parts.store, whole.parts.vault)
    assert report.whole, report.faults  # nobody can see it from what is left
    seen = verify(whole.parts.store, whole.parts.vault, remembered=remembered)
    assert [what for what, _ in seen.faults] == ["the log does not begin with the remembered one"]


def test_hand_overs_whose_leaves_were_cut_off_are_seen_without_remembering(whole: Bench) -> None:
    with whole.parts.store.writing() as tx:
        cut_to(tx, oldest(tx))
    faults = {what for what, _ in verify(whole.parts.store, whole.parts.vault).faults}
    assert "handed over without a leaf" in faults


def test_every_older_checkpoint_can_be_the_remembered_one(whole: Bench) -> None:
    with whole.parts.store.reading() as view:
        notes = list(view.scalars(select(audit_checkpoint.c.note)))
    for note in notes:
        assert verify(whole.parts.store, whole.parts.vault, remembered=note).whole


@pytest.mark.parametrize("note", ["", "nonsense", f"{log.ORIGIN}\n1\n"])
def test_a_text_that_is_no_checkpoint_is_no_fault_of_the_log_but_proves_nothing(
    whole: Bench, note: str
) -> None:
    report = verify(whole.parts.store, whole.parts.vault, remembered=note)
    assert (report.given, report.faults, report.whole) == (Given.NO_CHECKPOINT, [], False)


def test_a_checkpoint_signed_by_another_key_or_changed_is_told_apart(whole: Bench) -> None:
    good = note_of(whole)
    foreign = log.sign(Ed25519PrivateKey.generate(), 1, b"r" * 32)
    for note in (foreign, good.replace("\n", "\n1", 1)):
        report = verify(whole.parts.store, whole.parts.vault, remembered=note)
        assert (report.given, report.faults, report.whole) == (Given.FOREIGN, [], False)
    assert verify(whole.parts.store, whole.parts.vault, remembered=good).whole


def test_two_trees_of_the_same_size_are_seen_by_who_remembers(whole: Bench) -> None:
    """The operator, who holds the key, writes another history of the same length and signs it."""
    remembered = note_of(whole)
    with whole.parts.store.writing() as tx:
        tx.execute(delete(audit_checkpoint))
        one, two = leaf(tx, 0), leaf(tx, 1)
        change(tx, one, position=None)
        change(tx, two, position=0)
        change(tx, one, position=1)
        hashes = [
            tree.leaf_hash(public.encode())
            for public in tx.scalars(select(audit_leaf.c.public).order_by(audit_leaf.c.position))
        ]
        frontier: list[bytes] = []
        for size, value in enumerate(hashes):
            frontier = tree.grow(frontier, size, value)
        tx.execute(
            insert(audit_checkpoint).values(
                size=len(hashes),
                frontier=" ".join(node.hex() for node in frontier),
                note=log.sign(whole.parts.vault.log_key, len(hashes), tree.root(frontier)),
                at=whole.clock(),
            )
        )
    assert verify(whole.parts.store, whole.parts.vault).whole
    assert not verify(whole.parts.store, whole.parts.vault, remembered=remembered).whole


def test_a_hand_over_without_a_permitting_decision_is_seen(whole: Bench) -> None:
    """Its decision is deleted before the tree takes it in."""
    whole.post("prison_health", referral("H-more"))
    whole.drain()
    sent = next(row.id for row in whole.rows("tsb")[::-1] if row.agreement == "henvisning-tsb")
    with whole.parts.store.writing() as tx:
        rows = tx.execute(
            select(audit_leaf).where(audit_leaf.c.disclosure_id == sent).order_by(audit_leaf.c.id)
        ).all()
        tx.execute(delete(audit_leaf).where(audit_leaf.c.id == rows[1].id))
    assert "handed over without a permitting decision" in {what for what, _ in whole.verify().faults}


def test_a_forged_leaf_that_waits_for_the_tree_is_seen(whole: Bench) -> None:
    with whole.parts.store.writing() as tx:
        row = leaf(tx, 2)
        tx.execute(
            insert(audit_leaf).values(
                public=row.public.replace("decision", "hand-over"),
                person_id=row.person_id,
                ciphertext=row.ciphertext,
                wrapped_key=row.wrapped_key,
            )
        )
    assert not whole.verify().whole


def test_another_installations_key_opens_nothing(whole: Bench) -> None:
    stranger = replace(whole.parts.vault, log_key=Ed25519PrivateKey.generate())
    assert not verify(whole.parts.store, stranger).whole


def test_forgetting_a_person_keeps_the_tree_whole(whole: Bench) -> None:
    before = whole.verify()
    with whole.parts.store.writing() as tx:
        somebody = tx.scalar(select(person.c.id).limit(1))
        tx.execute(update(person).where(person.c.id == somebody).values(wrapped_key=None))
    after = whole.verify()
    assert after.whole, after.faults
    assert after.root == before.root
    assert after.forgotten > 0
    whole.clock.forward(days=400)
    whole.sweep()
    assert whole.verify().whole


def test_the_log_goes_on_after_somebody_is_forgotten(whole: Bench) -> None:
    """The time of what waits for the forgotten person runs out, and everybody else is still served."""
    with whole.parts.store.writing() as tx:
        tx.execute(update(person).values(wrapped_key=None))
    whole.clock.at += timedelta(days=400)
    whole.post("prison_health", fhir("samtykke-tsb.fhir.json", series="s2", who=2), FHIR)
    whole.sweep()
    assert {row.state for row in whole.rows() if row.state is State.WAITING} == set()
    report = whole.verify()
    assert report.whole, report.faults


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (update(consent).values(withdrawn_at=None), "withdrawn in the log, not in the row"),
        (delete(consent), "leaf of a consent without its row"),
        (update(consent).values(version=consent.c.version + 7), "consent row without its leaf"),
        (update(disclosure).values(recipient="310000132"), "handed over to another than the row says"),
    ],
)
def test_tables_that_say_other_than_the_log_are_seen(whole: Bench, change: Any, fault: str) -> None:
    withdrawal = json.loads(body("samtykke-tsb-trukket.json"))
    withdrawal["samtykke"]["serie"] = "s0"
    whole.post("prison_health", withdrawal)
    whole.drain()
    assert whole.verify().whole
    with whole.parts.store.writing() as tx:
        tx.execute(change)
    assert fault in {what for what, _ in whole.verify().faults}
