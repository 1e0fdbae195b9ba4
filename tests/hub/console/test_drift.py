"""Understands what the operations page tells, and what it never tells."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from hub import standing
from hub.audit.log import integrate
from hub.errors import PROBLEMS, HubError
from hub.message import Outcome
from hub.parts import Parts
from hub.queue.port import Depth, Handle, Work
from hub.store import disclosures
from hub.store.disclosures import State
from hub.store.schema import disclosure
from tests.hub.cli.installation import CANARY, NAV, PERSON, Installation
from tests.hub.console.conftest import entered

Visit = Callable[[Parts], httpx.Client]


def text(page: str) -> str:
    """What is read on a page: no tags, single blanks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page)).replace("\u202f", " ")


def test_a_hub_at_rest_is_calm(inside: httpx.Client) -> None:
    page = text(inside.get("/console/drift").text)

    assert "Alt går som det skal" in page
    assert "Ingenting står fast." in page


def test_what_is_parked_is_grouped_by_code_with_title_actor_age_and_ids(
    inside: httpx.Client, installed: Installation
) -> None:
    item = installed.parked()
    installed.clock.forward(hours=3)

    page = text(inside.get("/console/drift").text)

    assert "Noe trenger tilsyn" in page
    assert PROBLEMS["hand-over.gave-up"].nb in page
    assert "Hvem må handle Driften" in page
    assert "3 t 7 min" in page
    assert item.id in page


def test_what_was_tried_and_is_queued_again_is_stuck_too(
    inside: httpx.Client, installed: Installation
) -> None:
    installed.consent()
    installed.mapping()
    installed.endpoint.away = True
    (item,) = installed.to_nav()
    installed.attempt(item)

    page = text(inside.get("/console/drift").text)

    assert PROBLEMS["hand-over.unavailable"].nb in page
    assert "Huben prøver igjen av seg selv." in page
    assert item.id in page


def test_an_overdue_answer_shows_its_message_and_who_should_answer(
    inside: httpx.Client, installed: Installation
) -> None:
    installed.consent()
    message = installed.mapping()
    (item,) = installed.to_nav()
    installed.attempt(item)
    assert "Ingen ventede svar" in inside.get("/console/drift").text

    installed.clock.forward(days=15)
    (late,) = standing.read(installed.parts).overdue
    page = text(entered(inside).get("/console/drift").text)

    assert (late.message, late.agency) == (message, "NAV Elvestad")
    assert message in page
    assert "NAV Elvestad" in page


def test_in_english_every_word_is_english_and_the_choice_is_remembered(
    inside: httpx.Client, installed: Installation
) -> None:
    installed.parked()

    asked = inside.get("/console/drift?lang=en").text
    again = inside.get("/console/drift").text

    for page in (asked, again):
        assert '<html lang="en">' in page
        assert PROBLEMS["hand-over.gave-up"].title in page
        assert "Operations" in page
        assert "Utleveringer" not in page
    assert '<html lang="nb">' in inside.get("/console/drift?lang=nb").text


@pytest.mark.parametrize("lang", ["de", "", "<script>", "nb'"])
def test_an_unknown_language_is_bokmal_and_is_not_remembered(outside: httpx.Client, lang: str) -> None:
    answer = outside.get("/console/drift", params={"lang": lang})

    assert '<html lang="nb">' in answer.text
    assert "set-cookie" not in answer.headers
    assert "<script" not in answer.text


def test_nothing_of_the_person_or_the_content_is_shown(inside: httpx.Client, installed: Installation) -> None:
    item = installed.parked()
    installed.clock.forward(hours=1)

    page = inside.get("/console/drift").text

    for secret in (PERSON, CANARY, item.person_id, item.agreement, "brik", "middels", "samtykke"):
        assert secret not in page


OUTCOMES = [
    (State.WAITING, Outcome.WAITING, "decide.no-consent"),
    (State.WAITING, Outcome.HELD, "decide.free-text-unread"),
    (State.DONE, Outcome.WITHHELD, "decide.refused"),
    (State.DONE, Outcome.REDUCED, None),
    (State.DONE, Outcome.EXPIRED, "hand-over.expired"),
]


@pytest.mark.parametrize(("state", "outcome", "code"), OUTCOMES)
def test_however_something_was_decided_the_page_is_the_same(
    inside: httpx.Client, installed: Installation, state: State, outcome: Outcome, code: str | None
) -> None:
    installed.consent()
    installed.mapping()
    everything = installed.to_nav()
    pages = set()

    for to, values in ((State.DONE, {"outcome": Outcome.DELIVERED, "code": None}), (state, {})):
        with installed.parts.store.writing() as tx:
            for item in everything:
                fresh = disclosures.load(tx, item.id)
                assert fresh is not None
                disclosures.move(tx, fresh, to, **({"outcome": outcome, "code": code} | values))
        pages.add(re.sub(r"<td class=\"right\">\d+.*?</td>", "", inside.get("/console/drift").text))

    assert len(pages) == 1


def test_a_code_of_a_decision_left_on_queued_work_is_not_shown(
    inside: httpx.Client, installed: Installation
) -> None:
    installed.consent()
    installed.mapping()
    (item,) = installed.to_nav()
    for code in [code for code in PROBLEMS if code.startswith(("decide.", "consent."))]:
        with installed.parts.store.writing() as tx:
            disclosures.note(tx, item.id, attempts=1, code=code)

        page = inside.get("/console/drift").text

        assert item.id in page
        assert code not in page
        assert PROBLEMS[code].nb not in page


def test_counts_and_ages_are_those_of_the_store(inside: httpx.Client, installed: Installation) -> None:
    installed.parked()
    installed.mapping(2)

    found = {amount.state: amount for amount in standing.read(installed.parts).amounts}

    with installed.parts.store.reading() as view:
        for state in standing.SHOWN:
            items = disclosures.where(view, disclosure.c.state == state)
            assert found[state].count == len(items)
            assert (found[state].oldest is None) is (not items)


def test_an_offered_disclosure_ages_from_its_offer(installed: Installation) -> None:
    installed.mapping()
    with installed.parts.store.writing() as tx:
        (item,) = disclosures.where(tx, disclosure.c.recipient == NAV)
        installed.clock.forward(days=5)
        disclosures.move(tx, item, State.OFFERED, offered_at=installed.clock())
    installed.clock.forward(minutes=4)

    (offered,) = [a for a in standing.read(installed.parts).amounts if a.state is State.OFFERED]

    assert offered.oldest is not None
    assert offered.oldest.total_seconds() == 240


class Away:
    """A queue whose broker is away, or that has put work aside."""

    def __init__(self, depths: dict[str, Depth] | None) -> None:
        self._depths = depths

    def publish(self, works: Sequence[Work]) -> None:
        raise HubError("enqueue.unavailable")

    def consume(self, handle: Handle, stop: threading.Event) -> None:
        stop.wait()

    def depth(self) -> dict[str, Depth]:
        if self._depths is None:
            raise HubError("enqueue.unavailable")
        return self._depths

    def close(self) -> None:
        """Nothing to let go of."""


def test_a_broker_that_is_away_is_said_and_the_rest_is_shown(installed: Installation, visit: Visit) -> None:
    parts = replace(installed.parts, queue=Away(None))

    page = text(entered(visit(parts)).get("/console/drift").text)

    assert "Meldingskøen svarer ikke." in page
    assert "Ingenting står fast." in page


def test_work_put_aside_in_the_broker_is_no_calm(installed: Installation, visit: Visit) -> None:
    parts = replace(installed.parts, queue=Away({"bro.work.0": Depth(0, None), "bro.dead": Depth(2, None)}))

    page = text(entered(visit(parts)).get("/console/drift").text)

    assert "2 oppgaver er lagt til side i meldingskøen." in page
    assert "ikke kjent" in page


@pytest.fixture
def without_store(installed: Installation) -> Iterator[Installation]:
    """The database file can no longer be opened."""
    installed.parts.store.close()
    file = Path(installed.settings.store.removeprefix("sqlite:///"))
    for part in installed.folder.glob("bro.sqlite*"):
        part.rename(part.with_name(f"away-{part.name}"))
    file.mkdir()
    yield installed
    file.rmdir()


def test_a_store_that_is_away_is_said_and_nothing_breaks(
    inside: httpx.Client, without_store: Installation
) -> None:
    page = text(inside.get("/console/drift").text)

    assert "Databasen svarer ikke." in page
    assert "Alt går" not in page


def test_the_last_checkpoint_is_shown(inside: httpx.Client, installed: Installation) -> None:
    assert "ingen ennå" in inside.get("/console/drift").text
    installed.consent()
    integrate(installed.parts.store, installed.parts.vault, installed.clock())

    page = text(inside.get("/console/drift").text)

    assert "Siste kontrollpunkt 1. mars 2031 kl. 13.00" in page


def test_a_name_in_the_directory_cannot_write_the_page(installed: Installation, visit: Visit) -> None:
    installed.consent()
    installed.mapping()
    (item,) = installed.to_nav()
    installed.attempt(item)
    installed.clock.forward(days=20)
    party = installed.parts.directory[NAV]
    odd = replace(party, agency=replace(party.agency, name="<script>alert(1)</script>"))
    parts = replace(installed.parts, directory={**installed.parts.directory, NAV: odd})

    page = entered(visit(parts)).get("/console/drift").text

    assert "<script" not in page
    assert "&lt;script&gt;" in page
