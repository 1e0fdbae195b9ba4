"""The register of attacks is whole: every number once, every test it names is there and runs, and every
attack we wrote stands in it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from hub.cli import prove_leaks
from hub.cli.main import main
from hub.cli.prove_leaks import Attack, _result, read_register

ROOT = Path(__file__).parents[2]
ATTACKS = read_register()
MOST_UNTESTABLE = 3


_COLLECT = """
import json, pathlib, sys, pytest

class Found:
    def pytest_collection_finish(self, session):
        marks = [[i.nodeid, sorted({m.name for m in i.iter_markers()})] for i in session.items]
        pathlib.Path(sys.argv[1]).write_text(json.dumps(marks))

sys.exit(pytest.main(["--collect-only", "-q", *sys.argv[2:]], [Found()]))
"""


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Every test of the files that the register names and of `attacks`: node id without parameters, and the
    marks of all its cases."""
    files = sorted({node.partition("::")[0] for attack in ATTACKS for node in attack.tests})
    out = tmp_path_factory.mktemp("register") / "found.json"
    done = subprocess.run(
        [sys.executable, "-c", _COLLECT, str(out), "tests/leaks/attacks", *files],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    found: dict[str, set[str]] = {}
    for node, marks in json.loads(out.read_text()):
        found.setdefault(node.partition("[")[0], set()).update(marks)
    return found


def test_every_number_stands_once_and_in_order() -> None:
    assert [attack.number for attack in ATTACKS] == list(range(1, 61))
    assert max(Counter(attack.name for attack in ATTACKS).values()) == 1


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: str(attack.number))
def test_an_entry_is_tried_or_says_why_not(attack: Attack) -> None:
    assert attack.name
    assert attack.promise
    assert bool(attack.tests) != bool(attack.reason)
    assert not (attack.open and attack.reason)
    assert len(set(attack.tests)) == len(attack.tests)
    if attack.reason or attack.open:
        assert len((attack.reason or attack.open).split()) > 20, "say it so that a stranger understands it"


def test_nearly_all_can_be_tried() -> None:
    assert sum(bool(attack.reason) for attack in ATTACKS) <= MOST_UNTESTABLE


def test_every_test_that_is_named_exists_and_cannot_be_skipped(collected: dict[str, set[str]]) -> None:
    named = {node for attack in ATTACKS for node in attack.tests}
    assert named - collected.keys() == set()
    assert [node for node in named if collected[node] & {"skip", "skipif", "xfail"}] == []


def test_every_attack_that_was_written_stands_in_the_register(collected: dict[str, set[str]]) -> None:
    written = {node for node in collected if node.startswith("tests/leaks/attacks/")}
    assert written - {node for attack in ATTACKS for node in attack.tests} == set()


def test_no_attack_can_leave_itself_out() -> None:
    for file in (ROOT / "tests/leaks/attacks").glob("*.py"):
        written = file.read_text()
        assert not re.search(r"pytest\.(skip|xfail|importorskip)|mark\.(skip|xfail)", written), file.name


PLAIN = Attack(1, "a", "b", ("t.py::one", "t.py::two"))


@pytest.mark.parametrize(
    ("attack", "report", "word"),
    [
        (PLAIN, {"t.py::one": ["passed"], "t.py::two": ["passed", "passed"]}, "passed"),
        (PLAIN, {"t.py::one": ["passed"], "t.py::two": ["passed", "two[x]"]}, "FAILED"),
        (PLAIN, {"t.py::one": ["passed"], "t.py::two": ["skipped"]}, "FAILED"),
        (PLAIN, {"t.py::one": ["passed"]}, "FAILED"),
        (PLAIN, {}, "FAILED"),
        (Attack(1, "a", "b", ("t.py::one",), open="known"), {"t.py::one": ["passed"]}, "open"),
        (Attack(1, "a", "b", reason="elsewhere"), {}, "not testable"),
    ],
)
def test_an_attack_passed_when_everything_that_tries_it_ran_and_passed(
    attack: Attack, report: dict[str, Sequence[str]], word: str
) -> None:
    assert _result(attack, report).word == word


def test_without_the_development_environment_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prove_leaks, "REGISTER", ROOT / "nowhere.yaml")
    assert main(["prove", "leaks"]) == 2
    said = capsys.readouterr().err
    assert "development environment" in said
    assert "./bro" in said


def test_one_attack_is_run_and_told(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "leaks", "--only", "50", "--only", "57"]) == 0
    said = capfd.readouterr().out
    assert "1 passed / 2 (1 cannot be tested here)" in said
