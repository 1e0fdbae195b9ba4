"""Understands adapters that others wrote: which are installed, and which of them may be used.

A package offers an adapter by an entry point of the group `brobygger.adapters`. It is used only if a
stamp says that exactly these bytes conformed: `bro adapter conform NAME --enable` writes it, and nothing
in the package can. Until the stamp has been compared, no line of the package is run.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import CodeType

from adapters.base import Adapter
from hub.errors import Finding, HubError

GROUP = "brobygger.adapters"
CONTRACT = "2"
"""Part of every stamp. Raised when conforming comes to mean more, so that everybody shows it again."""

_OURS = frozenset({"adapters", "consent", "hub", "mappings"})
_MADE_BY_PYTHON = "__pycache__"


@dataclass(frozen=True)
class Offered:
    """One entry point. `folder` holds all its code; `digest` is of every file in there."""

    name: str
    package: str
    module: str
    attribute: str
    folder: Path
    digest: str


def offered() -> tuple[Offered, ...]:
    """What the installed packages offer, by name. Runs none of their code.

    Raises settings.invalid for a name that two offer, and for code that is no folder of plain files.
    """
    found = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        if point.name in found:
            raise _refuse(point.name, "adapter-twice", "one package that offers it")
        found[point.name] = _offered(point)
    return tuple(found.values())


def enabled(stamps: Mapping[str, str]) -> tuple[Adapter, ...]:
    """The adapters that have a stamp, by name. What is installed without one stays off.

    Raises settings.invalid with every stamp that does not fit: the package is gone, or is not the one
    that conformed, or gives something else than it offers.
    """
    here = {found.name: found for found in offered()} if stamps else {}
    findings = []
    for name, stamp in sorted(stamps.items()):
        if name not in here:
            expected = "a package that offers it: install it, or take its line out of that file"
            findings.append(Finding(f"adapters.{name}", "installed", expected))
        elif here[name].digest != stamp:
            expected = "the bytes that conformed: run `bro adapter conform NAME --enable` again"
            findings.append(Finding(f"adapters.{name}", "conformed", expected))
    if findings:
        raise HubError("settings.invalid", findings)
    return tuple(load(here[name]) for name in sorted(stamps))


def fitting(stamps: Mapping[str, str]) -> dict[str, str]:
    """The stamps that are of what is installed now. Raises settings.invalid as `offered` does."""
    here = {found.name: found.digest for found in offered()} if stamps else {}
    return {name: stamp for name, stamp in stamps.items() if here.get(name) == stamp}


def load(found: Offered) -> Adapter:
    """Run the code of a package and take the adapter from it: what its files say, now and whenever it
    imports more of itself. Raises settings.invalid, whatever the package raises."""
    _FROM_SOURCE.packages.add(found.module.partition(".")[0])
    if _FROM_SOURCE not in sys.meta_path:
        sys.meta_path.insert(0, _FROM_SOURCE)
    try:
        adapter = getattr(importlib.import_module(found.module), found.attribute, None)
    except (Exception, SystemExit) as fault:  # noqa: BLE001  it is not ours, and its text may say anything
        expected = f"a package that can be imported; it raised {type(fault).__name__}{_within(found, fault)}"
        raise _refuse(found.name, "import", expected) from None
    if not isinstance(adapter, Adapter) or adapter.name != found.name:
        raise _refuse(found.name, "adapter", "an Adapter of the name of the entry point")
    return adapter


def _within(found: Offered, fault: BaseException) -> str:
    """In which file and line of the package, where that can be said."""
    if isinstance(fault, SyntaxError) and fault.filename:
        return f" at {Path(fault.filename).name}:{fault.lineno}"
    places = [
        f for f in traceback.extract_tb(fault.__traceback__) if found.folder in Path(f.filename).parents
    ]
    return f" at {Path(places[-1].filename).name}:{places[-1].lineno}" if places else ""


class _Source(SourceFileLoader):
    """Compiles what the file says. What Python keeps beside it is in no stamp, and could be anything."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class _FromSource:
    """Finds the modules of the packages that have a stamp, as source files and as nothing else."""

    def __init__(self) -> None:
        self.packages: set[str] = set()

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> ModuleSpec | None:
        if name.partition(".")[0] not in self.packages:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is None or not isinstance(spec.loader, SourceFileLoader):
            raise ImportError(name)
        spec.loader = _Source(name, str(spec.origin))
        spec.cached = None
        return spec


_FROM_SOURCE = _FromSource()


def read_stamps(file: Path) -> dict[str, str]:
    """Name and digest of every enabled adapter. No file: none is. Raises settings.invalid."""
    if not file.exists():
        return {}
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        said = None
    if not isinstance(said, dict) or not all(isinstance(value, str) for value in said.values()):
        raise HubError(
            "settings.invalid", [Finding("BRO_ADAPTERS", "form", "an object of names and digests")]
        )
    return said


def write_stamp(file: Path, found: Offered) -> None:
    """Enable one adapter, as it is now. The others stay as they were."""
    stamps = {**read_stamps(file), found.name: found.digest}
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.write_text(json.dumps(dict(sorted(stamps.items())), indent=2) + "\n", encoding="utf-8")
    new.replace(file)


def digest(folder: Path) -> str:
    """SHA-256 over the contract and the name and content of every file, whatever it is.

    Raises settings.invalid for a link: what it leads to can change by itself.
    """
    whole = hashlib.sha256(CONTRACT.encode())
    for path in _files(folder):
        name = str(path.relative_to(folder)).encode()
        for part in (name, path.read_bytes()):
            whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise _refuse(folder.name, "link", "a folder without links")
        if path.is_file() and _MADE_BY_PYTHON not in path.relative_to(folder).parts:
            yield path


def _offered(point: EntryPoint) -> Offered:
    """The folder of the top package: finding it runs nothing, finding a module in it would."""
    top = point.module.partition(".")[0]
    spec = importlib.util.find_spec(top)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if len(places) != 1 or top in _OURS:
        raise _refuse(point.name, "package", "one folder with the code")
    folder = Path(places[0])
    package = point.dist.name if point.dist else top
    return Offered(point.name, package, point.module, point.attr, folder, digest(folder))


def _refuse(name: str, rule: str, expected: str) -> HubError:
    return HubError("settings.invalid", [Finding(f"adapters.{name}", rule, expected)])
