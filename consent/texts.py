"""Understands the texts that may be shown to a person before a consent: their words, and when each was
approved.

A text in use never changes; it gets a new edition. Must not know who was shown what.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from consent.strict_yaml import Reader, read_yaml
from hub.errors import Finding, HubError

TEXTS = Path(__file__).parent / "texts.yaml"
LANGUAGES = ("nb", "nn", "en")

_KEYS = {"id", "edition", "language", "approved_from", "approved_to", "words"}


@dataclass(frozen=True)
class ConsentText:
    """One edition of one text in one language. Days are inclusive; `approved_to` None is open."""

    id: str
    edition: str
    language: str
    approved_from: date
    approved_to: date | None
    words: str

    @property
    def ref(self) -> str:
        """How a consent names it: the same in every language."""
        return f"{self.id}-{self.edition}"

    @property
    def digest(self) -> str:
        """SHA-256 of the words in UTF-8, hex."""
        return hashlib.sha256(self.words.encode()).hexdigest()

    def approved_on(self, day: date) -> bool:
        return self.approved_from <= day and (self.approved_to is None or day <= self.approved_to)


@cache
def load_texts(path: Path = TEXTS) -> tuple[ConsentText, ...]:
    """Every text of the file, or HubError("policy.invalid") with every finding."""
    try:
        root = read_yaml(path.read_text(encoding="utf-8"), "policy.invalid")
    except (OSError, UnicodeDecodeError):
        raise HubError("policy.invalid", [Finding("/", "file", "a readable UTF-8 file")]) from None
    findings: list[Finding] = []
    read = Reader(findings)
    found: list[ConsentText] = []
    for index, raw in enumerate(read.list({"texts": root}, "", "texts")):
        at = f"texts[{index}]"
        entry = read.mapping(raw, at, _KEYS)
        text = ConsentText(
            id=read.text(entry, at, "id"),
            edition=read.text(entry, at, "edition"),
            language=read.text(entry, at, "language"),
            approved_from=read.day(entry, at, "approved_from") or date.max,
            approved_to=read.day(entry, at, "approved_to"),
            words=read.text(entry, at, "words"),
        )
        if text.language not in LANGUAGES:
            read.fault(f"{at}.language", "code", f"one of {', '.join(LANGUAGES)}")
        if text.approved_from == date.max or (text.approved_to or date.max) < text.approved_from:
            read.fault(f"{at}.approved_from", "period", "a first day that is not after the last")
        if any((text.ref, text.language) == (other.ref, other.language) for other in found):
            read.fault(at, "duplicate", "each edition once in each language")
        found.append(text)
    if findings:
        raise HubError("policy.invalid", findings)
    return tuple(found)


def approved(ref: str, day: date, texts: Iterable[ConsentText] | None = None) -> bool:
    """Whether a consent given on `day` may rest on the text of that name."""
    return any(t.ref == ref and t.approved_on(day) for t in (load_texts() if texts is None else texts))


def in_language(ref: str, language: str, texts: Sequence[ConsentText] | None = None) -> ConsentText | None:
    """The text in the language, or None: another language is other words."""
    known = load_texts() if texts is None else texts
    return next((t for t in known if t.ref == ref and t.language == language), None)
