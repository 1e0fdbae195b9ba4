"""Understands how an adapter is asked by somebody who does not trust it: an answer, or a refusal by code.

Whatever else an adapter raises is hub.internal with the place and the kind of the fault. The text of the
fault could hold a piece of a message, so nobody gets it.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import ParamSpec, TypeVar

from hub.errors import Finding, HubError
from hub.kit.reach import inside

_ADAPTERS = Path(__file__).resolve().parents[2] / "adapters"

P = ParamSpec("P")
T = TypeVar("T")

CALLS: list[Callable[[], AbstractContextManager[None]]] = []
"""The last of these is around every call, where somebody watches how long it takes."""


def asked(do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | HubError:
    """What `do` returns, or the HubError it raised; anything else it raised as hub.internal."""
    try:
        with inside(), CALLS[-1]() if CALLS else nullcontext():
            return do(*args, **kwargs)
    except HubError as refused:
        return refused
    except (Exception, SystemExit) as fault:  # noqa: BLE001  what an adapter must never do is looked for
        return HubError("hub.internal", [place_of(fault)])


def place_of(fault: BaseException) -> Finding:
    """The line that failed and the kind of the fault, without its text."""
    frames = traceback.extract_tb(fault.__traceback__)
    at = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
    return Finding(at=at, rule=type(fault).__name__, expected="nothing but HubError")


def unimportable(fault: BaseException, adapters: Path = _ADAPTERS) -> HubError | None:
    """adapter.invalid with file and line, if this was raised while the registry or an adapter was imported.

    None for everything else. Names of modules and files are told, as they stand in the source.
    """
    if isinstance(fault, SyntaxError) and fault.filename and adapters in Path(fault.filename).parents:
        at, line = Path(fault.filename), fault.lineno
    else:
        frames = traceback.extract_tb(fault.__traceback__)
        while frames and (frames[-1].name != "<module>" or adapters not in Path(frames[-1].filename).parents):
            frames.pop()
        if not frames:
            return None
        at, line = Path(frames[-1].filename), frames[-1].lineno
    why = _why(fault, adapters)
    expected = f"a file that can be imported ({why}): put it right"
    if at.name == "registry.py":
        form = '*of("folder"),'
        expected = (
            f"a file that can be imported ({why}): put it right; a line of ADAPTERS has the form {form}"
        )
    elif at.parent != adapters:
        folder = at.relative_to(adapters).parts[0]
        expected += f", or take adapters/{folder} and its line in adapters/registry.py out"
    where = f"adapters/{at.relative_to(adapters)}"
    return HubError("adapter.invalid", [Finding(where, type(fault).__name__, expected, line)])


def _why(fault: BaseException, adapters: Path) -> str:
    """The kind of fault, and what was looked for and is not there."""
    kind = type(fault).__name__
    match fault:
        case ModuleNotFoundError(name=str(name)):
            kind = f"there is no module {name}"
        case ImportError(name=str(name), path=str(path)):
            kind = f"{name} has not what is asked of it"
            folder = Path(path).parent
            if folder.parent == adapters and folder.with_suffix(".py").exists():
                kind += f"; the folder adapters/{folder.name} hides adapters/{folder.name}.py: rename it"
        case NameError(name=str(name)) | AttributeError(name=str(name)):
            kind = f"there is no {name}"
        case OSError(filename=str(name)):
            kind = f"{kind}: {Path(name).name}"
    return kind
