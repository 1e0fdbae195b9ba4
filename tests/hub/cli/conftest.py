"""Understands what the tests of the command line may ask for: an installation, and to run a command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from hub.cli.main import main
from tests.hub.cli.installation import PERSON, Installation, install


class Said(NamedTuple):
    """What a command did: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installation]:
    made = install(tmp_path)
    yield made
    made.parts.store.close()


@pytest.fixture
def bro(
    installed: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """Run `bro` on the installation."""
    for name, value in installed.env.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> Said:
        capsys.readouterr()
        code = main(arguments)
        return Said(code, *capsys.readouterr())

    return run


@pytest.fixture
def one(tmp_path: Path) -> str:
    """A file with the number of the person."""
    file = tmp_path / "one.txt"
    file.write_text(PERSON)
    return str(file)
