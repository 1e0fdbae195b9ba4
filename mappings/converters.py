"""Understands how one value is written in another way, where no table of codes can say it.

A closed list: an agreement names a converter with `using:`, and there are no expressions. A converter
gets values that already fit its source kind, and says None when it cannot convert one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mappings.fields import Kind


@dataclass(frozen=True)
class Converter:
    """From a value of one kind to a value of another, or None."""

    source: Kind
    target: Kind
    convert: Callable[[Any], object]


def _day(moment: str) -> str:
    """The calendar day as the sender's own clock showed it."""
    return moment[:10]


CONVERTERS: Mapping[str, Converter] = {
    "day-of": Converter(Kind.DATETIME, Kind.DATE, _day),
    "in-digits": Converter(Kind.INTEGER, Kind.TEXT, str),
}
