"""Desks, audit, search and numbers: attacks 27, 52 to 55, 58 and 59."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click import Command, Group
from prometheus_client.parser import text_string_to_metric_families

from hub.audit import log
from hub.cli.main import bro
from hub.errors import PROBLEMS
from hub.message import Step
from hub.store import people
from hub.store.schema import audit_leaf
from tests.leaks import messages as m
from tests.leaks.attacking import (
    accepted,
    agree,
    bare_brik,
    got,
    post_brik,
    post_summary,
    refused,
    some_id,
    summary,
)
from tests.leaks.canaries import search
from tests.leaks.flow import play
from tests.leaks.lab import Lab
from tests.leaks.messages import JSON
from tests.leaks.stages import LabStage

LABELS = {
    "bro_steps": {"step": {s.value for s in Step}, "result": {"ok", *PROBLEMS}},
    "bro_up": {"part": {"store", "queue"}},
    "bro_untried": {},
    "bro_untried_oldest_seconds": {},
}  # one row per case # fmt: skip
"""Every series of ours, every label of it and every value it may have."""


def test_metrics_have_no_label_but_these_and_no_exemplar(lab: Lab) -> None:
    """Attack 27: after everything that can happen to one person has happened."""
    play(LabStage(lab))
    said = lab.call("", "GET", "/metrics").body.decode()
    assert " # {" not in said
    ours = [family for family in text_string_to_metric_families(said) if family.name.startswith("bro")]
    assert "bro_steps" in {family.name for family in ours}
    for family in ours:
        for sample in family.samples:
            for name, value in sample.labels.items():
                assert value in LABELS[family.name.removesuffix("_created")][name], (family.name, name, value)
    assert not any(
        code.startswith("decide.") for family in ours for s in family.samples for code in s.labels.values()
    )


def test_metrics_do_not_grow_with_persons_or_recipients(lab: Lab) -> None:
    """Attack 27: the number of series is that of the steps and codes, whoever they are about."""

    def series() -> set[str]:
        body = lab.call("", "GET", "/metrics").body.decode()
        return {line.partition(" ")[0] for line in body.splitlines() if line.startswith("bro_")}

    agree(lab, "nav", "housing")
    accepted(post_brik(lab, bare_brik()))
    lab.settle()
    before = series()
    for _ in range(5):
        agree(lab)
        accepted(post_brik(lab, bare_brik()))
        accepted(post_summary(lab, summary()))
        lab.settle()
    assert len(series() - before) < 10


def test_the_audit_holds_no_content_even_when_it_is_opened(lab: Lab) -> None:
    """Attack 53: public and private part of every leaf, opened with the keys, after everything."""
    play(LabStage(lab))
    pieces = []
    with lab.parts.store.reading() as view:
        for row in view.execute(audit_leaf.select()):
            owner = people.load(view, row.person_id)
            public = json.loads(row.public)
            pieces.append(row.public.encode())
            pieces.append(log.canonical(log.open_private(lab.parts.vault, owner.key, row)).encode())
            assert set(public) == {"v", "kind", "at", "commitment"}
    assert len(pieces) > 100
    found = {hit.marker for piece in pieces for hit in search().hits(piece)}
    assert found <= {"tsb.org"}, "a leaf names its recipient by number, and nothing of the content"


WORDLESS = {"id", "after", "limit", "language"}
"""Every parameter of the API: an opaque id, a place in a list, a number of entries, nb or en."""


def test_no_address_searches_for_words_or_persons(lab: Lab) -> None:
    """Attack 54: and what one puts beside the address changes no answer, so that no count tells anything."""
    agree(lab, "nav")
    accepted(post_brik(lab, bare_brik()))
    lab.work_off()
    described = lab.call("", "GET", "/openapi.json").said["paths"]
    given = {
        p["name"] for path in described.values() for verb in path.values() for p in verb.get("parameters", ())
    }
    assert given <= WORDLESS
    plain = lab.call("nav", "GET", "/v1/inbox")
    for query in ("q=rus", f"person={m.PERSON['id']}", "filter=substance_use", "_text=lar", "category=rus", "sort=category", "count=true"):  # one row per case # fmt: skip
        call = lab.call("nav", "GET", f"/v1/inbox?{query}")
        assert (call.status, call.body) == (plain.status, plain.body) or call.status == 400


def _commands(group: Group, *words: str) -> list[tuple[str, Command]]:
    found = []
    for name, one in group.commands.items():
        found += _commands(one, *words, name) if isinstance(one, Group) else [(" ".join((*words, name)), one)]
    return found


def test_no_command_searches_for_words() -> None:
    """Attack 54: an operator finds work by id, state and code."""
    for name, one in _commands(bro):
        for parameter in one.params:
            spelt = {parameter.name, *(opt.lstrip("-") for opt in parameter.opts)}
            assert not spelt & {"search", "grep", "query", "q", "text", "word", "term", "contains"}, name


def test_no_door_gives_out_numbers_about_what_was_decided() -> None:
    """Attack 55: there are no statistics to subtract from one another. The hub counts steps and states;
    how many were refused, for whom and of what, no address and no command tells."""
    names = {name.rpartition(" ")[2] for name, _ in _commands(bro)}
    assert not names & {"stats", "statistics", "report", "count", "counts", "summary"}


def test_two_readings_of_the_metrics_do_not_tell_what_was_decided_between_them(lab: Lab) -> None:
    """Attack 55: the difference is one message, whatever may go; the closest one can come to a small cell."""
    grown = []
    for who in ((), ("nav", "housing", "tsb")):
        agree(lab, *who)
        lab.settle()
        readings = []
        for _ in range(2):
            fields = bare_brik()
            accepted(post_brik(lab, fields))
            lab.work_off()
            readings.append(_counters(lab))
        grown.append({name: value - readings[0].get(name, 0) for name, value in readings[1].items()})
    assert grown[0] == grown[1]


def _counters(lab: Lab) -> dict[str, float]:
    said = lab.call("", "GET", "/metrics").body.decode()
    return {
        f"{s.name} {sorted(s.labels.items())}": s.value
        for family in text_string_to_metric_families(said)
        for s in family.samples
        if s.name.startswith("bro_") and not s.name.endswith(("_created", "_seconds"))
    }


FORMS: dict[str, Callable[[m.Fields], Any]] = {
    "not signed": lambda f: f["samtykke"].update(signert=False),
    "signature not mentioned": lambda f: f["samtykke"].pop("signert"),
    "not explained": lambda f: f["samtykke"].update(forklart=False),
    "explanation not mentioned": lambda f: f["samtykke"].pop("forklart"),
    "no edition of the text": lambda f: f["samtykke"].pop("tekstversjon"),
    "to a programme": lambda f: f["samtykke"].update(slag="program"),
    "kind not mentioned": lambda f: f["samtykke"].pop("slag"),
    "form not mentioned": lambda f: f["samtykke"].pop("form"),
    "giver not mentioned": lambda f: f["samtykke"].pop("gitt_av"),
    "decision not mentioned": lambda f: f["samtykke"].pop("beslutning"),
    "decision as a tick": lambda f: f["samtykke"].update(beslutning=True),
    "signature as a word": lambda f: f["samtykke"].update(signert="ja"),
    "no recipient": lambda f: f.pop("mottakere"),
    "no purpose": lambda f: f.pop("formal"),
    "no category": lambda f: f.pop("kategorier"),
    "an empty list": lambda f: f.update(kategorier=[]),
    "no first day": lambda f: f["samtykke"].pop("gyldig_fra"),
}


@pytest.mark.parametrize("fault", FORMS)
def test_what_a_form_does_not_say_is_not_assumed(lab: Lab, fault: str) -> None:
    """Attack 59: nothing is ticked beforehand. Refused at once, or on file without permitting anything."""
    said = m.to_tsb(message_id=some_id())
    FORMS[fault](said)
    lab.post("prison_health", JSON, m.as_json(said))
    accepted(lab.post("prison_health", JSON, m.as_json(m.referral("henvisning-2"))))
    lab.settle()
    assert got(lab, "tsb") == []


@pytest.mark.parametrize("who", ["prison", "nav", "school", "housing", "tsb", "gp"])
def test_a_consent_about_substance_use_counts_by_who_recorded_it(lab: Lab, who: str) -> None:
    """Attack 59: whoever has power over the person, or no duty of secrecy in health care, records none that
    counts."""
    said = m.to_tsb(message_id=some_id())
    call = lab.post(who, JSON, m.as_json(said))
    accepted(lab.post("prison_health", JSON, m.as_json(m.referral("henvisning-2"))))
    lab.settle()
    if who in ("prison", "school", "housing"):
        assert refused(call) in ("consent.recorder-control", "route.type-not-yours")
        assert got(lab, "tsb") == []


def test_one_signature_is_not_spread_over_what_was_not_on_the_form(lab: Lab) -> None:
    """Attack 59: a form about work and economy, bundled with nothing."""
    agree(lab, "nav")
    fields = bare_brik()
    accepted(post_brik(lab, fields))
    accepted(post_summary(lab, summary(diagnoses=[{"system": m.ICD, "kode": "F11.2"}])))
    accepted(lab.post("prison_health", JSON, m.as_json(m.referral("henvisning-2"))))
    lab.settle()
    assert got(lab, "tsb") == []
    assert b"F11" not in b"".join(got(lab, "gp"))
    assert got(lab, "housing") == []
