"""Understands what the folder of an adapter must look like, before a line of it runs.

Reads files and syntax trees only. What it asks for is what README.md of the project says: two pure
functions, a README with a table, examples; imports of nothing but words, letters and parsers.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from hub.errors import Finding

SUFFIXES = frozenset(
    {".py", ".md", ".xml", ".json", ".xsd", ".yaml", ".csv", ".tsv", ".txt", ".zip", ".asice", ".typed", ""}
)
"""What a folder may hold. Nothing that runs without being read here."""

ROWS = ("Name", "Media type", "Recognised by", "Directions", "Example")
"""Rows of the first table of the README; `Examples` is as good as `Example`."""

WORDS = ("Wire:", "Units:", "Quirks:", "Agreed:")
"""Lines of the docstring of adapter.py."""

IMPORTS = frozenset(
    {
        *(
            "__future__",
            "abc",
            "base64",
            "binascii",
            "calendar",
            "codecs",
            "collections",
            "contextlib",
            "copy",
            "csv",
        ),
        *(
            "dataclasses",
            "datetime",
            "decimal",
            "enum",
            "fnmatch",
            "fractions",
            "functools",
            "hashlib",
            "html",
            "io",
        ),
        *("itertools", "json", "keyword", "math", "operator", "pathlib", "re", "string", "struct"),
        *("textwrap", "types", "typing", "unicodedata", "uuid", "xml", "zipfile", "zlib", "zoneinfo"),
        *("dateutil", "fhir", "fhir_core", "lxml", "pydantic", "stdnum", "yaml"),
    }
)
"""First words of what may be imported, beside `adapters`, the hub's words, and the folder itself."""

WHOLE = frozenset({"hub.errors", "hub.message", "urllib.parse"})
"""And these by their whole name."""

CALLS = frozenset(
    {
        *("open", "exec", "eval", "compile", "input", "print", "breakpoint", "globals", "__import__"),
        *("write_text", "write_bytes", "unlink", "mkdir", "rmdir", "rename", "touch", "chmod"),
        *("symlink_to", "hardlink_to", "urlopen", "system", "popen", "now", "today", "utcnow"),
        *("uuid1", "uuid4", "import_module"),
    }
)
"""Names no adapter may call: bytes and record are all it works with, the same bytes each time."""


def faults(folder: Path, package: str, names: tuple[str, ...]) -> tuple[Finding, ...]:
    """Everything about a folder that is not as it must be; `names` are those of its adapters."""
    return (*_files(folder), *_readme(folder, names), *_docstring(folder), *purity(folder, package))


def purity(folder: Path, package: str) -> tuple[Finding, ...]:
    """Every import and call that an adapter may not make, by file and line."""
    found: list[Finding] = []
    for path in sorted(folder.rglob("*.py")):
        at = str(path.relative_to(folder))
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError) as fault:
            found.append(Finding(at, "python", "a file that Python can read", getattr(fault, "lineno", None)))
            continue
        for node in ast.walk(tree):
            line = getattr(node, "lineno", None)
            found.extend(Finding(at, rule, says, line) for rule, says in _impure(node, package))
    return tuple(found)


def _impure(node: ast.AST, package: str) -> Iterator[tuple[str, str]]:
    allowed = "the standard library's words, lxml, fhir, adapters, hub.message, hub.errors, the folder itself"
    match node:
        case ast.Import(names=names):
            if not all(_may_import(alias.name, package) for alias in names):
                yield "import", allowed
        case ast.ImportFrom(module=module, level=0, names=names):
            whole = [f"{module}.{alias.name}" for alias in names] if module == "hub" else [str(module)]
            if not all(_may_import(name, package) for name in whole):
                yield "import", allowed
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name) as called):
            if name in CALLS and not (name == "compile" and isinstance(called, ast.Attribute)):
                yield "call", f"no {name}(): bytes to record, record to bytes, nothing else"
        case ast.ExceptHandler(type=None):
            yield "except", "an exception by name: what nobody foresaw must not be swallowed"
        case _:
            return


def _may_import(name: str, package: str) -> bool:
    top = name.partition(".")[0]
    return name in WHOLE or top in IMPORTS or top in ("adapters", package.partition(".")[0])


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
