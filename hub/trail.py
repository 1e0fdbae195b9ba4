"""Understands that every step has a name, and that its failure has a code.

`run` is how the pipeline calls a step. It counts, and it turns whatever was not foreseen into
hub.internal: only here is Exception caught on a message's way. Counters carry the step and a code and
nothing else, and only codes that do not depend on what a consent allows: an observer of logs or
metrics learns that a message passed, never what was decided about it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from prometheus_client import Counter
from sqlalchemy.exc import IntegrityError, OperationalError

from hub.errors import HubError
from hub.message import Step

P = ParamSpec("P")
T = TypeVar("T")

_AFTER_THE_DECISION = frozenset({Step.TRANSLATE, Step.RENDER, Step.HAND_OVER})
"""Steps that are taken, or taken again, only where something may go: counting them counts permissions."""

_OF_THE_DECISION = ("decide.", "translate.", "render.")
"""Codes that tell what was decided, or that something may go."""

STEPS = Counter("bro_steps_total", "Steps taken, by step and result", ["step", "result"])

_log = logging.getLogger("hub.trail")


def run(step: Step, do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do one step. Raises HubError and nothing else."""
    try:
        result = do(*args, **kwargs)
    except HubError as exc:
        if not exc.code.startswith(_OF_THE_DECISION):
            _count(step, exc.code)
        raise
    except (OperationalError, IntegrityError) as exc:
        # The database is away, or two wrote the same at once: waiting helps, nothing is broken.
        _count(step, "receive.busy")
        raise HubError("receive.busy") from exc
    except Exception as exc:
        _count(step, "hub.internal")
        _unforeseen(step, exc)
        raise HubError("hub.internal") from exc
    _count(step, "ok")
    return result


def spare(step: Step, do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """Do what only helps somebody to understand a refusal. None where that fails in whatever way: the refusal
    stands as it is, and counts once."""
    try:
        return do(*args, **kwargs)
    except Exception as exc:  # noqa: BLE001  a place that cannot be found may not become a fault of ours
        _unforeseen(step, exc)
        return None


def _unforeseen(step: Step, exc: Exception) -> None:
    # Only the kind of the fault: its text could carry a piece of the message.
    _log.error(
        "a step failed in a way nobody foresaw",
        extra={"action": "step_failed", "step": step.value, "fault": type(exc).__name__},
    )


def _count(step: Step, result: str) -> None:
    if step not in _AFTER_THE_DECISION:
        STEPS.labels(step, result).inc()
