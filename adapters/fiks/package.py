"""Understands a package of files as Fiks carries it: a zip in the shape of ASiC-E, with a checksum for each.

`mimetype` comes first; `META-INF/asicmanifest.xml` names every other file with its SHA-256 (ETSI EN
319 162-1). Signing and encrypting are for whoever holds the keys, outside the hub; a signature in `META-INF`
and the list of media types of OpenDocument are passed over, not checked. What the libraries of Fiks write
otherwise than the standard is read: `mimetype` compressed, and the manifest in older namespaces. What a
stranger can do with a zip is bounded here: how many files, how large they unfold, what they may be called.
It must not know what is in any file.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping

from lxml import etree

from adapters.base import Findings, refuse
from adapters.safe_xml import read_xml
from hub.errors import HubError

MEDIA_TYPE = "application/vnd.etsi.asic-e+zip"
MOST_FILES = 20
MOST_BYTES = 10 * 1024 * 1024
"""Of everything in a package together, unfolded."""

_MIMETYPE, _MANIFEST = "mimetype", "META-INF/asicmanifest.xml"
_PASSED_OVER = re.compile(
    r"META-INF/(?:[A-Za-z0-9_-]*signatures?[A-Za-z0-9_-]*\.(?:xml|p7s)|manifest\.xml)", re.IGNORECASE
)
_COMMENTS = (b"", b"mimetype=" + MEDIA_TYPE.encode())
"""Of the zip: none, or the one of the standard."""
_NAME = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*(?:/[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*)*"
)
_NS = "{http://uri.etsi.org/02918/v1.2.1#}"
_READ_NS = (_NS, "{http://uri.etsi.org/2918/v1.2.1#}", "{http://uri.etsi.org/02918/v1.1.1#}")
_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_TYPES = {".json": "application/json", ".xml": "application/xml", ".pdf": "application/pdf"}
_END_BYTES = 22  # the end of a directory before its comment
_WRITTEN = (1980, 1, 1, 0, 0, 0)  # the same files give the same bytes
_ENCRYPTED = 0x1


def write_package(files: Mapping[str, bytes]) -> bytes:
    """The package of these files by name, in their order. Raises render.incomplete."""
    if not files or len(files) > MOST_FILES - 2 or not all(_NAME.fullmatch(name) for name in files):
        raise HubError("render.incomplete")
    if sum(map(len, files.values())) > MOST_BYTES // 2:
        raise HubError("render.incomplete")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr(zipfile.ZipInfo(_MIMETYPE, _WRITTEN), MEDIA_TYPE.encode(), zipfile.ZIP_STORED)
        for name, content in ({_MANIFEST: _manifest(files)} | dict(files)).items():
            made.writestr(zipfile.ZipInfo(name, _WRITTEN), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _manifest(files: Mapping[str, bytes]) -> bytes:
    root = etree.Element(f"{_NS}ASiCManifest", nsmap={"asic": _NS[1:-1], "ds": _DS[1:-1]})
    for name, content in files.items():
        suffix = name[name.rfind(".") :]
        kind = {"URI": name, "MimeType": _TYPES.get(suffix, "application/octet-stream")}
        reference = etree.SubElement(root, f"{_NS}DataObjectReference", kind)
        etree.SubElement(reference, f"{_DS}DigestMethod", {"Algorithm": _SHA256})
        etree.SubElement(reference, f"{_DS}DigestValue").text = _digest(content)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _digest(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def read_package(body: bytes) -> dict[str, bytes]:
    """The files of a package by name, each as its checksum says. Raises parse.malformed (no package),
    parse.forbidden-construct (a zip that nobody honest makes) or parse.invalid (what it says of itself is
    not so). Files are told by their number, never by name."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as package:
            entries = package.infolist()
            end = body[-_END_BYTES - len(package.comment) :]
            if package.comment not in _COMMENTS or not end.startswith(b"PK\x05\x06"):
                raise refuse("parse.forbidden-construct", "comment", "nothing after the files")
            _check_entries(body, entries)
            files = _unfold(package, entries)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        ValueError,
        OverflowError,
        OSError,
    ):
        raise refuse("parse.malformed", "package", "a sound zip") from None
    if files.pop(_MIMETYPE) != MEDIA_TYPE.encode():
        raise refuse("parse.malformed", "mimetype", MEDIA_TYPE)
    return _as_declared(files)


def _check_entries(body: bytes, entries: list[zipfile.ZipInfo]) -> None:
    if not 1 < len(entries) <= MOST_FILES:
        raise refuse("parse.forbidden-construct", "files", f"2 to {MOST_FILES} files")
    found = Findings()
    seen: set[str] = set()
    for number, entry in enumerate(entries, start=1):
        at = f"file {number}"
        if not _NAME.fullmatch(entry.orig_filename):
            found.add(at, "name", "a plain relative name of letters, digits, - _ . and /")
        elif entry.filename.casefold() in seen:
            found.add(at, "duplicate", "each name once, in whatever letters")
        seen.add(entry.filename.casefold())
        if entry.flag_bits & _ENCRYPTED:
            found.add(at, "encrypted", "a file that is not encrypted")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            found.add(at, "compression", "stored or deflated")
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            found.add(at, "kind", "a file, no link and no folder")
    found.finish("parse.forbidden-construct")
    first = min(entries, key=lambda entry: entry.header_offset)
    if first.filename != _MIMETYPE or first.header_offset or not body.startswith(b"PK\x03\x04"):
        raise refuse("parse.malformed", "mimetype", "mimetype first in the package")


def _unfold(package: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> dict[str, bytes]:
    """What is in the files. What they say of their own size is not believed."""
    files, left = {}, MOST_BYTES
    for entry in entries:
        with package.open(entry) as opened:
            content = opened.read(left + 1)
        left -= len(content)
        if left < 0:
            raise refuse("parse.forbidden-construct", "size", f"at most {MOST_BYTES} bytes in all")
        files[entry.filename] = content
    return files


def _as_declared(files: dict[str, bytes]) -> dict[str, bytes]:
    named = [name for name in files if name.casefold() == _MANIFEST.casefold()]
    manifest = files.pop(named[0]) if named else None
    if manifest is None:
        raise refuse("parse.invalid", "manifest", _MANIFEST)
    declared: dict[str, str] = {}
    found = Findings()
    references = read_xml(manifest).iter(*(f"{space}DataObjectReference" for space in _READ_NS))
    for number, reference in enumerate(references, start=1):
        method = reference.find(f"{_DS}DigestMethod")
        algorithm = method.get("Algorithm") if method is not None else None
        name = str(reference.get("URI", ""))
        if algorithm != _SHA256:
            found.add(f"reference {number}", "algorithm", "SHA-256")
        if name in declared or name not in files:
            found.add(f"reference {number}", "reference", "each file of the package once")
        declared[name] = (reference.findtext(f"{_DS}DigestValue") or "").strip()
    for number, (name, content) in enumerate(files.items(), start=1):
        if name in declared and declared[name] != _digest(content):
            found.add(f"data file {number}", "checksum", "the SHA-256 that the manifest says")
        elif name not in declared and not _PASSED_OVER.fullmatch(name):
            found.add(f"data file {number}", "undeclared", "every file in the manifest")
    found.finish()
    return {name: content for name, content in files.items() if not _PASSED_OVER.fullmatch(name)}
