"""The shipped rows: every flow is there, each row answers its cases, and no edit slips through."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.cases import Ran, run_cases, run_row
from consent.decide import decide
from consent.policy_files import POLICY, load_pack
from consent.rows import Approval, Effect, Expect, Form, Legal, Pack, Relation, Row, Status
from consent.texts import ApprovedText, Texts
from hub.errors import HubError
from hub.message import (
    ANY,
    CONTROL_SECTORS,
    Agency,
    Category,
    Consent,
    ItemDecision,
    Purpose,
    Sector,
    Verdict,
)
from tests.consent.asking import NOON, ask, item, no, yes

PACKS = {form: load_pack(form) for form in Form}
STRICT, STATUTORY = PACKS[Form.STRICT], PACKS[Form.STATUTORY]
FLOWS = [f"L{number:02}" for number in range(1, 59)]
S = Category.SUBSTANCE_USE
APPROVED = Texts((ApprovedText(yes().text_version, "nb", "", "", date(2020, 1, 1), None),))
WIDE = [yes("*"), *(yes(category.value, id=category.value) for category in Category)]


def everything(pack: Pack) -> tuple[Row, ...]:
    return (*pack.rows, *pack.drafts)


def answer(
    pack: Pack,
    sender: Sector,
    to: Sector,
    purpose: Purpose,
    category: Category,
    *consents: Consent,
    at: datetime = NOON,
) -> ItemDecision:
    question = replace(
        ask(item(category), purpose=purpose, relations=frozenset(Relation)),
        sender=Agency("911111111", "", sender),
        recipient=Agency("922222222", "", to),
    )
    rows = pack.between(sender, to, purpose)
    (got,) = decide(question, rows, consents, at=at, known_at=at, texts=APPROVED).items
    return got


@pytest.mark.parametrize("form", Form)
def test_every_flow_has_rows_in_both_packs(form: Form) -> None:
    flows = {row.flow for row in everything(PACKS[form])}

    assert [flow for flow in FLOWS if flow not in flows] == []
    assert set(STRICT.forms) == {row.flow for row in everything(STATUTORY)}


RAN = list(run_cases())


@pytest.mark.parametrize("form", Form)
def test_every_row_answers_its_cases(form: Form) -> None:
    ran = [one for one in RAN if one.form is form]

    assert [(one.name, one.got.reason) for one in ran if not one.holds] == []
    assert {one.name.split(" ")[0] for one in ran} == {row.ref for row in everything(PACKS[form])}


def test_a_case_that_is_answered_otherwise_does_not_hold() -> None:
    """Each shipped case, turned round, must fail: none of them holds whatever is answered."""

    def turned(one: Ran, row: Row) -> Row:
        other = Expect.DENY if one.case.expect is Expect.PERMIT else Expect.PERMIT
        return replace(row, cases=(replace(one.case, expect=other),))

    rows = {(form, row.ref): row for form, pack in PACKS.items() for row in everything(pack)}
    for one in RAN:
        row = rows[one.form, one.name.split(" ")[0]]
        (again,) = run_row(PACKS[one.form], turned(one, row), one.form)
        assert not again.holds, one.name


def test_a_case_that_its_row_does_not_speak_to_does_not_hold() -> None:
    (row,) = (row for row in STRICT.rows if row.id == "L12")
    case = replace(row.cases[0], recipient=Sector.STATISTICS)

    (ran,) = run_row(STRICT, replace(row, cases=(case,)), Form.STRICT)

    assert (ran.got.verdict, ran.holds) == (Verdict.DENY, False)


def test_a_permitting_row_has_a_case_of_each_kind() -> None:
    for pack in PACKS.values():
        for row in everything(pack):
            expected = {case.expect for case in row.cases}
            if row.effect in (Effect.PROHIBIT, Effect.DUTY):
                assert len(expected) == 1
            else:
                assert expected == set(Expect), row.ref


@pytest.mark.parametrize("form", Form)
def test_no_shipped_row_claims_the_approval_of_an_agency(form: Form) -> None:
    assert {row.status for row in PACKS[form].rows} == {Status.DEMO}
    assert set(PACKS[form].unapproved) == {row.ref for row in PACKS[form].rows}


def test_what_needs_sign_off_and_asks_nobody_is_a_draft() -> None:
    shipped = {"L47"}  # the demo's answer from NAV
    for row in STATUTORY.rows:
        if row.legal is Legal.NLS and row.effect not in (Effect.CONSENT, Effect.PROHIBIT):
            assert row.id in shipped, row.ref


def test_in_the_strict_pack_substance_use_needs_the_person_in_every_flow() -> None:
    """Drafts too: switching one on must not be the way round."""
    for row in everything(STRICT):
        if S in row.categories:
            assert row.effect in (Effect.CONSENT, Effect.PROHIBIT), row.ref


def test_the_statutory_pack_says_more_of_substance_use_only_where_the_strict_form_stands_beside_it() -> None:
    wider = {row.flow for row in everything(STATUTORY) if S in row.categories and row.only}

    assert wider == {"L20", "L21", "L22", "L23", "L24", "L30", "L39", "L51"}
    for flow in wider:
        assert any(row.only is Form.STRICT for row in everything(STRICT) if row.flow == flow)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("purpose", [Purpose.SENTENCE_EXECUTION, Purpose.COURT_CONTROL])
def test_substance_use_never_moves_on_to_punish(form: Form, purpose: Purpose) -> None:
    pack = PACKS[form]
    switched = pack.switched(
        {flow: Approval(("a", "b"), date(2026, 1, 1), "d", of=pack.form_digest(flow)) for flow in pack.forms}
    )
    for policy in (pack, switched):
        for sender in Sector:
            for to in Sector:
                got = answer(policy, sender, to, purpose, S, *WIDE)
                pair = (purpose, sender, to)
                if pair == (Purpose.SENTENCE_EXECUTION, Sector.TSB, Sector.PROBATION):
                    assert got.row == "L37/1"
                elif pair != (Purpose.COURT_CONTROL, Sector.PROBATION, Sector.COURT):
                    assert got.reason == "decide.prohibited", pair
                elif policy is not switched and form is Form.STRICT:
                    assert got.reason == "decide.prohibited"


def test_the_coordinator_of_the_programme_gets_tests_only_on_a_signed_consent() -> None:
    here = (STATUTORY, Sector.TSB, Sector.PROBATION, Purpose.SENTENCE_EXECUTION)

    assert answer(*here, S, yes("*")).verdict is Verdict.PERMIT
    assert answer(*here, S, yes("*", signed=False)).verdict is Verdict.DENY
    assert answer(*here, S, yes("*", text_version="draft-7")).verdict is Verdict.DENY
    assert answer(*here, S).verdict is Verdict.DENY
    assert answer(*here, Category.MENTAL_HEALTH, yes("*")).reason == "decide.prohibited"


@pytest.mark.parametrize("form", Form)
def test_nobody_outside_gets_anything_even_with_consent(form: Form) -> None:
    for sender in Sector:
        for purpose in Purpose:
            for category in set(Category) - {Category.UNKNOWN, Category.PROTECTED_ADDRESS}:
                got = answer(PACKS[form], sender, Sector.OUTSIDE, purpose, category, *WIDE)
                assert got.reason == "decide.prohibited"


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("sector", [Sector.PROSECUTION, Sector.STATISTICS])
def test_police_and_statistics_get_nothing_about_one_person(form: Form, sector: Sector) -> None:
    for purpose in Purpose:
        assert answer(PACKS[form], Sector.PRISON, sector, purpose, S, *WIDE).reason == "decide.prohibited"


OFFICES = [Sector.NAV_MUNICIPAL, Sector.NAV_STATE, Sector.MUNICIPALITY_HOUSING]


@pytest.mark.parametrize("form", Form)
def test_contact_goes_to_the_housing_office_by_law_and_the_cause_only_with_consent(form: Form) -> None:
    here = (PACKS[form], Sector.PRISON, Sector.MUNICIPALITY_HOUSING, Purpose.HOUSING)

    assert answer(*here, Category.COORDINATION).reason == "decide.row"
    assert answer(*here, Category.COORDINATION, no("*")).reason == "decide.objection"
    assert answer(*here, S).verdict is Verdict.DENY
    assert answer(*here, S, yes("*")).reason == "decide.consent"
    assert answer(*here, S, yes("substance_use", purposes=frozenset({"treatment"}))).verdict is Verdict.DENY


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("to", OFFICES)
def test_control_tests_reach_no_office(form: Form, to: Sector) -> None:
    for purpose in Purpose:
        got = answer(PACKS[form], Sector.PRISON, to, purpose, Category.CONTROL, *WIDE)
        assert got.reason == "decide.prohibited"


TURN = [(datetime(2026, 6, 30, 12, tzinfo=UTC), 1), (datetime(2026, 6, 30, 22, tzinfo=UTC), 2)]


@pytest.mark.parametrize(("at", "version"), TURN)  # 22:00 UTC is midnight in Oslo
@pytest.mark.parametrize(
    ("flow", "sender", "to"),
    [
        ("L21", Sector.PRISON_HEALTH, Sector.GP),
        ("L22", Sector.PRISON_HEALTH, Sector.MUNICIPALITY_HEALTH),
        ("L23", Sector.PRISON_HEALTH, Sector.TSB),
        ("L24", Sector.TSB, Sector.GP),
    ],
)
def test_the_law_of_the_day_decides(
    flow: str, sender: Sector, to: Sector, at: datetime, version: int
) -> None:
    here = (sender, to, Purpose.TREATMENT)

    assert answer(STATUTORY, *here, S, at=at).row == f"{flow}/{version}"
    assert answer(STATUTORY, *here, S, no("substance_use"), at=at).reason == "decide.objection"
    assert answer(STRICT, *here, S, at=at).verdict is Verdict.DENY
    assert answer(STRICT, *here, Category.SOMATIC_HEALTH, at=at).row == f"{flow}a/{version}"


def test_a_switched_flow_replaces_its_strict_rows_and_no_others() -> None:
    approval = Approval(("Kari", "Per"), date(2026, 1, 1), "sak", of=STRICT.form_digest("L21"))
    pack = STRICT.switched({"L21": approval})

    assert {row.ref for row in STRICT.rows} ^ {row.ref for row in pack.rows} == {
        *("L21/1", "L21/2", "L21a/1", "L21a/2", "L21b/1"),
    }
    assert {row.status for row in pack.of_flow("L21")} == {Status.APPROVED}
    assert pack.digest != STRICT.digest
    assert pack.switched({}) == STRICT
    assert STRICT.switched({"L21": replace(approval, of="of another text")}) == STRICT


def test_no_pair_of_flows_switched_on_makes_two_rows_answer_one_question() -> None:
    """The loader says so of the files; this asks the rows themselves, all 2^n mixtures in one go."""
    rows = {row.ref: row for pack in PACKS.values() for row in everything(pack)}
    seen: dict[tuple[object, ...], Row] = {}
    for row in rows.values():
        if row.effect is Effect.PROHIBIT or row.fields != (ANY,):
            continue
        for s in row.senders:
            for r in row.recipients:
                for p in row.purposes:
                    for c in row.categories:
                        other = seen.setdefault((s, r, p, c), row)
                        assert other.flow == row.flow, (other.ref, row.ref)


def test_nothing_that_is_added_later_is_permitted_before_a_row_names_it() -> None:
    """A wildcard may stand only in a prohibition."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(POLICY.glob("*.yaml")))
    for block in text.split("\n  - id: ")[1:]:
        if "effect: PROHIBIT" not in block:
            selectors = [
                line
                for line in block.splitlines()
                if line.strip().startswith(("from", "to", "purpose", "categ"))
            ]
            assert not any('"*"' in line for line in selectors), block[:10]


def test_no_row_but_these_names_control_offence_or_risk() -> None:
    named = {
        row.id
        for pack in PACKS.values()
        for row in pack.rows
        if row.effect is not Effect.PROHIBIT
        and row.categories & {Category.CONTROL, Category.OFFENCE, Category.RISK}
    }

    assert named == {"L37"}


def test_who_can_punish_collects_no_consent_for_the_cases() -> None:
    for pack in PACKS.values():
        for row in everything(pack):
            assert not row.requires.recorders & CONTROL_SECTORS


FILES = sorted(POLICY.glob("*.yaml"))
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in FILES}


def decisions(pack: Pack) -> dict[str, tuple[object, ...]]:
    """Everything of the deciding rows that a decision can depend on."""
    return {
        row.ref: (
            row.senders, row.recipients, row.purposes, row.categories, row.fields, row.effect, row.requires,
            row.override, row.obligations, row.valid_from, row.valid_to, row.known_from,
        )
        for row in pack.rows
    }  # one row per case # fmt: skip


SHIPPED = {form: decisions(pack) for form, pack in PACKS.items()}
PIECES = [
    *("", " ", "\n", "#", "-", ":", ",", "[", "]", "{", "}", "*", "&", "!", '"', "'", "~", "?", "\t", "\x00"),
    *("a", "0", "1", "yes", "null", "\u2028", "\\uD800", "\\U00110000", "æ", "true", "false", "2024-01-01"),
    *("PROHIBIT", "DUTY", "CONSENT", "draft", "approved", "substance_use", "gp", "only: strict"),
]


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, str]:
    """A shipped file with one or two things done to it: at a letter, a word, a line, a whole row."""
    name = draw(st.sampled_from(sorted(TEXTS)))
    text = TEXTS[name]
    chance = random.Random(draw(st.integers(0, 2**32)))  # a place in a long file; shrinking it says nothing
    for _ in range(draw(st.integers(1, 2))):
        kind = draw(st.sampled_from(["letter", "word", "line", "swap", "double", "row", "cut"]))
        lines = text.split("\n")
        at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        words = lines[at].split(" ")
        match kind:
            case "letter":
                place = chance.randrange(len(text))
                text = text[:place] + draw(st.sampled_from(PIECES)) + text[place + chance.randrange(3) :]
            case "word":
                words[chance.randrange(len(words))] = draw(st.sampled_from(PIECES))
                text = "\n".join([*lines[:at], " ".join(words), *lines[at + 1 :]])
            case "line":
                text = "\n".join([*lines[:at], *lines[at + 1 :]])
            case "swap":
                lines[at], lines[other] = lines[other], lines[at]
                text = "\n".join(lines)
            case "double":
                text = "\n".join([*lines[:at], lines[at], *lines[at:]])
            case "row":
                rows = text.split("\n  - id: ")
                text = "\n  - id: ".join(row for i, row in enumerate(rows) if i != 1 + at % (len(rows) - 1))
            case "cut":
                text = text[: chance.randrange(len(text))]
    return name, text


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mutated())
def test_an_edited_file_decides_the_same_or_is_refused(tmp_path: Path, edit: tuple[str, str]) -> None:
    for path in FILES:
        shutil.copy(path, tmp_path / path.name)
    (tmp_path / edit[0]).write_text(edit[1], encoding="utf-8")

    try:
        pack = load_pack("strict", tmp_path)
    except HubError as refused:
        # Anything but policy.invalid, with what to mend, would be a fault of ours.
        problem = (refused.code, bool(refused.findings))
    else:
        problem = ("policy.invalid", decisions(pack) == SHIPPED[Form.STRICT])
    assert problem == ("policy.invalid", True)
