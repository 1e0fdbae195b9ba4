"""What words tell is withheld under every other name that it has: the code beside them, a number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from consent.labels import label, load_codes
from hub.message import Category, Item, Leaf, Record
from mappings.fields import Kind
from mappings.types import load_types

TYPES = load_types()
CODE_LISTS = load_codes()
S = Category.SUBSTANCE_USE
TELLING = "Ruspoliklinikken"


def items(type_: str, values: dict[str, str]) -> dict[str, Item]:
    """What a record with these values at these places is labelled as; a list has one element."""
    spec = TYPES[type_]
    fields: dict[str, Any] = {}
    for path, value in values.items():
        here: Any = fields
        names = path.split(".")
        for depth, name in enumerate(names, 1):
            last, many = depth == len(names), spec.by_path[".".join(names[:depth])].many
            held = here.setdefault(name, [value if last else {}] if many else value if last else {})
            here = held[0] if many else held
    record = Record(type_, fields)
    return {item.path: item for item in label(record, spec.leaves(record), CODE_LISTS).items}


def pairs() -> Iterator[tuple[str, str, str]]:
    """Every field of every type with words for it, by what their names say: type, field, words."""
    for type_, spec in TYPES.items():
        texts = {path for path, field in spec.by_path.items() if field.kind is not Kind.GROUP}
        for path in sorted(texts):
            group, _, name = path.rpartition(".")
            beside = {f"{path}_tekst"}
            if name == "kode" and group:
                beside |= {f"{group}.tekst", f"{group}.annet"}
            if name in ("her", "resh", "orgnr") or name.startswith(("enhet_", "avdeling_", "behandler_")):
                beside.add(f"{group}.enhet")
            if name.startswith(("avdeling_", "behandler_")):
                beside.add(f"{group}.avdeling")
            if name.startswith("behandler_"):
                beside.add(f"{group}.behandler")
            if group.endswith(".numre"):
                beside.add(f"{group.removesuffix('.numre')}.navn")
            yield from ((type_, path, words) for words in sorted(beside & texts))


PAIRS = list(pairs())


def test_there_are_many_such_fields() -> None:
    assert len(PAIRS) > 400
    assert {("epikrise", "utskrevet_til", "utskrevet_til_tekst")} <= set(PAIRS)
    assert {("dialogmelding", "avsender.avdeling_her", "avsender.avdeling")} <= set(PAIRS)


@pytest.mark.parametrize("type_", sorted({type_ for type_, _, _ in PAIRS}))
def test_whatever_words_tell_is_told_by_what_stands_for_them(type_: str) -> None:
    missed = []
    for _, path, words in (pair for pair in PAIRS if pair[0] == type_):
        got = items(type_, {path: "4711", words: TELLING})
        told = {item.categories for at, item in got.items() if _plain(at) == path}
        if not all(S in categories for categories in told) or not told:
            missed.append((path, words))
    assert missed == []


def _plain(path: str) -> str:
    return path.replace("[0]", "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("enhet", {"enhet", "her", "enhet_orgnr", "avdeling_her", "behandler_hpr"}),
        ("avdeling", {"avdeling", "avdeling_her", "behandler_hpr"}),
        ("behandler", {"behandler", "behandler_hpr"}),
    ],
)
def test_a_telling_name_takes_its_own_numbers_and_those_inside_it(words: str, told: set[str]) -> None:
    values = {
        **dict.fromkeys(("enhet", "avdeling", "behandler"), "Nordli"),
        **dict.fromkeys(("her", "enhet_orgnr", "avdeling_her", "behandler_hpr"), "4711"),
        words: TELLING,
    }

    got = items("dialogmelding", {f"avsender.{name}": value for name, value in values.items()})

    assert {path.rpartition(".")[2] for path, item in got.items() if S in item.categories} == told


def test_a_number_waits_for_whoever_reads_the_name() -> None:
    got = items("dialogmelding", {"avsender.avdeling": "Bruk av rom", "avsender.avdeling_her": "4711"})
    doubted = items("dialogmelding", {"avsender.avdeling": "Blå Kors", "avsender.avdeling_her": "4711"})

    assert not got["avsender.avdeling_her"].doubt
    assert doubted["avsender.avdeling_her"].doubt


def test_what_words_tell_is_not_declared_of_a_code() -> None:
    leaves = (Leaf("a.kode", "5", frozenset()), Leaf("a.tekst", TELLING, frozenset()))

    first, _ = label(Record("t", {}), leaves, CODE_LISTS).items

    assert (first.declared, S in first.categories) == (frozenset(), True)
