"""Understands that a referral in FHIR carries AUDIT and DUDIT answer by answer, and nothing unread."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import adapters
from adapters.fhir_tsb.adapter import ADAPTERS
from adapters.fhir_tsb.reading import LEFT
from hub.errors import HubError
from hub.message import Record

ADAPTER = ADAPTERS[0]
FOLDER = Path(adapters.__file__).parent / "fhir_tsb"
EXAMPLE = (FOLDER / "examples/henvisning.json").read_bytes()
FORM = "urn:brobygger:questionnaire:"


def bundle() -> Any:
    return json.loads(EXAMPLE)


def resource(document: Any, kind: str) -> Any:
    return next(e["resource"] for e in document["entry"] if e["resource"]["resourceType"] == kind)


def form(document: Any, name: str) -> Any:
    return next(
        e["resource"]
        for e in document["entry"]
        if e["resource"].get("questionnaire", "").startswith(FORM + name)
    )


def parse(document: Any) -> Record:
    return ADAPTER.parse(json.dumps(document).encode())


def test_audit_and_dudit_are_questionnaire_responses_with_every_answer() -> None:
    record = parse(bundle())

    for name in ("AUDIT", "DUDIT"):
        items = form(bundle(), name)["item"]
        answers = [item["answer"][0]["valueInteger"] for item in items]
        assert answers == [*record.get(f"rus.{name.lower()}.svar"), record.get(f"rus.{name.lower()}.sum")]
    assert record.get("rus.audit.sum") == 22
    assert record.get("rus.dudit.sum") == 31


def test_a_referral_without_screening_has_no_trace_of_one() -> None:
    record = parse(bundle())
    rus = {name: value for name, value in record.fields["rus"].items() if name not in ("audit", "dudit")}

    body = ADAPTER.render(Record(record.type, {**record.fields, "rus": rus})).decode()

    assert "AUDIT" not in body
    assert "DUDIT" not in body


REFUSED: dict[str, tuple[Callable[[Any], object], str]] = {
    "an answer left out": (lambda d: form(d, "AUDIT")["item"].pop(4), "item[4].linkId"),
    "answers out of order": (lambda d: form(d, "AUDIT")["item"].reverse(), "item[1].linkId"),
    "an answer twice": (lambda d: form(d, "AUDIT")["item"].append(form(d, "AUDIT")["item"][0]), "linkId"),
    "a sum twice": (lambda d: form(d, "AUDIT")["item"].append(form(d, "AUDIT")["item"][10]), "linkId"),
    "an answer in words": (
        lambda d: form(d, "AUDIT")["item"][0].update(answer=[{"valueString": "aldri"}]), "answer[0]",
    ),
    "two answers to one question": (
        lambda d: form(d, "AUDIT")["item"][0]["answer"].append({"valueInteger": 1}), "answer",
    ),
    "a screening twice": (
        lambda d: form(d, "DUDIT").update(questionnaire=FORM + "AUDIT|1.0"), "resource",
    ),
    "a screening that is not completed": (
        lambda d: form(d, "AUDIT").update(status="in-progress"), "status",
    ),
    "an unknown form": (lambda d: form(d, "AUDIT").update(questionnaire="urn:x"), "questionnaire"),
    "an unknown question": (
        lambda d: form(d, "tsb.henvisning")["item"][0].update(linkId="rus.annet"), "item[0].linkId",
    ),
    "a question twice": (
        lambda d: form(d, "tsb.henvisning")["item"].append(form(d, "tsb.henvisning")["item"][0]), "item",
    ),
    "a yes-or-no answered in words": (
        lambda d: form(d, "tsb.henvisning")["item"][1].update(answer=[{"valueString": "ja"}]), "answer[0]",
    ),
    "another event": (
        lambda d: resource(d, "MessageHeader")["eventCoding"].update(code="epikrise"), "eventCoding.code",
    ),
    "another service": (
        lambda d: resource(d, "ServiceRequest")["code"]["coding"][0].update(code="365"), "code",
    ),
    "a revoked request": (lambda d: resource(d, "ServiceRequest").update(status="revoked"), "status"),
    "do not perform": (lambda d: resource(d, "ServiceRequest").update(doNotPerform=True), "doNotPerform"),
    "words that say more than the service": (
        lambda d: resource(d, "ServiceRequest")["code"].update(text="haster"), "resource.code.text",
    ),
    "words that say more than the service and its display": (
        lambda d: resource(d, "ServiceRequest")["code"].update(
            text="haster", coding=[{**resource(d, "ServiceRequest")["code"]["coding"][0], "display": "TSB"}]
        ),
        "resource.code.text",
    ),
    "words that say more than the role": (
        lambda d: resource(d, "PractitionerRole")["code"][0].update(text="vikar"), "resource.code[0].text",
    ),
    "an author of the note": (
        lambda d: resource(d, "ServiceRequest")["note"][0].update(authorString="x"), "resource.note[0].",
    ),
    "a priority": (lambda d: resource(d, "ServiceRequest").update(priority="urgent"), "resource.priority"),
    "a second note": (
        lambda d: resource(d, "ServiceRequest")["note"].append({"text": "x"}), "note",
    ),
    "somebody else's screening": (
        lambda d: (
            d["entry"].append({"fullUrl": "urn:uuid:p2", "resource": {"resourceType": "Patient"}}),
            form(d, "AUDIT").update(subject={"reference": "urn:uuid:p2"}),
        ),
        "subject",
    ),
    "a destination that is not read": (
        lambda d: resource(d, "MessageHeader").update(destination=[{"endpoint": "urn:x"}]), "destination",
    ),
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("break_it", "where"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_read_exactly_is_refused_with_its_path(
    break_it: Callable[[Any], object], where: str
) -> None:
    document = bundle()
    break_it(document)

    with pytest.raises(HubError) as refused:
        parse(document)

    assert refused.value.code == "parse.invalid"
    assert any(where in finding.at for finding in refused.value.findings)


def test_words_that_say_no_more_than_the_code_are_no_loss() -> None:
    document = bundle()
    role, service = (
        resource(document, "PractitionerRole")["code"][0],
        resource(document, "ServiceRequest")["code"],
    )
    role["text"] = role["coding"][0]["code"].capitalize()
    service["coding"][0]["display"] = service["text"] = "TSB"

    assert parse(document) == parse(bundle())


IDENTIFIER = {"system": "urn:oid:2.16.578.1.12.4.1.4.102", "value": "1"}
UNSAID: dict[str, object] = {
    "active": True, "gender": "unknown", "birthDate": "1990-01-01", "address": [{"city": "Eksempelbyen"}],
    "telecom": [{"system": "phone", "value": "1"}], "maritalStatus": {"text": "x"}, "type": [{"text": "x"}],
    "authoredOn": "2030-01-01", "source": {"display": "x"}, "author": {"display": "x"},
}  # one element per name # fmt: skip


def test_what_is_left_behind_is_no_loss_of_the_record_and_the_readme_says_why() -> None:
    readme = (FOLDER / "README.md").read_text()
    document = bundle()
    for kind, names in LEFT.items():
        for name, reason in names.items():
            assert any(
                line.startswith(f"| {kind} |") and f"`{name}`" in line and line.endswith(f"| {reason} |")
                for line in readme.splitlines()
            ), (kind, name)
            said = resource(document, kind)
            many = kind in ("ServiceRequest", "PractitionerRole", "Organization")
            said.setdefault(name, UNSAID.get(name, [IDENTIFIER] if many else IDENTIFIER))

    assert parse(document) == parse(bundle())
