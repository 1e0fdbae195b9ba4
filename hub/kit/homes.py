"""Understands where an adapter lives: its folder with README and examples, ours or another package's."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import adapters
from adapters import third_party
from adapters.base import Adapter
from adapters.registry import ADAPTERS, of
from hub.errors import Finding, HubError
from hub.kit.purity import purity

OURS = Path(adapters.__file__).parent
PLAIN = "plain_json"


@dataclass(frozen=True)
class Home:
    """One folder and the ADAPTER or ADAPTERS of its `adapter.py`. `offered` for those of other packages."""

    folder: Path
    package: str
    """The dotted name of the folder: `adapters.brik_xml`."""
    adapters: tuple[Adapter, ...]
    offered: third_party.Offered | None = None

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def registered(self) -> bool:
        """A line of the registry, an entry point, or plain JSON, which needs neither."""
        if self.offered is not None or self.name == PLAIN:
            return True
        known = {id(adapter) for adapter in ADAPTERS}
        return all(id(adapter) in known for adapter in self.adapters)

    @property
    def examples(self) -> tuple[Path, ...]:
        folder = self.folder / "examples"
        return tuple(sorted(p for p in folder.glob("*") if p.is_file() and not p.is_symlink()))


def ours(plain: Mapping[str, Adapter]) -> Iterator[Home]:
    """Our folders in the order of names, plain JSON with the adapters given. A folder that cannot be
    imported, or may not be, is for `home_of` to tell; it has no adapters."""
    for file in sorted(OURS.glob("*/adapter.py")):
        try:
            yield _ours(file.parent, plain)
        except HubError:
            yield Home(file.parent, f"adapters.{file.parent.name}", ())


def home_of(name: str, plain: Mapping[str, Adapter]) -> tuple[Home, tuple[Adapter, ...]]:
    """The home of an adapter, and which of its adapters are meant: one by its own name, or all of a
    folder by the folder's. Raises adapter.unknown; adapter.invalid for a folder that is not run, or that
    cannot be."""
    if name in plain:
        return _ours(OURS / PLAIN, plain), (plain[name],)
    if name.isidentifier() and (OURS / name / "adapter.py").is_file():
        home = _ours(OURS / name, plain)
        if not home.adapters:
            at, expected = (
                f"adapters/{name}/adapter.py",
                "ADAPTER = Adapter(...), or a tuple ADAPTERS of such",
            )
            raise HubError("adapter.invalid", [Finding(at, "adapter", expected)])
        return home, home.adapters
    for found in third_party.offered():
        if found.name == name:
            home = theirs(found)
            return home, home.adapters
    for home in ours(plain):
        for adapter in home.adapters:
            if adapter.name == name:
                return home, (adapter,)
    raise HubError("adapter.unknown", [Finding("NAME", "unknown", "a name that `bro adapter list` shows")])


def _ours(folder: Path, plain: Mapping[str, Adapter]) -> Home:
    package = f"adapters.{folder.name}"
    if folder.name == PLAIN:
        return Home(folder, package, tuple(plain.values()))
    if f"{package}.adapter" not in sys.modules and (impure := purity(folder, package)):
        raise _refuse(f"adapters/{folder.name}", impure)
    return Home(folder, package, of(folder.name))


def theirs(found: third_party.Offered) -> Home:
    """The home of an adapter of another package. Runs its code, if it is pure. Raises adapter.invalid."""
    if impure := purity(found.folder, found.module.partition(".")[0]):
        raise _refuse(found.package, impure)
    return Home(found.folder, found.module.partition(".")[0], (third_party.load(found),), found)


def _refuse(where: str, impure: tuple[Finding, ...]) -> HubError:
    """None of it is run."""
    return HubError("adapter.invalid", [replace(fault, at=f"{where}/{fault.at}") for fault in impure])
