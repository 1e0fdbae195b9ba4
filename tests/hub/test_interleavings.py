"""After a withdrawal's commit nothing leaves, in whatever order the two move; and that the judge would
see it if it did."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection

from hub.parts import Parts
from hub.store import people
from hub.store.people import Person
from tests.hub.interleaving import World

ROOT = Path(__file__).parents[2]
PROCESSES, ATTEMPTS = 2, 5_000


def test_ten_thousand_hand_overs_against_withdrawals_and_none_after_the_commit(tmp_path: Path) -> None:
    """Two processes of 5,000 attempts each, over some 2,700 persons who withdraw or get a protected
    address at a drawn moment: about a minute on two free cores."""
    command = [sys.executable, "-m", "tests.hub.interleaving"]
    running = []
    for seed in range(PROCESSES):
        (folder := tmp_path / str(seed)).mkdir()
        arguments = [*command, str(seed), str(ATTEMPTS), str(folder)]
        process = subprocess.Popen(
            arguments, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        running.append(process)
    said = [process.communicate(timeout=900) for process in running]
    assert [process.returncode for process in running] == [0] * PROCESSES, said
    seen = [json.loads(out) for out, _ in said]
    assert sum(one["attempts"] for one in seen) >= 10_000
    assert [one["late"] for one in seen] == [0] * PROCESSES
    # Both sides win often, else it was no race.
    for one in seen:
        assert one["stopped"] > one["rounds"] / 10
        assert one["sent"] > one["rounds"] / 10


def rounds(world: World, count: int) -> World:
    try:
        for _ in range(count):
            world.round("withdraw")
    finally:
        world.close()
    return world


def test_without_the_gate_the_judge_sees_what_leaves_late(first: Parts, sqlite_url: str) -> None:
    assert rounds(World(first, sqlite_url, 3, gates=False), 60).seen.late > 0


def test_the_same_rounds_with_the_gate_are_clean(first: Parts, sqlite_url: str) -> None:
    assert rounds(World(first, sqlite_url, 3), 60).seen.late == 0


def test_on_postgresql_nothing_leaves_after_the_commit(first: Parts, postgres_url: str) -> None:
    seen = rounds(World(first, postgres_url, 5, patience=0.1), 30).seen
    assert (seen.late, seen.rounds) == (0, 30)
    assert seen.stopped
    assert seen.sent


@pytest.mark.parametrize("whole", [True, False], ids=["fence", "no fence"])
def test_where_nobody_waits_at_a_gate_the_fence_holds_a_fetch_back(
    first: Parts, postgres_url: str, monkeypatch: pytest.MonkeyPatch, *, whole: bool
) -> None:
    """The second line, alone: two that write at once, on PostgreSQL, where somebody else may move
    between the decision and the fence; and what is seen when the fence is gone."""
    world = World(first, postgres_url, 11, gates=False, patience=0.1)
    real = people.fence

    def fence(tx: Connection, known: Person) -> bool:
        world.turns.step()
        return real(tx, known) if whole else True

    monkeypatch.setattr(people, "fence", fence)
    try:
        for _ in range(25):
            world.fetch_round()
    finally:
        world.close()
    assert (world.seen.late == 0) is whole
    assert world.seen.sent
