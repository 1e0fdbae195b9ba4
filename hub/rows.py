"""Understands how an outgoing thing becomes columns and audit leaves: sealed, digested, proved.

Shared by the first half of a message's way and the second; it decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from hub.audit import log
from hub.audit.log import Kind
from hub.message import Decision, Rendered, Sealed, Verdict
from hub.parts import Parts
from hub.shapes import Outgoing, Route
from hub.store import disclosures
from hub.store.people import Person


def rendering(parts: Parts, person: Person, route: Route, outgoing: Outgoing) -> dict[str, Any]:
    """The columns of a sealed rendering, or of none."""
    if outgoing.rendered is None:
        return disclosures.NO_RENDERING | {"adapter": None}
    sealed = parts.vault.seal(person.key, outgoing.rendered.body, bound_to=_bound(route.disclosure))
    return {
        "ciphertext": sealed.ciphertext,
        "wrapped_key": sealed.wrapped_key,
        "permitted": fingerprint(parts, route, outgoing.decision),
        "adapter": outgoing.rendered.adapter,
    }


def open_rendering(parts: Parts, person: Person, disclosure_id: str, sealed: Sealed) -> bytes:
    """The rendered bytes again, or seal.key-destroyed."""
    return parts.vault.open(person.key, sealed, bound_to=_bound(disclosure_id))


def _bound(disclosure_id: str) -> str:
    return f"disclosure {disclosure_id}"


def fingerprint(parts: Parts, route: Route, decision: Decision) -> str:
    """Keyed digest of what may go under which version of the agreement: while it is the same, a
    sealed rendering is still the right one. Nothing can be read from it."""
    paths = sorted(decision.paths(Verdict.PERMIT))
    lines = "\n".join([f"{route.agreement.id}/{route.agreement.version}", *paths])
    return parts.vault.pseudonym("rendering", lines)


def seal_tried(parts: Parts, person: Person, disclosure_id: str, paths: frozenset[str]) -> dict[str, Any]:
    """The columns that remember which leaves an attempt carries whose outcome is not known yet."""
    body = json.dumps(sorted(paths)).encode()
    sealed = parts.vault.seal(person.key, body, bound_to=f"tried {disclosure_id}")
    return {"tried": sealed.ciphertext, "tried_key": sealed.wrapped_key}


def open_tried(tx: Connection, parts: Parts, person: Person, disclosure_id: str) -> frozenset[str] | None:
    """What earlier attempts may have brought, all of them; None when there was none."""
    sealed = disclosures.sealed_tried(tx, disclosure_id)
    if sealed is None:
        return None
    return frozenset(json.loads(parts.vault.open(person.key, sealed, bound_to=f"tried {disclosure_id}")))


def seal_paths(parts: Parts, person: Person, disclosure_id: str, paths: frozenset[str]) -> dict[str, Any]:
    """The columns that remember which leaves an earlier revision delivered."""
    body = json.dumps(sorted(paths)).encode()
    sealed = parts.vault.seal(person.key, body, bound_to=f"sent {disclosure_id}")
    return {"sent": sealed.ciphertext, "sent_key": sealed.wrapped_key}


def open_paths(tx: Connection, parts: Parts, person: Person, disclosure_id: str) -> frozenset[str]:
    """What earlier revisions delivered; empty for a first one."""
    sealed = disclosures.sealed_sent(tx, disclosure_id)
    if sealed is None:
        return frozenset()
    return frozenset(json.loads(parts.vault.open(person.key, sealed, bound_to=f"sent {disclosure_id}")))


def prove_decision(
    tx: Connection,
    parts: Parts,
    person: Person,
    route: Route,
    outgoing: Outgoing,
    *,
    attempt: int,
) -> None:
    """The audit leaf of one decision: every item with its verdict, reason and ground. Attempt 0 is
    the one at intake. Paths name fields; an index in a path is left out, it could count."""
    log.append(
        tx,
        parts.vault,
        log.Person(person.id, person.key),
        Kind.DECISION,
        outgoing.decision.at,
        {
            **_about(route),
            "attempt": attempt,
            "epoch": person.epoch,
            "policy": parts.pack.digest,
            "permits": outgoing.rendered is not None,
            "code": outgoing.code or "",
            "items": [
                {
                    "path": item.path,
                    "verdict": item.verdict.value,
                    "reason": item.reason,
                    "row": item.row or "",
                    "consents": list(item.consents),
                    "obligations": list(item.obligations),
                    "requests": list(item.requests),
                }
                for item in outgoing.decision.items
            ],
            "alarms": list(outgoing.decision.alarms),
        },
        disclosure=route.disclosure,
    )


def prove(
    tx: Connection,
    parts: Parts,
    person: Person,
    kind: Kind,
    what: Mapping[str, Any],
    *,
    disclosure: str | None = None,
) -> None:
    """The audit leaf of anything else that happened now."""
    log.append(
        tx,
        parts.vault,
        log.Person(person.id, person.key),
        kind,
        parts.clock(),
        what,
        disclosure=disclosure,
    )


def rendered_hash(parts: Parts, rendered: Rendered) -> str:
    """Keyed digest of what left, so that a recipient's copy can be matched later."""
    return parts.vault.digest(rendered.body)


def _about(route: Route) -> dict[str, Any]:
    return {
        "agreement": f"{route.agreement.id}/{route.agreement.version}",
        "purpose": route.agreement.purpose.value,
        "sender": route.sender.org,
        "recipient": route.recipient.org,
    }
