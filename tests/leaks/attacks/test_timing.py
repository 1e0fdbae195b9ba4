"""How long and how much: attack 51. For who may not know, the work done and the bytes sent are the same; and
a stopwatch tells no more.
"""

from __future__ import annotations

import ast
import gc
import inspect
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from hub.api.app import EVEN_OUT_SECONDS, create_app
from hub.parts import Parts
from tests.leaks import messages as m
from tests.leaks.attacking import accepted, agree, bare_brik, post_brik, withdraw
from tests.leaks.conftest import Fresh
from tests.leaks.lab import Lab

ROOT = Path(__file__).parents[3]
_PERMUTATIONS = 2000
_UNLIKELY = 0.01


def could_be_chance(one: Sequence[float], other: Sequence[float]) -> bool:
    """Permutation test on the difference of medians: whether two samples may well be one. It assumes
    nothing of how times are spread."""
    seen = abs(statistics.median(one) - statistics.median(other))
    both, size = [*one, *other], len(one)
    chance = random.Random(51)
    as_far = 0
    for _ in range(_PERMUTATIONS):
        chance.shuffle(both)
        as_far += abs(statistics.median(both[:size]) - statistics.median(both[size:])) >= seen
    return as_far / _PERMUTATIONS > _UNLIKELY


def timed(
    one: Callable[[], object], other: Callable[[], object], rounds: int
) -> tuple[list[float], list[float]]:
    """Interleaved in random order, so that whatever slows the machine slows both."""
    order = random.Random(17)
    found: tuple[list[float], list[float]] = ([], [])
    gc.collect()
    for _ in range(rounds):
        for which in order.sample((0, 1), 2):
            began = time.perf_counter()
            (one, other)[which]()
            found[which].append(time.perf_counter() - began)
    return found


def told_apart(one: Callable[[], object], other: Callable[[], object], rounds: int) -> bool:
    """Four times in a row: what is really slower is slower each time, an unlucky sample is not."""
    return all(not could_be_chance(*timed(one, other, rounds)) for _ in range(4))


def test_the_stopwatch_tells_what_takes_longer() -> None:
    """Or the tests below would prove nothing."""
    assert told_apart(lambda: time.sleep(0.001), lambda: time.sleep(0.005), 60)
    assert not told_apart(lambda: time.sleep(0.001), lambda: time.sleep(0.001), 60)


def test_every_hub_evens_out_how_long_a_fetch_takes() -> None:
    """Attack 51: the labs of the other attacks do not, to be done sooner."""
    assert inspect.signature(create_app).parameters["even_out"].default == EVEN_OUT_SECONDS >= 0.05
    for file in (ROOT / "hub").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("create_app"):
                assert "even_out" not in {keyword.arg for keyword in node.keywords}, file


@pytest.fixture
def lab(first: Parts, fresh: Fresh) -> Iterator[Lab]:
    """One that answers as evenly as every hub does."""
    with Lab(first, *fresh(), even_out=EVEN_OUT_SECONDS) as lab:
        lab.step("attack")
        yield lab


def test_what_was_taken_back_is_answered_as_fast_as_what_never_was(lab: Lab) -> None:
    """Attack 51: the recipient asks for something it may not have any more, and for an invented id."""
    agree(lab, "nav")
    accepted(post_brik(lab, bare_brik()))
    lab.work_off()
    [entry] = lab.call("nav", "GET", "/v1/inbox").said["entries"]
    withdraw(lab, m.to_nav())
    lab.work_off()
    ids = entry["id"], "b" * 26
    for name in ids * 5:
        assert lab.call("nav", "GET", f"/v1/inbox/{name}").status == 404

    def ask(name: str) -> Callable[[], object]:
        return lambda: lab.call("nav", "GET", f"/v1/inbox/{name}")

    assert not told_apart(ask(ids[0]), ask(ids[1]), 60)


@contextmanager
def _counting(lab: Lab) -> Iterator[list[str]]:
    """Every statement at the database, as it is written."""
    statements: list[str] = []

    def heard(_c: object, _k: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(lab.parts.store.engine, "before_cursor_execute", heard)
    try:
        yield statements
    finally:
        event.remove(lab.parts.store.engine, "before_cursor_execute", heard)


def _work(lab: Lab, rus: bool, signed: Sequence[str]) -> list[tuple[str, object]]:
    """The work of one mapping, seen from the agencies that may not know what it says of substance use, and
    from the broker: statements, bytes and messages of each step."""
    agree(lab, *signed)
    lab.settle()
    fields = bare_brik()
    fields["melding"]["id"] = "brik-tid"
    if not rus:
        fields.pop("rus")
    done: list[tuple[str, object]] = []
    lab.phase = "posted"
    with _counting(lab) as statements:
        call = post_brik(lab, fields)
    done += [("answer to the sender", len(call.body)), ("statements while it waits", list(statements))]
    lab.phase = "worked off"
    lab.work_off()
    done.append(
        (
            "broker",
            [
                (what, len(works))
                for phase, what, works in lab.broker.saw
                if phase in ("posted", "worked off")
            ],
        )
    )
    for key in ("nav", "school"):
        for entry in lab.call(key, "GET", "/v1/inbox").said["entries"]:
            with _counting(lab) as statements:
                got = lab.call(key, "GET", f"/v1/inbox/{entry['id']}")
            done += [(f"bytes to {key}", len(got.body)), (f"statements of {key}", list(statements))]
    done.append(
        ("bytes to housing", [len(sent.body) for sent in lab.recipients.sent if sent.key == "housing"])
    )
    return done


@pytest.mark.parametrize(
    "signed",
    [(), ("nav", "housing", "school"), ("nav", "housing", "school", "tsb")],
    ids=["nothing", "three", "four"],
)
def test_the_work_for_who_may_not_know_is_the_same(first: Parts, fresh: Fresh, signed: Sequence[str]) -> None:
    """Attack 51: counted, so it is exact."""
    seen = []
    for rus in (False, True):
        with Lab(first, *fresh()) as lab:
            lab.step("attack")
            seen.append(_work(lab, rus, signed))
    assert [pair for pair in zip(*seen, strict=True) if pair[0] != pair[1]] == []


def test_a_fetch_takes_as_long_whatever_the_mapping_held_that_is_not_for_the_reader(lab: Lab) -> None:
    """Attack 51: NAV fetches its part of two mappings, one of which says much of substance use."""
    agree(lab, "nav")
    entries = []
    for rus in (False, True):
        fields = bare_brik()
        if not rus:
            fields.pop("rus")
        else:
            fields["rus"]["merknad"] = "Ber om avrusning før løslatelsen. " * 100
        accepted(post_brik(lab, fields))
        lab.work_off()
        listed = [entry["id"] for entry in lab.call("nav", "GET", "/v1/inbox").said["entries"]]
        entries.append(next(name for name in listed if name not in entries))

    def fetch(name: str) -> Callable[[], object]:
        return lambda: lab.call("nav", "GET", f"/v1/inbox/{name}")

    for name in entries * 3:
        assert lab.call("nav", "GET", f"/v1/inbox/{name}").status == 200
    assert not told_apart(fetch(entries[0]), fetch(entries[1]), 60)


def test_a_control_role_is_answered_after_whole_steps(lab: Lab) -> None:
    """Attack 51: taking a mapping in costs more when the person lets more of it go."""
    began = time.monotonic()
    accepted(post_brik(lab, bare_brik()))
    assert time.monotonic() - began >= 2 * EVEN_OUT_SECONDS
