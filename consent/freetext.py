"""Understands which words of a text point to substance use, and whether the text can be read at all.

A hit is a reason to ask a person, no hit is not clearance. The text is first written the way it
sounds (entities, look-alike letters, hidden and spaced-out characters); the time is linear in its
length. It must not know records or labels.
"""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial
from itertools import accumulate
from pathlib import Path
from urllib.parse import unquote

import re2

from consent.combinations import combinations
from consent.language import is_norwegian_or_english, other_script
from consent.strict_yaml import Plain, Reader, read_yaml
from hub.errors import Finding, HubError

TERMS = Path(__file__).parent / "terms.yaml"


class Strength(StrEnum):
    """How surely a term speaks of substance use: by itself, almost always, sometimes; a clue says
    nothing alone and counts in combinations only."""

    STRONG = "S"
    MEDIUM = "M"
    WEAK = "W"
    CLUE = "clue"


@dataclass(frozen=True)
class Hit:
    """A term found, and where it stands in `normalise(text)`. Never the words."""

    term_id: str
    strength: Strength
    start: int
    end: int


@dataclass(frozen=True)
class Term:
    """One row of terms.yaml."""

    id: str
    strength: Strength
    words: tuple[str, ...]
    case: bool
    unless: tuple[str, ...]
    group: str


def scan(text: str) -> tuple[Hit, ...]:
    """Every term in the text, by place; clues are left out."""
    return tuple(hit for hit in scan_all([text])[0] if hit.strength is not Strength.CLUE)


def readable(text: str, *, prose: bool = True) -> bool:
    """Whether the scan can understand the text: written in Latin letters, and if it is prose or
    long, in bokmål, nynorsk or English."""
    if other_script(normalise(text)):
        return False
    return is_norwegian_or_english(_TAG.sub(" ", text), short=3 if prose else 8)


# -- the text as it sounds --

_PLAIN = re.compile(r"[A-Za-z0-9æøåÆØÅ .,:;()/'\"!?+§*@=_-]*")
"""Nothing in it changes; most texts are so."""
_ESCAPE = re.compile(r"[\\%]u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\u\{[0-9A-Fa-f]{1,5}\}|\\U000[0-9A-Fa-f]{5}")
_KEPT = frozenset("åÅ")
"""No other letter of Norwegian is taken for one with a mark."""
_SMALL_CAPITALS = str.maketrans("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz")
_LOOKALIKES = _SMALL_CAPITALS | str.maketrans(
    "аеорсухіјѕһӏԁԛԝқвкмнтгузпбАВЕКМНОРСТУХІЈЅԌμαεορυικνντχηγΑΒΕΖΗΙΚΜΝΟΡΤΥΧıȷɡɑ‐‑‒–—―−",
    "aeopcyxijshldqwkvkmhtryзnбABEKMHOPCTYXIJSGuaeopuikvvtxnyABEZHIKMNOPTYXijga-------",
)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# In white circles and boxes a letter is folded by NFKC; in black ones, and as half of a flag, it is not.
_LOOKALIKES |= {
    start + i: ord(letter) for start in (0x1F150, 0x1F170, 0x1F1E6) for i, letter in enumerate(_LETTERS)
}
_INVISIBLE_LETTERS = re.compile("[\U000e0020-\U000e007e]+")
_SEEN = {0xE0000 + code: code for code in range(0x20, 0x7F)}
_LINE_END = re.compile(r"[-=\u2010\u2011\u00ad][ \t]*\r?\n\s*")
_HIDDEN = dict.fromkeys({*range(9), 11, 12, *range(14, 32), 127, 0x1160, 0x2800}, "")
_MARKS = frozenset(("Mn", "Me", "Cf"))
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")
_TAG = re.compile(r"<([^<>]{0,500})>")
_BETWEEN = r"[ .,:;/|~+=*'\"·•_-]"
_SPACED = re2.compile(rf"(^|[^\pL\pN])((?:\pL{_BETWEEN}+){{2,}}\pL)($|[^\pL\pN])")
_SPACED_ONCE = re2.compile(rf"(^|[^\pL\pN])((?:\pL{_BETWEEN}){{2,}}\pL)($|[^\pL\pN])")
_NOT_LETTER = re.compile(r"[\W\d_]+")
_WORD = re.compile(r"[^\W_]+|§")


def normalise(text: str) -> str:
    """The text as a reader would hear it, in the letters of the terms. What stands inside tags and
    comments follows at the end."""
    if _PLAIN.fullmatch(text) and not _SPACED.search(text):
        return text
    for _ in range(3):
        text = unquote(html.unescape(_ESCAPE.sub(_escaped, text)))
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # escaped in two halves
    text = _CDATA.sub("", unicodedata.normalize("NFKC", text))
    if unseen := _INVISIBLE_LETTERS.findall(text):
        text = f"{text} {' '.join(unseen).translate(_SEEN)}"
    if inside := _TAG.findall(text):
        text = f"{_TAG.sub('', text)} {' '.join(inside)}"
    text = _LINE_END.sub("", text).translate(_HIDDEN)
    text = "".join(c if c.isascii() or c in _KEPT else _letter(c) for c in text)
    text = str(_SPACED_ONCE.sub(_close_up, text))
    text = " ".join(text.split())
    return str(_SPACED.sub(_close_up, text))


def _escaped(match: re.Match[str]) -> str:
    return chr(int(match.group().strip("\\%uUx{}"), 16))


def _letter(char: str) -> str:
    parts = unicodedata.normalize("NFD", char)
    return "".join(c for c in parts if unicodedata.category(c) not in _MARKS).translate(_LOOKALIKES)


def _close_up(match: re.Match[str]) -> str:
    before, letters, after = match.group(1), match.group(2), match.group(3)
    word = _NOT_LETTER.sub("", letters)
    if len(word) <= 4:
        word = word.upper()  # l.a.r. is LAR
    return f"{before}{_matcher().inside.sub(_apart, word)}{after}"


def _apart(match: re.Match[str]) -> str:
    return f" {match.group()} "


_COMPOUND = re2.compile(r"[\pL\pN]+(?:[^\pL\pN\s]{1,3}[\pL\pN]+)+")
_HYPHEN = re.compile(r"(?<=[^\W\d_]{2})-(?=[^\W\d_]{2})")
_SIGNS = re.compile(r"(?<=[^\W\d_]{2})(?:[^\w\s]|_){1,3}(?=[^\W\d_]{2})")
_DIGIT_WORD = re2.compile(r"[\pL\pN]*\pL[0-9@$!|]+\pL{2}[\pL\pN@$!|]*")
_DIGITS = str.maketrans("013457@$!|", "oieastasii")
_ONE_AS_L = _DIGITS | str.maketrans("1!|", "lll")


def _read_again(text: str) -> frozenset[str]:
    """The other ways to read the text: digits in words read as letters; hyphens, or all signs, inside
    words closed up. Every word is at its old place."""
    readings = [text]
    if _DIGIT_WORD.search(text):
        readings += [str(_DIGIT_WORD.sub(partial(_spell, table), text)) for table in (_DIGITS, _ONE_AS_L)]
    if _COMPOUND.search(text):
        readings += [
            str(_COMPOUND.sub(partial(_close, between), one))
            for one in tuple(readings)
            for between in (_HYPHEN, _SIGNS)
        ]
    return frozenset(readings) - {text}


def _close(between: re.Pattern[str], match: re.Match[str]) -> str:
    word = match.group()
    return between.sub("", word).ljust(len(word))


def _spell(table: Mapping[int, int], match: re.Match[str]) -> str:
    return match.group().translate(table)


# -- the terms --
# RE2 has no look-around, so every word is put between two marks and the patterns name the marks.


_OPEN, _CLOSE, _NEXT = "\x01", "\x02", "\x03"
_GAP = r"[^\x02\x03]{0,3}"
_MARK = re.compile(r"[\x01\x02]")


@dataclass(frozen=True)
class _Matcher:
    """The compiled terms: one set that says which occur at all, one pattern each that says where;
    `inside` finds the long strong words within a word that was spelt out."""

    terms: tuple[Term, ...]
    any_of: re2.Set
    patterns: tuple[re2._Regexp, ...]
    exceptions: tuple[re2._Regexp | None, ...]
    inside: re2._Regexp


def scan_all(texts: Sequence[str]) -> list[tuple[Hit, ...]]:
    """The hits of each text. All are read at once: most records have no hit at all."""
    matcher = _matcher()
    readings = list(enumerate(map(normalise, texts)))
    readings += [(n, other) for n, text in readings for other in _read_again(text)]
    marked = [_WORD.sub(_marked, text) for _, text in readings]
    whole = _NEXT.join(marked)
    hits: list[set[Hit]] = [set() for _ in texts]
    found = matcher.any_of.Match(whole)
    if found:
        starts = list(accumulate((len(part) + 1 for part in marked), initial=0))
        marks = [match.start() for match in _MARK.finditer(whole)]
        for i in found:
            for start, end in _places(matcher, i, whole):
                n = bisect_right(starts, start) - 1
                before = bisect_left(marks, starts[n])
                place = start - starts[n] - (bisect_left(marks, start) - before)
                stop = end - starts[n] - (bisect_left(marks, end) - before)
                hits[readings[n][0]].add(Hit(matcher.terms[i].id, matcher.terms[i].strength, place, stop))
    return [tuple(sorted(part, key=lambda hit: (hit.start, hit.end, hit.term_id))) for part in hits]


NEAR = 60
"""Characters between two terms that confirm each other."""


def speaks_of_use(text: str, hits: Sequence[Hit]) -> bool:
    """Whether the hits of a text tell of substance use without a person: one strong term, or a
    medium one with a different medium one near it."""
    if any(hit.strength is Strength.STRONG for hit in hits):
        return True
    likely = [hit for hit in hits if hit.strength is Strength.MEDIUM]
    heard = normalise(text).lower()
    words = [heard[hit.start : hit.end] for hit in likely]
    for i, one in enumerate(likely):
        for j in range(i + 1, len(likely)):
            if likely[j].start > one.end + NEAR:
                break
            if likely[j].start >= one.end and words[j] != words[i]:
                return True
    return False


def _marked(word: re.Match[str]) -> str:
    return f"{_OPEN}{word.group()}{_CLOSE}"


def _places(matcher: _Matcher, i: int, whole: str) -> Iterator[tuple[int, int]]:
    exception = matcher.exceptions[i]
    for match in matcher.patterns[i].finditer(whole):
        if exception is None or not exception.fullmatch(match.group()):
            yield match.span()


@cache
def _matcher() -> _Matcher:
    """Compiled once for the process, on first use."""
    terms = (
        *load_terms(),
        *(
            Term(sign.id, Strength.CLUE, _spelt_out(sign.words), False, (), "clue")
            for sign in combinations().signs
        ),
    )
    options = re2.Options()
    options.max_mem = 256 << 20
    options.log_errors = False
    any_of = re2.Set.SearchSet(options)
    for term in terms:
        any_of.Add(_pattern(term.words, term.case))
    any_of.Compile()
    return _Matcher(
        terms,
        any_of,
        tuple(re2.compile(_pattern(term.words, term.case), options) for term in terms),
        tuple(
            re2.compile(_pattern(term.unless, term.case), options) if term.unless else None for term in terms
        ),
        re2.compile("(?i)" + "|".join(_long_words(terms)), options),
    )


def _long_words(terms: Sequence[Term]) -> list[str]:
    """Longest first: RE2 takes the first alternative that fits."""
    words = {
        word.strip("*")
        for term in terms
        if term.strength is Strength.STRONG and not term.case
        for word in term.words
    }
    return sorted((word for word in words if len(word) > 4 and word.isalpha()), key=lambda w: (-len(w), w))


def _pattern(words: Sequence[str], case: bool) -> str:
    return ("" if case else "(?i)") + "|".join(
        _GAP.join(f"{_OPEN}{_one_word(part)}{_CLOSE}" for part in re.split(r"[ -]", word)) for word in words
    )


def _one_word(word: str) -> str:
    return "".join(r"[\pL\pN]*" if c == "*" else "[0-9]" if c == "#" else c for c in word)


_PART = r"(?:\*?[\w#]+\*?|§)"
_WRITTEN = re.compile(rf"{_PART}(?:[ -]{_PART})*")
_EITHER = re.compile(r"\{([^{}]*)\}")


def load_terms(path: Path = TERMS) -> tuple[Term, ...]:
    """The terms of the file. Raises policy.invalid with all findings."""
    findings: list[Finding] = []
    read = Reader(findings)
    root = read_yaml(path.read_text(encoding="utf-8"), "policy.invalid")
    keys = {"id", "class", "strength", "words", "case", "unless"}
    terms = []
    for i, raw in enumerate(root if isinstance(root, list) else []):
        at = f"[{i}]"
        row = read.mapping(raw, at, keys, {"case", "unless"})
        words = _spelt_out(read.texts(row, at, "words"))
        unless = _spelt_out(_optional(read, row, at, "unless"))
        if bad := [word for word in (*words, *unless) if not _WRITTEN.fullmatch(word)]:
            read.fault(f"{at}.words", "word", f"letters, digits, # and an outer * ({len(bad)} are not)")
        strength = read.code(Strength, row, at, "strength") or Strength.STRONG
        group = read.text(row, at, "class")
        terms.append(
            Term(read.text(row, at, "id"), strength, words, read.flag(row, at, "case"), unless, group)
        )
    if not terms or len({term.id for term in terms}) != len(terms):
        read.fault("/", "id", "at least one term, each id once")
    if findings:
        raise HubError("policy.invalid", findings)
    return tuple(terms)


def _spelt_out(words: Sequence[str]) -> tuple[str, ...]:
    """Every word that `{a,b}` stands for, once."""
    return tuple(dict.fromkeys(" ".join(one.split()) for word in words for one in _each(word)))


def _each(word: str) -> Iterator[str]:
    either = _EITHER.search(word)
    if either is None:
        yield word
        return
    for choice in either.group(1).split(","):
        yield from _each(f"{word[: either.start()]}{choice}{word[either.end() :]}")


def _optional(read: Reader, row: Mapping[str, Plain], at: str, key: str) -> tuple[str, ...]:
    return read.texts(row, at, key) if key in row else ()
