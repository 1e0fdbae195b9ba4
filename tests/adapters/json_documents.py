"""Understands how to make wire documents from a JSON profile: whatever its table allows."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from adapters.digisos import KONTO, OURS, VERSION
from adapters.json_profile import Fixed, Group, Items, Kind, Leaf, Needs, Node, Only
from tests.adapters import records

_WHOLE = st.integers(-(10**9), 10**9)
_NUMBER = st.one_of(_WHOLE, st.integers(-(10**7), 10**7).map(lambda cents: cents / 100))
_MOMENT = st.builds(
    "{}T{:02d}:00:00.{}Z".format, records.days, st.integers(0, 23), st.integers(0, 999_999_999)
)
_TEXT = st.one_of(records.lines, records.lines, st.just(""))


def _shaped(leaf: Leaf) -> st.SearchStrategy[Any]:
    if leaf is VERSION:
        return st.sampled_from(["1.0.0", "1231.1110.220", "1.0.0+3172aa0b", "2.1.3-beta+7"])
    if leaf is KONTO:
        return st.just("12345678903")
    assert leaf.shape is not None
    return st.from_regex(leaf.shape, fullmatch=True).filter(lambda text: text.isascii())


def _leaf(leaf: Leaf) -> st.SearchStrategy[Any]:
    match leaf.kind:
        case Kind.FLAG | Kind.GRADED:
            return st.booleans()
        case Kind.WHOLE:
            return _WHOLE
        case Kind.NUMBER:
            return _NUMBER
        case Kind.DATE:
            return records.days
        case Kind.MOMENT:
            return _MOMENT
        case Kind.CODE:
            return st.sampled_from(leaf.only)
    return _TEXT if leaf.shape is None else _shaped(leaf)


def documents(node: Node) -> st.SearchStrategy[Any]:
    """Documents that the profile allows, without the hub's own key."""
    match node:
        case Leaf():
            return _leaf(node)
        case Fixed():
            return st.just(node.text)
        case Items():
            return st.lists(documents(node.node), min_size=node.least, max_size=2)
        case Group() if node.variants:
            kinds = [_group(node, kind) for kind in node.variants]
            return st.one_of(*kinds)
    return _group(node, None)


def _group(group: Group, kind: str | None) -> st.SearchStrategy[Any]:
    parts = [part for part in group.of({"type": kind}) if part.key != OURS]
    made = {part.key: documents(part.node) for part in parts}
    if kind is not None:
        made["type"] = st.just(kind)
    must = {part.key for part in parts if part.required}
    shape = st.fixed_dictionaries(
        {key: made[key] for key in made if key in must},
        optional={key: made[key] for key in made if key not in must},
    )
    return shape.map(lambda given: _repaired(group, given))


def _repaired(group: Group, given: dict[str, Any]) -> dict[str, Any]:
    """The same with the rules of the group kept."""
    for rule in group.rules:
        if isinstance(rule, Only) and rule.key in given:
            here: Any = given
            for name in rule.other.split("."):
                here = here.get(name) if isinstance(here, dict) else None
            if here is not None and here not in rule.values:
                del given[rule.key]
    for rule in group.rules:
        if not isinstance(rule, Needs) or rule.key not in given or rule.other in given:
            continue
        if not rule.values or given[rule.key] in rule.values:
            part = next(part for part in group.parts if part.key == rule.other)
            single = {"kilde": "system", "status": "ugift"}
            given[rule.other] = single if rule.other == "sivilstatus" else part.node.blank()
    return given
