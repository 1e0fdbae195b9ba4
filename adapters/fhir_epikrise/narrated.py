"""Understands which codes and words stand in a resource, whatever its type, so that none gets lost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from fhir_core.fhirabstractmodel import FHIRAbstractModel

from adapters.base import Findings
from adapters.fhir import NOT_CARRIED, Json, present
from adapters.fhir_epikrise import losses
from adapters.fhir_extensions import check_extensions, check_siblings
from adapters.fhir_schema import Element, declared, shown

_WORDS = frozenset({"String", "Markdown"})


@dataclass(frozen=True)
class Need:
    """What only a text tells: its place, the number that a generated text must have (None: only one that a
    person wrote will do), or that any text will do."""

    at: str
    number: str | None = None
    any_text: bool = False


@dataclass
class Content:
    """What a section says besides its own text. `references` is what it points to, with the place; `lines`
    the words of each resource, in their order, each with whether they are those of a code."""

    codes: list[Json] = field(default_factory=list)
    lines: list[list[tuple[str, bool]]] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)
    references: list[tuple[str, str]] = field(default_factory=list)

    def add(
        self, node: Mapping[str, object], model: type[FHIRAbstractModel], at: str, findings: Findings
    ) -> None:
        """Everything in a resource, or in some of its elements, that tells something."""
        self.lines.append([])
        _Walk(self, findings).elements(node, model, at)

    @property
    def words(self) -> bool:
        """Whether there are words besides those of codes."""
        return any(not of_code for line in self.lines for _, of_code in line)

    def text(self, narrative: str | None) -> str | None:
        """The narrative, and a line for each resource that has words besides its codes, if it is not there
        yet. Without one, a line for each resource. Words and what they are about stay together."""
        said = [narrative] if narrative else []
        there = {_plain(line) for line in (narrative or "").split("\n")}
        for line in self.lines:
            if narrative and all(of_code for _, of_code in line):
                continue
            first, *rest = list({_plain(words): words for words, _ in line}.values()) or [""]
            whole = f"{first}: {', '.join(rest)}" if rest else first
            if whole and not {_plain(whole), _plain(" ".join([first, *rest]))} & there:
                said.append(whole)
                there.add(_plain(whole))
        return "\n".join(said) or None

    def check(self, narrative: str | None, *, generated: bool, findings: Findings) -> None:
        """Refuse what only a text could tell, where no text does."""
        for need in self.needs:
            if narrative and (not generated or need.any_text):
                continue
            if narrative and need.number is not None and has_number(narrative, need.number):
                continue
            findings.add(need.at, "not-read", "a text of the section that says it")

    def distinct(self) -> list[Json]:
        """The codes, each once."""
        found: dict[tuple[object, ...], Json] = {}
        for code in self.codes:
            found.setdefault(tuple(sorted(code.items(), key=str)), code)
        return list(found.values())


def _plain(line: str) -> str:
    return " ".join(line.casefold().split())


def has_number(text: str, number: str) -> bool:
    """Whether the text has exactly this number, with a point or a comma."""
    return bool(re.search(rf"(?<![\d.,-]){re.escape(number)}(?![\d]|[.,]\d)", text.replace(",", ".")))


@dataclass(frozen=True)
class _Walk:
    content: Content
    findings: Findings

    def elements(self, node: Mapping[str, object], model: type[FHIRAbstractModel], at: str) -> None:
        table = declared(model)
        for name, value in sorted(node.items(), key=lambda one: _order(table, one[0])):
            here = f"{at}.{shown(name)}"
            element = table.get(name)
            if _turned(model.__name__, name, value):
                self.findings.add(here, "code", "a statement that stands")
            elif name == "extension":
                check_extensions(value, here, self.findings)
            elif name == "resourceType":
                continue
            elif name in losses.ORDINARY:
                self.status(name, value, here)
            elif name in losses.SILENT:
                if losses.SILENT[name] == losses.IN_THE_TEXT:
                    self.content.needs.append(Need(here))
            elif name.startswith("_"):
                check_siblings(value, here, self.findings)
            elif element is None or name in ("modifierExtension", "implicitRules", "contained"):
                self.findings.add(here, "not-read", NOT_CARRIED)
            else:
                about = (model.__name__, name) in losses.ABOUT
                for index, item in enumerate(value if isinstance(value, list) else [value]):
                    place = f"{here}[{index}]" if isinstance(value, list) else here
                    self.value(element, item, place, about=about)

    def status(self, name: str, value: object, at: str) -> None:
        """One that is not the ordinary one belongs to the words it is about, which come first."""
        found = _codes(value)
        if found <= losses.ORDINARY[name] and found:
            return
        if found and found <= losses.SAYS.keys():
            for code in sorted(found):
                self.said(losses.SAYS[code])
        else:
            self.content.needs.append(Need(at))

    def value(self, element: Element, value: object, at: str, *, about: bool) -> None:
        if element.model is None:
            if element.holds in _WORDS:
                self.said(value)
            elif element.holds not in losses.FREE:
                number = None if isinstance(value, bool | str) else str(value)
                self.content.needs.append(Need(at, number, element.holds in losses.TIMES))
            return
        kind = element.model.__name__
        if not isinstance(value, Mapping):
            return
        if kind in losses.TYPES:
            if losses.TYPES[kind] == losses.IN_THE_TEXT:
                number = None if value.get("comparator") else value.get("value")
                told = str(number) if number is not None else None
                self.content.needs.append(Need(at, told, kind in losses.TIMES))
            return
        if kind == "Attachment":
            self.findings.add(at, "not-read", "no attachment")
        elif kind == "Reference":
            self.reference(element, value, at, about=about)
        elif kind == "CodeableConcept":
            self.concept(value, at)
        elif kind == "Coding":
            self.coding(value, at)
        elif kind == "Annotation":
            self.said(value.get("text"))
        else:
            self.elements(value, element.model, at)

    def reference(self, element: Element, value: Mapping[str, object], at: str, *, about: bool) -> None:
        """What it points to belongs to the section. Without that its words do; those of who else had to do
        with it are left behind."""
        target = value.get("reference")
        if isinstance(target, str):
            self.content.references.append((target, f"{at}.reference"))
        elif about or not (element.targets <= losses.WHO or value.get("type") in losses.WHO):
            words = _text(value.get("display"))
            self.said(words)
            if words is None and not _is_filed(element, value):
                self.findings.add(at, "reference", "an entry of this Bundle, or its words in display")
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
            self.content.lines[-1].append((words or code, True))
        else:
            self.said(code)
            self.said(words)
        if "extension" in value:
            check_extensions(value["extension"], f"{at}.extension", self.findings)

    def said(self, words: object) -> None:
        if isinstance(words, str) and words.strip():
            self.content.lines[-1].append((words.strip(), False))


def _is_filed(element: Element, value: Mapping[str, object]) -> bool:
    """Whether it says no more than under which number something is filed, or nothing."""
    return element.name in losses.FILED or value.keys() <= {"extension"}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _codes(value: object) -> set[str]:
    """The codes of a code, a boolean or a CodeableConcept."""
    if isinstance(value, Mapping):
        codings = value.get("coding")
        listed = codings if isinstance(codings, list) else []
        return {str(item.get("code")) for item in listed if isinstance(item, Mapping)}
    return {str(value)}


def _order(table: Mapping[str, Element], name: str) -> int:
    """Where an element stands in its type, so that what it is about comes before its value; a status last."""
    return len(table) if name in losses.ORDINARY else table[name].order if name in table else -1


def _turned(kind: str, name: str, value: object) -> bool:
    """Whether a code says that the words do not stand."""
    if (kind, name) in losses.STANDS:
        return not _codes(value) <= losses.STANDS[kind, name]
    return name in losses.UNSAID and bool(_codes(value) & losses.UNSAID[name])


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
