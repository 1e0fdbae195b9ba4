"""Understands whether an adapter reaches for something while it reads or writes: a file that is not its own,
a socket, another process. Python's audit events tell (PEP 578), whatever way it was asked for.

What `purity` says of the code holds before a line of it runs; this sees what it did not.
"""

from __future__ import annotations

import inspect
import os
import sys
import sysconfig
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.errors import Finding

_ROOT = Path(__file__).resolve().parents[2]
_READ = (
    *(_ROOT / name for name in ("adapters", "consent", "hub", "mappings")),
    *(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    *(Path(path).resolve() for path in zoneinfo.TZPATH),
)
"""Modules are imported at first use, and have tables of their own."""

_FILES = frozenset({"open", "os.listdir", "os.scandir"})
_OTHERS = (
    "socket.",
    "subprocess.",
    "shutil.",
    "os.",
    "pty.",
    "urllib.",
    "ftplib.",
    "smtplib.",
    "ctypes.dlopen",
)
_HARMLESS = frozenset({"os.fspath", "os.putenv", "os.unsetenv"})
_IMPORTING = "<frozen importlib._bootstrap_external>"
_MODULES = (".py", ".so", ".pyd")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_seen: dict[tuple[str, str], None] = {}
_depth = 0
_watching = False


def watch() -> None:
    """From now on. An audit hook stays as long as its process."""
    global _watching
    _seen.clear()
    if not _watching:
        sys.addaudithook(_hook)
        _watching = True


@contextmanager
def inside() -> Iterator[None]:
    """A call of an adapter."""
    global _depth
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1


def found(folder: Path) -> tuple[Finding, ...]:
    """What was reached for since `watch`, besides the files of this folder."""
    own = folder.resolve()
    return tuple(
        Finding(event, "reach", "bytes to record, record to bytes, nothing else")
        for event in dict.fromkeys(
            event for event, path in _seen if not path or not Path(path).is_relative_to(own)
        )
    )


def _hook(event: str, args: tuple[object, ...]) -> None:
    looked_for = event in _FILES or (event.startswith(_OTHERS) and event not in _HARMLESS)
    if not _depth or not looked_for or _is_of_an_import(event, args):
        return
    if event in _FILES:
        path = args[0] if args else None
        flags = args[2] if event == "open" and len(args) > 2 and isinstance(args[2], int) else 0
        if isinstance(path, int):
            return  # opened before, and seen then
        real = os.path.realpath(os.fsdecode(path)) if isinstance(path, str | bytes | os.PathLike) else ""
        if flags & _WRITING:
            _seen[event, ""] = None
        elif not real or not any(Path(real).is_relative_to(place) for place in _READ):
            _seen[event, real] = None
    else:
        _seen[event, ""] = None


def _is_of_an_import(event: str, args: tuple[object, ...]) -> bool:
    """Whether Python looks for a module, or reads or keeps its bytecode, wherever it has that: which module
    it is shows where its own file is opened."""
    frame = inspect.currentframe()
    for _ in range(2):  # of the hook, and of what it was called for
        frame = frame.f_back if frame else None
    if frame is None or frame.f_code.co_filename != _IMPORTING:
        return False
    return event != "open" or not str(args[0]).endswith(_MODULES)
