from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import HubError
from mappings.strict_yaml import parse_yaml


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("a: NO", "yaml.ambiguous", 1),
        ("a: ON", "yaml.ambiguous", 1),
        ("a: yes", "yaml.ambiguous", 1),
        ("a: True", "yaml.ambiguous", 1),
        ("a: 012", "yaml.ambiguous", 1),
        ("a: 1:30", "yaml.ambiguous", 1),
        ("a: 1.5", "yaml.ambiguous", 1),
        ("a: 1e3", "yaml.ambiguous", 1),
        ("a: 0x1f", "yaml.ambiguous", 1),
        ("a: ~", "yaml.ambiguous", 1),
        ("a:", "yaml.ambiguous", 1),
        ("NO: 1", "yaml.ambiguous", 1),
        ("b: 1\na: [x, NO]", "yaml.ambiguous", 2),
        ("a: 1\na: 2", "yaml.duplicate", 2),
        ("a: {b: 1, b: 2}", "yaml.duplicate", 1),
        ("1: a", "yaml.key", 1),
        ("a: !!python/object:os.system x", "yaml.tag", 1),
        ("a: !secret x", "yaml.tag", 1),
        ("a: [", "yaml.malformed", 2),
        ("a: " + "[" * 4900 + "]" * 4900, "yaml.malformed", None),
        ("a: " + "[" * 60_000, "yaml.large", None),
        ("- " * 60_000, "yaml.large", None),
        ("a: " + "{" * 60_000, "yaml.large", None),
        ("? " * 60_000, "yaml.large", None),
        ("- a", "yaml.mapping", None),
        ("", "yaml.mapping", None),
    ],
)
def test_what_could_mean_something_else_is_refused_with_its_line(
    text: str, rule: str, line: int | None
) -> None:
    with pytest.raises(HubError) as refused:
        parse_yaml(text, "file.yaml")

    assert refused.value.code == "map.invalid"
    found = refused.value.findings[0]
    assert (found.at, found.rule, found.line) == ("file.yaml", rule, line)


def test_words_that_mean_what_they_say_are_read() -> None:
    read = parse_yaml('a: "NO"\nb: nei\nc: 2030-05-02\nd: 7\ne: true\nf: "012"\ng: null', "file.yaml")

    assert read == {"a": "NO", "b": "nei", "c": "2030-05-02", "d": 7, "e": True, "f": "012", "g": None}


@given(st.text(max_size=60))
def test_noise_is_read_or_refused_and_nothing_else(noise: str) -> None:
    with suppress(HubError):
        parse_yaml(noise, "file.yaml")
