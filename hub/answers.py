"""Understands what persons at the desk said about the held leaves of one message to one recipient, and
what of it counts now.

    seen       somebody was shown the leaf
    release    it may go, as far as the decision lets it: a reader never overrules a consent
    refuse     it does not go
    return     it goes back to who wrote it

An answer that releases a leaf in which the hub found something, and one that sets an objection aside, waits
for a second person. Every answer is bound to the exact content it was given about. Pure: the same lines give
the same result. It must not know how anything is stored or sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from consent.freetext import scan
from hub.message import Category, Decision, Item, ItemDecision, Labelled, Override, Reading, Verdict, walk
from hub.shapes import Route


class Word(StrEnum):
    """What was done with one leaf."""

    SEEN = "seen"
    RELEASE = "release"
    REFUSE = "refuse"
    RETURN = "return"


class Act(StrEnum):
    """What one line records."""

    READ = "read"
    ANSWER = "answer"
    OVERRIDE = "override"
    CONFIRM = "confirm"


@dataclass(frozen=True)
class OnLeaf:
    """One leaf in one line. `found` is what the reader says it tells about, beyond its declaration;
    `doubtful` that the hub found something in it; `digest` binds to the content."""

    digest: str
    word: Word
    found: frozenset[Category] = frozenset()
    doubtful: bool = False


@dataclass(frozen=True)
class Entry:
    """One line. `reader` is the login name of who did it; `told` whether the sender is told of a return;
    `ground` and `role` belong to an override; `whole` binds it to everything that is decided on."""

    id: int
    act: Act
    reader: str
    at: datetime
    reason: str = ""
    leaves: Mapping[str, OnLeaf] = field(default_factory=dict)
    confirms: int | None = None
    told: bool = False
    ground: str = ""
    role: str = ""
    whole: str = ""

    @property
    def takes_two(self) -> bool:
        """Whether nothing moves before a second person has confirmed it."""
        return self.act is Act.OVERRIDE or any(
            leaf.word is Word.RELEASE and leaf.doubtful for leaf in self.leaves.values()
        )


@dataclass(frozen=True)
class Book:
    """What stands after all lines: the last answer on each leaf with who gave it, an override, what waits
    for a second person, and what each reader saw last (reader and path to digest)."""

    leaves: Mapping[str, tuple[OnLeaf, tuple[str, ...]]]
    override: tuple[Override, str] | None
    proposed: Entry | None
    seen: Mapping[tuple[str, str], str]
    told: frozenset[str] = frozenset()
    """Paths of what was returned to a sender who is told so."""

    def has_read(self, reader: str, digests: Mapping[str, str]) -> bool:
        """Whether this reader was shown all of these leaves as they are."""
        return bool(digests) and all(self.seen.get((reader, path)) == d for path, d in digests.items())


def add_up(entries: Iterable[Entry]) -> Book:
    """The book of these lines, in their order. A confirmation counts only for what is proposed just then,
    and only from somebody else than who proposed it."""
    leaves: dict[str, tuple[OnLeaf, tuple[str, ...]]] = {}
    override: tuple[Override, str] | None = None
    proposed: Entry | None = None
    seen: dict[tuple[str, str], str] = {}
    told: set[str] = set()
    readers: tuple[str, ...]
    for entry in entries:
        if entry.act is Act.READ:
            seen |= {(entry.reader, path): leaf.digest for path, leaf in entry.leaves.items()}
            continue
        if entry.act is Act.CONFIRM:
            if proposed is None or entry.confirms != proposed.id or entry.reader == proposed.reader:
                continue
            now, readers, proposed = proposed, (proposed.reader, entry.reader), None
        elif entry.takes_two:
            proposed = entry
            continue
        else:
            now, readers, proposed = entry, (entry.reader,), None
        if now.act is Act.OVERRIDE:
            override = Override(now.ground, now.role, readers), now.whole
        leaves |= {path: (leaf, readers) for path, leaf in now.leaves.items()}
        told -= now.leaves.keys()
        told |= now.leaves.keys() if now.told else set()
    return Book(leaves, override, proposed, seen, frozenset(told))


@dataclass(frozen=True)
class Counts:
    """What of a book counts for the content as it is now."""

    readings: Mapping[str, Reading] = field(default_factory=dict)
    denied: Mapping[str, str] = field(default_factory=dict)
    override: Override | None = None

    def narrowed(self, decision: Decision) -> Decision:
        """The decision with every held leaf denied that a reader said no to. A no never permits."""
        return replace(decision, items=tuple(self._item(item) for item in decision.items))

    def _item(self, item: ItemDecision) -> ItemDecision:
        code = self.denied.get(item.path)
        if code is None or item.verdict is Verdict.DENY:
            return item
        return replace(item, verdict=Verdict.DENY, reason=code, consents=())


NOTHING = Counts()
STRENGTHS = ("S", "M", "W")
"""Of the hits that mean something by themselves."""
_UNBROKEN = re.compile(r"\S{120}")
_NO = {Word.REFUSE: "decide.reader-refused", Word.RETURN: "decide.returned"}


def counting(book: Book, content: Content) -> Counts:
    """What counts: an answer about content that has changed since does not."""
    standing = {
        path: (leaf, by)
        for path, (leaf, by) in book.leaves.items()
        if content.digests.get(path) == leaf.digest
    }
    override = book.override[0] if book.override and book.override[1] == content.whole else None
    return Counts(
        {
            path: Reading(leaf.found | content.around.get(path, frozenset()), by)
            for path, (leaf, by) in standing.items()
            if leaf.word is Word.RELEASE
        },
        {path: _NO[leaf.word] for path, (leaf, _) in standing.items() if leaf.word in _NO},
        override,
    )


@dataclass(frozen=True)
class Content:
    """What answers are bound to: a keyed digest of each leaf that the agreement carries, and of all of
    them. `around` is what a leaf tells because of what stands beside it, which no reading of the leaf
    can take away."""

    digests: Mapping[str, str]
    whole: str
    around: Mapping[str, frozenset[Category]]


def content_of(
    keyed: Callable[[str], str], route: Route, labelled: Labelled, linked: Collection[str] = ()
) -> Content:
    """The content that would go by this route. `keyed` is a keyed hash: nothing can be read from it.

    The whole is also of the records that may be about the person, where they are more than one: whoever set
    an objection aside knew of those of these, and of nobody else's. A leaf says the same about anybody."""
    values = dict(walk(labelled.record.fields))
    agreement = route.agreement
    way = [agreement.id, agreement.version, route.sender.org, route.recipient.org, labelled.record.type]
    digests: dict[str, str] = {}
    around: dict[str, frozenset[Category]] = {}
    for item in labelled.items:
        if item.field in agreement.carries:
            hits = findings(values.get(item.path))
            digests[item.path] = keyed(json.dumps([*way, *_telling(item, values.get(item.path), hits)]))
            around[item.path] = _beside(item, bool(hits))
    about = [sorted(linked)] if len(linked) > 1 else []
    return Content(digests, keyed(json.dumps([*way, sorted(digests.items()), *about])), around)


def findings(value: Any) -> list[tuple[str, str, int, int]]:
    """What the scanner finds in a value: term, strength, and where in the text as it is read."""
    if not isinstance(value, str):
        return []
    hits = ((hit.term_id, hit.strength.value, hit.start, hit.end) for hit in scan(value))
    return [hit for hit in hits if hit[1] in STRENGTHS]


def is_legible(value: Any) -> bool:
    """A person can read it. What is written for machines (base64, a dump) cannot be cleared by looking."""
    return not isinstance(value, str) or _UNBROKEN.search(value) is None


def is_doubtful(item: Item, hits: Sequence[object]) -> bool:
    """The hub found something in the leaf that its declaration does not say."""
    return bool(hits) or bool(item.categories - item.declared)


def _telling(item: Item, value: Any, hits: Sequence[object]) -> list[Any]:
    persons = sorted(item.persons)
    return [item.path, value, sorted(item.declared), sorted(item.categories), item.free_text, persons, hits]


def _beside(item: Item, hit: bool) -> frozenset[Category]:
    own = {Category.UNKNOWN, Category.SUBSTANCE_USE} if hit else {Category.UNKNOWN}
    return item.categories - item.declared - own


def as_line(entry: Entry) -> dict[str, Any]:
    """An entry as it is kept; its id and time stand beside it."""
    said = asdict(entry)
    del said["id"], said["at"]
    said["leaves"] = {
        path: {**asdict(leaf), "found": sorted(leaf.found)} for path, leaf in entry.leaves.items()
    }
    return said


def as_entry(id_: int, at: datetime, said: Mapping[str, Any]) -> Entry:
    """The other way. Raises KeyError, TypeError or ValueError for what this module never wrote."""
    leaves = {
        path: OnLeaf(
            leaf["digest"],
            Word(leaf["word"]),
            frozenset(Category(name) for name in leaf["found"]),
            leaf["doubtful"],
        )
        for path, leaf in said["leaves"].items()
    }
    return Entry(id_, at=at, **{**said, "act": Act(said["act"]), "leaves": leaves})
