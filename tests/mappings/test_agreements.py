from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.errors import HubError
from hub.message import CONTROL_SECTORS, HEALTH_SECTORS, Basis, Category, Sector
from mappings.agreements import Agreement, load_agreements
from mappings.engine import coverage, run_examples
from mappings.types import HERE, load_types

TYPES = load_types()
AGREEMENTS = {agreement.id: agreement for agreement in load_agreements(TYPES)}


def carried_labels(agreement: Agreement) -> frozenset[Category]:
    source = TYPES[agreement.source.type]
    return frozenset().union(*(source.field(path).labels for path in agreement.carries))


@pytest.mark.parametrize("agreement", AGREEMENTS.values(), ids=lambda agreement: agreement.id)
def test_every_example_holds(agreement: Agreement) -> None:
    assert run_examples(agreement, TYPES) == ()


@pytest.mark.parametrize("agreement", AGREEMENTS.values(), ids=lambda agreement: agreement.id)
def test_every_source_field_is_carried_or_dropped_for_a_reason(agreement: Agreement) -> None:
    for field in coverage(agreement, TYPES):
        assert bool(field.carried_to) != bool(field.dropped), field.path


@pytest.mark.parametrize("agreement", AGREEMENTS.values(), ids=lambda agreement: agreement.id)
def test_the_number_of_the_person_goes_with_every_message_that_has_it(agreement: Agreement) -> None:
    assert "person.id" in agreement.carries


@pytest.mark.parametrize("sector", [Sector.NAV_MUNICIPAL, Sector.MUNICIPALITY_HOUSING, Sector.EDUCATION])
def test_nav_housing_and_school_can_get_nothing_about_substance_use_or_health(sector: Sector) -> None:
    never = {Category.SUBSTANCE_USE, Category.MENTAL_HEALTH, Category.SOMATIC_HEALTH, Category.OFFENCE}
    concerned = [agreement for agreement in AGREEMENTS.values() if agreement.target.sector is sector]

    assert concerned
    for agreement in concerned:
        assert not carried_labels(agreement) & never, agreement.id


def test_control_roles_can_get_nothing_about_substance_use_or_health() -> None:
    never = {Category.SUBSTANCE_USE, Category.MENTAL_HEALTH, Category.SOMATIC_HEALTH}
    for agreement in AGREEMENTS.values():
        if agreement.target.sector in CONTROL_SECTORS:
            assert not carried_labels(agreement) & never, agreement.id


def test_a_control_role_sees_no_receipt_of_what_may_hold_substance_use() -> None:
    for agreement in AGREEMENTS.values():
        told = carried_labels(agreement) | agreement.reveals
        if agreement.source.sectors & CONTROL_SECTORS and Category.SUBSTANCE_USE in told:
            assert not agreement.sender_sees, agreement.id


def test_no_health_service_receipts_to_a_control_role() -> None:
    for agreement in AGREEMENTS.values():
        if agreement.source.type == "kvittering" and agreement.target.sector in CONTROL_SECTORS:
            assert not agreement.source.sectors & {Sector.TSB, Sector.PRISON_HEALTH, Sector.GP}


def test_free_text_goes_to_health_services_the_housing_remark_and_the_persons_own_application_only() -> None:
    outside = {
        (agreement.id, path)
        for agreement in AGREEMENTS.values()
        for path in agreement.carries
        if TYPES[agreement.source.type].field(path).free_text
        and agreement.target.sector not in HEALTH_SECTORS
        and agreement.basis is not Basis.OWN_APPLICATION
    }

    assert outside == {("brik-bolig-foresporsel", "bolig.merknad")}


def test_what_a_person_applied_for_moves_between_the_parts_of_nav_only() -> None:
    nav = {Sector.NAV_STATE, Sector.NAV_MUNICIPAL}
    own = [a for a in AGREEMENTS.values() if a.basis is Basis.OWN_APPLICATION]

    assert {a.id for a in own} == {"digisos-soknad-kommune", "digisos-soker-nav", "digisos-vedlegg-kommune"}
    assert all({*a.source.sectors, a.target.sector} <= nav for a in own)


def test_a_kommune_decides_who_gets_a_mapping() -> None:
    assert AGREEMENTS["brik-nav-sak"].kommune_path == "kommuner.opphold"
    assert AGREEMENTS["brik-tsb-henvisning"].kommune_path == "kommuner.folkeregistrert"
    assert AGREEMENTS["brik-helse-kontakt"].kommune_path is None


TYPE = """
type: {name}
version: 1
title: {{nb: Tittel, en: Title}}
description: {{nb: Om, en: About}}
senders: [prison, probation]
person: none
fields:
  krav: {{kind: code, required: {required}, labels: [housing], codes: {codes}, nb: Krav, en: Claim}}
  ord: {{kind: text, labels: [housing], max: {most}, nb: Ord, en: Word}}
  fri: {{kind: {fri}, labels: [{label}], nb: Fri, en: Free}}
  tall: {{kind: integer, labels: [housing], min: 0, max: 9, nb: Tall, en: Number}}
  hemmelig: {{kind: text, labels: [protected_address], nb: Skjult, en: Hidden}}
  liste: {{kind: integer, many: true, labels: [housing], nb: Liste, en: List}}
  sted: {{kind: kommunenummer, labels: [housing], nb: Sted, en: Place}}
"""

GOOD = """
agreement: fra-til
version: 1
title: {nb: Tittel, en: Title}
from: {sector: [prison], type: fra}
to: {sector: nav_municipal, type: til}
route: "kommune:sted"
purpose: housing
basis: consent
row: L05
reveals: [custody]
wait_days: 0
sender_sees: true
fields:
  krav: {from: krav, table: {a: x, b: z}}
  ord: {from: ord}
  tall: {from: tall}
  liste: {from: liste}
dropped:
  fri: "Nobody needs these words to decide."
  hemmelig: "Nobody needs these words to decide."
  sted: "Nobody needs this place to decide."
examples:
  - {name: whole, given: {krav: a, ord: Hei}, gives: {krav: x, ord: Hei}}
  - {name: less, given: {krav: a}, gives: {krav: x}}
"""


def load(folder: Path, text: str, **source: str) -> tuple[Agreement, ...]:
    types, agreements = folder / "types", folder / "agreements"
    for made in (types, agreements):
        made.mkdir()
    base = {"required": "true", "most": "20", "fri": "free_text", "label": "housing"}
    a = TYPE.format(**{**base, "name": "fra", "codes": "{a: {nb: Ja, en: A}, b: {nb: Nei, en: B}}", **source})
    z = TYPE.format(**{**base, "name": "til", "codes": "{x: {nb: Ja, en: X}, z: {nb: Nei, en: Z}}"})
    (types / "fra.yaml").write_text(a, encoding="utf-8")
    (types / "til.yaml").write_text(z, encoding="utf-8")
    (agreements / "fra-til.yaml").write_text(text, encoding="utf-8")
    return load_agreements(load_types(types), agreements)


def test_a_small_agreement_is_read(tmp_path: Path) -> None:
    (agreement,) = load(tmp_path, GOOD)

    assert agreement.carries == {"krav", "ord", "tall", "liste"}
    assert agreement.why_dropped("fri") == "Nobody needs these words to decide."


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('  fri: "Nobody needs these words to decide."\n', "", "map.uncovered"),
        ('fri: "Nobody needs these words to decide."', "fri: nei", "map.reason"),
        ("dropped:\n", 'dropped:\n  ord: "Nobody needs these words to decide."\n', "map.carried-and-dropped"),
        ("dropped:\n", 'dropped:\n  borte: "Nobody needs these words to decide."\n', "map.path"),
        ("ord: {from: ord}", "ord: {from: borte}", "map.path"),
        ("  ord: {from: ord}", "  borte: {from: ord}", "map.path"),
        ("  ord: {from: ord}", "  melding.id: {from: ord}", "map.path"),
        ("  krav: {from: krav, table: {a: x, b: z}}\n", "", "map.required"),
        (", table: {a: x, b: z}", "", "map.table"),
        ("table: {a: x, b: z}", "table: {a: x}", "map.table"),
        ("table: {a: x, b: z}", "table: {a: x, b: y1}", "map.table"),
        ("ord: {from: ord}", "ord: {from: fri}", "map.kind"),
        ("ord: {from: ord}", "ord: {from: tall}", "map.kind"),
        ("ord: {from: ord}", "ord: {from: tall, using: day-of}", "map.converter"),
        ("ord: {from: ord}", "ord: {from: tall, using: magic}", "map.converter"),
        ("tall: {from: tall}", "tall: {from: liste}", "map.list"),
        ("tall: {from: tall}", "tall: {constant: 99}", "map.constant"),
        ("tall: {from: tall}", "tall: {from: tall, constant: 1}", "map.carry"),
        ("tall: {from: tall}", "tall: {header: passord}", "map.header"),
        ("tall: {from: tall}", "tall: {from: tall, tabel: x}", "map.unknown-key"),
        ("  ord: {from: ord}", "  hemmelig: {from: hemmelig}", "map.protected-address"),
        ("sector: [prison]", "sector: [gp]", "map.sender"),
        ("sector: [prison]", "sector: [jail]", "map.word"),
        ("type: fra}", "type: borte}", "map.word"),
        ("purpose: housing", "purpose: curiosity", "map.word"),
        ("basis: consent", "basis: habit", "map.word"),
        ("row: L05", "row: five", "map.row"),
        ('"kommune:sted"', '"kommune:ord"', "map.path"),
        ('"kommune:sted"', "everywhere", "map.word"),
        ("reveals: [custody]", "reveals: [substance_use]", "map.sender-sees"),
        ("reveals: [custody]\n", "", "map.missing"),
        ("sender_sees: true\n", "", "map.missing"),
        ("wait_days: 0\n", "", "map.missing"),
        ("wait_days: 0", "wait_days: 0\nexpects: {type: borte, within_days: 1}", "map.word"),
        ("  - {name: less, given: {krav: a}, gives: {krav: x}}\n", "", "map.example"),
        ("gives: {krav: x}}", "gives: {krav: x}, fails: x}", "map.example"),
        ("name: less", "name: whole", "map.example"),
        ("agreement: fra-til", "agreement: annet", "map.name"),
        ("version: 1", "version: NO", "yaml.ambiguous"),
    ],
)
def test_a_wrong_agreement_is_refused(tmp_path: Path, old: str, new: str, rule: str) -> None:
    assert old in GOOD

    with pytest.raises(HubError) as refused:
        load(tmp_path, GOOD.replace(old, new))

    assert refused.value.code == "map.invalid"
    assert rule in {finding.rule for finding in refused.value.findings}


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ({"most": "21"}, "map.length"),
        ({"label": "substance_use", "fri": "text"}, "map.label-lost"),
    ],
)
def test_a_target_with_less_room_or_fewer_labels_is_refused(
    tmp_path: Path, source: dict[str, Any], rule: str
) -> None:
    text = GOOD.replace("ord: {from: ord}", "ord: {from: fri}") if "label" in source else GOOD

    with pytest.raises(HubError) as refused:
        load(tmp_path, text, **source)

    assert rule in {finding.rule for finding in refused.value.findings}


def test_two_agreements_for_the_same_sectors_and_types_are_refused(tmp_path: Path) -> None:
    (tmp_path / "brik-nav-sak.yaml").write_text((HERE / "agreements" / "brik-nav-sak.yaml").read_text())
    again = (HERE / "agreements" / "brik-nav-sak.yaml").read_text().replace("brik-nav-sak", "annen")
    (tmp_path / "annen.yaml").write_text(again)

    with pytest.raises(HubError) as refused:
        load_agreements(TYPES, tmp_path)

    assert {finding.rule for finding in refused.value.findings} == {"map.twice"}
