"""Switching a flow to what the statute allows: two persons, in the store, in force where it is decided."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from consent.rows import Row, Status
from hub import pipeline, policy
from hub.audit.log import Kind, nobody, open_private
from hub.errors import HubError
from hub.hand_over import fetch
from hub.message import Purpose, Sector
from hub.parts import Parts
from hub.store import approvals
from hub.store.disclosures import State
from hub.store.schema import audit_leaf
from tests.hub.bench import Bench, on_the_bench

KARI, PER = "Kari Lunde", "Per Moen"
DRUG = "opioid"  # what the epikrise of the story tells of substance use


def approve(bench: Bench, by: str, row: str = "L21", document: str = "sak-1", reason: str = "") -> int:
    return policy.approve(bench.parts, row, by=by, document=document, reason=reason)


def revoke(bench: Bench, row: str = "L21") -> bool:
    return policy.revoke(bench.parts, row, by=PER, reason="under review")


def decides(bench: Bench, flow: str = "L21") -> set[str]:
    with bench.parts.store.reading() as view:
        pack = policy.in_effect(view, bench.parts).pack
    return {row.ref for row in pack.of_flow(flow)}


STRICT, STATUTORY = {"L21a/1", "L21a/2", "L21b/1"}, {"L21/1", "L21/2"}


def refused(bench: Bench, by: str, **changes: str) -> set[tuple[str, str]]:
    with pytest.raises(HubError) as caught:
        approve(bench, by, **changes)
    assert caught.value.code == "policy.step-refused"
    return {(finding.at, finding.rule) for finding in caught.value.findings}


def test_two_persons_in_two_steps_switch_a_flow_and_one_switches_it_back(either: Bench) -> None:
    assert decides(either) == STRICT
    assert approve(either, KARI) == 1
    assert decides(either) == STRICT
    assert approve(either, PER) == 2
    assert decides(either) == STATUTORY
    assert revoke(either) is True
    assert decides(either) == STRICT
    assert approve(either, KARI) == 1  # all is taken back: two persons anew
    assert decides(either) == STRICT
    assert approve(either, PER) == 2
    assert decides(either) == STATUTORY


def test_the_same_person_twice_is_one_person(bench: Bench) -> None:
    approve(bench, KARI)

    for name in (KARI, "kari lunde", "KARI  LUNDE", "Ｋａｒｉ Lunde", "KariLunde"):
        assert refused(bench, name) == {("by", "second-person")}
    assert decides(bench) == STRICT


def test_two_persons_at_once_are_two(either: Bench) -> None:
    barrier = threading.Barrier(2)

    def one(name: str) -> None:
        barrier.wait()
        approve(either, name)

    threads = [threading.Thread(target=one, args=(name,)) for name in (KARI, PER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert decides(either) == STATUTORY


def test_the_same_person_in_two_places_at_once_is_one(either: Bench) -> None:
    barrier, refusals = threading.Barrier(4), []

    def one() -> None:
        barrier.wait()
        try:
            approve(either, KARI)
        except HubError as fault:
            refusals.append(fault.code)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert refusals == ["policy.step-refused"] * 3
    assert decides(either) == STRICT


@pytest.mark.parametrize(
    ("by", "changes", "expected"),
    [
        ("", {}, ("by", "text")),
        ("  ", {}, ("by", "text")),
        ("a\nb", {}, ("by", "text")),
        ("a" * 501, {}, ("by", "text")),
        (KARI, {"document": "x\ty"}, ("document", "text")),
        (KARI, {"document": ""}, ("document", "text")),
        (KARI, {"document": "", "reason": "read", "row": "L11"}, ("document", "sign-off")),  # a draft, NLS
        (KARI, {"document": "", "reason": "read", "row": "L47"}, ("document", "sign-off")),  # NLS
    ],
)
def test_a_step_that_does_not_say_who_and_on_what_is_refused(
    bench: Bench, by: str, changes: dict[str, str], expected: tuple[str, str]
) -> None:
    assert expected in refused(bench, by, **changes)
    with bench.parts.store.reading() as view:
        assert approvals.steps(view) == []


def test_a_reason_is_enough_where_no_lawyer_is_needed(bench: Bench) -> None:
    assert approve(bench, KARI, document="", reason="read and agreed") == 1


def test_a_row_that_does_not_exist_cannot_be_approved_or_revoked(bench: Bench) -> None:
    calls: list[Callable[[], object]] = [
        lambda: approve(bench, KARI, row="L99"),
        lambda: revoke(bench, "L99"),
    ]
    for call in calls:
        with pytest.raises(HubError, match=r"policy\.no-such-flow"):
            call()
    with pytest.raises(HubError, match=r"policy\.step-refused"):
        revoke(bench)  # nobody has approved it


def test_a_row_or_a_version_names_its_flow(bench: Bench) -> None:
    approve(bench, KARI, row="L21b")
    approve(bench, PER, row="L21/2")

    assert decides(bench) == STATUTORY


def edited(parts: Parts) -> Parts:
    """The next release of the files, with another text of one row."""

    def text(row: Row) -> Row:
        return replace(row, digest="0" * 16) if row.ref == "L21/1" else row

    forms = {flow: tuple(map(text, rows)) for flow, rows in parts.pack.forms.items()}
    return replace(parts, pack=replace(parts.pack, forms=forms, digest="another"))


def test_an_edited_row_is_approved_by_nobody(bench: Bench) -> None:
    approve(bench, KARI)
    approve(bench, PER)
    before, bench.parts = bench.parts, edited(bench.parts)

    assert decides(bench) == STRICT
    assert approve(bench, KARI) == 1  # the text as it is now; the old yes does not count
    assert decides(bench) == STRICT
    assert approve(bench, PER) == 2
    assert decides(bench) == STATUTORY
    bench.parts = before  # the old text comes back: it was approved, and nobody took that back
    assert decides(bench) == STATUTORY


def test_an_approval_of_a_flow_that_is_gone_from_the_files_can_be_taken_back(bench: Bench) -> None:
    approve(bench, KARI)
    forms = {flow: rows for flow, rows in bench.parts.pack.forms.items() if flow != "L21"}
    bench.parts = replace(bench.parts, pack=replace(bench.parts.pack, forms=forms))

    assert revoke(bench) is False
    with bench.parts.store.reading() as view:
        assert approvals.standing(approvals.steps(view)) == {}


def test_a_draft_decides_once_it_is_approved_with_its_sign_off(bench: Bench) -> None:
    assert decides(bench, "L48") == set()
    approve(bench, KARI, row="L48")
    approve(bench, PER, row="L48")

    with bench.parts.store.reading() as view:
        pack = policy.in_effect(view, bench.parts).pack
    between = pack.between(Sector.NAV_STATE, Sector.NAV_MUNICIPAL, Purpose.WORK_AND_EDUCATION)
    (row,) = (row for row in between if row.flow == "L48")
    assert (row.ref, row.status) == ("L48/1", Status.APPROVED)
    assert row.approval is not None
    assert (row.approval.by, row.approval.document) == ((KARI, PER), "sak-1")
    assert "L48/1" not in {draft.ref for draft in pack.drafts}


def epikrise(bench: Bench) -> str:
    bench.register_gp()
    bench.post("prison_health", "epikrise.fhir.json")
    bench.drain()
    return b" ".join(rendered.body for rendered in bench.come_for_it("gp")).decode().lower()


def test_what_the_gp_gets_follows_the_policy_of_the_moment(either: Bench) -> None:
    approve(either, KARI)
    assert DRUG not in epikrise(either)


def test_a_running_hub_hands_over_under_the_new_row_and_stops_when_it_is_revoked(either: Bench) -> None:
    """No restart: another process approves, and the next hand-over sees it; so with the revocation."""
    elsewhere = on_the_bench(either.parts, either.url)
    either.register_gp()
    either.post("prison_health", "epikrise.fhir.json")
    either.drain()
    (waiting,) = either.listed("gp")
    for name in (KARI, PER):
        approve(elsewhere, name)

    def fetched() -> str:
        return fetch(either.parts, either.agency("gp"), waiting).body.decode().lower()

    assert DRUG in fetched()
    revoke(elsewhere)
    assert DRUG not in fetched()
    elsewhere.parts.store.close()


def test_the_proof_of_a_decision_names_the_policy_that_made_it(bench: Bench) -> None:
    for name in (KARI, PER):
        approve(bench, name)
    assert DRUG in epikrise(bench)

    with bench.parts.store.reading() as view:
        digest = policy.in_effect(view, bench.parts).pack.digest
    told = bench.leaves(Kind.DECISION)
    assert digest != bench.parts.pack.digest
    assert {one["policy"] for one in told} == {digest}
    assert "L21/2" in {item["row"] for one in told for item in one["items"]}


def test_each_step_leaves_a_leaf_that_names_nobody_in_clear_and_the_log_is_whole(bench: Bench) -> None:
    approve(bench, KARI)
    approve(bench, PER)
    revoke(bench)

    with bench.parts.store.reading() as view:
        leaves = view.execute(select(audit_leaf).order_by(audit_leaf.c.id)).all()
    key = nobody(bench.parts.vault).key
    told = [open_private(bench.parts.vault, key, leaf) for leaf in leaves]
    assert [(one["did"], one["by"], one["flow"]) for one in told] == [
        ("approve", KARI, "L21"),
        ("approve", PER, "L21"),
        ("revoke", PER, "L21"),
    ]
    assert not any(KARI in leaf.public for leaf in leaves)
    assert bench.verify().faults == []


def test_a_leaf_about_nobody_that_was_changed_is_found(bench: Bench) -> None:
    approve(bench, KARI)
    with bench.parts.store.writing() as tx:
        (leaf,) = tx.execute(select(audit_leaf)).all()
        tx.execute(audit_leaf.update().values(ciphertext=leaf.ciphertext[:-1] + b"\x00"))

    assert [what for what, _ in bench.verify().faults] == ["private part does not match the public one"]


def test_a_step_whose_leaf_cannot_be_written_is_not_taken(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("hub.policy.log.append", fail)
    with pytest.raises(RuntimeError):
        approve(bench, KARI)

    with bench.parts.store.reading() as view:
        assert approvals.steps(view) == []


def test_revoking_waits_for_what_is_being_handed_over(bench: Bench) -> None:
    """A push that was decided under the row ends before the revocation returns."""
    for name in (KARI, PER):
        approve(bench, name)
    bench.register_gp()
    bench.post("prison_health", "epikrise.fhir.json")
    bench.drain()
    (person,) = bench.people()
    done, order = threading.Event(), []

    def take_back() -> None:
        revoke(bench)
        order.append("revoked")
        done.set()

    with bench.parts.store.gate(person):  # somebody is handing over about this person
        thread = threading.Thread(target=take_back)
        thread.start()
        assert not done.wait(0.5)
        assert decides(bench) == STRICT  # it counts already
        order.append("handed over")
    thread.join(10)
    assert order == ["handed over", "revoked"]


def test_every_way_to_a_decision_reads_the_policy_of_its_transaction(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At intake and at the hand-over the pack is the one in effect, not the one of the start."""
    for name in (KARI, PER):
        approve(bench, name)
    used = []
    real = pipeline.decide_for

    def watched(parts: Parts, *rest: object) -> object:
        used.append(parts.pack.digest)
        return real(parts, *rest)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(pipeline, "decide_for", watched)
    bench.register_gp()
    bench.post("prison_health", "epikrise.fhir.json")
    bench.drain()
    bench.come_for_it("gp")

    assert len(used) >= 3
    assert bench.parts.pack.digest not in used
    assert [row.state for row in bench.rows("gp")] == [State.DONE]
