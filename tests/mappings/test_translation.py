from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import HubError
from hub.message import Agency, Decision, Fields, Permitted, Record, Sector, walk
from mappings.agreements import Agreement, Example, load_agreements
from mappings.converters import CONVERTERS
from mappings.engine import missing_essential, run_examples, translate, translate_record
from mappings.fields import Text
from mappings.rules import Check
from mappings.types import load_types
from tests.mappings.samples import AUDIT, DUDIT, HEADER, MELDING, PERSON, brik, screening

TYPES = load_types()
AGREEMENTS = {agreement.id: agreement for agreement in load_agreements(TYPES)}
SECRET = "kanarifugl"
SAYS = Text("nb", "en")
TOO_LITTLE = "decide.essential-missing"

WHOLE = brik(
    person={"id": PERSON, "navn": "Test Testesen"},
    kommuner={"opphold": "9901", "folkeregistrert": "9901"},
    loslatelse={"planlagt_dato": "2030-05-02", "type": "full_tid", "sikkerhet": "bekreftet"},
    bolig={"behov": "stort", "stottet_boligtype": "bemannet", "merknad": "Nær barna."},
    arbeid={"behov": "noe", "merknad": "Liker verksted."},
    okonomi={"behov": "stort", "inntektskilde": "trygd"},
    utdanning={"behov": "ingen"},
    helse={"onsker_kontakt": True, "behov": "noe"},
    rus={
        "behov": "stort",
        "audit": screening("AUDIT", AUDIT),
        "dudit": screening("DUDIT", DUDIT),
        "merknad": "Ønsker behandling.",
    },
)
RECORD = Record("brik.kartlegging", WHOLE)
PATHS = sorted(path for path, _ in walk(WHOLE))
SOME = st.sets(st.sampled_from(PATHS), max_size=8)
LEFT = SOME | SOME.map(lambda gone: set(PATHS) - gone)
"""What is left after the decision: next to nothing, or nearly all."""
FROM_BRIK = [agreement for agreement in AGREEMENTS.values() if agreement.source.type == "brik.kartlegging"]


def outcome(record: Record, agreement: Agreement) -> Fields | str:
    try:
        return translate_record(record, agreement, TYPES, HEADER).fields
    except HubError as refused:
        return refused.code


def test_the_whole_mapping_fits_its_type() -> None:
    assert TYPES["brik.kartlegging"].check(WHOLE) == ()


def test_the_recipient_gets_a_new_header_and_never_the_senders() -> None:
    recipient = Agency("311010018", "Eksempel NAV", Sector.NAV_MUNICIPAL)
    at = datetime(2030, 2, 2, tzinfo=UTC)
    permitted = Permitted(RECORD, recipient, "brik-nav-sak", Decision((), at))

    made = translate(permitted, AGREEMENTS["brik-nav-sak"], TYPES, HEADER)

    assert made.type == "nav.sak"
    assert made.fields["melding"] == HEADER
    assert made.fields["arbeid"] == {"behov": "middels"}


@pytest.mark.parametrize("agreement", FROM_BRIK, ids=lambda agreement: agreement.id)
@given(left=LEFT)
def test_whatever_is_withheld_the_rest_fits_or_the_message_is_not_sent(
    agreement: Agreement, left: set[str]
) -> None:
    result = outcome(RECORD.only(frozenset(left)), agreement)

    if isinstance(result, str):
        assert result == TOO_LITTLE
    else:
        assert TYPES[agreement.target.type].check(result) == ()


@pytest.mark.parametrize("agreement", FROM_BRIK, ids=lambda agreement: agreement.id)
def test_what_is_dropped_makes_no_difference_to_the_recipient(agreement: Agreement) -> None:
    leaves = TYPES[RECORD.type].leaves(RECORD)
    kept = frozenset(leaf.path for leaf in leaves if leaf.field in agreement.carries)

    assert outcome(RECORD.only(kept), agreement) == outcome(RECORD, agreement)


@pytest.mark.parametrize("agreement", FROM_BRIK, ids=lambda agreement: agreement.id)
@given(left=LEFT)
def test_the_question_whether_enough_is_left_has_the_same_answer_as_the_translation(
    agreement: Agreement, left: set[str]
) -> None:
    record = RECORD.only(frozenset(left))

    asked = missing_essential(agreement, TYPES, record)

    assert asked == (outcome(record, agreement) == TOO_LITTLE)


def test_a_list_closes_up_and_keeps_what_belongs_together() -> None:
    system = "urn:oid:1.2.3"
    codes = ["J30", "J31", "J45"]
    fields = {
        "melding": MELDING,
        "person": {"id": PERSON},
        "dato": "2030-01-01",
        "diagnoser": [{"system": system, "kode": code, "tekst": f"Om {code}"} for code in codes],
    }
    record = Record("epikrise", fields)
    left = frozenset(path for path, _ in walk(fields) if not path.startswith("diagnoser[1]"))

    made = translate_record(record.only(left), AGREEMENTS["epikrise-fastlege"], TYPES, HEADER)

    assert [element["kode"] for element in made.fields["diagnoser"]] == ["J30", "J45"]
    assert [element["tekst"] for element in made.fields["diagnoser"]] == ["Om J30", "Om J45"]


def test_a_value_without_a_translation_is_named_by_its_place_only() -> None:
    fields = copy.deepcopy(WHOLE)
    fields["arbeid"]["behov"] = SECRET

    with pytest.raises(HubError) as refused:
        translate_record(Record("brik.kartlegging", fields), AGREEMENTS["brik-nav-sak"], TYPES, HEADER)

    assert refused.value.code == "translate.unmapped"
    assert [finding.at for finding in refused.value.findings] == ["arbeid.behov"]
    assert SECRET not in repr(refused.value.findings)


@pytest.mark.parametrize(
    ("agreement", "fields", "header", "code"),
    [
        ("brik-nav-sak", WHOLE, {"id": "d-1"}, "render.incomplete"),
        ("brik-bolig-foresporsel", {**WHOLE, "bolig": {"behov": SECRET}}, HEADER, "render.incomplete"),
        ("nav-svar-fengsel", WHOLE, HEADER, "translate.unmapped"),
        ("brik-helse-kontakt", {**WHOLE, "helse": {"onsker_kontakt": False}}, HEADER, TOO_LITTLE),
        ("brik-tsb-henvisning", {**WHOLE, "rus": {"onske": True}}, HEADER, TOO_LITTLE),
    ],
)
def test_a_message_that_cannot_be_made_is_refused_by_code(
    agreement: str, fields: dict[str, Any], header: dict[str, str], code: str
) -> None:
    with pytest.raises(HubError) as refused:
        translate_record(Record("brik.kartlegging", fields), AGREEMENTS[agreement], TYPES, header)

    assert refused.value.code == code
    assert SECRET not in repr(refused.value.findings)


def test_a_receipt_names_the_message_that_its_reader_sent() -> None:
    fields = {
        "melding": {**MELDING, "svar_pa": "d-1"},
        "gjelder": "d-1",
        "status": "mottatt",
    }
    header = {**HEADER, "svar_pa": "m-1"}

    made = translate_record(Record("kvittering", fields), AGREEMENTS["kvittering-fengsel"], TYPES, header)

    assert made.fields["gjelder"] == "m-1"


def test_an_example_that_does_not_hold_is_told_without_its_values() -> None:
    agreement = AGREEMENTS["brik-nav-sak"]
    wrong = copy.deepcopy(agreement.examples[0])
    object.__setattr__(wrong, "gives", {**(wrong.gives or {}), "tema": SECRET})
    changed = copy.copy(agreement)
    object.__setattr__(changed, "examples", (wrong,))

    (failure,) = run_examples(changed, TYPES)

    assert failure.got == "a difference at tema"
    assert SECRET not in repr(failure)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [("day-of", "2030-05-02T23:59:00+02:00", "2030-05-02"), ("in-digits", -7, "-7")],
)
def test_a_converter_says_the_same_in_another_way(name: str, value: object, expected: str) -> None:
    assert CONVERTERS[name].convert(value) == expected


def test_every_converter_is_tested() -> None:
    assert set(CONVERTERS) == {"day-of", "in-digits"}


EXAMPLES = [
    pytest.param(agreement, example, id=f"{agreement.id} {example.name}")
    for agreement in AGREEMENTS.values()
    for example in agreement.examples
    if example.gives is not None
]


@pytest.mark.parametrize(("agreement", "example"), EXAMPLES)
def test_whatever_the_decision_takes_away_the_rest_is_a_message_or_too_little(
    agreement: Agreement, example: Example
) -> None:
    """Never a fault of ours: it would park the queue, and its time tells what was taken."""
    whole = Record(agreement.source.type, {"melding": dict(HEADER), **example.given})
    paths = [path for path, _ in walk(whole.fields) if not path.startswith("melding.")]
    for gone in paths:
        for left in (frozenset(paths) - {gone}, frozenset({gone})):
            told = outcome(whole.only(left | {f"melding.{name}" for name in HEADER}), agreement)
            assert not isinstance(told, str) or told == TOO_LITTLE, (gone, told)


RULES_BETWEEN = {
    "only-when": Check("only-when", SAYS, ("arbeid",), "person.navn", frozenset({"Test Testesen"})),
    "same": Check("same", SAYS, ("kommuner.opphold", "kommuner.opphold", "person.navn")),
    "at-least-one": Check("at-least-one", SAYS, ("person.navn",)),
}


@pytest.mark.parametrize("rule", RULES_BETWEEN)
def test_a_part_that_lost_what_a_rule_of_its_type_goes_by_is_too_little(rule: str) -> None:
    [agreement] = [a for a in FROM_BRIK if a.target.type == "nav.sak"]
    types = {**TYPES, "nav.sak": replace(TYPES["nav.sak"], checks=(RULES_BETWEEN[rule],))}
    left = RECORD.only(frozenset(PATHS) - {"person.navn"})

    with pytest.raises(HubError) as refused:
        translate_record(left, agreement, types, HEADER)

    assert (refused.value.code, {found.rule for found in refused.value.findings}) == (TOO_LITTLE, {rule})
    assert missing_essential(agreement, types, left)
