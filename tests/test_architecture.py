"""What only one place may do, checked in the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [p for top in ("hub", "adapters", "mappings", "consent") for p in (ROOT / top).rglob("*.py")]

ONLY_IN = [
    # what is made or called, and the modules that may
    ("Permitted", {"consent/decide.py"}),
    ("SendPermit", {"hub/hand_over.py"}),
]


def calls(path: Path) -> Iterator[str]:
    """The plain name of everything that a module calls."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    yield name


def modules_that(found: object) -> set[str]:
    assert callable(found)
    return {str(path.relative_to(ROOT)) for path in SOURCES if found(path)}


@pytest.mark.parametrize(("name", "places"), ONLY_IN)
def test_it_is_made_in_one_place(name: str, places: set[str]) -> None:
    assert modules_that(lambda path: name in calls(path)) == places


def test_a_permitted_is_written_once() -> None:
    written = [name for name in calls(ROOT / "consent/decide.py") if name == "Permitted"]

    assert len(written) == 1


def test_only_the_hand_over_sends() -> None:
    def sends(path: Path) -> bool:
        return any(
            isinstance(node, ast.Attribute) and node.attr == "send" and ast.unparse(node.value) in DOORS
            for node in ast.walk(ast.parse(path.read_text()))
        )

    assert modules_that(sends) == {"hub/hand_over.py"}


DOORS = {"parts.push", "parts.notify"}


def test_only_the_wiring_imports_what_sends() -> None:
    def imports(path: Path) -> bool:
        names = {"hub.doors.webhook": {"Webhook"}, "hub.doors.amqp": {"Notify"}}
        return any(
            isinstance(node, ast.ImportFrom)
            and {alias.name for alias in node.names} & names.get(node.module or "", set())
            for node in ast.walk(ast.parse(path.read_text()))
        )

    assert modules_that(imports) == {"hub/app.py"}


def test_no_sql_is_assembled_from_text() -> None:
    def assembles(path: Path) -> bool:
        return any(
            isinstance(node, ast.Call)
            and ast.unparse(node.func).rpartition(".")[2] in {"text", "exec_driver_sql", "execute"}
            and node.args
            and isinstance(node.args[0], ast.JoinedStr)
            for node in ast.walk(ast.parse(path.read_text()))
        )

    # One pragma per connection, from a literal tuple: SQLite takes no parameters there.
    assert modules_that(assembles) == {"hub/store/engine.py"}


def _names(caught: ast.expr) -> list[str]:
    return [ast.unparse(one) for one in (caught.elts if isinstance(caught, ast.Tuple) else (caught,))]


def test_what_nobody_foresaw_is_caught_in_named_places_only() -> None:
    def catches_all(path: Path) -> bool:
        return any(
            isinstance(node, ast.ExceptHandler)
            and (node.type is None or {"Exception", "BaseException"} & set(_names(node.type)))
            for node in ast.walk(ast.parse(path.read_text()))
        )

    allowed = {
        "hub/trail.py",  # a step of a message's way becomes hub.internal
        "hub/queue/port.py",  # a handler that fails must not lose its work
        "hub/sweeper.py",  # without a sweeper, what the broker forgot is lost
        "hub/api/guard.py",  # the outermost doors: no value of a message may leave by a traceback
        "hub/doors/amqp.py",
        "hub/cli/main.py",
        "consent/pdfs.py",  # a file that breaks the library that reads it is unreadable
        "adapters/fhir.py",  # the library that knows FHIR raises anything over a resource it cannot read
        "adapters/third_party.py",  # a package that fails while it is loaded is refused by its name
        "adapters/registry.py",  # a folder that fails while it is loaded is refused with its line
        "hub/kit/asked.py",  # whoever tries an adapter is told what it must never do
        "hub/kit/bounded.py",  # what ends the process of a check is told by the check
        "hub/consent_check.py",  # one broken document must not keep the next from its answer
    }
    assert modules_that(catches_all) == allowed
