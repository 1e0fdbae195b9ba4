"""Readers at the command line: who is let in, what each command says, and that only `read` shows content."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from hub.console.users import Role, new_entry
from hub.message import Outcome
from hub.store.disclosures import Disclosure, where
from hub.store.schema import disclosure
from tests.hub.bench import Bench
from tests.hub.cli.conftest import Said
from tests.hub.holding import MERKNAD, PLAIN, TELLS, WEAK, held, last_text

Bro = Callable[..., Said]


@pytest.fixture
def bro(
    bench: Bench,
    first_keys: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Bro:
    """Run `bro messages` on the bench, where three people may log in; their keys lie in files."""
    from hub.cli import holds
    from hub.cli.main import main

    users = []
    people = {"kari": Role.READER, "per": Role.READER, "skranke": Role.CASEWORKER}
    for name, role in people.items():
        entry, key = new_entry(name, name.title(), bench.agency("prison_health").org, [role])
        users.append(entry)
        (tmp_path / f"{name}.key").write_text(key + "\n")
    (tmp_path / "users.yaml").write_text(yaml.safe_dump({"users": users}))
    env = {"STORE": bench.url, "KEYS": first_keys, "DIRECTORY": first_keys.parent / "directory.yaml"}
    env["DESK_USERS"] = tmp_path / "users.yaml"
    for variable, value in env.items():
        monkeypatch.setenv(f"BRO_{variable}", str(value))
    monkeypatch.setattr(holds, "open_parts", lambda: bench.parts)  # its clock and its queue

    def run(*arguments: str, by: str = "") -> Said:
        capsys.readouterr()
        more = ("--as", by, "--key-file", str(tmp_path / f"{by}.key")) if by else ()
        code = main(["messages", *arguments, *more])
        return Said(code, *capsys.readouterr())

    return run


def state(bench: Bench, item: Disclosure) -> str | None:
    with bench.parts.store.reading() as view:
        return where(view, disclosure.c.id == item.id)[0].outcome


def test_the_list_tells_no_content(bench: Bench, bro: Bro) -> None:
    item = held(bench, TELLS)

    said = bro("holds", "--json")

    assert (said.code, said.err) == (0, "")
    [row] = json.loads(said.out)
    assert row == {
        "hold": item.id,
        "age_seconds": row["age_seconds"],
        "recipient": "municipality_housing",
        "code": "decide.free-text-hit",
        "leaves": 1,
        "waits_for_second_person": False,
    }
    assert item.id in bro("holds").out
    assert "rusmilj" not in bro("holds").out


def test_nothing_is_held(bro: Bro) -> None:
    assert bro("holds").out.strip() == "Nothing is held."


def test_reading_shows_the_text_the_hit_and_the_row(bench: Bench, bro: Bro) -> None:
    item = held(bench, TELLS)

    said = bro("read", item.id, by="kari")

    assert said.code == 0
    for word in (TELLS, "rusmiljøet [rus-any", "L05/1", "Elvestad boligkontor", "takes two persons"):
        assert word in said.out
    for word in ("Prøvestad", "14839030186", "Avdeling B"):
        assert word not in said.out
    [leaf] = json.loads(bro("read", item.id, "--json", by="kari").out)["leaves"]
    assert (leaf["path"], leaf["text"], leaf["rows"]) == (MERKNAD, TELLS, ["L05/1"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("read",),
        ("release", "--reason", "x"),
        ("return", "--reason", "x"),
        ("refuse", "--reason", "x"),
        ("confirm",),
        ("override", "--role", "r", "--ground", "g", "--reason", "x"),
    ],
)
def test_only_a_reader_with_the_right_key_gets_in(
    bench: Bench, bro: Bro, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    item = held(bench)
    command, *more = arguments
    wrong = ("--as", "kari", "--key-file", str(tmp_path / "per.key"))
    nobody = ("--as", "ukjent", "--key-file", str(tmp_path / "per.key"))

    for said in (
        bro(command, item.id, *more, *wrong),
        bro(command, item.id, *more, *nobody),
        bro(command, item.id, *more, by="skranke"),
    ):
        assert said.code == 2
        assert "hold.reader-unknown" in said.err
        assert PLAIN not in said.out + said.err
    assert state(bench, item) == Outcome.HELD


def test_released_alone_and_by_two(bench: Bench, bro: Bro) -> None:
    item = held(bench)
    bro("read", item.id, by="kari")
    said = bro("release", item.id, "--reason", "lest", "--json", by="kari")
    assert json.loads(said.out) == {"hold": item.id, "waits": False, "told": False, "notify": False}
    bench.drain()
    assert PLAIN in last_text(bench)


def test_by_two(bench: Bench, bro: Bro) -> None:
    item = held(bench, WEAK)
    bro("read", item.id, by="kari")
    assert "waits for a second person" in bro("release", item.id, "--reason", "hage", by="kari").out
    assert "awaited" in bro("holds").out
    said = bro("confirm", item.id, by="kari")
    assert (said.code, "hold.second-person" in said.err) == (2, True)
    assert "proposed by kari" in bro("read", item.id, by="per").out
    assert "is decided again" in bro("confirm", item.id, by="per").out
    bench.drain()
    assert WEAK in last_text(bench)


@pytest.mark.parametrize(("command", "outcome"), [("refuse", "withheld"), ("return", "rejected")])
def test_a_no(bench: Bench, bro: Bro, command: str, outcome: str) -> None:
    item = held(bench)
    bro("read", item.id, by="kari")

    said = bro(command, item.id, "--reason", "nei", by="kari")
    bench.drain()

    assert said.code == 0
    assert ("the sender is told" in said.out) is (command == "return")
    assert state(bench, item) == outcome


def test_what_the_reader_found_and_chose(bench: Bench, bro: Bro) -> None:
    item = held(bench)
    bro("read", item.id, by="kari")

    for wrong in (("--found", "noe@bolig.merknad"), ("--found", "family"), ("--only", "bolig.behov")):
        assert bro("release", item.id, "--reason", "x", *wrong, by="kari").code == 2
    found = ("--only", MERKNAD, "--found", f"family@{MERKNAD}")
    assert bro("release", item.id, "--reason", "x", *found, by="kari").code == 0
    bench.drain()
    assert state(bench, item) == Outcome.WAITING


def test_unread_unknown_and_too_often(bench: Bench, bro: Bro) -> None:
    item = held(bench)
    said = bro("release", item.id, "--reason", "x", by="kari")
    assert (said.code, "hold.unread" in said.err, "bro messages read" in said.err) == (2, True, True)
    assert "hold.not-found" in bro("read", "ingenting", by="kari").err
    assert bro("holds", "--reads").out.strip() == "Nobody has opened a hold."
    for _ in range(21):
        bro("read", item.id, by="kari")
    counted = bro("holds", "--reads", "--json")
    assert counted.code == 1
    assert json.loads(counted.out) == [{"reader": "kari", "hour": 21, "day": 21, "month": 21, "many": True}]
    assert "too often" in bro("holds", "--reads").out


def test_without_a_file_of_people_nobody_gets_in(
    bench: Bench, bro: Bro, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = held(bench)
    monkeypatch.delenv("BRO_DESK_USERS")

    assert "hold.reader-unknown" in bro("read", item.id, by="kari").err
