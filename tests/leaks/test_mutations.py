"""The oracles bite: each promise of the code is broken on purpose, and the leak is seen.

The only place where our own code is patched. Each mutation names what a careless change could do.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Adapter
from adapters.registry import Registry
from consent import labels
from consent.decide import Ask, permit
from hub import hand_over, pipeline, routes, status, trail
from hub.errors import Finding
from hub.message import Decision, Item, ItemDecision, Labelled, Permitted, Record, Sealed, Verdict, walk
from hub.parts import Parts
from hub.reading import Read
from hub.shapes import Outgoing, Route
from hub.store import people
from hub.store.schema import consent
from hub.vault import Vault
from mappings.types import TypeSpec
from tests.leaks import messages as m
from tests.leaks.canaries import leaks
from tests.leaks.conftest import Fresh
from tests.leaks.flow import play as play_flow
from tests.leaks.lab import Lab, evidence
from tests.leaks.messages import JSON
from tests.leaks.stages import LabStage
from tests.leaks.twins import PERMITS, REFUSES, Scene, Story, differences, may_know, play
from tests.servers import PostgreSQL

Mutate = Callable[[pytest.MonkeyPatch], None]


def found_by_canaries(first: Parts, fresh: Fresh) -> set[tuple[str, str]]:
    """Slot and place of every leak. A mutation may also stop the flow: what was seen until then counts."""
    with Lab(first, *fresh()) as lab:
        with suppress(AssertionError, LookupError, TimeoutError):
            play_flow(LabStage(lab))
        return {(leak.slot, leak.place) for leak in leaks(evidence(lab))}


def permit_everything(patch: pytest.MonkeyPatch) -> None:
    def decide(ask: Ask, *_: object, at: datetime, **__: object) -> Decision:
        return Decision(tuple(_permitted(item) for item in ask.items), at)

    patch.setattr(pipeline, "decide", decide)


def _permitted(item: Item | ItemDecision) -> ItemDecision:
    return ItemDecision(item.path, Verdict.PERMIT, "decide.row", "L01/1")


def let_pass_what_is_held(patch: pytest.MonkeyPatch) -> None:
    def careless(decision: Decision, labelled: Labelled, ask: Ask) -> Permitted | None:
        items = tuple(_permitted(i) if i.verdict is Verdict.HOLD else i for i in decision.items)
        return permit(replace(decision, items=items), labelled, ask)

    patch.setattr(pipeline, "permit", careless)


def label_as_declared_only(patch: pytest.MonkeyPatch) -> None:
    def declared(record: Record, leaves: tuple[Any, ...], codes: object, sender: object) -> Labelled:
        items = (Item(leaf.path, leaf.labels, leaf.labels, leaf.free_text) for leaf in leaves)
        return Labelled(record, tuple(items))

    patch.setattr(pipeline, "label", declared)


def read_no_text(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(labels, "scan_all", lambda texts: [() for _ in texts])


def take_nothing_out(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Record, "only", lambda record, paths: record)


def decide_only_once(patch: pytest.MonkeyPatch) -> None:
    """What was decided at the first attempt is still good at the next."""
    remembered: dict[str, Outgoing] = {}
    real = hand_over.decide_again

    def again(tx: Any, parts: Parts, case: Any) -> Outgoing:
        if case.item.id not in remembered or remembered[case.item.id].rendered is None:
            remembered[case.item.id] = real(tx, parts, case)
        return remembered[case.item.id]

    patch.setattr(hand_over, "decide_again", again)


def quote_the_value(patch: pytest.MonkeyPatch) -> None:
    real = TypeSpec.check

    def check(spec: TypeSpec, fields: m.Fields) -> tuple[Finding, ...]:
        values = dict(walk(fields))
        return tuple(
            replace(finding, expected=f"{finding.expected}, not {values.get(finding.at)}")
            for finding in real(spec, fields)
        )

    patch.setattr(TypeSpec, "check", check)


def log_the_body(patch: pytest.MonkeyPatch) -> None:
    real = pipeline.parse

    def parse(parts: Parts, received: Any) -> Read:
        logging.getLogger("hub.pipeline").debug("received %r", received.body)
        return real(parts, received)

    patch.setattr(pipeline, "parse", parse)


def seal_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Vault, "seal", lambda vault, key, content, bound_to: Sealed(content, b"key"))
    patch.setattr(Vault, "open", lambda vault, key, sealed, bound_to: sealed.ciphertext)


CANARY_MUTATIONS: tuple[tuple[Mutate, str, str], ...] = (
    (permit_everything, "brik.rus.audit.dato", "payload/prison_health/nothing"),
    (let_pass_what_is_held, "brik.bolig.merknad", "payload/housing/some"),
    (label_as_declared_only, "epikrise.rus.kode", "payload/gp/nothing"),
    (read_no_text, "epikrise.rus.ord", "payload/gp/nothing"),
    (take_nothing_out, "epikrise.rus.merkenavn", "payload/gp/nothing"),
    (decide_only_once, "henvisning-3.merknad", "payload/tsb/some, withdrawn"),
    (quote_the_value, "bad", "response/prison_health/errors"),
    (log_the_body, "person.id", "log"),
    (seal_nothing, "brik.rus.merknad", "store/bro.sqlite-wal"),
)


@pytest.mark.parametrize(
    ("mutate", "slot", "place"), CANARY_MUTATIONS, ids=[mutate.__name__ for mutate, _, _ in CANARY_MUTATIONS]
)
def test_the_canaries_see(
    first: Parts, fresh: Fresh, monkeypatch: pytest.MonkeyPatch, mutate: Mutate, slot: str, place: str
) -> None:
    mutate(monkeypatch)
    assert (slot, place) in found_by_canaries(first, fresh)


def tell_everything(patch: pytest.MonkeyPatch) -> None:
    """The sender sees why, whoever it is."""
    patch.setattr(status, "CONTROL_SECTORS", frozenset())


def count_permissions(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(trail, "_AFTER_THE_DECISION", frozenset())


def route_by_content(patch: pytest.MonkeyPatch) -> None:
    """Why queue for TSB what says nothing about substance use?"""
    real = routes.find

    def find(parts: Parts, file: Any, received: Any, record: Record) -> tuple[Route, ...]:
        found = real(parts, file, received, record)
        return found if record.get("rus") else tuple(r for r in found if r.recipient.sector != "tsb")

    patch.setattr(routes, "find", find)


def tell_the_count(patch: pytest.MonkeyPatch) -> None:
    """The recipient is told how many sections there were."""

    def only(record: Record, paths: frozenset[str]) -> Record:
        kept = real(record, paths)
        sections = kept.fields.get("seksjoner")
        if not sections:
            return kept
        of = len(record.fields["seksjoner"])
        numbered = [{**section, "tittel": f"{section['tittel']} (av {of})"} for section in sections]
        return Record(kept.type, {**kept.fields, "seksjoner": numbered})

    real = Record.only
    patch.setattr(Record, "only", only)


def log_the_decision(patch: pytest.MonkeyPatch) -> None:
    real = pipeline.decide_for

    def decide_for(*args: Any) -> Any:
        decision, permitted = real(*args)
        logging.getLogger("hub.pipeline").debug(
            "decided", extra={"permitted": len(decision.paths(Verdict.PERMIT))}
        )
        return decision, permitted

    patch.setattr(pipeline, "decide_for", decide_for)


PLAIN, RUS, SUMMARY = Story(), Story(rus="high"), Story(summary="section")
SIGNED = Scene((("nav", PERMITS), ("housing", PERMITS)))
WITH_TSB = Scene((*SIGNED.before, ("tsb", PERMITS)))
SILENT, REFUSING = Scene(), Scene(after=(("nav", REFUSES),))

TWIN_MUTATIONS: tuple[tuple[Mutate, tuple[Story, Scene], tuple[Story, Scene], str], ...] = (
    (permit_everything, (PLAIN, SIGNED), (RUS, SIGNED), "prison_health: got"),
    (label_as_declared_only, (PLAIN, SIGNED), (SUMMARY, SIGNED), "gp: answers"),
    (take_nothing_out, (PLAIN, SIGNED), (SUMMARY, SIGNED), "gp: answers"),
    (tell_the_count, (PLAIN, SIGNED), (SUMMARY, SIGNED), "gp: answers"),
    (count_permissions, (PLAIN, WITH_TSB), (RUS, WITH_TSB), "metrics: growth"),
    (route_by_content, (PLAIN, SIGNED), (RUS, SIGNED), "broker: traffic"),
    (log_the_decision, (PLAIN, WITH_TSB), (replace(RUS, summary="all"), WITH_TSB), "log: lines"),
    (tell_everything, (PLAIN, SILENT), (PLAIN, REFUSING), "prison: answers"),
)


@pytest.mark.parametrize(
    ("mutate", "one", "other", "aspect"),
    TWIN_MUTATIONS,
    ids=[mutate.__name__ for mutate, *_ in TWIN_MUTATIONS],
)
def test_the_twins_see(
    first: Parts,
    fresh: Fresh,
    monkeypatch: pytest.MonkeyPatch,
    mutate: Mutate,
    one: tuple[Story, Scene],
    other: tuple[Story, Scene],
    aspect: str,
) -> None:
    mutate(monkeypatch)
    views = []
    for story, scene in (one, other):
        with Lab(first, *fresh()) as lab:
            views.append(play(lab, story, scene))
    seen = differences(views[0], views[1], may_know(one[0], other[0], one[1]))
    assert [name for name in seen if name.startswith(aspect)]


class _Racing(Registry):
    """While a message is rendered, and so after it was decided on, something else commits."""

    def __init__(self, registry: Registry, meanwhile: Callable[[], None]) -> None:
        self._meanwhile = meanwhile
        super().__init__(replace(adapter, render=self._slow(adapter)) for adapter in registry.adapters)

    def _slow(self, adapter: Adapter) -> Callable[[Record], bytes]:
        def render(record: Record) -> bytes:
            body = adapter.render(record)
            self._meanwhile()
            return body

        return render


@pytest.fixture
def race(first: Parts, tmp_path: Path, postgres: PostgreSQL) -> Callable[[], set[tuple[str, str]]]:
    """A withdrawal that does not wait for the person's gate, between the decision and the fence. Only
    PostgreSQL lets two write at once."""

    def run() -> set[tuple[str, str]]:
        with Lab(first, tmp_path, postgres.fresh_database()) as lab:
            lab.step("some, withdrawn")
            lab.post("prison_health", JSON, m.as_json(m.to_tsb()))
            lab.post("prison_health", JSON, m.as_json(m.referral("henvisning-3")))
            withdrawn: list[bool] = []

            def withdraw() -> None:
                if not withdrawn:
                    withdrawn.append(True)
                    with lab.parts.store.writing() as tx:
                        [person] = {row.person_id for row in tx.execute(consent.select())}
                        tx.execute(consent.update().values(withdrawn_at=lab.clock_at))
                        people.raise_epochs(tx, [person])

            lab.parts = replace(lab.parts, formats=partial(_Racing, lab.parts.registry, withdraw))
            lab.work_off()
            assert withdrawn
            return {(leak.slot, leak.place) for leak in leaks(evidence(lab))}

    return run


LEAK = ("henvisning-3.merknad", "payload/tsb/some, withdrawn")


def test_a_withdrawal_just_after_the_decision_still_stops_the_message(
    race: Callable[[], set[tuple[str, str]]],
) -> None:
    assert LEAK not in race()


def test_the_canaries_see_that_the_fence_is_gone(
    race: Callable[[], set[tuple[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "fence", lambda tx, known: True)
    assert LEAK in race()
