"""Understands how numbers, moments and ages are written in bokmål and English."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hub.console.texts import Language

_OSLO = ZoneInfo("Europe/Oslo")
_MONTHS = {
    Language.NB: (
        "jan.", "feb.", "mars", "april", "mai", "juni", "juli", "aug.", "sep.", "okt.", "nov.", "des."
    ),
    Language.EN: ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}  # one row per entry # fmt: skip
_UNITS = {Language.NB: ("d", "t", "min", "s"), Language.EN: ("d", "h", "min", "s")}
_NARROW = "\u202f"  # keeps a number and its unit on one line


def moment(language: Language, at: datetime) -> str:
    """Norwegian time of day: `22. nov. 2026 kl. 09.05`, `22 Nov 2026, 09:05`."""
    local = at.astimezone(_OSLO)
    month = _MONTHS[language][local.month - 1]
    if language is Language.NB:
        return f"{local.day}. {month} {local.year} kl. {local:%H.%M}"
    return f"{local.day} {month} {local.year}, {local:%H:%M}"


def age(language: Language, span: timedelta) -> str:
    """Two units at most: `3 d 4 t`, `12 min`, `8 s`. Never negative."""
    seconds = max(0, int(span.total_seconds()))
    amounts = (seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60, seconds % 60)
    largest = next((place for place, amount in enumerate(amounts) if amount), 3)
    shown = [largest] if largest >= 2 else [largest, largest + 1]  # seconds only when nothing is larger
    units = _UNITS[language]
    return " ".join(f"{amounts[place]}{_NARROW}{units[place]}" for place in shown)


def number(language: Language, count: int) -> str:
    """`12 345`, `12,345`."""
    return f"{count:,}".replace(",", _NARROW) if language is Language.NB else f"{count:,}"
