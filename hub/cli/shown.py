"""Understands how an answer of the command line looks: a table or lines for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

_NOT_A_TERMINAL = 200  # columns; a file or a pipe has no width, and ids must not be cut


def console(*, error: bool = False) -> Console:
    """A console that never reads markup out of what it prints."""
    stream = sys.stderr if error else sys.stdout
    width = None if stream.isatty() else _NOT_A_TERMINAL
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def say(*lines: str) -> None:
    out = console()
    for line in lines:
        out.print(line, soft_wrap=True)


def say_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=_plain) + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
    """A table, or one sentence when there is nothing in it."""
    made = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    out = console()
    if made.row_count:
        out.print(made)
    else:
        out.print(empty)


def age(span: timedelta | None) -> str:
    """Two units at most: `3 d 4 h`, `12 min`, `8 s`."""
    if span is None:
        return "-"
    seconds = max(0, int(span.total_seconds()))
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def moment(at: datetime | None) -> str:
    return "-" if at is None else at.isoformat(timespec="seconds")


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case timedelta():
            return int(value.total_seconds())
        case frozenset() | set():
            return sorted(str(word) for word in value)
        case _:
            return str(value)
