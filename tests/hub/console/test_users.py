"""Understands that only those in the file get to a desk, by their own key, and that a form of another
site changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import yaml

from hub.console.users import COOKIE, PATIENCE, Desks, Role, Users, load_users, new_entry, read_users
from hub.errors import HubError
from hub.message import Agency, Sector
from tests.hub.cli.installation import NAV, Clock, Installation
from tests.hub.console.conftest import served

ORG = "310000019"
AGENCY = Agency(ORG, "Fjellvik skole", Sector.EDUCATION)


def known(org: str) -> Agency | None:
    return AGENCY if org == ORG else None


def users(*ids: str) -> tuple[Users, dict[str, str]]:
    made = {user_id: new_entry(user_id, "Kari Skranke", ORG, [Role.CASEWORKER]) for user_id in ids}
    return read_users({"users": [entry for entry, _ in made.values()]}, known), {
        user_id: key for user_id, (_, key) in made.items()
    }


def test_the_right_key_opens_and_says_for_which_agency() -> None:
    people, keys = users("kari", "ola")

    user = people.enter("kari", keys["kari"], Clock()())

    assert user is not None
    assert (user.id, user.agency.org, user.may(Role.CASEWORKER), user.may(Role.READER)) == (
        "kari", ORG, True, False,
    )  # one row per case # fmt: skip


@pytest.mark.parametrize(("name", "whose"), [("kari", "ola"), ("ola", "kari"), ("per", "kari"), ("", "ola")])
def test_no_other_key_opens(name: str, whose: str) -> None:
    people, keys = users("kari", "ola")

    assert people.enter(name, keys[whose], Clock()()) is None
    assert people.enter(name, "", Clock()()) is None


def test_after_too_many_wrong_keys_the_name_waits_and_others_do_not() -> None:
    people, keys = users("kari", "ola")
    now = Clock()()
    for _ in range(PATIENCE):
        assert people.enter("kari", "wrong", now) is None

    assert people.enter("kari", keys["kari"], now) is None
    assert people.enter("ola", keys["ola"], now) is not None
    assert people.enter("kari", keys["kari"], now + timedelta(minutes=2)) is not None


def test_the_file_holds_no_key(tmp_path: Path) -> None:
    entry, key = new_entry("kari", "Kari Skranke", ORG, [Role.READER])
    file = tmp_path / "users.yaml"
    file.write_text(yaml.safe_dump({"users": [entry]}))

    assert key not in file.read_text()
    assert load_users(file, known).enter("kari", key, Clock()()) is not None


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("id", "Kari", "id"),
        ("id", "ola", "id"),
        ("name", "", "text"),
        ("agency", "310000299", "agency"),
        ("roles", [], "empty"),
        ("roles", ["boss"], "code"),
        ("key", "scrypt:AA==:AA==", "key"),
        ("key", "plain", "key"),
    ],
)
def test_a_faulty_file_lets_nobody_in(name: str, value: object, rule: str) -> None:
    good, _ = new_entry("ola", "Ola Skranke", ORG, [Role.CASEWORKER])
    bad, _ = new_entry("kari", "Kari Skranke", ORG, [Role.CASEWORKER])

    with pytest.raises(HubError) as refused:
        read_users({"users": [good, {**bad, name: value}]}, known)  # type: ignore[dict-item]  # on purpose

    assert rule in {finding.rule for finding in refused.value.findings}


def desks() -> tuple[Desks, Clock, str]:
    people, keys = users("kari", "ola")
    clock = Clock()
    made = Desks(people, clock)
    cookie = made.enter("kari", keys["kari"])
    assert cookie is not None
    return made, clock, cookie


def test_a_cookie_says_who_for_eight_hours() -> None:
    made, clock, cookie = desks()

    user = made.knows(cookie)
    assert user is not None
    assert user.id == "kari"
    clock.forward(hours=8, minutes=1)
    assert made.knows(cookie) is None


def test_a_cookie_cannot_be_turned_into_another_persons_or_made_longer() -> None:
    made, _, cookie = desks()
    said, _, signature = cookie.rpartition("|")
    user_id, ends, salt = said.split("|")

    for forged in (
        f"ola|{ends}|{salt}|{signature}",
        f"{user_id}|{int(ends) + 1}|{salt}|{signature}",
        said,
        "",
        None,
        "|||",
        "æ|ø|å|x",
        f"{cookie}|x",
    ):
        assert made.knows(forged) is None
    other, _, _ = desks()
    assert other.knows(cookie) is None


def test_a_form_counts_only_with_the_token_of_its_own_cookie() -> None:
    made, _, cookie = desks()

    assert made.comes_from_our_form(cookie, {"token": made.token(cookie)})
    for given in ({}, {"token": ""}, {"token": made.token("other")}, {"token": cookie}, {"token": None}):
        assert not made.comes_from_our_form(cookie, given)


# In the console


@pytest.fixture
def desk_key(installed: Installation, tmp_path: Path) -> str:
    entry, key = new_entry("kari", "Kari Skranke", NAV, [Role.CASEWORKER])
    (tmp_path / "users.yaml").write_text(json.dumps({"users": [entry]}))
    return key


@pytest.fixture
def visitor(installed: Installation, desk_key: str, tmp_path: Path) -> Iterator[httpx.Client]:
    people = load_users(tmp_path / "users.yaml", installed.parts.agency)
    with served(installed, installed.parts, people) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def test_logging_in_gives_a_cookie_for_the_console_only(visitor: httpx.Client, desk_key: str) -> None:
    assert "Logg inn" in visitor.get("/console/drift").text

    answer = visitor.post("/console/login", data={"name": "kari", "key": desk_key})

    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    for said in (COOKIE, "HttpOnly", "SameSite=strict", "Path=/console"):
        assert said in cookie
    assert desk_key not in cookie
    assert "Kari Skranke" in visitor.get("/console/nowhere").text


def test_who_is_at_a_desk_is_not_operations(visitor: httpx.Client, desk_key: str) -> None:
    visitor.post("/console/login", data={"name": "kari", "key": desk_key})

    assert visitor.get("/console/drift").status_code == 401


@pytest.mark.parametrize("form", [{"name": "kari", "key": "wrong"}, {"name": "per", "key": "wrong"}, {}])
def test_a_wrong_login_is_answered_alike(visitor: httpx.Client, form: dict[str, str]) -> None:
    answer = visitor.post("/console/login", data=form)

    assert answer.status_code == 401
    assert "passer ikke sammen" in answer.text
    assert COOKIE not in answer.cookies


def test_a_form_too_large_or_broken_is_refused(visitor: httpx.Client) -> None:
    assert visitor.post("/console/login", data={"name": "x" * 70_000}).status_code == 413
    assert visitor.post("/console/login", content=b"name=\xff\xfe").status_code in (400, 401)
    assert visitor.post("/console/login", content=b"&".join([b"a=1"] * 2000)).status_code == 400


def test_leaving_leaves_the_desk_too(visitor: httpx.Client, desk_key: str) -> None:
    visitor.post("/console/login", data={"name": "kari", "key": desk_key})

    visitor.post("/console/leave")

    assert visitor.get("/console/nowhere").status_code == 401
