"""Understands the official JSON Schemas of Fiks Digisos, when they are there to be asked."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft6Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT6

HERE = Path(__file__).resolve().parents[3] / "shared/standards/samples/navikt-soknadsosialhjelp-filformat"
SCHEMAS, SAMPLES = HERE / "json", HERE / "src/test/resources/json"
ROOTS = {
    "digisos-soknad": "soknad/soknad.json",
    "digisos-soker": "digisos/soker/digisos-soker.json",
    "digisos-vedlegg": "vedlegg/vedleggSpesifikasjon.json",
}


@cache
def _registry() -> Registry[Any]:
    files = ((path, json.loads(path.read_text(encoding="utf-8"))) for path in SCHEMAS.rglob("*.json"))
    return Registry().with_resources(
        (path.as_uri(), Resource.from_contents(schema, default_specification=DRAFT6))
        for path, schema in files
    )


@cache
def validator(schema: str) -> Draft6Validator:
    """The official validator of one schema file, by its path below `json/`."""
    return Draft6Validator({"$ref": (SCHEMAS / schema).as_uri()}, registry=_registry())


def accepts(schema: str, document: object) -> bool:
    return bool(validator(schema).is_valid(document))
