"""What happens between accepting and sending: attacks 29 to 32. Every way that ends at a recipient begins
with a decision made now.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest

from hub import hand_over, repair, sweeper
from hub.errors import HubError
from hub.queue.port import Work
from hub.store import disclosures
from hub.store.disclosures import State
from hub.store.schema import disclosure
from tests.hub.bench import number
from tests.leaks import messages as m
from tests.leaks.attacking import accepted, agree, bare_brik, got, places, post_brik, some_id, withdraw
from tests.leaks.lab import ORGS, Lab
from tests.leaks.messages import JSON, XML

MARK = "kanarisenere"


def _referral(lab: Lab, who: str = m.PERSON["id"]) -> bytes:
    fields = m.referral("henvisning-3")
    fields["melding"]["id"] = some_id("henvisning")
    fields["person"] = {"id": who}
    fields["rus"]["merknad"] = f"Ber om avrusning, {MARK}."
    body = m.as_json(fields)
    accepted(lab.post("prison_health", JSON, body))
    return body


def _refused_anew(lab: Lab) -> None:
    said = m.to_tsb(version=2, permits=False, message_id=some_id())
    accepted(lab.post("prison_health", JSON, m.as_json(said)))


def _narrowed(lab: Lab) -> None:
    said = m.to_tsb(version=2, message_id=some_id())
    said["kategorier"] = ["identity", "coordination", "custody"]
    accepted(lab.post("prison_health", JSON, m.as_json(said)))


def _refused_by_another_form(lab: Lab) -> None:
    said = m.consent("annet-skjema", ORGS["tsb"], (), permits=False, message_id=some_id())
    for name in ("avsendere", "formal", "kategorier"):
        said.pop(name)
    accepted(lab.post("prison_health", JSON, m.as_json(said)))


def _run_out(lab: Lab) -> None:
    lab.clock_at += timedelta(days=366)


def _graded(lab: Lab) -> None:
    fields = bare_brik(person_adressegradering="fortrolig")
    accepted(post_brik(lab, fields))


CHANGES: dict[str, Callable[[Lab], None]] = {
    "withdrawn": lambda lab: withdraw(lab, m.to_tsb()),
    "a new version refuses": _refused_anew,
    "a new version says less": _narrowed,
    "another form refuses": _refused_by_another_form,
    "its time is over": _run_out,
    "the address is graded": _graded,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_retry_decides_anew(lab: Lab, change: str) -> None:
    """Attack 30: the first try failed, the ground is gone, the recipient is back."""
    agree(lab, "tsb")
    lab.recipients.answers["tsb"] = None
    _referral(lab)
    lab.work_once()
    assert got(lab, "tsb") == []
    CHANGES[change](lab)
    lab.recipients.answers["tsb"] = 204
    lab.settle()
    sweeper.turn(lab.parts)
    lab.settle()
    assert all(MARK.encode() not in body for body in got(lab, "tsb"))
    assert places(lab, MARK) == set()


def test_a_retry_without_a_change_does_arrive(lab: Lab) -> None:
    """Attack 30: or the one before would hold because nothing is ever tried again."""
    agree(lab, "tsb")
    lab.recipients.answers["tsb"] = None
    _referral(lab)
    lab.work_once()
    lab.recipients.answers["tsb"] = 204
    lab.settle()
    assert len(got(lab, "tsb")) == 1


def test_of_many_that_wait_in_the_queue_those_of_who_withdraws_are_not_sent(lab: Lab) -> None:
    """Attack 31: the broker cannot take one out; 300 wait, about thirty persons, one of whom withdraws."""
    people = [number(n) for n in range(1, 31)]
    for who in people:
        said = m.to_tsb(message_id=some_id())
        said["samtykke"]["serie"] = f"serie-{who}"
        said["person"] = {"id": who}
        accepted(lab.post("prison_health", JSON, m.as_json(said)))
        for _ in range(10):
            _referral(lab, who)
    gone = people[13]
    said = m.withdrawn(f"serie-{gone}", some_id())
    said["person"] = {"id": gone}
    accepted(lab.post("prison_health", JSON, m.as_json(said)))
    lab.settle()
    about = [who for body in got(lab, "tsb") for who in people if who.encode() in body]
    assert sorted(about) == sorted(who for who in people for _ in range(10) if who != gone)


def _everything_again(lab: Lab) -> None:
    """Whatever the broker ever saw comes back, in any order, twice."""
    seen = [work for _, _, works in lab.broker.saw for work in works]
    for work in (*seen, *reversed(seen)):
        hand_over.attempt(lab.parts, work)


def _posted_again(lab: Lab) -> None:
    for body in list(lab.posted):
        if b"tsb.henvisning" in body:
            accepted(lab.post("prison_health", JSON, body))
    lab.settle()


def _swept(lab: Lab) -> None:
    for _ in range(3):
        lab.clock_at += timedelta(hours=1)
        sweeper.turn(lab.parts)
        lab.settle()


def _repaired(lab: Lab) -> None:
    """The operator's button, on everything there is."""
    with lab.parts.store.reading() as view:
        ids = [item.id for item in disclosures.where(view, disclosure.c.id.is_not(None))]
    for name in ids:
        with suppress(HubError):  # most are not parked, which is refused; what counts is what is sent
            repair.retry(lab.parts, name, operator="operator", reason="the recipient asked for it again")
    lab.settle()


def _set_back_by_hand(lab: Lab) -> None:
    """Somebody edits the database: everything is to be sent again."""
    with lab.parts.store.writing() as tx:
        tx.execute(
            disclosure.update().values(
                state=State.QUEUED, due_at=lab.clock_at, handed_over_at=None, attempts=0
            )
        )
    _swept(lab)


AGAIN: dict[str, Callable[[Lab], None]] = {
    "the broker delivers everything again": _everything_again,
    "the sender posts again": _posted_again,
    "the sweeper brings back": _swept,
    "the operator tries again": _repaired,
    "the rows are set back": _set_back_by_hand,
}


@pytest.mark.parametrize("delivered", [True, False], ids=["delivered", "failed"])
@pytest.mark.parametrize("how", AGAIN)
def test_no_way_of_sending_again_passes_by_the_decision(lab: Lab, how: str, delivered: bool) -> None:
    """Attack 32: after the withdrawal, every path that exists."""
    agree(lab, "tsb")
    lab.recipients.answers["tsb"] = 204 if delivered else None
    _referral(lab)
    with suppress(TimeoutError):
        lab.settle()
    withdraw(lab, m.to_tsb())
    lab.recipients.answers["tsb"] = 204
    lab.settle()
    before = [body for body in got(lab, "tsb") if MARK.encode() in body]
    assert len(before) == delivered
    AGAIN[how](lab)
    assert [body for body in got(lab, "tsb") if MARK.encode() in body] == before


def test_what_is_put_aside_is_a_reference_and_the_rest_is_sealed(lab: Lab) -> None:
    """Attack 29: after the last attempt; and when the ground goes, so does the key."""
    agree(lab, "tsb")
    lab.recipients.answers["tsb"] = None
    _referral(lab)
    with suppress(TimeoutError):
        lab.settle()
    with lab.parts.store.reading() as view:
        [parked] = disclosures.where(view, disclosure.c.state == State.PARKED)
    assert (
        places(lab, {"words": MARK, "person": m.PERSON["id"], "to": ORGS["tsb"]}, but=("store", "response"))
        == set()
    )
    assert places(lab, {"words": MARK, "person": m.PERSON["id"]}) == set()
    known = {work.ref for _, _, works in lab.broker.saw for work in works}
    assert all(parked.id not in ref and len(ref) == len(next(iter(known))) for ref in known)
    withdraw(lab, m.to_tsb())
    with lab.parts.store.reading() as view:
        row = view.execute(disclosure.select().where(disclosure.c.id == parked.id)).one()
    assert row.ciphertext is None
    assert row.wrapped_key is None


def test_work_from_elsewhere_does_nothing(lab: Lab) -> None:
    """Attack 32: a message that somebody puts into the work queue by hand."""
    agree(lab, "tsb")
    message = accepted(lab.post("prison", XML, m.as_xml(lab.parts, bare_brik())))
    lab.settle()
    logging.getLogger("hub").debug("forging")
    with lab.parts.store.reading() as view:
        ids = [item.id for item in disclosures.of_message(view, message)]
    before = len(lab.recipients.sent)
    for ref in (*ids, message, "", "x" * 100, "../../etc"):
        hand_over.attempt(lab.parts, Work(ref, 0))
    assert len(lab.recipients.sent) == before
