"""Understands how long what was withheld may wait for somebody to say more: as long as its policy row allows.

Pure. It must not know messages or stores.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta

from consent.rows import Effect, Row
from hub.message import Decision, ItemDecision, Verdict

_ASKING = frozenset({Effect.CONSENT, Effect.DUTY_ON_REQUEST})
"""Rows that wait for somebody: the person, or an agency that asks. The others answer at once."""


def days(rows: Iterable[Row], agreed: int, *, day: date) -> int:
    """For how many days a disclosure stays open. `rows` are those of its sender, recipient and purpose,
    `agreed` the days its agreement says, `day` today in Oslo.

    The longest that a row allows, and never longer than agreed. It hangs on the way only, not on what
    was withheld: when a row goes must not tell (docs/decisions/0005).
    """
    allowed = [row.wait_days for row in rows if row.effect in _ASKING and row.in_force(day=day, known=day)]
    return min(agreed, max(allowed, default=agreed))


def narrowed(decision: Decision, rows: Iterable[Row], waited: timedelta | None) -> Decision:
    """Without what has waited longer than the row it would go under allows (decide.waited-out), if the
    disclosure has waited at all."""
    if waited is None:
        return decision
    by_ref = {row.ref: row for row in rows}
    return replace(decision, items=tuple(_narrowed(item, by_ref, waited) for item in decision.items))


def _narrowed(item: ItemDecision, rows: Mapping[str, Row], waited: timedelta) -> ItemDecision:
    under = [rows[ref] for ref in (item.row or "").split("+") if ref in rows]
    allowed = min((row.wait_days for row in under if row.effect in _ASKING), default=None)
    if item.verdict is not Verdict.PERMIT or allowed is None or waited < timedelta(days=allowed):
        return item
    return ItemDecision(item.path, Verdict.DENY, "decide.waited-out", item.row, item.consents)
