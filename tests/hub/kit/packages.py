"""Understands how to put a package with an adapter where Python finds it, as an installer would."""

from __future__ import annotations

import shutil
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.kit.new import write
from mappings.types import load_types


def make(into: Path, name: str, type_name: str = "opphold.loslatelsesdato", wire: str = "json") -> Path:
    """A new package as `bro adapter new --package` writes it."""
    write(into, name, load_types()[type_name], wire, package=True)
    return into


@contextmanager
def installed(package: Path, site: Path) -> Iterator[Path]:
    """The folder of the package in `site`, with its entry point, while the block runs."""
    said = tomllib.loads((package / "pyproject.toml").read_text())
    project = said["project"]
    [folder] = said["tool"]["setuptools"]["packages"]
    shutil.copytree(package / folder, site / folder)
    info = site / f"{folder}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1\n")
    lines = [f"[{group}]" for group in project["entry-points"]]
    lines += [f"{n} = {v}" for points in project["entry-points"].values() for n, v in points.items()]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    sys.path.insert(0, str(site))
    try:
        yield site / folder
    finally:
        sys.path.remove(str(site))
        for module in [name for name in sys.modules if name.partition(".")[0] == folder]:
            del sys.modules[module]
        shutil.rmtree(site / folder)
        shutil.rmtree(info)
