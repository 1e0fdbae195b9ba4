"""Understands YAML without surprises: what looks like text is text, or the file is refused.

Plain YAML reads an unquoted NO as false, 012 as ten and 1:30 as ninety, and lets the last of two
equal keys win. In a policy file each of these is a wrong decision. Must not know what a row is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import date
from enum import StrEnum
from typing import TypeVar

import yaml

from hub.errors import Finding, HubError

Scalar = str | int | bool | date | None
Plain = Scalar | Sequence["Plain"] | Mapping[str, "Plain"]

Code = TypeVar("Code", bound=StrEnum)

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,8})")
_TAG = "tag:yaml.org,2002:"

_MOST_OPENED = 10_000
"""Letters that begin a list or a mapping. libyaml's composer has no bound of depth: at
40,000 a stack of 8 MiB is full, and the process at its end."""


def read_yaml(text: str, code: str) -> Plain:
    """The one document of `text`; HubError(code) with every finding and its line and column."""
    findings: list[Finding] = []
    try:
        root = _composed(text)
        if root is not None and _has_alias(root, set()):
            raise HubError(code, [Finding("/", "alias", "every value written out where it stands")])
        plain = None if root is None else _plain(root, "", findings)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark
        at = (mark.line + 1, mark.column + 1) if mark else (None, None)
        raise HubError(code, [Finding("/", "yaml", "well-formed YAML", *at)]) from None
    except (yaml.YAMLError, RecursionError, ValueError):  # ValueError: an escape beyond Unicode
        raise HubError(code, [Finding("/", "yaml", "well-formed YAML")]) from None
    if findings:
        raise HubError(code, findings)
    return plain


def _composed(text: str) -> yaml.Node | None:
    """By libyaml, a tenth of the time. What it refuses, by the other, which says the place better; and what
    may be so deep that libyaml would end the process."""
    if sum(map(text.count, "[{-?")) <= _MOST_OPENED:
        with suppress(yaml.YAMLError):
            return yaml.compose(text, Loader=yaml.CSafeLoader)
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _has_alias(node: yaml.Node, seen: set[int]) -> bool:
    """An alias makes the composer return one node twice."""
    if id(node) in seen:
        return True
    seen.add(id(node))
    children: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        children = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode):
        children = list(node.value)
    return any(_has_alias(child, seen) for child in children)


def _plain(node: yaml.Node, at: str, findings: list[Finding]) -> Plain:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, at, findings)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, f"{at}[{i}]", findings) for i, child in enumerate(node.value)]
    return _scalar(node, at, findings)


def _mapping(node: yaml.MappingNode, at: str, findings: list[Finding]) -> dict[str, Plain]:
    result: dict[str, Plain] = {}
    for key_node, value_node in node.value:
        key = key_node.value
        if key_node.tag != f"{_TAG}str" or not isinstance(key, str):
            findings.append(_finding(at, "key", "a key that is text", key_node))
            continue
        here = f"{at}.{key}" if at else key
        if key in result:
            findings.append(_finding(here, "duplicate-key", "each key once", key_node))
        result[key] = _plain(value_node, here, findings)
    return result


def _scalar(node: yaml.Node, at: str, findings: list[Finding]) -> Scalar:
    value: str = node.value
    if any("\ud800" <= letter <= "\udfff" for letter in value):  # half a letter: no file can hold it
        findings.append(_finding(at, "text", "whole letters", node))
        return None
    match node.tag.removeprefix(_TAG):
        case "str":
            return value
        case "null" if value in {"null", ""}:
            return None
        case "bool" if value in {"true", "false"}:
            return value == "true"
        case "int" if _INTEGER.fullmatch(value):
            return int(value)
        case "timestamp":
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
    findings.append(_finding(at, "ambiguous", "quotes around text; true, false, 12 or 2026-07-01 else", node))
    return None


def _finding(at: str, rule: str, expected: str, node: yaml.Node) -> Finding:
    return Finding(at or "/", rule, expected, node.start_mark.line + 1, node.start_mark.column + 1)


class Reader:
    """Takes declared things out of plain values and notes what is missing, unknown or of the wrong
    kind. Always returns something of the right type, so that one reading finds every fault; the
    caller must not use the result when there are findings."""

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = findings

    def fault(self, at: str, rule: str, expected: str) -> None:
        self._findings.append(Finding(at, rule, expected))

    def mapping(
        self, raw: Plain, at: str, keys: AbstractSet[str], optional: AbstractSet[str] = frozenset()
    ) -> Mapping[str, Plain]:
        if not isinstance(raw, Mapping):
            self.fault(at or "/", "shape", "a mapping")
            return {}
        for key in sorted(raw.keys() - keys):
            self.fault(f"{at}.{key}".lstrip("."), "unknown-key", f"one of {', '.join(sorted(keys))}")
        for key in sorted(keys - optional - raw.keys()):
            self.fault(f"{at}.{key}".lstrip("."), "missing", "this key")
        return raw

    def list(self, raw: Mapping[str, Plain], at: str, key: str) -> Sequence[Plain]:
        value = raw.get(key, [])
        if isinstance(value, str) or not isinstance(value, Sequence):
            self.fault(f"{at}.{key}".lstrip("."), "shape", "a list")
            return []
        return value

    def text(self, raw: Mapping[str, Plain], at: str, key: str) -> str:
        value = raw.get(key, "")
        if isinstance(value, str) and value.strip() == value and (value or key not in raw):
            return value
        self.fault(f"{at}.{key}".lstrip("."), "text", "text that is not empty")
        return ""

    def texts(self, raw: Mapping[str, Plain], at: str, key: str) -> tuple[str, ...]:
        """A list of texts; a list that is there must not be empty."""
        values = self.list(raw, at, key)
        if key in raw and (not values or not all(isinstance(v, str) and v.strip() for v in values)):
            self.fault(f"{at}.{key}".lstrip("."), "texts", "a list of texts that is not empty")
        return tuple(v for v in values if isinstance(v, str))

    def count(self, raw: Mapping[str, Plain], at: str, key: str) -> int:
        value = raw.get(key, 0)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        self.fault(f"{at}.{key}".lstrip("."), "integer", "a whole number, 0 or more")
        return 0

    def day(self, raw: Mapping[str, Plain], at: str, key: str) -> date | None:
        value = raw.get(key)
        if isinstance(value, date) or value is None:
            return value
        self.fault(f"{at}.{key}".lstrip("."), "date", "a date as 2026-07-01, or null where it may be open")
        return None

    def flag(self, raw: Mapping[str, Plain], at: str, key: str) -> bool:
        value = raw.get(key, False)
        if isinstance(value, bool):
            return value
        self.fault(f"{at}.{key}".lstrip("."), "boolean", "true or false")
        return False

    def code(self, kind: type[Code], raw: Mapping[str, Plain], at: str, key: str) -> Code | None:
        value = raw.get(key)
        if isinstance(value, str) and value in {member.value for member in kind}:
            return kind(value)
        if key in raw:
            self.fault(f"{at}.{key}".lstrip("."), "code", f"one of {', '.join(kind)}")
        return None

    def codes(self, kind: type[Code], raw: Mapping[str, Plain], at: str, key: str) -> frozenset[Code]:
        """A list of codes without repeats. `*` is not a code: the caller says where it may stand."""
        known = {member.value: member for member in kind}
        values = self.texts(raw, at, key)
        for i, value in enumerate(values):
            if value not in known:
                self.fault(f"{at}.{key}[{i}]".lstrip("."), "code", f"one of {', '.join(kind)}")
        if len(set(values)) != len(values):
            self.fault(f"{at}.{key}".lstrip("."), "repeat", "each code once")
        return frozenset(known[value] for value in values if value in known)
