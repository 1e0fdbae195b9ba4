"""Understands that somebody new adds a format from README.md alone: one command, one folder, one line; and
a message goes through the hub in it, both ways."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mappings.types import load_types

ROOT = Path(__file__).resolve().parents[3]
SECTION = (ROOT / "README.md").read_text().partition("## Adding a format")[2].partition("\n## ")[0]
BLOCKS = [line.strip() for line in SECTION.splitlines() if line.startswith("    ")]
COMMANDS = [re.split(r"\s{3,}", line)[0] for line in BLOCKS]
NEW, CONFORM, DOCS = (
    line for line in COMMANDS if re.match("bro adapter (new|conform|docs)( nordpost|$)", line)
)
[LINE] = [line for line in BLOCKS if line.startswith("*of(")]

THROUGH_THE_HUB = """
import json, sys
from dataclasses import replace
from pathlib import Path
from adapters.nordpost.adapter import ADAPTER
from hub.message import Record
from tests.hub.bench import BODIES, XML, consent, first_parts, on_the_bench, org, xml_brik

folder = Path(sys.argv[1])
parts = first_parts(folder)
bench = on_the_bench(parts, str(parts.store.engine.url))
party = bench.parts.directory[org("nav")]
agency = replace(party.agency, formats={ADAPTER.type: ADAPTER.name})
changed = {**bench.parts.directory, agency.org: replace(party, agency=agency)}
bench.parts = replace(bench.parts, directory=changed)

bench.post("prison_health", consent("samtykke-nav.json", "n-1"))
bench.post("prison", xml_brik(), XML)
bench.drain()
assert bench.come_for_it("nav")

said = json.loads((BODIES / "loslatelse-2.json").read_text())
said.pop("type")
sent = ADAPTER.render(Record(ADAPTER.type, said))
bench.post("prison", sent, ADAPTER.media_type)
bench.drain()
[got] = [rendered.body for rendered in bench.come_for_it("nav")]
back = ADAPTER.parse(got)
assert back.get("loslatelse") == said["loslatelse"]
assert sent != got and back.get("melding.id") != said["melding"]["id"]
print("through")
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The source as somebody new has it."""
    here = tmp_path / "brobygger"
    ignored = shutil.ignore_patterns("__pycache__", ".pytest_cache", ".hypothesis", "var")
    for name in ("adapters", "consent", "docs", "hub", "mappings", "tests"):
        shutil.copytree(ROOT / name, here / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", here)
    return here


def run(source: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-P", *arguments],
        cwd=source,
        env={"PYTHONPATH": str(source), "PATH": "/usr/bin:/bin", "HOME": str(source)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_somebody_new_adds_a_format_from_the_readme(source: Path, tmp_path: Path) -> None:
    written = run(source, "-m", "hub", *NEW.split()[1:])

    assert LINE in written  # the command says the line, too
    registry = source / "adapters" / "registry.py"
    text = registry.read_text()
    ends = re.search(r"^ADAPTERS: [^=]*= \((.|\n)*?\)$", text, re.MULTILINE)
    assert ends is not None
    opened = ends.group().removesuffix(")").rstrip().removesuffix(",")
    registry.write_text(text.replace(ends.group(), f"{opened},\n    {LINE}\n)"))
    assert "It conforms." in run(source, "-m", "hub", *CONFORM.split()[1:])
    page = "docs/reference/README.md"
    before = (source / page).read_text()
    assert f"wrote {page}" in run(source, "-m", "hub", *DOCS.split()[1:]).splitlines()
    assert "nordpost" in (source / page).read_text()
    assert "nordpost" not in before
    code = (source / "adapters/nordpost/adapter.py").read_text().splitlines()
    assert len(code) <= 60

    run(source, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/adapters/test_nordpost.py")
    assert run(source, "-c", THROUGH_THE_HUB, str(tmp_path)) == "through\n"


def test_the_type_in_the_readme_is_one() -> None:
    assert NEW.split()[-1] in load_types()
