"""Understands what one consent, standing alone, would let through and stop: asked of decide() itself.

Each question goes through a row that asks for a consent and demands nothing of its form, so that the
answer is that of the consent and of no policy. Pure; must not know where the consent came from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from consent.decide import Ask, decide
from consent.rows import Effect, Row
from hub.message import ANY, Agency, Basis, Category, Consent, Item, Purpose, Sector, Verdict

OTHERS = "others"
"""Any party or purpose that the consent does not name."""

_ITEMS = tuple(Item(c.value, frozenset({c}), frozenset()) for c in Category)
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
    categories=frozenset(Category),
)


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
    lines = (
        _line(consent, at, data_date, sender, recipient, purpose)
        for sender in _parties(_named(consent, "senders"))
        for recipient in _parties(_named(consent, "recipients"))
        for purpose in _purposes(_named(consent, "purposes"))
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


def _parties(named: list[str]) -> list[Agency]:
    """A sector is matched by its name as an organisation is by its number, so each is given a sector that
    is not named. Where all are named there are no others."""
    free = [sector for sector in Sector if sector not in named]
    parties = [Agency(party, party, next(iter(free), Sector.OUTSIDE)) for party in named]
    return parties + [Agency(OTHERS, OTHERS, sector) for sector in free[:1]]


def _purposes(named: list[str]) -> list[tuple[str, Purpose]]:
    free = [purpose for purpose in Purpose if purpose not in named]
    return [(purpose, Purpose(purpose)) for purpose in named] + [(OTHERS, purpose) for purpose in free[:1]]


def _line(
    consent: Consent,
    at: datetime,
    data_date: date | None,
    sender: Agency,
    recipient: Agency,
    purpose: tuple[str, Purpose],
) -> Line:
    ask = Ask(
        sender=sender,
        recipient=recipient,
        purpose=purpose[1],
        basis=Basis.CONSENT,
        agreement="question",
        items=_ITEMS,
        protected_address=False,
        data_date=data_date,
    )
    items = decide(ask, [_ROW], [consent], at=at, known_at=at).items
    permits = sorted(item.path for item in items if item.verdict is Verdict.PERMIT)
    refuses = sorted(item.path for item in items if item.reason in _REFUSED)
    return Line(sender.name, recipient.name, purpose[0], tuple(permits), tuple(refuses))


_REFUSED = frozenset({"decide.refused", "decide.exception"})
"""One consent alone is in no conflict."""
