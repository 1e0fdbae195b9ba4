"""A decision told in three voices: what each of them says, and what it must not say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consent.decide import NOTIFY_PERSON
from consent.explain import Language, alarms, explain
from consent.plain import DUTIES
from consent.rows import Effect, Obligation
from hub.errors import PROBLEMS
from hub.message import Category, Decision, ItemDecision, Verdict
from tests.consent.asking import EVERYTHING, NOON, ask, decided, item, no, row, yes

H, W, S = Category.HOUSING, Category.WORK, Category.SUBSTANCE_USE


@pytest.mark.parametrize("language", Language)
def test_each_answer_is_told_once_with_its_leaves_row_law_and_consent(language: Language) -> None:
    by_law = row(Effect.DUTY, H, id="L45", law=("lov § 1",), obligations=("only_for_purpose",))
    question = ask(item(H, path="a[0].b"), item(H, path="a[1].b"), item(S, path="c"))
    decision = decided(question, [by_law, row(Effect.CONSENT, S)], [yes("work")])

    goes, kept = explain(decision, [by_law], language)

    assert (goes.paths, goes.goes, goes.code) == (("a[0].b", "a[1].b"), True, "decide.row")
    assert "lov § 1" in goes.plain
    assert DUTIES["only_for_purpose"].said(language) in goes.plain
    assert "only_for_purpose" not in goes.plain
    assert goes.formal == "permit decide.row row=L45/1 law=lov § 1 consents=- obligations=only_for_purpose"
    problem = PROBLEMS["decide.consent-mismatch"]
    assert (problem.nb if language == "nb" else problem.title) in kept.plain
    assert not kept.goes


@pytest.mark.parametrize("language", Language)
def test_the_outside_hears_one_sentence_whatever_the_reason(language: Language) -> None:
    heard = set()
    for consents in (
        [],
        [no()],
        [yes(), no()],
        [yes(signed=False, grantor="guardian")],
        [yes(readable=False)],
    ):
        (told,) = explain(decided(ask(item(S)), [EVERYTHING], consents), [EVERYTHING], language)
        heard.add(told.outside)

    assert len(heard) == 1


BY_LAW = row(Effect.DUTY, H, id="L45", law=("lov § 1", "lov § 2"))
LONG = "0123456789abcdef"
GIVEN = ItemDecision("b", Verdict.PERMIT, "decide.row", "L45/1+L9/2", (f"{LONG}/3", "c/1"), ("x", "y"))
TOLD = [
    (
        GIVEN,
        "nb",
        f"Går: {PROBLEMS['decide.row'].nb} Regel L45/1: lov § 1; lov § 2. Samtykke 0123456789ab/3. "
        "Samtykke c/1. Plikt som følger med: x. Plikt som følger med: y.",
        f"permit decide.row row=L45/1,L9/2 law=lov § 1; lov § 2 consents={LONG}/3,c/1 obligations=x,y",
        "Går.",
    ),
    (
        GIVEN,
        "en",
        f"Goes: {PROBLEMS['decide.row'].title} Row L45/1: lov § 1; lov § 2. Consent 0123456789ab/3. "
        "Consent c/1. Duty that goes with it: x. Duty that goes with it: y.",
        f"permit decide.row row=L45/1,L9/2 law=lov § 1; lov § 2 consents={LONG}/3,c/1 obligations=x,y",
        "Goes.",
    ),
    (
        ItemDecision("b", Verdict.DENY, "decide.refused"),
        "nb",
        f"Går ikke: {PROBLEMS['decide.refused'].nb}",
        "deny decide.refused row=- law=- consents=- obligations=-",
        "Ikke tilgjengelig.",
    ),
    (
        ItemDecision("b", Verdict.DENY, "decide.refused"),
        "en",
        f"Does not go: {PROBLEMS['decide.refused'].title}",
        "deny decide.refused row=- law=- consents=- obligations=-",
        "Not available.",
    ),
    (
        ItemDecision("b", Verdict.HOLD, "decide.free-text-unread"),
        "nb",
        f"Venter på at noen leser det: {PROBLEMS['decide.free-text-unread'].nb}",
        "hold decide.free-text-unread row=- law=- consents=- obligations=-",
        "Ikke tilgjengelig.",
    ),
    (
        ItemDecision("b", Verdict.HOLD, "decide.free-text-unread"),
        "en",
        f"Waits for somebody to read it: {PROBLEMS['decide.free-text-unread'].title}",
        "hold decide.free-text-unread row=- law=- consents=- obligations=-",
        "Not available.",
    ),
]


@pytest.mark.parametrize(("item_decision", "language", "plain", "formal", "outside"), TOLD)
def test_an_answer_is_told_word_for_word(
    item_decision: ItemDecision, language: str, plain: str, formal: str, outside: str
) -> None:
    (told,) = explain(Decision((item_decision,), NOON), [BY_LAW], Language(language))

    assert (told.plain, told.formal, told.outside) == (plain, formal, outside)
    assert told.rows == (("L45/1", "L9/2") if item_decision is GIVEN else ())
    assert (told.consents, told.obligations) == (item_decision.consents, item_decision.obligations)


def test_only_leaves_with_the_same_answer_are_told_together() -> None:
    same = replace(GIVEN, path="a")
    others = [
        replace(GIVEN, path="z", verdict=Verdict.HOLD),
        replace(GIVEN, path="y", reason="decide.consent"),
        replace(GIVEN, path="x", row="L9/2"),
        replace(GIVEN, path="w", consents=()),
        replace(GIVEN, path="0", obligations=(), verdict=Verdict.DENY),
        replace(GIVEN, path="v", obligations=()),
    ]

    told = explain(Decision((*others, GIVEN, same), NOON), [BY_LAW], Language.ENGLISH)

    assert [one.paths for one in told] == [("a", "b"), ("v",), ("w",), ("x",), ("y",), ("0",), ("z",)]


@pytest.mark.parametrize(
    ("language", "opening"), [("nb", "Et menneske må se på"), ("en", "A person must look at")]
)
def test_an_alarm_is_a_sentence(language: str, opening: str) -> None:
    (sentence,) = alarms(Decision((), NOON, ("decide.conflict",)), Language(language))

    problem = PROBLEMS["decide.conflict"]
    assert sentence == f"{opening}: {problem.nb if language == 'nb' else problem.title}"


def test_what_a_person_must_look_at_is_said() -> None:
    decision = decided(ask(item(H)), [row()], [yes(), no()])

    assert decision.alarms == ("decide.conflict",)
    (sentence,) = alarms(decision, Language.ENGLISH)
    assert PROBLEMS["decide.conflict"].title in sentence


def test_every_duty_has_its_words() -> None:
    assert set(DUTIES) == {*Obligation, NOTIFY_PERSON}


@pytest.mark.parametrize("code", ["decide.not-registered-gp", "decide.no-request"])
@pytest.mark.parametrize("language", Language)
def test_asked_of_a_sector_no_agency_is_said_to_lack_what_only_an_agency_can_have(
    code: str, language: Language
) -> None:
    decision = Decision((ItemDecision("b", Verdict.DENY, code),), NOON)
    problem = PROBLEMS[code]
    of_one = problem.nb if language == "nb" else problem.title

    (agency,) = explain(decision, [], language)
    (sector,) = explain(decision, [], language, of_sector=True)

    assert of_one in agency.plain
    assert of_one not in sector.plain
    assert ("organisasjonsnummeret" if language == "nb" else "organisation number") in sector.plain
    assert (sector.code, sector.formal, sector.outside) == (agency.code, agency.formal, agency.outside)
