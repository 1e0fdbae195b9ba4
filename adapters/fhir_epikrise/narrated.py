"""Understands which codes and words stand in a resource, whatever its type, so that none gets lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from fhir_core.fhirabstractmodel import FHIRAbstractModel

from adapters.base import Findings
from adapters.fhir import NOT_CARRIED, Json, present
from adapters.fhir_epikrise import losses
from adapters.fhir_epikrise.called import IN_NORWEGIAN
from adapters.fhir_epikrise.dosages import KINDS, say_dosage
from adapters.fhir_epikrise.lines import Group, Pointer, Words, plain
from adapters.fhir_epikrise.measures import MEASURES, in_words, say_measure
from adapters.fhir_epikrise.names import name_of
from adapters.fhir_epikrise.relatives import NAMES
from adapters.fhir_epikrise.units import CODING, CONCEPT, look_over, say_amount
from adapters.fhir_extensions import check_extensions, check_siblings
from adapters.fhir_paths import below
from adapters.fhir_places import said_at
from adapters.fhir_schema import Element, declared

_WORDS = frozenset({"String", "Markdown"})
_REFERENCE = frozenset({"reference", "type", "identifier", "display"})
_BY_A_TEXT = "a text of the section that says it, written by a person"


@dataclass(frozen=True, slots=True)
class Coded:
    """A code, with the words it has in its resource and what these stand in, from the outside."""

    code: Json
    words: Words | None = None
    inside: tuple[Group, ...] = ()

    def whole(self, subjects: dict[int, tuple[str, str, Mapping[int, str]]]) -> Json:
        """The code; for one that is said of another thing its words say of which. `subjects`: what each group
        is about, found out once."""
        if self.words is None:
            return self.code
        said = []
        for group, part in zip(self.inside, [*self.inside[1:], self.words], strict=True):
            if id(group) not in subjects:
                subjects[id(group)] = group.subject()
            subject, called, rest = subjects[id(group)]
            said += [called, subject, rest[id(part)]] if id(part) in rest else [called]
        about = ": ".join(one for one in said if one)
        if not about:
            return self.code
        own = self.code.get("tekst") or self.words.said()
        short = about if len(about) <= _LONGEST else f"{about[:_LONGEST]} …"
        return {**self.code, "tekst": said_at(f"{short}: {own}", own)}


@dataclass(frozen=True, slots=True)
class Reference:
    """What a section points to: the address, the place, the part of a line that it is, and whether it leads
    to `who` else had to do with it."""

    address: str
    at: str
    pointer: Pointer
    who: bool


_LONGEST = 160
"""Signs of what a code is said of that its words repeat; the text has it in full."""


class Measure(Protocol):
    """Says one thing in its line, or looks over what a text has `told`."""

    def __call__(self, *, told: bool) -> None: ...


@dataclass
class Content:
    """What a section says besides its own text. `references` is what it points to, `lines` what each
    resource says; `others` are the codes of what is told elsewhere, and which its text or a line names.
    `measures` say in their lines what a text of a person tells, or refuse what cannot be said."""

    codes: list[Coded] = field(default_factory=list)
    lines: list[Group] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    others: list[Coded] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)

    def add(
        self,
        node: Mapping[str, object],
        model: type[FHIRAbstractModel],
        at: str,
        findings: Findings,
        about: Words | None = None,
    ) -> None:
        """Everything in a resource, or in some of its elements, that tells something. `about`: of what, where
        that is not among them."""
        line = Group(model.__name__ == losses.RELATIVE, partial(name_of, model.__name__))
        self.lines.append(line)
        if about is not None:
            line.begin(about)
        _Walk(self, findings, (line,), model.__name__).elements(node, model, at)

    @property
    def words(self) -> bool:
        """Whether a line says anything: that something told elsewhere stands in this section, too."""
        return any(line.said() for line in self.lines)

    def text(self, narrative: str | None) -> str | None:
        """The narrative, and a line for each resource that has words besides its codes or says one thing of
        another, if it is not there yet. Without one, a line for each resource."""
        said = [narrative] if narrative else []
        written = {plain(one) for one in (narrative or "").split("\n")}
        there = set(written)
        for line in self.lines:
            if narrative and not line.paired() and not any(part.free for part in line.parts()):
                continue
            if (words := line.said()) and plain(words) not in there and plain(line.bare()) not in written:
                said.append(words)
                there |= {plain(one) for one in words.split("\n")}
        return "\n".join(said) or None

    def measure(self, *, told: bool) -> None:
        """Say numbers, moments, truths and gradings in their lines, unless they are `told` by a text that a
        person wrote. Findings: what cannot be said, and extensions that may say anything."""
        for say in self.measures:  # of which some bring further ones
            say(told=told)

    def distinct(self) -> list[Json]:
        """The codes, each once for whatever it is said of."""
        found: dict[tuple[object, ...], Json] = {}
        subjects: dict[int, tuple[str, str, Mapping[int, str]]] = {}
        for code in (one.whole(subjects) for one in {id(one): one for one in self.codes}.values()):
            found.setdefault(tuple(sorted(code.items(), key=str)), code)
        return list(found.values())


@dataclass(frozen=True, slots=True)
class _Walk:
    """Through the elements of a resource, or of one in it: `kind` is its type, `inside` the groups that its
    words go into, from the outside."""

    content: Content
    findings: Findings
    inside: tuple[Group, ...]
    kind: str

    @property
    def line(self) -> Group:
        return self.inside[-1]

    def elements(self, node: Mapping[str, object], model: type[FHIRAbstractModel], at: str) -> None:
        table, kind = declared(model), self.kind
        for name, value in sorted(node.items(), key=lambda one: _order(kind, table, one[0])):
            here = below(at, name)
            element = table.get(name)
            if _turned(kind, name, value):
                self.findings.add(here, "code", "a statement that stands")
            elif name == "extension":
                check_extensions(value, here, self.findings)
            elif name == "resourceType":
                continue
            elif (kind, name) in losses.CODES:
                self.code(name, value, losses.CODES[kind, name], here)
            elif (kind, name) in losses.COUNTED:
                self.said(name, str(value))
            elif name in losses.ORDINARY:
                self.status(name, value, here)
            elif name in losses.SILENT:
                continue
            elif name in losses.GRADED and element is not None:
                self.content.measures.append(partial(self.graded, element, value, here))
            elif name.removeprefix("_") in table and name not in table:
                check_siblings(value, here, self.findings)
            elif element is None or name in ("modifierExtension", "implicitRules", "contained"):
                self.findings.add(here, "not-read", NOT_CARRIED)
            else:
                for index, item in enumerate(value if isinstance(value, list) else [value]):
                    place = f"{here}[{index}]" if isinstance(value, list) else here
                    self.value(element, item, place)

    def code(self, name: str, value: object, words: Mapping[str, str], at: str) -> None:
        """One that FHIR itself fixes, in words; an ordinary one has none."""
        if str(value) in words:
            self.said(name, words[str(value)])
        else:
            self.findings.add(at, "code", "one of " + ", ".join(words))

    def status(self, name: str, value: object, at: str) -> None:
        """One that is not the ordinary one belongs to the words it is about, which come first. So do words
        beside it that are not its code's."""
        _look_inside(value, at, self.findings)
        found = _codes(value)
        if isinstance(value, Mapping) and found and not _is_called(value, _text(value.get("text")) or ""):
            self.said(name, value["text"])
        if found <= losses.ORDINARY[name] and found:
            return
        if found and found <= losses.SAYS.keys():
            for code in sorted(found):
                self.said(name, losses.SAYS[code])
        else:
            self.content.measures.append(partial(self.unsaid, at))

    def unsaid(self, at: str, *, told: bool) -> None:
        if not told:
            self.findings.add(at, "not-read", _BY_A_TEXT)

    def value(self, element: Element, value: object, at: str) -> None:
        kind = element.holds if element.model is None else element.model.__name__
        if kind in _WORDS:
            self.said(element.name, value)
        elif kind in MEASURES:
            self.content.measures.append(partial(self.measure, element.name, kind, value, at))
        elif element.model is not None and kind not in losses.TYPES and isinstance(value, Mapping):
            self.parts(element, element.model, value, at)
        elif kind not in losses.FREE and kind not in losses.TYPES:
            self.findings.add(at, "not-read", NOT_CARRIED)

    def measure(self, name: str, holds: str, value: object, at: str, *, told: bool) -> None:
        if told:
            _look_inside(value, at, self.findings)
            return
        said = say_measure(holds, (self.kind, name), value, at, self.findings)
        if said is None:
            self.findings.add(at, "not-read", _BY_A_TEXT)
        else:
            self.said(name, said)

    def graded(self, element: Element, value: object, at: str, *, told: bool) -> None:
        """How a measure is graded: what it was found to be, and between what it ought to be."""
        if told:
            _look_inside(value, at, self.findings)
            return
        for index, item in enumerate(value if isinstance(value, list) else []):
            if not isinstance(item, Mapping) or element.model is None:
                continue
            place = f"{at}[{index}]"
            if element.model.__name__ == "CodeableConcept":
                codings = item.get("coding")
                listed = [in_words(one) for one in codings] if isinstance(codings, list) else codings
                self.concept(element.name, {**item, "coding": listed}, place)
                continue
            ends = {end: item[end] for end in ("low", "high") if end in item}
            inside = self.within(element, element.model)
            inside.said("low", say_amount(ends, place, self.findings, coded=True))
            rest = {name: one for name, one in item.items() if name not in ends}
            inside.elements(rest, element.model, place)

    def within(self, element: Element, model: type[FHIRAbstractModel]) -> _Walk:
        """A group of its own in the line."""
        group = Group(self.line.family, partial(name_of, model.__name__))
        self.line.add(element.name, group)
        return replace(self, inside=(*self.inside, group), kind=model.__name__)

    def parts(
        self, element: Element, model: type[FHIRAbstractModel], value: Mapping[str, object], at: str
    ) -> None:
        kind = model.__name__
        if kind == "Attachment":
            self.findings.add(at, "not-read", "no attachment")
        elif kind == "Reference":
            self.reference(element, value, at)
        elif kind == "CodeableConcept":
            self.concept(element.name, value, at)
        elif kind == "Coding":
            self.concept(element.name, {"coding": [value]}, at)
        elif kind == "Annotation" and value.keys() == {"text"}:
            self.said(element.name, value["text"])
        elif kind in KINDS:
            self.dosage(self.within(element, model), dict(value), model, at)
        else:
            self.within(element, model).elements(value, model, at)

    def dosage(self, inside: _Walk, dosage: Json, model: type[FHIRAbstractModel], at: str) -> None:
        """How a medicine is taken, in words; what has codes of its own goes on as anywhere."""
        sequence = dosage.pop("sequence", None)
        words, rest = say_dosage(dosage, at, self.findings)
        for part, said in (("text", words), ("sequence", sequence)):
            if said is not None:
                inside.line.add(part, Words([str(said)]))
        inside.elements(rest, model, at)

    def reference(self, element: Element, value: Mapping[str, object], at: str) -> None:
        """What it points to belongs to the section. Without that its words do; those of who else had to do
        with it are left behind."""
        target, words, kind = (_text(value.get(name)) for name in ("reference", "display", "type"))
        pointer = Pointer(words.strip() if words else None, element.name in losses.MAIN)
        who = _is_who(element.targets, kind)
        if target is not None:
            self.content.references.append(Reference(target, f"{at}.reference", pointer, who))
        elif (element.name, kind) in losses.ANOTHER:
            self.findings.add(f"{at}.type", "reference", "the person of the document")
        elif not who and words is None and not _is_filed(element, value):
            self.findings.add(at, "reference", "an entry of this Bundle, or its words in display")
        if not who:
            self.line.add(element.name, pointer)
        look_over(value, _REFERENCE, at, self.findings)

    def concept(self, name: str, value: Mapping[str, object], at: str) -> None:
        """What its codings and its text say, which is one thing. The codes are those of the section; of one
        of the family their words say of whom."""
        listed = value.get("coding")
        whole = [item for item in listed if isinstance(item, Mapping)] if isinstance(listed, list) else []
        words = [one for item in whole for one in _words(item)]
        text = _text(value.get("text"))
        names = [*words, *([text] if text else [])]
        coded = [item for item in whole if _is_coded(item)]
        if self.line.family:
            self.of_family(name, names, coded, at)
        elif coded or names:
            said = Words(
                names or [str(item["code"]) for item in coded], bool(text) or not all(map(_is_coded, whole))
            )
            self.line.add(name, said)
            self.content.codes += [Coded(_code(item), said, self.inside) for item in coded]
        look_over(value, CONCEPT, at, self.findings)
        for number, item in enumerate(whole):
            look_over(item, CODING, f"{at}.coding[{number}]", self.findings)

    def of_family(self, name: str, names: list[str], coded: list[Mapping[str, object]], at: str) -> None:
        """The words, and the codes of what is said with them: those label the section like the person's own,
        and their words say of whom they are."""
        known = [NAMES[one] for item in coded if (one := (str(item["system"]), str(item["code"]))) in NAMES]
        if names or known:
            of_whom = bool(known) or name in losses.OF_WHOM
            said = Words(names or known[:1], codes=[] if of_whom else [str(item["code"]) for item in coded])
            self.line.add(name, said)
            self.content.codes += [] if of_whom else [Coded(_code(item), said, self.inside) for item in coded]
        elif coded:
            self.findings.add(at, "missing", "its words in display or text")

    def said(self, name: str, words: object) -> None:
        if isinstance(words, str) and words.strip():
            self.line.add(name, Words([words.strip()]))


def named(concept: object) -> Words | None:
    """What a concept is called: by its own words, else by a code."""
    codings = concept.get("coding") if isinstance(concept, Mapping) else None
    whole = [item for item in codings if isinstance(item, Mapping)] if isinstance(codings, list) else []
    names = [one for name in ("display", "code") for item in whole if (one := _text(item.get(name)))]
    return Words(names[:1], free=False) if names else None


def coded_in(concept: object) -> list[Coded]:
    """The codes of a concept, for a text that says it, too."""
    codings = concept.get("coding") if isinstance(concept, Mapping) else None
    whole = [item for item in codings if isinstance(item, Mapping)] if isinstance(codings, list) else []
    return [Coded(_code(item)) for item in whole if _is_coded(item)]


def _is_coded(coding: Mapping[str, object]) -> bool:
    return bool(_text(coding.get("system")) and _text(coding.get("code")))


def _words(coding: Mapping[str, object]) -> list[str]:
    """Its display; a code of no system is a word, too."""
    said = [_text(coding.get("display"))] if _is_coded(coding) else [_text(coding.get(one)) for one in _BARE]
    return [one.strip() for one in said if one]


_BARE = ("code", "display")


def _code(coding: Mapping[str, object]) -> Json:
    return present(system=coding["system"], kode=coding["code"], tekst=_text(coding.get("display")))


def _look_inside(value: object, at: str, findings: Findings) -> None:
    """Refuse extensions at any depth of what is not said because a text tells it: that tells no extension."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            _look_inside(item, f"{at}[{index}]", findings)
    elif isinstance(value, Mapping):
        for name, inside in value.items():
            here = below(at, name)
            if name == "extension":
                check_extensions(inside, here, findings)
            elif name == "modifierExtension":
                findings.add(here, "not-read", NOT_CARRIED)
            elif name.startswith("_"):
                check_siblings(inside, here, findings)
            else:
                _look_inside(inside, here, findings)


def _is_who(targets: frozenset[str], kind: str | None) -> bool:
    """Whether a reference leads to who else had to do with it, and not to what was done or used."""
    return (targets <= losses.WHO and not targets <= losses.DEVICES) or kind in losses.WHO - losses.DEVICES


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


def _is_called(concept: Mapping[str, object], words: str) -> bool:
    """Whether these are what its codes are called, if anything: by themselves, by the sender, or here."""
    codings = concept.get("coding")
    listed = [item for item in codings if isinstance(item, Mapping)] if isinstance(codings, list) else []
    codes = _codes(concept)
    names = [*codes, *(_text(item.get("display")) for item in listed), *map(IN_NORWEGIAN.get, codes)]
    return words.strip().casefold() in {"", *(name.casefold() for name in names if name)}


def _order(kind: str, table: Mapping[str, Element], name: str) -> int:
    """Where an element stands in its type, but what it is about before all else; a status last."""
    if name in losses.FIRST or (kind, name) in losses.FIRST_OF:
        return -1
    return len(table) if name in (*losses.ORDINARY, "status") else table[name].order if name in table else -1


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
