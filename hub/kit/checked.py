"""Understands how one adapter is checked by its name, with everything that is needed brought together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from adapters.registry import adapters_for
from adapters.third_party import enabled, fitting, read_stamps
from hub.desk import TYPES
from hub.kit import homes
from hub.kit.conform import MADE, NOISE, Case, Check, case_of, conform, examples_of
from hub.kit.corpus import Hub
from hub.kit.schemas import SchemaSet
from hub.settings import Settings
from mappings.agreements import load_agreements
from mappings.types import load_types


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
        yield case_of(hub, home, adapter, others)


def checks(name: str, *, made: int = MADE, inputs: int = NOISE, seed: str = "conform") -> Iterator[Check]:
    """Every check of an adapter, or of each in a folder. Raises adapter.unknown, settings.invalid."""
    for case in cases(name, loaded(anew=True)):
        yield from conform(case, made=made, inputs=inputs, seed=seed)
