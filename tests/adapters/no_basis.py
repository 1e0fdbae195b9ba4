"""Understands what a StructureDefinition of HL7 Norway demands, as far as its differential says.

Cardinality, fixed values, patterns and required bindings to value sets that list their codes, below slices
by value, too. What base FHIR demands is for `fhir.resources` to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fhir.resources.R4B.structuredefinition import StructureDefinition
from fhir.resources.R4B.valueset import ValueSet

from adapters.base import Findings
from adapters.fhir_xml import Models, XmlReader
from adapters.safe_xml import read_xml

SAMPLES = Path(__file__).parents[3] / "shared/standards/samples/HL7Norway-basisprofiler-r4"
Json = Mapping[str, Any]
_MODELS: Models = {"StructureDefinition": StructureDefinition, "ValueSet": ValueSet}


def _read(file: Path) -> Json:
    faults = Findings()
    document = XmlReader(read_xml(file.read_bytes()), _MODELS, faults).document
    faults.finish()
    return document


@dataclass(frozen=True)
class Profiles:
    """The profiles by address, and the codes of each value set that lists them."""

    profiles: Mapping[str, Json]
    codes: Mapping[str, frozenset[tuple[str, str]]]

    @classmethod
    def of(cls, folder: Path) -> Profiles:
        read = [_read(file) for file in sorted((folder / "StructureDefinition").glob("*.xml"))]
        sets = [_read(file) for file in sorted((folder / "ValueSet").glob("*.xml"))]
        return cls({one["url"]: one for one in read}, {one["url"]: frozenset(_listed(one)) for one in sets})

    def faults(self, resource: Json, profile: str) -> list[str]:
        """What a resource or a value of a datatype does not keep, by element and rule."""
        elements = {one["id"]: one for one in self.profiles[profile]["differential"]["element"]}
        return list(_Check(self, elements).inside(resource, str(self.profiles[profile]["type"])))


def _listed(value_set: Json) -> Iterator[tuple[str, str]]:
    for part in value_set.get("compose", {}).get("include", []):
        for concept in part.get("concept", []):
            yield part["system"], concept["code"]


@dataclass(frozen=True)
class _Check:
    known: Profiles
    elements: Mapping[str, Json]

    def inside(self, node: Any, at: str) -> Iterator[str]:
        """Every declared element below one value."""
        names = {one[len(at) + 1 :].split(".")[0] for one in self.elements if one.startswith(f"{at}.")}
        for name in sorted(names):
            here, (plain, _, piece) = f"{at}.{name}", name.partition(":")
            if isinstance(node, Mapping):
                values = _values(node, plain)
                yield from self.all_of(
                    [v for v in values if not piece or self.belongs(v, f"{at}.{plain}", here)], here
                )

    def all_of(self, values: list[Any], at: str) -> Iterator[str]:
        said = self.elements.get(at, {})
        if len(values) < said.get("min", 0):
            yield f"{at}: at least {said['min']}"
        if said.get("max", "*") != "*" and len(values) > int(said["max"]):
            yield f"{at}: at most {said['max']}"
        for value in values:
            for name, wanted in said.items():
                if name.startswith("fixed") and value != wanted:
                    yield f"{at}: {name}"
                if name.startswith("pattern") and not _holds(value, wanted):
                    yield f"{at}: {name}"
            yield from self.bound(value, said, at)
            for kind in said.get("type", []):
                for profile in kind.get("profile", []):
                    if kind["code"] != "Extension" and profile in self.known.profiles:
                        yield from (f"{at} / {fault}" for fault in self.known.faults(value, profile))
            yield from self.inside(value, at)

    def bound(self, value: Any, said: Json, at: str) -> Iterator[str]:
        binding = said.get("binding", {})
        codes = self.known.codes.get(binding.get("valueSet", ""))
        if binding.get("strength") == "required" and codes:
            found = {(one.get("system"), one.get("code")) for one in value.get("coding", [value])}
            if not found & codes:
                yield f"{at}: required binding"

    def belongs(self, value: Any, sliced: str, piece: str) -> bool:
        """Whether a value is one of a slice: by what the slice fixes where the discriminator points."""
        for one in self.elements.get(sliced, {}).get("slicing", {}).get("discriminator", []):
            place = one["path"]
            said = self.elements.get(piece if place == "$this" else f"{piece}.{place}", {})
            wanted = next((v for n, v in said.items() if n.startswith(("fixed", "pattern"))), None)
            if place == "url":
                profiles = [
                    p for kind in self.elements[piece].get("type", []) for p in kind.get("profile", [])
                ]
                if value.get("url") not in profiles:
                    return False
            elif wanted is None or not any(_holds(v, wanted) for v in _down(value, place)):
                return False
        return True


def _values(node: Json, name: str) -> list[Any]:
    if name.endswith("[x]"):
        return [value for key, value in node.items() if key.startswith(name[:-3])]
    value = node.get(name, [])
    return value if isinstance(value, list) else [value]


def _down(value: Any, place: str) -> list[Any]:
    found = [value]
    for name in [] if place == "$this" else place.split("."):
        found = [inside for one in found if isinstance(one, Mapping) for inside in _values(one, name)]
    return found


def _holds(value: Any, wanted: Any) -> bool:
    """Whether a value has everything that a pattern has."""
    if isinstance(wanted, Mapping):
        return isinstance(value, Mapping) and all(_holds(value.get(n), one) for n, one in wanted.items())
    if isinstance(wanted, list):
        return isinstance(value, list) and all(any(_holds(v, one) for v in value) for one in wanted)
    return bool(value == wanted)
