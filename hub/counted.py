"""Understands how a number of things is said in English."""

from __future__ import annotations


def counted(number: int, one: str, more: str = "") -> str:
    """`1 fault`, `2 faults`, `0 leaves`: `more` is for words that do not end in s when there are more."""
    return f"{number} {one if number == 1 else more or one + 's'}"
