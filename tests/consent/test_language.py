"""Which texts are in a known language and in Latin letters, and which lines say something in words."""

from __future__ import annotations

import pytest

from consent.language import is_norwegian_or_english, is_prose, other_script

LANGUAGE = [
    # of six words one must be known
    ("og bil hus vei tre stein", 3, True),
    ("og bil hus vei tre stein sand", 3, False),
    ("bil hus vei", 3, False),
    # and of three known words one may be foreign
    ("og han har und", 3, True),
    ("og han und", 3, False),
    ("og han har det und ist", 3, False),
    ("der den om", 3, True),  # German, Danish and Norwegian
    ("OG HAN HAR", 3, True),
    # fewer words prove nothing, and a letter is no word
    ("bil hus", 3, True),
    ("bil hus x", 3, True),
    ("bil hus vei", 4, True),
    ("og bil hus vei tre stein x y z", 3, True),
    ("bil 1 hus 2", 3, True),
    ("", 3, True),
]
SHAPES = ("nuzha", "bashchu", "czes", "szla", "trzba", "dzien", "staryy", "biyoka", "bayoka", "baax", "buux",
          "xaadu", "xaldu", "xandu", "qaadu", "qabdu", "qaddu", "bolije")  # one row per case # fmt: skip
LETTERS = "äöüßłąężźćńśščžđŋŧňřěůçşğñãõîâășțėųūāēīļķ"


@pytest.mark.parametrize(("text", "short", "known"), LANGUAGE)
def test_enough_words_must_be_known(text: str, short: int, known: bool) -> None:
    assert is_norwegian_or_english(text, short=short) is known


@pytest.mark.parametrize("word", [*SHAPES, *(f"b{letter}t" for letter in LETTERS)])
def test_a_word_that_no_norwegian_writes_is_foreign(word: str) -> None:
    assert not is_norwegian_or_english(f"og han {word}", short=3)
    assert is_norwegian_or_english("og han bilen", short=3)


SCRIPTS = [
    ("Bolig på øya", False),
    ("Ž ŋ đ ɏ", False),
    ("β-blokker", False),
    ("ж", False),
    ("жж", True),
    ("ab жa", True),
    ("ɐb", True),
    ("中文", True),
    ("12 34", False),
]


@pytest.mark.parametrize(("text", "other"), SCRIPTS)
def test_a_word_in_other_letters_is_told(text: str, other: bool) -> None:
    assert other_script(text) is other


LINES = [
    ("Elvestad videregående skole", False),
    ("Kari og Ola Nordmann", False),
    ("Ola går hjem ofte", True),
    ("går på skole", True),
    ("går på", False),
    ("a b c d", False),
    ("HAN DRIKKER OFTE", True),
    ("OLA NORDMANN", False),
    ("HAN drikker OFTE", False),
    ("drikker hvér dåg", True),
    ("Drikker Hver Dag", False),
    ("1a2b3c", False),
]


@pytest.mark.parametrize(("text", "prose"), LINES)
def test_a_line_of_words_is_prose(text: str, prose: bool) -> None:
    assert is_prose(text) is prose
