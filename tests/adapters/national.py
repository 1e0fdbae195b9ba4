"""Understands where the national schemas and samples are, and how many checks cannot run without them."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from adapters.kith.national import NationalSchemas

STANDARDS = Path(__file__).parents[3] / "shared" / "standards"
SAMPLES = STANDARDS / "samples"
SCHEMAS = STANDARDS / "xsd" / "sarepta-standarder" / "skjema"
FELLESFORMAT = STANDARDS / "xsd" / "navikt-syfo-xml-codegen" / "xmlfellesformat2"

Absent = Callable[[str, int], None]


def samples(pattern: str, least: int, absent: Absent) -> list[Path]:
    """The sample files of a pattern below the samples. What is missing of `least` is noted."""
    found = sorted(SAMPLES.glob(pattern)) if SAMPLES.is_dir() else []
    if len(found) < least:
        absent(f"national samples {pattern}", least - len(found))
    return found


@cache
def _schemas() -> NationalSchemas:
    """The national schemas, and NAV's of its wrapper, as an installation would have both: in one folder."""
    folder = Path(mkdtemp(prefix="schemas-"))
    for file in [*SCHEMAS.rglob("*.xsd"), *FELLESFORMAT.rglob("*.xsd")]:
        there = folder / file.relative_to(STANDARDS)
        there.parent.mkdir(parents=True, exist_ok=True)
        there.symlink_to(file)
    atexit.register(shutil.rmtree, folder)
    return NationalSchemas(folder)


def schemas(checks: int, absent: Absent) -> NationalSchemas | None:
    """The national schemas, or None after noting how many checks could not run."""
    if SCHEMAS.is_dir():
        return _schemas()
    absent("national schemas", checks)
    return None
