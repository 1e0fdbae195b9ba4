"""Whatever a FHIR Consent says, nothing is permitted by it that it does not say: to no recipient, for no
purpose, of no information, at no moment. Held against a reading of its own that knows nothing of records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.fhir_consent.adapter import ADAPTERS
from adapters.fhir_consent.resource import models
from adapters.fhir_xml import write_fhir_xml
from consent import intake
from consent.decide import Ask, decide
from consent.evaluation import _ROW
from hub.errors import HubError
from hub.message import Agency, Basis, Category, Consent, Item, Purpose, Sector, Verdict
from tests.adapters import consents

Json = dict[str, Any]

RECORDED = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAYS = ["2026-01-01", "2026-03-01", "2026-03-02", "2026-06-30", "2026-12-31"]
PARTIES = ["tsb", "gp", "*", "310000043"]
SENDERS = ["prison", "prison_health", "*", "310000078"]
PURPOSES = ["treatment", "benefits", "housing"]
CATEGORIES = ["identity", "substance_use", "housing"]
FOREIGN = {"SUD": "substance_use", "ETHUD": "alcohol", "OPIOIDUD": "opioids"}
PARTS = {"substance_use": {"alcohol", "opioids"}}
"""What foreign codes say, and what of it is only part of a category."""
AGENCIES = [
    Agency("TSB", "310000043", Sector.TSB),
    Agency("Lege", "310000019", Sector.GP),
    Agency("NAV", "310000299", Sector.NAV_MUNICIPAL),
]
FROM = [Agency("Fengsel", "310000078", Sector.PRISON), Agency("Helse", "310000019", Sector.PRISON_HEALTH)]


# ------------------------------------------------------------------------------------ what it says


def _days(draw: st.DrawFn) -> Json:
    """A period open at either end, or closed, or one that ends before it begins."""
    said = {name: draw(st.none() | st.sampled_from(DAYS)) for name in ("start", "end")}
    return {name: value for name, value in said.items() if value is not None}


@st.composite
def rules(draw: st.DrawFn, depth: int, decision: str | None) -> Json:
    """A provision with everything it may say, and exceptions below it; `decision` None is R5."""
    rule: Json = {} if decision is None else {"type": decision}
    actors = [consents.party("IRCP", one) for one in draw(st.lists(st.sampled_from(PARTIES), max_size=2))]
    actors += [consents.party("CST", one) for one in draw(st.lists(st.sampled_from(SENDERS), max_size=2))]
    words = draw(st.lists(st.sampled_from(PURPOSES), max_size=2, unique=True))
    labels = [
        consents.code(f"{consents.OURS}category", one)
        for one in draw(st.lists(st.sampled_from(CATEGORIES), max_size=2, unique=True))
    ]
    foreign = draw(st.lists(st.sampled_from(sorted(FOREIGN)), max_size=1))
    labels += [consents.code(consents.ACT_CODE, one) for one in foreign]
    said = {
        "actor": actors,
        "purpose": [consents.code(f"{consents.OURS}purpose", one) for one in words],
        "securityLabel": labels,
        "period": _days(draw) if draw(st.booleans()) else {},
        "dataPeriod": _days(draw) if draw(st.integers(0, 3)) == 0 else {},
    }
    rule |= {name: value for name, value in said.items() if value}
    other = None if decision is None else {"permit": "deny", "deny": "permit"}[decision]
    if depth and draw(st.booleans()):
        rule["provision"] = draw(st.lists(rules(depth - 1, other), min_size=1, max_size=2))
    return rule


def whole(permits: bool) -> Json:
    """A rule that says everything, so that there is something to make exceptions from."""
    return {
        "type": "permit" if permits else "deny",
        "period": {"start": DAYS[0], "end": DAYS[-1]},
        "actor": [consents.party("IRCP", "*"), consents.party("CST", "*")],
        "purpose": [consents.code(f"{consents.OURS}purpose", one) for one in PURPOSES],
        "securityLabel": [consents.code(f"{consents.OURS}category", one) for one in CATEGORIES],
    }


@st.composite
def documents(draw: st.DrawFn) -> Json:
    decision = draw(st.sampled_from(["permit", "deny"]))
    below = {"permit": "deny", "deny": "permit"}[decision]
    if draw(st.booleans()):
        old = consents.r4()
        if draw(st.integers(0, 2)):
            old["provision"] = {
                **whole(decision == "permit"),
                "provision": draw(st.lists(rules(1, below), min_size=1, max_size=2)),
            }
        else:
            old["provision"] = draw(rules(2, decision))
        return old
    new = consents.r5()
    new["decision"] = decision
    new["period"] = draw(st.just(new["period"]) | st.just({"start": DAYS[1]}))
    exceptions = draw(st.lists(rules(1, None), max_size=2))
    if decision == "deny" and draw(st.booleans()):
        full = {name: value for name, value in whole(True).items() if name != "type"}
        full["provision"] = exceptions
        exceptions = [full]
    new["provision"] = exceptions
    return new


# ----------------------------------------------------------------------------------- naive reading


def _within(period: Mapping[str, str] | None, day: str | None) -> bool | None:
    """Whether a day is in a period; None where the day is not known and the period says something."""
    if not period:
        return True
    if day is None:
        return None
    return period.get("start", "0000") <= day <= period.get("end", "9999")


def _matches(rule: Json, asked: Json) -> tuple[bool, bool]:
    """Whether a rule is about this for certain, and whether it may be."""
    actors = [
        (a["role"]["coding"][0]["code"], a["reference"]["identifier"]["value"]) for a in rule.get("actor", ())
    ]
    labels = {FOREIGN.get(one["code"], one["code"]) for one in rule.get("securityLabel", ())}
    told, parts = asked["category"], PARTS.get(asked["category"], set[str]())
    sides = [[value for role, value in actors if role == side] for side in ("IRCP", "CST")]
    answers = [
        not sides[0] or bool({"*", *asked["to"]} & {*sides[0]}),
        not sides[1] or bool({"*", *asked["from"]} & {*sides[1]}),
        not rule.get("purpose") or asked["purpose"] in [one["code"] for one in rule["purpose"]],
        not labels or told in labels or (None if labels & parts else False),
        _within(rule.get("period"), asked["day"]),
        _within(rule.get("dataPeriod"), asked["data"]),
    ]
    return all(one is True for one in answers), all(one is not False for one in answers)


def _may(rule: Json, decision: str, asked: Json) -> bool:
    """Whether the rule, with its exceptions, can be said to permit what is asked: only what is certain
    permits, and what may be refused is refused."""
    certain, possible = _matches(rule, asked)
    below = {"permit": "deny", "deny": "permit"}[decision]
    inside = [(child, below) for child in rule.get("provision", ())]
    if decision == "permit":
        return certain and not any(_denies(child, asked) for child, _ in inside)
    return possible and any(_may(child, below, asked) for child, _ in inside)


def _denies(rule: Json, asked: Json) -> bool:
    """Whether a rule that denies may stop what is asked."""
    _, possible = _matches(rule, asked)
    return possible and not any(_may(child, "permit", asked) for child in rule.get("provision", ()))


def says(document: Json, asked: Json) -> bool:
    """Whether the document permits what is asked, read straight from FHIR."""
    if "decision" not in document:
        return _may(document["provision"], document["provision"]["type"], asked)
    rule = {"period": document.get("period"), "provision": document.get("provision", [])}
    return _may(rule, document["decision"], asked)


# -------------------------------------------------------------------------------------------- both


def recorded(body: bytes, adapter: Any) -> Consent | None:
    """What the desk would record of it, if it takes it."""
    try:
        record = adapter.parse(body)
        intake.check(record, Sector.PRISON_HEALTH, RECORDED)
    except HubError:
        return None
    return intake.read({**record.fields, intake.RECORDER: Sector.PRISON_HEALTH.value}, RECORDED)


def questions() -> Iterator[tuple[Agency, Agency, Purpose, str, str | None]]:
    for sender in FROM:
        for recipient in AGENCIES:
            for purpose in PURPOSES:
                for day in DAYS:
                    for data in (None, "2026-03-01", "2025-02-15", "2025-07-01"):
                        yield sender, recipient, Purpose(purpose), day, data


def permitted(consent: Consent, question: tuple[Agency, Agency, Purpose, str, str | None]) -> set[str]:
    """The categories that the decision lets go."""
    sender, recipient, purpose, day, data = question
    ask = Ask(
        sender=sender, recipient=recipient, purpose=purpose, basis=Basis.CONSENT, agreement="a",
        items=tuple(Item(c, frozenset({Category(c)}), frozenset()) for c in CATEGORIES),
        protected_address=False, data_date=date.fromisoformat(data) if data else None,
    )  # few lines # fmt: skip
    at = datetime.fromisoformat(f"{day}T12:00:00+00:00")
    items = decide(ask, [_ROW], [consent], at=at, known_at=at).items
    return {item.path for item in items if item.verdict is Verdict.PERMIT}


def said(document: Json, question: tuple[Agency, Agency, Purpose, str, str | None]) -> set[str]:
    sender, recipient, purpose, day, data = question
    asked = {
        "to": {recipient.sector.value, recipient.org}, "from": {sender.sector.value, sender.org},
        "purpose": purpose.value, "day": day, "data": data,
    }  # few lines # fmt: skip
    return {one for one in CATEGORIES if says(document, {**asked, "category": one})}


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents())
def test_no_reading_permits_more_than_the_document_says(document: Json) -> None:
    consent = recorded(json.dumps(document).encode(), ADAPTERS[0])
    if consent is None:
        return
    xml = write_fhir_xml(document, models(frozenset(document)))

    assert recorded(xml, ADAPTERS[1]) == consent
    for question in questions():
        assert permitted(consent, question) <= said(document, question)


@pytest.mark.parametrize("document", [consents.r4(), consents.r5()], ids=["r4", "r5"])
def test_what_a_document_says_is_permitted(document: Json) -> None:
    """So that the test above is not one of documents that permit nothing."""
    consent = recorded(json.dumps(document).encode(), ADAPTERS[0])
    assert consent is not None

    both = [(permitted(consent, q), said(document, q)) for q in questions()]

    assert [mine for mine, _ in both] == [its for _, its in both]
    assert any(mine for mine, _ in both)
