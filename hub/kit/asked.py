"""Understands how an adapter is asked by somebody who does not trust it: an answer, or a refusal by code.

Whatever else an adapter raises is hub.internal with the place and the kind of the fault. The text of the
fault could hold a piece of a message, so nobody gets it.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from hub.errors import Finding, HubError

P = ParamSpec("P")
T = TypeVar("T")


def asked(do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | HubError:
    """What `do` returns, or the HubError it raised; anything else it raised as hub.internal."""
    try:
        return do(*args, **kwargs)
    except HubError as refused:
        return refused
    except Exception as fault:  # noqa: BLE001  what an adapter must never do is what this looks for
        return HubError("hub.internal", [place_of(fault)])


def place_of(fault: BaseException) -> Finding:
    """The line that failed and the kind of the fault, without its text."""
    frames = traceback.extract_tb(fault.__traceback__)
    at = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
    return Finding(at=at, rule=type(fault).__name__, expected="nothing but HubError")
