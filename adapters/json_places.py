"""Understands where in a JSON text each value stands: line and column by path.

Only asked when there is something to complain about, so the text is known to be sound JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from hub.errors import Finding

Place = tuple[int, int]

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


def places(text: str) -> Mapping[str, Place]:
    """Line and column (1-based) of every value by its path: `bolig.behov`, `barn[0].navn`; the document
    itself is "". `text` is what `read_json` has read."""
    found: dict[str, Place] = {}
    lines = _Lines(text)
    open_paths: list[tuple[str, int]] = []  # the path of each open value, and its next index, or -1
    key: str | None = None
    for token in _TOKEN.finditer(text):
        word = token.group()
        if word in ":,":
            continue
        if word in "}]":
            open_paths.pop()
            continue
        if open_paths and open_paths[-1][1] < 0 and key is None:
            key = str(json.loads(word))
            continue
        path = _path(open_paths, key)
        key = None
        found.setdefault(path, lines.place(token.start()))
        if word in "{[":
            open_paths.append((path, -1 if word == "{" else 0))
    return found


def _path(open_paths: list[tuple[str, int]], key: str | None) -> str:
    if not open_paths:
        return ""
    above, index = open_paths[-1]
    if key is not None:
        return f"{above}.{key}" if above else key
    open_paths[-1] = (above, index + 1)
    return f"{above}[{index}]"


_LINE_END = re.compile("\r\n|\r|\n")


class _Lines:
    """Where offsets stand, asked in rising order, so that a long text is gone through once."""

    def __init__(self, text: str) -> None:
        self._text, self._seen, self._line, self._begins = text, 0, 1, 0

    def place(self, offset: int) -> Place:
        for end in _LINE_END.finditer(self._text, self._seen, offset):
            self._line += 1
            self._begins = end.end()
        self._seen = offset
        return self._line, offset - self._begins + 1


def located(findings: Iterable[Finding], text: str) -> list[Finding]:
    """The same findings, each with the place of what it is about, or of the nearest value around it."""
    known = places(text)
    return [_at(finding, known) for finding in findings]


_LAST = re.compile(r"(?:^|\.)[^.\[\]]+$|\[[0-9]+\]$")


def _at(finding: Finding, known: Mapping[str, Place]) -> Finding:
    path = finding.at
    while path and path not in known:
        above = _LAST.sub("", path)
        path = above if above != path else ""
    line, column = known.get(path, (1, 1))
    return Finding(finding.at, finding.rule, finding.expected, line, column, finding.nb)
