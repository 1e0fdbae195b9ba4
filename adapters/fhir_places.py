"""Understands where in a FHIR document the value of a field was said, for findings that are made later by the
record's own paths.

Only asked when there is something to complain about: the document is read once more with its path in every
text and integer, and what comes out in the record has it still. It must not know any profile or code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar, cast

from hub.errors import Finding, HubError
from hub.message import Record

Json = dict[str, object]
T = TypeVar("T")
Unsaid = Callable[[Mapping[str, object], str], str | None]
"""A document and a path of the record -> where in the document that would be said."""


def nowhere(document: Mapping[str, object], at: str) -> None:
    """Nobody knows where it would be said."""


class _Text(str):
    """A text that knows its path."""

    __slots__ = ("at",)
    at: str


class _Integer(int):
    """An integer that knows its path."""

    at: str


def said_at(value: T, source: object) -> T:
    """A value made of another one, from the same place where that is known; else as it is."""
    if isinstance(value, str) and isinstance(source, _Text):
        return cast(T, _placed(value, source.at))
    return value


def at_fields(
    findings: Iterable[Finding],
    document: Mapping[str, object],
    read: Callable[[Json], Record],
    unsaid: Unsaid = nowhere,
) -> list[Finding]:
    """The same findings by the paths of the document, which `read` has read; one of a value that is not there
    by where `unsaid` has it, or by the resource or element that has the others of its group, and one of
    nothing known as it is."""
    try:
        origins = dict(_origins(read(cast(Json, _with_paths(document, ""))).fields, ""))
    except HubError:
        origins = {}
    return [
        replace(one, at=origins.get(one.at) or unsaid(document, one.at) or _origin(one.at, origins))
        for one in findings
    ]


def _placed(value: str, at: str) -> _Text:
    text = _Text(value)
    text.at = at
    return text


def _with_paths(value: object, at: str) -> object:
    if isinstance(value, Mapping):
        return {
            name: inside if name == "resourceType" else _with_paths(inside, f"{at}.{name}" if at else name)
            for name, inside in value.items()
        }
    if isinstance(value, list):
        return [_with_paths(inside, f"{at}[{index}]") for index, inside in enumerate(value)]
    if isinstance(value, str):
        return _placed(value, at)
    if isinstance(value, int) and not isinstance(value, bool):
        number = _Integer(value)
        number.at = at
        return number
    return value


def _origins(value: object, at: str) -> Iterator[tuple[str, str]]:
    """Each path of the record whose value has a path of the document, with that."""
    if isinstance(value, Mapping):
        for name, inside in value.items():
            yield from _origins(inside, f"{at}.{name}" if at else str(name))
    elif isinstance(value, list):
        for index, inside in enumerate(value):
            yield from _origins(inside, f"{at}[{index}]")
    elif isinstance(value, _Text | _Integer):
        yield at, value.at


_RESOURCE = re.compile(r"entry\[[0-9]+\]\.resource(?:\.contained\[[0-9]+\])?")
_LAST = re.compile(r"(?:^|\.)[^.\[\]]+$|\[[0-9]+\]$")
_STEP = re.compile(r"\.?[^.\[\]]+|\[[0-9]+\]")


def _origin(at: str, origins: Mapping[str, str]) -> str:
    above = at
    while above := _LAST.sub("", above):
        inside = [there for path, there in origins.items() if path.startswith((f"{above}.", f"{above}["))]
        if inside:
            return _around(inside) or at
    return at


def _around(places: list[str]) -> str:
    """The innermost element that has them all; of one alone, the resource that it is in."""
    if len(places) == 1:
        resource = _RESOURCE.match(places[0])
        return resource.group() if resource else _LAST.sub("", places[0])
    common: list[str] = []
    for steps in zip(*(_STEP.findall(place) for place in places), strict=False):
        if len(set(steps)) > 1:
            break
        common.append(steps[0])
    return "".join(common)
