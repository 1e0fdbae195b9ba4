"""Understands how what was expected of a message, said in English, is said in bokmål.

The sentences stand in `bokmaal.tsv`: English, a tab, bokmål. What stands in a hole of the English sentence is
put into the bokmål one, in the same order:

    {n}     a number
    {}      names of the format: codes, elements, numbers; between them a comma, "or" or "and"
    {any}   anything, such as a regular expression
    {say}   a sentence of the table

A sentence of nothing but names is the same in both. It knows no message: what it is given was written by
whoever found the fault, and holds no value. This module imports nothing of ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("bokmaal.tsv")
"""One sentence to a line; what begins with # tells of those below it."""

_HOLE = re.compile(r"\{(?:n|any|say)?\}")
_NAME = r"\S*[^\s,:;]"
_NAMES = rf"{_NAME}(?:(?:, or |, and |, | or | and ){_NAME})*"
_HOLDS: Mapping[str, str] = {"{n}": r"\d+", "{}": _NAMES, "{any}": r".+?", "{say}": r".+?"}
_PLAINLY_NAMES = re.compile(_NAMES)
_PLAINLY_TWO = re.compile(r"\S*[A-Z0-9:._]\S*(?: \S*[A-Z0-9:._]\S*)+")
"""A number and a name, or a system and a code: neither is a word of a language."""


def in_bokmaal(expected: str) -> str | None:
    """The same in bokmål, or None for a sentence that is neither in the table nor names alone."""
    sentences, patterns = _table()
    if (nb := sentences.get(expected)) is not None:
        return nb
    for pattern, holes, nb in patterns:
        if (found := pattern.fullmatch(expected)) is not None:
            words = [_FILLED[hole](text or "") for hole, text in zip(holes, found.groups(), strict=True)]
            if None not in words:
                return _filled(nb, [word or "" for word in words])
    if _PLAINLY_TWO.fullmatch(expected):
        return expected
    return _names(expected) if _PLAINLY_NAMES.fullmatch(expected) else None


def _filled(nb: str, words: list[str]) -> str:
    rest = iter(words)
    return _HOLE.sub(lambda _: next(rest), nb)


def _names(text: str) -> str:
    return text.replace(", or ", " eller ").replace(" or ", " eller ").replace(" and ", " og ")


def _same(text: str) -> str:
    return text


_FILLED: Mapping[str, Callable[[str], str | None]] = {
    "{n}": _same, "{}": _names, "{any}": _same, "{say}": in_bokmaal,
}  # one row per hole # fmt: skip


@cache
def _table() -> tuple[Mapping[str, str], list[tuple[re.Pattern[str], list[str], str]]]:
    """The sentences without holes, and the others with the most words first: they are the nearest."""
    rows = [line.split("\t") for line in FILE.read_text(encoding="utf-8").splitlines() if _says(line)]
    plain = {en: nb for en, nb in rows if not _HOLE.search(en)}
    holed = sorted((row for row in rows if row[0] not in plain), key=lambda row: -len(_HOLE.sub("", row[0])))
    return plain, [(_pattern(en), _HOLE.findall(en), nb) for en, nb in holed]


def _says(line: str) -> bool:
    return bool(line) and not line.startswith("#")


def _pattern(english: str) -> re.Pattern[str]:
    parts = re.split(f"({_HOLE.pattern})", english)
    return re.compile("".join(f"({_HOLDS[p]})" if p in _HOLDS else re.escape(p) for p in parts), re.DOTALL)
