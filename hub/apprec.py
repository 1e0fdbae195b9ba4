"""Understands which receipt the sender of a KITH message gets from the hub, in its own format.

It follows from the message and from how its reading and addressing went, which the sender is told anyway
(`hub/api/problem.py`); never from a consent, a decision or a recipient. It must not know HTTP.
"""

from __future__ import annotations

from adapters.apprec.adapter import BY_VERSION
from adapters.apprec.answering import Arrival, answers
from hub.errors import HubError
from hub.message import Agency, Rendered
from hub.parts import Parts

STEPS = frozenset({"receive", "parse", "route"})
"""Where a refusal is one of the message. Whatever else happens is no answer to it."""


def of_message(parts: Parts, sender: Agency, body: bytes, refused: HubError | None) -> Rendered | None:
    """The AppRec for a body that was just taken in, or `refused`. None where none is due: the body is no KITH
    message or too broken to name, or the fault is not the message's and it may come again."""
    if refused is not None and (refused.problem.waiting_helps or refused.code.partition(".")[0] not in STEPS):
        return None
    here = {"enhet": "Brobygger"}  # answers in its own name where the message names nobody
    told = {"enhet": sender.name, "orgnr": sender.org}
    arrival = Arrival(body, parts.clock(), sender=told, receiver=here, refused=refused)
    # The message goes on by the agreements, so the hub answers once, for the receiver that it names first.
    given = answers(arrival, None, parts.new_id)
    if not given:
        return None
    adapter = BY_VERSION[given[0].version]
    return Rendered(sender, adapter.name, adapter.media_type, adapter.render(given[0].record))
