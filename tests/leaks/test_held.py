"""What is held for a reader stands nowhere but on the page of the reader who opened it, and in the message
that the recipient gets once it was released.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hub.console.users import Role, new_entry, read_users
from hub.parts import Parts
from tests.hub.console.test_saker import served_with
from tests.leaks import messages as m
from tests.leaks.canaries import search, standing
from tests.leaks.conftest import Fresh
from tests.leaks.lab import ORGS, Lab, evidence
from tests.leaks.messages import XML

SLOT = "brik.bolig.merknad"
NAMES = ("kari", "per")


class Desk:
    """Readers of the prison's health service, and every page that each of them was shown."""

    def __init__(self, lab: Lab, url: str, keys: dict[str, str]) -> None:
        self._lab = lab
        self.pages: list[tuple[str, bytes]] = []
        self._clients = {name: httpx.Client(base_url=url, timeout=60) for name in keys}
        for name, client in self._clients.items():
            client.post("/console/login", data={"name": name, "key": keys[name]})

    def press(self, name: str, hold: str, do: str) -> None:
        client, address = self._clients[name], f"/console/saker/{hold}"
        for path in ("/console/saker", address):
            self._keep(f"page/{name}/closed", client.get(path))
        found = re.search(r'name="token" value="([^"]+)"', client.get(address).text)
        form = {"token": found.group(1) if found else "", "do": do, "reason": "lest"}
        self._keep(f"page/{name}/{do}", client.post(address, data=form))

    def _keep(self, place: str, answer: httpx.Response) -> None:
        assert answer.status_code == 200, (place, answer.status_code)
        self.pages.append((place, answer.content + str(answer.headers).encode()))

    def hold(self) -> str:
        page = self._clients["kari"].get("/console/saker").text
        return str(re.findall(r'href="/console/saker/([^"]+)"', page)[0])


@pytest.fixture
def lab(first: Parts, fresh: Fresh) -> Iterator[Lab]:
    with Lab(first, *fresh()) as lab:
        yield lab


@pytest.fixture
def desk(lab: Lab, tmp_path: Path) -> Iterator[Desk]:
    made = {name: new_entry(name, name.title(), ORGS["prison_health"], [Role.READER]) for name in NAMES}
    users = read_users({"users": [entry for entry, _ in made.values()]}, lab.parts.agency)
    with served_with(lab.parts, users, tmp_path) as url:
        yield Desk(lab, url, {name: key for name, (_, key) in made.items()})


def stands(lab: Lab, desk: Desk) -> set[str]:
    """Where the marker of the held text is."""
    return {place for slot, place in standing([*evidence(lab), *desk.pages]) if slot == SLOT}


def test_a_held_text_stands_where_it_was_opened_and_where_it_was_released_to(lab: Lab, desk: Desk) -> None:
    lab.step("some")
    lab.post("prison_health", m.JSON, m.as_json(m.to_housing()))
    lab.post("prison", XML, m.as_xml(lab.parts, m.brik(lab.parts)))
    lab.settle()
    hold = desk.hold()
    assert stands(lab, desk) == set()

    desk.press("kari", hold, "read")
    assert stands(lab, desk) == {"page/kari/read"}
    desk.press("kari", hold, "release")
    desk.press("per", hold, "read")
    assert stands(lab, desk) == {"page/kari/read", "page/per/read"}

    lab.step("released")
    desk.press("per", hold, "confirm")
    lab.settle()
    assert stands(lab, desk) == {"page/kari/read", "page/per/read", "payload/housing/released"}
    for place, data in desk.pages:
        others = {hit.marker for hit in search().hits(data)} - {SLOT}
        assert others == set(), (place, others)


@pytest.mark.parametrize("do", ["refuse", "return"])
def test_a_text_that_was_not_released_stands_on_the_page_only(lab: Lab, desk: Desk, do: str) -> None:
    lab.step("some")
    lab.post("prison_health", m.JSON, m.as_json(m.to_housing()))
    posted = lab.post("prison", XML, m.as_xml(lab.parts, m.brik(lab.parts)))
    lab.settle()
    hold = desk.hold()
    desk.press("kari", hold, "read")
    desk.press("kari", hold, do)
    lab.settle()
    lab.call("prison", "GET", f"/v1/messages/{posted.said['id']}")

    assert stands(lab, desk) == {"page/kari/read"}
