"""Understands which codes and words stand in a resource, whatever its type, so that none gets lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from fhir_core.fhirabstractmodel import FHIRAbstractModel

from adapters.base import Findings
from adapters.fhir import Json, present
from adapters.fhir_epikrise import losses
from adapters.fhir_extensions import check_extensions, check_siblings
from adapters.fhir_schema import Element, declared, shown

_WORDS = frozenset({"String", "Markdown"})


@dataclass
class Content:
    """What a section says besides its own text. `references` is what it points to, with the place."""

    codes: list[Json] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    references: list[tuple[str, str]] = field(default_factory=list)

    def add(
        self, node: Mapping[str, object], model: type[FHIRAbstractModel], at: str, findings: Findings
    ) -> None:
        """Everything in a resource, or in some of its elements, that tells something."""
        _Walk(self, findings).elements(node, model, at)

    def text(self, narrative: str | None) -> str | None:
        """The narrative, and every word that is not in it yet. Without one, the words of the codes."""
        lines = [narrative] if narrative else [str(code["tekst"]) for code in self.codes if "tekst" in code]
        for words in self.words:
            if words.casefold() not in "\n".join(lines).casefold():
                lines.append(words)
        return "\n".join(lines) or None

    def distinct(self) -> list[Json]:
        """The codes, each once."""
        found: dict[tuple[object, ...], Json] = {}
        for code in self.codes:
            found.setdefault(tuple(sorted(code.items(), key=str)), code)
        return list(found.values())


@dataclass(frozen=True)
class _Walk:
    content: Content
    findings: Findings

    def elements(self, node: Mapping[str, object], model: type[FHIRAbstractModel], at: str) -> None:
        table = declared(model)
        for name, value in node.items():
            here = f"{at}.{shown(name)}"
            element = table.get(name)
            if name in losses.UNSAID and _codes(value) & losses.UNSAID[name]:
                self.findings.add(here, "code", "a statement that stands")
            elif name == "extension":
                check_extensions(value, here, self.findings)
            elif name in losses.SILENT or name == "resourceType":
                continue
            elif name.startswith("_"):
                check_siblings(value, here, self.findings)
            elif element is None or name in ("modifierExtension", "implicitRules", "contained"):
                self.findings.add(here, "not-read", "nothing: this element is not part of the agreement")
            else:
                for index, item in enumerate(value if isinstance(value, list) else [value]):
                    self.value(element, item, f"{here}[{index}]" if isinstance(value, list) else here)

    def value(self, element: Element, value: object, at: str) -> None:
        if element.model is None:
            if element.holds in _WORDS and isinstance(value, str) and value.strip():
                self.content.words.append(value.strip())
            return
        kind = element.model.__name__
        if not isinstance(value, Mapping) or kind in losses.TYPES:
            return
        if kind == "Attachment":
            self.findings.add(at, "not-read", "no attachment")
        elif kind == "Reference":
            self.reference(value, at)
        elif kind == "CodeableConcept":
            self.concept(value, at)
        elif kind == "Coding":
            self.coding(value, at)
        elif kind == "Annotation":
            self.said(value.get("text"))
        else:
            self.elements(value, element.model, at)

    def reference(self, value: Mapping[str, object], at: str) -> None:
        target = value.get("reference")
        if isinstance(target, str):
            self.content.references.append((target, f"{at}.reference"))
        if "extension" in value:
            check_extensions(value["extension"], f"{at}.extension", self.findings)

    def concept(self, value: Mapping[str, object], at: str) -> None:
        codings = value.get("coding")
        for index, item in enumerate(codings if isinstance(codings, list) else []):
            if isinstance(item, Mapping):
                self.coding(item, f"{at}.coding[{index}]")
        self.said(value.get("text"))
        if "extension" in value:
            check_extensions(value["extension"], f"{at}.extension", self.findings)

    def coding(self, value: Mapping[str, object], at: str) -> None:
        system, code, words = (_text(value.get(name)) for name in ("system", "code", "display"))
        if system and code:
            self.content.codes.append(present(system=system, kode=code, tekst=words))
        else:
            self.said(code)
            self.said(words)
        if "extension" in value:
            check_extensions(value["extension"], f"{at}.extension", self.findings)

    def said(self, words: object) -> None:
        if isinstance(words, str) and words.strip():
            self.content.words.append(words.strip())


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _codes(value: object) -> set[str]:
    """The codes of a code, a boolean or a CodeableConcept."""
    if isinstance(value, Mapping):
        codings = value.get("coding")
        listed = codings if isinstance(codings, list) else []
        return {str(item.get("code")) for item in listed if isinstance(item, Mapping)}
    return {str(value)}


def references_in(value: object) -> Iterator[str]:
    """Every reference at any depth."""
    if isinstance(value, Mapping):
        if isinstance(value.get("reference"), str):
            yield str(value["reference"])
        for inside in value.values():
            yield from references_in(inside)
    elif isinstance(value, Iterable) and not isinstance(value, str):
        for inside in value:
            yield from references_in(inside)
