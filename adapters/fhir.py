"""Understands FHIR R4 as JSON has it: which elements of a resource were read, and that no other was there.

`fhir.resources` checks the structure first; then a `Reader` takes out what an adapter asks for by
name, and whatever nobody asked for is a finding. So nothing passes through unread and nothing is
dropped in silence. It must not know any profile, message type or code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pydantic import ValidationError

from adapters.base import Findings
from adapters.fhir_extensions import check_extensions, check_siblings
from adapters.fhir_paths import below, shown_as
from adapters.fhir_places import said_at

JSON_TYPES = ("application/fhir+json", "application/json")
XML_TYPES = ("application/fhir+xml", "application/xml", "text/xml")

NOT_CARRIED = "nothing here: the hub does not carry this element"

Json = dict[str, object]


class Model(Protocol):
    """What we need of a class of `fhir.resources.R4B`."""

    def model_validate(self, obj: object, /) -> object: ...


class Reader:
    """One element of a resource. Every access notes the name; `finish` reports names never asked for.

    There is one for each element of a document until the end, so it is small: lists, no sets.
    """

    __slots__ = ("_findings", "_inside", "_node", "_seen", "at")

    def __init__(self, node: Mapping[str, object], at: str, findings: Findings) -> None:
        self._node, self.at, self._findings = node, at, findings
        self._seen: list[str] = []
        self._inside: list[Reader] = []

    def has(self, name: str) -> bool:
        """Whether it is there, without counting as read."""
        return name in self._node

    def peek(self, *names: str) -> object:
        """The value below these names, without counting as read."""
        here: object = self._node
        for name in names:
            here = here.get(name) if isinstance(here, Mapping) else None
        return here

    def ignore(self, *names: str) -> None:
        """Declare that these carry nothing that we read, such as `id` and a generated `text`."""
        self._seen.extend(name for name in names if name in self._node)

    def ignore_all(self) -> None:
        """Say nothing more about an element that is already refused as a whole."""
        self._seen = list(self._node)
        self._inside = []

    def fault(self, name: str, rule: str, expected: str) -> None:
        self._findings.add(self._at(name) or "body", rule, expected)

    def _at(self, name: str) -> str:
        return f"{self.at}.{name}" if self.at and name else self.at or name

    def text(self, name: str, *, required: bool = False) -> str | None:
        """A string that is not blank."""
        value = self._take(name, required)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            self.fault(name, "type", "text")
            return None
        return value

    def texts(self, name: str) -> list[str]:
        """A list of strings that are not blank."""
        value = self._take(name, False)
        items = value if isinstance(value, list) else [] if value is None else [value]
        if not all(isinstance(item, str) and item.strip() for item in items):
            self.fault(name, "type", "a list of texts")
        return [item for item in items if isinstance(item, str)]

    def integer(self, name: str) -> int | None:
        value = self._take(name, False)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            self.fault(name, "type", "an integer")
            return None
        return value

    def boolean(self, name: str) -> bool | None:
        value = self._take(name, False)
        if value is None or isinstance(value, bool):
            return value
        self.fault(name, "type", "true or false")
        return None

    def child(self, name: str, *, required: bool = False) -> Reader | None:
        value = self._take(name, required)
        if value is None:
            return None
        return self._open(value, name)

    def children(self, name: str, *, at_least: int = 0, at_most: int | None = None) -> list[Reader]:
        value = self._take(name, False)
        if value is None:
            value = []
        if not isinstance(value, list):
            self.fault(name, "type", "a list")
            return []
        if len(value) < at_least or (at_most is not None and len(value) > at_most):
            self.fault(
                name, "count", f"at least {at_least}" if at_most is None else f"{at_least} to {at_most}"
            )
        opened = [self._open(item, f"{name}[{index}]") for index, item in enumerate(value)]
        return [reader for reader in opened if reader is not None]

    def constant(self, name: str, value: str) -> None:
        """A code that must have one value, because the element would mean something else otherwise."""
        if self.text(name, required=True) not in (None, value):
            self.fault(name, "value", value)

    def one_of(self, name: str, values: Mapping[str, str]) -> str | None:
        """The meaning of a code that must be there."""
        found = self.text(name, required=True)
        if found is None:
            return None
        if found not in values:
            self.fault(name, "code", "one of " + ", ".join(values))
        return values.get(found)

    def check(self, model: Model, findings: Findings) -> None:
        """Let `fhir.resources` look at the structure of this resource, but not of those it contains: it does
        not survive every one of them. `findings` are other ones than those of the reading, which may find
        the same in the same place and add these with `extend`."""
        alone = {name: value for name, value in self._node.items() if name != "contained"}
        check_structure(alone, model, self.at, findings)

    def take(self, name: str) -> object:
        """The value as it stands, read by somebody else."""
        self.ignore(name)
        return self._node.get(name)

    def rest(self) -> Json:
        """All that nobody has read yet, read by somebody else."""
        known = (*self._seen, "resourceType")
        left = {name: value for name, value in self._node.items() if name not in known}
        self._seen.extend(left)
        return left

    def left_extensions(self, *names: str) -> None:
        """The extensions here and beside these values are such that may be left behind."""
        if "extension" in self._node and "extension" not in self._seen:
            check_extensions(self.take("extension"), self._at("extension"), self._findings)
        for name in names:
            if f"_{name}" in self._node:
                check_siblings(self.take(f"_{name}"), self._at(f"_{name}"), self._findings)

    def finish(self) -> None:
        """Report every element that nobody read, here and below."""
        for name in self._node:
            if name not in self._seen and name != "resourceType":
                self._findings.add(below(self.at, name), "not-read", NOT_CARRIED)
        for reader in self._inside:
            reader.finish()

    def _take(self, name: str, required: bool) -> object:
        self.ignore(name)
        value = self._node.get(name)
        if value is None and (required or name in self._node):
            self.fault(name, "missing", "a value")
        return value

    def _open(self, value: object, name: str) -> Reader | None:
        if not isinstance(value, dict):
            self.fault(name, "type", "an object")
            return None
        reader = Reader(value, self._at(name), self._findings)
        self._inside.append(reader)
        return reader


# ------------------------------------------------------------------------------------ structure


def check_structure(resource: object, model: Model, at: str, findings: Findings) -> None:
    """Let `fhir.resources` look at one resource. Its messages quote the input: only places are kept."""
    try:
        model.model_validate(resource)
    except ValidationError as fault:
        found = [
            (error["loc"], error["type"]) for error in fault.errors(include_input=False, include_url=False)
        ]
    except Exception:  # noqa: BLE001  it does not always wrap what its own lookups raise
        found = [((), "structure")]
    else:
        return
    for where, told in found:
        kind = told.rsplit(".", 1)[-1]
        findings.add(_path(at, where, kind), _RULES.get(kind, "datatype"), "valid FHIR R4")


_OTHER_RESOURCE = "fhir-validation-wrong-resource-type"
_UNKNOWN = "extra_forbidden"
_RULES = {
    "missing": "missing",
    "structure": "structure",
    _UNKNOWN: "unknown-element",
    _OTHER_RESOURCE: "value",
}
"""Our rules, by what the library calls the fault; whatever else it finds is no value of the datatype."""


def _path(at: str, where: tuple[int | str, ...], kind: str) -> str:
    if kind == _UNKNOWN:  # the last step is a name that the sender made up
        return shown_as(_steps(at, (*where[:-1], "?")), _steps(at, where))
    return _steps(at, ("resourceType",) if where == ("resource_type",) else where) or "body"


def _steps(at: str, where: tuple[int | str, ...]) -> str:
    path = at
    for step in where:
        if step == "root":
            continue
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


# ---------------------------------------------------------------------------------------- parts

_CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ORDINARY = ("U", "L", "M", "N")
_DERIVED = ("generated", "extensions", "empty")


def open_resource(resource: Reader) -> None:
    """Pass over what is issued anew on the way out: id, profile, language, a narrative that only
    repeats the data. A security label above normal would be lost on the way, so it is a finding."""
    resource.ignore("id", "language")
    meta = resource.child("meta")
    if meta is not None:
        meta.ignore("profile", "versionId", "lastUpdated", "source", "tag")
        for label in meta.children("security"):
            label.ignore("display", "version")
            if label.text("system") != _CONFIDENTIALITY or label.text("code") not in ORDINARY:
                label.fault("", "security-label", "no label above normal: the hub labels by content itself")
    narrative = resource.child("text")
    if narrative is not None:
        narrative.ignore("div")
        if narrative.text("status") not in _DERIVED:
            narrative.fault("status", "value", "one of " + ", ".join(_DERIVED))


def coding(concept: Reader | None) -> tuple[str | None, str | None, str | None] | None:
    """(system, code, words) of a CodeableConcept. Two codings could mean different things to the
    labelling and to the reader, so there is one. Its words are its display and, where somebody wrote
    another, its text behind it."""
    found = open_concept(concept)
    if found is None:
        return None
    system, code, display, text = found
    if display and text and display.casefold() != text.casefold():
        return system, code, said_at(f"{display} / {text}", text)
    return system, code, text or display


def only_code(concept: Reader | None, *names: str) -> tuple[str | None, str | None] | None:
    """(system, code) for a field that has no words. A text that is neither the display nor the code nor one
    of these names for it says more than the code ("urgent"), and would be lost: it is refused."""
    found = open_concept(concept)
    if concept is None or found is None:
        return None
    system, code, display, text = found
    known = {name.casefold() for name in (code, display, *names) if name}
    if text is not None and text.casefold() not in known:
        concept.fault("text", "value", "no words beside a code but its display")
    return system, code


def open_concept(concept: Reader | None) -> tuple[str | None, str | None, str | None, str | None] | None:
    """As `coding`, but (system, code, display, text): where it matters whether the words came with the
    code, or were written beside it."""
    if concept is None:
        return None
    text = concept.text("text")
    codings = concept.children("coding", at_least=1, at_most=1)
    if not codings:
        return None
    system, code, display = open_coding(codings[0])
    return system, code, display, text


def open_coding(item: Reader) -> tuple[str | None, str | None, str | None]:
    """(system, code, display) of one Coding."""
    item.ignore("version", "userSelected")
    return item.text("system"), item.text("code"), item.text("display")


def concept(system: object, code: object, words: object = None) -> Json:
    """A CodeableConcept with one coding."""
    return {"coding": [present(system=system, code=code, display=words)]}


def present(**elements: object) -> Json:
    """Only the elements that hold something: FHIR has no nulls, empty lists or empty objects."""
    return {name: value for name, value in elements.items() if value not in (None, [], {})}
