"""Understands which codes and words stand in a resource, whatever its type, so that none gets lost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from fhir_core.fhirabstractmodel import FHIRAbstractModel

from adapters.base import Findings
from adapters.fhir import NOT_CARRIED, Json, present
from adapters.fhir_epikrise import losses
from adapters.fhir_epikrise.lines import Group, Words
from adapters.fhir_epikrise.relatives import NAMES, OTHERS
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
    what each resource says."""

    codes: list[Json] = field(default_factory=list)
    lines: list[Group] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)
    references: list[tuple[str, str]] = field(default_factory=list)

    def add(
        self, node: Mapping[str, object], model: type[FHIRAbstractModel], at: str, findings: Findings
    ) -> None:
        """Everything in a resource, or in some of its elements, that tells something."""
        line = Group(OTHERS if model.__name__ == losses.RELATIVE else frozenset())
        self.lines.append(line)
        _Walk(self, findings, line).elements(node, model, at)

    @property
    def words(self) -> bool:
        """Whether there are words besides those of codes."""
        return any(part.free for line in self.lines for part in line.parts())

    def text(self, narrative: str | None) -> str | None:
        """The narrative, and a line for each resource that has words besides its codes, if it is not there
        yet. Without one, a line for each resource. Words and what they are about stay together."""
        said = [narrative] if narrative else []
        for line in self.lines:
            if narrative and not any(part.free for part in line.parts()):
                continue
            if line.said() and not line.told_by("\n".join(said)):
                said.append(line.said())
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


def has_number(text: str, number: str) -> bool:
    """Whether the text has exactly this number, with a point or a comma."""
    return bool(re.search(rf"(?<![\d.,-]){re.escape(number)}(?![\d]|[.,]\d)", text.replace(",", ".")))


@dataclass(frozen=True)
class _Walk:
    content: Content
    findings: Findings
    line: Group

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
                self.said(name, losses.SAYS[code])
        else:
            self.content.needs.append(Need(at))

    def value(self, element: Element, value: object, at: str, *, about: bool) -> None:
        if element.model is None:
            if element.holds in _WORDS:
                self.said(element.name, value)
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
            self.concept(element.name, value, at)
        elif kind == "Coding":
            self.concept(element.name, {"coding": [value]}, at)
        elif kind == "Annotation":
            self.said(element.name, value.get("text"))
        else:
            inside = Group(self.line.others)
            self.line.add(element.name, inside)
            replace(self, line=inside).elements(value, element.model, at)

    def reference(self, element: Element, value: Mapping[str, object], at: str, *, about: bool) -> None:
        """What it points to belongs to the section. Without that its words do; those of who else had to do
        with it are left behind."""
        target = value.get("reference")
        if isinstance(target, str):
            self.content.references.append((target, f"{at}.reference"))
        elif (element.name, value.get("type")) in losses.ANOTHER:
            self.findings.add(f"{at}.type", "reference", "the person of the document")
        elif about or not (element.targets <= losses.WHO or value.get("type") in losses.WHO):
            words = _text(value.get("display"))
            self.said(element.name, words)
            if words is None and not _is_filed(element, value):
                self.findings.add(at, "reference", "an entry of this Bundle, or its words in display")
        if "extension" in value:
            check_extensions(value["extension"], f"{at}.extension", self.findings)

    def concept(self, name: str, value: Mapping[str, object], at: str) -> None:
        """What its codings and its text say, which is one thing. The codes are those of the section; of one
        of the family they are words."""
        listed = value.get("coding")
        whole = [item for item in listed if isinstance(item, Mapping)] if isinstance(listed, list) else []
        words = [one for item in whole for one in _words(item)]
        text = _text(value.get("text"))
        names = [*words, *([text] if text else [])]
        coded = [(str(item["system"]), str(item["code"])) for item in whole if _is_coded(item)]
        if self.line.others:
            self.of_family(name, names, coded, at)
        elif coded or names:
            self.content.codes += [_code(item) for item in whole if _is_coded(item)]
            free = bool(text) or not all(map(_is_coded, whole))
            self.line.add(name, Words(names or [code for _, code in coded], free))
        for place, item in ((at, value), *((f"{at}.coding[{n}]", item) for n, item in enumerate(whole))):
            if "extension" in item:
                check_extensions(item["extension"], f"{place}.extension", self.findings)

    def of_family(self, name: str, names: list[str], coded: list[tuple[str, str]], at: str) -> None:
        """The words, and for a reader the codes of what is said with them: they are not the person's."""
        known = [NAMES[one] for one in coded if one in NAMES]
        if names or known:
            codes = [] if known or name in losses.OF_WHOM else [code for _, code in coded]
            self.line.add(name, Words(names or known[:1], codes=codes))
        elif coded:
            self.findings.add(at, "missing", "its words in display or text")

    def said(self, name: str, words: object) -> None:
        if isinstance(words, str) and words.strip():
            self.line.add(name, Words([words.strip()]))


def _is_coded(coding: Mapping[str, object]) -> bool:
    return bool(_text(coding.get("system")) and _text(coding.get("code")))


def _words(coding: Mapping[str, object]) -> list[str]:
    """Its display; a code of no system is a word, too."""
    said = [_text(coding.get("display"))] if _is_coded(coding) else [_text(coding.get(one)) for one in _BARE]
    return [one.strip() for one in said if one]


_BARE = ("code", "display")


def _code(coding: Mapping[str, object]) -> Json:
    return present(system=coding["system"], kode=coding["code"], tekst=_text(coding.get("display")))


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
    """Where an element stands in its type, but what it is about before all else; a status last."""
    if name in losses.FIRST:
        return -1
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
