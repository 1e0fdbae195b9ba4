"""Understands who got something on a person: the hand-overs that the audit log proves, of every record that
is that person's beyond doubt, and those of which the answer got lost.

It tells neither what stood in it nor what did not go: nothing of what was refused or withdrawn. A notice that
a consent is withdrawn is left out too, and so is who recorded the consent, whom the notice does not name.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from adapters.fhir_audit import Disclosed
from hub.audit import log
from hub.audit.log import Kind
from hub.desk import WITHDRAWN
from hub.errors import HubError
from hub.parts import Parts
from hub.store import people
from hub.store.schema import audit_leaf, disclosure, message

_NO_NOTICE = message.c.type != WITHDRAWN
"""By the type of the message, which stays when its agreement is gone."""


def of_person(parts: Parts, number: str) -> list[Disclosed]:
    """Every hand-over but of notices of a withdrawal, oldest first. Raises hub.no-such-person, also for what
    is no identity number."""
    with parts.store.reading() as view:
        person = people.find(view, parts.vault, number)
        if person is None:
            raise HubError("hub.no-such-person")
        records = {person.id, *person.one}
        found = [*_proved(view, parts, records), *_uncertain(view, parts, records)]
    return sorted(found, key=lambda one: (one.at, one.disclosure))


def _proved(view: Connection, parts: Parts, records: set[str]) -> Iterator[Disclosed]:
    """One for each hand-over, also of the same thing again."""
    rows = view.execute(
        select(audit_leaf.c.public, disclosure, message.c.sender, message.c.type)
        .join(disclosure, disclosure.c.id == audit_leaf.c.disclosure_id)
        .join(message, message.c.id == disclosure.c.message_id)
        .where(audit_leaf.c.person_id.in_(records), _NO_NOTICE)
        .order_by(audit_leaf.c.id)
    )
    for row in rows:
        if log.kind_of(row) is Kind.HAND_OVER:
            yield _disclosed(parts, row, log.time_of(row))


def _uncertain(view: Connection, parts: Parts, records: set[str]) -> Iterator[Disclosed]:
    rows = view.execute(
        select(disclosure, message.c.sender, message.c.type)
        .join(message, message.c.id == disclosure.c.message_id)
        .where(disclosure.c.person_id.in_(records), disclosure.c.uncertain_at.is_not(None), _NO_NOTICE)
    )
    for row in rows:
        yield _disclosed(parts, row, row.uncertain_at, certain=False)


def _disclosed(parts: Parts, row: Any, at: datetime, *, certain: bool = True) -> Disclosed:
    agreement = parts.find_agreement(row.agreement)
    return Disclosed(
        disclosure=row.id,
        at=at,
        sender=row.sender,
        recipient=row.recipient,
        type=row.type,
        agreement=row.agreement,
        purpose=agreement.purpose.value if agreement else None,
        certain=certain,
    )
