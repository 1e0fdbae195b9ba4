"""Understands how a YAML file of ours is filled in: which keys are there, and of what kind.

Collects every fault and goes on, so that the author of a file sees all of them at once. Nobody has to
remember to refuse unknown keys: `close` does. Knows nothing of what the keys mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from hub.errors import Finding
from hub.message import Category, Sector

Word = TypeVar("Word", Sector, Category)


class Form:
    """One mapping of a file, read key by key."""

    def __init__(self, file: str, at: str, given: object, findings: list[Finding]) -> None:
        self.file, self.at, self.findings = file, at, findings
        self._read: set[str] = set()
        if not isinstance(given, Mapping):
            self.refuse("", "kind", "keys with values")
            given = {}
        self._given: Mapping[str, object] = given

    def refuse(self, key: str, rule: str, expected: str) -> None:
        path = ".".join(part for part in (self.at, key) if part)
        self.findings.append(Finding(f"{self.file}: {path}" if path else self.file, f"map.{rule}", expected))

    def has(self, key: str) -> bool:
        return key in self._given

    def take(self, key: str) -> object:
        """The value as it stands, or None; the key is thereby known."""
        self._read.add(key)
        return self._given.get(key)

    def text(self, key: str) -> str:
        """Text that must be there."""
        value = self.take(key)
        if isinstance(value, str) and value.strip():
            return value
        self.refuse(key, "text", "text that says something")
        return ""

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if self.has(key) else None

    def number(self, key: str) -> int | None:
        value = self.take(key)
        if value is None and not self.has(key):
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self.refuse(key, "number", "a whole number")
        return None

    def flag(self, key: str) -> bool:
        value = self.take(key)
        if isinstance(value, bool):
            return value
        if self.has(key):
            self.refuse(key, "flag", "true or false")
        return False

    def word(self, key: str, allowed: Iterable[str], default: str | None = None) -> str:
        words = [str(word) for word in allowed]
        value = self.take(key)
        if value is None and not self.has(key) and default is not None:
            return default
        if isinstance(value, str) and value in words:
            return value
        self.refuse(key, "word", "one of: " + ", ".join(words))
        return default or (words[0] if words else "")

    def list(self, key: str) -> tuple[object, ...]:
        value = self.take(key)
        if isinstance(value, list):
            return tuple(value)
        if self.has(key):
            self.refuse(key, "list", "a list")
        return ()

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.list(key)
        texts = tuple(value for value in values if isinstance(value, str))
        if len(texts) != len(values) or len(set(texts)) != len(texts):
            self.refuse(key, "list", "a list of different words")
        return texts

    def words(self, key: str, allowed: type[Word]) -> frozenset[Word]:
        known = {word.value: word for word in allowed}
        texts = self.texts(key)
        if not set(texts) <= set(known):
            self.refuse(key, "word", "only: " + ", ".join(known))
        return frozenset(known[text] for text in texts if text in known)

    def form(self, key: str) -> Form:
        """The mapping at a key that must be there."""
        return Form(self.file, f"{self.at}.{key}" if self.at else key, self.take(key), self.findings)

    def forms(self, key: str) -> Iterator[tuple[str, Form]]:
        """The named mappings at a key that may be left out."""
        if self.has(key):
            inner = self.form(key)
            for name in inner.names():
                yield name, inner.form(name)

    def names(self) -> tuple[str, ...]:
        return tuple(self._given)

    def close(self) -> None:
        """Refuse whatever nobody asked for."""
        for key in self._given:
            if key not in self._read:
                self.refuse(key, "unknown-key", "only: " + ", ".join(sorted(self._read)))
