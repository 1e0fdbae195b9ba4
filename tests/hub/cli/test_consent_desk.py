"""Understands the commands of the consent desk: the register as it was known, receipts, folders of FHIR."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from consent.receipt import digest
from tests.adapters.consents import ended_r4
from tests.hub.cli.conftest import Said
from tests.hub.cli.installation import PERSON, PRISON, Installation

Bro = Callable[..., Said]


@pytest.fixture
def person(tmp_path: Path) -> str:
    file = tmp_path / "person.txt"
    file.write_text(PERSON + "\n")
    return str(file)


def test_the_register_as_known_then_does_not_know_what_came_later(
    bro: Bro, installed: Installation, person: str
) -> None:
    before = (installed.clock() - timedelta(hours=1)).isoformat()
    installed.consent()
    given = installed.clock().isoformat()
    installed.clock.forward(hours=2)
    installed.withdraw()
    after = installed.clock().isoformat()

    def stands(*more: str) -> list[str]:
        said = bro("consent", "list", "--person-file", person, "--json", *more)
        assert said.code == 0, said.err
        return [row["stands"] for row in json.loads(said.out)["consents"]]

    assert stands("--as-known", before, "--at", before) == []
    assert stands("--as-known", given, "--at", given) == ["in-force"]
    assert stands("--as-known", given, "--at", after) == ["in-force"]
    assert stands("--as-known", after, "--at", given) == ["in-force"]
    assert stands("--as-known", after, "--at", after) == ["withdrawn"]


def test_a_receipt_says_what_was_recorded_and_not_who_the_person_is(
    bro: Bro, installed: Installation, person: str
) -> None:
    installed.consent()
    later = ("--as-known", installed.clock().isoformat())
    [row] = json.loads(bro("consent", "list", "--person-file", person, "--json", *later).out)["consents"]

    said = bro("consent", "receipt", row["id"], "--json")
    made = json.loads(said.out)

    assert made["receipt_id"] == row["id"]
    assert made["controllers"] == [{"org": PRISON, "name": "Nordli fengsel"}]
    assert PERSON not in said.out
    assert made["purposes"]
    assert made["recipients"]
    assert made["how_to_withdraw"].startswith("Du kan trekke")
    english = bro("consent", "receipt", row["id"], "--language", "en").out
    assert "You may withdraw" in english
    assert len(digest(made)) == 64


def test_a_receipt_of_nothing_could_not_be_made(bro: Bro, installed: Installation) -> None:
    said = bro("consent", "receipt", "nothing")

    assert said.code == 2
    assert said.err.startswith("consent.unknown  There is no such consent.\n")
    assert "ID: expected the id of a recorded consent or refusal" in said.err
    assert "next: `bro consent list --person-file FILE`" in said.err
    assert "address" not in said.err
    assert "nothing" not in said.err


def test_a_folder_is_answered_file_by_file_with_an_exit_code(bro: Bro, tmp_path: Path) -> None:
    folder = tmp_path / "fhir"
    folder.mkdir()
    (folder / "a.json").write_text('{"resourceType": "Consent"}')
    said = bro("consent", "check-fhir", str(folder), "--json")
    assert (said.code, json.loads(said.out)["counts"]["rejected"]) == (0, 1)

    (folder / "c.json").write_text(json.dumps(ended_r4()))
    assert json.loads(bro("consent", "check-fhir", str(folder), "--json").out)["counts"]["withdrawal"] == 1
    assert (
        "c.json: withdrawal\n    Det personen tillot i serien, trekkes"
        in bro("consent", "check-fhir", str(folder)).out
    )
    (folder / "b.json").write_text("{")
    said = bro("consent", "check-fhir", str(folder))

    assert said.code == 1
    assert "b.json: unreadable" in said.out
    assert bro("consent", "check-fhir", str(folder / "none")).code == 2


def test_a_new_user_is_an_entry_and_a_key_shown_once(bro: Bro, installed: Installation) -> None:
    said = bro("consent", "user", "kari", "--name", "Kari", "--agency", PRISON, "--role", "reader", "--json")
    made = json.loads(said.out)
    assert said.code == 0
    assert made["key"] not in json.dumps(made["entry"])
    assert bro("consent", "user", "kari", "--name", "K", "--agency", "1", "--role", "reader").code == 2
