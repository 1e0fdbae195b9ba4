"""Understands a folder of official XSDs as the judge of documents, offline.

The files refer to each other by web addresses and by names of files that lie elsewhere. Each reference
is turned into the file of that name nearest to the one that refers, or into nothing: no address is
asked for, no file outside the folder is opened, no entity is resolved. For the namespaces of a document
one schema is put together and kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit
from xml.parsers.expat import ExpatError

from lxml import etree

from adapters.safe_xml import Logged, log_of, positions
from hub.errors import Finding, HubError

MAX_BYTES = 8 * 1024 * 1024
"""No XSD in use is near it."""

_XS = "http://www.w3.org/2001/XMLSchema"
_CATALOG = "{urn:oasis:names:tc:entity:xmlns:xml:catalog}"
_REFERS = (f"{{{_XS}}}import", f"{{{_XS}}}include", f"{{{_XS}}}redefine")
_LEFT_OUT = frozenset({"http://www.w3.org/1999/xhtml", _XS, "http://www.w3.org/2001/XMLSchema-instance"})
"""Text in XHTML is bounded by the messages' own rules, and its XSD contradicts the national ones."""


@dataclass(frozen=True)
class Judged:
    """What the XSDs say of one document: `known` is False when none of them declares its root."""

    known: bool
    findings: tuple[Finding, ...] = ()

    @property
    def valid(self) -> bool:
        return self.known and not self.findings

    @property
    def word(self) -> str:
        return "unknown" if not self.known else "valid" if self.valid else "invalid"


@dataclass(frozen=True)
class _File:
    path: Path
    namespace: str
    refers: tuple[str, ...]
    included: frozenset[str] = field(default_factory=frozenset)


class SchemaSet:
    """All XSDs in a folder and below. Raises settings.invalid when there is none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._files = {found.path: found for found in _files(self._folder)}
        if not self._files:
            raise HubError("settings.invalid", [Finding("--schemas", "xsd", "a folder with XSD files")])
        self._by_name: dict[str, list[Path]] = {}
        self._by_namespace: dict[str, list[Path]] = {}
        for path, file in self._files.items():
            self._by_name.setdefault(path.name.lower(), []).append(path)
            self._by_namespace.setdefault(file.namespace, []).append(path)
        self._catalog = dict(_catalogs(self._folder))
        self._made: dict[frozenset[str], etree.XMLSchema | None] = {}

    @property
    def namespaces(self) -> frozenset[str]:
        """Every namespace that some file declares."""
        return frozenset(self._by_namespace) - {""}

    def judge(self, body: bytes) -> Judged:
        """What the XSDs say of these bytes, in whatever encoding they declare. What is no XML, or has a
        DOCTYPE, is not known."""
        try:
            root = etree.fromstring(body, _parser())
        except (etree.XMLSyntaxError, ValueError, LookupError):
            return Judged(known=False)
        if root.getroottree().docinfo.internalDTD is not None:
            return Judged(known=False)
        return self._judge(root, body)

    def _judge(self, root: etree._Element, body: bytes) -> Judged:
        own = frozenset({etree.QName(root.tag).namespace or ""}) & self.namespaces
        schema = self._schema(_namespaces(root) & self.namespaces) or self._schema(own)
        if schema is None:
            return Judged(known=False)
        if schema.validate(root):
            return Judged(known=True)
        log = [replace(entry, rule=entry.rule.removeprefix("cvc-")) for entry in log_of(schema.error_log)]
        if any(entry.rule == "elt-1" for entry in log if _depth(entry.path) == 1):
            return Judged(known=False)  # no file declares the root, so nothing below it was looked at
        return Judged(known=True, findings=tuple(_found(root, body, log)))

    # ------------------------------------------------------------------------------ one schema

    def _schema(self, namespaces: frozenset[str]) -> etree.XMLSchema | None:
        if namespaces not in self._made:
            self._made[namespaces] = self._make(namespaces)
        return self._made[namespaces]

    def _make(self, namespaces: frozenset[str]) -> etree.XMLSchema | None:
        """None when no file fits, or when those that fit are not sound together."""
        driver = etree.Element(f"{{{_XS}}}schema")
        for namespace in sorted(namespaces):
            attributes = {"namespace": namespace, "schemaLocation": self._main(namespace).as_uri()}
            etree.SubElement(driver, f"{{{_XS}}}import", attributes)
        if not len(driver):
            return None
        parser = _parser()
        parser.resolvers.add(_Resolver(self))
        try:
            return etree.XMLSchema(etree.fromstring(etree.tostring(driver), parser))
        except etree.XMLSchemaParseError:
            return None

    def _main(self, namespace: str) -> Path:
        """The file for a namespace: what a catalogue says; else one that no other file of the same
        namespace includes; else the first by name."""
        candidates = sorted(self._by_namespace[namespace])
        named = self._catalog.get(namespace, "").lower()
        if fitting := [path for path in candidates if path.name.lower() == named]:
            return fitting[0]
        included = {name.lower() for path in candidates for name in self._files[path].included}
        return next((path for path in candidates if path.name.lower() not in included), candidates[0])

    def local(self, location: str, namespace: str, beside: Path) -> Path | None:
        """The file that a reference means, or None: the one it points to if that lies in the folder,
        else the nearest of that name, else the one for its namespace."""
        name = unquote(urlsplit(location).path).replace("\\", "/")
        pointed = Path(os.path.normpath(beside.parent / name)) if name else None
        if pointed in self._files:
            return pointed
        named = self._by_name.get(name.rpartition("/")[2].lower(), [])
        fitting = [path for path in named if not namespace or self._files[path].namespace == namespace]
        if fitting:
            return min(fitting, key=lambda path: (-_shared(path, beside), str(path)))
        return self._main(namespace) if namespace in self._by_namespace else None

    def rewritten(self, path: Path) -> bytes:
        """The bytes of a file of the folder with every reference pointing into the folder."""
        root = etree.fromstring(path.read_bytes(), _parser())
        for element in list(root.iter(*_REFERS)):
            namespace = element.get("namespace", "") if element.tag == _REFERS[0] else ""
            if namespace in _LEFT_OUT:
                element.attrib.pop("schemaLocation", None)
                continue
            found = self.local(element.get("schemaLocation", ""), namespace, path)
            if found is not None and found != path:
                element.set("schemaLocation", found.as_uri())
            elif element.tag == _REFERS[0]:
                element.attrib.pop("schemaLocation", None)
            else:
                root.remove(element)  # an include of nothing
        return etree.tostring(root)

    def holds(self, path: Path) -> bool:
        return path in self._files


class _Resolver(etree.Resolver):
    """Answers with files of the set and with nothing else."""

    def __init__(self, schemas: SchemaSet) -> None:
        self._schemas = schemas

    def resolve(  # type: ignore[override]  # lxml-stubs know neither the context nor the answers
        self, system_url: str, public_id: str, context: Any
    ) -> Any:
        path = Path(unquote(urlsplit(system_url or "").path))
        if not self._schemas.holds(path):
            return self.resolve_empty(context)  # type: ignore[attr-defined]  # as above
        return self.resolve_string(self._schemas.rewritten(path), context, base_url=path.as_uri())


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)


def _files(folder: Path) -> Iterator[_File]:
    for path in _below(folder, ".xsd"):
        try:
            root = etree.fromstring(path.read_bytes(), _parser())
        except (OSError, etree.XMLSyntaxError):
            continue  # what cannot be read judges nothing
        if root.tag != f"{{{_XS}}}schema":
            continue
        included = [_base(e) for e in root.iter(*_REFERS[1:])]
        refers = tuple(_base(element) for element in root.iter(*_REFERS))
        yield _File(path, root.get("targetNamespace", ""), refers, frozenset(included))


def _base(element: etree._Element) -> str:
    return unquote(urlsplit(element.get("schemaLocation", "")).path).rpartition("/")[2]


def _below(folder: Path, suffix: str) -> Iterator[Path]:
    """Plain files of at most MAX_BYTES in the order of names; links are not followed."""
    for here, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(here, name)
            plain = name.lower().endswith(suffix) and not path.is_symlink() and path.is_file()
            if plain and path.stat().st_size <= MAX_BYTES:
                yield path


def _catalogs(folder: Path) -> Iterator[tuple[str, str]]:
    """Namespace and name of a file from every XML catalogue in the folder. The folders that it names
    are those of its maker."""
    for path in _below(folder, ".xml"):
        if "catalog" not in path.name.lower():
            continue
        try:
            root = etree.fromstring(path.read_bytes(), _parser())
        except (OSError, etree.XMLSyntaxError):
            continue
        for element in root.iter(*(_CATALOG + kind for kind in ("uri", "system", "public"))):
            name = element.get("name") or element.get("systemId") or element.get("publicId") or ""
            yield name, unquote(element.get("uri", "")).rpartition("/")[2]


def _namespaces(root: etree._Element) -> frozenset[str]:
    found = {etree.QName(element.tag).namespace or "" for element in root.iter(etree.Element)}
    for element in root.iter(etree.Element):
        found |= {etree.QName(name).namespace or "" for name in element.attrib}
    return frozenset(found) - _LEFT_OUT


def _shared(one: Path, other: Path) -> int:
    return len(os.path.commonpath((one.parent, other.parent)))


def _depth(path: str) -> int:
    return path.count("/")


def _found(root: etree._Element, body: bytes, log: list[Logged]) -> Iterator[Finding]:
    """Every fault with its place, and what the schema expects there. The messages of the validator quote the
    document, so they stay here."""
    elements = list(root.iter(etree.Element))
    places = _places(elements, body)
    prefixes = {prefix: uri for e in reversed(elements) for prefix, uri in e.nsmap.items() if prefix}
    for entry in log:
        element = _at(root, entry.path, prefixes)
        line, column = places.get(element, (None, None))
        names = ", ".join(entry.expects)
        expected = f"what the XSD declares: {names}" if names else "what the XSD declares"
        yield Finding("/" + _names(element), entry.rule, expected, line, column)


def _places(
    elements: list[etree._Element], body: bytes
) -> dict[etree._Element, tuple[int | None, int | None]]:
    try:
        found = positions(body)
    except (ExpatError, HubError):  # in an encoding that nobody reads: libxml2 knows the line
        return {element: (cast(int, element.sourceline), None) for element in elements}
    return dict(zip(elements, found, strict=True))


def _at(root: etree._Element, path: str, prefixes: dict[str, str]) -> etree._Element:
    """The element that libxml2 means; the root when two prefixes of one name leave that open."""
    try:
        hit = root.getroottree().xpath(path, namespaces=prefixes) if path else []
    except etree.XPathError:
        hit = []
    return hit[0] if isinstance(hit, list) and hit and isinstance(hit[0], etree._Element) else root


def _names(element: etree._Element) -> str:
    """The path of an element. The last name may be the sender's own, and shows as `?`."""
    above = reversed(list(element.iterancestors()))
    return "/".join([*(etree.QName(one.tag).localname for one in above), "?"])
