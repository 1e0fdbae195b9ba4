"""Understands how FHIR declares an element: its order, whether it repeats, and what it holds.

The declarations are those of `fhir.resources`; here they become one small table per type, which the
reading and the writing of XML both follow. It must not know any profile, message type or code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any, get_args

from fhir.resources.extension import Extension as ExtensionR5
from fhir.resources.R4B.extension import Extension as ExtensionR4
from fhir_core.fhirabstractmodel import FHIRAbstractModel
from pydantic.fields import FieldInfo

RESOURCE = "Resource"
"""What an element holds that holds a whole resource: `resource` and `contained`."""

XHTML = "Xhtml"
_R4 = ExtensionR4.__module__.removesuffix("extension")


@dataclass(frozen=True)
class Element:
    """One declared element. `holds` is the name of a primitive, or empty for a type of elements, which
    is then `model`. `order` is its place among its siblings, the same for every spelling of a choice.
    `targets` are the types that a reference may point to."""

    name: str
    order: int
    many: bool
    holds: str
    model: type[FHIRAbstractModel] | None = field(default=None, repr=False)
    targets: frozenset[str] = frozenset()

    @cached_property
    def primitive(self) -> bool:
        return bool(self.holds) and self.holds != RESOURCE


@cache
def declared(model: type[FHIRAbstractModel]) -> Mapping[str, Element]:
    """The elements of one type, by name, in the order that XML must have."""
    fields = {str(found.alias or name): found for name, found in model.model_fields.items()}
    return {
        name: replace(_element(name, order, fields[name].annotation), targets=_targets(fields[name]))
        for order, name in enumerate(model.elements_sequence())
        if name in fields
    }


def _targets(declaration: FieldInfo) -> frozenset[str]:
    more = declaration.json_schema_extra
    listed = more.get("enum_reference_types") if isinstance(more, dict) else None
    return frozenset(map(str, listed)) if isinstance(listed, list) else frozenset()


def _element(name: str, order: int, annotation: Any) -> Element:
    """`Optional[List[Optional[X]]]` and the like, down to X."""
    many = False
    while (inner := [part for part in get_args(annotation) if part is not type(None)]) and not hasattr(
        annotation, "__metadata__"
    ):
        many = many or getattr(annotation, "__origin__", None) is list
        annotation = inner[0]
    if hasattr(annotation, "__metadata__"):
        return Element(name, order, many, type(annotation.__metadata__[-1]).__name__)
    if annotation is bool:
        return Element(name, order, many, "Boolean")
    model = annotation.get_model_klass()
    if model.__name__ == RESOURCE:
        return Element(name, order, many, RESOURCE)
    return Element(name, order, many, "", model)


def extension_model(model: type[FHIRAbstractModel]) -> type[FHIRAbstractModel]:
    """The Extension of the release that a type belongs to."""
    return ExtensionR4 if model.__module__.startswith(_R4) else ExtensionR5


@cache
def element_names() -> frozenset[str]:
    """Every name that FHIR gives to an element of a type, or of a resource that is in use here."""
    names: set[str] = set()
    seen: set[type[FHIRAbstractModel]] = set()
    waiting: list[type[FHIRAbstractModel]] = [FHIRAbstractModel, ExtensionR4, ExtensionR5]
    while waiting:
        model = waiting.pop()
        if model in seen:
            continue
        seen.add(model)
        waiting.extend(model.__subclasses__())
        if hasattr(model, "elements_sequence"):
            names.update(model.elements_sequence())
            # An Extension holds every type there is, whether anybody has asked for it or not.
            waiting.extend(said.model for said in declared(model).values() if said.model is not None)
    return frozenset(names)


def shown(name: str) -> str:
    """A name as a finding may show it: one of FHIR, also with the underscore of a sibling; else the
    sender made it up."""
    return name if name.removeprefix("_") in element_names() else "?"
