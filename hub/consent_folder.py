"""Understands a folder of FHIR files, JSON and XML: which resources lie there, and what refers to what.

Must not know what a consent means. A file that cannot be opened is told as such, never passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

from adapters.base import Findings, refuse
from adapters.fhir_consent.resource import models
from adapters.fhir_xml import FHIR, XmlReader
from adapters.safe_json import read_json
from adapters.safe_xml import read_xml
from hub.errors import Finding, HubError

MAX_BYTES = 10 * 1024 * 1024


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
            if not root.tag.startswith(FHIR):
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
    kind = root.tag.removeprefix(FHIR)
    try:
        yield Found(place, _consent(root) if kind == "Consent" else _outline(root, kind))
    except HubError as refused:
        yield Found(place, None, refused)
    if kind == "Consent":
        return
    holders = [child for child in root.iter(f"{FHIR}resource", f"{FHIR}contained") if len(child)]
    for index, holder in enumerate(holders):
        inside = holder[0]
        name, found = f"{place}#resource[{index}]", str(inside.tag).removeprefix(FHIR)
        around = {element.tag for element in (holder, *holder.iterancestors())}
        if f"{FHIR}Consent" not in around and (found == "Consent" or f"{FHIR}contained" not in around):
            try:
                yield Found(name, _consent(inside) if found == "Consent" else _outline(inside, found))
            except HubError as refused:
                yield Found(name, None, refused)


def _consent(root: etree._Element) -> dict[str, object]:
    """A consent in XML as the JSON it would be, or every fault of its XML by path."""
    faults = Findings()
    document = XmlReader(root, models, faults).document
    faults.finish()
    return document


def _outline(root: etree._Element, kind: str) -> dict[str, object]:
    outline: dict[str, object] = {"resourceType": kind}
    identifiers: list[dict[str, str]] = []
    for child in root:
        if child.tag == f"{FHIR}id":
            outline["id"] = child.get("value", "")
        if child.tag == f"{FHIR}identifier":
            parts = {str(part.tag).removeprefix(FHIR): part.get("value", "") for part in child}
            identifiers.append({name: parts[name] for name in ("system", "value") if name in parts})
    return outline | ({"identifier": identifiers} if identifiers else {})
