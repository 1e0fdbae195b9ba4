"""Understands the path of an element as a finding shows it, which is also the way to its place.

A name that the sender made up shows as `?`, and two elements may show as one path; where each of them stands
is known all the same. It must not know any profile or code.
"""

from __future__ import annotations

from adapters.fhir_schema import shown


class _Shown(str):
    """A path as it is shown, with the one by which its place is noted."""

    __slots__ = ("noted",)
    noted: str


def shown_as(path: str, noted: str) -> str:
    """The path of something that stands where `noted` does."""
    told = _Shown(path)
    told.noted = noted
    return told


def below(at: str, name: str) -> str:
    """The path of an element by its name, whoever made that up."""
    told = shown(name)
    return shown_as(f"{at}.{told}" if at else told, f"{noted(at)}.{name}" if at else name)


def item(at: str, index: int) -> str:
    """The path of one of a list."""
    return shown_as(f"{at}[{index}]", f"{noted(at)}[{index}]")


def noted(path: str) -> str:
    """The path by which a place is noted: with every name as it is, so it is not to be shown."""
    return path.noted if isinstance(path, _Shown) else path
