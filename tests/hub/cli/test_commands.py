"""Understands that every command explains itself, and what `bro` says when something cannot be done."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from hub.cli import main as cli
from hub.cli.faults import what_next
from hub.cli.main import RESERVED, bro, main
from hub.errors import PROBLEMS

ROOT = Path(__file__).resolve().parents[3]
REPORT_NOTHING = {"up", "serve", "work", "test", "map schema"}
"""They run until stopped, pass on what pytest says, or print JSON and nothing else."""


def commands(group: click.Group = bro, before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        path = f"{before} {name}".strip()
        yield path, command
        if isinstance(command, click.Group):
            yield from commands(command, path)


EVERY = dict(commands())
LEAVES = {path: command for path, command in EVERY.items() if not isinstance(command, click.Group)}


def test_every_name_is_one_of_the_reserved_names() -> None:
    assert set(bro.commands) <= RESERVED


@pytest.mark.parametrize("path", EVERY)
def test_every_command_has_help_with_an_example(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*path.split(), "--help"]) == 0

    said = capsys.readouterr().out
    assert EVERY[path].help
    assert "Example" in said
    assert f"bro {path}" in said


@pytest.mark.parametrize("path", LEAVES)
def test_every_option_says_what_it_does(path: str) -> None:
    options = [p for p in LEAVES[path].params if isinstance(p, click.Option)]

    assert [option.name for option in options if not option.help] == []


def test_every_command_that_reports_can_do_so_as_json() -> None:
    with_json = {
        path for path, command in LEAVES.items() if any("--json" in param.opts for param in command.params)
    }

    assert with_json == set(LEAVES) - REPORT_NOTHING


def test_bro_alone_prints_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0

    assert "Usage: bro" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["nothing"], ["messages", "nothing"], ["lint", "--nothing"], ["messages", "retry", "x"], ["map"]],
)
def test_what_cannot_be_understood_is_exit_code_2(arguments: list[str]) -> None:
    assert main(arguments) == 2


def test_a_refusal_says_code_title_actor_every_finding_and_what_next(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BRO_LISTEN", "nowhere-secret")
    monkeypatch.setenv("BRO_MISSPELT", "x")

    assert main(["policy", "list"]) == 2

    said = capsys.readouterr()
    assert said.out == ""
    assert "settings.invalid  Settings are wrong; every finding is listed." in said.err
    assert "who must act: operations" in said.err
    assert "BRO_LISTEN: expected <address>:<port>" in said.err
    assert "BRO_MISSPELT" in said.err
    assert "next: Correct" in said.err
    assert "nowhere-secret" not in said.err


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_code_has_a_next_step(code: str) -> None:
    assert what_next(code).endswith(".")


def test_a_fault_nobody_foresaw_shows_its_place_and_never_its_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise ValueError("14839030186 hemmelig")

    monkeypatch.setattr(cli.bro, "commands", {"lint": click.Command("lint", callback=fail)})

    assert main(["lint"]) == 2

    said = capsys.readouterr()
    assert "hub.internal" in said.err
    assert "test_commands.py:" in said.err
    assert "ValueError" in said.err
    assert "hemmelig" not in said.out + said.err


def test_a_reader_that_has_enough_is_no_fault() -> None:
    shell = f"{sys.executable} -m hub map test --coverage | head -1; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", shell], cwd=ROOT, capture_output=True, text=True, check=True)

    assert ended.stdout.splitlines()[-1] in ("0", "1")
    assert "Traceback" not in ended.stderr
    assert "hub.internal" not in ended.stderr


def test_help_imports_nothing_of_the_hub_that_runs() -> None:
    code = (
        "import sys; from hub.cli.main import main; main(['--help']); "
        "print([m for m in ('fastapi', 'hub.app', 'fhir.resources', 'pika') if m in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert said.splitlines()[-1] == "[]"
