"""Understands that very many spoiled inputs give records and refusals, and that a fault in one is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.base import Adapter
from hub.cli.main import main
from hub.errors import HubError
from hub.kit import fuzz as kit
from hub.kit import noise
from hub.kit.case import Case
from hub.kit.checked import cases, loaded
from hub.kit.fuzz import fuzz, starting
from hub.message import Record

HUB = loaded()
CASE = next(cases("brik-xml", HUB))
WRITTEN = [a.name for a in HUB.registry.adapters if not a.name.startswith("json:")]


@pytest.mark.parametrize("name", [*WRITTEN, "json:epikrise"])
def test_nothing_but_records_and_refusals_comes_out(name: str) -> None:
    for case in cases(name, HUB):
        run = fuzz(case, 150, seed="tests", among=whole(case))

        assert run.failed == ()
        assert run.inputs == 150
        assert run.holds


def whole(case: Case) -> tuple[noise.Seed, ...]:
    """The examples as they are: making them small pays from some thousand inputs on."""
    return noise.seeds(list(case.bodies.values()))


def broken(parse: Callable[[bytes], Record]) -> Adapter:
    return replace(CASE.adapter, parse=parse)


def _sometimes(body: bytes) -> Record:
    if len(body) % 50 == 7:
        raise IndexError(body)
    return CASE.adapter.parse(body)


def test_an_input_that_fails_is_told_by_number_kept_and_made_again(tmp_path: Path) -> None:
    case = replace(CASE, adapter=broken(_sometimes))

    run = fuzz(case, 200, seed="a", keep=tmp_path)

    assert not run.holds
    assert {failed.finding.rule for failed in run.failed} == {"IndexError"}
    first = run.failed[0].number
    again = fuzz(case, 1, seed="a", start=first)
    assert again.failed[0].number == first
    kept = (tmp_path / f"brik-xml-a-{first}").read_bytes()
    assert kept == noise.spoiled("a", first, starting(case))
    assert len(kept) % 50 == 7


def test_most_inputs_are_made_of_small_examples_and_some_of_whole_ones() -> None:
    among = [seed.body for seed in starting(CASE)]
    largest = max(CASE.bodies.values(), key=len)

    assert all(body in among for body in CASE.bodies.values())
    assert among.count(largest) == 1
    assert sum(len(body) >= len(largest) / 2 for body in among) <= len(among) / 50
    assert 10 <= len(among) <= 400


def test_a_run_ends_when_enough_has_failed() -> None:
    def always(body: bytes) -> Record:
        raise KeyError(body)

    run = fuzz(replace(CASE, adapter=broken(always)), 1000, among=whole(CASE))

    assert run.inputs < 30


def test_memory_that_grows_with_every_input_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[bytes] = []

    def hoards(body: bytes) -> Record:
        kept.append(b"x" * 40 * 2**20 if len(kept) % 50 == 49 else body)  # so large that it is new memory
        raise HubError("parse.malformed")

    monkeypatch.setattr(kit, "_WARM", 20)
    monkeypatch.setattr(kit, "MOST_GROWTH", 8 * 2**20)
    case = replace(CASE, adapter=broken(hoards))

    run = fuzz(case, 200, among=whole(case))

    assert run.failed == ()
    assert run.grown is not None
    assert run.grown > 8 * 2**20
    assert not run.holds


@pytest.mark.parametrize(
    ("inputs", "says", "measured"),
    [(4, True, False), (5, True, False), (6, True, True), (6, False, False)],
    ids=["less than the warm-up", "just the warm-up", "one more", "a system that does not say"],
)
def test_memory_that_was_not_measured_is_not_called_none_and_no_fault(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    inputs: int,
    says: bool,
    measured: bool,
) -> None:
    monkeypatch.setattr(kit, "_WARM", 5)
    monkeypatch.setattr(kit, "MOST_GROWTH", -1)  # whatever is measured is too much
    if not says:
        monkeypatch.setattr(kit, "resident", lambda: None)
    command = ["prove", "adapters", "--only", "brik-xml", "--inputs", str(inputs)]

    code = main(command)
    text = capsys.readouterr().out
    assert main([*command, "--json"]) == code
    report = json.loads(capsys.readouterr().out)

    grown = report["adapters"][0]["memory_grown_bytes"]
    assert isinstance(grown, int) is measured
    assert (grown is None) is not measured
    assert report["holds"] is not measured
    assert code == int(measured)
    assert ("memory not measured" in text) is not measured
    assert ("MiB" in text) is measured


def test_where_the_system_does_not_say_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (kit.resident() or 0) > 2**20
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: (_ for _ in ()).throw(FileNotFoundError()))

    assert kit.resident() is None


def test_all_are_read_and_one_in_so_many_is_written_again() -> None:
    read: list[bytes] = []

    def parse(body: bytes) -> Record:
        read.append(body)
        return CASE.adapter.parse(body)

    def render(_: Record) -> bytes:
        raise IndexError

    case = replace(CASE, adapter=replace(CASE.adapter, parse=parse, render=render))

    often = fuzz(case, 400, among=whole(CASE), start=7)
    seldom = fuzz(case, 400, among=whole(CASE), start=7, whole=50)

    assert (often.whole, seldom.whole) == (often.inputs, 8)
    assert any(failed.number % 50 for failed in often.failed)
    assert all(failed.number % 50 == 0 for failed in seldom.failed)
    assert len(read) >= often.inputs + seldom.inputs


@pytest.mark.parametrize("number", ["0", "-1"])
def test_none_of_so_many_cannot_be_asked_for(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "adapters", "--only", "brik-xml", "--whole", number]) == 2
    assert "--whole" in capsys.readouterr().err


def test_the_command_says_how_many_and_how_fast(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "adapters", "--only", "fhir-tsb", "--inputs", "20", "--json"]) == 0

    report = json.loads(capsys.readouterr().out)
    [run] = report["adapters"]
    assert (run["adapter"], run["inputs"], report["holds"]) == ("fhir-tsb", 20, True)
    assert run["per_second"] > 0


def test_the_command_ends_with_1_and_the_number_of_the_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kit, "MOST_GROWTH", -1)
    monkeypatch.setattr(kit, "_WARM", 1)

    assert main(["prove", "adapters", "--only", "brik-xml", "--inputs", "3"]) == 1

    out = capsys.readouterr().out
    assert "FAULT memory grew with every input" in out
    assert "NOT ALL HOLDS." in out
    assert main(["prove", "adapters", "--only", "nothing"]) == 2
