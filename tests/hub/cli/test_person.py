"""Understands that the identity desk works by command, and that a number is never typed as an argument."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from hub.message import Sector
from hub.store import disclosures, people
from hub.store.disclosures import Disclosure
from tests.hub.bench import number, org
from tests.hub.cli.conftest import Said
from tests.hub.cli.installation import NAV, PERSON, Installation
from tests.hub.test_described import described

Bro = Callable[..., Said]
KARI, OLA = ("--as", "Kari Vik", "--reason", "brev"), ("--as", "Ola Nes", "--reason", "kontrollert")


@pytest.fixture(autouse=True)
def known(installed: Installation) -> None:
    """The hub has met the person."""
    installed.consent()


@pytest.fixture
def two(installed: Installation, tmp_path: Path) -> str:
    """A file with the number of the person and another one."""
    file = tmp_path / "two.txt"
    file.write_text(f"{PERSON}\n{number(3)}\n")
    return str(file)


def test_linked_confirmed_and_ended_by_command(bro: Bro, two: str, one: str) -> None:
    said = [
        bro("person", name, two, *who, "--json")
        for name, who in (("link", KARI), ("confirm", OLA), ("unlink", KARI))
    ]

    assert [answer.code for answer in said] == [0, 0, 0]
    assert [json.loads(answer.out)["result"] for answer in said] == ["linked", "confirmed", "unlinked"]
    told = json.loads(bro("person", "show", one, "--json").out)
    assert [row["confirmed"] for row in told["links"]] == [False, True]
    assert [row["known_to"] is not None for row in told["links"]] == [True, True]
    assert [(row["action"], row["by"]) for row in told["done"]] == [
        ("link", "Kari Vik"),
        ("confirm", "Ola Nes"),
        ("unlink", "Kari Vik"),
    ]


def test_the_same_person_cannot_confirm(bro: Bro, two: str) -> None:
    bro("person", "link", two, *KARI)

    said = bro("person", "confirm", two, *KARI)

    assert said.code == 2
    assert "hub.identity-refused" in said.err


def test_protected_until_two_have_lifted_it(bro: Bro, one: str, installed: Installation) -> None:
    answers = [
        json.loads(bro("person", name, one, *who, "--json").out)
        for name, who in (("protect", KARI), ("unprotect", KARI), ("unprotect", OLA))
    ]

    assert [answer["result"] for answer in answers] == ["protected", "unprotect-asked", "unprotected"]
    assert [answer["done"] for answer in answers] == [True, False, True]
    with installed.parts.store.reading() as view:
        person = people.find(view, installed.parts.vault, PERSON)
    assert person
    assert not person.protected_address


@pytest.mark.parametrize("command", ["link", "merge", "protect", "show", "forget"])
def test_a_number_as_an_argument_is_no_file(bro: Bro, one: str, command: str) -> None:
    more = () if command == "show" else KARI

    assert bro("person", command, PERSON, *more).code == 2


@pytest.mark.parametrize("content", ["", "12345678901", f"{PERSON} x", "ikke et nummer"])
def test_what_is_no_number_is_refused_by_place(bro: Bro, tmp_path: Path, one: str, content: str) -> None:
    file = tmp_path / "odd.txt"
    file.write_text(content)

    said = bro("person", "protect", str(file), *KARI)

    assert said.code == 2
    assert "hub.identity-refused" in said.err
    for word in content.split():
        assert word == "x" or word not in said.out + said.err


def test_without_name_or_reason_nothing_happens(bro: Bro, one: str) -> None:
    assert bro("person", "protect", one).code == 2
    assert bro("person", "protect", one, "--as", " ", "--reason", "x").code == 2
    assert json.loads(bro("person", "show", one, "--json").out)["protected_address"] is False


def test_a_described_patient_is_named_by_the_message(
    bro: Bro, installed: Installation, tmp_path: Path
) -> None:
    message = held(installed)
    one, two = tmp_path / "message.txt", tmp_path / "both.txt"
    one.write_text(f"message:{message}\n")
    two.write_text(f"{number(3)}\nmessage:{message}\n")
    installed.attempt(the_only(installed, message))
    [row] = json.loads(bro("messages", "list", "--state", "waiting", "--json").out)
    assert (row["message"], row["code"]) == (message, "decide.person-unidentified")
    assert "(unidentified)" in bro("person", "show", str(one)).out

    said = [bro("person", name, str(two), *who) for name, who in (("link", KARI), ("confirm", OLA))]

    assert [answer.code for answer in said] == [0, 0]
    assert json.loads(bro("person", "show", str(one), "--json").out)["unidentified"] is False
    assert bro("person", "accesses", str(one)).code == 2
    one.write_text(f"message:{installed.mapping()}")
    assert "hub.no-such-person" in bro("person", "protect", str(one), *KARI).err
    one.write_text("message:?")
    assert "or message:ID, and nothing else" in bro("person", "show", str(one)).err


def held(installed: Installation) -> str:
    """The id of a message of a prison's health service about somebody without a number."""
    party = installed.parts.directory[NAV]
    more = {
        org(key): replace(party, agency=replace(party.agency, org=org(key), sector=sector, door="inbox"))
        for key, sector in (("prison_health", Sector.PRISON_HEALTH), ("gp", Sector.GP))
    }
    installed.parts = replace(installed.parts, directory={**installed.parts.directory, **more})
    return installed.post(org("prison_health"), described())


def the_only(installed: Installation, message: str) -> Disclosure:
    with installed.parts.store.reading() as view:
        [item] = disclosures.of_message(view, message)
    return item


def test_who_is_forgotten_is_unknown(bro: Bro, one: str) -> None:
    assert bro("person", "forget", one, *KARI).code == 0

    said = bro("person", "show", one)

    assert (said.code, "hub.no-such-person" in said.err) == (2, True)


def test_no_number_name_or_reason_rests_in_clear(bro: Bro, two: str, installed: Installation) -> None:
    Path(two).rename(installed.settings.keys / "two.txt")  # not among what the hub keeps
    numbers = str(installed.settings.keys / "two.txt")
    bro("person", "link", numbers, "--as", "Hemmeligfugl", "--reason", "Hemmeliggrunn")

    kept = installed.every_byte()

    for secret in (PERSON, number(3), "Hemmeligfugl", "Hemmeliggrunn"):
        assert secret.encode() not in kept


def test_the_registered_gp_is_recorded_and_shown(bro: Bro, one: str, installed: Installation) -> None:
    directory = Path(installed.env["BRO_DIRECTORY"])
    known = yaml.safe_load(directory.read_text())
    known["agencies"].append({"org": org("gp"), "name": "Fjelltun legesenter", "sector": "gp"})
    directory.write_text(yaml.safe_dump(known, allow_unicode=True))
    since = ("--from", "2026-01-01", "--source", "registeret")

    said = [
        bro("person", "gp", one, "--agency", org("gp"), *since, *KARI, "--json"),
        bro("person", "gp", one, "--agency", org("nav"), *since, *KARI),
        bro("person", "gp", one, *since, *KARI),
        bro("person", "gp", one, "--nobody", "--agency", org("gp"), *since, *KARI),
    ]

    assert [answer.code for answer in said] == [0, 2, 2, 2]
    assert "hub.identity-refused" in said[1].err
    assert json.loads(bro("person", "show", one, "--json").out)["registered_gp"] == org("gp")
    assert f"registered GP: {org('gp')}" in bro("person", "show", one).out
    assert bro("person", "gp", one, "--nobody", *since, *OLA).out == "Recorded.\n"
    assert json.loads(bro("person", "show", one, "--json").out)["registered_gp"] is None
