"""Understands what the hub asks of a queue: carry references to work, lose none, keep a shard in order.

Work is a reference only. The queue must not know what it refers to, for whom, or to whom. The
database is the truth and the queue may repeat: `handle` must bear to see the same work twice.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

SHARDS = 8
"""Work of one person always goes to one shard. Changing it asks for new queues: see decisions."""

LADDER: tuple[float, ...] = (2, 10, 60, 300, 1800, 7200)
"""Seconds to wait before the next attempt, by step. The delay queues are declared from it."""

_log = logging.getLogger("hub.queue")


@dataclass(frozen=True)
class Work:
    """An opaque disclosure id, and the shard (0..SHARDS-1) drawn from the person's opaque id."""

    ref: str
    shard: int


@dataclass(frozen=True)
class Done:
    """Settled; forget it."""


@dataclass(frozen=True)
class Later:
    """Hand it out again after `ladder[step]` seconds; beyond the end means the last delay."""

    step: int = 0


@dataclass(frozen=True)
class Dead:
    """Put it aside where an operator sees it; nobody tries again by itself."""


Settlement = Done | Later | Dead

Handle = Callable[[Work], Settlement]


class Depth(NamedTuple):
    """How much lies in one queue; `oldest` is the age in seconds, or None where the queue cannot tell."""

    messages: int
    oldest: float | None


class Queue(Protocol):
    """Two implementations, one contract: `tests/hub/queue/test_contract.py`."""

    def publish(self, works: Sequence[Work]) -> None:
        """Durable when it returns, all of it; else raises enqueue.unavailable and some may be there."""

    def consume(self, handle: Handle, stop: threading.Event) -> None:
        """Blocks until `stop`. Outlives every absence of the broker or database by itself."""

    def depth(self) -> Mapping[str, Depth]:
        """What lies where, by opaque queue name; raises enqueue.unavailable."""

    def close(self) -> None:
        """Let go of what publishing holds on to."""


def settle(handle: Handle, work: Work) -> Settlement:
    """The handler's answer. A handler that fails has not answered, so the work comes back soon."""
    try:
        return handle(work)
    except Exception as exc:  # noqa: BLE001  # work must outlive any fault of the code that handles it
        _log.error("handler failed; the work comes back", extra={"fault": type(exc).__name__})
        return Later(0)


def delay(ladder: Sequence[float], step: int) -> float:
    """Seconds for a step of the ladder."""
    return ladder[max(0, min(step, len(ladder) - 1))]
