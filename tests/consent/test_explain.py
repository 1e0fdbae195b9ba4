"""A decision told in three voices: what each of them says, and what it must not say."""

from __future__ import annotations

import pytest

from consent.explain import Language, alarms, explain
from consent.rows import Effect
from hub.errors import PROBLEMS
from hub.message import Category
from tests.consent.asking import EVERYTHING, ask, decided, item, no, row, yes

H, W, S = Category.HOUSING, Category.WORK, Category.SUBSTANCE_USE


@pytest.mark.parametrize("language", Language)
def test_each_answer_is_told_once_with_its_leaves_row_law_and_consent(language: Language) -> None:
    by_law = row(Effect.DUTY, H, id="L45", law=("lov § 1",), obligations=("only_for_purpose",))
    question = ask(item(H, path="a[0].b"), item(H, path="a[1].b"), item(S, path="c"))
    decision = decided(question, [by_law, row(Effect.CONSENT, S)], [yes("work")])

    goes, kept = explain(decision, [by_law], language)

    assert (goes.paths, goes.goes, goes.code) == (("a[0].b", "a[1].b"), True, "decide.row")
    assert "lov § 1" in goes.plain
    assert "only_for_purpose" in goes.plain
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


def test_what_a_person_must_look_at_is_said() -> None:
    decision = decided(ask(item(H)), [row()], [yes(), no()])

    assert decision.alarms == ("decide.conflict",)
    (sentence,) = alarms(decision, Language.ENGLISH)
    assert PROBLEMS["decide.conflict"].title in sentence
