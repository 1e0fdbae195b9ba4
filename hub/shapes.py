"""Understands what the steps of the pipeline hand to each other beside the message itself.

Original   a message as whoever sent it knows it
Route      one recipient under one agreement
Outgoing   what that recipient would get now, and the decision that says why
Accepted   what the sender is told
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from hub.message import Agency, Decision, Permitted, Rendered
from mappings.agreements import Agreement


@dataclass(frozen=True)
class Original:
    """A message as `sender` knows it, who sent it: its own id for it, when it made it (ISO 8601 with a zone)
    and its kind, in list 8279 where that has a code. For nobody else."""

    sender: str
    id: str = field(repr=False)
    sent: str = field(repr=False)
    kind: str = field(repr=False)


@dataclass(frozen=True)
class Route:
    """One recipient under one agreement. `header` becomes the `melding` group of what it gets. `because_of`:
    the answer without which it would not have been planned, if there is one. `original`: what is answered,
    for a receipt that goes to whoever sent it."""

    disclosure: str
    agreement: Agreement
    sender: Agency
    recipient: Agency
    received_at: datetime
    answers: str | None = None
    because_of: str | None = None
    original: Original | None = None

    @property
    def shown_sender(self) -> Agency | None:
        """Whose name stands on it. On what the hub itself sends out, such as the notice that a consent
        is withdrawn, nobody's: who recorded a consent can tell what it was about."""
        return None if self.agreement.route == "hub" else self.sender

    @property
    def header(self) -> Mapping[str, str]:
        told = {"id": self.disclosure, "sendt": self.received_at.isoformat(timespec="seconds")}
        if self.shown_sender is not None:
            told["avsender"] = self.shown_sender.org
        return told | ({"svar_pa": self.answers} if self.answers else {})


@dataclass(frozen=True)
class Outgoing:
    """What one recipient would get now. Nothing, when `rendered` is None; `decision` says why."""

    decision: Decision
    permitted: Permitted | None
    rendered: Rendered | None
    code: str | None = None


@dataclass(frozen=True)
class Accepted:
    """The hub answers for the message `id`; `message_id` is the sender's own id for it."""

    id: str
    duplicate: bool
    message_id: str
