"""Understands that an operator's repair changes what it says, proves it, and sends nothing by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import select

from hub import hand_over, repair
from hub.audit.log import Kind, integrate
from hub.audit.verify import verify
from hub.errors import HubError
from hub.queue.port import Settlement, Work
from hub.store import disclosures
from hub.store.disclosures import Disclosure, State
from hub.store.schema import disclosure
from tests.hub.bench import leaves_in
from tests.hub.cli.installation import Installation

REASON = "Hemmeligfuglen sang"

Repair = Callable[[Installation, Disclosure], None]


def now(installed: Installation, item: Disclosure) -> Disclosure:
    with installed.parts.store.reading() as view:
        found = disclosures.load(view, item.id)
    assert found is not None
    return found


def retry(installed: Installation, item: Disclosure) -> None:
    repair.retry(installed.parts, item.id, operator="kari", reason=REASON)


def drop(installed: Installation, item: Disclosure) -> None:
    repair.drop(installed.parts, item.id, operator="kari", reason=REASON)


def operator_leaves(installed: Installation) -> list[dict[str, object]]:
    return leaves_in(installed.parts, Kind.OPERATOR)


def enqueued(installed: Installation) -> list[str]:
    """What the queue hands out now, all of it settled."""
    seen: list[str] = []
    stop = threading.Event()

    def handle(work: Work) -> Settlement:
        seen.append(installed.parts.vault.read_handle(work.ref) or "")
        settlement = hand_over.attempt(installed.parts, work)
        if installed.parts.queue.depth()["bro.work"].messages <= 1:
            stop.set()
        return settlement

    threading.Timer(5, stop.set).start()
    installed.parts.queue.consume(handle, stop)
    return seen


def test_a_retried_disclosure_is_delivered_once_the_recipient_answers(installed: Installation) -> None:
    item = installed.parked()
    installed.endpoint.away = False

    retry(installed, item)
    installed.attempt(item)

    assert now(installed, item).state is State.DONE
    assert len(installed.endpoint.got) == 1


def test_a_retry_enqueues_the_disclosure_again(installed: Installation) -> None:
    item = installed.parked()
    enqueued(installed)
    installed.endpoint.away = False

    retry(installed, item)

    # What came on top since the first attempt, whose answer was lost, has a turn of its own behind it.
    first, *behind = enqueued(installed)
    assert first == item.id
    assert item.id not in behind


def test_a_retry_that_fails_parks_it_again_at_once(installed: Installation) -> None:
    item = installed.parked()

    retry(installed, item)
    installed.attempt(item)

    again = now(installed, item)
    assert (again.state, again.attempts) == (State.PARKED, item.attempts + 1)


def test_what_was_withdrawn_while_parked_is_not_sent_by_a_retry(installed: Installation) -> None:
    item = installed.parked()
    installed.endpoint.away = False
    installed.withdraw()

    retry(installed, item)
    installed.attempt(item)

    assert installed.endpoint.got == []
    assert now(installed, item).state is not State.QUEUED


def test_a_dropped_disclosure_is_rejected_and_its_key_is_gone(installed: Installation) -> None:
    item = installed.parked()

    drop(installed, item)

    ended = now(installed, item)
    assert (ended.state, ended.outcome, ended.code) == (State.DONE, "rejected", "hand-over.dropped")
    with installed.parts.store.reading() as view:
        assert disclosures.sealed_rendering(view, item.id) is None


def test_what_waited_behind_a_dropped_one_goes_on(installed: Installation) -> None:
    item = installed.parked()
    installed.mapping(2)
    enqueued(installed)
    (_, behind) = installed.to_nav()
    assert behind.state is State.QUEUED
    installed.endpoint.away = False

    drop(installed, item)

    assert enqueued(installed) == [behind.id]
    assert now(installed, behind).state is State.DONE


@pytest.mark.parametrize(("do", "action"), [(retry, "retry"), (drop, "drop")])
def test_a_repair_leaves_one_leaf_with_who_and_why(installed: Installation, do: Repair, action: str) -> None:
    item = installed.parked()

    do(installed, item)

    (leaf,) = operator_leaves(installed)
    assert leaf["disclosure"] == item.id
    assert (leaf["operator"], leaf["reason"], leaf["action"]) == ("kari", REASON, action)


@pytest.mark.parametrize("do", [retry, drop])
def test_the_log_is_whole_after_a_repair(installed: Installation, do: Repair) -> None:
    item = installed.parked()

    do(installed, item)
    installed.endpoint.away = False
    installed.attempt(item)
    integrate(installed.parts.store, installed.parts.vault, installed.clock())

    assert verify(installed.parts.store, installed.parts.vault).faults == []


def test_the_reason_rests_nowhere_in_clear(installed: Installation) -> None:
    item = installed.parked()

    retry(installed, item)

    assert REASON.encode() not in installed.every_byte()


@pytest.mark.parametrize("state", [s for s in State if s is not State.PARKED])
@pytest.mark.parametrize("do", [retry, drop])
def test_only_what_is_parked_can_be_repaired(installed: Installation, do: Repair, state: State) -> None:
    item = installed.parked()
    with installed.parts.store.writing() as tx:
        disclosures.move(tx, item, state)

    with pytest.raises(HubError) as refused:
        do(installed, item)

    assert refused.value.code == "hub.repair-refused"
    assert now(installed, item).state is state
    assert operator_leaves(installed) == []


def test_of_two_operators_at_once_exactly_one_repairs(installed: Installation) -> None:
    item = installed.parked()
    outcomes: list[str] = []

    def one() -> None:
        try:
            drop(installed, item)
            outcomes.append("done")
        except HubError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["done", *["hub.repair-refused"] * 3]
    assert len(operator_leaves(installed)) == 1


@pytest.mark.parametrize("reason", ["", "   ", "a\x1b[2Jb", "x" * 501, "\udcff"])
def test_without_a_readable_reason_nothing_changes(installed: Installation, reason: str) -> None:
    item = installed.parked()

    with pytest.raises(HubError) as refused:
        repair.drop(installed.parts, item.id, operator="kari", reason=reason)

    assert [finding.at for finding in refused.value.findings] == ["reason"]
    assert now(installed, item).state is State.PARKED


def test_an_id_nobody_has_is_said_to_be_so(installed: Installation) -> None:
    with pytest.raises(HubError) as refused:
        repair.retry(installed.parts, "nobody", operator="kari", reason=REASON)

    assert refused.value.code == "hub.no-such-id"


def test_a_repair_whose_leaf_cannot_be_written_does_not_happen(installed: Installation) -> None:
    item = installed.parked()
    with installed.parts.store.writing() as tx:  # the person is forgotten: no key, so no leaf
        tx.exec_driver_sql("UPDATE person SET wrapped_key = NULL")

    with pytest.raises(HubError) as refused:
        retry(installed, item)

    assert refused.value.code == "seal.key-destroyed"
    with installed.parts.store.reading() as view:
        states = set(view.scalars(select(disclosure.c.state).where(disclosure.c.id == item.id)))
    assert states == {State.PARKED}
