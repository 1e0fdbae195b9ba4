"""Understands what one consent, standing alone, would let through and stop: asked of decide() itself.

Each question goes through a row that asks for a consent and demands nothing of its form, so that the
answer is that of the consent and of no policy. Pure; must not know where the consent came from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from consent.decide import Ask, decide
from consent.rows import Effect, Row, Status
from hub.message import ANY, Agency, Basis, Category, Consent, Item, Purpose, Sector, Verdict

OTHERS = "others"
"""Any party or purpose that the consent does not name."""

_CATEGORIES = tuple(c for c in Category if c not in (Category.UNKNOWN, Category.PROTECTED_ADDRESS))
_ITEMS = tuple(Item(c.value, frozenset({c}), frozenset()) for c in _CATEGORIES)
_ROW = Row(
    id="question",
    version=1,
    valid_from=date.min,
    valid_to=None,
    known_from=date.min,
    effect=Effect.CONSENT,
    senders=frozenset(Sector),
    recipients=frozenset(Sector),
    purposes=frozenset(Purpose),
    categories=frozenset(_CATEGORIES),
    status=Status.APPROVED,
)
_NO_ORG = "000000000"


@dataclass(frozen=True)
class Line:
    """One question and its answer. Categories in neither list are not spoken of."""

    sender: str
    recipient: str
    purpose: str
    permits: tuple[str, ...]
    refuses: tuple[str, ...]


def evaluate(consent: Consent, at: datetime, data_date: date | None = None) -> tuple[Line, ...]:
    """What it permits and refuses `at` (aware) between all it names, and others."""
    senders = [*_named(consent, "senders"), OTHERS]
    recipients = [*_named(consent, "recipients"), OTHERS]
    purposes = [*_named(consent, "purposes"), OTHERS]
    lines = (
        _line(consent, at, data_date, sender, recipient, purpose)
        for sender in senders
        for recipient in recipients
        for purpose in purposes
    )
    return tuple(line for line in lines if line.permits or line.refuses)


def state(consent: Consent, day: date) -> str:
    """in-force, not-yet or expired on that day (Europe/Oslo)."""
    if consent.valid_from and day < consent.valid_from:
        return "not-yet"
    return "expired" if consent.valid_to and consent.valid_to < day else "in-force"


def _named(consent: Consent, attribute: str) -> list[str]:
    def everywhere(c: Consent) -> Iterator[str]:
        yield from getattr(c, attribute) or ()
        for exception in c.exceptions:
            yield from everywhere(exception)

    return sorted(set(everywhere(consent)) - {ANY})


def _line(
    consent: Consent, at: datetime, data_date: date | None, sender: str, recipient: str, purpose: str
) -> Line:
    named = {*_named(consent, "senders"), *_named(consent, "recipients")}
    purposes = _named(consent, "purposes")
    ask = Ask(
        sender=_agency(sender, named),
        recipient=_agency(recipient, named),
        purpose=next(p for p in Purpose if p not in purposes) if purpose == OTHERS else Purpose(purpose),
        basis=Basis.CONSENT,
        agreement="question",
        items=_ITEMS,
        protected_address=False,
        data_date=data_date,
    )
    decision = decide(ask, [_ROW], [consent], at=at, known_at=at)
    permits = sorted(item.path for item in decision.items if item.verdict is Verdict.PERMIT)
    refuses = sorted(item.path for item in decision.items if item.reason in REFUSED)
    return Line(sender, recipient, purpose, tuple(permits), tuple(refuses))


REFUSED = frozenset({"decide.refused", "decide.exception", "decide.conflict"})


def _agency(party: str, named: set[str]) -> Agency:
    if party in {sector.value for sector in Sector}:
        return Agency(_NO_ORG, party, Sector(party))
    sector = next(s for s in Sector if s.value not in named)
    return Agency(_NO_ORG if party == OTHERS else party, party, sector)
