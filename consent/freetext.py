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
from functools import cache
from itertools import accumulate
from pathlib import Path
from urllib.parse import unquote

import re2

from consent.language import is_norwegian_or_english, other_script
from consent.strict_yaml import Plain, Reader, read_yaml
from hub.errors import Finding, HubError

TERMS = Path(__file__).parent / "terms.yaml"


class Strength(StrEnum):
    """How surely a term speaks of substance use: by itself, almost always, sometimes."""

    STRONG = "S"
    MEDIUM = "M"
    WEAK = "W"


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


def scan(text: str) -> tuple[Hit, ...]:
    """Every term in the text, by place."""
    return scan_all([text])[0]


def readable(text: str, *, prose: bool = True) -> bool:
    """Whether the scan can understand the text: written in Latin letters, and if it is prose or
    long, in bokmål, nynorsk or English."""
    if text.isascii() and not prose and len(text) < 60:
        return True
    if other_script(normalise(text)):
        return False
    return is_norwegian_or_english(_TAG.sub(" ", text), short=3 if prose else 8)


# -- the text as it sounds --

_PLAIN = re.compile(r"[A-Za-z0-9æøåÆØÅ .,:;()/'\"!?+§*@=_-]*")
_SPELT_OUT = re.compile(r"(?<![^\W\d_])[^\W\d_][ .*_-]+[^\W\d_][ .*_-]+[^\W\d_](?![^\W\d_])")
_KEPT = frozenset("æøåÆØÅ")
_LOOKALIKES = str.maketrans(
    "аеорсухіјѕһӏԁԛԝқвкмнтАВЕКМНОРСТУХІЈЅμαεορυικντχΑΒΕΖΗΙΚΜΝΟΡΤΥΧıȷ‐‑‒–—―−",
    "aeopcyxijshldqwkvkmhtABEKMHOPCTYXIJSuaeopuikvtxABEZHIKMNOPTYXij-------",
)
_LINE_END = re.compile(r"[-\u2010][ \t]*\r?\n\s*")
_HIDDEN = dict.fromkeys({*range(9), 11, 12, *range(14, 32), 127}, "")
_TAG = re.compile(r"<[^<>]{0,500}>")
_SPACED = re2.compile(r"(^|[^\pL\pN])((?:\pL[ .*_-]+){2,}\pL)($|[^\pL\pN])")
_NOT_LETTER = re.compile(r"[\W\d_]+")
_WORD = re.compile(r"[^\W_]+")


def normalise(text: str) -> str:
    """The text as a reader would hear it, in the letters of the terms."""
    if _PLAIN.fullmatch(text) and not _SPELT_OUT.search(text):
        return text
    for _ in range(3):
        decoded = unquote(html.unescape(text))
        if decoded == text:
            break
        text = decoded
    text = _TAG.sub("", unicodedata.normalize("NFKC", text))
    text = _LINE_END.sub("", text.replace("\u00ad\n", "").translate(_HIDDEN))
    text = "".join(c if c.isascii() or c in _KEPT else _letter(c) for c in text)
    text = " ".join(text.split())
    return str(_SPACED.sub(_close_up, text))


def _letter(char: str) -> str:
    char = char.translate(_LOOKALIKES)
    if char.isascii() or char in _KEPT:
        return char
    plain = unicodedata.normalize("NFD", char)
    return "".join(c for c in plain if unicodedata.category(c) not in {"Mn", "Me", "Cf"}).translate(
        _LOOKALIKES
    )


def _close_up(match: re.Match[str]) -> str:
    before, letters, after = match.group(1), match.group(2), match.group(3)
    return f"{before}{_NOT_LETTER.sub('', letters)}{after}"


# -- the terms --
# RE2 has no look-around, so every word is put between two marks and the patterns name the marks.


_OPEN, _CLOSE, _NEXT = "\x01", "\x02", "\x03"
_GAP = r"[^\x01\x02\x03]{1,3}"
_MARK = re.compile(r"[\x01\x02]")


@dataclass(frozen=True)
class _Matcher:
    """The compiled terms: one set that says which occur at all, one pattern each that says where."""

    terms: tuple[Term, ...]
    any_of: re2.Set
    patterns: tuple[re2._Regexp, ...]
    exceptions: tuple[re2._Regexp | None, ...]


def scan_all(texts: Sequence[str]) -> list[tuple[Hit, ...]]:
    """The hits of each text. All are read at once: most records have no hit at all."""
    matcher = _matcher()
    marked = [_WORD.sub(_marked, normalise(text)) for text in texts]
    whole = _NEXT.join(marked)
    hits: list[list[Hit]] = [[] for _ in texts]
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
                hits[n].append(Hit(matcher.terms[i].id, matcher.terms[i].strength, place, stop))
    return [tuple(sorted(part, key=lambda hit: (hit.start, hit.end, hit.term_id))) for part in hits]


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
    terms = load_terms()
    options = re2.Options()
    options.max_mem = 64 << 20
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
    )


def _pattern(words: Sequence[str], case: bool) -> str:
    return ("" if case else "(?i)") + "|".join(
        _GAP.join(f"{_OPEN}{_one_word(part)}{_CLOSE}" for part in re.split(r"[ -]", word)) for word in words
    )


def _one_word(word: str) -> str:
    return "".join(r"[\pL\pN]*" if c == "*" else "[0-9]" if c == "#" else c for c in word)


_WRITTEN = re.compile(r"\*?[\w#]+\*?(?:[ -]\*?[\w#]+\*?)*")


def load_terms(path: Path = TERMS) -> tuple[Term, ...]:
    """The terms of the file. Raises policy.invalid with all findings."""
    findings: list[Finding] = []
    read = Reader(findings)
    root = read_yaml(path.read_text(encoding="utf-8"), "policy.invalid")
    terms = []
    for i, raw in enumerate(root if isinstance(root, list) else []):
        at = f"[{i}]"
        row = read.mapping(raw, at, {"id", "strength", "words", "case", "unless"}, {"case", "unless"})
        words, unless = read.texts(row, at, "words"), _optional(read, row, at, "unless")
        if bad := [word for word in (*words, *unless) if not _WRITTEN.fullmatch(word)]:
            read.fault(f"{at}.words", "word", f"letters, digits, # and an outer * ({len(bad)} are not)")
        strength = read.code(Strength, row, at, "strength") or Strength.STRONG
        terms.append(Term(read.text(row, at, "id"), strength, words, read.flag(row, at, "case"), unless))
    if not terms or len({term.id for term in terms}) != len(terms):
        read.fault("/", "id", "at least one term, each id once")
    if findings:
        raise HubError("policy.invalid", findings)
    return tuple(terms)


def _optional(read: Reader, row: Mapping[str, Plain], at: str, key: str) -> tuple[str, ...]:
    return read.texts(row, at, key) if key in row else ()
