"""Understands what the source says that it expects: every literal that is given as `expected`.

Read from the syntax trees: the argument of that name of every function that has one, by its place in the
definition, what is assigned to a name `expected` or passed as `expected=`, and what an `_expected…` returns.
A hole of an f-string is `NAME`, which is a number and a name. What is put together elsewhere is not seen
here; spoiled messages show it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from hub.errors import Finding

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("adapters", "consent", "hub", "mappings")
NAME = "1"
_FINDING = list(Finding.__dataclass_fields__).index("expected")


def literals() -> dict[str, str]:
    """Every sentence with a place where it stands, as file:line."""
    trees = _trees()
    everywhere = {name: at for tree in trees.values() for name, at in _definitions(tree)}
    found: dict[str, str] = {}
    for path, tree in trees.items():
        places = everywhere | {"Finding": _FINDING} | dict(_definitions(tree))
        for node in ast.walk(tree):
            for said in _given(node, places):
                for text in _texts(said):
                    found.setdefault(text, f"{path.relative_to(ROOT)}:{said.lineno}")
    return found


def texts() -> Iterator[str]:
    """Every text of the source, whole, and every file beside it that says what is expected."""
    for tree in _trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.xsd")):
            yield file.read_text(encoding="utf-8")


@cache
def _trees() -> dict[Path, ast.Module]:
    return {
        path: ast.parse(path.read_text(encoding="utf-8"))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def _definitions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = [one.arg for one in node.args.args if one.arg != "self"]
            if "expected" in names:
                yield node.name, names.index("expected")


def _given(node: ast.AST, places: dict[str, int]) -> Iterator[ast.expr]:
    if isinstance(node, ast.FunctionDef) and node.name.startswith("_expected"):
        yield from (one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value)
    if isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == "expected" for target in node.targets
    ):
        yield node.value
    if not isinstance(node, ast.Call):
        return
    yield from (one.value for one in node.keywords if one.arg == "expected")
    called = node.func
    name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
    if name in places and places[name] < len(node.args):
        yield node.args[places[name]]


def _texts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=values):
            yield "".join(
                part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else NAME
                for part in values
            )
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            for first in _texts(left):
                yield from (first + second for second in (*_texts(right),) or (NAME,))
        case ast.IfExp(body=body, orelse=orelse):
            yield from _texts(body)
            yield from _texts(orelse)
