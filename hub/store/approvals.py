"""Understands the steps by which persons switch the statutory form of a flow on and off.

Steps are only ever added. What is on follows from them: two different persons said yes to the same
thing, and nobody has taken it back since.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, insert, select

from hub.store.schema import policy_step

TWO = 2


class Did(StrEnum):
    APPROVE = "approve"
    REVOKE = "revoke"


@dataclass(frozen=True)
class Step:
    """What one person did about one flow. `digest` is of the rows they did it about."""

    flow: str
    did: Did
    digest: str
    by: str
    document: str
    reason: str
    at: datetime


_COLUMNS = tuple(policy_step.c[name] for name in Step.__dataclass_fields__)
_STEPS = select(*_COLUMNS).order_by(policy_step.c.id)


def add(tx: Connection, step: Step) -> None:
    tx.execute(insert(policy_step).values({name: getattr(step, name) for name in Step.__dataclass_fields__}))


def steps(tx: Connection) -> list[Step]:
    """Every step, oldest first."""
    rows = tx.execute(_STEPS)
    return [Step(**{**row._mapping, "did": Did(row.did)}) for row in rows]


def standing(all_steps: Iterable[Step]) -> dict[tuple[str, str], list[Step]]:
    """The approvals that nobody has taken back, by flow and digest, one of each person. Whoever takes
    a flow back takes back every approval of it."""
    found: dict[tuple[str, str], list[Step]] = {}
    for step in all_steps:
        if step.did is Did.REVOKE:
            found = {key: kept for key, kept in found.items() if key[0] != step.flow}
            continue
        kept = found.setdefault((step.flow, step.digest), [])
        if not any(same_person(step.by, other.by) for other in kept):
            kept.append(step)
    return found


def same_person(one: str, other: str) -> bool:
    """However the name is spelt: width, case and blanks make nobody a second person."""
    return _spelt(one) == _spelt(other)


def _spelt(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())
