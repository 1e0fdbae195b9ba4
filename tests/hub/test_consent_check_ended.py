"""Understands what a folder of FHIR files is told of the consents in it that have ended."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from consent import intake
from hub.consent_check import Answer, check_folder
from hub.message import Sector
from mappings.types import load_types
from tests.adapters.consents import ended_r4

TYPES = load_types()
AT = datetime(2026, 12, 1, 12, tzinfo=intake.OSLO)


def told(folder: Path, said: dict[str, Any]) -> Answer:
    (folder / "a.json").write_text(json.dumps(said))
    (answer,) = (one for one in check_folder(folder, TYPES, Sector.GP, AT) if one.place == "a.json")
    return answer


def test_a_permission_that_ended_is_answered_as_the_withdrawal_it_is(tmp_path: Path) -> None:
    answer = told(tmp_path, ended_r4())

    assert (answer.verdict, answer.consent, answer.findings) == ("withdrawal", None, ())
    assert "what was refused stands" in answer.plain()["summary"]["en"][0]
    assert "evaluation" not in answer.plain()


def test_a_refusal_that_ended_is_rejected_with_what_that_means(tmp_path: Path) -> None:
    answer = told(tmp_path, {**ended_r4(), "provision": {"type": "deny"}})

    assert (answer.verdict, answer.code) == ("rejected", "parse.invalid")
    assert [(f.at, f.rule) for f in answer.findings] == [("provision.type", "refusal")]
    assert "a refusal is not lifted" in answer.plain()["reasons"][0]["en"]


def test_what_the_message_type_finds_wrong_is_told_too(tmp_path: Path) -> None:
    said = ended_r4()
    said["patient"]["identifier"]["value"] = "11111111111"

    answer = told(tmp_path, said)

    assert (answer.verdict, [f.at for f in answer.findings]) == ("rejected", ["patient.identifier.value"])


def test_a_notice_is_no_withdrawal_of_anything(tmp_path: Path) -> None:
    said = ended_r4()
    said["identifier"] = [{"system": "urn:brobygger:withdrawal", "value": "n-1"}]

    answer = told(tmp_path, said)

    assert (answer.verdict, [f.at for f in answer.findings]) == ("rejected", ["samtykke.serie"])


def test_who_it_is_about_is_looked_up_in_the_folder(tmp_path: Path) -> None:
    said = ended_r4()
    number = said["patient"]["identifier"]
    said["patient"] = {"reference": "Patient/p"}
    assert told(tmp_path, said).verdict == "rejected"

    (tmp_path / "p.json").write_text(
        json.dumps({"resourceType": "Patient", "id": "p", "identifier": [number]})
    )

    assert told(tmp_path, said).verdict == "withdrawal"
