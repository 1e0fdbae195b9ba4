"""Understands where an adapter lives: its folder with README and examples, ours or another package's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import adapters
from adapters import third_party
from adapters.base import Adapter
from adapters.registry import ADAPTERS, of
from hub.errors import Finding, HubError

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
    """Our folders in the order of names, plain JSON with the adapters given."""
    for file in sorted(OURS.glob("*/adapter.py")):
        yield _ours(file.parent, plain)


def home_of(name: str, plain: Mapping[str, Adapter]) -> tuple[Home, tuple[Adapter, ...]]:
    """The home of an adapter, and which of its adapters are meant: one by its own name, or all of a
    folder by the folder's. Raises adapter.unknown."""
    if name in plain:
        return _ours(OURS / PLAIN, plain), (plain[name],)
    if name.isidentifier() and (OURS / name / "adapter.py").is_file():
        home = _ours(OURS / name, plain)
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
    return Home(folder, package, of(folder.name))


def theirs(found: third_party.Offered) -> Home:
    """The home of an adapter of another package. Runs its code."""
    return Home(found.folder, found.module.partition(".")[0], (third_party.load(found),), found)
