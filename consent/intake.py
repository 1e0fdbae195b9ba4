"""Understands a consent document at the desk: whether it can be evaluated, and what it then says.

What cannot be evaluated exactly is refused here, with every reason at once, so that the decision
never meets a consent it has to guess about. Pure; it knows no store and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hub.errors import Finding, HubError
from hub.message import (
    ANY,
    CONTROL_SECTORS,
    Category,
    Consent,
    Fields,
    Purpose,
    Record,
    Sector,
)
from mappings.identifiers import is_orgnr

OSLO = ZoneInfo("Europe/Oslo")
"""Dates in a consent are whole days here."""

RECORDER = "innhentet_av"
"""The sector of whoever recorded it: added to the document by the hub, never taken from it."""


_CLOCKS = timedelta(hours=1)
"""How far the sender's clock may go before ours."""


def check(record: Record, recorder: Sector, at: datetime) -> None:
    """Refuse what must not be recorded `at` this moment (aware). Raises consent.programme-only (forskrift
    om narkotikaprogram § 6 is consent to the programme), consent.form-missing, consent.not-evaluable (also
    a permission that says it will be given later), consent.recorder-control."""
    document = record.fields
    said = document["samtykke"]
    if said["slag"] != "deling":
        raise HubError("consent.programme-only")
    scopes = list(_scopes(document))
    permissions = [scope for scope in scopes if scope.permits]
    findings = [*_unknown_words(scopes), *_backwards(scopes), *_twice(document)]
    findings += [finding for scope in permissions for finding in _unsaid(scope)]
    if permissions and not said.get("gitt_av"):
        findings.append(Finding("samtykke.gitt_av", "said-out-loud", "who gave it"))
    if permissions and datetime.fromisoformat(document["melding"]["sendt"]) > at + _CLOCKS:
        findings.append(Finding("melding.sendt", "not-yet", "a time that has come"))
    if findings:
        raise HubError("consent.not-evaluable", findings)
    if permissions and (findings := list(_form(said))):
        raise HubError("consent.form-missing", findings)
    told = {word for scope in permissions for word in scope.said["kategorier"]}
    if recorder in CONTROL_SECTORS and Category.SUBSTANCE_USE in told:
        raise HubError("consent.recorder-control")


ALL_PERMISSIONS, ALL_REFUSALS = "alle_samtykker", "alle_nektelser"
PERMITTED = "tillat"


def check_withdrawal(record: Record, recorder: Sector) -> None:
    """Refuse a withdrawal that says neither what, nor that the person signed it. Withdrawing is as easy
    as giving (GDPR art. 7 (3)): any agency may record it, of everything at once, without naming what
    another one recorded. Raises parse.invalid, consent.form-missing, consent.recorder-control."""
    series, scope = record.get("samtykke.serie"), record.get("omfang")
    if (series is None) == (scope is None):
        expected = "the id of the consent, or omfang, and not both"
        raise HubError("parse.invalid", [Finding("samtykke.serie", "missing", expected)])
    if scope is not None and record.get("signert") is not True:
        raise HubError("consent.form-missing", [Finding("signert", "form", "true")])
    if scope == ALL_REFUSALS and recorder in CONTROL_SECTORS:
        expected = "a recorder outside the control roles"
        raise HubError("consent.recorder-control", [Finding("omfang", "recorder", expected)])


@dataclass(frozen=True)
class _Scope:
    """The rule or one exception: what it says with all it takes over from the rule around it."""

    at: str
    permits: bool
    own: Fields
    said: Fields


_INHERITED = ("avsendere", "mottakere", "formal", "kategorier", "fra", "til")


def _scopes(document: Fields) -> Iterator[_Scope]:
    said = document["samtykke"]
    rule: dict[str, Any] = {name: document.get(name) for name in _INHERITED}
    rule |= {"fra": said.get("gyldig_fra"), "til": said.get("gyldig_til")}
    rule |= {"data_fra": said.get("data_fra"), "data_til": said.get("data_til")}
    rule = {name: value for name, value in rule.items() if value}
    permits = said["beslutning"] == "tillat"
    yield _Scope("", permits, rule, rule)
    yield from _exceptions(document, rule, "", not permits)


def _exceptions(around: Fields, rule: Fields, at: str, permits: bool) -> Iterator[_Scope]:
    for index, own in enumerate(around.get("unntak", ())):
        here = f"{at}unntak[{index}]."
        said = {name: own.get(name) or rule.get(name) for name in _INHERITED}
        yield _Scope(here, permits, own, said)
        yield from _exceptions(own, said, here, not permits)


def read(document: Fields, recorded_at: datetime) -> Consent:
    """The consent as the decision reads it. Raises KeyError or ValueError on anything odd."""
    said = document["samtykke"]
    permits = {"tillat": True, "nekt": False}[said["beslutning"]]
    kind = "sharing" if said["slag"] == "deling" else "programme"
    return Consent(
        id=said["serie"],
        version=said["versjon"],
        permits=permits,
        recorded_at=recorded_at,
        valid_from=_day(said.get("gyldig_fra")),
        valid_to=_day(said.get("gyldig_til")),
        senders=_words(document.get("avsendere")),
        recipients=_words(document.get("mottakere")),
        purposes=_words(document.get("formal")),
        categories=_words(document.get("kategorier")),
        data_from=_day(said.get("data_fra")),
        data_to=_day(said.get("data_til")),
        signed=said["signert"] is True,
        explained=said["forklart"] is True,
        form=said.get("form", ""),
        text_version=said.get("tekstversjon", ""),
        grantor=_GRANTORS[said.get("gitt_av", "")],
        recorder=Sector(document[RECORDER]),
        kind=kind,
        replaces=said.get("erstatter"),
        setting=said.get("sted", ""),
        interpreter=said.get("tolk", ""),
        language=said.get("sprak", ""),
        under_sentence=said.get("under_straff"),
        widened=said.get("utvidet") is True and not permits,
        exceptions=tuple(
            _exception(exception, permits=not permits, recorded_at=recorded_at)
            for exception in document.get("unntak", ())
        ),
    )


_GRANTORS = {
    "pasient": "person",
    "verge": "guardian",
    "": "unknown",  # a refusal counts whoever recorded it; a permission is not recorded without
}


def _exception(said: Fields, *, permits: bool, recorded_at: datetime) -> Consent:
    return Consent(
        id="",
        version=0,
        permits=permits,
        recorded_at=recorded_at,
        valid_from=_day(said.get("fra")),
        valid_to=_day(said.get("til")),
        senders=_words(said.get("avsendere")),
        recipients=_words(said.get("mottakere")),
        purposes=_words(said.get("formal")),
        categories=_words(said.get("kategorier")),
        data_from=_day(said.get("data_fra")),
        data_to=_day(said.get("data_til")),
        exceptions=tuple(
            _exception(inner, permits=not permits, recorded_at=recorded_at)
            for inner in said.get("unntak", ())
        ),
    )


def _day(value: Any) -> date | None:
    return None if value is None else date.fromisoformat(value)


def _words(value: Sequence[str] | None) -> frozenset[str] | None:
    return frozenset(value) if value else None


_SAID_OUT_LOUD = {
    "avsendere": "at least one who may share",
    "mottakere": "at least one recipient",
    "formal": "at least one purpose",
    "kategorier": "at least one category of information",
    "fra": "a date",
    "til": "a date",
}


def _unsaid(scope: _Scope) -> Iterable[Finding]:
    """A permission must say from whom, to whom, what for, which information and how long."""
    names = {"fra": "samtykke.gyldig_fra", "til": "samtykke.gyldig_til"}
    for name in _INHERITED:
        if not scope.said.get(name):
            at = f"{scope.at}{name}" if scope.at else names.get(name, name)
            yield Finding(at=at, rule="said-out-loud", expected=_SAID_OUT_LOUD[name])


def _backwards(scopes: Iterable[_Scope]) -> Iterable[Finding]:
    """Periods that end before they begin, and exceptions that are about nothing."""
    for scope in scopes:
        for first, last in (("fra", "til"), ("data_fra", "data_til")):
            start, end = scope.own.get(first), scope.own.get(last)
            if start and end and date.fromisoformat(end) < date.fromisoformat(start):
                yield Finding(f"{scope.at}{last}", "not-before", "a day that is not before the first")
        if scope.at and not any(scope.own.get(name) for name in (*_INHERITED, "data_fra", "data_til")):
            yield Finding(scope.at.rstrip("."), "said-out-loud", "what the exception is about")


def _twice(document: Fields) -> Iterable[Finding]:
    """A document cannot stand in its own place."""
    said = document["samtykke"]
    if said.get("erstatter") == said["serie"]:
        yield Finding("samtykke.erstatter", "other", "the id of another consent; a new version needs none")


def _form(said: Fields) -> Iterable[Finding]:
    for name in ("signert", "forklart"):
        if said[name] is not True:
            yield Finding(at=f"samtykke.{name}", rule="form", expected="true")
    if not said.get("form"):
        yield Finding(at="samtykke.form", rule="form", expected="how it was given")
    if not said.get("tekstversjon"):
        yield Finding(at="samtykke.tekstversjon", rule="form", expected="the edition of the text shown")


_PARTY = "a sector, an organisation number with the right check digit, or *"


def _unknown_words(scopes: Iterable[_Scope]) -> Iterable[Finding]:
    """Words that no row, agency or purpose can ever match would make a refusal toothless."""
    parties = {sector.value for sector in Sector}
    for scope in scopes:
        for name in ("avsendere", "mottakere"):
            for index, word in enumerate(scope.own.get(name, ())):
                organisation = is_orgnr(word)
                if word not in parties and not organisation and word != ANY:
                    yield _unknown(f"{scope.at}{name}[{index}]", _PARTY)
        for name, known in (("formal", Purpose), ("kategorier", Category)):
            for index, word in enumerate(scope.own.get(name, ())):
                if word not in {member.value for member in known} or word == Category.UNKNOWN:
                    yield _unknown(f"{scope.at}{name}[{index}]", "a code that the hub knows")


def _unknown(at: str, expected: str) -> Finding:
    return Finding(at=at, rule="known-word", expected=expected)
