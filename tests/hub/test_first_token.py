"""Understands that README.md leads to a first message: its directory can be read, its files are there, and
its token counts at a hub that was told of its issuer, and at no other."""

from __future__ import annotations

import re
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.api.tokens import IssuerKeys, Scope, Tokens, file_source
from hub.demo import token as kit
from hub.directory import load_directory
from hub.errors import HubError
from hub.message import Sector

ROOT = Path(__file__).resolve().parents[2]
SECTION = (
    (ROOT / "README.md").read_text().partition("**A first message**")[2].partition("\n\nA new message")[0]
)
NOW = datetime(2031, 3, 1, 12, 0, tzinfo=UTC)
PRISON = "310000019"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    file = tmp_path / "directory.yaml"
    block = re.search(r"(?:^    .*\n)+", SECTION, re.MULTILINE)
    assert block is not None
    file.write_text("".join(line[4:] for line in block.group().splitlines(keepends=True)))
    return file


def hub(folder: Path, directory: Path, issuer: str = kit.ISSUER, audience: str = kit.AUDIENCE) -> Tokens:
    keys = IssuerKeys(file_source(folder / kit.JWKS), lambda: 0.0)
    return Tokens(issuer, audience, keys, load_directory(directory), lambda: NOW)


@pytest.mark.parametrize("scope", list(Scope))
def test_the_token_counts_for_every_call(tmp_path: Path, directory: Path, scope: Scope) -> None:
    said = kit.token(kit.key_in(tmp_path), PRISON, int(NOW.timestamp()))

    agency = hub(tmp_path, directory).agency(f"Bearer {said}", scope)

    assert (agency.org, agency.sector) == (PRISON, Sector.PRISON)


def test_it_counts_at_no_hub_of_another_issuer_or_key(tmp_path: Path, directory: Path) -> None:
    said = kit.token(kit.key_in(tmp_path), PRISON, int(NOW.timestamp()))
    kit.key_in(tmp_path / "other")
    others = [
        hub(tmp_path / "other", directory),
        hub(tmp_path, directory, issuer="https://other.example/"),
        hub(tmp_path, directory, audience="other"),
    ]

    for other in others:
        with pytest.raises(HubError) as refused:
            other.agency(f"Bearer {said}", Scope.WRITE)
        assert refused.value.code == "receive.unauthenticated"


def test_the_key_is_made_once_and_is_for_its_owner_only(tmp_path: Path) -> None:
    first = kit.key_in(tmp_path / "var")

    assert kit.key_in(tmp_path / "var").as_dict(private=True) == first.as_dict(private=True)
    assert stat.S_IMODE((tmp_path / "var" / kit.KEY).stat().st_mode) == 0o600
    assert '"d"' not in (tmp_path / "var" / kit.JWKS).read_text()


def test_the_readme_names_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        f"BRO_ISSUER={kit.ISSUER} BRO_AUDIENCE={kit.AUDIENCE} BRO_ISSUER_JWKS_FILE=var/{kit.JWKS}" in SECTION
    )
    posted = re.findall(r"hub/demo/bodies/\S+", SECTION)
    assert len(posted) == 2
    assert all((ROOT / name).is_file() for name in posted)
    assert "-m hub.demo.token var" in SECTION

    assert kit.main([str(tmp_path), PRISON]) == 0
    assert capsys.readouterr().out.count(".") == 2
    assert kit.main([]) == 2
    (tmp_path / kit.KEY).write_text("{}")
    assert kit.main([str(tmp_path), PRISON]) == 2
    assert capsys.readouterr().err.endswith("or one with issuer.key from here\n")


def test_a_first_call_that_ended_between_its_two_files_is_made_good(tmp_path: Path, directory: Path) -> None:
    key = kit.key_in(tmp_path)
    (tmp_path / kit.JWKS).unlink()

    said = kit.token(kit.key_in(tmp_path), PRISON, int(NOW.timestamp()))

    assert kit.key_in(tmp_path).as_dict(private=True) == key.as_dict(private=True)
    assert hub(tmp_path, directory).agency(f"Bearer {said}", next(iter(Scope))).org == PRISON
