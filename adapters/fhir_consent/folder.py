"""Understands a folder of FHIR files, JSON and XML: which resources lie there, and what refers to what.

Must not know what a consent means. A file that cannot be opened is told as such, never passed over.
"""

from __future__ import annotations

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
        document = _xml(body) if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else read_json(body)
    except HubError as refused:
        yield Found(place, None, refused)
        return
    yield Found(place, document)
    entries = document.get("entry") if document.get("resourceType") == "Bundle" else None
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        inside = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(inside, dict):
            yield Found(f"{place}#entry[{index}]", inside)


class _Xml(Protocol):
    def model_validate_xml(self, source: bytes) -> Any: ...


def _xml(body: bytes) -> dict[str, object]:
    """A resource in XML as the JSON it would be. Of other resources than Consent only what tells who
    they are is read."""
    root = read_xml(body)
    if not root.tag.startswith(_FHIR):
        raise refuse("parse.format-unknown", "namespace", "a FHIR resource")
    kind = root.tag.removeprefix(_FHIR)
    if kind != "Consent":
        return _outline(root, kind)
    names = {child.tag.removeprefix(_FHIR) for child in root}
    newer = bool(names & set(_R5))
    model: _Xml = ConsentR5 if newer else ConsentR4
    try:
        said: dict[str, object] = model.model_validate_xml(body).model_dump()
    except Exception:  # noqa: BLE001  what it raises quotes the document
        raise HubError("parse.invalid", [Finding("body", "structure", "a valid FHIR Consent")]) from None
    return {"resourceType": kind, **_plain(said)}


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
