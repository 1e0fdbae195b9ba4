"""Understands that BRIK as answers and a receipt as a Task say what they say elsewhere, or are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import adapters
from adapters.base import Adapter, Sniff
from adapters.brik_xml.adapter import ADAPTER as BRIK_XML
from adapters.fhir_brik import reading, writing
from adapters.fhir_brik.adapter import ADAPTERS as BRIK
from adapters.fhir_task.adapter import ADAPTERS as TASK
from hub.errors import HubError
from hub.message import Record
from mappings.types import load_types
from tests.mutating import mutated

FOLDER = Path(adapters.__file__).parent
EXAMPLES = {
    BRIK[0]: FOLDER / "fhir_brik/examples/kartlegging.json",
    TASK[0]: FOLDER / "fhir_task/examples/kvittering.json",
}
Break = Callable[[Any], object]


def test_the_example_says_what_the_one_in_xml_says() -> None:
    as_xml = BRIK_XML.parse((FOLDER / "brik_xml/examples/kartlegging.xml").read_bytes())

    assert BRIK[0].parse(EXAMPLES[BRIK[0]].read_bytes()) == as_xml


def test_the_answers_are_the_fields_of_the_message_type() -> None:
    def paths(nodes: Any, above: str = "") -> set[str]:
        found = set()
        for node in nodes:
            here = f"{above}{node.name}"
            found |= paths(node.children.values(), f"{here}.") if node.children else {here}
        return found

    spec = load_types()["brik.kartlegging"]
    of_type = {field.path for field in spec.scalars if field.path.split(".")[0] not in reading.HEADER}

    assert paths(reading.fields().values()) == of_type


@pytest.mark.parametrize(
    ("status", "word"),
    [("received", "mottatt"), ("rejected", "avvist"), ("in-progress", "startet"), ("completed", "avsluttet")],
)
def test_four_statuses_of_a_task_mean_something(status: str, word: str) -> None:
    document = json.loads(EXAMPLES[TASK[0]].read_bytes())
    document["status"] = status

    record = TASK[0].parse(json.dumps(document).encode())

    assert record.get("status") == word
    assert load_types()["kvittering"].check(record.fields) == ()
    assert json.loads(TASK[0].render(record))["status"] == status


@pytest.mark.parametrize(("form", "known"), [(reading.FORM + "|1.0", True), (reading.FORM + "2|1.0", False)])
def test_the_form_is_known_in_every_edition(form: str, known: bool) -> None:
    document = json.loads(EXAMPLES[BRIK[0]].read_bytes())
    example = BRIK[0].parse(json.dumps(document).encode())
    document["questionnaire"] = form
    body = json.dumps(document).encode()

    assert BRIK[0].recognise(Sniff("application/fhir+json", document=document)) is known
    if known:
        assert BRIK[0].parse(body) == example


REFUSED: dict[str, tuple[Adapter, Break, str]] = {
    "answers to a form of a longer name": (
        BRIK[0], lambda d: d.update(questionnaire=reading.FORM + "2"), "questionnaire",
    ),
    "answers that are not complete": (BRIK[0], lambda d: d.update(status="in-progress"), "status"),
    "answers to another form": (BRIK[0], lambda d: d.update(questionnaire="urn:x"), "questionnaire"),
    "an answer to nothing": (BRIK[0], lambda d: d["item"][0].update(linkId="x"), "item[0].linkId"),
    "a part outside its group": (
        BRIK[0],
        lambda d: _item(d, "bolig")["item"][0].update(linkId="rus.behov"),
        "item[8].item[0].linkId",
    ),
    "an answer twice": (BRIK[0], lambda d: d["item"].append(d["item"][0]), "item[14].linkId"),
    "two answers": (
        BRIK[0],
        lambda d: d["item"][0]["answer"].append({"valueString": "x"}),
        "item[0].answer",
    ),
    "an answer of another kind": (
        BRIK[0],
        lambda d: d["item"][0].update(answer=[{"valueInteger": 1}]),
        "item[0].answer[0].valueString",
    ),
    "items where an answer belongs": (
        BRIK[0],
        lambda d: d["item"][0].update(item=[{"linkId": "x"}]),
        "item[0].item",
    ),
    "an answer where items belong": (
        BRIK[0],
        lambda d: _item(d, "bolig").update(answer=[{"valueString": "x"}]),
        "item[8].answer",
    ),
    "items below an answer": (
        BRIK[0],
        lambda d: d["item"][0]["answer"][0].update(item=[{"linkId": "x"}]),
        "item[0].answer[0].item",
    ),
    "a person without a number": (BRIK[0], lambda d: d["subject"].pop("identifier"), "subject.identifier"),
    "a person of another system": (
        BRIK[0],
        lambda d: d["subject"]["identifier"].update(system="urn:x"),
        "subject.identifier.system",
    ),
    "a message without its id": (BRIK[0], lambda d: d.pop("identifier"), "identifier"),
    "a message without its time": (BRIK[0], lambda d: d.pop("authored"), "authored"),
    "a modifier": (
        BRIK[0],
        lambda d: d.update(modifierExtension=[{"url": "urn:x", "valueBoolean": True}]),
        "modifierExtension",
    ),
    "a task that waits": (TASK[0], lambda d: d.update(status="on-hold"), "status"),
    "a task that went wrong": (TASK[0], lambda d: d.update(status="entered-in-error"), "status"),
    "a task of another kind": (
        TASK[0],
        lambda d: d["code"]["coding"][0].update(code="x"),
        "code.coding[0].code",
    ),
    "a task for nothing": (TASK[0], lambda d: d.pop("basedOn"), "basedOn"),
    "a task with words": (TASK[0], lambda d: d.update(description="x"), "description"),
    "a task with a result": (
        TASK[0],
        lambda d: d.update(output=[{"type": {"text": "x"}, "valueString": "x"}]),
        "output[0].valueCodeableConcept",
    ),
    "a proposal": (TASK[0], lambda d: d.update(intent="proposal"), "intent"),
    "a reason in words": (TASK[0], lambda d: d.update(statusReason={"text": "x"}), "statusReason.coding"),
}  # one row per case # fmt: skip


def _item(document: Any, link: str) -> Any:
    return next(item for item in document["item"] if item["linkId"] == link)


@pytest.mark.parametrize(("adapter", "break_it", "where"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_said_so_is_refused_with_its_place(adapter: Adapter, break_it: Break, where: str) -> None:
    document = json.loads(EXAMPLES[adapter].read_bytes())
    break_it(document)

    with pytest.raises(HubError) as refused:
        adapter.parse(json.dumps(document, indent=1).encode())

    assert refused.value.code == "parse.invalid"
    assert where in {finding.at for finding in refused.value.findings}
    assert all(finding.line and finding.column for finding in refused.value.findings)


@pytest.mark.parametrize(
    "fields",
    [
        {"bolig": {"behov": 7}},
        {"bolig": "noe"},
        {"bolig": {"farge": "x"}},
        {"varighet_minutter": True},
        {"ukjent": "x"},
    ],
)
def test_a_record_that_is_no_brik_is_not_written(fields: dict[str, Any]) -> None:
    whole = BRIK[0].parse(EXAMPLES[BRIK[0]].read_bytes())

    with pytest.raises(HubError) as refused:
        BRIK[0].render(Record(whole.type, {**whole.fields, **fields}))

    assert refused.value.code == "render.incomplete"


def test_a_field_that_is_skipped_in_silence_is_noticed() -> None:
    whole = BRIK[0].parse(EXAMPLES[BRIK[0]].read_bytes())
    with mutated(writing, "if not set(given) <= known:", "if False:"):
        written = BRIK[0].render(
            Record(whole.type, {**whole.fields, "bolig": {"farge": "x", "behov": "noe"}})
        )

    assert b"farge" not in written
