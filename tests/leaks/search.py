"""Understands how to find a marker in bytes, however it was wrapped. It must not know what a marker
stands for, nor where it may stand.

Tried: as it is in any case, percent-encoded, with JSON and XML escapes, UTF-16 in both orders, hex,
base64 in its three alignments and with line breaks, and all of that again inside gzip, zlib and ZIP
members.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

import re2

_DEPTH = 4
_MOST = 64 * 1024 * 1024  # of one unpacked member; ours are small, a bomb is not ours to open
_SMALL = 4 * 1024 * 1024  # costly readings are for what a hub writes, not for a server's own files
_PACKED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]|PK\x03\x04")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{40,}")


@dataclass(frozen=True)
class Hit:
    """One marker found, and in which wrapping."""

    marker: str
    wrapping: str


class Search:
    """Looks for a fixed set of markers: name -> text."""

    def __init__(self, markers: Mapping[str, str]) -> None:
        self._exact: dict[bytes, Hit] = {}
        self._folded: dict[bytes, Hit] = {}
        for name, text in markers.items():
            for wrapping, needle in _exact_forms(text):
                self._exact.setdefault(needle, Hit(name, wrapping))
            for wrapping, needle in _folded_forms(text):
                self._folded.setdefault(needle.lower(), Hit(name, wrapping))
        self._find_exact = _finder(self._exact)
        self._find_folded = _finder(self._folded)

    def hits(self, data: bytes) -> set[Hit]:
        """Every marker in `data` with every wrapping in which it was found."""
        found = set(self._flat(data))
        for wrapping, inner in _unwrapped(data):
            found |= {Hit(hit.marker, f"{wrapping}: {hit.wrapping}") for hit in self._inside(inner, 1)}
        return found

    def _inside(self, data: bytes, depth: int) -> set[Hit]:
        found = set(self._flat(data))
        if depth < _DEPTH:
            for wrapping, inner in _unwrapped(data):
                deeper = self._inside(inner, depth + 1)
                found |= {Hit(hit.marker, f"{wrapping}: {hit.wrapping}") for hit in deeper}
        return found

    def _flat(self, data: bytes) -> Iterator[Hit]:
        for needle in self._find_exact(data):
            yield self._exact[needle]
        for needle in self._find_folded(data.lower()):
            yield self._folded[needle]


def _exact_forms(text: str) -> Iterator[tuple[str, bytes]]:
    """Forms in which case matters."""
    for plain in {text, text.lower(), text.upper()}:
        body = plain.encode()
        for shift in range(3):
            yield "base64", _base64_core(body, shift, base64.b64encode)
            yield "base64url", _base64_core(body, shift, base64.urlsafe_b64encode)


def _base64_core(body: bytes, shift: int, encode: Callable[[bytes], bytes]) -> bytes:
    """The signs that depend on `body` alone when it begins `shift` bytes into a group of three."""
    coded = encode(b"\x00" * shift + body).rstrip(b"=")
    first = -(-shift * 8 // 6)
    last = (shift + len(body)) * 8 // 6
    return coded[first:last]


def _folded_forms(text: str) -> Iterator[tuple[str, bytes]]:
    """Forms in which case does not matter."""
    yield "plain", text.encode()
    yield "latin-1", text.encode("latin-1", "ignore")
    yield "utf-16le", text.encode("utf-16-le")
    yield "utf-16be", text.encode("utf-16-be")
    yield "hex", text.encode().hex().encode()
    yield "url", quote(text, safe="").encode()
    yield "url", "".join(f"%{byte:02x}" for byte in text.encode()).encode()
    yield "json", "".join(f"\\u{ord(sign):04x}" for sign in text).encode()


def _finder(needles: Mapping[bytes, Hit]) -> Callable[[bytes], Iterable[bytes]]:
    """One pass over the data for all needles at once; a needle that overlaps another is not missed,
    because the search goes on one byte after the beginning of each hit."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = 1 << 28
    pattern = re2.compile(b"|".join(re.escape(needle) for needle in needles), options)

    def find(data: bytes) -> Iterator[bytes]:
        seen: set[bytes] = set()
        at = 0
        while (match := pattern.search(data, at)) is not None:
            at = match.start() + 1
            if match.group() not in seen:
                seen.add(match.group())
                yield from (needle for needle in needles if data.startswith(needle, match.start()))

    return find


def _unwrapped(data: bytes) -> Iterator[tuple[str, bytes]]:
    """What is packed or written differently inside."""
    for match in _PACKED.finditer(data):
        inner = _unpacked(data, match.start())
        if inner:
            yield "packed", inner
    if len(data) > _SMALL:
        return
    for match in _BASE64.finditer(data):
        read = _from_base64(match.group())
        if read is not None and _PACKED.search(read):
            yield "base64", read
    text = b"".join(data.split())
    if text != data and len(text) > 60:
        yield "without blanks", text
    if b"%" in data and (plain := unquote_to_bytes(data)) != data:
        yield "url", plain
    if b"&" in data and (said := html.unescape(data.decode("utf-8", "replace")).encode()) != data:
        yield "entities", said
    if b"\\" in data and (said := _json_read(data)) != data:
        yield "json escapes", said


def _unpacked(data: bytes, at: int) -> bytes:
    """A gzip, zlib or ZIP member that begins at `at`; as much of it as can be read."""
    if data[at : at + 4] == b"PK\x03\x04":
        header = data[at : at + 30]
        if len(header) < 30 or int.from_bytes(header[8:10], "little") != 8:
            return b""
        at += 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        reader = zlib.decompressobj(-15)
    elif data[at : at + 2] == b"\x1f\x8b":
        reader = zlib.decompressobj(31)
    else:
        reader = zlib.decompressobj(15)
    out = bytearray()
    try:
        for start in range(at, len(data), 1 << 16):
            out += reader.decompress(data[start : start + (1 << 16)], _MOST - len(out))
            if reader.eof or len(out) >= _MOST:
                break
    except zlib.error:
        pass
    return bytes(out)


def _from_base64(run: bytes) -> bytes | None:
    standard = run.translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(standard[: len(standard) // 4 * 4])
    except binascii.Error:
        return None


def _json_read(data: bytes) -> bytes:
    return re.sub(
        rb"\\u([0-9a-fA-F]{4})",
        lambda match: chr(int(match.group(1), 16)).encode("utf-8", "replace"),
        data,
    )


def every_wrapping(text: str) -> Mapping[str, bytes]:
    """The marker in each wrapping the search claims to see through: for its own test."""
    body = text.encode()
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = packer.compress(b"-" * 50 + body) + packer.flush()
    member = (
        b"PK\x03\x04" + b"\x14\x00\x00\x00\x08\x00" + b"\x00" * 16 + b"\x01\x00\x00\x00" + b"a" + deflated
    )
    coded = [base64.b64encode(b"\xff" * shift + body + b"\xfe" * 3) for shift in range(3)]
    long = base64.b64encode(b"0123456789" * 6 + body + b"0123456789" * 6)
    broken = b"\n".join(long[start : start + 16] for start in range(0, len(long), 16))
    return {
        "plain": body,
        "upper case": body.upper(),
        "lower case": body.lower(),
        "utf-16le": text.encode("utf-16-le"),
        "utf-16be": text.encode("utf-16-be"),
        "hex": body.hex().encode(),
        "upper hex": body.hex().upper().encode(),
        "percent": "".join(f"%{byte:02X}" for byte in body).encode(),
        "json escapes": "".join(f"\\u{ord(sign):04X}" for sign in text).encode(),
        "some json escapes": (text[:3] + f"\\u{ord(text[3]):04x}" + text[4:]).encode(),
        "entities": "".join(f"&#{ord(sign)};" for sign in text).encode(),
        "some percent": (text[:3] + f"%{ord(text[3]):02x}" + text[4:]).encode(),
        "base64, first": coded[0],
        "base64, second": coded[1],
        "base64, third": coded[2],
        "base64 in lines": broken,
        "gzip": gzip.compress(b"-" * 50 + body),
        "zlib": zlib.compress(b"-" * 50 + body),
        "zip": member,
        "gzip in base64": base64.b64encode(gzip.compress(b"-" * 50 + body)),
        "base64 in gzip": gzip.compress(base64.b64encode(b"-" * 50 + body)),
        "gzip in zlib": zlib.compress(gzip.compress(body)),
    }
