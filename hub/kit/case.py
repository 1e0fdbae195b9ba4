"""Understands one adapter under test: where it lives, and what its examples say as bytes and as records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from adapters.base import Adapter
from adapters.registry import Registry
from hub.errors import Finding, HubError
from hub.kit import shape
from hub.kit.asked import asked
from hub.kit.corpus import Hub, recognised
from hub.kit.homes import PLAIN, Home
from hub.kit.told import by_start, is_name, values_of
from hub.kit.values import Pool, pool_of, sample
from hub.message import Record
from mappings.types import TypeSpec


@dataclass(frozen=True)
class Case:
    """One adapter under test: where it lives, its type, its examples as bytes and as records."""

    hub: Hub
    home: Home
    adapter: Adapter
    spec: TypeSpec
    bodies: Mapping[str, bytes]
    records: Mapping[str, Record]
    others: Mapping[str, bytes] = field(default_factory=dict)
    kin: tuple[Record, ...] = ()
    """What the examples of other formats say in records of the same type."""
    strays: Mapping[str, HubError] = field(default_factory=dict)
    """Examples of the folder that no adapter in it recognises, and why not."""

    @cached_property
    def values(self) -> frozenset[str]:
        """What no refusal may say, as the examples say it."""
        said = values_of(self.spec, self.records.values())
        return frozenset(value for value in said if not is_name(value, self.bodies.values()))

    @cached_property
    def values_by_start(self) -> Mapping[str, Sequence[str]]:
        """The same, to be looked for in very many refusals."""
        return by_start(self.values)

    @cached_property
    def pool(self) -> Pool:
        """The values that records are made of."""
        return pool_of(self.spec, [*self.records.values(), *self.kin])


def case_of(hub: Hub, home: Home, adapter: Adapter, others: Mapping[str, bytes]) -> Case:
    """The case of one adapter; its examples are those of its folder that it recognises by itself. Without
    one it has those of the folder's other adapters of the type, as it writes them, and plain JSON a made-up
    one. Of a folder that is not as it must be nothing is run. Raises adapter.unknown if its type is not
    declared."""
    if adapter.type not in hub.types:
        raise HubError("adapter.unknown", [Finding(adapter.name, "type", "a declared message type")])
    spec = hub.types[adapter.type]
    if shape_faults(home):
        return Case(hub, home, adapter, spec, {}, {})
    alone = Hub(Registry([adapter]), hub.types, ())
    bodies = {path.name: path.read_bytes() for path in home.examples}
    mine = {
        name: body for name, body in bodies.items() if isinstance(asked(recognised, alone, body), Adapter)
    }
    if not mine:
        mine = dict(_as_written(home, adapter, bodies))
    kin = tuple(_kin(hub, spec, {**others, **{n: body for n, body in bodies.items() if n not in mine}}))
    if home.name == PLAIN and not mine:
        mine = {"made up": adapter.render(sample(spec, pool_of(spec, kin)))}
    parsed = {name: asked(adapter.parse, body) for name, body in mine.items()}
    read = {name: record for name, record in parsed.items() if isinstance(record, Record)}
    strays = _strays(hub, home, bodies) if adapter == home.adapters[0] else {}
    return Case(hub, home, adapter, spec, mine, read, others, kin, strays)


def _strays(hub: Hub, home: Home, bodies: Mapping[str, bytes]) -> dict[str, HubError]:
    here = Hub(Registry(home.adapters), hub.types, ())
    told = {name: asked(recognised, here, body) for name, body in bodies.items()}
    return {name: why for name, why in told.items() if isinstance(why, HubError)}


def _kin(hub: Hub, spec: TypeSpec, bodies: Mapping[str, bytes]) -> Iterator[Record]:
    for body in bodies.values():
        adapter = asked(recognised, hub, body)
        if isinstance(adapter, Adapter) and adapter.type == spec.name:
            record = asked(adapter.parse, body)
            if isinstance(record, Record) and not spec.check(record.fields):
                yield record


def _as_written(home: Home, adapter: Adapter, bodies: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """The folder's examples in this adapter's own format."""
    for other in home.adapters:
        for name, body in bodies.items() if other.type == adapter.type else ():
            record = asked(other.parse, body)
            made = asked(adapter.render, record) if isinstance(record, Record) else record
            if isinstance(made, bytes):
                yield f"{name} as {adapter.name}", made


def shape_faults(home: Home) -> tuple[Finding, ...]:
    names = () if home.name == PLAIN else tuple(adapter.name for adapter in home.adapters)
    return shape.faults(home.folder, home.package, names)


def examples_of(homes: Iterable[Home], but: Path) -> dict[str, bytes]:
    """The examples of every other folder, by folder and name."""
    return {
        f"{home.name}/{path.name}": path.read_bytes()
        for home in homes
        if home.folder != but
        for path in home.examples
    }
