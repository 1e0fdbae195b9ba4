"""Understands non-interference: two stories that differ only in what somebody may not see must look the same
to that somebody, and to everybody who watches from outside.

    play(lab, story, scene) -> View     everything that every observer could see, by observer
    differences(left, right)            what an observer could tell the two apart by

Ids are opaque and random in production. In the lab they follow from the step, so bytes are compared as they
are; only the references a broker sees are renamed in the order in which it sees them.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.leaks import messages as m
from tests.leaks.lab import KEYS, Lab, counted
from tests.leaks.messages import FHIR, JSON, XML

Seen = Mapping[str, tuple[object, ...]]
"""Observer and aspect -> what was seen, in order."""

OUTSIDERS = ("broker", "log", "metrics", "effort")


@dataclass(frozen=True)
class Story:
    """What the messages say that only some may know. The same words, or their absence, in every field."""

    rus: str = "none"  # none, need, low, high
    remark: str = "none"  # none, plain, tells: the remark on housing
    other_remark: str = "none"  # the same for the remark on economy
    unit: str = "plain"  # plain, tells: the name of the prison's unit
    summary: str = "plain"  # plain, code, medicine, section, words, all: what the epikrise has more


PERMITS, REFUSES = "permits", "refuses"
WHO = ("nav", "housing", "school", "health", "tsb", "gp")
Said = tuple[tuple[str, str], ...]
"""About whom, and whether it may get what concerns it. Who is not named was not spoken of."""


@dataclass(frozen=True)
class Scene:
    """What happens around it: what the person says before the messages, and after."""

    before: Said = ()
    after: Said = ()
    health: bool = True  # whether the mapping says anything of health
    dates: int = 0  # release dates after that
    answers: bool = False
    withdrawal: bool = False  # of the form for NAV

    @property
    def permits(self) -> frozenset[str]:
        return frozenset(who for who, what in (*self.before, *self.after) if what == PERMITS)


@dataclass
class View:
    """What was seen, by observer and aspect."""

    seen: dict[str, list[object]] = field(default_factory=dict)

    def add(self, observer: str, aspect: str, what: object) -> None:
        self.seen.setdefault(f"{observer}: {aspect}", []).append(what)


def may_know(left: Story, right: Story, scene: Scene) -> frozenset[str]:
    """Who may see the difference between two stories in a scene."""
    knowing: set[str] = set()
    if left.rus != right.rus and "tsb" in scene.permits:
        knowing.add("tsb")
    if left.rus != right.rus and "health" in scene.permits:
        knowing.add("prison_health")
    if left.summary != right.summary:
        knowing.add("prison_health")  # it wrote the epikrise, and is told what became of it
        if "gp" in scene.permits:
            knowing.add("gp")
    return frozenset(knowing)


def differences(left: View, right: View, knowing: frozenset[str] = frozenset()) -> list[str]:
    """Every aspect by which an observer who may not know tells the two apart, with the first difference."""
    found = []
    for name in sorted(left.seen.keys() | right.seen.keys()):
        one, two = left.seen.get(name, []), right.seen.get(name, [])
        if name.partition(":")[0] not in knowing and one != two:
            found.append(f"{name}: {_first(one, two)}")
    return found


def _first(one: list[object], two: list[object]) -> str:
    for a, b in zip(one, two, strict=False):
        if a != b:
            return f"{a!r} / {b!r}"
    return f"{len(one)} / {len(two)} in number; first more: {(one + two)[min(len(one), len(two))]!r}"


_CONSENTS = {
    "nav": m.to_nav,
    "housing": m.to_housing,
    "school": m.to_school,
    "health": m.to_health,
    "tsb": m.to_tsb,
    "gp": m.to_gp,
}


def play(lab: Lab, story: Story, scene: Scene) -> View:
    """Play a story in a scene; returns all that could be seen of it. Every step takes its minute, also one
    in which nobody says anything."""
    view = View()
    counters = _metrics(lab)
    posted: list[tuple[str, str]] = []

    def post(key: str, media_type: str, body: bytes) -> None:
        call = lab.post(key, media_type, body)
        assert call.status == 202, call
        posted.append((key, call.said["id"]))

    def say(key: str, fields: Mapping[str, Any]) -> None:
        post(key, JSON, m.as_json(fields))

    def hear(said: Said, version: int) -> None:
        for who, what in said:
            say("prison_health", _CONSENTS[who](permits=what == PERMITS, version=version))

    @contextmanager
    def minute(step: str) -> Iterator[None]:
        nonlocal counters
        lab.step(step)
        yield
        lab.phase = f"{step}, afterwards"
        lab.settle()
        now = _metrics(lab)
        grown = {name: value - counters.get(name, 0) for name, value in now.items()}
        view.add("metrics", "growth", (step, sorted((n, v) for n, v in grown.items() if v)))
        counters = now

    with minute("before"):
        hear(scene.before, 1)
    with minute("brik"):
        post("prison", XML, m.as_xml(lab.parts, _brik(story, scene)))
    with minute("epikrise"):
        post("prison_health", FHIR, m.as_fhir(lab.parts, _epikrise(story)))
    with minute("after"):
        hear(scene.after, 2)
    with minute("answer"):
        if scene.answers and "nav" in scene.permits:
            say("nav", m.nav_answer(_got(lab, "nav", b'"nav.sak"')))
    for version in range(scene.dates):
        with minute(f"date {version}"):
            say("prison", m.release_date(version + 1, f"dato-{version}"))
    with minute("withdrawal"):
        if scene.withdrawal and "nav" in scene.permits:
            series = m.to_nav()["samtykke"]["serie"]
            say("prison_health", m.withdrawn(series, "trukket-nav"))
    lab.step("status")
    for key, message in posted:
        lab.call(key, "GET", f"/v1/messages/{message}")
    for key in KEYS.values():
        lab.call(key, "GET", "/v1/inbox")
    _write_down(lab, view)
    return view


def _metrics(lab: Lab) -> dict[str, float]:
    return counted(lab.call("", "GET", "/metrics").body)


def _write_down(lab: Lab, view: View) -> None:
    for sent in lab.recipients.sent:
        view.add(sent.key, "got", sent)
    for call in lab.calls:
        if call.key:
            view.add(call.key, "answers", call)
    names: dict[str, str] = {}
    for phase, what, works in lab.broker.saw:
        seen = [(names.setdefault(work.ref, f"ref {len(names)}"), work.shard) for work in works]
        view.add("broker", "traffic", (phase, what, seen))
    for record in lab.lines.records:
        view.add("log", "lines", _line(record.__dict__))
    for phase, count in lab.transactions.items():
        if not phase.endswith((", afterwards", "status")):
            view.add("effort", f"transactions while the sender waits, {phase}", count)


_OF_A_LINE = frozenset({"created", "msecs", "relativeCreated", "thread", "threadName", "process", "taskName"})


def _line(record: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, str(value)) for name, value in record.items() if name not in _OF_A_LINE))


def _got(lab: Lab, key: str, words: bytes) -> str:
    for call in lab.calls:
        if call.key == key and call.what.startswith("GET /v1/inbox/") and words in call.body:
            return call.what.rpartition("/")[2]
    raise LookupError(key)


_PLAIN = "Trenger plass til to, helst i første etasje og nær skolen."
_TELLS = "Ønsker seg bort fra rusmiljøet og har vært rusfri i tre måneder."
_REMARKS = {"plain": _PLAIN, "tells": _TELLS}


def _brik(story: Story, scene: Scene) -> m.Fields:
    fields: m.Fields = copy.deepcopy(m.BARE_BRIK)
    fields["melding"] = {"id": "brik-1", "sendt": m.SENT}
    fields["enhet"] = {"plain": "Avdeling B", "tells": "Rusmestringsenheten"}[story.unit]
    for area, said in (("bolig", story.remark), ("okonomi", story.other_remark)):
        if said in _REMARKS:
            fields[area]["merknad"] = _REMARKS[said]
    if not scene.health:
        fields["helse"] = {"onsker_kontakt": True}
    rus = fields.pop("rus")
    if story.rus == "need":
        fields["rus"] = {"behov": "noe"}
    elif story.rus in ("low", "high"):
        items = {"low": 0, "high": 4}[story.rus]
        for form, number in (("audit", 10), ("dudit", 11)):
            rus[form] |= {"versjon": "1", "svar": [items] * number, "sum": items * number}
        fields["rus"] = rus
    return fields


_DIAGNOSIS = {"system": m.ICD, "kode": "F11.2", "tekst": "Opioidavhengighet"}
_MEDICINE = {"system": m.ATC, "kode": "N07BC51", "navn": "Suboxone", "dosering": "Daglig"}
_SECTION = {"kode": "18776-5", "tittel": "Rusbehandling", "tekst": "Pasienten ønsker å fortsette i LAR."}
_WORDS = {"kode": "8716-3", "tittel": "Sosialt", "tekst": "Pasienten har vært rusfri i tre måneder."}


def _epikrise(story: Story) -> m.Fields:
    def more(*kinds: str) -> bool:
        return story.summary in (*kinds, "all")

    diagnoses = [{"system": m.ICD, "kode": code, "tekst": words} for code, words in _HARMLESS]
    medicines = [{"system": m.ATC, "kode": "R03AC02", "navn": "Salbutamol", "dosering": "Ved behov"}]
    told = "Pasienten har hatt stabil astma og har fått ny inhalator. Lungefunksjonen er god."
    sections = [{"kode": "8648-8", "tittel": "Forløp", "tekst": told}]
    if more("code"):
        diagnoses.insert(1, _DIAGNOSIS)
    if more("medicine"):
        medicines.insert(0, _MEDICINE)
    if more("section"):
        sections.insert(0, _SECTION)
    if more("words"):
        sections.append(_WORDS)
    return {
        "melding": {"id": "epikrise-1", "sendt": m.SENT, "mottaker": "310000086"},
        "person": m.PERSON,
        "avsender": {"enhet": "Helsetjenesten i Nordli"},
        "dato": "2026-11-05",
        "diagnoser": diagnoses,
        "legemidler": medicines,
        "seksjoner": sections,
    }


_HARMLESS = (("J45.9", "Astma"), ("M54.5", "Korsryggsmerter"))
