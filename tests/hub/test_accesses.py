"""Understands that a person can be told who got something about them, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from sqlalchemy import select, update

from adapters.fhir_audit import write_audit
from hub.accesses import of_person
from hub.demo.world import PERSON as CITIZEN
from hub.errors import HubError
from hub.store.disclosures import State
from hub.store.schema import audit_leaf, disclosure
from tests.hub.bench import Bench, number, withdrawal
from tests.hub.cli.conftest import Said
from tests.hub.cli.conftest import bro as bro
from tests.hub.cli.conftest import installed as installed
from tests.hub.cli.installation import CANARY, NAV, PERSON, PRISON, Installation

Bro = Callable[..., Said]


def handed_over(installed: Installation) -> None:
    installed.consent()
    installed.mapping()
    for item in installed.to_nav(State.QUEUED):
        installed.attempt(item)
    assert installed.endpoint.got


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "number.txt"
    path.write_text(PERSON)
    return str(path)


def test_a_hand_over_is_told_with_who_when_and_what_for(installed: Installation) -> None:
    handed_over(installed)

    found = of_person(installed.parts, PERSON)

    assert len(found) == len(installed.endpoint.got)
    for one in found:
        assert (one.sender, one.recipient, one.type) == (PRISON, NAV, "brik.kartlegging")
        assert (one.purpose, one.certain) == ("return_to_society", True)
        assert abs((one.at - installed.clock.at).total_seconds()) < 1


def test_what_did_not_go_is_not_told(installed: Installation, bro: Bro, file: str) -> None:
    installed.mapping()

    assert of_person(installed.parts, PERSON) == []
    assert bro("person", "accesses", file).out.strip() == "Nobody got anything."


def test_a_withdrawal_leaves_no_trace_in_what_is_told(installed: Installation) -> None:
    handed_over(installed)
    before = of_person(installed.parts, PERSON)

    installed.withdraw()
    installed.mapping(2)

    assert of_person(installed.parts, PERSON) == before


def test_that_a_recipient_was_told_of_a_withdrawal_is_not_told(bench: Bench) -> None:
    """Nor by whom the consent was recorded, which the notice itself does not say. The notice is handed over
    for certain first, and then as one of which the answer got lost."""
    bench.post("prison_health", "samtykke-bolig.json")
    bench.post("prison", "brik.xml")
    bench.drain()
    before = of_person(bench.parts, CITIZEN)
    bench.post("prison_health", withdrawal("skjema-1-bolig", "trukket"))
    bench.drain()

    noticed = [row for row in bench.rows() if row.agreement == "samtykke-trukket-bolig"]
    with bench.parts.store.reading() as view:
        proved = view.scalars(select(audit_leaf.c.disclosure_id)).all()
    after = of_person(bench.parts, CITIZEN)
    agreements = tuple(a for a in bench.parts.agreements if a.route != "hub")
    gone = of_person(replace(bench.parts, agreements=agreements), CITIZEN)
    with bench.parts.store.writing() as tx:
        lost = disclosure.c.id == noticed[0].id
        tx.execute(update(disclosure).where(lost).values(uncertain_at=bench.clock()))
    uncertain = of_person(bench.parts, CITIZEN)

    assert [row.handed_over_at is not None and row.id in proved for row in noticed] == [True]
    assert len(before) > 0
    assert after == gone == uncertain == before


def test_as_fhir_it_is_valid_and_holds_nothing_of_the_content(
    installed: Installation, bro: Bro, file: str
) -> None:
    handed_over(installed)

    said = bro("person", "accesses", file, "--fhir")
    bundle: Any = json.loads(said.out)

    Bundle.model_validate(bundle)
    assert {entry["resource"]["resourceType"] for entry in bundle["entry"]} == {"AuditEvent"}
    event = bundle["entry"][0]["resource"]
    assert [agent["who"]["identifier"]["value"] for agent in event["agent"]] == [PRISON, NAV]
    assert event["entity"][0]["what"]["identifier"]["value"] == PERSON
    assert CANARY not in said.out
    assert "arbeid" not in said.out


def test_as_a_table_it_holds_no_number_of_a_person(installed: Installation, bro: Bro, file: str) -> None:
    handed_over(installed)

    for more in ((), ("--json",)):
        said = bro("person", "accesses", file, *more)
        assert said.code == 0
        assert NAV in said.out
        assert PERSON not in said.out


def test_whom_nobody_knows_has_no_accesses(installed: Installation, bro: Bro, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text(number(7))

    with pytest.raises(HubError) as refused:
        of_person(installed.parts, number(7))
    assert refused.value.code == "hub.no-such-person"
    assert bro("person", "accesses", str(other)).code == 2


def test_a_slip_in_the_number_is_told_as_that(installed: Installation, bro: Bro, tmp_path: Path) -> None:
    handed_over(installed)
    other = tmp_path / "other.txt"
    other.write_text(f"{PERSON[:-1]}{(int(PERSON[-1]) + 1) % 10}")

    for command in (("person", "accesses"), ("person", "show"), ("request", "list")):
        said = bro(*command, str(other))

        assert (said.code, said.out) == (2, "")
        assert "receive.request-invalid" in said.err
        assert "FILE: expected an identity number with valid check digits" in said.err
        assert "Put the number in the file right" in said.err


def test_what_may_have_come_is_told_as_that(installed: Installation) -> None:
    installed.consent()
    installed.mapping()
    with installed.parts.store.writing() as tx:
        tx.execute(update(disclosure).values(uncertain_at=installed.clock.at))

    found = of_person(installed.parts, PERSON)

    assert found
    assert not any(one.certain for one in found)
    outcomes = {entry["resource"]["outcome"] for entry in _entries(write_audit(PERSON, found))}
    assert outcomes == {"4"}


def test_what_an_agreement_carried_is_told_after_the_agreement_is_gone(installed: Installation) -> None:
    handed_over(installed)

    found = of_person(replace(installed.parts, agreements=()), PERSON)

    assert [one.purpose for one in found] == [None] * len(found)
    assert found
    Bundle.model_validate(write_audit(PERSON, found))


def _entries(bundle: Any) -> Any:
    return bundle["entry"]


def test_nothing_is_a_valid_bundle_too() -> None:
    Bundle.model_validate(write_audit(PERSON, []))
