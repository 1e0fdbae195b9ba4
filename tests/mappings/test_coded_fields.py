"""Understands that no clinical code hides in a field that tells a theme, a role or a service."""

from __future__ import annotations

import pytest

from consent.labels import label, load_codes
from hub.message import Category, Record
from mappings.fields import Kind
from mappings.types import load_types

TYPES = load_types()
NAMES = ("dialogmelding", "henvisning", "pleie.rapport", "pleie.soknad")
LIST = "urn:oid:2.16.578.1.12.4.1.1."
CLINICAL = [*(f"{LIST}{number}" for number in (7110, 7170, 7180, 7280)), "urn:oid:2.16.840.1.113883.6.96"]


@pytest.mark.parametrize("name", NAMES)
def test_every_code_is_clinical_or_its_system_is_not(name: str) -> None:
    spec = TYPES[name]
    found = 0
    for field in spec.scalars:
        code = spec.by_path.get(field.path.rpartition(".")[0] + ".kode")
        if field.name != "system" or code is None or code.kind is Kind.CODED:
            continue
        found += 1
        assert [system for system in CLINICAL if field.fault(system) is None] == [], field.path
        assert field.fault(f"{LIST}7322") is None
    assert found > 2


def test_a_theme_in_a_clinical_system_is_refused() -> None:
    theme = {"kode": "P19", "system": f"{LIST}7170"}
    fields = {
        "melding": {"id": "m", "sendt": "2030-01-02T03:04:05Z"},
        "meldingstype": "DIALOG_NOTAT",
        "notater": [{"tema": theme}],
    }

    found = [(finding.at, finding.rule) for finding in TYPES["dialogmelding"].check(fields)]

    assert found == [("notater[0].tema.system", "pattern")]


def test_a_clinical_code_without_its_system_tells_what_it_may_tell() -> None:
    spec = TYPES["henvisning"]
    record = Record(
        "henvisning", {"diagnoser": [{"kode": "P19"}], "kommentarer": [{"koder": [{"kode": "X1"}]}]}
    )

    told = {item.path: item.categories for item in label(record, spec.leaves(record), load_codes()).items}

    assert Category.SUBSTANCE_USE in told["diagnoser[0].kode"]
    assert Category.UNKNOWN in told["kommentarer[0].koder[0].kode"]


def test_a_clinical_code_says_its_system_to_who_labels_it() -> None:
    record = Record("henvisning", {"kommentarer": [{"koder": [{"kode": "P19", "system": f"{LIST}7170"}]}]})

    leaves = {leaf.path: leaf for leaf in TYPES["henvisning"].leaves(record)}

    code = leaves["kommentarer[0].koder[0].kode"]
    assert code.code_system == f"{LIST}7170"
    assert code.labels == {Category.SOMATIC_HEALTH}
