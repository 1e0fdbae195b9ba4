"""The decision, rule by rule: each table row is a case that a wrong engine answers otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from consent.decide import decide, permit
from consent.policy_files import load_pack
from consent.rows import Effect, Relation, Requires, Row
from hub.errors import PROBLEMS, HubError
from hub.message import (
    CONTROL_SECTORS,
    Agency,
    Category,
    Consent,
    Labelled,
    Purpose,
    Record,
    Sector,
    Verdict,
)
from tests.consent.asking import (
    EVERYTHING,
    GP,
    HEALTH,
    HOUSING_OFFICE,
    NAV,
    NOON,
    PRISON,
    SIGNED,
    TSB,
    ask,
    but,
    decided,
    item,
    no,
    only,
    row,
    yes,
)

H, S = Category.HOUSING, Category.SUBSTANCE_USE
MAY, DUTY, PROHIBIT = Effect.MAY_UNLESS_OBJECTION, Effect.DUTY, Effect.PROHIBIT


def said(*words: str) -> frozenset[str]:
    return frozenset(words)


EXCEPT_SUBSTANCE = but(False, categories=said("substance_use"))
HOUSED = (but(True, categories=said("housing")),)
EXCEPT_TSB = but(True, recipients=said("tsb"))

CONSENTS: list[tuple[str, list[Consent], str]] = [
    ("nothing on file", [], "decide.no-consent"),
    ("a plain permission", [yes()], "decide.consent"),
    ("named in every way", [yes("housing", senders=said("prison"), recipients=said("933333333"),
                                purposes=said("housing"))], "decide.consent"),
    ("of another sender", [yes(senders=said("prison_health"))], "decide.consent-mismatch"),
    ("to another recipient", [yes(recipients=said("nav_municipal"))], "decide.consent-mismatch"),
    ("to another office of the sector", [yes(recipients=said("977777777"))], "decide.consent-mismatch"),
    ("for another purpose", [yes(purposes=said("treatment"))], "decide.consent-mismatch"),
    ("of another category", [yes("work")], "decide.consent-mismatch"),
    ("sender not said", [yes(senders=None)], "decide.consent-mismatch"),
    ("recipient not said", [yes(recipients=None)], "decide.consent-mismatch"),
    ("purpose not said", [yes(purposes=None)], "decide.consent-mismatch"),
    ("category not said", [yes(categories=None)], "decide.consent-mismatch"),
    ("an empty set is not said", [yes(recipients=frozenset())], "decide.consent-mismatch"),
    ("first day not said", [yes(valid_from=None)], "decide.consent-mismatch"),
    ("last day not said", [yes(valid_to=None)], "decide.consent-mismatch"),
    ("ended yesterday", [yes(valid_to=date(2026, 8, 31))], "decide.expired"),
    ("ends today", [yes(valid_to=date(2026, 9, 1))], "decide.consent"),
    ("begins today", [yes(valid_from=date(2026, 9, 1))], "decide.consent"),
    ("begins tomorrow", [yes(valid_from=date(2026, 9, 2))], "decide.not-yet"),
    ("data of the period", [yes(data_from=date(2026, 8, 1), data_to=date(2026, 8, 1))], "decide.consent"),
    ("data from before", [yes(data_from=date(2026, 8, 2))], "decide.consent-mismatch"),
    ("data from after", [yes(data_to=date(2026, 7, 31))], "decide.consent-mismatch"),
    ("to a programme", [yes(kind="programme")], "decide.consent-mismatch"),
    ("not signed", [yes(signed=False)], "decide.form-missing"),
    ("withdrawn", [yes(withdrawn_at=NOON - timedelta(seconds=1))], "decide.withdrawn"),
    ("withdrawn this instant", [yes(withdrawn_at=NOON)], "decide.withdrawn"),
    ("withdrawn later", [yes(withdrawn_at=NOON + timedelta(seconds=1))], "decide.consent"),
    ("withdrawn, and of another category", [yes("work", withdrawn_at=NOON)], "decide.consent-mismatch"),
    ("one withdrawn, another stands", [yes(withdrawn_at=NOON), yes(id="C2")], "decide.consent"),
    ("recorded in the future", [yes(recorded_at=NOON + timedelta(seconds=1))], "decide.no-consent"),
    ("a refusal", [no()], "decide.refused"),
    ("an older refusal beside a permission", [no(), yes()], "decide.conflict"),
    ("a refusal that says nothing", [yes(), no(senders=None, recipients=None, purposes=None, categories=None,
                                               valid_from=None, valid_to=None)], "decide.conflict"),
    ("a refusal by empty sets", [yes(), no(recipients=frozenset(), categories=frozenset())],
     "decide.conflict"),
    ("a refusal to another recipient", [yes(), no(recipients=said("gp"))], "decide.consent"),
    ("a refusal of another sender", [yes(), no(senders=said("gp"))], "decide.consent"),
    ("a refusal for another purpose", [yes(), no(purposes=said("treatment"))], "decide.consent"),
    ("a refusal of another category", [yes(), no("work")], "decide.consent"),
    ("a refusal that has ended", [yes(), no(valid_to=date(2026, 8, 31))], "decide.consent"),
    ("a refusal that has not begun", [yes(), no(valid_from=date(2026, 9, 2))], "decide.consent"),
    ("a refusal of old data", [yes(), no(data_to=date(2020, 12, 31))], "decide.consent"),
    ("a refusal withdrawn", [yes(), no(withdrawn_at=NOON)], "decide.consent"),
    ("what a refusal permits by exception", [no(exceptions=HOUSED)], "decide.consent"),
    ("and takes back", [no(exceptions=HOUSED, permissions_ended_at=NOON)], "decide.refused"),
    ("and takes back later", [no(exceptions=HOUSED, permissions_ended_at=NOON + timedelta(seconds=1))],
     "decide.consent"),
    ("and takes back, beside another permission", [no(exceptions=HOUSED, permissions_ended_at=NOON), yes()],
     "decide.conflict"),
    ("and takes back, and is lifted",
     [no(exceptions=HOUSED, permissions_ended_at=NOON, withdrawn_at=NOON), yes()],
     "decide.consent"),
    ("and takes back at no known moment",
     [no(exceptions=HOUSED, permissions_ended_at=NOON.replace(tzinfo=None))],
     "decide.unreadable"),
    ("an unsigned refusal", [yes(), no(signed=False)], "decide.conflict"),
    ("a refusal under another heading", [yes(), no(kind="programme")], "decide.conflict"),
    ("a permission but not substance use", [yes(exceptions=(EXCEPT_SUBSTANCE,))], "decide.consent"),
    ("a permission but not housing", [yes(exceptions=(but(False, categories=said("housing")),))],
     "decide.exception"),
    ("the exception binds other permissions too", [yes(exceptions=(but(False, categories=said("housing")),)),
                                                   yes(id="C2")], "decide.conflict"),
    ("the exception has ended", [yes(exceptions=(but(False, categories=said("housing"),
                                                    valid_to=date(2026, 8, 1)),))], "decide.consent"),
    ("a refusal but for this office", [no(exceptions=(but(True, recipients=said("933333333")),))],
     "decide.consent"),
    ("a refusal but for TSB", [no(exceptions=(EXCEPT_TSB,))], "decide.refused"),
    ("a refusal of all unsaid but for this office", [no(recipients=None, purposes=None, exceptions=(
        but(True, recipients=said("933333333")),))], "decide.refused"),
    ("a refusal but until 2001", [no(exceptions=(but(True, recipients=said(*HOUSING_OFFICE.org.split()),
                                                    valid_to=date(2001, 1, 1)),))], "decide.refused"),
    ("an unsigned refusal but for this office", [no(signed=False, exceptions=(
        but(True, recipients=said("933333333")),))], "decide.form-missing"),
    ("three levels", [yes(exceptions=(but(False, categories=said("housing"), exceptions=(
        but(True, recipients=said("municipality_housing")),)),))], "decide.consent"),
    ("four levels", [yes(exceptions=(but(False, categories=said("housing"), exceptions=(
        but(True, recipients=said("municipality_housing"), exceptions=(
            but(False, purposes=said("treatment")),)),)),))], "decide.unreadable"),
    ("a permission under a permission", [yes(exceptions=(but(True, categories=said("housing")),))],
     "decide.unreadable"),
    ("an exception that narrows nothing", [yes(exceptions=(but(False),))], "decide.unreadable"),
    ("unreadable", [yes(), yes(id="C2", readable=False)], "decide.unreadable"),
    ("a misspelt recipient", [yes(), no(recipients=said("housing_office"))], "decide.unreadable"),
    ("a misspelt purpose", [yes(), no(purposes=said("Housing"))], "decide.unreadable"),
    ("a misspelt category", [yes(), no("hous")], "decide.unreadable"),
    ("ends before it begins", [yes(), no(valid_from=date(2026, 2, 1), valid_to=date(2026, 1, 1))],
     "decide.unreadable"),
    ("data end before they begin", [yes(), no(data_from=date(2026, 2, 1), data_to=date(2026, 1, 1))],
     "decide.unreadable"),
    ("a kind nobody knows", [yes(), yes(id="C2", kind="gift")], "decide.unreadable"),
    ("recorded at no known moment", [yes(), yes(id="C2", recorded_at=NOON.replace(tzinfo=None))],
     "decide.unreadable"),
    ("withdrawn at no known moment", [yes(withdrawn_at=NOON.replace(tzinfo=None))], "decide.unreadable"),
    ("one name, two documents", [yes(), yes("housing")], "decide.unreadable"),
    ("the same document twice", [yes(), yes()], "decide.consent"),
    ("unreadable, then recorded again", [yes(readable=False), yes(version=2)], "decide.consent"),
    ("a newer version permits", [no(id="C1"), yes(version=2)], "decide.consent"),
    ("a higher version recorded before the refusal", [no(id="C1", recorded_at=NOON), yes(version=2)],
     "decide.conflict"),
    ("a newer version refuses", [yes(), no(id="C1", version=2)], "decide.refused"),
    ("a newer version permits less", [yes(), yes("work", version=2)], "decide.consent-mismatch"),
    ("a newer version is withdrawn", [yes(), yes(version=2, withdrawn_at=NOON)], "decide.withdrawn"),
    ("a newer version has ended", [yes(), yes(version=2, valid_to=date(2026, 8, 1))],
     "decide.expired"),
    ("a newer document without a word on the old", [no(), yes(recorded_at=NOON)], "decide.conflict"),
    ("a document replaces a refusal", [no(), yes(replaces="N1/1", recorded_at=NOON)], "decide.consent"),
    ("an older document replaces a newer refusal", [no(recorded_at=NOON), yes(replaces="N1/1")],
     "decide.conflict"),
    ("another grantor replaces a refusal", [no(), yes(replaces="N1/1", recorded_at=NOON, grantor="guardian")],
     "decide.refused"),
    ("a programme replaces a refusal", [no(), yes(), yes(id="C2", replaces="N1/1", recorded_at=NOON,
                                                         kind="programme")], "decide.conflict"),
    ("what replaces a refusal is withdrawn", [no(), yes(), yes(id="C2", replaces="N1/1", recorded_at=NOON,
                                                              withdrawn_at=NOON)], "decide.conflict"),
    ("what replaces a refusal has ended", [no(), yes(), yes(id="C2", replaces="N1/1", recorded_at=NOON,
                                                           valid_to=date(2026, 8, 1))], "decide.conflict"),
    ("two refusals replace each other", [yes(), no(replaces="N2/1"), no(id="N2", replaces="N1/1")],
     "decide.conflict"),
    ("a guardian replaces a permission", [yes(), no("work", id="N1", replaces="C1/1", grantor="guardian")],
     "decide.consent-mismatch"),
    ("a permission replaced by a bare name", [yes(), yes("work", id="C2", replaces="C1")],
     "decide.consent-mismatch"),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("case", "consents", "reason"), CONSENTS, ids=[c[0] for c in CONSENTS])
def test_what_the_person_said_decides(case: str, consents: list[Consent], reason: str) -> None:
    housing = row(Effect.CONSENT, H, requires=SIGNED)

    verdict = only(ask(), [housing], consents)

    assert verdict.reason == reason
    assert verdict.verdict is (Verdict.PERMIT if reason == "decide.consent" else Verdict.DENY)
    assert verdict.row == "R1/1"
    assert bool(verdict.consents) is (reason not in {"decide.no-consent", "decide.consent-mismatch"})


REQUIRES: list[tuple[Requires, dict[str, Any], bool]] = [
    (Requires(explained=True), {"explained": False}, False),
    (Requires(explained=True), {"explained": True}, True),
    (Requires(forms=said("skriftlig")), {"form": "muntlig"}, False),
    (Requires(forms=said("skriftlig")), {"form": "skriftlig"}, True),
    (Requires(grantors=said("person")), {"grantor": "guardian"}, False),
    (Requires(texts=said("2")), {"text_version": "draft-7"}, False),
    (Requires(texts=said("2")), {"text_version": ""}, False),
    (Requires(), {"signed": False, "explained": False, "form": "", "text_version": ""}, True),
]


@pytest.mark.parametrize(("requires", "document", "permitted"), REQUIRES)
def test_a_row_demands_a_form(requires: Requires, document: dict[str, Any], permitted: bool) -> None:
    verdict = only(ask(), [row(Effect.CONSENT, H, requires=requires)], [yes(**document)])

    assert (verdict.verdict is Verdict.PERMIT) is permitted


@pytest.mark.parametrize("recorder", [*sorted(CONTROL_SECTORS), None])
def test_a_control_role_or_nobody_cannot_collect_a_permission_for_substance_use(
    recorder: Sector | None,
) -> None:
    collected = [yes(recorder=recorder)]

    assert only(ask(item(S)), [EVERYTHING], collected).reason == "decide.form-missing"
    assert only(ask(item(H)), [EVERYTHING], collected).verdict is Verdict.PERMIT
    assert only(ask(item(S)), [EVERYTHING], [yes(recorder=Sector.PRISON_HEALTH)]).verdict is Verdict.PERMIT


ROWS: list[tuple[str, list[Row], str]] = [
    ("none", [], "decide.no-row"),
    ("of another category", [row(DUTY, Category.WORK)], "decide.no-row"),
    ("from another sector", [row(DUTY, senders=said("gp"))], "decide.no-row"),
    ("to another sector", [row(DUTY, recipients=said("gp"))], "decide.no-row"),
    ("for another purpose", [row(DUTY, purposes=said("treatment"))], "decide.no-row"),
    ("for another field", [row(DUTY, fields=("fel", "felt.under", "annet"))], "decide.no-row"),
    ("for the field", [row(DUTY, fields=("felt",))], "decide.row"),
    ("not yet valid", [row(DUTY, valid_from=date(2026, 9, 2))], "decide.no-row"),
    ("valid from today", [row(DUTY, valid_from=date(2026, 9, 1))], "decide.row"),
    ("valid to today", [row(DUTY, valid_to=date(2026, 9, 1))], "decide.row"),
    ("no longer valid", [row(DUTY, valid_to=date(2026, 8, 31))], "decide.no-row"),
    ("not yet known", [row(DUTY, known_from=date(2026, 9, 2))], "decide.no-row"),
    ("a duty", [row(DUTY)], "decide.row"),
    ("a duty on request", [row(Effect.DUTY_ON_REQUEST)], "decide.no-request"),
    ("unless objection", [row(MAY)], "decide.row"),
    ("with consent", [row()], "decide.no-consent"),
    ("prohibited", [row(PROHIBIT)], "decide.prohibited"),
    ("prohibited beside a duty", [row(DUTY), row(PROHIBIT, id="A")], "decide.prohibited"),
    ("prohibited beside a duty, other order", [row(PROHIBIT), row(DUTY, id="A")], "decide.prohibited"),
    ("a duty beside a consent row", [row(DUTY), row(id="A")], "decide.row"),
    ("a newer version is stricter", [row(DUTY), row(version=2)], "decide.no-consent"),
    ("a newer version is not yet valid", [row(DUTY), row(version=2, valid_from=date(2027, 1, 1))],
     "decide.row"),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("case", "rows", "reason"), ROWS, ids=[r[0] for r in ROWS])
def test_only_a_row_that_fits_gives_a_right(case: str, rows: list[Row], reason: str) -> None:
    assert only(ask(), rows, []).reason == reason
    assert only(ask(), rows[::-1], []).reason == reason


OBJECTIONS: list[tuple[Effect, list[Consent], str]] = [
    (MAY, [no()], "decide.objection"),
    (MAY, [no("work")], "decide.row"),
    (MAY, [yes(exceptions=(but(False, categories=said("housing")),))], "decide.objection"),
    (MAY, [yes(withdrawn_at=NOON, exceptions=(but(False, categories=said("housing")),))], "decide.objection"),
    (MAY, [no(), yes(id="C2", replaces="N1/1", recorded_at=NOON, valid_from=date(2026, 9, 2))],
     "decide.objection"),
    (MAY, [no(id="C1"), yes(version=2, withdrawn_at=NOON)], "decide.objection"),
    (MAY, [yes(readable=False)], "decide.unreadable"),
    (DUTY, [no()], "decide.row"),
    (DUTY, [yes(readable=False)], "decide.unreadable"),
    (PROHIBIT, [yes(readable=False)], "decide.prohibited"),
    (PROHIBIT, [yes()], "decide.prohibited"),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("effect", "consents", "reason"), OBJECTIONS)
def test_the_effect_of_the_row_says_what_a_refusal_does(
    effect: Effect, consents: list[Consent], reason: str
) -> None:
    assert only(ask(), [row(effect)], consents).reason == reason


def test_data_of_unknown_date_widen_a_refusal_and_narrow_a_permission() -> None:
    undated = ask(data_date=None)
    of_2020: dict[str, Any] = {"data_from": date(2020, 1, 1), "data_to": date(2020, 12, 31)}

    assert only(undated, [row()], [yes(**of_2020)]).reason == "decide.consent-mismatch"
    assert only(undated, [row()], [yes(), no(**of_2020)]).reason == "decide.conflict"
    assert only(ask(), [row()], [yes(), no(**of_2020)]).verdict is Verdict.PERMIT


def test_an_exception_keeps_the_data_period_of_its_parent() -> None:
    old: dict[str, Any] = {"data_from": date(2020, 1, 1), "data_to": date(2020, 12, 31)}
    refused = no(**old, exceptions=(but(True, recipients=said("933333333")),))

    assert only(ask(data_date=date(2020, 5, 1)), [row()], [refused]).verdict is Verdict.PERMIT
    assert only(ask(), [row()], [refused]).verdict is Verdict.DENY


@pytest.mark.parametrize(
    ("at", "permitted"),
    [
        (datetime(2026, 6, 1, 21, 59, 59, tzinfo=UTC), True),  # 23:59:59 in Oslo, summer
        (datetime(2026, 6, 1, 22, 0, 0, tzinfo=UTC), False),
        (datetime(2026, 5, 31, 22, 0, 0, tzinfo=UTC), True),
        (datetime(2026, 5, 31, 21, 59, 59, tzinfo=UTC), False),
    ],
)
def test_days_are_days_in_oslo(at: datetime, permitted: bool) -> None:
    one_day = yes(valid_from=date(2026, 6, 1), valid_to=date(2026, 6, 1))

    assert (only(ask(), [row()], [one_day], at).verdict is Verdict.PERMIT) is permitted


def test_what_the_hub_did_not_know_did_not_decide() -> None:
    late = yes(recorded_at=NOON + timedelta(hours=2))
    withdrawn_late = yes(id="C2", withdrawn_at=NOON - timedelta(hours=1))

    before = decide(ask(), [row()], [withdrawn_late], at=NOON, known_at=NOON - timedelta(hours=2))
    now = decide(ask(), [row()], [late], at=NOON, known_at=NOON + timedelta(hours=3))

    assert before.reasons(Verdict.PERMIT) == ("decide.consent",)
    assert now.reasons(Verdict.PERMIT) == ("decide.consent",)


ITEMS = [
    ("every category needs a right", item(H, S), [yes("housing")], Verdict.DENY, "decide.consent-mismatch"),
    ("both have one", item(H, S), [yes("housing"), yes("substance_use", id="C2")], Verdict.PERMIT,
     "decide.consent"),
    ("declared counts although raised forgot it", item(H, declared=(S,)), [yes("housing")], Verdict.DENY,
     "decide.consent-mismatch"),
    ("no category at all", item(), [yes()], Verdict.HOLD, "decide.unknown-category"),
    ("unknown", item(Category.UNKNOWN), [yes()], Verdict.HOLD, "decide.unknown-category"),
    ("unknown among permitted", item(H, Category.UNKNOWN), [yes()], Verdict.HOLD, "decide.unknown-category"),
    ("unknown among refused", item(H, Category.UNKNOWN), [no()], Verdict.DENY, "decide.refused"),
    ("a graded address", item(Category.PROTECTED_ADDRESS), [yes()], Verdict.DENY, "decide.protected-address"),
    ("free text, permitted by its field", item(H, free=True), [yes()], Verdict.HOLD,
     "decide.free-text-unread"),
    ("free text with a finding", item(H, S, declared=(H,), free=True), [yes("housing")], Verdict.HOLD,
     "decide.free-text-hit"),
    ("free text in a strange language", item(H, Category.UNKNOWN, declared=(H,), free=True), [yes()],
     Verdict.HOLD, "decide.free-text-hit"),
    ("free text, not permitted by its field", item(H, free=True), [], Verdict.DENY, "decide.no-consent"),
    ("free text about nothing declared", item(H, free=True, declared=(Category.UNKNOWN,)), [yes()],
     Verdict.HOLD, "decide.unknown-category"),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("case", "what", "consents", "verdict", "reason"), ITEMS, ids=[i[0] for i in ITEMS])
def test_an_item_is_decided_on_all_that_it_tells(
    case: str, what: object, consents: list[Consent], verdict: Verdict, reason: str
) -> None:
    got = only(ask(what), [EVERYTHING], consents)  # type: ignore[arg-type]  # the table holds items

    assert (got.verdict, got.reason) == (verdict, reason)


def test_free_text_to_health_care_is_decided_on_what_is_in_it() -> None:
    text = item(Category.SOMATIC_HEALTH, S, declared=(Category.SOMATIC_HEALTH,), free=True)
    question = ask(text, to=GP, sender=HEALTH)

    assert only(question, [EVERYTHING], [yes("somatic_health")]).verdict is Verdict.DENY
    assert only(question, [EVERYTHING], [yes()]).verdict is Verdict.PERMIT


def test_a_graded_address_stops_everything() -> None:
    question = ask(item(H), item(Category.IDENTITY, path="envelope.sender"), protected_address=True)

    got = decided(question, [row(DUTY, H, Category.IDENTITY)], [yes()])

    assert {v.verdict for v in got.items} == {Verdict.DENY}
    assert got.reasons(Verdict.DENY) == ("decide.protected-address",)


def test_one_path_with_two_meanings_is_held() -> None:
    got = decided(ask(item(H), item(S)), [EVERYTHING], [yes()])

    assert [v.verdict for v in got.items] == [Verdict.HOLD, Verdict.HOLD]


def test_the_decision_names_every_row_and_consent_it_rests_on() -> None:
    rows = [row(Effect.CONSENT, H, id="L05"), row(Effect.CONSENT, Category.FAMILY, id="L03", version=2)]

    got = only(ask(item(H, Category.FAMILY)), rows, [yes("family"), yes("housing", id="C0")])

    assert (got.row, got.consents) == ("L03/2+L05/1", ("C0/1", "C1/1"))


def test_every_reason_is_a_code_of_the_table() -> None:
    reasons = {reason for _, _, reason in CONSENTS} | {reason for _, _, reason in ROWS}

    assert reasons <= PROBLEMS.keys()


@pytest.mark.parametrize("naive", ["at", "known_at"])
def test_a_moment_without_time_zone_is_our_fault_and_permits_nothing(naive: str) -> None:
    moments = {"at": NOON, "known_at": NOON, naive: NOON.replace(tzinfo=None)}

    with pytest.raises(HubError, match=r"hub\.internal"):
        decide(ask(), [row()], [yes()], at=moments["at"], known_at=moments["known_at"])


RECORD = Record("t", {"bolig": {"behov": "stort"}, "rus": {"behov": "noe"}})
ENVELOPE = item(Category.IDENTITY, path="envelope.sender")
NEED, DRUGS = item(H, path="bolig.behov"), item(S, path="rus.behov")


def test_only_what_is_permitted_is_in_the_permitted_record() -> None:
    question = ask(ENVELOPE, NEED, DRUGS)
    decision = decided(question, [EVERYTHING], [yes("housing", "identity")])

    permitted = permit(decision, Labelled(RECORD, (NEED, DRUGS)), question)

    assert permitted is not None
    assert permitted.record == Record("t", {"bolig": {"behov": "stort"}})
    assert (permitted.recipient, permitted.agreement, permitted.decision) == (HOUSING_OFFICE, "a", decision)


@pytest.mark.parametrize(
    ("items", "categories"),
    [
        ((ENVELOPE, NEED), ("housing",)),  # the envelope may not be shown
        ((ENVELOPE, replace(ENVELOPE, path="envelope.type", categories=frozenset({S})), NEED),
         ("housing", "identity")),  # half of the envelope may not be shown
        ((ENVELOPE, NEED), ("identity",)),  # nothing to put into it
        ((ENVELOPE,), ("identity",)),  # nothing was asked about
        ((NEED,), ("work",)),
    ],
)  # one row per case # fmt: skip
def test_nothing_goes_without_content_and_the_whole_envelope(
    items: tuple[object, ...], categories: tuple[str, ...]
) -> None:
    question = ask(*items)  # type: ignore[arg-type]  # the table holds items
    decision = decided(question, [EVERYTHING], [yes(*categories)])

    assert permit(decision, Labelled(RECORD, (NEED, DRUGS)), question) is None


OTHER = [
    (ask(ENVELOPE, NEED), Labelled(RECORD, (replace(NEED, categories=frozenset({H, S})), DRUGS))),
    (ask(ENVELOPE, NEED), Labelled(RECORD, (DRUGS,))),
    (ask(ENVELOPE, NEED, DRUGS), Labelled(RECORD, (NEED, DRUGS))),
    (ask(ENVELOPE), Labelled(RECORD, (NEED, DRUGS))),
    (ask(ENVELOPE, NEED, NEED), Labelled(RECORD, (NEED, DRUGS))),
]


@pytest.mark.parametrize(("question", "labelled"), OTHER)
def test_a_decision_is_never_used_for_anything_it_was_not_made_about(
    question: object, labelled: Labelled
) -> None:
    decision = decided(ask(ENVELOPE, NEED), [EVERYTHING], [yes()])

    with pytest.raises(HubError, match=r"hub\.internal"):
        permit(decision, labelled, question)  # type: ignore[arg-type]  # the table holds asks


STORY = frozenset({"identity", "coordination", "custody", "work", "economy", "housing"})
ORDINARY = yes(*STORY, recipients=said("nav_municipal", "933333333"), purposes=said("return_to_society"))
FOR_TSB = yes("identity", "coordination", "custody", "substance_use", id="C2", recipients=said("tsb"),
              purposes=said("treatment"), recorder=Sector.PRISON_HEALTH)  # one row per case # fmt: skip
FOR_GP = yes("substance_use", id="C3", recipients=said("gp"), purposes=said("treatment"))
SCHOOL = Agency("977777777", "Skolen", Sector.EDUCATION)
RTS, TREAT = Purpose.RETURN_TO_SOCIETY, Purpose.TREATMENT
SHOWN: list[tuple[Agency, Agency, Purpose, list[Consent], str]] = [
    (PRISON, NAV, RTS, [ORDINARY], "identity coordination custody work economy"),
    (PRISON, HOUSING_OFFICE, RTS, [ORDINARY], "identity coordination custody housing economy"),
    (PRISON, SCHOOL, RTS, [ORDINARY], ""),
    (PRISON, HEALTH, TREAT, [ORDINARY], "identity coordination custody"),
    (PRISON, TSB, TREAT, [ORDINARY], ""),
    (PRISON, TSB, TREAT, [ORDINARY, FOR_TSB], "identity coordination custody substance_use"),
    (PRISON, NAV, RTS, [ORDINARY, FOR_TSB], "identity coordination custody work economy"),
    (PRISON, TSB, TREAT, [replace(FOR_TSB, withdrawn_at=NOON)], ""),
    (HEALTH, GP, TREAT, [], "identity coordination custody somatic_health mental_health"),
    (HEALTH, GP, TREAT, [FOR_GP], "identity coordination custody somatic_health mental_health substance_use"),
    (HEALTH, GP, TREAT, [no("mental_health")], "identity coordination custody somatic_health"),
    (HEALTH, PRISON, RTS, [yes()], "identity coordination custody"),
    (HEALTH, PRISON, Purpose.SENTENCE_EXECUTION, [yes()], ""),
    (NAV, PRISON, RTS, [], "identity coordination custody work economy"),
    (HOUSING_OFFICE, PRISON, RTS, [], "identity coordination custody housing"),
    (TSB, PRISON, TREAT, [yes()], ""),
    (PRISON, NAV, Purpose.COURT_CONTROL, [yes()], ""),
]


@pytest.mark.parametrize(("sender", "to", "purpose", "consents", "shown"), SHOWN)
def test_the_strict_pack_shows_each_agency_exactly_this(
    sender: Agency, to: Agency, purpose: Purpose, consents: list[Consent], shown: str
) -> None:
    pack = load_pack("strict")
    items = [item(category, path=category.value) for category in Category]

    is_hers = frozenset(Relation)  # the GP of the table is the person's own

    question = ask(*items, sender=sender, to=to, purpose=purpose, relations=is_hers)
    got = decided(question, list(pack.rows), consents)

    assert got.paths(Verdict.PERMIT) == frozenset(shown.split())


def test_the_statutory_pack_lets_substance_use_reach_the_gp_unless_the_patient_objects() -> None:
    question = ask(item(S), sender=HEALTH, to=GP, purpose=TREAT, relations=frozenset(Relation))
    rows = list(load_pack("statutory").rows)

    assert only(question, rows, []).row == "L21/2"
    assert only(question, rows, [], datetime(2026, 6, 30, 12, tzinfo=UTC)).row == "L21/1"
    assert only(question, rows, [no("substance_use")]).reason == "decide.objection"
