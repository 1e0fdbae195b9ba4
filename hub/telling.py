"""Understands what a sender is told of a message that is not as it should be: everything at once, each fault
where it stands in what was sent.

It must not know any format, and never sees a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from adapters.base import Adapter
from hub.errors import Finding, HubError
from mappings.types import TypeSpec


def told_whole(
    adapter: Adapter,
    spec: TypeSpec,
    body: bytes,
    refused: HubError,
    also: Callable[[], Iterable[Finding]] = tuple,
) -> HubError:
    """A refusal by the format, with what the message type has to say of the values that could be read all the
    same, and what `also` finds. What stands where something was said already is not said again."""
    if refused.code != "parse.invalid":
        return refused
    told = list(refused.findings)
    for found in (_by_type(adapter, spec, body), also()):
        there = {spot for one in told for spot in _spots(one)}
        told += (one for one in found if not there & _spots(one))
    return HubError(refused.code, told)


def in_place(adapter: Adapter, body: bytes, found: Sequence[Finding]) -> Sequence[Finding]:
    """Findings by the record's paths as findings by the document's, for a format that can tell. Two fields
    may be one element there: what is said of both is said once."""
    return tuple(dict.fromkeys(adapter.locate(body, found))) if found and adapter.locate else found


def _by_type(adapter: Adapter, spec: TypeSpec, body: bytes) -> Sequence[Finding]:
    if adapter.partly is None:
        return ()
    return in_place(adapter, body, spec.check_values(adapter.partly(body).fields))


def _spots(one: Finding) -> set[object]:
    return {one.at} if one.line is None else {one.at, (one.line, one.column)}
