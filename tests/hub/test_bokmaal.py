"""Understands that whatever is told of a fault is told in bokmål, as much as in English."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from adapters.base import Adapter
from adapters.fiks.package import read_package, write_package
from hub.bokmaal import FILE, in_bokmaal
from hub.errors import Finding, HubError
from hub.kit import homes, noise
from hub.kit.asked import asked
from hub.kit.checked import loaded
from hub.kit.corpus import recognised
from hub.kit.values import sample
from hub.message import Record
from tests.adapters.test_bad_corpora import DOCUMENTS, told
from tests.hub import expectations

HUB = loaded()
NAMES = sorted(adapter.name for adapter in HUB.registry.adapters)
INPUTS = 80
"""For each format; all of them together take some seconds."""

PUT_TOGETHER = {
    "a code that the README lists, 1 our own word": (
        "a code that the README lists, as wide as our own word",
        "a code that the README lists, part of our own word",
    ),
    "1, 1 to 1 characters1": (
        "text, 1 to 1 characters that matches 1",
        "one line of text, 1 to 1 characters",
        "one line of text, 1 to 1 characters that matches 1",
    ),
    "a whole number11": ("a whole number to 1", "a whole number from 1 to 1"),
}
"""Where words stand in a hole instead of names: what becomes of it."""


@cache
def examples() -> dict[str, list[bytes]]:
    """By format: its own examples, or for one that has none those of the same type written in it, or for a
    type without any one that is made up."""
    plain = {a.name: a for a in HUB.registry.adapters if a.name == f"json:{a.type}"}
    own: dict[str, list[bytes]] = {}
    records: dict[str, list[Record]] = {}
    for home in homes.ours(plain):
        for file in home.examples:
            body = file.read_bytes()
            if isinstance(adapter := asked(recognised, HUB, body), Adapter):
                own.setdefault(adapter.name, []).append(body)
                if isinstance(record := asked(adapter.parse, body), Record):
                    records.setdefault(adapter.type, []).append(record)
    for adapter in HUB.registry.adapters:
        if adapter.name not in own:
            made = records.get(adapter.type) or [sample(HUB.types[adapter.type])]
            written = (asked(adapter.render, record) for record in made)
            own[adapter.name] = [body for body in written if isinstance(body, bytes)]
    return own


@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_wrong_with_a_message_is_told_in_bokmaal(name: str) -> None:
    adapter = HUB.registry.by_name(name)
    seeds = noise.seeds(examples()[name])
    found = {finding for number in range(INPUTS) for finding in _told(adapter, _spoiled(number, seeds))}

    assert len(found) > 20
    assert {(one.rule, one.expected) for one in found if not _says_it(one)} == set()


def _spoiled(number: int, seeds: Sequence[noise.Seed]) -> bytes:
    """Of a package every other time one of its files, in a package that is sound."""
    one = seeds[number % len(seeds)]
    if number % 2 or one.kind != "bytes":
        return noise.spoiled("bokmål", number, seeds)
    files = dict(read_package(one.body))
    name = sorted(files)[number // 2 % len(files)]
    files[name] = noise.spoiled("bokmål", number, noise.seeds([files[name]]))
    return write_package(files)


def _told(adapter: Adapter, body: bytes) -> tuple[Finding, ...]:
    match asked(adapter.parse, body):
        case HubError() as refused:
            return refused.findings
        case record:
            found = HUB.types[adapter.type].check(record.fields)
            return tuple(adapter.locate(body, found)) if adapter.locate else found


def _says_it(finding: Finding) -> bool:
    """A text of its own, not that of the rule alone, with every number of the English one."""
    nb = finding.nb or in_bokmaal(finding.expected)
    return nb is not None and _numbers(nb) == _numbers(finding.expected)


def _numbers(text: str) -> list[str]:
    return sorted(re.findall(r"\d+", text))


@pytest.mark.parametrize(("folder", "name"), DOCUMENTS, ids=lambda part: getattr(part, "name", part))
def test_so_is_what_is_wrong_with_a_broken_document(folder: Path, name: str) -> None:
    _, found = told(folder, name)

    assert found
    assert [one for one in found if not _says_it(one)] == []


def test_so_is_whatever_the_source_says_that_it_expects() -> None:
    said = expectations.literals()
    sentences = [whole for text in said for whole in PUT_TOGETHER.get(text, (text,))]

    assert len(said) > 400
    assert [f"{text} ({said.get(text)})" for text in sentences if in_bokmaal(text) is None] == []
    assert PUT_TOGETHER.keys() - said.keys() == set()


def test_the_table_has_no_sentence_that_nobody_says() -> None:
    """The longest piece between two holes stands in a source or in a schema of ours."""
    everything = "\n".join((*expectations.texts(), *(one for all_ in PUT_TOGETHER.values() for one in all_)))

    assert [en for en, _ in _rows() if _longest(en) not in everything] == []


def test_each_row_has_its_sentence_once_and_the_same_holes_in_both_languages() -> None:
    rows = _rows()

    assert len({en for en, _ in rows}) == len(rows) > 400
    assert [en for en, nb in rows if _HOLE.findall(en) != _HOLE.findall(nb) or not nb.strip()] == []


_HOLE = re.compile(r"\{(?:n|any|say)?\}")


def _longest(english: str) -> str:
    return max(_HOLE.split(english), key=len).strip()


def _rows() -> list[tuple[str, str]]:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return [(en, nb) for en, _, nb in (line.partition("\t") for line in lines if not line.startswith("#"))]


SAID = [
    ("one of ingen, noe, stort", "en av ingen, noe, stort"),
    ("one of working or snapshot", "en av working eller snapshot"),
    ("one of the encodings utf-8, us-ascii", "et av tegnsettene utf-8, us-ascii"),
    ("only id, navn; name number 3 is none of them", "bare id, navn; navn nummer 3 er ingen av dem"),
    (
        "one line of text, 1 to 4 characters that matches [A-Z]?[0-9]{1,3}",
        "én linje tekst, 1 til 4 tegn, på formen [A-Z]?[0-9]{1,3}",
    ),
    ("base64 of a file of 1 to 4000000 bytes", "base64 av en fil på 1 til 4000000 byte"),
    (
        "an entry of this Bundle: Patient or Organization",
        "en entry i denne Bundle: Patient eller Organization",
    ),
    ("a date, YYYY-MM-DD (input 33)", "en dato, ÅÅÅÅ-MM-DD (inndata 33)"),
    ("11 Svar", "11 Svar"),
    ("urn:oid:2.16.578.1.12.4.1.1.8451 360", "urn:oid:2.16.578.1.12.4.1.1.8451 360"),
    ("{urn:brobygger:brik:1}Kartlegging", "{urn:brobygger:brik:1}Kartlegging"),
    ("at least one beautiful thing", None),
    ("a sentence that nobody has written (input 3)", None),
    ("", None),
]


@pytest.mark.parametrize(("english", "nb"), SAID)
def test_names_and_numbers_go_over_and_english_words_do_not(english: str, nb: str | None) -> None:
    assert in_bokmaal(english) == nb
