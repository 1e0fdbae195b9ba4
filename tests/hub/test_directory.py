"""Understands that a directory file is taken whole or refused with every fault."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from hub.directory import load_directory
from hub.errors import Finding, HubError
from hub.message import Category, Sector
from tests.hub.fakes import CANARY

GOOD = """
agencies:
  - org: "310000108"
    name: Fjordheim fengsel
    sector: prison
  - org: "310000116"
    name: NAV Lia
    sector: nav_municipal
    kommuner: ["9901"]
    serves: ["310000108"]
    formats: {nav.sak: "json:nav.sak"}
    door: webhook
    reveals: [custody]
    reading: lenient
    her: ["8143001", "90"]
    webhook: {url: "https://nav.example/inn", secret_file: nav.secret}
    amqp: k3v9q2m7x1pd
"""


def write(folder: Path, text: str) -> Path:
    (folder / "nav.secret").write_text("whsec_" + base64.b64encode(b"s" * 24).decode() + "\n")
    (folder / "directory.yaml").write_text(text)
    return folder / "directory.yaml"


def faults(folder: Path, text: str) -> tuple[Finding, ...]:
    with pytest.raises(HubError) as refused:
        load_directory(write(folder, text))
    assert refused.value.code == "settings.invalid"
    assert CANARY not in repr(refused.value.findings)
    return refused.value.findings


def test_an_agency_has_what_its_entry_says(tmp_path: Path) -> None:
    parties = load_directory(write(tmp_path, GOOD))

    nav = parties["310000116"]
    assert parties["310000108"].agency.door == "inbox"
    assert (nav.agency.sector, nav.agency.kommuner) == (Sector.NAV_MUNICIPAL, ("9901",))
    assert nav.agency.serves == ("310000108",)
    assert nav.agency.formats == {"nav.sak": "json:nav.sak"}
    assert nav.agency.reveals == {Category.CUSTODY}
    assert (nav.agency.reading, parties["310000108"].agency.reading) == ("lenient", "strict")
    assert nav.webhook is not None
    assert (nav.webhook.url, nav.webhook.secret) == ("https://nav.example/inn", b"s" * 24)
    assert nav.amqp == "k3v9q2m7x1pd"
    assert nav.agency.her == ("8143001", "90")
    assert "ssss" not in repr(nav)


@pytest.mark.parametrize(
    ("her", "rule"),
    [
        ("8143001", "number"),
        ("[8143001]", "number"),
        ('["0143001"]', "number"),
        ('["8143001", "1234567890"]', "number"),
        ('["81 43"]', "number"),
        ('["1", "1"]', "unique"),
        ('["7", "90"]', "unique"),
    ],
)
def test_a_her_id_is_a_number_and_one_agencys(tmp_path: Path, her: str, rule: str) -> None:
    entry = f"""  - org: "310000043"
    name: Tre
    sector: gp
    her: {her}
"""

    assert [(found.at, found.rule) for found in faults(tmp_path, GOOD + entry)] == [("agencies[2].her", rule)]


def test_every_fault_is_found_at_once(tmp_path: Path) -> None:
    text = f"""
agencies:
  - org: "310000109"
    name: ""
    sector: {CANARY}
    {CANARY}: yes
  - org: 310000116
    name: To
    sector: gp
    kommuner: [9901, "990"]
    serves: ["310000109"]
    door: {CANARY}
    reveals: custody
    webhook: {{url: "http://{CANARY}.example/", secret_file: missing}}
    amqp: NAV
  - {CANARY}
"""

    assert {finding.at for finding in faults(tmp_path, text)} == {
        "agencies[0].org",
        "agencies[0].name",
        "agencies[0].sector",
        "agencies[0].(unknown 1)",
        "agencies[1].org",
        "agencies[1].kommuner[0]",
        "agencies[1].kommuner[1]",
        "agencies[1].serves[0]",
        "agencies[1].door",
        "agencies[1].reveals",
        "agencies[1].webhook.url",
        "agencies[1].webhook.secret_file",
        "agencies[1].amqp",
        "agencies[2]",
    }


@pytest.mark.parametrize(
    ("old", "new", "at"),
    [
        ('"310000116"', '"310000108"', "agencies[1].org"),
        ("NAV Lia", "Fjordheim fengsel", "agencies[1].name"),
        ("sector: prison\n", "sector: prison\n    amqp: k3v9q2m7x1pd\n", "agencies[1].amqp"),
        ("sector: prison\n", "sector: prison\n    door: amqp\n", "agencies[0].amqp"),
        ("sector: prison\n", "sector: prison\n    door: webhook\n", "agencies[0].webhook"),
        ("    sector: prison\n", "", "agencies[0].sector"),
        ("sector: prison\n", "sector: outside\n", "agencies[0].sector"),
        ("sector: prison\n", "sector: prison\n    sector: gp\n", "directory"),
        ("agencies:", "agencies: [", "directory"),
        ("agencies:", "!!python/object:os.system\nagencies:", "directory"),
        ("agencies:", "more: 1\nagencies:", "directory"),
        ("nav.secret", "../directory.yaml", "agencies[1].webhook.secret_file"),
    ],
)
def test_one_fault_is_enough_to_refuse_the_file(tmp_path: Path, old: str, new: str, at: str) -> None:
    assert [finding.at for finding in faults(tmp_path, GOOD.replace(old, new, 1))] == [at]


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(HubError) as refused:
        load_directory(tmp_path / "none.yaml")

    assert refused.value.code == "settings.invalid"


def test_a_service_type_of_the_register_tells_what_the_agency_does(tmp_path: Path) -> None:
    def told(services: str) -> frozenset[Category]:
        text = GOOD.replace("reveals: [custody]", f"reveals: [custody]\n    services: {services}")
        return load_directory(write(tmp_path, text))["310000116"].agency.labels

    assert told('["R"]') == {Category.CUSTODY, Category.SUBSTANCE_USE}
    assert told('["L", "R"]') >= {Category.SUBSTANCE_USE}
    assert told('["L"]') == {Category.CUSTODY}


def test_a_service_type_that_is_none_is_refused(tmp_path: Path) -> None:
    for services in ("R", "[1]", '["rus"]'):
        text = GOOD.replace("reveals: [custody]", f"services: {services}")
        assert "agencies[1].services" in {finding.at for finding in faults(tmp_path, text)}
