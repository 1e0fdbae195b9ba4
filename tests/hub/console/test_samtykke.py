"""Understands the consent desk: who gets in, what is recorded for whom, and what control roles never see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from hub.console.users import Role, Users, new_entry, read_users
from hub.store.schema import consent, message
from tests.hub.cli.installation import NAV, PERSON, PRISON, SCHOOL, Installation
from tests.hub.console.conftest import served

Desk = Callable[[str], httpx.Client]
WHO = {"kari": (NAV, Role.CASEWORKER), "vakt": (PRISON, Role.CASEWORKER), "les": (NAV, Role.READER)}


@pytest.fixture
def desk(installed: Installation) -> Iterator[Desk]:
    """Somebody who has logged in at a desk, by name."""
    made = {name: new_entry(name, name.title(), org, [role]) for name, (org, role) in WHO.items()}
    people: Users = read_users({"users": [entry for entry, _ in made.values()]}, installed.parts.agency)
    with ExitStack() as stack:
        url = stack.enter_context(served(installed, installed.parts, people))

        def at(name: str) -> httpx.Client:
            client = stack.enter_context(httpx.Client(base_url=url, timeout=60))
            answer = client.post("/console/login", data={"name": name, "key": made[name][1]})
            assert answer.status_code == 303
            return client

        yield at


def token(client: httpx.Client) -> str:
    found = re.search(r'name="token" value="([0-9a-f]{64})"', client.get("/console/samtykke").text)
    assert found is not None
    return found.group(1)


def said(client: httpx.Client, address: str, **fields: object) -> httpx.Response:
    return client.post(
        f"/console/samtykke{address}", data={"token": token(client), "number": PERSON, **fields}
    )


GIVEN = {
    "beslutning": "tillat",
    "tekst": "deling-2026-1|nb",
    "avsendere": ["prison"],
    "mottakere": ["nav_municipal"],
    "formal": ["return_to_society"],
    "kategorier": ["identity", "work"],
    "gyldig_fra": "2031-03-01",
    "gyldig_til": "2031-09-01",
    "form": "skriftlig",
    "sted": "etatskontor",
    "tolk": "ingen",
    "gitt_av": "pasient",
    "under_straff": "ja",
    "forklart": "ja",
    "signert": "ja",
}


def recorded(installed: Installation) -> int:
    with installed.parts.store.reading() as view:
        return len(view.execute(consent.select()).all())


def test_the_desk_opens_without_anything_ticked_or_chosen(desk: Desk) -> None:
    page = said(desk("kari"), "").text

    assert 'name="rus" value="substance_use"' in page
    assert "checked" not in page
    assert "selected" not in page
    assert 'name="kategorier" value="substance_use"' not in page


def test_what_is_filled_in_is_recorded_for_the_agency_with_a_receipt(
    desk: Desk, installed: Installation
) -> None:
    kari = desk("kari")

    answer = said(kari, "/gi", **GIVEN)

    assert answer.status_code == 200
    for words in ("Kvittering til personen", "NAV Elvestad", "SHA-256", "Slik trekker du det"):
        assert words in answer.text
    with installed.parts.store.reading() as view:
        [row] = view.execute(consent.select()).all()
        [post] = view.execute(message.select()).all()
    assert (row.recorded_by, post.sender, row.id) == (NAV, NAV, post.id)
    assert "Versjon 1: gjelder" in said(kari, "").text


@pytest.mark.parametrize(
    "without", ["signert", "forklart", "tekst", "mottakere", "kategorier", "gyldig_til", "form", "gitt_av"]
)
def test_nothing_is_recorded_when_something_is_missing(
    desk: Desk, installed: Installation, without: str
) -> None:
    answer = said(desk("kari"), "/gi", **{name: value for name, value in GIVEN.items() if name != without})

    assert answer.status_code == 422
    assert "Ikke registrert" in answer.text
    assert recorded(installed) == 0


def test_narrowing_is_the_next_version_of_the_same_consent(desk: Desk) -> None:
    kari = desk("kari")
    said(kari, "/gi", **GIVEN)
    found = re.search(r'<option value="([^"]+)">Versjon 1', said(kari, "").text)
    assert found is not None

    said(kari, "/gi", **{**GIVEN, "kategorier": ["identity"], "endrer": found.group(1)})

    page = said(kari, "").text
    assert "Versjon 2: gjelder" in page
    assert "Versjon 1: erstattet av en nyere versjon" in page


def test_one_consent_and_everything_can_be_withdrawn(desk: Desk) -> None:
    kari = desk("kari")
    said(kari, "/gi", **GIVEN)
    said(kari, "/gi", **GIVEN)
    found = re.search(r'name="id" value="([^"]+)"', said(kari, "").text)
    assert found is not None

    assert said(kari, "/trekk", id=found.group(1)).status_code == 200
    assert said(kari, "").text.count("Versjon 1: trukket") == 1
    assert said(kari, "/trekk", omfang="alle_samtykker").status_code == 422  # not signed
    assert said(kari, "/trekk", omfang="alle_samtykker", signert="ja").status_code == 200
    assert said(kari, "").text.count("Versjon 1: trukket") == 2


def test_a_control_role_sees_no_list_and_collects_no_substance_use(
    desk: Desk, installed: Installation
) -> None:
    refusal = {**GIVEN, "beslutning": "nekt"}
    said(desk("kari"), "/gi", **refusal)
    vakt = desk("vakt")

    page = said(vakt, "").text

    assert "Vises ikke for etater som kan straffe" in page
    assert "nekter deling." not in page
    assert 'name="rus"' not in page
    before = recorded(installed)
    answer = said(vakt, "/gi", **{**GIVEN, "rus": "substance_use"})
    assert answer.status_code == 422
    assert recorded(installed) == before


def test_a_control_role_cannot_tell_by_withdrawing_whether_there_was_something(desk: Desk) -> None:
    vakt = desk("vakt")
    empty = said(vakt, "/trekk", omfang="alle_samtykker", signert="ja")
    said(desk("kari"), "/gi", **GIVEN)

    full = said(vakt, "/trekk", omfang="alle_samtykker", signert="ja")

    assert (full.status_code, full.text) == (empty.status_code, empty.text)


@pytest.mark.parametrize("address", ["", "/gi", "/trekk"])
def test_only_a_caseworker_with_a_form_of_ours_changes_anything(
    desk: Desk, installed: Installation, address: str
) -> None:
    kari, reader = desk("kari"), desk("les")
    other = token(kari)

    assert reader.get("/console/samtykke").status_code == 404
    answer = reader.post(f"/console/samtykke{address}", data={"token": other, "number": PERSON, **GIVEN})
    assert answer.status_code == 404
    for wrong in ("", "0" * 64, token(desk("kari"))):
        answer = kari.post(f"/console/samtykke{address}", data={"token": wrong, "number": PERSON, **GIVEN})
        assert answer.status_code == 403
    assert httpx.post(str(kari.base_url.join(f"/console/samtykke{address}")), data=GIVEN).status_code == 401
    assert recorded(installed) == 0


def test_the_number_stands_in_no_address_and_a_wrong_one_is_told(desk: Desk) -> None:
    kari = desk("kari")
    page = said(kari, "").text

    assert f"/{PERSON}" not in page
    assert f"={PERSON}" not in page
    assert "ikke et gyldig" in said(kari, "", number="12345678901").text


def test_the_desk_speaks_english(desk: Desk) -> None:
    kari = desk("kari")
    kari.get("/console/samtykke?lang=en")

    assert "What the person has said at your agency" in said(kari, "").text
    assert "The person permits sharing." in said(kari, "/gi", **GIVEN).text


def test_an_agency_is_shown_what_it_recorded_itself_and_of_others_not_that_there_is_anything(
    desk: Desk, installed: Installation
) -> None:
    """Whom somebody lets write to a clinic, and what about, tells what is treated there."""
    kari = desk("kari")
    empty = shown(kari)
    installed.consent()  # recorded by the prison

    assert shown(kari) == empty
    said(kari, "/gi", **GIVEN)
    assert shown(kari).count("Versjon 1") == 2  # in the list, and among what can be narrowed


def shown(client: httpx.Client) -> str:
    return re.sub(r"[0-9a-f]{64}", "", said(client, "").text)


def test_another_agency_cannot_withdraw_by_an_id_it_saw(desk: Desk, installed: Installation) -> None:
    assert SCHOOL != NAV
    kari = desk("kari")
    installed.consent()  # recorded by the prison
    found = said(kari, "").text
    with installed.parts.store.reading() as view:
        [row] = view.execute(consent.select()).all()

    assert row.id not in found
    assert said(kari, "/trekk", id=row.id).status_code == 422
