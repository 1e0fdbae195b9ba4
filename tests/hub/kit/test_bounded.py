"""Understands that an adapter which never ends, or wants all memory, ends what it is held to by name."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.cli.main import main
from hub.errors import Finding, HubError
from hub.kit import bounded as kit
from hub.kit.bounded import Unended, bounded, now_at
from tests.hub.kit.packages import installed, make

ROOT = Path(__file__).resolve().parents[3]
NAME = "nordpost"
READ = "return FORMAT.read(body)"
ENDLESS = {
    "a loop in Python": ("while b'KANARI' in body:\n        pass\n    ", "noise", "time"),
    "a call into C": ("'KANARI' in str(body) and sum(iter(int, 1))\n    ", "noise", "time"),
    "on every body": ("while b'{' in body:\n        pass\n    ", "loading", "time"),
    "memory without end": (
        "if b'KANARI' in body:\n        bytearray(2**33)\n    ",
        "noise",
        "MemoryError",
    ),
    "it ends the process": ("if b'KANARI' in body:\n        raise SystemExit\n    ", "noise", "SystemExit"),
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("BRO_ADAPTERS", str(tmp_path / "adapters.json"))
    monkeypatch.setattr(kit, "CALL_SECONDS", 1.5)
    (tmp_path / "site").mkdir()
    with installed(make(tmp_path / "made", NAME), tmp_path / "site") as folder:
        yield folder


def spoil(package: Path, code: str) -> None:
    file = package / "adapter.py"
    text = file.read_text()
    assert READ in text
    file.write_text(text.replace(READ, code + READ, 1))


@pytest.mark.parametrize(("code", "check", "rule"), ENDLESS.values(), ids=ENDLESS.keys())
def test_what_never_ends_is_told_by_check_and_input_and_is_not_enabled(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str, check: str, rule: str
) -> None:
    spoil(package, code)

    assert main(["adapter", "conform", NAME, "--made", "1", "--inputs", "200", "--enable"]) == 1

    out = capsys.readouterr().out
    assert not (tmp_path / "adapters.json").exists()
    assert f"  {check:<14} WRONG" in out
    assert f"[{rule}]" in out
    if check == "noise":
        assert "  examples       right" in out  # what was done before is told
        assert re.search(r"input \d+", out)


def test_prove_tells_the_input_and_goes_on_with_the_next(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(package, "while b'KANARI' in body:\n        pass\n    ")

    only = ["--only", NAME, "--only", "brik-xml"]
    assert main(["prove", "adapters", *only, "--inputs", "100", "--json"]) == 1

    first, second = json.loads(capsys.readouterr().out)["adapters"]
    assert (first["adapter"], first["holds"], second["holds"]) == (NAME, False, True)
    [failed] = first["failed"]
    assert (failed["rule"], failed["input"]) == ("time", first["slowest_input"])
    assert first["inputs"] == failed["input"] + 1


def test_what_is_done_comes_as_it_is_done_and_what_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit, "STEP_SECONDS", 1.0)

    def run() -> Iterator[int]:
        now_at(adapter="a", check="b", place="c")
        yield os.getpid()
        time.sleep(600)

    began = time.monotonic()
    told = bounded(run)
    child = next(told)
    assert child != os.getpid()
    with pytest.raises(Unended) as kept:
        next(told)

    assert (kept.value.adapter, kept.value.check, kept.value.finding.at) == ("a", "b", "c")
    assert time.monotonic() - began < 30
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_nobody_is_left_when_somebody_stops_listening() -> None:
    def run() -> Iterator[int]:
        yield os.getpid()
        time.sleep(600)

    told = bounded(run)
    child = next(told)
    told.close()  # type: ignore[attr-defined]  # it is a generator, and typed as less

    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


_WAITS = """
import os, time
from hub.kit.bounded import bounded

def run():
    yield os.getpid()
    while True:
        pass

for child in bounded(run):
    print(child, flush=True)
"""


def test_nobody_is_left_when_whoever_waits_is_ended() -> None:
    command = [sys.executable, "-c", _WAITS]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as waiting:
        assert waiting.stdout is not None
        child = int(waiting.stdout.readline())
        waiting.kill()

    until = time.monotonic() + 20
    while Path(f"/proc/{child}/cmdline").exists() and Path(f"/proc/{child}/cmdline").read_bytes():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_refusal_comes_through_and_a_fault_comes_without_its_text() -> None:
    def refuses() -> Iterator[int]:
        yield from ()
        raise HubError("adapter.unknown", [Finding("a", "b", "c")])

    def breaks() -> Iterator[int]:
        yield from ()
        raise KeyError("secret")

    with pytest.raises(HubError) as refused:
        list(bounded(refuses))
    assert (refused.value.code, refused.value.findings) == ("adapter.unknown", (Finding("a", "b", "c"),))
    with pytest.raises(HubError) as broken:
        list(bounded(breaks))
    assert broken.value.code == "hub.internal"
    assert "secret" not in repr(broken.value.findings)


def test_a_process_that_ends_itself_is_told() -> None:
    def run() -> Iterator[int]:
        yield from ()
        os._exit(0)

    with pytest.raises(Unended) as kept:
        list(bounded(run))
    assert kept.value.finding.rule == "ended"
