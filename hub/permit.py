"""Understands the permit to send once. It knows no clients, no store, no policy.

`hub/hand_over.py` issues one after the last decision, inside the person's gate; the sending client
spends it. A second use raises, so no retry can ride on yesterday's decision.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.message import Agency


class PermitSpent(RuntimeError):
    """A permit is valid for one attempt; decide again for the next."""


@dataclass
class SendPermit:
    """Leave to hand one disclosure to one recipient, once.

    `disclosure` is the opaque id the recipient sees and may use to drop a repeated copy;
    `attempt` counts from 1.
    """

    disclosure: str
    recipient: Agency
    attempt: int
    _spent: bool = field(default=False, repr=False)

    def spend(self) -> None:
        """Called by the sending client just before the first byte leaves."""
        if self._spent:
            raise PermitSpent(self.disclosure)
        self._spent = True
