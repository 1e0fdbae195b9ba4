"""Understands a folder of FHIR files, JSON and XML: which resources lie there, and what refers to what.

Must not know what a consent means. A file that cannot be opened is told as such, never passed over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from fhir.resources.consent import Consent as ConsentR5
from fhir.resources.R4B.consent import Consent as ConsentR4
from lxml import etree

from adapters.base import refuse
from adapters.safe_json import read_json
from adapters.safe_xml import read_xml
from hub.errors import Finding, HubError

MAX_BYTES = 10 * 1024 * 1024
_FHIR = "{http://hl7.org/fhir}"
_R5 = ("subject", "date", "decision", "grantor", "grantee", "manager", "controller", "period")


@dataclass(frozen=True)
class Found:
    """One resource, or why there is none. `place` is the file, with the entry of a Bundle behind #."""

    place: str
    resource: Mapping[str, object] | None = field(repr=False)
    refused: HubError | None = None

    @property
    def type(self) -> str:
        """The resource type, or an empty string."""
        kind = self.resource.get("resourceType") if self.resource is not None else None
        if isinstance(kind, str) and kind.strip().lower() == "consent":
            return "Consent"  # misspelt, so that it is refused as one and not passed over
        return kind if isinstance(kind, str) and kind.isascii() and kind.isalnum() else ""


class Folder:
    """Everything in a folder and below, in the order of names."""

    def __init__(self, root: Path) -> None:
        files = sorted(path for path in root.rglob("*") if path.is_file() or path.is_symlink())
        self.found = tuple(found for file in files for found in _opened(file, str(file.relative_to(root))))
        self._by_reference: dict[str, list[Mapping[str, object]]] = {}
        for found in self.found:
            if found.resource is not None and found.type and isinstance(found.resource.get("id"), str):
                name = f"{found.type}/{found.resource['id']}"
                self._by_reference.setdefault(name, []).append(found.resource)

    def resolve(self, reference: str) -> Mapping[str, object] | None:
        """The resource that lies here under a relative reference; of two with one id, neither."""
        found = self._by_reference.get(reference, [])
        return found[0] if len(found) == 1 else None


def _opened(file: Path, place: str) -> Iterator[Found]:
    try:
        if not file.is_file():  # a link to what never ends
            raise OSError
        if file.stat().st_size > MAX_BYTES:
            raise refuse("receive.too-large", "size", f"at most {MAX_BYTES} bytes")
        body = file.read_bytes()
    except OSError:
        yield Found(place, None, HubError("parse.malformed", [Finding("file", "file", "a readable file")]))
        return
    except HubError as refused:
        yield Found(place, None, refused)
        return
    try:
        if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            root = read_xml(body)
            if not root.tag.startswith(_FHIR):
                raise refuse("parse.format-unknown", "namespace", "a FHIR resource")
            yield from _resources(root, place)
            return
        document = read_json(body)
        if not isinstance(document.get("resourceType"), str):
            raise refuse("parse.format-unknown", "resourceType", "a FHIR resource")
    except HubError as refused:
        yield Found(place, None, refused)
        return
    yield Found(place, document)
    for path, inside in _inside(document, ""):
        yield Found(f"{place}#{path.removesuffix('.resource')}", inside)


def _inside(around: object, at: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Every resource inside another, at any depth and under any name. What a consent contains is a
    matter of reading the consent; of what others contain, which nothing outside them can refer to, only
    the consents."""
    if isinstance(around, list):
        for index, one in enumerate(around):
            yield from _found_at(one, f"{at}[{index}]")
    elif isinstance(around, dict) and around.get("resourceType") != "Consent":
        for name, one in around.items():
            yield from _found_at(one, f"{at}.{name}" if at else name)


def _found_at(one: object, at: str) -> Iterator[tuple[str, dict[str, object]]]:
    kind = one.get("resourceType") if isinstance(one, dict) else None
    if (
        isinstance(one, dict)
        and isinstance(kind, str)
        and (kind == "Consent" or ".contained[" not in f".{at}")
    ):
        yield at, one
    yield from _inside(one, at)


def _resources(root: etree._Element, place: str) -> Iterator[Found]:
    """As for JSON: the resource of an XML file, and every one inside it."""
    kind = root.tag.removeprefix(_FHIR)
    try:
        yield Found(place, _consent(root) if kind == "Consent" else _outline(root, kind))
    except HubError as refused:
        yield Found(place, None, refused)
    if kind == "Consent":
        return
    holders = [child for child in root.iter(f"{_FHIR}resource", f"{_FHIR}contained") if len(child)]
    for index, holder in enumerate(holders):
        inside = holder[0]
        name, found = f"{place}#resource[{index}]", str(inside.tag).removeprefix(_FHIR)
        around = {element.tag for element in (holder, *holder.iterancestors())}
        if f"{_FHIR}Consent" not in around and (found == "Consent" or f"{_FHIR}contained" not in around):
            try:
                yield Found(name, _consent(inside) if found == "Consent" else _outline(inside, found))
            except HubError as refused:
                yield Found(name, None, refused)


class _Xml(Protocol):
    def model_validate_xml(self, source: bytes) -> Any: ...


def _consent(root: etree._Element) -> dict[str, object]:
    """A consent in XML as the JSON it would be, if nothing of it gets lost on the way."""
    names = {child.tag.removeprefix(_FHIR) for child in root}
    newer = bool(names & set(_R5))
    model: _Xml = ConsentR5 if newer else ConsentR4
    try:
        said: dict[str, object] = model.model_validate_xml(etree.tostring(root)).model_dump()
    except Exception:  # noqa: BLE001  what it raises quotes the document
        raise HubError("parse.invalid", [Finding("body", "structure", "a valid FHIR Consent")]) from None
    if Counter(_written(root, ())) != Counter(_read(said, ())):
        raise HubError("parse.invalid", [Finding("body", "structure", "each element once, of FHIR only")])
    return {"resourceType": "Consent", **_plain(said)}


_ATTRIBUTES = frozenset({"value", "id"})
_EXTENSIONS = (("extension",), ("modifierExtension",))
_Path = tuple[str, ...]


def _written(element: etree._Element, at: _Path) -> Iterator[_Path]:
    """Where values stand in the XML. What is no FHIR stands where nothing is ever read."""
    if at == ("text", "{http://www.w3.org/1999/xhtml}div"):
        return
    allowed = _ATTRIBUTES | {"url"} if at[-1:] in _EXTENSIONS else _ATTRIBUTES
    if not element.tag.startswith(_FHIR) or set(element.keys()) - allowed or _words(element):
        yield ("",)
    if element.get("value") is not None:
        yield at
    for child in element:
        if (name := str(child.tag).removeprefix(_FHIR)) != "contained":
            yield from _written(child, (*at, name))


def _words(element: etree._Element) -> bool:
    """Whether something is said between the elements."""
    between = [element.text, *(child.tail for child in element)]
    return any(text and text.strip() for text in between)


def _read(said: object, at: _Path) -> Iterator[_Path]:
    """Where values stand in what was made of it, but for those that XML writes as attributes."""
    if isinstance(said, Mapping):
        for name, child in said.items():
            extension = name == "url" and at[-1:] in _EXTENSIONS
            attribute = extension or (name == "id" and at)
            if not attribute and name not in {"resourceType", "contained"} and child is not None:
                yield from _read(child, (*at, name.removeprefix("_")))
    elif isinstance(said, list):
        for child in said:
            yield from _read(child, at)
    elif said is not None and at != ("text", "div"):
        yield at


def _plain(value: Any) -> Any:
    """As the JSON reader would have given it."""
    if isinstance(value, Mapping):
        return {name: _plain(child) for name, child in value.items() if child is not None}
    if isinstance(value, list):
        return [_plain(child) for child in value]
    if isinstance(value, (str, bool, int, Decimal)):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _outline(root: etree._Element, kind: str) -> dict[str, object]:
    outline: dict[str, object] = {"resourceType": kind}
    identifiers: list[dict[str, str]] = []
    for child in root:
        if child.tag == f"{_FHIR}id":
            outline["id"] = child.get("value", "")
        if child.tag == f"{_FHIR}identifier":
            parts = {str(part.tag).removeprefix(_FHIR): part.get("value", "") for part in child}
            identifiers.append({name: parts[name] for name in ("system", "value") if name in parts})
    return outline | ({"identifier": identifiers} if identifiers else {})
