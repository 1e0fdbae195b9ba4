"""The room Saker: who gets in, what is shown and when, the four answers and the two persons."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.audit.log import Kind
from hub.console.users import Role, Users, new_entry, read_users
from hub.errors import PROBLEMS
from hub.message import Outcome
from hub.parts import Parts
from tests.hub.bench import Bench, org, withdrawal
from tests.hub.console.conftest import served
from tests.hub.holding import (
    MERKNAD,
    PLAIN,
    TELLS,
    WEAK,
    held,
    last_text,
    now,
    two_texts,
)

PEOPLE = {
    "kari": ("prison_health", [Role.READER]),
    "per": ("prison_health", [Role.READER]),
    "skranke": ("prison_health", [Role.CASEWORKER, Role.PRIVACY]),
    "betjent": ("prison", [Role.READER]),
    "bolig": ("housing", [Role.READER]),
}
Enter = Callable[[str], httpx.Client]


@pytest.fixture
def people(bench: Bench) -> tuple[Users, dict[str, str]]:
    made = {id_: new_entry(id_, id_.title(), org(key), roles) for id_, (key, roles) in PEOPLE.items()}
    users = read_users({"users": [entry for entry, _ in made.values()]}, bench.parts.agency)
    return users, {id_: key for id_, (_, key) in made.items()}


@pytest.fixture
def enter(bench: Bench, people: tuple[Users, dict[str, str]], tmp_path: Path) -> Iterator[Enter]:
    """Somebody who has logged in, by name."""
    users, keys = people
    with ExitStack() as stack:
        url: list[str] = []

        def come(name: str) -> httpx.Client:
            if not url:
                url.append(stack.enter_context(served_with(bench.parts, users, tmp_path)))
            client = stack.enter_context(httpx.Client(base_url=url[0], timeout=60))
            client.post("/console/login", data={"name": name, "key": keys[name]})
            return client

        yield come


def served_with(parts: Parts, users: Users, folder: Path) -> Any:
    from types import SimpleNamespace

    from tests.hub.fakes import settings

    return served(SimpleNamespace(settings=settings(folder)), parts, users)  # type: ignore[arg-type]  # it takes no more of it


def token(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None, page
    return found.group(1)


def press(client: httpx.Client, item: str, do: str, **filled_in: Any) -> httpx.Response:
    """Fill in the form of a hold and press one of its buttons."""
    shown = client.get(f"/console/saker/{item}")
    return client.post(f"/console/saker/{item}", data={"token": token(shown.text), "do": do, **filled_in})


def words(response: httpx.Response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", response.text)).split())


def test_a_reader_comes_straight_to_the_room(bench: Bench, enter: Enter) -> None:
    item = held(bench)
    kari = enter("kari")

    assert kari.get("/console/").headers["location"] == "/console/saker"
    page = kari.get("/console/saker")
    assert item.id in page.text
    assert "Elvestad boligkontor" in page.text
    for word in (PLAIN, "Prøvestad", "14839030186"):
        assert word not in page.text


def test_before_it_is_opened_nothing_of_it_is_shown(bench: Bench, enter: Enter) -> None:
    item = held(bench, TELLS)

    page = enter("kari").get(f"/console/saker/{item.id}")

    assert "Åpne og les" in page.text
    assert "Tilbakeføring til samfunnet" in page.text
    assert "rusmilj" not in page.text
    assert bench.leaves(Kind.READ) == []


def test_opened_it_shows_the_text_the_hit_and_the_row(bench: Bench, enter: Enter) -> None:
    item = held(bench, TELLS)

    page = press(enter("kari"), item.id, "read")

    assert "<mark>rusmiljøet</mark>" in page.text
    said = words(page)
    assert TELLS in said
    assert "Merknad om bolig" in said
    assert "Regel L05/1: sendes bare når personen har samtykket" in said
    assert "sannsynlig funn" in said
    for word in ("Prøvestad", "14839030186", "Avdeling B", "stort"):
        assert word not in said
    [read] = bench.leaves(Kind.READ)
    assert read["reader"] == "kari"


@pytest.mark.parametrize("name", ["betjent", "bolig"])
def test_readers_elsewhere_find_no_such_case(bench: Bench, enter: Enter, name: str) -> None:
    item = held(bench)
    client = enter(name)

    assert item.id not in client.get("/console/saker").text
    assert client.get(f"/console/saker/{item.id}").status_code == 404
    other = enter("kari").get(f"/console/saker/{item.id}")
    for form in ({"do": "read"}, {"do": "release", "reason": "x"}, {"do": "confirm"}):
        posted = client.post(f"/console/saker/{item.id}", data=form | {"token": token(other.text)})
        assert posted.status_code in (403, 404)
        assert PLAIN not in posted.text
    assert bench.leaves(Kind.READ) == []


def test_who_is_no_reader_finds_no_room(bench: Bench, enter: Enter) -> None:
    item = held(bench)

    for client in (enter("skranke"), httpx.Client(base_url=str(enter("kari").base_url))):
        for path in ("/console/saker", f"/console/saker/{item.id}"):
            assert client.get(path).status_code in (401, 404)
        assert client.post(f"/console/saker/{item.id}", data={"do": "read"}).status_code in (401, 404)


def test_a_form_of_somebody_else_changes_nothing(bench: Bench, enter: Enter) -> None:
    item = held(bench)
    kari, per = enter("kari"), enter("per")
    stolen = token(per.get(f"/console/saker/{item.id}").text)

    for given in ({}, {"token": ""}, {"token": stolen}):
        assert kari.post(f"/console/saker/{item.id}", data={"do": "read"} | given).status_code == 403
    assert bench.leaves(Kind.READ) == []


def test_a_released_text_arrives(bench: Bench, enter: Enter) -> None:
    item = held(bench)
    kari = enter("kari")
    press(kari, item.id, "read")

    said = press(kari, item.id, "release", reason="gjelder\r\nbare bolig")

    assert "Svaret er tatt imot" in said.text
    bench.drain()
    assert PLAIN in last_text(bench)
    [answer] = bench.leaves(Kind.HOLD)
    assert answer["reason"] == "gjelder bare bolig"


def test_a_part_of_it_arrives(bench: Bench, enter: Enter) -> None:
    item = two_texts(bench)
    kari = enter("kari")
    press(kari, item.id, "read")

    nothing = press(kari, item.id, "reduced", reason="lest")
    assert "Kryss av" in words(nothing)
    press(kari, item.id, "reduced", reason="lest", only=[MERKNAD])
    bench.drain()

    assert PLAIN in last_text(bench)
    assert "Har gjeld" not in last_text(bench)


@pytest.mark.parametrize(("do", "outcome"), [("refuse", Outcome.WITHHELD), ("return", Outcome.REJECTED)])
def test_a_no_is_a_no(bench: Bench, enter: Enter, do: str, outcome: Outcome) -> None:
    item = held(bench)
    kari = enter("kari")
    press(kari, item.id, "read")
    press(kari, item.id, do, reason="nei")
    bench.drain()

    assert now(bench, item).outcome == outcome
    assert kari.get(f"/console/saker/{item.id}").status_code == 404


def test_what_is_ticked_needs_a_consent_too(bench: Bench, enter: Enter) -> None:
    item = held(bench)
    kari = enter("kari")
    press(kari, item.id, "read")
    press(kari, item.id, "release", reason="lest", found=[f"family@{MERKNAD}"])
    bench.drain()

    assert now(bench, item).code == "decide.consent-mismatch"


@pytest.mark.parametrize("found", ["unknown@bolig.merknad", "noe@bolig.merknad", "family", "family@rus"])
def test_a_tick_that_was_not_offered_is_refused(bench: Bench, enter: Enter, found: str) -> None:
    item = held(bench)
    kari = enter("kari")
    press(kari, item.id, "read")

    assert press(kari, item.id, "release", reason="lest", found=[found]).status_code == 409
    assert now(bench, item).outcome == Outcome.HELD


def test_two_persons(bench: Bench, enter: Enter) -> None:
    item = held(bench, WEAK)
    kari, per = enter("kari"), enter("per")
    assert "To personer må være enige" in words(press(kari, item.id, "read"))
    assert "venter på en til" not in words(kari.get("/console/saker"))
    said = press(kari, item.id, "release", reason="hagegress")
    assert "før en annen leser har bekreftet" in words(said)
    bench.drain()
    assert len(bench.got("housing")) == 1

    own = press(kari, item.id, "read")
    assert "Du kan ikke bekrefte ditt eget forslag" in words(own)
    assert 'value="confirm"' not in own.text
    refused = press(kari, item.id, "confirm")
    assert PROBLEMS["hold.second-person"].nb in words(refused)

    assert "venter på en til" in words(per.get("/console/saker"))
    assert PROBLEMS["hold.unread"].nb in words(press(per, item.id, "confirm"))
    shown = words(press(per, item.id, "read"))
    assert "Foreslått av kari" in shown
    assert "hagegress" in shown
    assert "Merknad om bolig: kan sendes" in shown
    assert "Svaret er tatt imot" in words(press(per, item.id, "confirm"))
    bench.drain()
    assert WEAK in last_text(bench)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 600])
def test_an_answer_needs_a_reason(bench: Bench, enter: Enter, reason: str) -> None:
    item = held(bench)
    kari = enter("kari")
    press(kari, item.id, "read")

    said = press(kari, item.id, "release", reason=reason)

    assert (said.status_code, "Skriv en begrunnelse" in words(said)) == (409, True)
    assert now(bench, item).outcome == Outcome.HELD


def test_an_answer_to_what_was_withdrawn_meanwhile_finds_no_case(bench: Bench, enter: Enter) -> None:
    item = held(bench)
    kari = enter("kari")
    shown = press(kari, item.id, "read")
    bench.post("prison_health", withdrawal("skjema-1-bolig", "t-1"))

    form = {"token": token(shown.text), "do": "release", "reason": "lest"}
    assert kari.post(f"/console/saker/{item.id}", data=form).status_code == 404
    bench.drain()
    assert PLAIN not in "".join(sent.text for sent in bench.got("housing"))


def test_a_text_cannot_become_part_of_the_page(bench: Bench, enter: Enter) -> None:
    item = held(bench, "<script>alert(1)</script> Trenger <b>plass</b> til to.")

    page = press(enter("kari"), item.id, "read")

    assert "<script>" not in page.text
    assert "<b>" not in page.text
    assert "&lt;script&gt;" in page.text


def test_the_same_in_english(bench: Bench, enter: Enter) -> None:
    item = held(bench, TELLS)
    kari = enter("kari")
    kari.get("/console/saker?lang=en")

    said = words(press(kari, item.id, "read"))

    for word in ("What the hub found", "Remark on housing", "goes only when the person has consented"):
        assert word in said
    assert "Regel" not in said
