"""Requests on file by command: recorded, shown as they stood and were known, ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.cli.main import main
from tests.hub.bench import number, org
from tests.hub.cli.conftest import Said

Bro = Callable[..., Said]
WHO = ("--as", "Kari Vik", "--reason", "brev av 20. november")
WHAT = (
    *("--row", "L44", "--asked-by", org("prison"), "--asked-of", org("nav"), "--reference", "K-12"),
    *("--purpose", "sentence_execution", "--asked-on", "2020-01-02", "--until", "2099-12-31"),
)


def test_recorded_shown_and_ended(bro: Bro, one: str) -> None:
    added = bro("request", "add", one, *WHAT, *WHO, "--json")
    made = json.loads(added.out)

    [shown] = json.loads(bro("request", "list", one, "--json").out)["requests"]
    ended = bro("request", "end", one, made["id"], *WHO)
    [after] = json.loads(bro("request", "list", one, "--json").out)["requests"]

    assert (added.code, made["version"], ended.code, ended.out) == (0, 1, 0, "Ended.\n")
    assert (shown["stands"], after["stands"]) == ("in-force", "ended")
    assert (shown["asked_by_name"], shown["asked_of_name"]) == ("Nordli fengsel", "NAV Elvestad")
    assert (shown["law"], shown["recorded_by"]) == (["lov-2009-12-18-131 § 44 fjerde ledd"], "Kari Vik")


def test_what_does_not_fit_is_refused_without_a_word_of_it(bro: Bro, one: str) -> None:
    said = bro("request", "add", one, *WHAT, "--asked-of", org("tsb"), "--purpose", "x", *WHO)

    assert (said.code, said.out) == (2, "")
    assert "request.invalid" in said.err
    assert "asked-of" in said.err
    assert "purpose" in said.err


@pytest.mark.parametrize("content", ["", "1 2", "12345678901", f"{number(0)} {number(1)}"])
def test_the_file_holds_one_number(bro: Bro, one: str, content: str) -> None:
    Path(one).write_text(content)

    for command in (("add", one, *WHAT, *WHO), ("list", one), ("end", one, "id", *WHO)):
        assert bro("request", *command).code == 2


def test_help_tells_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["add"], ["list"], ["end"]):
        assert main(["request", *arguments, "--help"]) == 0
        assert "Example" in capsys.readouterr().out
