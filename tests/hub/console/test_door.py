"""Understands that nobody gets into the console but by the printed address, and for how long."""

from __future__ import annotations

import httpx
import pytest

from hub.console.door import COOKIE, Door
from tests.hub.cli.installation import Clock, Installation
from tests.hub.console.conftest import KEY

EVERYWHERE = ("/console", "/console/", "/console/drift", "/console/nowhere", "/console/a/b", "/console/enter")
HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
}


@pytest.mark.parametrize("address", EVERYWHERE[1:])
def test_every_address_answers_401_with_how_to_get_in(outside: httpx.Client, address: str) -> None:
    answer = outside.get(address)

    assert answer.status_code == 401
    assert "Adressen med nøkkel" in answer.text
    assert COOKIE not in answer.cookies


@pytest.mark.parametrize("key", ["", KEY[:-1], KEY + "x", KEY.upper(), "æ", "\x00", "%ed%a0%80"])
def test_a_wrong_key_opens_nothing(outside: httpx.Client, key: str) -> None:
    answer = outside.get("/console/enter", params={"key": key})

    assert answer.status_code == 401
    assert COOKIE not in answer.cookies


def test_the_key_is_exchanged_for_a_cookie_and_leaves_the_address(outside: httpx.Client) -> None:
    answer = outside.get("/console/enter", params={"key": KEY})

    assert answer.status_code == 303
    assert answer.headers["location"] == "/console/drift"
    cookie = answer.headers["set-cookie"]
    for said in ("HttpOnly", "SameSite=strict", "Path=/console", "Max-Age=28800"):
        assert said in cookie
    assert KEY not in cookie
    assert outside.get("/console/drift").status_code == 200


def test_behind_tls_the_cookie_is_sent_over_tls_only(outside: httpx.Client) -> None:
    answer = outside.get("/console/enter", params={"key": KEY}, headers={"x-forwarded-proto": "https"})

    assert "Secure" in answer.headers["set-cookie"]


def test_the_cookie_ends_after_eight_hours(inside: httpx.Client, installed: Installation) -> None:
    installed.clock.forward(hours=7, minutes=59)
    assert inside.get("/console/drift").status_code == 200

    installed.clock.forward(minutes=2)

    assert inside.get("/console/drift").status_code == 401


@pytest.mark.parametrize(
    "forged", ["", ".", "9999999999.", "9999999999.0", "x.y", "æ.ø", "9" * 5000 + ".a", "-1.a", "1e9.a"]
)
def test_a_forged_cookie_opens_nothing(forged: str) -> None:
    assert not Door(KEY, Clock()).knows(forged)


def test_a_cookie_cannot_be_made_to_last_longer() -> None:
    door = Door(KEY, Clock())
    ends, _, signature = door.cookie().partition(".")

    assert door.knows(f"{ends}.{signature}")
    assert not door.knows(f"{int(ends) + 1}.{signature}")


def test_a_cookie_of_another_start_opens_nothing() -> None:
    assert not Door(KEY, Clock()).knows(Door(KEY[::-1], Clock()).cookie())


def test_a_short_key_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="32"):
        Door("short", Clock())


def test_who_leaves_is_outside(inside: httpx.Client) -> None:
    answer = inside.post("/console/leave")

    assert answer.status_code == 303
    assert inside.get("/console/drift").status_code == 401


def test_leaving_by_a_link_is_not_possible(inside: httpx.Client) -> None:
    assert inside.get("/console/leave").status_code == 404
    assert inside.get("/console/drift").status_code == 200


@pytest.mark.parametrize("address", [*EVERYWHERE[1:], "/console/static/console.css"])
def test_every_answer_is_protected(outside: httpx.Client, address: str) -> None:
    answer = outside.get(address)

    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_the_console_is_no_part_of_the_api_description(outside: httpx.Client) -> None:
    description = outside.get("/openapi.json")

    assert description.status_code == 200
    assert "/console" not in description.text


def test_only_files_of_the_console_are_served(outside: httpx.Client) -> None:
    for address in ("/console/static/../app.py", "/console/static/%2e%2e/app.py", "/console/static/"):
        assert outside.get(address).status_code != 200
