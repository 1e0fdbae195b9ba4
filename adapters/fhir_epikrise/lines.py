"""Understands how the words of a resource become one line of a text, so that an answer stays with its
question.

What it is about comes first: `Hepatitt C: Positiv`, and every other part is said with what it is called:
`Blodtrykk: Høyt, kroppssted: Venstre arm`. It must not know any code or element of FHIR.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

_BETWEEN = re.compile(r"(?:[,;:|/]|\.)+(?=\s|$)|\s[|/](?=\s)")


@dataclass(slots=True)
class Words:
    """What says one thing, by one name or several. `free`: whether it is more than a code that is carried.
    `codes` are said behind it."""

    names: list[str]
    free: bool = True
    codes: list[str] = field(default_factory=list)

    def said(self) -> str:
        return " / ".join(_distinct(self.names)) + (f" ({', '.join(self.codes)})" if self.codes else "")

    def parts(self) -> Iterator[Words]:
        yield self


@dataclass(slots=True)
class Pointer:
    """What is referred to: by words of its own, or if `main` by what its target is about."""

    words: str | None
    main: bool = False
    target: Group | None = None

    def said(self) -> str:
        if self.words and (self.main or not self._is_there()):
            return self.words
        there = self.target.own() if self.main and self.target else []
        return there[0] if there else ""

    def parts(self) -> Iterator[Words]:
        yield Words([self.said()], free=bool(self.words) and not self._is_there())

    def _is_there(self) -> bool:
        return self.target is not None and self.target.has(self.words or "")


Part: TypeAlias = "Words | Pointer | Group"


def _unnamed(_: str) -> str:
    return ""


@dataclass(slots=True)
class Group:
    """What a resource, or an element in it, says: its parts in their order, each with its element. `family`:
    it is of one of the family. `label` is what an element is called in front of its words."""

    family: bool = False
    label: Callable[[str], str] = _unnamed
    _parts: list[tuple[str, Part]] = field(default_factory=list)
    _about: Words | None = None
    _own: tuple[list[str], frozenset[str]] | None = None

    def add(self, name: str, part: Part) -> None:
        if self._about is not None and not self._parts:
            self._parts.append(("", self._about))
        self._parts.append((name, part))
        self._own = None

    def begin(self, about: Words) -> None:
        """Put what it is about before what is said of it, if anything is."""
        self._about = about

    def parts(self) -> Iterator[Words]:
        """The words at any depth that say something."""
        for _, part in self._parts:
            yield from (one for one in part.parts() if one.said())

    def own(self) -> list[str]:
        """What it says itself, without what it refers to, and what it is about first."""
        return self._found_once()[0]

    def has(self, words: str) -> bool:
        """Whether these are among them."""
        return plain(words) in self._found_once()[1]

    def _found_once(self) -> tuple[list[str], frozenset[str]]:
        """Once for all that refer to it, when the groups in it are whole."""
        if self._own is None:
            said = [part.said() for _, part in self._parts if isinstance(part, Words)]
            said = said or [one for _, part in self._parts if isinstance(part, Group) for one in part.own()]
            self._own = said, frozenset(map(plain, said))
        return self._own

    def subject(self) -> tuple[str, str, Mapping[int, str]]:
        """What it is about, what that is called, and by their ids what the parts are called that are said of
        it."""
        name, subject, rest = self._split()
        return subject, self.label(name), {id(part): self.label(name) for name, part in rest}

    def paired(self) -> bool:
        """Whether one thing is said of another."""
        _, subject, rest = self._split()
        return bool(subject and rest) or any(isinstance(part, Group) and part.paired() for _, part in rest)

    def said(self) -> str:
        """The whole line, each part with what it is called."""
        return self._line(self.label, lambda part: part.said())

    def bare(self) -> str:
        """The line as it is without any names of its parts."""
        return self._line(_unnamed, lambda part: part.bare() if isinstance(part, Group) else part.said())

    def _line(self, label: Callable[[str], str], say: Callable[[Part], str]) -> str:
        name, subject, rest = self._split()
        if label is not _unnamed:  # answers, then groups, which begin with their own names, then the rest
            rest.sort(key=lambda one: 2 if label(one[0]) else int(isinstance(one[1], Group)))
        between = "; " if _nested(rest) else ", "
        said = [(of, _closed(part, say(part)) if len(rest) > 1 else say(part)) for of, part in rest]
        once = {(label(of) or of, plain(one)): _called(label(of), one) for of, one in said}
        after = between if label(name) else ": "
        return after.join(one for one in (_called(label(name), subject), between.join(once.values())) if one)

    def nested(self) -> bool:
        """Whether there are semicolons between its parts."""
        return _nested(self._split()[2])

    def _split(self) -> tuple[str, str, list[tuple[str, Part]]]:
        """The element of what it is about, that, and the other parts that say something, each with its
        element."""
        saying = [(name, part) for name, part in self._parts if part.said()]
        if not saying or isinstance(saying[0][1], Group):
            return "", "", saying
        first = saying[0][0]
        about = [part.said() for name, part in saying if name == first]
        return first, ", ".join(_distinct(about)), [(name, part) for name, part in saying if name != first]


def _nested(parts: list[tuple[str, Part]]) -> bool:
    return any(isinstance(part, Group) and len(list(part.parts())) > 1 for _, part in parts)


def _closed(part: Part, said: str) -> str:
    """In brackets, where what stands behind it would be taken for one of its own parts."""
    return f"({said})" if isinstance(part, Group) and part.nested() else said


def _called(name: str, said: str) -> str:
    return f"{name}: {said}" if name and said else said


def plain(line: str) -> str:
    """What two lines that say the same have in common."""
    return " ".join(_BETWEEN.sub(" ", line.casefold()).split())


def _distinct(said: list[str]) -> list[str]:
    return list({plain(one): one for one in reversed(said)}.values())[::-1]
