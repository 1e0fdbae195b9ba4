"""Understands what reading, checking and writing one message costs: time, memory, and what is too large.

Time is CPU time of this process. Memory is what Python took at its highest (tracemalloc); for large documents
it is what a fork of the process grew by at its highest, as the XML parser's memory is not Python's.
"""

from __future__ import annotations

import copy
import gc
import io
import os
import resource
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from adapters.base import without
from hub.errors import HubError
from hub.kit import noise
from hub.kit.asked import asked
from hub.kit.case import Case
from hub.kit.fuzz import resident
from hub.kit.values import sample
from hub.message import Record
from mappings.fields import MOST_ELEMENTS, FieldSpec, Kind

LARGE = 10 * 1024 * 1024


@dataclass(frozen=True)
class Large:
    """What became of a document of ten megabytes: read, or the code that refused it."""

    what: str
    outcome: str
    seconds: float
    peak_ratio: float


@dataclass(frozen=True)
class Figures:
    """Of one adapter: sizes in bytes, times in ms of CPU, memory as a multiple of the document."""

    adapter: str
    size: int
    median: float
    p99: float
    peak_ratio: float
    large: tuple[Large, ...]


def figures(case: Case, *, size: int = 10_000, times: int = 200) -> Figures:
    """The figures of one adapter, on its example made as large as `size`, or as large as its type lets it."""
    record = grown(case, size)
    body = case.adapter.render(record)
    spent = sorted(_spent(lambda: _once(case, body)) for _ in range(times))
    return Figures(
        case.adapter.name,
        unpacked(body),
        1000 * spent[len(spent) // 2],
        1000 * spent[min(len(spent) - 1, len(spent) * 99 // 100)],
        _python_peak(lambda: _once(case, body)) / unpacked(body),
        tuple(_large(case, body)),
    )


def _once(case: Case, body: bytes) -> None:
    """As the hub does it: recognised, read, checked by its type, written."""
    adapter = case.hub.registry.recognise(case.adapter.media_type, body)
    record = adapter.parse(body)
    if findings := case.spec.check(record.fields):
        raise HubError("parse.invalid", findings)
    adapter.render(record)


def _spent(do: Callable[[], None]) -> float:
    began = time.process_time()
    do()
    return time.process_time() - began


# ---------------------------------------------------------------------------------------- larger


def grown(case: Case, size: int) -> Record:
    """The smallest example, or the whole sample of the type, with more elements in its lists and more words
    in its free texts, until it is `size` bytes in this format or no more fits the type."""
    render = case.adapter.render
    whole = without(sample(case.spec, case.pool), case.adapter.loses)
    fitting = [one for one in case.records.values() if isinstance(asked(render, one), bytes)]
    for one in (*sorted(fitting, key=lambda one: len(render(one))), whole):
        grew = _grown(case, one, size)
        if unpacked(render(grew)) >= size:
            return grew
    return grew


def unpacked(body: bytes) -> int:
    """The bytes of a document; of a package those of the files in it, which packing says nothing of."""
    if not zipfile.is_zipfile(io.BytesIO(body)):
        return len(body)
    with zipfile.ZipFile(io.BytesIO(body)) as package:
        return sum(member.file_size for member in package.infolist())


def _grown(case: Case, record: Record, size: int) -> Record:
    fields = copy.deepcopy(dict(record.fields))
    lists, texts = list(_lists(case.spec.fields, fields)), list(_texts(case.spec.fields, fields))
    while True:
        now = Record(record.type, fields)
        if unpacked(case.adapter.render(now)) >= size or not _more(lists, texts):
            return now if not case.spec.check(now.fields) else record


def _more(lists: list[list[Any]], texts: list[tuple[dict[str, Any], FieldSpec]]) -> bool:
    """A little more of everything; False when nothing can grow."""
    any_grew = False
    for holder, spec in texts:
        text = holder[spec.name] + " Det er avtalt en samtale til."
        if spec.most is None or len(text) <= spec.most:
            holder[spec.name], any_grew = text, True
    for items in lists:
        if len(items) < MOST_ELEMENTS:
            items.append(copy.deepcopy(items[0]))
            any_grew = True
    return any_grew


def _lists(specs: tuple[FieldSpec, ...], fields: dict[str, Any]) -> Iterator[list[Any]]:
    for spec in specs:
        value = fields.get(spec.name)
        if spec.many and spec.fields and isinstance(value, list) and value:
            yield value
        elif spec.fields and isinstance(value, dict):
            yield from _lists(spec.fields, value)


def _texts(
    specs: tuple[FieldSpec, ...], fields: dict[str, Any]
) -> Iterator[tuple[dict[str, Any], FieldSpec]]:
    for spec in specs:
        value = fields.get(spec.name)
        if spec.kind is Kind.FREE_TEXT and isinstance(value, str):
            yield fields, spec
        elif spec.fields:
            for inner in value if isinstance(value, list) else (value,):
                if isinstance(inner, dict):
                    yield from _texts(spec.fields, inner)


# ---------------------------------------------------------------------------------------- memory


def _python_peak(do: Callable[[], None]) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        do()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _peak(warm: Callable[[], object], do: Callable[[], object]) -> tuple[int, float, str]:
    """What this process would grow by at its highest, the seconds, and the code if it is refused; found
    out in a fork, so that nothing of it stays. `warm` comes first, as a fork has to fetch its pages."""
    reading, writing = os.pipe()
    gc.collect()
    child = os.fork()
    if child == 0:
        os.close(reading)
        asked(warm)
        before = resident() or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        began = time.process_time()
        result = asked(do)
        seconds = time.process_time() - began
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        code = result.code if isinstance(result, HubError) else ""
        os.write(writing, struct.pack("qd", max(0, most - before), seconds) + code.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    grew, seconds = struct.unpack("qd", said[:16])
    return grew, seconds, said[16:].decode()


def _large(case: Case, body: bytes) -> Iterator[Large]:
    """A document of ten megabytes that begins like an honest one: one long value, and very many elements."""
    for what, spoiled in noise.enlarged(body, LARGE).items():
        grew, seconds, code = _peak(partial(_once, case, body), partial(_once, case, spoiled))
        yield Large(what, code or "read", seconds, grew / len(spoiled))
