"""Understands how one adapter is checked by its name, with everything that is needed brought together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from adapters.registry import ADAPTERS, adapters_for
from adapters.third_party import enabled, fitting, read_stamps
from hub.desk import TYPES
from hub.errors import Finding
from hub.kit import homes
from hub.kit.bounded import Unended, bounded, now_at
from hub.kit.case import Case, case_of, examples_of
from hub.kit.conform import MADE, NOISE, Check, conform, lint
from hub.kit.corpus import Hub
from hub.kit.schemas import SchemaSet
from hub.settings import Settings
from mappings.agreements import load_agreements
from mappings.types import load_types

_LOADING = "loading"


def stamps_file() -> Path:
    """Where the stamps of this installation lie, whatever else is wrong with its settings."""
    return Path(os.environ.get("BRO_ADAPTERS") or Settings().adapters)


def loaded(schemas: Path | None = None, *, anew: bool = False) -> Hub:
    """Formats, types and agreements as they lie here; no running installation is needed.

    Raises settings.invalid for a stamp that does not fit. With `anew` such a package is left out, as it is
    off until it has conformed again, which is what somebody is about to find out.
    """
    types = load_types()
    stamps = read_stamps(stamps_file())
    registry = adapters_for(types, enabled(fitting(stamps) if anew else stamps))
    official = SchemaSet(schemas) if schemas else None
    return Hub(registry, types, load_agreements(types), frozenset(TYPES), official)


def cases(name: str, hub: Hub | None = None) -> Iterator[Case]:
    """The case of an adapter, or of each in a folder. Raises adapter.unknown."""
    hub = hub or loaded()
    plain = {a.name: a for a in hub.registry.adapters if a.name == f"json:{a.type}"}
    home, meant = homes.home_of(name, plain)
    others = examples_of(homes.ours(plain), home.folder)
    for adapter in meant:
        now_at(adapter=adapter.name, check=_LOADING)
        yield case_of(hub, home, adapter, others)


def held(
    name: str, *, made: int = MADE, inputs: int = NOISE, seed: str = "conform", quick: bool = False
) -> Iterator[tuple[str, Check]]:
    """Every check of an adapter, or of each in a folder, by the adapter's name; with `quick` those of `lint`.

    They run in a process of their own. A call that does not end makes the check that it was made for wrong,
    and is the last one told. Raises adapter.unknown, settings.invalid, adapter.invalid.
    """

    def run() -> Iterator[tuple[str, Check]]:
        now_at(adapter=name, check=_LOADING)
        for case in cases(name, loaded(anew=not quick)):
            for check in lint(case) if quick else conform(case, made=made, inputs=inputs, seed=seed):
                yield case.adapter.name, check

    try:
        yield from bounded(run)
    except Unended as kept:
        yield kept.adapter, Check(kept.check, (kept.finding,))


def quick_faults() -> tuple[tuple[str, Finding], ...]:
    """What the quick checks find in the adapters that the registry has, by adapter; those of other packages
    have their stamps. Each is tried with its own folder's examples. Raises adapter.invalid."""

    def run() -> Iterator[tuple[str, Finding]]:
        now_at(adapter="adapters", check=_LOADING)
        types = load_types()
        hub = Hub(adapters_for(types), types, ())
        known = {adapter.name for adapter in ADAPTERS}
        for home in homes.ours({}):
            for adapter in home.adapters if home.registered else ():
                known.discard(adapter.name)
                now_at(adapter=adapter.name, check=_LOADING)
                for check in lint(case_of(hub, home, adapter, {})):
                    yield from ((adapter.name, finding) for finding in check.findings)
        for name in sorted(known):
            yield name, Finding("registered", "folder", "an adapter of a folder under adapters/")

    found: list[tuple[str, Finding]] = []
    try:
        found.extend(bounded(run))
    except Unended as kept:
        found.append((kept.adapter, kept.finding))
    return tuple(found)


def checks(name: str, *, made: int = MADE, inputs: int = NOISE, seed: str = "conform") -> Iterator[Check]:
    """As `held`, without the names."""
    for _, check in held(name, made=made, inputs=inputs, seed=seed):
        yield check
