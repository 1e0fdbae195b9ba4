"""Understands what the folder of an adapter must look like, before a line of it runs.

Reads files and syntax trees only. What it asks for is what README.md of the project says: two pure
functions, a README with a table, examples; and code as `purity` wants it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from hub.errors import Finding
from hub.kit.purity import purity

SUFFIXES = frozenset(
    {".py", ".md", ".xml", ".json", ".xsd", ".yaml", ".csv", ".tsv", ".txt", ".zip", ".asice", ".typed", ""}
)
"""What a folder may hold. Nothing that runs without being read here."""

ROWS = ("Name", "Media type", "Recognised by", "Directions", "Example")
"""Rows of the first table of the README; `Examples` is as good as `Example`."""

WORDS = ("Wire:", "Units:", "Quirks:", "Agreed:")
"""Lines of the docstring of adapter.py."""


def faults(folder: Path, package: str, names: tuple[str, ...]) -> tuple[Finding, ...]:
    """Everything about a folder that is not as it must be; `names` are those of its adapters."""
    return (*_files(folder), *_readme(folder, names), *_docstring(folder), *purity(folder, package))


def _files(folder: Path) -> Iterator[Finding]:
    for name in ("__init__.py", "adapter.py", "README.md"):
        if not (folder / name).is_file():
            yield Finding(name, "missing", "a file of that name")
    if not any((folder / "examples").glob("*")):
        yield Finding("examples", "missing", "at least one example, made up")
    for path in sorted(folder.rglob("*")):
        at = str(path.relative_to(folder))
        if path.is_symlink():
            yield Finding(at, "link", "a file of its own")
        elif path.is_file() and "__pycache__" not in at and path.suffix.lower() not in SUFFIXES:
            yield Finding(at, "file-type", "one of " + " ".join(sorted(SUFFIXES - {""})))


def _readme(folder: Path, names: tuple[str, ...]) -> Iterator[Finding]:
    file = folder / "README.md"
    if not file.is_file():
        return
    text = file.read_text(encoding="utf-8", errors="replace")
    rows = {match.group(1) for match in re.finditer(r"^\|\s*([^|]+?)\s*\|", text, re.MULTILINE)}
    for row in ROWS:
        if not {row, row + "s"} & rows:
            yield Finding("README.md", "row", f"a row that begins with {row}")
    for name in names:
        if f"`{name}`" not in text:
            yield Finding("README.md", "name", f"`{name}`, as the directory file names it")


def _docstring(folder: Path) -> Iterator[Finding]:
    file = folder / "adapter.py"
    if not file.is_file():
        return
    try:
        said = ast.get_docstring(ast.parse(file.read_bytes())) or ""
    except (SyntaxError, ValueError):
        return  # `purity` says so
    for word in WORDS:
        if word not in said:
            yield Finding("adapter.py", "docstring", f"a line that begins with {word}")
