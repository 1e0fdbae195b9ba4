"""Leaves: what their public part holds, and that they enter the tree without a gap."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from hub.audit import log, tree
from hub.audit.log import Kind
from hub.rows import prove
from hub.store import people
from hub.store.schema import audit_checkpoint, audit_leaf
from tests.hub.bench import FHIR, XML, Bench, fhir, number, org, run_together, xml_brik

ROOT = Path(__file__).parents[3]
INTEGRATE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from hub.audit.log import integrate
from hub.store.engine import Store
from hub.vault import open_vault
store, vault = Store(sys.argv[1]), open_vault(Path(sys.argv[2]))
print(sum(integrate(store, vault, datetime.now(UTC)) for _ in range(20)))
"""


def leaves(bench: Bench) -> list[str]:
    with bench.parts.store.reading() as view:
        return list(view.scalars(select(audit_leaf.c.public).order_by(audit_leaf.c.id)))


def write(bench: Bench, count: int) -> None:
    """A thread that proves things about one person."""
    with bench.parts.store.reading() as view:
        somebody = people.find(view, bench.parts.vault, number(0))
    assert somebody is not None
    for index in range(count):
        with bench.parts.store.writing() as tx:
            prove(tx, bench.parts, somebody, Kind.OPERATOR, {"action": str(index)})


def test_a_leaf_tells_the_public_nothing_but_kind_time_and_commitment(either: Bench) -> None:
    either.post("prison_health", "samtykke-nav.json")
    either.post("prison_health", "samtykke-tsb.fhir.json")
    either.post("prison", "brik.xml")
    either.post("prison_health", "henvisning-2.json")
    either.drain()
    either.come_for_it("nav")
    either.post("prison_health", "samtykke-tsb-trukket.json")
    either.drain()
    found = [json.loads(public) for public in leaves(either)]
    assert {leaf["kind"] for leaf in found} == {
        *("decision", "hand-over", "receipt", "consent", "withdrawal")
    }
    for leaf in found:
        assert set(leaf) == {"at", "commitment", "kind", "v"}
        assert len(leaf["commitment"]) == 64
        assert leaf["v"] == 1
    assert len({leaf["commitment"] for leaf in found}) == len(found)


def test_the_private_part_names_fields_and_grounds_and_never_a_value(either: Bench) -> None:
    either.post("prison_health", "samtykke-nav.json")
    either.post("prison", "brik.xml")
    either.drain()
    either.come_for_it("nav")
    with either.parts.store.reading() as view:
        owner = people.find(view, either.parts.vault, number(0))
        assert owner is not None
        rows = view.execute(select(audit_leaf)).all()
    private = json.dumps(
        [log.open_private(either.parts.vault, owner.key, row) for row in rows], ensure_ascii=False
    )
    assert "arbeid.behov" in private
    assert org("nav") in private
    for value in (number(0), "Ask", "Avdeling B", "stort", "proveloslatelse", "2027-03-01", "skjema-1"):
        assert value not in private


def fail_after(do: Callable[[], object]) -> None:
    do()
    raise KeyError


def test_no_transaction_without_its_leaf_and_no_leaf_without_its_transaction(either: Bench) -> None:
    either.post("prison", "brik.xml")
    before = len(leaves(either))
    with either.parts.store.reading() as view:
        somebody = people.find(view, either.parts.vault, number(0))
    assert somebody is not None
    with pytest.raises(KeyError), either.parts.store.writing() as tx:
        fail_after(lambda: prove(tx, either.parts, somebody, Kind.OPERATOR, {}))
    assert len(leaves(either)) == before


def test_leaves_of_eight_writers_enter_the_tree_without_a_gap(either: Bench) -> None:
    either.post("prison", "brik.xml")
    parts = either.parts

    def integrate() -> None:
        for _ in range(10):
            log.integrate(parts.store, parts.vault, either.clock())

    assert run_together(*[partial(write, either, 6)] * 8, integrate, integrate) == [None] * 10
    report = either.verify()
    assert report.whole, report.faults
    assert report.leaves == len(leaves(either))
    with parts.store.reading() as view:
        positions = list(view.scalars(select(audit_leaf.c.position).order_by(audit_leaf.c.position)))
    assert positions == list(range(report.leaves))


def test_several_processes_integrate_at_once(either: Bench, first_keys: Path) -> None:
    either.post("prison", "brik.xml")
    write(either, 40)
    command = [sys.executable, "-c", INTEGRATE, either.url, str(first_keys)]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    write(either, 10)
    taken = [int(process.communicate(timeout=60)[0]) for process in running]
    assert [process.returncode for process in running] == [0, 0]
    taken.append(log.integrate(either.parts.store, either.parts.vault, either.clock()))
    report = either.verify()
    assert report.whole, report.faults
    assert sum(taken) == report.leaves == len(leaves(either))


def test_a_checkpoint_can_be_checked_by_anyone_with_the_public_key(either: Bench) -> None:
    for who in range(3):
        either.post("prison_health", fhir("samtykke-tsb.fhir.json", series=f"s{who}", who=who), FHIR)
        either.post("prison", xml_brik(message_id=f"B{who}", who=who), XML)
        log.integrate(either.parts.store, either.parts.vault, either.clock())
    with either.parts.store.reading() as view:
        notes = list(view.scalars(select(audit_checkpoint.c.note).order_by(audit_checkpoint.c.size)))
    hashes = [tree.leaf_hash(public.encode()) for public in leaves(either)]
    key = either.parts.vault.log_key.public_key()
    claims = [log.read_note(note, key) for note in notes]
    assert len(claims) == 3
    sizes = []
    for claim in claims:
        assert claim is not None
        size, root = claim
        assert root == tree.root_of(hashes[:size])
        proof = tree.consistency_proof(hashes, size)
        assert tree.consistent(size, root, len(hashes), tree.root_of(hashes), proof)
        sizes.append(size)
    assert sizes[-1] == len(hashes)


def test_integrating_nothing_signs_nothing(either: Bench) -> None:
    either.post("prison", "brik.xml")
    either.verify()
    with either.parts.store.reading() as view:
        before = view.scalar(select(func.count()).select_from(audit_checkpoint))
    assert log.integrate(either.parts.store, either.parts.vault, either.clock()) == 0
    with either.parts.store.reading() as view:
        assert view.scalar(select(func.count()).select_from(audit_checkpoint)) == before


def test_a_moved_leaf_does_not_open(either: Bench) -> None:
    either.post("prison", "brik.xml")
    with either.parts.store.writing() as tx:
        one, two = tx.execute(select(audit_leaf).limit(2)).all()
        tx.execute(
            update(audit_leaf)
            .where(audit_leaf.c.id == one.id)
            .values(ciphertext=two.ciphertext, wrapped_key=two.wrapped_key)
        )
    report = either.verify()
    assert [what for what, _ in report.faults] == ["private part does not match the public one"]


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        "brobygger.audit\n1\nAA==\n\n— brobygger.audit AA==\n",
        "brobygger.audit\nx\n!!\n\n— brobygger.audit !!\n",
        "other\n1\nAA==\n\n— other AA==\n",
    ],
)
def test_a_note_that_is_none_is_no_claim(bench: Bench, note: str) -> None:
    assert log.read_note(note, bench.parts.vault.log_key.public_key()) is None
