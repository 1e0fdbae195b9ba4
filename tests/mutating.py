"""Breaks one check of a module on purpose, in place, so that a table of cases can be seen to notice.

A mutation is a change of the module's source text. The functions that differ get the other code while
it lasts, and so does a constant of the module: whoever imported a function has the broken one, too.
"""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import is_dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest
import re2

Case = Callable[[], None]
Mutation = tuple[ModuleType, str, str]


def ids(mutations: Iterable[Mutation]) -> list[str]:
    """A short name for each: the module, and its number in the table."""
    return [f"{m.__name__.rpartition('.')[2]}-{number}" for number, (m, _, _) in enumerate(mutations)]


def each(mutations: Sequence[Mutation]) -> pytest.MarkDecorator:
    """The mark of a test that is run for each of them, as `where`, `old` and `new`."""
    return pytest.mark.parametrize(("where", "old", "new"), mutations, ids=ids(mutations))


def expect_noticed(where: ModuleType, old: str, new: str, tables: Callable[[], Iterable[Case]]) -> None:
    """Fails unless a case notices that the check is gone. `tables` is asked for them while it is."""
    with mutated(where, old, new):
        assert noticed(tables()), "no case notices that this check is gone"


@contextmanager
def mutated(where: ModuleType, old: str, new: str) -> Iterator[None]:
    """The module with `old` replaced once by `new`; as it was afterwards."""
    path = str(where.__file__)
    source = Path(path).read_text(encoding="utf-8")
    assert old in source, "the check that this takes out is gone"
    broken = compile(source.replace(old, new, 1), path, "exec", dont_inherit=True)
    other = _codes(broken)
    undo: list[tuple[Any, str, Any]] = []
    for function in list(_functions(where)):
        code = other.get(function.__code__.co_qualname)
        if code is not None and code != function.__code__:
            undo.append((function, "__code__", function.__code__))
            function.__code__ = code
    for name, value in _constants(where, broken).items():
        undo.append((where, name, vars(where)[name]))
        setattr(where, name, value)
    assert undo, "nothing in the module is another than before"
    _forget(where)
    try:
        yield
    finally:
        for owner, name, value in reversed(undo):
            setattr(owner, name, value)
        _forget(where)


def noticed(tables: Iterable[Case]) -> bool:
    """Whether any of the cases fails."""
    for case in tables:
        try:
            case()
        except Exception:  # noqa: BLE001  what is broken may fail in any way
            return True
        except BaseException as fault:  # pytest's own "did not raise"
            if type(fault).__name__ != "Failed":
                raise
            return True
    return False


def cases(module: ModuleType) -> Iterator[Case]:
    """Every test of a table that needs nothing but its rows, and perhaps an empty folder, with every row
    of it, to be called. What makes up its own rows is no table."""
    for name, test in vars(module).items():
        if name.startswith("test_") and isinstance(test, FunctionType) and not hasattr(test, "hypothesis"):
            yield from rows(test)


def of_tables(tables: Iterable[ModuleType]) -> Iterator[Case]:
    """The cases of several modules, one after the other."""
    return (case for table in tables for case in cases(table))


def of_tests(tests: Iterable[Callable[..., None]]) -> Iterator[Case]:
    """The cases of several tests, one after the other."""
    return (case for test in tests for case in rows(test))


_FOLDER = "tmp_path"


def rows(test: Callable[..., Any], **fixtures: Any) -> Iterator[Case]:
    """One test with every row of its table, to be called. Without a fixture that it needs: none."""
    marks = [m for m in getattr(test, "pytestmark", ()) if m.name == "parametrize"]
    code = test.__code__
    wanted = set(code.co_varnames[: code.co_argcount])
    for row in itertools.product(*(_keywords(mark) for mark in marks)):
        given = {name: value for part in row for name, value in part.items()}
        given |= {name: value for name, value in fixtures.items() if name in wanted}
        if wanted <= set(given):
            yield lambda given=given: test(**given)  # type: ignore[misc]  # bound at once
        elif wanted - set(given) == {_FOLDER}:
            yield lambda given=given: _in_folder(test, given)  # type: ignore[misc]  # as above


def _in_folder(test: Callable[..., None], given: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        test(**given, **{_FOLDER: Path(folder)})


def _keywords(mark: Any) -> list[dict[str, Any]]:
    names, rows = mark.args[0], list(mark.args[1])
    values = [row.values if hasattr(row, "marks") else row for row in rows]
    if isinstance(names, str) and "," not in names:
        return [{names: v[0] if hasattr(row, "marks") else v} for v, row in zip(values, rows, strict=True)]
    if isinstance(names, str):
        names = [name.strip() for name in names.split(",")]
    return [dict(zip(names, value, strict=True)) for value in values]


def _codes(code: CodeType) -> dict[str, CodeType]:
    """The code of every function and class in it, by its qualified name."""
    found: dict[str, CodeType] = {}
    for part in code.co_consts:
        if isinstance(part, CodeType):
            found[part.co_qualname] = part
            found |= _codes(part)
    return found


def _functions(where: ModuleType) -> Iterator[FunctionType]:
    for value in list(vars(where).values()):
        for member in [value, *(vars(value).values() if isinstance(value, type) else ())]:
            for part in _unwrapped(member):
                if isinstance(part, FunctionType) and part.__module__ == where.__name__:
                    yield part


def _unwrapped(member: Any) -> Iterator[Any]:
    if isinstance(member, property):
        yield from (part for part in (member.fget, member.fset) if part is not None)
    elif isinstance(member, cached_property):
        yield member.func
    elif isinstance(member, (staticmethod, classmethod)):
        yield from _unwrapped(member.__func__)
    else:
        while member is not None:
            yield member
            member = vars(member).get("__wrapped__") if hasattr(member, "__dict__") else None


def _constants(where: ModuleType, broken: CodeType) -> dict[str, Any]:
    """The constants of the module that come out different. Classes and functions stay the same objects."""
    copy = ModuleType(where.__name__)
    copy.__file__ = where.__file__
    sys.modules[where.__name__] = copy
    try:
        exec(broken, copy.__dict__)  # our own source, changed by the table
    finally:
        sys.modules[where.__name__] = where
    plain = (str, int, float, tuple, list, dict, set, frozenset, re.Pattern, re2._Regexp)
    return {
        name: value
        for name, value in vars(copy).items()
        if (isinstance(value, plain) or (is_dataclass(value) and not isinstance(value, type)))
        and not name.startswith("__")
        and name in vars(where)
        and _written(value) != _written(vars(where)[name])
        and " at 0x" not in _written(value)
    }


def _written(value: Any) -> str:
    """A pattern is written in full: its `repr` is cut."""
    if isinstance(value, re.Pattern):
        return f"{value.pattern} {value.flags}"
    return str(value.pattern) if isinstance(value, re2._Regexp) else repr(value)


def _forget(where: ModuleType) -> None:
    """What was remembered by a function of the module may come from the other code."""
    for value in vars(where).values():
        with suppress(AttributeError):
            value.cache_clear()
