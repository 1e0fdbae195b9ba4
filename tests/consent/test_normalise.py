"""How a text sounds: each step of the reading alone, to the letter, and how it is read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from consent.freetext import (
    Hit,
    Strength,
    Term,
    _read_again,
    load_terms,
    normalise,
    scan,
    scan_all,
    speaks_of_use,
)
from hub.errors import HubError

LOOKALIKES = (
    "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ"
    "аеорсухіјѕһӏԁԛԝқвкмнтгузпбАВЕКМНОРСТУХІЈЅԌμαεορυικνντχηγΑΒΕΖΗΙΚΜΝΟΡΤΥΧıȷɡɑ‐‑‒–—―−"
)
LETTERS = (
    "abcdefghijklmnoprstuvwyz"
    "aeopcyxijshldqwkvkmhtryзnбABEKMHOPCTYXIJSGuaeopuikvvtxnyABEZHIKMNOPTYXijga-------"
)


def unseen(word: str) -> str:
    return "".join(chr(0xE0000 + ord(char)) for char in word)


SOUNDS = [
    # what is plain stays
    ("Får metadon,  og var i LAR.", "Får metadon,  og var i LAR."),
    (
        "§ 12 (a) x=1 'to' \"tre\" og? ei! en+to * ved@her_nå-da",
        "§ 12 (a) x=1 'to' \"tre\" og? ei! en+to * ved@her_nå-da",
    ),
    # escapes, entities, percent: three deep
    ("r\\u0075s", "rus"),
    ("r\\u00E6s", "ræs"),
    ("r\\u00e6s", "ræs"),
    ("r%u0075s", "rus"),
    ("r\\x75s", "rus"),
    ("r\\xE6s r\\xe6s", "ræs ræs"),
    ("r\\u{75}s", "rus"),
    ("r\\u{E6}s r\\u{e6}s r\\u{0000e}6", "ræs ræs r6"),
    ("r\\u{1d42e}s", "rus"),
    ("r\\u{}s", "r\\u{}s"),
    ("r\\U00000075s r\\U0001D42Es r\\U0001d42es", "rus rus rus"),
    ("\\ud835\\udc2bus", "rus"),
    ("\\ud835us", "\ufffdus"),
    ("r&#117;s", "rus"),
    ("r&amp;#117;s", "rus"),
    ("r&amp;amp;#117;s", "rus"),
    ("r&amp;amp;amp;#117;s", "r&#117;s"),
    ("&aring;&AElig;", "åÆ"),
    ("%72us", "rus"),
    ("%2572us", "rus"),
    ("r\\u0026#117;s", "rus"),
    # NFKC, letters with marks, hidden characters
    ("ｒｕｓ", "rus"),
    ("𝐫𝐮𝐬", "rus"),
    ("pa\u030a P\u00c5 A\u030a", "på PÅ Å"),
    ("rùś ŕüš", "rus rus"),
    ("ru\u0489s", "rus"),
    ("ru\u200bs ru\u00ads ru\ufeffs", "rus rus rus"),
    ("Ærlig Ødegård øre ære", "Ærlig Ødegård øre ære"),
    ("æ\u0301re", "ære"),
    *((f"r{char}u{char}s", "rus") for char in "\x00\x01\x08\x0b\x0c\x0e\x1f\x7f\u1160\u2800\u3164\uffa0"),
    ("r\tu og\n her", "r u og her"),
    ("r\u00a7s\u200b", "r§s"),
    ("йод \u0457", "иoд i"),
    # look-alikes
    *((f"{char}ж", f"{letter}ж") for char, letter in zip(LOOKALIKES, LETTERS, strict=True)),
    ("🅡🅤🅢 🅐🅩", "rus az"),
    ("🆁🆄🆂 🅰🆉", "rus az"),
    ("🇷🇺🇸 🇦🇿", "rus az"),
    # letters that nobody sees follow at the end
    (f"hei{unseen('rus')} der {unseen('og')}", "hei der rus og"),
    (f"ru{unseen('~ ')}s", "rus ~"),
    # markup
    ("rus<b>mis</b>bruk", "rusmisbruk b /b"),
    ("<![CDATA[rus]]>her", "rusher"),
    ("rus<!-- så -->her", "rusher !-- så --"),
    ("a < b og c > d &amp; e", "a d & e b og c"),
    ("en <to <tre> fire", "en <to fire tre"),
    (f"a<{'x' * 500}>b%20", f"ab {'x' * 500}"),
    (f"a<{'x' * 501}>b%20", f"a<{'x' * 501}>b"),
    ("a<>b%20", "ab"),
    # a line that ends in a word
    ("rus-\nmis", "rusmis"),
    ("rus- \t\r\n  mis", "rusmis"),
    ("rus=\nmis", "rusmis"),
    ("rus\u2010\nmis", "rusmis"),
    ("rus\u2011\nmis", "rusmis"),
    ("rus\u00ad\nmis", "rusmis"),
    ("rus\nmis", "rus mis"),
    # spelt out
    *((f"se {sign.join('misty')} her", "se misty her") for sign in " .,:;/|~+=*'\"·•_-"),
    *((f"se {sign.join('misty')} her", "se misty her") for sign in ("  ", " - ", ". ")),
    ("a b c", "ABC"),
    ("a b", "a b"),
    ("m i s t", "MIST"),
    ("se a b her", "se a b her"),
    ("se a b her\u200b", "se a b her"),
    ("se a  b her\u200b", "se a b her"),
    ("m i s t y  m i s t y", "misty misty"),
    ("m\ni\ns\nt\ny", "misty"),
    ("1m i s 2", "1m i s 2"),
    ("m i s2", "m i s2"),
    ("(m i s)", "(MIS)"),
    ("æ ø å", "ÆØÅ"),
    ("1 2 3 4", "1 2 3 4"),
    ("h a n r u s m i s b r u k e r", "han rusmisbruk er"),
]


@pytest.mark.parametrize(("text", "sound"), SOUNDS)
def test_a_text_is_read_as_it_sounds(text: str, sound: str) -> None:
    assert normalise(text) == sound


AGAIN = [
    ("ro og fred", set()),
    ("rus-misbruk her", {"rusmisbruk  her"}),
    ("rus-mis-bruk", {"rusmisbruk  "}),
    ("rus/mis-bruk", {"rus/misbruk ", "rusmisbruk  "}),
    *(
        (f"rus{sign}mis", {"rusmis" + " " * len(sign)})
        for sign in ("/", ".", "_", "(", "'", "§", "..", "._.")
    ),
    ("rus....mis", set()),
    ("rus . mis", set()),
    ("a-b-c", set()),
    ("ab-c", set()),
    ("a-bc", set()),
    ("ab/c", set()),
    ("a/bc", set()),
    ("ab-12", set()),
    ("a1-bc", set()),
    ("ab-cd", {"abcd "}),
    ("x1-ab-cd", {"x1-abcd "}),
    ("r0s1at", {"rosiat", "roslat"}),
    ("r0s1a L4R F11 B12", set()),
    ("r013457us", {"roieastus", "roleastus"}),
    ("r@us r$us r!us r|us", {"raus rsus rius rius", "raus rsus rlus rlus"}),
    ("1rus2t", set()),
    ("r1u", set()),
    ("r1us", {"rius", "rlus"}),
    ("F112", set()),
    ("r8us", {"r8us"} - {"r8us"}),
    ("0r1us0 1", {"oriuso 1", "orluso 1"}),
    ("rus-m1st", {"rus-mist", "rus-mlst", "rusmist ", "rusmlst "}),
]


@pytest.mark.parametrize(("text", "readings"), AGAIN)
def test_a_text_is_read_again(text: str, readings: set[str]) -> None:
    assert _read_again(text) == readings
    assert {len(reading) for reading in readings} <= {len(text)}


def hits(*places: tuple[Strength, int, int]) -> list[Hit]:
    return [Hit(f"t{i}", strength, start, end) for i, (strength, start, end) in enumerate(places)]


S, M, W = Strength.STRONG, Strength.MEDIUM, Strength.WEAK
TOGETHER = [
    ("ab", [], False),
    ("ab", [(S, 0, 2)], True),
    ("ab", [(M, 0, 2)], False),
    ("ab cd", [(M, 0, 2), (M, 3, 5)], True),
    ("ab cd", [(M, 0, 2), (W, 3, 5)], False),
    ("ab cd", [(W, 0, 2), (S, 3, 5)], True),
    ("ab AB", [(M, 0, 2), (M, 3, 5)], False),
    ("ab ab", [(M, 0, 2), (M, 3, 6)], False),
    ("abc", [(M, 0, 2), (M, 1, 3)], False),
    ("abcd", [(M, 0, 2), (M, 2, 4)], True),
    ("ab" + " " * 60 + "cd", [(M, 0, 2), (M, 62, 64)], True),
    ("ab" + " " * 61 + "cd", [(M, 0, 2), (M, 63, 65)], False),
    ("ab" + " " * 61 + "cd ef", [(M, 0, 2), (M, 63, 65), (M, 66, 68)], True),
    ("ab" * 20 + " cd", [*[(M, 0, 2)] * 12, (M, 41, 43)], True),
]


@pytest.mark.parametrize(("text", "places", "tells"), TOGETHER)
def test_hits_tell_together(text: str, places: list[tuple[Strength, int, int]], tells: bool) -> None:
    assert speaks_of_use(text, hits(*places)) is tells


WRITTEN = [
    ("skadelig bruk", True),
    ("skadelig - bruk", True),
    ("skadelig -- bruk", False),
    ("skadelig§bruk", False),
    ("skadelig i bruk", False),
    ("skadelig-bruk", True),
    ("SKADELIG Bruk", True),
    ("uskadelig bruk", False),
    ("skadelig bruker", False),
]


@pytest.mark.parametrize(("text", "found"), WRITTEN)
def test_a_term_of_two_words_is_found_where_they_stand_together(text: str, found: bool) -> None:
    assert ("misuse" in {hit.term_id for hit in scan(text)}) is found


def test_texts_are_read_apart_and_hits_stand_where_they_are() -> None:
    texts = ["skadelig", "bruk, heroin", "", "Se her-oin og heroin"]

    found = scan_all(texts)

    assert [[(hit.term_id, hit.start, hit.end) for hit in one if hit.strength is S] for one in found] == [
        [],
        [("drugs", 6, 12)],
        [],
        [("drugs", 3, 9), ("drugs", 14, 20)],
    ]


LOADED = """
- id: a
  class: x
  strength: M
  words: ["rus{en,,  er} på", "*b*", "§ 1#", "c-d", "rusen på"]
  case: true
  unless: ["{e,f}g"]
- {id: b, class: y, strength: clue, words: [h]}
"""


def terms(tmp_path: Path, text: str) -> tuple[Term, ...]:
    (tmp_path / "terms.yaml").write_text(text, encoding="utf-8")
    return load_terms(tmp_path / "terms.yaml")


def test_terms_are_loaded_as_they_are_written(tmp_path: Path) -> None:
    assert terms(tmp_path, LOADED) == (
        Term("a", M, ("rusen på", "rus på", "rus er på", "*b*", "§ 1#", "c-d"), True, ("eg", "fg"), "x"),
        Term("b", Strength.CLUE, ("h",), False, (), "y"),
    )


ONE = "- {id: a, class: b, strength: S, words: [rus]}\n"
NOT_CLEAR = [
    (ONE.replace("strength: S", "strength: X"), [("[0].strength", "code")]),
    (ONE.replace("[rus]", "[]"), [("[0].words", "texts")]),
    *((ONE.replace("[rus]", f"['{word}']"), [("[0].words", "word")])
      for word in ("ru(s", "r*s", "rus.", "§*", "a--b", "a |b", "{a", "**", "-a", "a-", "§§")),
    (ONE.replace("[rus]", "[rus]\x2c unless: ['r*s']"), [("[0].words", "word")]),
    (ONE.replace("[rus]", "[rus], unless: 3"), [("[0].unless", "shape"), ("[0].unless", "texts")]),
    (ONE.replace("[rus]", "[rus], case: 3"), [("[0].case", "boolean")]),
    (ONE.replace("[rus]", "[rus], cas: true"), [("[0].cas", "unknown-key")]),
    (ONE.replace("class: b, ", ""), [("[0].class", "missing")]),
    (ONE.replace("id: a, ", ""), [("[0].id", "missing")]),
    (ONE + ONE, [("/", "id")]),
    ("", [("/", "id")]),
    ("{a: b}", [("/", "id")]),
    ("[]", [("/", "id")]),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("text", "found"), NOT_CLEAR)
def test_a_list_of_terms_that_is_not_clear_is_refused(
    tmp_path: Path, text: str, found: list[tuple[str, str]]
) -> None:
    with pytest.raises(HubError, match=r"policy\.invalid") as caught:
        terms(tmp_path, text)

    assert [(finding.at, finding.rule) for finding in caught.value.findings] == found
