"""Understands the official XSDs of a folder: whether a KITH document is valid by them, with line and column.

The folder is whatever the national archive's schemas were unpacked to, in any depth. Nothing is fetched: an
import is answered with the file of the same name in the folder, wherever its `schemaLocation` points. It must
not know any message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lxml import etree

from adapters.kith.datatypes import XHTML
from adapters.kith.places import fault_at
from adapters.kith.texts import Said, say
from adapters.safe_xml import log_of, positions
from hub.errors import Finding

_XS = "http://www.w3.org/2001/XMLSchema"
_BUILT_IN = frozenset({XHTML, _XS, "http://www.w3.org/XML/1998/namespace", f"{_XS}-instance", ""})


class NationalSchemas:
    """All schemas of a folder, compiled per set of namespaces at first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._compiled: dict[frozenset[str], etree.XMLSchema | None] = {}

    @cached_property
    def _files(self) -> Mapping[str, Path]:
        """Namespace to file: the first by name that no other of the namespace includes."""
        found: dict[str, list[tuple[Path, frozenset[str]]]] = {}
        for file in sorted(self._folder.rglob("*.xsd")):
            if (said := _head(file)) is not None:
                found.setdefault(said[0], []).append((file, said[1]))
        return {namespace: _main(files) for namespace, files in found.items()}

    def knows(self, root: etree._Element) -> bool:
        """Whether the folder has a schema for the root's namespace."""
        return etree.QName(root).namespace in self._files

    def findings(self, root: etree._Element, body: bytes) -> tuple[Finding, ...]:
        """What the schemas say no to; empty too where the folder has none for the root."""
        schema = self._schema(_namespaces(root))
        if schema is None or not self.knows(root) or schema.validate(root):
            return ()
        where = dict(zip(root.iter(), positions(body), strict=True))
        found = [
            fault_at(where, element, _plain(path), _said(expects))
            for element, path, expects in _reported(schema, root)
        ]
        return tuple(dict.fromkeys(found))

    def _schema(self, namespaces: frozenset[str]) -> etree.XMLSchema | None:
        if namespaces not in self._compiled:
            self._compiled[namespaces] = self._compile(namespaces)
        return self._compiled[namespaces]

    def _compile(self, namespaces: frozenset[str]) -> etree.XMLSchema | None:
        files = {name: self._files[name] for name in sorted(namespaces) if name in self._files}
        if not files:
            return None
        driver = etree.Element(f"{{{_XS}}}schema", nsmap={"xs": _XS})
        for namespace, file in files.items():
            etree.SubElement(driver, f"{{{_XS}}}import", namespace=namespace, schemaLocation=file.as_uri())
        parser = etree.XMLParser(no_network=True)
        parser.resolvers.add(_Beside(self._folder))
        return etree.XMLSchema(etree.fromstring(etree.tostring(driver), parser))


class _Beside(etree.Resolver):
    """Answers every import with the file of that name: in the same folder first, then anywhere below."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def resolve(self, system_url: str, public_id: str, context: Any) -> Any:  # type: ignore[override]  # the stubs miss the third
        given = Path(unquote(system_url.removeprefix("file://")))
        name = _name(unquote(system_url))
        near = given if given.is_file() and self._folder in given.parents else None
        found = near or next(iter(sorted(self._folder.rglob(name))), None) if name else None
        text = found.read_bytes() if found else b"<nothing/>"
        return self.resolve_string(text, context, base_url=found.as_uri() if found else None)


def _head(file: Path) -> tuple[str, frozenset[str]] | None:
    """The namespace of a schema, and the names of the files that it includes."""
    try:
        root = etree.parse(file, etree.XMLParser(no_network=True, resolve_entities=False)).getroot()
    except (etree.XMLSyntaxError, OSError):
        return None
    namespace = root.get("targetNamespace")
    names = (item.get("schemaLocation", "") for item in root.iter(f"{{{_XS}}}include"))
    return None if namespace is None else (namespace, frozenset(map(_name, names)))


def _name(location: str) -> str:
    return location.replace("\\", "/").rpartition("/")[2]


def _main(files: list[tuple[Path, frozenset[str]]]) -> Path:
    included = {name for file, names in files for name in names if name != file.name}
    return next((file for file, _ in files if file.name not in included), files[0][0])


def _namespaces(root: etree._Element) -> frozenset[str]:
    return frozenset(etree.QName(item).namespace or "" for item in root.iter()) - _BUILT_IN


def _said(expects: tuple[str, ...]) -> Said:
    said, names = say("national-schema"), ", ".join(expects)
    return Said(said.rule, f"{said.nb}: {names}", f"{said.en}: {names}") if names else said


def _reported(
    schema: etree.XMLSchema, root: etree._Element
) -> Iterator[tuple[etree._Element, str, tuple[str, ...]]]:
    tree = root.getroottree()
    prefixes: dict[str, str] = {}
    for item in root.iter():
        for name, uri in item.nsmap.items():
            if name:
                prefixes.setdefault(name, uri)
    for entry in log_of(schema.error_log):
        try:
            found = tree.xpath(entry.path, namespaces=prefixes) if entry.path else []
        except etree.XPathError:
            found = []
        element = found[0] if isinstance(found, list) and found else root
        if isinstance(element, etree._Element):
            yield element, f"{etree.QName(root).localname}/{tree.getelementpath(element)}", entry.expects


def _plain(path: str) -> str:
    """A path without namespaces. The last name may be the sender's own, and shows as `?`."""
    *known, _ = re.sub(r"\{[^}]*\}", "", path).split("/")
    return "/".join(["", *(name for name in known if name not in ("", ".")), "?"])
