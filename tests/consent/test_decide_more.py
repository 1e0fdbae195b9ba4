"""The decision beyond one person and one document: readers, overrides, others in the text, forms, alarms."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from consent.decide import decide
from consent.rows import Effect, OverrideRule, Relation, Requires, Row
from consent.texts import ApprovedText, Texts, load_texts
from hub.errors import HubError
from hub.message import Category, Consent, Override, Reading, Verdict
from tests.consent.asking import (
    EVERYTHING,
    GP,
    HEALTH,
    NOON,
    ask,
    but,
    decided,
    item,
    no,
    only,
    row,
    yes,
)

H, S, W = Category.HOUSING, Category.SUBSTANCE_USE, Category.WORK
MAY, DUTY, ASKED = Effect.MAY_UNLESS_OBJECTION, Effect.DUTY, Effect.DUTY_ON_REQUEST


def said(*words: str) -> frozenset[str]:
    return frozenset(words)


# -- rows --------------------------------------------------------------------------------------------

ORDER: list[tuple[list[Row], list[Consent], str]] = [
    ([row(DUTY), row(MAY, id="A")], [no()], "decide.row"),
    ([row(MAY), row(id="A")], [no()], "decide.objection"),
    ([row(MAY), row(id="A")], [], "decide.row"),
    ([row(DUTY), row(Effect.PROHIBIT, id="Z")], [yes()], "decide.prohibited"),
    ([row(Effect.PROHIBIT)], [yes(readable=False)], "decide.prohibited"),
    ([row(DUTY)], [yes(readable=False)], "decide.unreadable"),
    ([row(MAY)], [yes(readable=False)], "decide.unreadable"),
    ([row(), row(id="A", requires=Requires(signed=True))], [yes(signed=False)], "decide.form-missing"),
    ([row(DUTY), row(id="A", fields=("annet",))], [], "decide.row"),
]


@pytest.mark.parametrize(("rows", "consents", "reason"), ORDER)
def test_the_first_effect_that_has_a_row_answers(
    rows: list[Row], consents: list[Consent], reason: str
) -> None:
    assert only(ask(), rows, consents).reason == reason
    assert only(ask(), rows[::-1], consents).reason == reason


@pytest.mark.parametrize(
    ("rows", "requests", "reason"),
    [
        ([row(ASKED)], said(), "decide.no-request"),
        ([row(ASKED)], said("R2"), "decide.no-request"),
        ([row(ASKED, fields=("annet",))], said("R1"), "decide.no-row"),
        ([row(ASKED)], said("R1"), "decide.row"),
        ([row(DUTY), row(ASKED, version=2)], said(), "decide.no-request"),
        ([row(ASKED), row(id="A")], said(), "decide.no-consent"),
    ],
)
def test_a_duty_on_request_speaks_only_when_the_request_is_on_file(
    rows: list[Row], requests: frozenset[str], reason: str
) -> None:
    verdict = only(ask(requests={row_id: (f"{row_id}-asked",) for row_id in requests}), rows, [])
    assert verdict.reason == reason
    assert verdict.requests == (("R1-asked",) if reason == "decide.row" else ())


GP_ONLY: dict[str, Any] = {"relation": Relation.REGISTERED_GP}


@pytest.mark.parametrize(
    ("rows", "relations", "reason"),
    [
        ([row(MAY, **GP_ONLY)], frozenset(), "decide.not-registered-gp"),
        ([row(MAY, **GP_ONLY)], frozenset(Relation), "decide.row"),
        ([row(DUTY, **GP_ONLY)], frozenset(), "decide.not-registered-gp"),
        ([row(**GP_ONLY)], frozenset(), "decide.not-registered-gp"),
        ([row(**GP_ONLY)], frozenset(Relation), "decide.no-consent"),
        ([row(MAY, **GP_ONLY), row(id="A")], frozenset(), "decide.no-consent"),
        ([row(ASKED, **GP_ONLY), row(MAY, id="A", **GP_ONLY)], frozenset(), "decide.no-request"),
        # what forbids reaches everybody
        ([row(Effect.PROHIBIT, **GP_ONLY), row(MAY, id="A")], frozenset(), "decide.prohibited"),
    ],
)
def test_a_row_for_the_registered_gp_speaks_to_nobody_else(
    rows: list[Row], relations: frozenset[Relation], reason: str
) -> None:
    assert only(ask(relations=relations), rows, []).reason == reason
    assert only(ask(relations=relations), rows[::-1], []).reason == reason


def test_a_row_without_a_request_behind_it_does_not_speak() -> None:
    assert only(ask(requests={"R1": ()}), [row(ASKED)], []).reason == "decide.no-request"


def test_a_register_that_cannot_be_read_permits_nothing() -> None:
    for effect in (DUTY, MAY, Effect.CONSENT):
        (verdict,) = decide(ask(), [row(effect)], None, at=NOON, known_at=NOON).items
        assert (verdict.verdict, verdict.reason) == (Verdict.DENY, "decide.register-unavailable")
    (verdict,) = decide(ask(), [row(Effect.PROHIBIT)], None, at=NOON, known_at=NOON).items
    assert verdict.reason == "decide.prohibited"
    theirs = replace(item(H), persons=said("x"))
    (verdict,) = decide(ask(theirs), [row(DUTY)], None, at=NOON, known_at=NOON).items
    assert verdict.verdict is Verdict.DENY


# -- what a row demands ------------------------------------------------------------------------------

TEXTS = Texts(
    (
        ApprovedText("2", "nb", "", "", date(2026, 1, 1), date(2026, 3, 1)),
        ApprovedText("3", "en", "", "", date(2026, 3, 2), None),
    )
)
APPROVED = Requires(approved_text=True)
FORMS: list[tuple[Requires, dict[str, Any], str]] = [
    (Requires(), {"grantor": "guardian"}, "decide.grantor"),
    (Requires(grantors=said("guardian")), {"grantor": "guardian"}, "decide.consent"),
    (Requires(grantors=said("guardian")), {}, "decide.grantor"),
    (Requires(recorders=said("person")), {}, "decide.consent"),
    (Requires(recorders=said("tsb")), {}, "decide.form-missing"),
    (Requires(recorders=said("person")), {"recorder": None}, "decide.form-missing"),
    (Requires(settings=said("alone")), {"setting": "alone"}, "decide.consent"),
    (Requires(settings=said("alone")), {}, "decide.form-missing"),
    (Requires(not_under_sentence=True), {"under_sentence": False}, "decide.consent"),
    (Requires(not_under_sentence=True), {"under_sentence": True}, "decide.form-missing"),
    (Requires(not_under_sentence=True), {}, "decide.form-missing"),
    (Requires(), {"under_sentence": True}, "decide.consent"),
    (Requires(signed=True), {"signed": False}, "decide.form-missing"),
    (Requires(explained=True), {"explained": False}, "decide.form-missing"),
    (Requires(forms=said("skriftlig")), {"form": "muntlig"}, "decide.form-missing"),
    (Requires(texts=said("2")), {"text_version": "3"}, "decide.text-not-approved"),
    (Requires(texts=said("2")), {}, "decide.consent"),
    (APPROVED, {}, "decide.consent"),
    (APPROVED, {"language": "nb"}, "decide.consent"),
    (APPROVED, {"language": "en"}, "decide.text-not-approved"),
    (APPROVED, {"text_version": "draft-7"}, "decide.text-not-approved"),
    (APPROVED, {"text_version": ""}, "decide.text-not-approved"),
    (APPROVED, {"text_version": "3"}, "decide.text-not-approved"),
    (APPROVED, {"text_version": "3", "recorded_at": datetime(2026, 3, 1, 23, tzinfo=UTC)}, "decide.consent"),
    (APPROVED, {"recorded_at": datetime(2026, 3, 1, 23, tzinfo=UTC)}, "decide.text-not-approved"),
    (APPROVED, {"signed": False, "text_version": "draft-7"}, "decide.text-not-approved"),
    (Requires(), {"active": False}, "decide.not-active"),
]


@pytest.mark.parametrize(("requires", "document", "reason"), FORMS)
def test_a_row_demands_a_form_a_giver_and_a_text(
    requires: Requires, document: dict[str, Any], reason: str
) -> None:
    given = [yes(**document)]
    (verdict,) = decide(ask(), [row(requires=requires)], given, at=NOON, known_at=NOON, texts=TEXTS).items

    assert verdict.reason == reason
    assert verdict.consents == ("C1/1",)


def test_without_a_register_of_texts_no_text_is_approved() -> None:
    assert only(ask(), [row(requires=APPROVED)], [yes()]).reason == "decide.text-not-approved"


NEAREST: list[tuple[list[Consent], str]] = [
    ([yes(valid_to=date(2026, 8, 1)), yes(id="C2", signed=False)], "decide.expired"),
    ([yes(valid_from=date(2026, 9, 2)), yes(id="C2", signed=False)], "decide.not-yet"),
    ([yes(withdrawn_at=NOON), yes(id="C2", valid_to=date(2026, 8, 1))], "decide.withdrawn"),
    ([yes(withdrawn_at=NOON, signed=False)], "decide.withdrawn"),
    ([yes("work"), yes(id="C2", signed=False)], "decide.form-missing"),
    ([yes(exceptions=(but(False, categories=said("housing")),))], "decide.exception"),
    ([no(exceptions=(but(True, recipients=said("933333333"), valid_to=date(2026, 8, 1)),))],
     "decide.refused"),
    ([no(valid_from=None, exceptions=(but(True, recipients=said("933333333")),))], "decide.refused"),
    ([yes(), no(id="C2", recorded_at=NOON.replace(tzinfo=None))], "decide.conflict"),
    ([no(recorded_at=NOON.replace(tzinfo=None)), yes(id="N1", version=2)], "decide.conflict"),
    ([yes(active=False), yes(id="C2", version=1)], "decide.consent"),
    ([no(), yes(id="N1", version=2, active=False)], "decide.refused"),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("consents", "reason"), NEAREST)
def test_of_several_documents_the_nearest_miss_is_told(consents: list[Consent], reason: str) -> None:
    signed = row(requires=Requires(signed=True))

    assert only(ask(), [signed], consents).reason == reason
    assert only(ask(), [signed], consents[::-1]).reason == reason


# -- overrides ---------------------------------------------------------------------------------------

ALLOWS = row(MAY, override=OverrideRule("pbrl. § 5-3", said("health_personnel"), notify_person=True),
             obligations=("only_here",))  # one row per case # fmt: skip
BY_TWO = Override("fare for liv", "health_personnel", ("kari", "ola"))
OVERRIDES: list[tuple[Row, Override | None, list[Consent], str]] = [
    (ALLOWS, BY_TWO, [no()], "decide.overridden"),
    (ALLOWS, None, [no()], "decide.objection"),
    (ALLOWS, BY_TWO, [], "decide.row"),
    (ALLOWS, replace(BY_TWO, by=("kari",)), [no()], "decide.override-refused"),
    (ALLOWS, replace(BY_TWO, by=("kari", "kari")), [no()], "decide.override-refused"),
    (ALLOWS, replace(BY_TWO, by=("kari", " ")), [no()], "decide.override-refused"),
    (ALLOWS, replace(BY_TWO, role="officer"), [no()], "decide.override-refused"),
    (ALLOWS, replace(BY_TWO, ground=" "), [no()], "decide.override-refused"),
    (row(MAY), BY_TWO, [no()], "decide.override-refused"),
    (row(), BY_TWO, [no()], "decide.override-refused"),
    (row(), BY_TWO, [], "decide.override-refused"),
    (row(), BY_TWO, [yes()], "decide.consent"),
    (row(override=ALLOWS.override), BY_TWO, [no()], "decide.override-refused"),
    (row(Effect.PROHIBIT, override=ALLOWS.override), BY_TWO, [], "decide.prohibited"),
    (ALLOWS, BY_TWO, [yes(readable=False)], "decide.unreadable"),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("rule", "override", "consents", "reason"), OVERRIDES)
def test_an_objection_is_set_aside_only_as_the_row_allows(
    rule: Row, override: Override | None, consents: list[Consent], reason: str
) -> None:
    got = decided(ask(override=override), [rule], consents)

    assert got.items[0].reason == reason
    assert ("decide.override-refused" in got.alarms) is (reason == "decide.override-refused")


def test_a_permitted_item_carries_the_duties_of_its_rows() -> None:
    (verdict,) = decided(ask(override=BY_TWO), [ALLOWS], [no()]).items
    assert verdict.obligations == ("notify_person", "only_here")
    assert verdict.consents == ("N1/1",)

    (verdict,) = decided(ask(), [ALLOWS], []).items
    assert verdict.obligations == ("only_here",)

    both = [row(Effect.CONSENT, H, obligations=("a",)), row(DUTY, W, id="R2", obligations=("b", "a"))]
    (verdict,) = decided(ask(item(H, W)), both, [yes()]).items
    assert verdict.obligations == ("a", "b")


# -- readings ----------------------------------------------------------------------------------------

TEXT = item(H, S, declared=(H,), free=True)
UNCERTAIN = item(H, Category.UNKNOWN, declared=(H,), free=True)
CLEAN = item(H, free=True)
DOUBTED = replace(CLEAN, doubt=True)
READINGS: list[tuple[str, Any, Reading | None, list[Consent], str]] = [
    ("nobody read it", CLEAN, None, [yes()], "decide.free-text-unread"),
    ("nobody read it, a hit", TEXT, None, [yes()], "decide.free-text-hit"),
    ("one read it", CLEAN, Reading(frozenset(), ("kari",)), [yes("housing")], "decide.consent"),
    ("a reading by nobody", CLEAN, Reading(frozenset(), ()), [yes()], "decide.free-text-unread"),
    ("a reader without a name", CLEAN, Reading(frozenset(), (" ",)), [yes()], "decide.free-text-unread"),
    ("one found more", CLEAN, Reading(frozenset({S}), ("kari",)), [yes("housing")],
     "decide.consent-mismatch"),
    ("one cannot clear a hit", TEXT, Reading(frozenset(), ("kari",)), [yes("housing")],
     "decide.consent-mismatch"),
    ("the same twice cannot", TEXT, Reading(frozenset(), ("kari", "kari")), [yes("housing")],
     "decide.consent-mismatch"),
    ("one, and all is permitted", TEXT, Reading(frozenset(), ("kari",)), [yes()], "decide.consent"),
    ("two clear a hit", TEXT, Reading(frozenset(), ("kari", "ola")), [yes("housing")], "decide.consent"),
    ("two found it, too", TEXT, Reading(frozenset({S}), ("kari", "ola")), [yes("housing")],
     "decide.consent-mismatch"),
    ("one cannot clear what is uncertain", UNCERTAIN, Reading(frozenset(), ("kari",)), [yes()],
     "decide.unknown-category"),
    ("two can", UNCERTAIN, Reading(frozenset(), ("kari", "ola")), [yes("housing")], "decide.consent"),
    ("nobody clears what is declared", item(S, free=True),
     Reading(frozenset(), ("kari", "ola")), [yes("housing")],
     "decide.consent-mismatch"),
    ("nobody read it, a doubt", DOUBTED, None, [yes()], "decide.free-text-hit"),
    ("one cannot end a doubt", DOUBTED, Reading(frozenset(), ("kari",)), [yes()], "decide.free-text-hit"),
    ("two can end it", DOUBTED, Reading(frozenset(), ("kari", "ola")), [yes("housing")], "decide.consent"),
    ("nobody reads a code", item(H, S, declared=(H,)),
     Reading(frozenset(), ("kari", "ola")), [yes("housing")],
     "decide.consent-mismatch"),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(
    ("case", "what", "reading", "consents", "reason"), READINGS, ids=[r[0] for r in READINGS]
)
def test_free_text_goes_as_those_who_read_it_found(
    case: str, what: Any, reading: Reading | None, consents: list[Consent], reason: str
) -> None:
    question = ask(what, readings={what.path: reading} if reading else {})

    assert only(question, [EVERYTHING], consents).reason == reason


def test_a_health_service_needs_no_reader_for_a_doubt() -> None:
    alone = {"felt": Reading(frozenset(), ("kari",))}
    for readings in ({}, alone):
        assert only(ask(DOUBTED, to=GP, readings=readings), [EVERYTHING], [yes()]).reason == "decide.consent"


def test_about_the_dead_no_machine_writes() -> None:
    assert only(ask(item(H), deceased=True), [EVERYTHING], [yes()]).reason == "decide.deceased"


@pytest.mark.parametrize("effect", [DUTY, MAY, Effect.CONSENT])
def test_of_a_person_nobody_has_identified_nothing_goes_on_any_ground(effect: Effect) -> None:
    """Also not a duty, nor what nobody objected to: whose objection it would be is not known."""
    asked = ask(item(H), item(Category.IDENTITY, path="envelope.sender"), unidentified=True)
    rows = [row(effect, H, Category.IDENTITY)]

    got = decided(asked, rows, [yes()])

    assert [(v.verdict, v.reason) for v in got.items] == [(Verdict.DENY, "decide.person-unidentified")] * 2
    known = decided(replace(asked, unidentified=False), rows, [yes()])
    assert {v.verdict for v in known.items} == {Verdict.PERMIT}


def test_of_a_person_nobody_has_identified_nothing_is_put_before_a_reader() -> None:
    text = item(H, free=True)
    assert only(ask(text), [EVERYTHING], [yes()]).verdict is Verdict.HOLD
    assert only(ask(text, unidentified=True), [EVERYTHING], [yes()]).verdict is Verdict.DENY


def test_a_stop_is_final_also_where_nobody_has_identified_the_person() -> None:
    asked = ask(item(H), unidentified=True)
    for stopped, reason in (
        (replace(asked, deceased=True), "decide.deceased"),
        (replace(asked, protected_address=True), "decide.protected-address"),
    ):
        assert only(stopped, [EVERYTHING], [yes()]).reason == reason


def test_what_is_seen_over_a_doubtful_link_only_refuses() -> None:
    doubtful = replace(yes(), only_refuses=True)
    assert only(ask(), [EVERYTHING], [doubtful]).reason == "decide.no-consent"
    assert only(ask(), [EVERYTHING], [yes(), replace(no(), only_refuses=True)]).verdict is Verdict.DENY


def test_a_reading_is_for_its_own_leaf_and_not_against_a_refusal() -> None:
    read = {"felt": Reading(frozenset(), ("kari", "ola"))}
    other = ask(replace(TEXT, path="annet"), readings=read)

    assert only(other, [EVERYTHING], [yes()]).reason == "decide.free-text-hit"
    assert only(ask(TEXT, readings=read), [EVERYTHING], [no()]).reason == "decide.refused"


def test_health_care_gets_what_two_readers_cleared() -> None:
    text = item(Category.SOMATIC_HEALTH, S, declared=(Category.SOMATIC_HEALTH,), free=True)
    question = ask(text, to=GP, sender=HEALTH, readings={"felt": Reading(frozenset(), ("kari", "ola"))})

    assert only(question, [EVERYTHING], [yes("somatic_health")]).verdict is Verdict.PERMIT


# -- several persons ---------------------------------------------------------------------------------


def of(person: str, consent: Consent, **changes: Any) -> Consent:
    return replace(consent, person=person, id=f"{person}-{consent.id}", **changes)


BOTH = replace(item(H), persons=said("p2"))
THREE = replace(item(H), persons=said("p2", "p3"))
MINE, YOURS = yes(), of("p2", yes())
PERSONS: list[tuple[str, Any, Row, list[Consent], str]] = [
    ("both", BOTH, row(), [MINE, YOURS], "decide.consent"),
    ("only mine", BOTH, row(), [MINE], "decide.other-person"),
    ("only yours", BOTH, row(), [YOURS], "decide.no-consent"),
    ("yours for something else", BOTH, row(), [MINE, of("p2", yes("work"))], "decide.other-person"),
    ("you refuse", BOTH, row(), [MINE, YOURS, of("p2", no())], "decide.other-person"),
    ("I refuse", BOTH, row(), [YOURS, no()], "decide.refused"),
    ("yours unreadable", BOTH, row(), [MINE, YOURS, of("p2", no(), readable=False)], "decide.other-person"),
    ("yours unsigned", BOTH, row(requires=Requires(signed=True)), [MINE, of("p2", yes(), signed=False)],
     "decide.other-person"),
    ("a duty about me is none about you", BOTH, row(DUTY), [], "decide.other-person"),
    ("a duty about me, and you permit", BOTH, row(DUTY), [YOURS], "decide.consent"),
    ("one of three is silent", THREE, row(), [MINE, YOURS], "decide.other-person"),
    ("all three", THREE, row(), [MINE, YOURS, of("p3", yes())], "decide.consent"),
    ("nobody knows who", replace(item(H), persons=said("")), row(), [MINE], "decide.other-person"),
    ("mine is not yours", BOTH, row(), [MINE, replace(yes(id="C2"), person="p3")], "decide.other-person"),
    ("your refusal is not mine", item(H), row(), [MINE, of("p2", no())], "decide.consent"),
    ("your consent is not mine", item(H), row(), [YOURS], "decide.no-consent"),
    ("your unreadable one is not mine", item(H), row(), [MINE, of("p2", no(), readable=False)],
     "decide.consent"),
    ("your version replaces nothing of mine", item(H), row(),
     [no(id="C1"), replace(yes(version=2), person="p2")], "decide.refused"),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("case", "what", "rule", "consents", "reason"), PERSONS, ids=[p[0] for p in PERSONS])
def test_everybody_whom_an_item_tells_about_must_permit_it(
    case: str, what: Any, rule: Row, consents: list[Consent], reason: str
) -> None:
    for order in (consents, consents[::-1]):
        verdict = only(ask(what), [rule], order)
        assert verdict.reason == reason
        assert (verdict.verdict is Verdict.PERMIT) is (reason == "decide.consent")


def test_the_decision_names_everybodys_consent_and_not_who_refused() -> None:
    assert only(ask(BOTH), [row()], [MINE, YOURS]).consents == ("C1/1", "p2-C1/1")
    assert only(ask(BOTH), [row()], [MINE, of("p2", no())]).consents == ()


# -- alarms ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("consents", "alarms"),
    [
        ([yes()], ()),
        ([no()], ()),
        ([], ()),
        ([yes(), no()], ("decide.conflict",)),
        ([yes(readable=False)], ("decide.unreadable",)),
    ],
)
def test_what_a_person_must_look_at_is_an_alarm(consents: list[Consent], alarms: tuple[str, ...]) -> None:
    question = ask(item(Category.FAMILY, path="a"), item(H, path="b"))

    assert decided(question, [row()], consents).alarms == alarms


# -- two time axes -----------------------------------------------------------------------------------


def test_later_knowledge_of_a_refusal_never_releases_more() -> None:
    late = no(recorded_at=NOON + timedelta(days=1))
    gone = yes(withdrawn_at=NOON + timedelta(days=2))

    def at(known: timedelta, consents: list[Consent]) -> str:
        return decide(ask(), [row()], consents, at=NOON, known_at=NOON + known).items[0].reason

    assert at(timedelta(), [yes(), late]) == "decide.consent"
    assert at(timedelta(days=1), [yes(), late]) == "decide.conflict"
    assert at(timedelta(days=3), [gone]) == "decide.consent"


def test_a_row_known_later_did_not_decide_then() -> None:
    newer = row(version=2, known_from=date(2026, 9, 2))
    before = decide(ask(), [row(DUTY), newer], [], at=NOON, known_at=NOON)
    after = decide(ask(), [row(DUTY), newer], [], at=NOON, known_at=NOON + timedelta(days=1))

    assert before.items[0].reason == "decide.row"
    assert after.items[0].reason == "decide.no-consent"


# -- the register of texts ---------------------------------------------------------------------------


def test_the_shipped_texts_are_whole(tmp_path: Any) -> None:
    texts = load_texts()
    assert {text.language for text in texts.known} >= {"nb", "nn", "en"}
    assert texts.approved("deling-2026-1", "", date(2026, 6, 1))
    assert not texts.approved("deling-2026-1", "", date(2025, 12, 31))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Jeg samtykker", "Jeg samtykket"),
        ('language: "nb"', 'language: "norsk"'),
        ('language: "nn"', 'language: "nb"'),
        ("{from: 2026-01-01, to: null}", "{from: 2026-01-01, to: 2025-01-01}"),
        ("{from: 2026-01-01, to: null}", "{from: null, to: null}"),
        ("  - id: deling-2026-1", "  - name: deling-2026-1"),
    ],
)
def test_a_register_that_is_not_clear_is_refused(tmp_path: Any, old: str, new: str) -> None:
    from consent.texts import TEXTS as SHIPPED

    body = SHIPPED.read_text()
    assert old in body
    path = tmp_path / "texts.yaml"
    path.write_text(body.replace(old, new, 1))

    with pytest.raises(HubError, match=r"policy\.invalid"):
        load_texts(path)


# -- what can be evaluated, and what an exception takes from its parent ------------------------------

HOUSING_ONLY = but(True, categories=said("housing"))
NOT_EVALUABLE: list[Consent] = [
    yes(id=""),
    yes(id="C2", version=0),
    no(recipients=said("12345")),
    no(recipients=said("٠١٢٣٤٥٦٧٨")),
    no(exceptions=(replace(HOUSING_ONLY, readable=False),)),
    no(exceptions=(replace(HOUSING_ONLY, withdrawn_at=NOON),)),
    no(exceptions=(replace(HOUSING_ONLY, replaces="C1/1"),)),
    no(exceptions=(but(True, recipients=said("housing_office")),)),
    no(exceptions=(but(True, purposes=said("Housing")),)),
    no(exceptions=(but(True, valid_from=date(2026, 2, 1), valid_to=date(2026, 1, 1)),)),
    no(exceptions=(but(True, categories=said("housing"), exceptions=(but(False),)),)),
]


@pytest.mark.parametrize("document", NOT_EVALUABLE)
def test_what_cannot_be_evaluated_blocks(document: Consent) -> None:
    assert only(ask(), [row()], [yes(), document]).reason == "decide.unreadable"


@pytest.mark.parametrize(
    "narrow",
    [
        {"senders": said("prison")},
        {"recipients": said("933333333")},
        {"purposes": said("housing")},
        {"data_from": date(2026, 1, 1)},
        {"data_to": date(2026, 12, 31)},
    ],
)
def test_an_exception_leaves_unsaid_what_its_parent_says(narrow: dict[str, Any]) -> None:
    refusal = no(**narrow, exceptions=(HOUSING_ONLY,))

    assert only(ask(), [row()], [yes(), refusal]).reason == "decide.consent"
    if narrow.keys() & {"data_from", "data_to"}:
        assert only(ask(data_date=None), [row()], [yes(), refusal]).reason == "decide.conflict"


def test_a_bare_name_replaces_no_refusal() -> None:
    assert only(ask(), [row()], [no(), yes(replaces="N1", recorded_at=NOON)]).reason == "decide.conflict"


def test_each_field_is_asked_about_by_itself() -> None:
    question = ask(item(H, path="a.b"), item(H, path="c"), item(H, path="a[3].b"))

    got = decided(question, [row(DUTY, fields=("a",))], [])

    assert [v.verdict for v in got.items] == [Verdict.PERMIT, Verdict.DENY, Verdict.PERMIT]


def test_a_consent_row_brings_its_duties() -> None:
    assert only(ask(), [row(obligations=("only_here",))], [yes()]).obligations == ("only_here",)
