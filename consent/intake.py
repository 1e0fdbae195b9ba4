"""Understands a consent document at the desk: whether it can be evaluated, and what it then says.

What cannot be evaluated exactly is refused here, with every reason at once, so that the decision
never meets a consent it has to guess about. Pure; it knows no store and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

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

RECORDER = "innhentet_av"
"""The sector of whoever recorded it: added to the document by the hub, never taken from it."""


def check(record: Record, recorder: Sector) -> None:
    """Refuse what must not be recorded. Raises consent.programme-only (forskrift om
    narkotikaprogram § 6 is consent to the programme), consent.form-missing,
    consent.not-evaluable, consent.recorder-control."""
    document = record.fields
    if document["samtykke"]["slag"] != "deling":
        raise HubError("consent.programme-only")
    permits = document["samtykke"]["beslutning"] == "tillat"
    if findings := [*_unknown_words(document), *(_unsaid(document) if permits else ())]:
        raise HubError("consent.not-evaluable", findings)
    if permits and (findings := list(_form(document["samtykke"]))):
        raise HubError("consent.form-missing", findings)
    categories = document.get("kategorier", ())
    if permits and recorder in CONTROL_SECTORS and Category.SUBSTANCE_USE in categories:
        raise HubError("consent.recorder-control")


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
        form=said["form"],
        text_version=said.get("tekstversjon", ""),
        grantor="person" if said["gitt_av"] == "pasient" else "guardian",
        recorder=Sector(document[RECORDER]),
        kind=kind,
        replaces=said.get("erstatter"),
        exceptions=tuple(
            _exception(exception, permits=not permits, recorded_at=recorded_at)
            for exception in document.get("unntak", ())
        ),
    )


def _exception(said: Fields, *, permits: bool, recorded_at: datetime) -> Consent:
    return Consent(
        id="",
        version=0,
        permits=permits,
        recorded_at=recorded_at,
        valid_from=_day(said.get("fra")),
        valid_to=_day(said.get("til")),
        senders=None,
        recipients=_words(said.get("mottakere")),
        purposes=_words(said.get("formal")),
        categories=_words(said.get("kategorier")),
    )


def _day(value: Any) -> date | None:
    return None if value is None else date.fromisoformat(value)


def _words(value: Sequence[str] | None) -> frozenset[str] | None:
    return frozenset(value) if value else None


def _unsaid(document: Fields) -> Iterable[Finding]:
    """A permission must say from whom, to whom, what for and which information."""
    for name in ("avsendere", "mottakere", "formal", "kategorier"):
        if not document.get(name):
            yield Finding(at=name, rule="said-out-loud", expected="at least one entry")
    for name in ("gyldig_fra", "gyldig_til"):
        if not document["samtykke"].get(name):
            yield Finding(at=f"samtykke.{name}", rule="said-out-loud", expected="a date")


def _form(said: Fields) -> Iterable[Finding]:
    for name in ("signert", "forklart"):
        if said[name] is not True:
            yield Finding(at=f"samtykke.{name}", rule="form", expected="true")
    if not said.get("tekstversjon"):
        yield Finding(at="samtykke.tekstversjon", rule="form", expected="the edition of the text shown")


def _unknown_words(document: Fields) -> Iterable[Finding]:
    """Words that no row, agency or purpose can ever match would make a refusal toothless."""
    parties = {sector.value for sector in Sector}
    for path, here in (
        ("", document),
        *((f"unntak[{i}].", e) for i, e in enumerate(document.get("unntak", ()))),
    ):
        for name in ("avsendere", "mottakere"):
            for index, word in enumerate(here.get(name, ())):
                organisation = len(word) == 9 and word.isdigit()
                if word not in parties and not organisation and word != ANY:
                    yield _unknown(f"{path}{name}[{index}]", "a sector, an organisation number or *")
        for name, known in (("formal", Purpose), ("kategorier", Category)):
            for index, word in enumerate(here.get(name, ())):
                if word not in {member.value for member in known} or word == Category.UNKNOWN:
                    yield _unknown(f"{path}{name}[{index}]", "a code that the hub knows")


def _unknown(at: str, expected: str) -> Finding:
    return Finding(at=at, rule="known-word", expected=expected)
