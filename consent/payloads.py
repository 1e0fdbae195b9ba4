"""Understands how something is packed inside a text: as a data: URI, base64, uuencode, hex or other
numbers of letters, quoted-printable.

    text -> the content of each part as bytes (text in UTF-8), and where the part stands

What could be anything counts as packed only if it unpacks to a text or to a file of a known kind. The
time is linear in the length. It must not know files, terms or labels.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
import unicodedata
import zlib
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import re2

MOST_BYTES = 4_000_000
MOST_RATIO = 200
"""Unpacked to packed: above any text that somebody wrote."""

_Place = tuple[int, int]


class Payload(NamedTuple):
    """`content` is None where the text says that something is packed and it cannot be unpacked."""

    content: bytes | None
    places: tuple[_Place, ...]


_SURE = 10
"""Bytes of a text that no word or number becomes by chance. Below, only Latin letters count."""

_PERHAPS = re2.compile(r"(?i:data:)|[0-9=]|[a-z][A-Z]|[A-Z]{2}")
"""What no payload is without, and most words are."""

_DATA_URI = re.compile(
    r"data:([\w.+/-]{0,100})((?:;[\w=.+-]{1,60}){0,5}),([^\s\"'<>)]{1,4000000})", re.IGNORECASE
)
_UUENCODED = re.compile(r"^begin [0-7]{3,4} \S.{0,99}\n((?:[ -`]{1,70}(?:\r?\n|\Z))+)", re.MULTILINE)
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-](?:[A-Za-z0-9+/_-]|[ \t]*\r?\n[ \t]*)+={0,2}")
_BASE64_WORD = re.compile(r"[A-Za-z0-9+/_-]{4,}={0,2}")
_APART = r"[ ,:;.-]{1,2}"
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{2}){4,}(?![0-9A-Za-z])")
_HEX_APART = re.compile(
    rf"(?<![0-9A-Za-z])(?:0x)?[0-9a-fA-F]{{2}}(?:{_APART}(?:0x)?[0-9a-fA-F]{{2}}){{3,}}(?![0-9A-Za-z])"
)
_DECIMAL = re.compile(rf"(?<![0-9A-Za-z])[0-9]{{2,3}}(?:{_APART}[0-9]{{2,3}}){{3,}}(?![0-9A-Za-z])")
_BINARY = re.compile(r"(?<![0-9A-Za-z])[01]{8}(?:[ ,]{0,2}[01]{8}){3,}(?![0-9A-Za-z])")
_QUOTED = re.compile(r"=[0-9A-Fa-f]{2}")


def payloads(text: str) -> Iterator[Payload]:
    """Everything that may be packed in the text. What is short comes together at the end."""
    if not _PERHAPS.search(text):
        return
    for uri in _DATA_URI.finditer(text):
        content = unquote_to_bytes(uri.group(3))
        if ";base64" in uri.group(2).lower():
            content = _base64(content.decode("latin-1"))
        yield Payload(_plausible(content), (uri.span(),))
    for lines in _UUENCODED.finditer(text):
        yield Payload(_plausible(_uudecoded(lines.group(1))), (lines.span(),))
    if quoted := tuple(match.span() for match in _QUOTED.finditer(text)):
        content = quopri.decodestring(text.encode("utf-8"))
        if (said := _plausible(content)) is not None:
            yield Payload(said, quoted)
    short: list[tuple[bytes, _Place]] = []
    for content, place in _candidates(text):
        if len(content) < _SURE:
            if word := _word(content):
                short.append((word, place))
        elif (said := _plausible(content)) is not None:
            yield Payload(said, (place,))
    if short:
        words = [word for word, _ in short]
        yield Payload(b"\n".join((*words, b"".join(words))), tuple(place for _, place in short))


def _candidates(text: str) -> Iterator[tuple[bytes, _Place]]:
    """What the words and numbers of the text would be, unpacked."""
    for run in _BASE64.finditer(text):
        if len(run.group()) > _SURE and _plausible(whole := _base64(run.group())) is not None:
            yield whole, run.span()
            continue
        for word in _BASE64_WORD.finditer(text, *run.span()):
            if word.group().islower() or word.group().istitle():  # an ordinary word
                continue
            for form in dict.fromkeys((word.group(), word.group().strip("+/_-"))):  # or framed by signs
                yield _base64(form), word.span()
    for pattern in (_HEX, _HEX_APART):
        for match in pattern.finditer(text):
            digits = re.sub(r"0x|[^0-9a-fA-F]", "", match.group())
            yield bytes.fromhex(digits), match.span()
    for match in _DECIMAL.finditer(text):
        numbers = [int(number) for number in re.findall(r"\d+", match.group())]
        yield bytes(number for number in numbers if number < 256), match.span()
    for match in _BINARY.finditer(text):
        digits = re.sub(r"[^01]", "", match.group())
        yield int(digits, 2).to_bytes(len(digits) // 8, "big"), match.span()


def _base64(word: str) -> bytes:
    word = "".join(word.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(word + "=" * (-len(word) % 4), validate=True)
    except ValueError:
        return b""


def _uudecoded(lines: str) -> bytes:
    try:
        return b"".join(binascii.a2b_uu(line) for line in lines.splitlines())
    except binascii.Error:
        return b""


# -- whether it is anything --

_FILES = (
    *(b"\x1f\x8b", b"PK", b"%PDF-", b"{\\rtf", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*"),
    *(b"0\x82", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"RIFF", b"BM", b"\xd0\xcf\x11\xe0"),
)


def _plausible(content: bytes) -> bytes | None:
    """The content if it is text or a file that we know; inflated if it is a bare deflate stream."""
    if content.startswith(_FILES):
        return content
    if (inner := inflated(content, 15)) is not None:
        return inner
    text = _text(content)
    return text.encode("utf-8") if text and all(map(_seen, text)) else None


def _seen(char: str) -> bool:
    return char.isprintable() or char.isspace() or unicodedata.category(char) == "Cf"


def _text(content: bytes) -> str:
    """The content in its encoding; empty if it is in none that we know."""
    encodings = ["utf-8-sig"]
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        encodings = ["utf-16"]
    elif abs(2 * content.count(0) - len(content)) < 2:  # every other byte
        encodings = ["utf-16-be" if content[:1] == b"\x00" else "utf-16-le"]
    elif 5 * sum(byte > 127 for byte in content) <= len(content):
        encodings.append("cp1252")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return ""


_LATIN = re.compile(r"[A-Za-z0-9æøåÆØÅ .,:;+/()-]*")


def _word(content: bytes) -> bytes:
    """The content in UTF-8 if it is words in Latin letters."""
    text = _text(content)
    return text.encode("utf-8") if _LATIN.fullmatch(text) else b""


def inflated(content: bytes, window: int) -> bytes | None:
    """What a deflate stream holds (`window` as zlib counts); None if it is none, not whole, or too large."""
    out = zlib.decompressobj(window)
    try:
        inner = out.decompress(content, MOST_BYTES)
    except zlib.error:
        return None
    if not out.eof or out.unused_data or len(inner) > MOST_RATIO * max(len(content), 1_000):
        return None
    return inner
