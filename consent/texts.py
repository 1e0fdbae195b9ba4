"""Understands which consent texts were approved, in which language, and when.

What the person was told is part of the consent. A permission that a row accepts only on an approved
text counts when that very text was approved on the day the permission was recorded. Must not know
persons or rows.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from consent.strict_yaml import Plain, Reader, read_yaml
from hub.errors import Finding, HubError

TEXTS = Path(__file__).parent / "texts.yaml"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_KEYS = {"id", "language", "text", "sha256", "approved"}


@dataclass(frozen=True)
class ApprovedText:
    """One text in one language. `sha256` is over its UTF-8 bytes; days are inclusive, Europe/Oslo."""

    id: str
    language: str
    text: str
    sha256: str
    approved_from: date
    approved_to: date | None


@dataclass(frozen=True)
class Texts:
    """All texts that were ever approved."""

    known: tuple[ApprovedText, ...] = ()

    def approved(self, text_version: str, language: str, day: date) -> bool:
        """Whether that text was approved on that day. A language that was not said is any language."""
        return any(
            text.id == text_version
            and language in ("", text.language)
            and text.approved_from <= day
            and (text.approved_to is None or day <= text.approved_to)
            for text in self.known
        )


NO_TEXTS = Texts()
"""No text is approved: what is assumed by whoever does not bring a register."""


def load_texts(path: Path = TEXTS) -> Texts:
    """The register, or HubError("policy.invalid") with every fault: a hash that is not that of its
    text, a text registered twice, a period that ends before it begins."""
    findings: list[Finding] = []
    read = Reader(findings)
    try:
        root = read_yaml(path.read_bytes().decode("utf-8"), "policy.invalid")
    except (OSError, UnicodeDecodeError):
        raise HubError("policy.invalid", [Finding("/", "file", "a readable UTF-8 file")]) from None
    top = read.mapping(root, "", {"texts"})
    texts = tuple(_text(read, raw, f"texts[{i}]") for i, raw in enumerate(read.list(top, "", "texts")))
    for repeated in _repeated(f"{text.id} {text.language}" for text in texts):
        read.fault(repeated, "duplicate", "each text once in each language")
    if findings:
        raise HubError("policy.invalid", findings)
    return Texts(texts)


def _text(read: Reader, raw: Plain, at: str) -> ApprovedText:
    entry = read.mapping(raw, at, _KEYS)
    approved = read.mapping(entry.get("approved"), f"{at}.approved", {"from", "to"})
    first, last = read.day(approved, f"{at}.approved", "from"), read.day(approved, f"{at}.approved", "to")
    if first is None:
        read.fault(f"{at}.approved.from", "date", "a date as 2026-07-01")
    elif last is not None and last < first:
        read.fault(f"{at}.approved", "period", "an end that is not before the start")
    body, digest = read.text(entry, at, "text"), read.text(entry, at, "sha256")
    if not _SHA256.fullmatch(digest) or hashlib.sha256(body.encode()).hexdigest() != digest:
        read.fault(f"{at}.sha256", "hash", "the SHA-256 of the text, in lower-case hex")
    language = read.text(entry, at, "language")
    if not _LANGUAGE.fullmatch(language):
        read.fault(f"{at}.language", "code", "a language code as nb, nn, en, se")
    return ApprovedText(read.text(entry, at, "id"), language, body, digest, first or date.max, last)


def _repeated(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    twice: list[str] = []
    for name in names:
        if name in seen:
            twice.append(name)
        seen.add(name)
    return twice
