"""Understands that every example of ours can be delivered, in every format of every recipient: each is
translated by each agreement that takes it, addressed and written as the pipeline does it. What a format
cannot say it leaves behind by its own table, or it is in the table here, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import cast

import pytest

from adapters.base import Adapter
from hub import pipeline
from hub.answered import is_receipt
from hub.errors import HubError
from hub.kit import homes
from hub.kit.asked import asked
from hub.kit.checked import loaded
from hub.kit.corpus import HEADER, recognised
from hub.message import Agency, Record
from hub.parts import Parts
from hub.shapes import Original
from mappings.agreements import Agreement
from mappings.engine import translate_record

HUB = loaded()
PARTS = cast(Parts, SimpleNamespace(types=HUB.types, registry=HUB.registry, national=None))
PLAIN = {adapter.name: adapter for adapter in HUB.registry.adapters if adapter.name.startswith("json:")}
EXAMPLES = {
    f"{home.name}/{path.name}": path.read_bytes() for home in homes.ours(PLAIN) for path in home.examples
}


@dataclass(frozen=True)
class Refusal:
    """`render.incomplete` by these rules, and no other, for the records that `when` holds of."""

    formats: tuple[str, ...]
    when: Callable[[Record], bool]
    rules: frozenset[str]
    why: str


def _other_report(kind: str) -> Callable[[Record], bool]:
    return lambda record: record.get("meldingstype") != kind


def _report(name: str, kind: str) -> Refusal:
    formats = (f"kith-plo-{name}-1.5", f"kith-plo-{name}-1.6")
    return Refusal(formats, _other_report(kind), frozenset({"fixed"}), "one report is not another")


SENT = Original("310000043", "example-answered", "2030-01-01T10:00:00+01:00", "EPIKRISE")
"""What the recipient of a receipt sent itself."""
REFUSALS = (
    _report("utskrivning", "UTSKRIVNINGSRAPPORT"),
    _report("innleggelse", "INNLEGGELSESRAPPORT"),
    _report("lege", "HELSEOPPLYSNINGER_LEGE"),
    Refusal(
        ("fhir-epikrise", "fhir-epikrise-xml"),
        lambda record: record.get("handling") == "C" or record.get("status") not in (None, "F"),
        frozenset({"final"}),
        "a document stands for itself: a reader would take whatever it is for a final one",
    ),
)

BRIK = [agreement.id for agreement in HUB.agreements if agreement.source.type == "brik.kartlegging"]
SAYS_NOTHING = {
    *(("brik_xml/avslag.xml", agreement) for agreement in BRIK),
    ("brik_xml/samfunnsstraff.xml", "brik-tsb-henvisning"),
    ("brik_xml/samfunnsstraff.xml", "brik-helse-kontakt"),
}
"""A mapping that was declined is for nobody, one without substance use is no referral, and who wants no
contact with the health service does not ask it for one."""
NOTHING: set[tuple[str, str]] = set()


def _ways() -> Iterator[tuple[str, Agreement, Adapter, Record]]:
    """Every example by every agreement that takes it, in every format of what it becomes."""
    for name, body in EXAMPLES.items():
        record = recognised(HUB, body).parse(body)
        for agreement in HUB.agreements:
            if agreement.source.type != record.type:
                continue
            there = asked(translate_record, record, agreement, HUB.types, HEADER)
            if isinstance(there, HubError) and there.code == "decide.essential-missing":
                NOTHING.add((name, agreement.id))
                continue
            assert isinstance(there, Record)
            for adapter in HUB.registry.adapters:
                if adapter.type == there.type:
                    yield name, agreement, adapter, there


WAYS = tuple(_ways())


def delivered(adapter: Adapter, agreement: Agreement, record: Record) -> frozenset[str]:
    """The rules by which it is refused; none when it is written and read back."""
    recipient = Agency(
        "310000043", "Elvestad mottak", agreement.target.sector, formats={record.type: adapter.name}
    )
    answers = SENT if is_receipt(PARTS, record.type) else None
    rendered = asked(pipeline.render, PARTS, recipient, record, answers)
    if isinstance(rendered, HubError):
        return frozenset(finding.rule for finding in rendered.findings) or frozenset({rendered.code})
    adapter.parse(rendered.body)
    return frozenset()


def expected(adapter: Adapter, record: Record) -> frozenset[str]:
    found = [one.rules for one in REFUSALS if adapter.name in one.formats and one.when(record)]
    assert len(found) <= 1
    return found[0] if found else frozenset()


@pytest.mark.parametrize("adapter", HUB.registry.adapters, ids=lambda adapter: adapter.name)
def test_every_example_can_be_delivered_in_every_format_of_its_type(adapter: Adapter) -> None:
    mine = [way for way in WAYS if way[2].name == adapter.name]

    assert {
        (name, agreement.id): rules
        for name, agreement, _, record in mine
        if (rules := delivered(adapter, agreement, record)) != expected(adapter, record)
    } == {}


def test_every_refusal_of_the_table_happens_and_every_format_writes_something() -> None:
    refused = {id(one) for one in REFUSALS for _, _, a, r in WAYS if a.name in one.formats and one.when(r)}
    written = {adapter.name for _, _, adapter, record in WAYS if not expected(adapter, record)}

    assert [one.why for one in REFUSALS if id(one) not in refused] == []
    assert written == {adapter.name for _, _, adapter, _ in WAYS}


def test_all_examples_are_there_that_an_agreement_takes() -> None:
    sources = {agreement.source.type for agreement in HUB.agreements}
    taken = {name for name, body in EXAMPLES.items() if recognised(HUB, body).type in sources}

    assert taken == {name for name, *_ in (*WAYS, *NOTHING)}
    assert NOTHING == SAYS_NOTHING
    assert len(taken) > 60
