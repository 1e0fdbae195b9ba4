"""Understands YAML in which nothing means something else than it says.

Plain YAML reads an unquoted NO as false, 012 as ten and 1:30 as ninety, and takes the last of two equal
keys. Here such words are refused, equal keys are refused, and an unquoted date stays the text it is.
Knows nothing of types or agreements.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from hub.errors import Finding, HubError

_TAG = "tag:yaml.org,2002:"

_MOST_OPENED = 10_000
"""Letters that begin a list or a mapping. libyaml's composer has no bound of depth: at
40,000 a stack of 8 MiB is full, and the process at its end."""
_WORDS: Mapping[str, object] = {"true": True, "false": False, "null": None}
_QUOTED = ("'", '"', "|", ">")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,15})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2}))?")
_TRAP = re.compile(
    r"(y|n|yes|no|on|off|true|false|null|~|)"  # the words in any case, and nothing at all
    r"|[-+]?[0-9][0-9_]*(:[0-9]{1,2})+(\.[0-9]*)?"  # sexagesimal
    r"|[-+]?(0[0-9box_][0-9a-f_]*|[0-9][0-9_]*\.?[0-9_]*(e[-+]?[0-9]+)?|\.[0-9]+)"  # other numbers
    r"|[-+]?\.(inf|nan)|=|<<",
    re.IGNORECASE,
)


class _Loader(yaml.CSafeLoader):
    """libyaml with a reading of plain words that has no surprises."""

    def __init__(self, text: str, file: str) -> None:
        super().__init__(text)
        self.file = file
        self.findings: list[Finding] = []

    def refuse(self, node: yaml.Node, rule: str, expected: str) -> None:
        mark = node.start_mark
        self.findings.append(Finding(self.file, rule, expected, mark.line + 1, mark.column + 1))


def _scalar(loader: _Loader, node: yaml.ScalarNode) -> object:
    text: str = node.value
    if node.style in _QUOTED:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.fullmatch(text):
        return int(text)
    if _TRAP.fullmatch(text) and not _DATE.fullmatch(text):
        loader.refuse(node, "yaml.ambiguous", "quotes, because unquoted this word means something else")
    return text


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, object]:
    read: dict[str, object] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        value = loader.construct_object(value_node, deep=True)
        if not isinstance(key, str):
            loader.refuse(key_node, "yaml.key", "a key that is text")
        elif key in read:
            loader.refuse(key_node, "yaml.duplicate", "each key once")
        else:
            read[key] = value
    return read


def _sequence(loader: _Loader, node: yaml.SequenceNode) -> list[object]:
    return [loader.construct_object(child, deep=True) for child in node.value]


def _other(loader: _Loader, node: yaml.Node) -> None:
    loader.refuse(node, "yaml.tag", "plain text, numbers, lists and mappings")


_Loader.yaml_implicit_resolvers = {}
_Loader.add_constructor(f"{_TAG}str", _scalar)
_Loader.add_constructor(f"{_TAG}map", _mapping)
_Loader.add_constructor(f"{_TAG}seq", _sequence)
_Loader.add_constructor(None, _other)


def read_yaml(file: Path) -> Mapping[str, Any]:
    """The mapping in one file, or map.invalid with every fault and its line."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        finding = Finding(file.name, "yaml.unreadable", "a file of UTF-8 text")
        raise HubError("map.invalid", [finding]) from exc
    return parse_yaml(text, file.name)


def parse_yaml(text: str, name: str) -> Mapping[str, Any]:
    """The mapping in a text; `name` is what its findings are said to be in."""
    if sum(map(text.count, "[{-?")) > _MOST_OPENED:
        raise HubError("map.invalid", [Finding(name, "yaml.large", "at most 10,000 lists and mappings")])
    try:
        loader = _Loader(text, name)
        try:
            read = loader.get_single_data()
        finally:
            loader.dispose()
    except (yaml.YAMLError, RecursionError) as exc:
        mark = getattr(exc, "problem_mark", None)
        at = (mark.line + 1, mark.column + 1) if mark else (None, None)
        raise HubError("map.invalid", [Finding(name, "yaml.malformed", "well-formed YAML", *at)]) from exc
    if loader.findings:
        raise HubError("map.invalid", loader.findings)
    if not isinstance(read, dict):
        raise HubError("map.invalid", [Finding(name, "yaml.mapping", "keys with values")])
    return cast("Mapping[str, Any]", read)
