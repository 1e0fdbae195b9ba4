"""Understands what each leaf of a record tells about the person: as declared, raised by its content.

The declared labels are a floor. A code, or a word in any text, may raise them; nothing lowers them.
What is raised anywhere in a list element holds for the whole element: a diagnosis is not harmless
because its date is. It must not know policy, consents or recipients.
"""

from __future__ import annotations

from consent.code_lists import CodeLists, load_codes
from consent.freetext import Strength, readable, scan_all
from consent.language import is_prose
from hub.message import Category, Item, Labelled, Leaf, Record

__all__ = ["CodeLists", "label", "load_codes"]

_NOTHING: frozenset[Category] = frozenset()
_SUBSTANCE = frozenset({Category.SUBSTANCE_USE})
_UNKNOWN = frozenset({Category.UNKNOWN})


def label(record: Record, leaves: tuple[Leaf, ...], codes: CodeLists) -> Labelled:
    """Every leaf as an item of the decision. A leaf that declares nothing is unknown."""
    raised = _from_text(leaves)
    for leaf in leaves:
        if leaf.code_system is not None:
            raised[leaf.path] = raised.get(leaf.path, _NOTHING) | codes.categories(
                leaf.code_system, str(leaf.value)
            )
    around: dict[str, frozenset[Category]] = {}
    for leaf in leaves:
        if more := raised.get(leaf.path):
            for part in _parts(leaf):
                around[part] = around.get(part, _NOTHING) | more
    return Labelled(record, tuple(_item(leaf, raised, around) for leaf in leaves))


def _item(leaf: Leaf, raised: dict[str, frozenset[Category]], around: dict[str, frozenset[Category]]) -> Item:
    categories = leaf.labels | raised.get(leaf.path, _NOTHING)
    if around:
        for end in _ends(leaf.path):
            categories |= around.get(leaf.path[:end], _NOTHING)
    return Item(leaf.path, leaf.labels, categories or _UNKNOWN, _is_free_text(leaf))


def _is_free_text(leaf: Leaf) -> bool:
    """What says something in words is free text, also in a field that is meant for a name."""
    return leaf.free_text or (
        isinstance(leaf.value, str) and leaf.code_system is None and is_prose(leaf.value)
    )


def _from_text(leaves: tuple[Leaf, ...]) -> dict[str, frozenset[Category]]:
    """What the words of each leaf raise. Every string counts as text, codes and names too."""
    texts = [leaf for leaf in leaves if isinstance(leaf.value, str)]
    raised: dict[str, frozenset[Category]] = {}
    for leaf, hits in zip(texts, scan_all([leaf.value for leaf in texts]), strict=True):
        if any(hit.strength is not Strength.WEAK for hit in hits):
            raised[leaf.path] = _SUBSTANCE
        elif hits:
            raised[leaf.path] = _UNKNOWN
        if not readable(leaf.value, prose=leaf.free_text):
            raised[leaf.path] = raised.get(leaf.path, _NOTHING) | _UNKNOWN
    return raised


def _parts(leaf: Leaf) -> list[str]:
    """The list elements around the leaf; around a code also its group, which holds its words."""
    parts = [leaf.path[:end] for end in _ends(leaf.path) if leaf.path[end - 1] == "]"]
    if leaf.code_system is not None and "." in leaf.path:
        parts.append(leaf.path.rpartition(".")[0])
    return parts


def _ends(path: str) -> list[int]:
    """Where the groups and list elements around a path end."""
    return [i for i, sign in enumerate(path) if sign == "." and i] + [
        i + 1 for i, sign in enumerate(path) if sign == "]"
    ]
