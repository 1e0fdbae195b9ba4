"""Understands that an adapter or a registry that cannot be imported is told by file and line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hub.kit.asked import unimportable

ROOT = Path(__file__).resolve().parents[3]
REGISTRY = "adapters/registry.py"
ADAPTER = "adapters/digisos_soker/adapter.py"
BROKEN = {
    "the registry is no Python": (REGISTRY, "    BRIK_XML,\n", "    BRIK_XML\n", REGISTRY),
    "the registry names nothing": (REGISTRY, "    BRIK_XML,\n", "    BRIK_XML,\n    NORDPOST,\n", REGISTRY),
    "a folder without such a thing": (
        REGISTRY,
        "brik_xml.adapter import ADAPTER as",
        "brik_xml.adapter import NOTHING as",
        REGISTRY,
    ),
    "a folder that is not there": (
        REGISTRY,
        "adapters.brik_xml.adapter",
        "adapters.nothing.adapter",
        REGISTRY,
    ),
    "no ADAPTER in a folder": (ADAPTER, "ADAPTER = ", "ADAPTR = ", REGISTRY),
    "an adapter is no Python": (ADAPTER, "import", "impart", ADAPTER),
    "an adapter breaks": (ADAPTER, "ADAPTER = ", "1 / 0\nADAPTER = ", ADAPTER),
    "an adapter lacks a file": (
        ADAPTER,
        "ADAPTER = ",
        "open(__file__ + 's')\nADAPTER = ",
        ADAPTER,
    ),
    "a folder hides a module": ("adapters/fhir/__init__.py", "", "", "adapters/"),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("source")
    for name in ("adapters", "consent", "hub", "mappings"):
        shutil.copytree(ROOT / name, here / name, ignore=shutil.ignore_patterns("__pycache__", "examples"))
    return here


@pytest.mark.parametrize(("file", "old", "new", "told"), BROKEN.values(), ids=BROKEN.keys())
def test_it_is_told_by_file_and_line_and_what_to_do(
    source: Path, file: str, old: str, new: str, told: str
) -> None:
    path = source / file
    before = path.read_text() if path.exists() else None
    assert old in (before or "")
    path.parent.mkdir(exist_ok=True)
    path.write_text((before or "").replace(old, new, 1))
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "hub", "adapter", "list"],
            cwd=source,
            env={"PYTHONPATH": str(source), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        if before is None:
            shutil.rmtree(path.parent)
        else:
            path.write_text(before)

    assert done.returncode == 2
    assert done.stderr.startswith("adapter.invalid")
    [finding] = [line for line in done.stderr.splitlines() if line.startswith("  ")]
    at, line = finding.strip().partition(": ")[0].split(" ")
    assert at.startswith(told)
    assert int(line.partition(":")[0]) > 0
    assert "put it right" in finding
    if file.startswith("adapters/fhir/"):
        assert "adapters/fhir hides adapters/fhir.py: rename it" in finding


def test_a_fault_of_anything_else_is_not_told_as_that() -> None:
    assert unimportable(KeyError("x")) is None
