"""Understands how the sixty attacks are run and what came of each. It knows the register, which says what
tries which attack, and pytest's report; it must not know any attack.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import click

from hub.cli.shown import console, say, say_json

ROOT = Path(__file__).resolve().parents[2]
REGISTER = ROOT / "tests" / "leaks" / "attacks.yaml"
HOW_TO_GET_IT = (
    "The attacks are tests and need the development environment: the project's own folder with `tests`,",
    "what requirements-dev.lock names, PostgreSQL and RabbitMQ. There, `./bro` makes the environment on",
    "first use and `./bro test tests/leaks/test_register.py` installs the servers.",
)


@dataclass(frozen=True)
class Attack:
    """One entry of the register: what tries it, or why nothing can, or what is known not to hold."""

    number: int
    name: str
    promise: str
    tests: tuple[str, ...] = ()
    reason: str = ""
    open: str = ""
    note: str = ""


@dataclass(frozen=True)
class Result:
    """What came of one attack. `word`: passed, FAILED, open, not testable."""

    attack: Attack
    word: str
    tried: int = 0
    faults: tuple[str, ...] = ()


def read_register(path: Path = REGISTER) -> tuple[Attack, ...]:
    """The register. Raises ValueError, KeyError or TypeError when it is not in its form."""
    import yaml

    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    return tuple(Attack(**{**entry, "tests": tuple(entry.get("tests", ()))}) for entry in entries)


@click.command(
    name="leaks",
    epilog="""\b
Examples:
  bro prove leaks
  bro prove leaks --only 23 --only 24
  bro prove leaks --json | jq '.attacks[] | select(.result != "passed")'

\b
Exit code: 0 every attack that can be tried failed to get anything out, 1 one did, or is known to,
2 they could not be run.""",
)
@click.option("--only", multiple=True, type=click.IntRange(1, 60), help="Only the attack of this number.")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def leaks(only: tuple[int, ...], as_json: bool) -> int:
    """Try every known way in which substance-use information leaves in spite of a consent check."""
    if missing := _missing():
        return _cannot(f"missing: {', '.join(missing)}")
    attacks = [attack for attack in read_register() if not only or attack.number in only]
    nodes = sorted({node for attack in attacks for node in attack.tests})
    report = _run(nodes, loud=not as_json)
    if report is None:
        return _cannot("pytest could not collect the tests; what it said stands above")
    results = [_result(attack, report) for attack in attacks]
    if as_json:
        say_json(_plain(results))
    else:
        for result in results:
            say(*_lines(result))
        say("", _summary(results))
    return 1 if any(result.word in ("FAILED", "open") for result in results) else 0


def _missing() -> list[str]:
    """What the attacks need and is not here."""
    from hub.testing import NEEDS

    here = [] if REGISTER.exists() else ["the folder `tests`"]
    here += [name for name in ("pytest", "hypothesis") if importlib.util.find_spec(name) is None]
    return here + [need.name for need in NEEDS if need.name != "Chromium" and not need.present()]


def _cannot(why: str) -> int:
    out = console(error=True)
    for line in (f"bro prove leaks could not be run; {why}.", *HOW_TO_GET_IT):
        out.print(line, soft_wrap=True)
    return 2


Report = Mapping[str, Sequence[str]]
"""Node id without parameters -> how each of its cases ended: passed, skipped, or what failed."""


def _run(nodes: Sequence[str], *, loud: bool) -> Report | None:
    """All tests in one process, as `bro test` runs them; None when they could not be collected."""
    if not nodes:
        return {}
    with tempfile.TemporaryDirectory(prefix="bro-prove-") as folder:
        file = Path(folder) / "report.xml"
        command = [
            sys.executable,
            "-P",
            "-m",
            "pytest",
            "-q",
            "--no-header",
            "--show-capture=no",
            "--tb=short",
        ]
        command += [f"--junitxml={file}", *nodes]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        out = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=None if loud else sys.stderr, stderr=sys.stderr
        )
        if out.returncode not in (0, 1) or not file.exists():
            return None
        return _read(ElementTree.parse(file).getroot())


def _read(root: ElementTree.Element) -> Report:
    report: dict[str, list[str]] = {}
    for case in root.iter("testcase"):
        path = case.get("classname", "").replace(".", "/")
        name = case.get("name", "")
        ended = next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed")
        said = ended if ended in ("passed", "skipped") else name
        report.setdefault(f"{path}.py::{name.partition('[')[0]}", []).append(said)
    return report


def _result(attack: Attack, report: Report) -> Result:
    if attack.reason:
        return Result(attack, "not testable")
    cases = [case for node in attack.tests for case in report.get(node, ())]
    faults = [node for node in attack.tests if not report.get(node)]
    faults += [case for case in cases if case != "passed"]
    if faults:
        return Result(attack, "FAILED", len(cases), tuple(faults))
    return Result(attack, "open" if attack.open else "passed", len(cases))


def _lines(result: Result) -> Iterable[str]:
    attack = result.attack
    tried = f"{result.tried} tried" if result.tried else ""
    yield f"{attack.number:>3}  {result.word:<12} {tried:>10}  {attack.name}: {attack.promise}"
    for text in (attack.reason, attack.open, attack.note, *result.faults):
        if text:
            yield f"{'':30}{text.strip()}"


def _summary(results: Sequence[Result]) -> str:
    count = Counter(result.word for result in results)
    beside = [f"{count['not testable']} cannot be tested here"] if count["not testable"] else []
    beside += [f"{count['open']} open"] if count["open"] else []
    beside += [f"{count['FAILED']} FAILED"] if count["FAILED"] else []
    return f"{count['passed']} passed / {len(results)}" + (f" ({', '.join(beside)})" if beside else "")


def _plain(results: Sequence[Result]) -> dict[str, Any]:
    count = Counter(result.word for result in results)
    return {
        "passed": count["passed"],
        "failed": count["FAILED"],
        "open": count["open"],
        "not_testable": count["not testable"],
        "attacks": [
            {
                "number": result.attack.number,
                "name": result.attack.name,
                "promise": result.attack.promise,
                "result": result.word.lower().replace(" ", "_"),
                "tried": result.tried,
                "tests": list(result.attack.tests),
                "faults": list(result.faults),
                "reason": (result.attack.reason or result.attack.open).strip(),
                "note": result.attack.note.strip(),
            }
            for result in results
        ],
    }
