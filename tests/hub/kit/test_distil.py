"""Understands that small examples are read and together hold every place of the one they come from."""

from __future__ import annotations

import json

import pytest
from lxml import etree

from hub.kit.asked import asked
from hub.kit.case import Case
from hub.kit.checked import cases, loaded
from hub.kit.distil import PLACES, distilled
from hub.message import Record

HUB = loaded()
TREES = ["brik-xml", "kith-dialog-1.1", "fhir-brik", "fhir-brik-xml", "digisos-soker"]


def is_read(case: Case, body: bytes) -> bool:
    return isinstance(asked(case.adapter.parse, body), Record)


def places(body: bytes) -> set[tuple[str, ...]]:
    if body.lstrip().startswith(b"<"):
        return set(_elements(etree.fromstring(body), ()))
    return set(_values(json.loads(body), ()))


def _elements(element: etree._Element, above: tuple[str, ...]) -> list[tuple[str, ...]]:
    here = (*above, str(element.tag))
    return [here, *(place for child in element.iterchildren("*") for place in _elements(child, here))]


def _values(node: object, above: tuple[str, ...]) -> list[tuple[str, ...]]:
    if isinstance(node, dict):
        below = [((*above, key), value) for key, value in node.items()]
    else:
        below = [((*above, "*"), value) for value in node] if isinstance(node, list) else []
    return [place for here, value in below for place in (here, *_values(value, here))]


@pytest.mark.parametrize("name", TREES)
def test_small_examples_are_read_and_hold_every_place_together(name: str) -> None:
    case = next(cases(name, HUB))
    for body in case.bodies.values():
        small = distilled(body, lambda other: is_read(case, other))

        assert all(is_read(case, one) for one in small)
        assert set().union(*map(places, small)) == places(body)
        assert all(len(places(one)) < len(places(body)) for one in small) or len(places(body)) <= PLACES


@pytest.mark.parametrize(
    ("body", "demanded"),
    [
        (b"<a><b/><c><d>1</d></c><b/></a>", b"<d>"),
        (b'{"b": [1, {"x": 1}, 2], "c": {"d": 1}, "e": null}', b'"d"'),
    ],
)
def test_what_the_format_demands_stays_in_every_one(body: bytes, demanded: bytes) -> None:
    many = body.replace(b"<b/></a>", b"".join(b"<e%d/>" % n for n in range(40)) + b"</a>")
    many = many.replace(b'"e": null', b",".join(b'"e%d": null' % n for n in range(40)))

    small = distilled(many, lambda other: demanded in other)

    assert len(small) > 2
    assert all(demanded in one for one in small)
    assert set().union(*map(places, small)) == places(many)


def test_an_item_that_must_stay_keeps_its_place_while_those_behind_it_go() -> None:
    body = json.dumps({"list": [{"a": 1}, {"must": 2}, {"a": 3}, {"a": 4}]}).encode()

    (small,) = distilled(body, lambda other: b"must" in other)

    assert json.loads(small) == {"list": [{"a": 1}, {"must": 2}]}


@pytest.mark.parametrize("body", [b"PK\x03\x04", b"no tree", b"<a/>", b'{"a": 1}'])
def test_what_is_no_tree_or_is_not_read_stays_as_it_is(body: bytes) -> None:
    assert distilled(body, lambda other: not body.startswith((b"<", b"{"))) == (body,)
