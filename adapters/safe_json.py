"""Understands how to read JSON from strangers: one meaning per document, bounded depth, size and numbers.

It must not know what any key means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal

from adapters.base import MAX_DEPTH, MAX_DIGITS, MAX_NODES, carries, decode, position, refuse, written_out
from hub.errors import Finding, HubError

_MOST_COMMAS = 10 * MAX_NODES
"""One after each value; and texts have some, too."""

_ESCAPED_CONTROL = re.compile(r"(?<!\\)(?:\\\\)*\\(?:u00|b|f)")
"""How json writes what XML cannot carry, told from a backslash that is text."""


def write_json(document: dict[str, object]) -> bytes:
    """The bytes of an object that `read_json` would read, or render.incomplete."""
    try:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError):  # not JSON, or not a finite number
        raise HubError("render.incomplete") from None
    if not carries(text) or _ESCAPED_CONTROL.search(text):
        raise HubError("render.incomplete")
    return text.encode()


class _Forbidden(Exception):
    """Raised inside the JSON parser at a number that we do not read, never seen outside."""


def read_json(body: bytes) -> dict[str, object]:
    """The object of a UTF-8 JSON document; numbers with a fraction are Decimal.

    Raises parse.malformed with line and column (also for a repeated key, of which two readers
    could see different values; where the text is not well-formed either, for that alone), or
    parse.forbidden-construct.
    """
    text = decode(body)
    if text.startswith("\ufeff"):
        raise refuse("parse.malformed", "encoding", "UTF-8 without byte order mark", 1, 1)
    if text.count(",") > _MOST_COMMAS:  # before it is unfolded, which takes many times its size
        raise refuse("parse.forbidden-construct", "nodes", f"at most {MAX_NODES} values")
    document = _parse_json(text)
    if not isinstance(document, dict):
        raise refuse("parse.malformed", "object", "a JSON object", 1, 1)
    if not _bound_json(document):
        raise _forbidden_character(text)
    return document


def _parse_json(text: str) -> object:
    repeated: list[int] = []
    same: dict[str, str] = {}  # a document says the same code systems again and again

    def made(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = {key: same.setdefault(said, said) if isinstance(said, str) else said for key, said in pairs}
        if len(found) != len(pairs):
            repeated.append(len(pairs))
        return found

    line = column = None
    try:
        document: object = json.loads(
            text,
            object_pairs_hook=made,
            parse_constant=_constant,
            parse_float=_fraction,
            parse_int=_integer,
        )
    except json.JSONDecodeError as fault:
        line, column = position(text[: fault.pos])  # a bare CR ends a line, which the parser does not count
    except _Forbidden:
        pass
    except RecursionError:
        raise refuse("parse.forbidden-construct", "depth", f"at most {MAX_DEPTH} levels") from None
    else:
        if repeated:
            raise HubError("parse.malformed", list(_repeated_keys(text)))
        return document
    if line is None:
        raise _forbidden_number(text)
    raise refuse("parse.malformed", "well-formed", "well-formed JSON", line, column)


def _constant(_name: str) -> object:
    raise _Forbidden


def _fraction(digits: str) -> Decimal | int:
    """A number with a fraction or an exponent; one that is whole when written out is whole."""
    written = written_out(digits)
    if written is None:
        raise _Forbidden
    return Decimal(written) if "." in written else int(written)


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise _Forbidden
    return int(digits)


_NUMBER = re.compile(
    r'"[^"\\]*(?:\\.[^"\\]*)*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|-?Infinity|NaN'
)
"""What stands in the way of a number, and a number as the parser takes it."""


def _forbidden_number(text: str) -> HubError:
    """The first number that we do not read: the parser has come as far, so all before it is well-formed."""
    for token in _NUMBER.finditer(text):
        number = token.group()
        finite = number[-1].isdigit()
        if number[0] != '"' and (not finite or written_out(number) is None):
            expected = f"a plain number of at most {MAX_DIGITS} digits" if finite else "a finite number"
            place = position(text[: token.start()])
            return refuse("parse.forbidden-construct", "number", expected, *place)
    raise AssertionError("the parser stopped at a number")


_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}]')


_MOST_REPEATED = 20
"""Faults told of one body; each costs a look for its line."""


def _repeated_keys(text: str) -> Iterator[Finding]:
    """Of a text that is well-formed to its end: only there do the braces match, and is each key a text."""
    found = 0
    open_objects: list[set[str]] = []
    for token in _TOKEN.finditer(text):
        if token.group() == "{":
            open_objects.append(set())
        elif token.group() == "}":
            open_objects.pop()
        elif token.group(1) is not None:
            key = json.loads(token.group()[: -len(token.group(1))])
            if key in open_objects[-1] and found < _MOST_REPEATED:
                found += 1
                yield Finding("body", "unique-key", "each key once", *position(text[: token.start()]))
            open_objects[-1].add(key)


def _bound_json(document: dict[str, object]) -> bool:
    """Whether every text is one that we read."""
    waiting: list[tuple[object, int]] = [(document, 1)]
    nodes = 0
    while waiting:
        node, depth = waiting.pop()
        nodes += 1
        if depth > MAX_DEPTH:
            raise refuse("parse.forbidden-construct", "depth", f"at most {MAX_DEPTH} levels")
        if nodes > MAX_NODES:
            raise refuse("parse.forbidden-construct", "nodes", f"at most {MAX_NODES} values")
        if isinstance(node, dict):
            if not all(map(carries, node)):
                return False
            waiting.extend((child, depth + 1) for child in node.values())
        elif isinstance(node, list):
            waiting.extend((child, depth + 1) for child in node)
        elif isinstance(node, str) and not carries(node):
            return False
    return True


def _forbidden_character(text: str) -> HubError:
    """The first text with a character that we do not read."""
    for token in _TOKEN.finditer(text):
        said = token.group()
        if said[0] == '"' and not carries(json.loads(said.removesuffix(":").rstrip())):
            expected = "no control characters, no lone surrogates"
            place = position(text[: token.start()])
            return refuse("parse.forbidden-construct", "character", expected, *place)
    raise AssertionError("there is a text that we do not read")
