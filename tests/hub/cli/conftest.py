"""Understands what the tests of the command line may ask for: an installation, and to run a command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from consent.code_lists import load_codes
from consent.policy_files import load_pack
from hub import app
from hub.cli.main import main
from mappings.agreements import load_agreements
from mappings.types import load_types
from tests.hub.cli.installation import PERSON, Installation, install


class Said(NamedTuple):
    """What a command did: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="package", autouse=True)
def files_of_ours_read_once() -> Iterator[None]:
    """Types, agreements, policy and code lists are the same at every start, and reading them is most of it.
    That they are read, and every fault in them told, the tests of `mappings` and `consent` and of `bro lint`
    see."""
    types, codes = load_types(), load_codes()
    agreements, pack = load_agreements(types), cache(load_pack)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "load_types", lambda: types)
        patch.setattr(app, "load_agreements", lambda _: agreements)
        patch.setattr(app, "load_pack", pack)
        patch.setattr(app, "load_codes", lambda: codes)
        yield


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
