"""Understands what can be read of a file: its text, its titles, and the files packed inside it.

    bytes, stated type, name -> the texts to be scanned, or None: no machine can say what is in it

Nothing is half read: an image, an encrypted or signed container, a layer that is not shown, an archive
too deep or too large make the whole file unreadable. The stated type is never trusted: the bytes say
what the file is, and where the two differ it is unreadable. It must not know terms, labels or records.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from lxml import etree

from consent.archives import NotWholeError, gunzipped, unzipped
from consent.payloads import MOST_BYTES, payloads
from consent.pdfs import NotReadError, read_pdf

DEEPEST = 6
MOST_PARTS = 100


class _UnreadableError(Exception):
    """Something in the file that no machine here can read."""


def text_of(content: bytes, media_type: str, name: str) -> tuple[str, ...] | None:
    """Every text of the file, its name first; None when any part of it cannot be read."""
    try:
        reading = _Reading()
        stated = media_type.partition(";")[0].strip().lower()
        fits = _STATED.get(stated)
        kind = _kind(content)
        if fits is None or kind not in fits:
            return None
        reading.file(content, 0)
    except (_UnreadableError, NotWholeError, NotReadError, RecursionError):
        return None
    return (name, *reading.texts)


_NO_WORD = re.compile(r"\S{48,}")
"""Longer than any word: something is packed in a way that nobody here unpacks."""
_INVISIBLE = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]{8}"
)
"""Nobody needs so many in a row; but letters can be written in them."""


def hidden_texts(text: str, *, prose: bool = False) -> tuple[str, ...] | None:
    """What is packed inside a text, nested; empty for an ordinary text. None when something is packed
    in it that cannot be read; in prose, that is any word longer than words are."""
    reading = _Reading()
    try:
        rest = reading.packed(text, 0)
    except (_UnreadableError, NotWholeError, NotReadError, RecursionError):
        return None
    if _INVISIBLE.search(text) or (prose and _NO_WORD.search(rest)):
        return None
    return tuple(reading.texts)


# -- what a file is --

_STATED = {
    "text/plain": {"text"},
    "text/markdown": {"text"},
    "text/csv": {"text"},
    "text/html": {"text", "xml", "html"},
    "application/xhtml+xml": {"xml", "html"},
    "text/xml": {"xml"},
    "application/xml": {"xml"},
    "application/json": {"text"},
    "application/fhir+json": {"text"},
    "application/fhir+xml": {"xml"},
    "text/rtf": {"rtf"},
    "application/rtf": {"rtf"},
    "application/pdf": {"pdf"},
    "application/zip": {"zip"},
    "application/gzip": {"gzip"},
    "application/x-gzip": {"gzip"},
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": {"zip"},
    "application/vnd.oasis.opendocument.text": {"zip"},
    "application/octet-stream": {"text", "xml", "html", "rtf", "pdf", "zip", "gzip"},
}


def _kind(content: bytes) -> str:
    if content.startswith(b"%PDF-"):
        return "pdf"
    if content.startswith(b"PK\x03\x04"):
        return "zip"
    if content.startswith(b"\x1f\x8b"):
        return "gzip"
    start = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"{\\rtf"):
        return "rtf"
    if start.startswith((b"<!doctype html", b"<html")):
        return "html"
    if start.startswith(b"<"):
        return "xml"
    return "text"


class _Reading:
    """One file under way: its texts so far, and what it has cost."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._bytes = 0
        self._parts = 0

    def _spend(self, size: int, depth: int) -> None:
        self._bytes += size
        self._parts += 1
        if depth > DEEPEST or self._parts > MOST_PARTS or self._bytes > MOST_BYTES:
            raise _UnreadableError

    def file(self, content: bytes, depth: int) -> None:
        self._spend(len(content), depth)
        readers: dict[str, Callable[[bytes, int], None]] = {
            "pdf": self._pdf,
            "zip": self._zip,
            "gzip": self._gzip,
            "rtf": self._rtf,
            "xml": self._xml,
            "html": self._text,
            "text": self._text,
        }
        readers[_kind(content)](content, depth)

    def _say(self, text: str, depth: int) -> None:
        if text.strip():
            self.texts.append(text)
            self.packed(text, depth)

    # -- texts --

    def _text(self, content: bytes, depth: int) -> None:
        self._say(_decoded(content), depth)

    def _xml(self, content: bytes, depth: int) -> None:
        """Elements, attributes, comments and instructions; no entity is expanded, nothing fetched."""
        if b"<!ENTITY" in content or b"<!entity" in content:
            raise _UnreadableError
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        try:
            root = etree.fromstring(content, parser)
        except (etree.XMLSyntaxError, ValueError):
            self._text(content, depth)
            return
        self._say(_xml_text(root), depth)
        self._say(_decoded(content), depth)

    def _rtf(self, content: bytes, depth: int) -> None:
        source = content.decode("latin-1")
        if re.search(r"\\(?:objdata|object|pict|bin|v\b|deleted)", source):
            raise _UnreadableError
        text = re.sub(
            r"\\'([0-9a-fA-F]{2})", lambda m: bytes.fromhex(m[1]).decode("cp1252", "replace"), source
        )
        text = re.sub(r"\\u(-?\d{1,5}) ?\??", lambda m: chr(int(m[1]) % 65536), text)
        text = re.sub(r"\\(?:par|line|tab|cell|row)\b ?", "\n", text)
        text = re.sub(r"\\(?:-|_)", "", text)
        text = re.sub(r"\\[a-zA-Z]{1,32}-?\d{0,10} ?|\\\*|[{}]", "", text)
        self._say(text.encode("utf-16", "replace").decode("utf-16", "replace"), depth)

    # -- containers --

    def _gzip(self, content: bytes, depth: int) -> None:
        said, inner = gunzipped(content)
        for text in said:
            self._say(text, depth)
        self.file(inner, depth + 1)

    def _zip(self, content: bytes, depth: int) -> None:
        names: set[str] = set()
        hiding = False
        for name, inner in unzipped(content):
            names.add(name)
            self._say(name, depth)
            hiding = hiding or _hides(inner)
            if name.endswith("/") and not inner:
                continue
            self.file(inner, depth + 1)
        office = bool(names & {"word/document.xml", "content.xml"})
        signed = any("signature" in name.lower() or "vbaproject" in name.lower() for name in names)
        if office and (signed or hiding):
            raise _UnreadableError

    def _pdf(self, content: bytes, depth: int) -> None:
        told = read_pdf(content)
        said = [*told.said]
        if told.metadata:
            said.append(_decoded(told.metadata[:MOST_BYTES]))
        self._spend(sum(map(len, said)), depth)
        for text in said:
            self._say(text, depth)
        if not any(text.strip() for text in said):
            raise _UnreadableError
        self._spend(len(told.beside), depth)
        self.texts.append(told.beside)

    # -- what is packed in a text --

    def packed(self, text: str, depth: int) -> str:
        """Reads it, and gives back what else the text says."""
        places: list[tuple[int, int]] = []
        for content, where in payloads(text):
            if content is None:
                raise _UnreadableError
            self.file(content, depth + 1)
            places += where
        said: list[str] = []
        done = 0
        for start, end in sorted(places):
            said.append(text[done:start])
            done = max(done, end)
        return "".join((*said, text[done:]))


def _decoded(content: bytes) -> str:
    """The text in the encoding it is surely in."""
    marked = content[:2] in {b"\xff\xfe", b"\xfe\xff"}
    encodings = ["utf-16"] if marked else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if any(ord(char) < 32 and char not in "\t\n\r\f" for char in text):
            break
        return text
    raise _UnreadableError


def _xml_text(root: etree._Element) -> str:
    said: list[str] = []
    for node in root.iter():
        if isinstance(node.tag, str):
            said += [str(value) for value in node.attrib.values()]
            if node.tag.rpartition("}")[2] in {"ObjectData", "EncryptedData"}:
                raise _UnreadableError
        said += [node.text or "", node.tail or ""]
    return html.unescape(" ".join(part for part in said if part.strip())) + "\n" + "".join(said)


_HIDING = re.compile(
    rb"<w:(?:vanish|webHidden|del|ins)\b|<w:(?:object|pict)\b|<a:blip\b|text:display=\"none\"|<draw:(?:image|object)\b"
)


def _hides(part: bytes) -> bool:
    return _HIDING.search(part) is not None
