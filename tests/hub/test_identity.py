"""Identity: what links, merges and splits do to consents, refusals, order, and what is under way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from consent.intake import read
from hub import hand_over, identity
from hub.audit.log import Kind, kind_of
from hub.errors import HubError
from hub.identity import Desk
from hub.message import Outcome
from hub.store import consents, links, people
from hub.store.disclosures import State
from hub.store.schema import audit_leaf, person
from tests.hub.bench import (
    FHIR,
    XML,
    Bench,
    consent,
    fhir,
    fields,
    number,
    org,
    referral,
    refusal,
    release_date,
    run_together,
    withdrawal,
    xml_brik,
)

KARI, OLA = Desk("Kari Vik", "brev fra registeret", "kari"), Desk("Ola Nes", "kontrollert", "ola")
TSB = "samtykke-tsb.fhir.json"
BOTH = (number(1), number(2))


def allow(bench: Bench, who: int, series: str = "") -> None:
    bench.post("prison_health", fhir(TSB, series=series or f"tsb-{who}", who=who), FHIR)


def refer(bench: Bench, who: int, name: str = "H") -> str:
    return bench.post("prison_health", referral(f"{name}-{who}", who=who)).id


def linked(bench: Bench, *, confirmed: bool = False, merge: bool = False) -> None:
    """Numbers 1 and 2; both are known to the hub."""
    with bench.parts.store.writing() as tx:
        for each in BOTH:
            people.find_or_create(tx, bench.parts.vault, each, bench.clock(), bench.parts.new_id)
    (identity.merge if merge else identity.link)(bench.parts, BOTH, KARI)
    if confirmed or merge:
        identity.confirm(bench.parts, BOTH, OLA)


def refused(do: Callable[..., str], *arguments: Any) -> str:
    with pytest.raises(HubError) as refusal_:
        do(*arguments)
    return refusal_.value.code


def tsb(bench: Bench) -> list[str]:
    """Which referrals reached TSB, by the record they came for."""
    bench.drain()
    about = {row.id: row.person_id for row in bench.rows("tsb", agreement="henvisning-tsb")}
    return [about[sent.disclosure] for sent in bench.got("tsb") if sent.disclosure in about]


def record(bench: Bench, who: int) -> str:
    with bench.parts.store.reading() as view:
        found = people.find_id(view, bench.parts.vault, number(who))
    assert found
    return found


# What counts over which link


@pytest.mark.parametrize(
    ("link", "permits"), [("none", False), ("doubt", False), ("confirmed", True), ("merged", True)]
)
def test_a_permission_counts_only_over_a_confirmed_link(either: Bench, link: str, permits: bool) -> None:
    allow(either, 1)
    if link != "none":
        linked(either, confirmed=link == "confirmed", merge=link == "merged")
    refer(either, 2)
    assert tsb(either) == ([record(either, 2)] if permits else [])


@pytest.mark.parametrize("link", ["doubt", "confirmed", "merged"])
@pytest.mark.parametrize("who", [1, 2])
def test_a_refusal_counts_over_every_link_in_both_directions(either: Bench, link: str, who: int) -> None:
    allow(either, who)
    either.post("prison_health", refusal("nei", ["tsb"], who=3 - who))
    linked(either, confirmed=link == "confirmed", merge=link == "merged")
    refer(either, who)
    assert tsb(either) == []
    assert either.row("tsb").code == "decide.objection"


def test_without_a_link_a_refusal_is_the_other_persons(bench: Bench) -> None:
    allow(bench, 1)
    bench.post("prison_health", refusal("nei", ["tsb"], who=2))
    refer(bench, 1)
    assert tsb(bench) == [record(bench, 1)]


def test_a_refusal_comes_over_two_links_and_a_permission_stops_at_the_doubtful_one(bench: Bench) -> None:
    for who in (1, 2, 3):
        refer(bench, who)
    identity.link(bench.parts, BOTH, KARI)
    identity.confirm(bench.parts, BOTH, OLA)
    identity.link(bench.parts, (number(2), number(3)), KARI)
    allow(bench, 1)
    assert tsb(bench) == [record(bench, 1), record(bench, 2)]
    bench.post("prison_health", refusal("nei", ["tsb"], who=3))
    refer(bench, 1, "again")
    assert len(tsb(bench)) == 2


def test_a_doubtful_document_settles_no_refusal_and_takes_no_permission_for_its_own(bench: Bench) -> None:
    """The same series under two numbers: over doubt, the newer one narrows and never widens."""
    bench.post("prison_health", consent("samtykke-nav.json", "s", 1, who=1, beslutning="nekt"))
    bench.post("prison_health", consent("samtykke-nav.json", "s", 2, who=2))
    linked(bench)
    with bench.parts.store.reading() as view:
        of = {
            who: consents.of_person(view, bench.parts.vault, people.load(view, record(bench, who)), read)
            for who in (1, 2)
        }
    assert [(c.permits, c.only_refuses) for c in of[1]] == [(False, True), (True, True)]
    assert [(c.permits, c.only_refuses) for c in of[2]] == [(True, False), (False, True)]
    assert len({c.id for c in of[2]}) == 2


def test_confirmed_the_newer_version_stands_whichever_number_it_came_on(bench: Bench) -> None:
    linked(bench, confirmed=True)
    allow(bench, 1, "s")
    narrow = consent("samtykke-nav.json", "s", 1, who=2)
    narrow["melding"]["id"] = "another"
    with pytest.raises(HubError, match=r"consent.version-old"):
        bench.post("prison_health", narrow)


def test_a_withdrawal_on_one_number_reaches_the_consent_on_the_other(either: Bench) -> None:
    allow(either, 1, "s")
    linked(either)
    refer(either, 1)
    either.post("prison_health", withdrawal("s", "t", who=2))
    assert tsb(either) == []
    assert either.verify().whole


@pytest.mark.parametrize(("confirmed", "lifted"), [(False, False), (True, True)])
def test_lifting_a_refusal_on_one_number_reaches_the_other_only_beyond_doubt(
    either: Bench, confirmed: bool, lifted: bool
) -> None:
    allow(either, 1, "s")
    either.post("prison_health", refusal("nei", ["tsb"], who=2))
    linked(either, confirmed=confirmed)
    if lifted:
        either.post("prison_health", withdrawal("nei", "t", who=1))
    else:
        with pytest.raises(HubError, match=r"consent\.unknown"):
            either.post("prison_health", withdrawal("nei", "t", who=1))
    refer(either, 1)
    assert tsb(either) == ([record(either, 1)] if lifted else [])
    assert either.verify().whole


# Links that end


@pytest.mark.parametrize(("merge", "end"), [(False, identity.unlink), (True, identity.split)])
def test_after_the_end_refusals_stay_on_both_sides_and_permissions_where_they_were(
    either: Bench, merge: bool, end: Callable[..., str]
) -> None:
    allow(either, 1)
    either.post("prison_health", refusal("nei-gp", ["gp"], who=1))
    linked(either, confirmed=True, merge=merge)
    end(either.parts, BOTH, KARI)
    refer(either, 1)
    refer(either, 2)
    assert tsb(either) == [record(either, 1)]
    for who in (1, 2):
        either.register_gp(who)
        body = fhir("epikrise.fhir.json", who=who).replace(b"EPI-5512", f"EPI-{who}".encode())
        either.post("prison_health", body, FHIR)
    either.drain()
    assert either.listed("gp") == []
    assert either.verify().whole


def test_a_kept_refusal_survives_what_the_other_side_says_later_and_is_taken_back_here(bench: Bench) -> None:
    bench.post("prison_health", refusal("nei", ["tsb"], who=1))
    linked(bench)
    identity.unlink(bench.parts, BOTH, KARI)
    allow(bench, 2)
    bench.post("prison_health", withdrawal("nei", "t1", who=1))
    refer(bench, 2)
    assert tsb(bench) == []
    bench.post("prison_health", withdrawal("nei", "t2", who=2))
    refer(bench, 2, "after")
    assert tsb(bench) == [record(bench, 2)]


def test_unlinked_and_linked_again_nothing_is_lost_or_doubled(bench: Bench) -> None:
    bench.post("prison_health", refusal("nei", ["tsb"], who=1))
    for _ in range(3):
        linked(bench)
        identity.unlink(bench.parts, BOTH, KARI)
    linked(bench)
    with bench.parts.store.reading() as view:
        seen = consents.of_person(view, bench.parts.vault, people.load(view, record(bench, 2)), read)
    assert [(c.permits, c.only_refuses) for c in seen] == [(False, True)]


def test_a_refusal_recorded_after_the_split_is_one_sides_only(bench: Bench) -> None:
    linked(bench, merge=True)
    identity.split(bench.parts, BOTH, OLA)
    bench.post("prison_health", refusal("nei", ["tsb"], who=1))
    allow(bench, 2)
    refer(bench, 2)
    assert tsb(bench) == [record(bench, 2)]


def test_after_a_split_what_rested_on_the_others_permission_is_taken_back(either: Bench) -> None:
    """Queued, put off and offered; decided again, and not for this person any more."""
    linked(either, merge=True)
    allow(either, 1)
    either.post("prison_health", consent("samtykke-nav.json", "n", who=1))
    either.push.down.add(org("tsb"))
    refer(either, 2)
    either.post("prison", release_for_nav(either))
    either.drain()
    either.push.down.clear()
    identity.split(either.parts, BOTH, KARI)
    either.queue.soon()
    assert tsb(either) == []
    assert {either.column(row.id, "wrapped_key") for row in either.rows("tsb")} == {None}


def release_for_nav(bench: Bench) -> dict[str, Any]:
    return release_date(1, who=2)


# Two persons, at the desk


def test_confirming_takes_another_person_than_linking(bench: Bench) -> None:
    linked(bench)
    again = Desk("  kari  VIK ", "jeg igjen", "kari")
    assert refused(identity.confirm, bench.parts, BOTH, again) == "hub.identity-refused"
    assert identity.confirm(bench.parts, BOTH, OLA) == "confirmed"


def test_merging_takes_two_and_until_then_it_is_in_doubt(bench: Bench) -> None:
    allow(bench, 1)
    refer(bench, 2)
    assert identity.merge(bench.parts, BOTH, KARI) == "merge-asked"
    assert tsb(bench) == []
    assert refused(identity.merge, bench.parts, BOTH, KARI) == "hub.identity-refused"
    assert identity.merge(bench.parts, BOTH, OLA) == "merged"
    assert tsb(bench) == [record(bench, 2)]


def test_lifting_a_protection_takes_two(bench: Bench) -> None:
    allow(bench, 1)
    identity.protect(bench.parts, BOTH[:1], KARI)
    assert identity.unprotect(bench.parts, BOTH[:1], KARI) == "unprotect-asked"
    assert refused(identity.unprotect, bench.parts, BOTH[:1], KARI) == "hub.identity-refused"
    refer(bench, 1)
    assert tsb(bench) == []
    assert identity.unprotect(bench.parts, BOTH[:1], OLA) == "unprotected"
    refer(bench, 1, "after")
    assert len(tsb(bench)) == 1


@pytest.mark.parametrize(("protected", "second"), [(BOTH[:1], "unprotected"), (BOTH[1:], "unprotect-asked")])
def test_the_end_of_a_link_voids_what_was_asked_only_where_the_other_was_stopped_too(
    bench: Bench, protected: tuple[str], second: str
) -> None:
    linked(bench)
    identity.protect(bench.parts, BOTH[:1], KARI)
    if protected != BOTH[:1]:
        identity.protect(bench.parts, protected, KARI)
    identity.unprotect(bench.parts, protected, KARI)

    identity.unlink(bench.parts, BOTH, KARI)

    assert identity.unprotect(bench.parts, protected, OLA) == second


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ((number(1),), "hub.identity-refused"),
        ((number(1), number(1)), "hub.identity-refused"),
        ((number(1), "15859010000"), "hub.identity-refused"),
        ((number(1), number(9)), "hub.no-such-person"),
    ],
)
def test_what_is_not_two_known_numbers_is_refused(bench: Bench, numbers: tuple[str, ...], code: str) -> None:
    refer(bench, 1)
    assert refused(identity.merge, bench.parts, numbers, KARI) == code


@pytest.mark.parametrize("do", [identity.confirm, identity.unlink, identity.split])
def test_what_is_not_linked_cannot_be_confirmed_or_ended(bench: Bench, do: Callable[..., str]) -> None:
    refer(bench, 1)
    refer(bench, 2)
    assert refused(do, bench.parts, BOTH, KARI) == "hub.identity-refused"


def test_every_change_has_a_leaf_on_each_record(either: Bench) -> None:
    linked(either, merge=True)
    identity.split(either.parts, BOTH, KARI)
    identity.protect(either.parts, BOTH[:1], KARI)
    with either.parts.store.reading() as view:
        rows = view.execute(audit_leaf.select()).all()
    leaves = [row.person_id for row in rows if kind_of(row) is Kind.IDENTITY]
    assert sorted(leaves) == sorted([record(either, 1)] * 4 + [record(either, 2)] * 3)
    assert either.verify().whole


def test_the_links_of_any_moment_can_be_asked_for(bench: Bench) -> None:
    linked(bench)
    times = [bench.clock()]
    for do, desk in ((identity.confirm, OLA), (identity.unlink, KARI)):
        bench.clock.forward(hours=1)
        do(bench.parts, BOTH, desk)
        times.append(bench.clock())
    shown = [identity.show(bench.parts, number(1), known_at=at)["links"] for at in times]
    assert [[row["confirmed"] for row in rows] for rows in shown] == [[False], [True], []]
    before = times[0] - timedelta(seconds=1)
    assert identity.show(bench.parts, number(1), known_at=before)["links"] == []
    with bench.parts.store.reading() as view:
        mine = record(bench, 1)
        assert [len(links.circle(view, mine, at).one) for at in times] == [1, 2, 1]


def test_which_messages_are_affected_is_told_when_two_persons_were_mixed_up(bench: Bench) -> None:
    allow(bench, 1)
    refer(bench, 1, "before")
    bench.drain()
    bench.clock.forward(hours=1)
    linked(bench, confirmed=True)
    refer(bench, 2)
    bench.drain()
    bench.clock.forward(hours=1)
    identity.unlink(bench.parts, BOTH, KARI)
    told = identity.show(bench.parts, number(1))["affected"]
    assert [(row["person"], row["recipient"]) for row in told] == [(record(bench, 2), org("tsb"))]


# One order


def test_merged_records_keep_one_order_to_a_recipient(either: Bench) -> None:
    either.push.down.add(org("tsb"))
    for who in (1, 2):
        allow(either, who)
    sent = []
    for index in range(6):
        either.clock.forward(minutes=1)
        posted = refer(either, 1 + index % 2, f"H{index}")
        sent.append(either.row("tsb", message_id=posted).id)
    linked(either, merge=True)
    either.push.down.clear()
    for _ in range(8):
        either.queue.soon()
        either.queue.ready.reverse()  # what came last is tried first, and is not its turn
        either.drain()
    assert [got.disclosure for got in either.got("tsb")] == sent


# Stops


def test_a_message_that_says_graded_protects_every_linked_record_from_that_moment(either: Bench) -> None:
    for who in (1, 2):
        allow(either, who)
    linked(either)
    either.push.down.add(org("tsb"))
    refer(either, 1)
    either.drain()
    either.push.down.clear()
    graded = release_date(1, who=2)
    graded["person_adressegradering"] = "fortrolig"
    either.post("prison", graded)
    refer(either, 2)
    either.queue.soon()
    assert tsb(either) == []
    assert {row.code for row in either.rows()} == {"decide.protected-address"}


def test_an_address_that_is_not_graded_protects_nobody(bench: Bench) -> None:
    allow(bench, 1)
    said = release_date(1, who=1)
    said["person_adressegradering"] = "ugradert"
    bench.post("prison", said)
    refer(bench, 1)
    assert len(tsb(bench)) == 1


def test_about_the_dead_nothing_goes(bench: Bench) -> None:
    allow(bench, 1)
    identity.protect(bench.parts, BOTH[:1], KARI, deceased=True)
    refer(bench, 1)
    assert tsb(bench) == []
    assert (bench.row("tsb").outcome, bench.row("tsb").code) == (Outcome.WITHHELD, "decide.deceased")


def test_a_protection_stays_on_both_sides_of_a_split(bench: Bench) -> None:
    linked(bench)
    identity.protect(bench.parts, BOTH[:1], KARI)
    identity.unlink(bench.parts, BOTH, KARI)
    allow(bench, 2)
    refer(bench, 2)
    assert tsb(bench) == []


def test_somebody_the_hub_has_not_met_can_be_protected(bench: Bench) -> None:
    identity.protect(bench.parts, BOTH[:1], KARI)
    allow(bench, 1)
    refer(bench, 1)
    assert tsb(bench) == []


# Forgetting


def test_forgetting_destroys_the_keys_of_all_records_and_nothing_more_goes(either: Bench) -> None:
    allow(either, 1)
    linked(either, merge=True)
    refer(either, 1)
    identity.forget(either.parts, BOTH[1:], KARI)
    assert tsb(either) == []
    with either.parts.store.reading() as view:
        assert {row.wrapped_key for row in view.execute(person.select())} == {None}
    assert either.verify().whole
    allow(either, 1, "new")  # the number begins anew
    refer(either, 1, "new")
    assert len(tsb(either)) == 1


@pytest.mark.parametrize("because", ["a link is in doubt", "protected"])
def test_what_must_not_be_forgotten_is_not(bench: Bench, because: str) -> None:
    linked(bench)
    if because == "protected":
        identity.confirm(bench.parts, BOTH, OLA)
        identity.protect(bench.parts, BOTH[:1], KARI)
    assert refused(identity.forget, bench.parts, BOTH[:1], KARI) == "hub.identity-refused"


def test_who_kept_a_refusal_keeps_it_when_the_other_is_forgotten(bench: Bench) -> None:
    bench.post("prison_health", refusal("nei", ["tsb"], who=1))
    linked(bench)
    identity.unlink(bench.parts, BOTH, KARI)
    identity.forget(bench.parts, BOTH[:1], KARI)
    allow(bench, 2)
    refer(bench, 2)
    assert tsb(bench) == []
    assert bench.row("tsb").code == "decide.objection"


# While something is under way


@pytest.mark.parametrize("change", ["link", "protect", "withdraw on the other number"])
def test_a_change_waits_for_what_is_being_sent_about_any_record_it_reaches(
    either: Bench, change: str
) -> None:
    allow(either, 1, "s")
    either.post("prison_health", refusal("nei", ["tsb"], who=2))
    if change != "link":
        either.post("prison_health", withdrawal("nei", "t0", who=2))
        linked(either, confirmed=True)
    refer(either, 1)
    happened: list[str] = []
    changes: dict[str, Callable[[], object]] = {
        "link": lambda: identity.link(either.parts, BOTH, KARI),
        "protect": lambda: identity.protect(either.parts, BOTH[1:], KARI),
        "withdraw on the other number": lambda: either.post("prison_health", withdrawal("s", "t", who=2)),
    }

    def act() -> None:
        changes[change]()
        happened.append("changed")

    changing = threading.Thread(target=act, daemon=True)

    def hold(permit: object) -> None:
        either.push.meanwhile = lambda permit: None
        changing.start()
        changing.join(0.3)
        happened.append("sent")

    either.push.meanwhile = hold
    either.drain()
    changing.join(10)
    assert happened == ["sent", "changed"]


def test_links_made_crosswise_at_once_do_not_lock_each_other_out(either: Bench) -> None:
    for who in range(1, 5):
        refer(either, who)
    pairs = [(a, b) for a in range(1, 5) for b in range(1, 5) if a != b]
    tasks = [partial(identity.link, either.parts, (number(a), number(b)), KARI) for a, b in pairs]
    results = run_together(*tasks)
    assert [r for r in results if r == "linked"] == ["linked"] * 6
    assert {r.code for r in results if isinstance(r, HubError)} == {"hub.identity-refused"}
    assert either.verify().whole


def test_a_fetch_after_a_link_to_somebody_who_refuses_gets_nothing(either: Bench) -> None:
    either.post("prison_health", consent("samtykke-nav.json", "n", who=1))
    either.post("prison", mapping(1), XML)
    either.drain()
    [entry] = either.listed("nav")
    either.post("prison_health", refusal("nei", ["nav_municipal"], who=2))
    identity.link(either.parts, BOTH, KARI)
    with pytest.raises(HubError, match=r"receive.not-found"):
        hand_over.fetch(either.parts, either.agency("nav"), entry)
    assert either.column(entry, "wrapped_key") is None


def mapping(who: int) -> bytes:
    return xml_brik(message_id=f"B-{who}", who=who)


def test_nothing_is_linked_by_name_or_birth_date(bench: Bench) -> None:
    """The same name, and two numbers of the same day: two persons."""
    allow(bench, 1)
    mine, other = number(1), number(13)
    assert mine[:4] != other[:4] or mine != other
    said = fields("henvisning-2.json", message_id="X", who=13)
    said["person"]["navn"] = "Test Testesen"
    bench.post("prison_health", said)
    assert tsb(bench) == []
    assert bench.row("tsb").state is State.WAITING
