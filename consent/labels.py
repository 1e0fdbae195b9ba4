"""Understands what each leaf of a record tells about the person: as declared, raised by its content.

The declared labels are a floor. A code, or a word in any text, may raise them; nothing lowers them.
What a code says of everything around it is part of that floor: who reads a remark can say that its
words are harmless, not that the diagnosis beside it is.
What is raised anywhere in a list element holds for the whole element: a diagnosis is not harmless
because its date is. A file tells what can be read in it; one that cannot be read whole is unknown. Where
the content makes one doubt without telling, the leaf is treated as free text: health services get it,
everybody else only after a person has read it. It must not know policy, consents or recipients.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator

from consent.attachments import hidden_texts, text_of
from consent.code_lists import CodeLists, load_codes, spellings, system_name
from consent.combinations import Effect, combinations
from consent.freetext import Strength, readable, scan_all, speaks_of_use
from consent.language import is_prose
from hub.message import Agency, Category, Item, Labelled, Leaf, Record

__all__ = ["CodeLists", "label", "load_codes"]

_NOTHING: frozenset[Category] = frozenset()
_SUBSTANCE = frozenset({Category.SUBSTANCE_USE})
_UNKNOWN = frozenset({Category.UNKNOWN})
_LABORATORY = re.compile(r"(?i)(?:NPU|NOR) ?[0-9]{5}")


def label(
    record: Record, leaves: tuple[Leaf, ...], codes: CodeLists, sender: Agency | None = None
) -> Labelled:
    """Every leaf as an item of the decision. A leaf that declares nothing is unknown.

    `sender` decides what a medicine with several uses tells: from a substance service, substance use.
    """
    found = _Found(leaves)
    found.read_texts(codes)
    found.read_codes(codes, in_context=False)
    found.combine(codes)
    if found.substance or (sender is not None and Category.SUBSTANCE_USE in sender.labels):
        found.read_codes(codes, in_context=True)
    return Labelled(record, found.items())


class _Found:
    """What the content of each leaf raises (`raised`), and which leaves leave a doubt."""

    def __init__(self, leaves: tuple[Leaf, ...]) -> None:
        self._leaves = leaves
        self._raised: dict[str, frozenset[Category]] = {}
        self._coded: dict[str, frozenset[Category]] = {}
        self._doubt: set[str] = set()
        self._signs: dict[str, frozenset[str]] = {}

    @property
    def substance(self) -> bool:
        return any(Category.SUBSTANCE_USE in leaf.labels for leaf in self._leaves) or any(
            Category.SUBSTANCE_USE in raised for raised in self._raised.values()
        )

    def _raise(self, path: str, categories: frozenset[Category]) -> None:
        self._raised[path] = self._raised.get(path, _NOTHING) | categories

    def _sign(self, path: str, signs: frozenset[str]) -> None:
        self._signs[path] = self._signs.get(path, frozenset()) | signs

    def read_texts(self, codes: CodeLists) -> None:
        """What the words of each leaf raise. Every string counts as text, codes and names too, and so
        does what is packed inside it."""
        texts: list[tuple[Leaf, str]] = []
        for leaf in self._leaves:
            if leaf.file is not None:
                inside = _inside(leaf)
                if inside is None:
                    self._raise(leaf.path, _UNKNOWN)
                else:
                    texts.extend((leaf, text) for text in inside)
            elif isinstance(leaf.value, str):
                texts.append((leaf, leaf.value))
                packed = hidden_texts(leaf.value, prose=leaf.free_text)
                if packed is None:
                    self._raise(leaf.path, _UNKNOWN)
                else:
                    texts.extend((leaf, text) for text in packed)
        for (leaf, text), hits in zip(texts, scan_all([text for _, text in texts]), strict=True):
            clues = (hit.term_id for hit in hits if hit.strength is Strength.CLUE)
            self._sign(leaf.path, frozenset(clues))
            hits = tuple(hit for hit in hits if hit.strength is not Strength.CLUE)
            tests = (code.replace(" ", "").upper() for code in _LABORATORY.findall(text))
            if speaks_of_use(text, hits) or any(map(codes.names_substance, tests)):
                self._raise(leaf.path, _SUBSTANCE)
            elif hits:
                self._doubt.add(leaf.path)
            if not readable(text, prose=leaf.free_text):
                self._raise(leaf.path, _UNKNOWN)

    def read_codes(self, codes: CodeLists, *, in_context: bool) -> None:
        for leaf in self._leaves:
            if leaf.code_system is not None:
                told = codes.categories(leaf.code_system, str(leaf.value), in_context=in_context)
                self._raise(leaf.path, told)
                self._coded[leaf.path] = told - _UNKNOWN

    def combine(self, codes: CodeLists) -> None:
        """Signs that are harmless alone, in words and codes, wherever they stand in the message."""
        known = combinations()
        for leaf in self._leaves:
            if leaf.code_system is not None:
                name = codes.aliases.get(system_name(leaf.code_system))
                spelt = spellings(str(leaf.value))
                signs = (
                    sign.id
                    for sign in known.signs
                    for system, start in sign.codes
                    if system == name and any(one.startswith(start) for one in spelt)
                )
                self._sign(leaf.path, frozenset(signs))
        parts = {leaf.path: leaf.element or leaf.path for leaf in self._leaves}
        for path, effect in known.given_away(self._signs, parts).items():
            if effect is Effect.RAISE:
                self._raise(path, _SUBSTANCE)
            else:
                self._doubt.add(path)

    def items(self) -> tuple[Item, ...]:
        around: dict[str, frozenset[Category]] = {}
        floor: dict[str, frozenset[Category]] = {}
        doubted: set[str] = set()
        for leaf in self._leaves:
            if told := self._coded.get(leaf.path):
                for part in _parts(leaf):
                    floor[part] = floor.get(part, _NOTHING) | told
            if more := self._raised.get(leaf.path):
                for part in _parts(leaf):
                    around[part] = around.get(part, _NOTHING) | more
            if leaf.path in self._doubt:
                doubted.update(_parts(leaf))
        return tuple(self._item(leaf, floor, around, doubted) for leaf in self._leaves)

    def _item(
        self,
        leaf: Leaf,
        floor: dict[str, frozenset[Category]],
        around: dict[str, frozenset[Category]],
        doubted: set[str],
    ) -> Item:
        parts = [leaf.path[:end] for end in _ends(leaf.path)]
        declared = leaf.labels.union(*(floor.get(part, _NOTHING) for part in parts))
        parts += _words_of(leaf.path)
        categories = declared.union(*(around.get(part, _NOTHING) for part in parts))
        # What already tells of substance use needs no doubt, and must not be read as less than that.
        doubt = Category.SUBSTANCE_USE not in categories and not doubted.isdisjoint(parts)
        return Item(leaf.path, declared, categories or _UNKNOWN, _is_free_text(leaf) or doubt, doubt=doubt)


def _inside(leaf: Leaf) -> tuple[str, ...] | None:
    """Every text of a file; None when no machine can say what is in it."""
    assert leaf.file is not None
    try:
        content = base64.b64decode(str(leaf.value), validate=True)
    except (binascii.Error, ValueError):
        return None
    inside = text_of(content, *leaf.file)
    return None if inside is None else inside[1:]  # its name is a leaf of its own


def _is_free_text(leaf: Leaf) -> bool:
    """What says something in words is free text, also in a field that is meant for a name."""
    return leaf.free_text or (
        isinstance(leaf.value, str) and leaf.code_system is None and is_prose(leaf.value)
    )


def _parts(leaf: Leaf) -> Iterable[str]:
    """The leaf and the list elements around it; around a code also its group, which holds its words."""
    parts = [leaf.path, *(leaf.path[:end] for end in _ends(leaf.path) if leaf.path[end - 1] == "]")]
    if leaf.code_system is not None:
        parts.append(leaf.path.rpartition(".")[0])
    return parts


_CODE = ("kode", "system", "tekst", "annet")
_UNITS = ("enhet", "avdeling", "behandler")
_OF_THE_UNIT = ("her", "resh", "orgnr")


def _words_of(path: str) -> Iterator[str]:
    """The words that a leaf says again, by the names that fields have in every type: a code
    what stands beside it in words, a number or a kind the name of whose it is and of the units around that.
    A register tells from the number what the name would have told, and a code alone that words were taken."""
    group, dot, name = path.rpartition(".")
    yield f"{path}_tekst"
    if not dot:
        return
    if name in _CODE:
        yield from (f"{group}.{one}" for one in _CODE)
    whose, _, more = name.partition("_")
    if name in _OF_THE_UNIT or (more and whose in _UNITS):
        around = 0 if name in _OF_THE_UNIT else _UNITS.index(whose)
        yield from (f"{group}.{unit}" for unit in _UNITS[: around + 1])
    above, numbers, _ = path.partition(".numre[")
    if numbers:
        steps = above.split(".")
        yield from (".".join((*steps[:end], "navn")) for end in range(1, len(steps) + 1))


def _ends(path: str) -> list[int]:
    """Where the groups and list elements around a path end, and the path itself."""
    return [i for i, sign in enumerate(path) if sign == "."] + [len(path)]
