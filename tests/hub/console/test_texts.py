"""Understands that the console has every word it needs, in both languages, and no other."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import hub.console
from consent.rows import Effect
from hub.answers import STRENGTHS, Word
from hub.console.samtykke import _CHOICES as CHOICES
from hub.console.texts import TEXTS, Language, say, say_count
from hub.console.times import age, moment, number
from hub.errors import Actor
from hub.queue.topology import hub_topology
from hub.standing import SHOWN

FOLDER = Path(hub.console.__path__[0])
PLACE = re.compile(r"{\w*}")


def used() -> set[str]:
    """Keys that pages and code name, whole or by their beginning."""
    pages = "".join(file.read_text(encoding="utf-8") for file in FOLDER.glob("pages/*.html"))
    code = "".join(file.read_text(encoding="utf-8") for file in FOLDER.glob("*.py") if file.stem != "texts")
    keys = set(re.findall(r"""\bt\(["']([a-z.-]*[a-z])["']""", pages))
    keys |= set(re.findall(r"""\bsay\(\s*language, "([a-z.-]+)\"""", code))
    keys |= {
        f"{key}.{n}" for key in re.findall(r"""\bcount\("([a-z.-]+)\"""", pages) for n in ("one", "many")
    }
    keys |= {f"{key}.{n}" for key in re.findall(r"""\("(calm\.[a-z]+)", """, code) for n in ("one", "many")}
    keys |= {f"state.{state.value}{more}" for state in SHOWN for more in ("", ".more")}
    keys |= {f"actor.{actor.value}" for actor in Actor}
    keys |= {f"queues.{queue.name.split('.')[1]}" for queue in hub_topology().queues}
    keys |= {f"sak.row.{effect.value.lower().replace('_', '-')}" for effect in Effect}
    keys |= {f"sak.strength.{strength.lower()}" for strength in STRENGTHS}
    keys |= {f"sak.word.{word}" for word in Word if word is not Word.SEEN}
    keys |= {"sak.category.unknown", "sak.category.protected-address", "sak", "saker"}
    keys |= {f"samtykke.{name}" for name in CHOICES}
    keys |= {f"samtykke.{name}.{code}" for name, codes in CHOICES.items() for code in codes}
    keys |= {
        f"stands.{stands}"
        for stands in (
            *("in-force", "not-yet", "expired", "withdrawn", "only-refuses", "superseded", "unreadable"),
        )
    }
    return keys | {"enter", "missing", "drift", "login", "refused"}  # titles


def test_every_text_the_console_uses_exists_and_every_text_is_used() -> None:
    assert used() == set(TEXTS)


@pytest.mark.parametrize("key", TEXTS)
def test_a_text_says_something_in_both_languages_with_the_same_places(key: str) -> None:
    text = TEXTS[key]

    assert text.nb.strip()
    assert text.en.strip()
    assert PLACE.findall(text.nb) == PLACE.findall(text.en)


def test_one_and_many_are_told_apart() -> None:
    assert say_count(Language.NB, "stuck.count", 1) == "1 utlevering"
    assert say_count(Language.NB, "stuck.count", 2) == "2 utleveringer"
    assert say(Language.EN, "stuck.count.many", n=0) == "0 disclosures"


@pytest.mark.parametrize(
    ("seconds", "nb", "en"),
    [
        (-5, "0 s", "0 s"),
        (0, "0 s", "0 s"),
        (59, "59 s", "59 s"),
        (60, "1 min", "1 min"),
        (3599, "59 min", "59 min"),
        (3600, "1 t 0 min", "1 h 0 min"),
        (7500, "2 t 5 min", "2 h 5 min"),
        (86400 * 3 + 7200, "3 d 2 t", "3 d 2 h"),
    ],
)
def test_an_age_has_two_units_at_most(seconds: int, nb: str, en: str) -> None:
    span = timedelta(seconds=seconds)

    assert age(Language.NB, span).replace("\u202f", " ") == nb
    assert age(Language.EN, span).replace("\u202f", " ") == en


def test_a_moment_is_norwegian_time_in_summer_and_winter() -> None:
    assert moment(Language.NB, datetime(2031, 7, 1, 22, 30, tzinfo=UTC)) == "2. juli 2031 kl. 00.30"
    assert moment(Language.EN, datetime(2031, 1, 1, 12, 0, tzinfo=UTC)) == "1 Jan 2031, 13:00"


def test_a_large_number_is_grouped_as_its_language_does() -> None:
    assert number(Language.NB, 12345) == "12\u202f345"
    assert number(Language.EN, 12345) == "12,345"
