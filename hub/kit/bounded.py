"""Understands how an adapter is run so that it cannot keep anybody: in a process of its own, which is ended
when one call takes too long, and which gets no more memory than so much.

Nothing in Python stops a loop without end, or a call into C that does not come back; the end of a process
does. What runs there says on a board that both see where it is, so that it can be told what did not end.
"""

from __future__ import annotations

import ctypes
import mmap
import multiprocessing
import os
import resource
import signal
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

from hub.errors import Finding, HubError
from hub.kit.asked import CALLS, place_of, unimportable

T = TypeVar("T")

CALL_SECONDS = 10.0
"""On the clock for one call of an adapter: five times what it may take, as machines are busy."""

STEP_SECONDS = 120.0
"""For all else that is done between two calls: modules are imported, records made up."""

MEMORY = 2**30
"""Bytes of address space that the process gets beyond what it has when it begins."""

_PR_SET_PDEATHSIG = 1
"""prctl(2)."""

_LOOK = 0.2
_HEAD = struct.Struct("<QQ")
_SIZE = 512


class _Board:
    """How many calls began, whether one goes on, and a line on what is being done."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, _SIZE)  # a child that is forked has the same
        self.calls = 0

    def mark(self, inside: bool) -> None:
        self.calls += inside
        _HEAD.pack_into(self._shared, 0, self.calls, inside)

    def write(self, *words: str) -> None:
        said = "\t".join(words).encode()[: _SIZE - _HEAD.size]
        self._shared[_HEAD.size :] = said.ljust(_SIZE - _HEAD.size, b"\0")

    def read(self) -> tuple[bytes, bool, tuple[str, str, str]]:
        """All there is, to see whether anything goes on; whether a call does; adapter, check and place."""
        whole = self._shared[:]
        words = whole[_HEAD.size :].rstrip(b"\0").decode(errors="replace").split("\t")
        adapter, check, place = (*words, "", "", "")[:3]
        return whole, bool(_HEAD.unpack_from(whole)[1]), (adapter, check, place)


_board = _Board()
_doing = ["", "", ""]


def now_at(*, adapter: str | None = None, check: str | None = None, place: str = "") -> None:
    """Say what is being done. `place` is an input by its number or a file by its name, never content."""
    _doing[:] = [_doing[0] if adapter is None else adapter, _doing[1] if check is None else check, place]
    _board.write(*_doing)


@dataclass
class Unended(Exception):
    """A process that had to be ended, or ended itself: in the check of which adapter, and what is wrong."""

    adapter: str
    check: str
    finding: Finding


@dataclass(frozen=True)
class _Refused:
    """A HubError on its way from one process to the other."""

    code: str
    findings: tuple[Finding, ...]


def bounded(do: Callable[[], Iterator[T]], *, memory: int = MEMORY) -> Iterator[T]:
    """What `do` yields, one by one as it comes, from a process of its own.

    Raises Unended, and every HubError that `do` raises; what else it raises is adapter.invalid for an adapter
    that cannot be imported, and hub.internal with the place.
    """
    board = _Board()
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe(duplex=False)
    child = fork.Process(target=_run, args=(do, board, theirs, memory), daemon=True)
    child.start()
    theirs.close()
    try:
        while True:
            kind, said = _next(ours, board)
            if kind != "item":
                break
            yield said  # type: ignore[misc]  # the child sends what `do` yields
    finally:
        child.kill()
        child.join()
        child.close()
        ours.close()
    if isinstance(said, _Refused):
        raise HubError(said.code, said.findings)
    if kind != "end":
        adapter, check, place = board.read()[2]
        raise Unended(adapter, check or "loading", Finding(place or check or adapter, kind, str(said)))


def _next(ours: Connection, board: _Board) -> tuple[str, object]:
    """What the child says next, or that it does not: ("time", …) or ("ended", …), with what was expected."""
    seen, waited, looked = b"", 0.0, time.monotonic()
    while not ours.poll(_LOOK):
        state, inside, _ = board.read()
        elapsed, looked = time.monotonic() - looked, time.monotonic()
        waited = waited + min(elapsed, 2 * _LOOK) if state == seen else 0.0  # both may have been halted
        seen = state
        most = CALL_SECONDS if inside else STEP_SECONDS
        if waited > most:
            return "time", f"an end within {most:.0f} s; it was stopped, and nothing after it was looked at"
    try:
        kind, said = ours.recv()
    except EOFError:
        return "ended", "a call that comes back; it ended the whole process"
    return str(kind), said


def _run(do: Callable[[], Iterator[object]], board: _Board, theirs: Connection, memory: int) -> None:
    """In the child: send what there is, and end whatever happens."""
    global _board
    _board = board
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever waits for us ends us
    _end_with_parent()
    _limit(memory)
    CALLS.append(_call)
    try:
        for item in do():
            theirs.send(("item", item))
        theirs.send(("end", None))
    except HubError as refused:
        theirs.send(("refused", _Refused(refused.code, refused.findings)))
    except Exception as fault:  # noqa: BLE001  its text may hold a piece of a message
        told = unimportable(fault) or HubError("hub.internal", [place_of(fault)])
        theirs.send(("refused", _Refused(told.code, told.findings)))
    except BaseException as fault:  # noqa: BLE001  an exit that an adapter asks for ends a check, not all
        theirs.send((type(fault).__name__, "nothing but HubError"))
    finally:
        os._exit(0)  # nothing that was left to be done at exit is the child's


def _end_with_parent() -> None:
    """When nobody waits any more, as that one was ended from outside, the system ends this one, too."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def _call() -> Iterator[None]:
    _board.mark(inside=True)
    try:
        yield
    finally:
        _board.mark(inside=False)


def _limit(memory: int) -> None:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (OSError, ValueError):
        return
    most = pages * resource.getpagesize() + memory
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (most if hard < 0 else min(most, hard), hard))
