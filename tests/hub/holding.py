"""Builds texts that the hub holds for a person to read, and who reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from hub import holds
from hub.answers import Word
from hub.errors import HubError
from hub.held import Reader
from hub.message import Outcome
from hub.store.disclosures import Disclosure
from tests.hub.bench import Bench, consent

MERKNAD = "bolig.merknad"
PLAIN = "Trenger plass til to, helst i første etasje og nær skolen."
WEAK = "Ønsker en rolig bolig med litt gress utenfor."
TELLS = "Ønsker seg bort fra rusmiljøet og trenger et rolig sted å bo."
CONSENTED = ["identity", "coordination", "custody", "housing"]


def brik(text: str, message_id: str = "brik-1", **more: Any) -> dict[str, Any]:
    return {
        "type": "brik.kartlegging",
        "melding": {"id": message_id, "sendt": "2026-11-20T08:00:00+01:00"},
        "person": {"id": "14839030186", "navn": "Ask Prøvestad"},
        "enhet": "Avdeling B",
        "tilbud": {"status": "gjennomfort"},
        "kommuner": {"opphold": "9901"},
        "bolig": {"behov": "stort", "merknad": text},
        **more,
    }


def reader(bench: Bench, name: str = "kari", agency: str = "prison_health", *roles: str) -> Reader:
    return Reader(name, bench.agency(agency), frozenset(roles))


def held(bench: Bench, text: str = PLAIN) -> Disclosure:
    """A remark to the housing office that waits for a reader; everything else was delivered."""
    bench.post("prison_health", "samtykke-bolig.json")
    bench.post("prison", brik(text))
    bench.drain()
    return the_hold(bench)


def the_hold(bench: Bench) -> Disclosure:
    [item] = [row for row in bench.rows("housing") if row.outcome == Outcome.HELD]
    return item


def release(bench: Bench, item: Disclosure, who: Reader, **more: Any) -> holds.Answered:
    holds.read(bench.parts, item.id, who)
    return holds.answer(bench.parts, item.id, who, Word.RELEASE, reason="lest", **more)


def code_of(do: Callable[[], object]) -> str:
    with pytest.raises(HubError) as refused:
        do()
    return refused.value.code


def now(bench: Bench, item: Disclosure) -> Disclosure:
    return bench.row("housing", id=item.id)


def last_text(bench: Bench) -> str:
    return bench.got("housing")[-1].text


def count(bench: Bench, table: Any) -> int:
    with bench.parts.store.reading() as view:
        return len(view.execute(select(table)).all())


def other_version(bench: Bench) -> None:
    changed = tuple(
        replace(a, version=a.version + 1) if a.id == "brik-bolig-foresporsel" else a
        for a in bench.parts.agreements
    )
    bench.parts = replace(bench.parts, agreements=changed)


def with_rows_for_two(bench: Bench) -> Any:
    """The agreement with the housing office also carries the remark on economy, as another text."""
    changed = []
    for agreement in bench.parts.agreements:
        if agreement.id == "brik-bolig-foresporsel":
            carry = replace(agreement.fields["merknad"], target="kommuner.bydel", source="okonomi.merknad")
            agreement = replace(agreement, fields={**agreement.fields, "kommuner.bydel": carry})
        changed.append(agreement)
    return replace(bench.parts, agreements=tuple(changed))


def two_texts(bench: Bench, first: str = PLAIN, second: str = "Har gjeld.") -> Disclosure:
    bench.parts = with_rows_for_two(bench)
    bench.post("prison_health", consent("samtykke-bolig.json", "s", kategorier=[*CONSENTED, "economy"]))
    bench.post("prison", brik(first, okonomi={"merknad": second}))
    bench.drain()
    return the_hold(bench)
