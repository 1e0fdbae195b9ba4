"""No archive has room for words that nobody reads."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib

import pytest

from consent.archives import NotWholeError, gunzipped, unzipped
from consent.attachments import text_of

WORD = "heroin"
HOLDS = [("a.txt", b"Hei"), ("mappe/", b""), ("b.txt", b"Ha det " * 20)]
ZIP, GZIP = "application/zip", "application/gzip"


def zipped(method: int = zipfile.ZIP_DEFLATED, *, streamed: bool = False, **more: object) -> bytes:
    """`more`: what the first member, or the archive, has beside name and content."""
    out = _Stream() if streamed else io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.comment = more.pop("of_archive", b"")  # type: ignore[assignment]  # bytes, as its rows say
        for number, (name, content) in enumerate(HOLDS):
            member = zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6))
            member.compress_type = method
            for what, value in more.items() if number == 0 else ():
                setattr(member, what, value)
            archive.writestr(member, content)
    return out.getvalue()


class _Stream(io.BytesIO):
    """Where nothing can be gone back to: sizes come after the contents."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise io.UnsupportedOperation

    def tell(self) -> int:
        raise io.UnsupportedOperation


def extra(tag: int, content: bytes) -> bytes:
    return struct.pack("<2H", tag, len(content)) + content


def between(content: bytes, more: bytes) -> bytes:
    """`more` in front of the second member, with the directory set right."""
    second = content.index(b"PK\x03\x04", 4)
    entries = content.index(b"PK\x01\x02")
    moved = bytearray(content[:second] + more + content[second:])
    at = entries + len(more)
    while moved[at : at + 4] == b"PK\x01\x02":
        sizes = struct.unpack_from("<3H", moved, at + 28)
        (offset,) = struct.unpack_from("<I", moved, at + 42)
        if offset:
            struct.pack_into("<I", moved, at + 42, offset + len(more))
        at += 46 + sum(sizes)
    struct.pack_into("<I", moved, at + 16, entries + len(more))
    return bytes(moved)


def behind_the_deflated(more: bytes) -> bytes:
    """The first member counts bytes as its own that come after the end of its stream."""
    whole = bytearray(between(zipped(), more))
    packed = len(zlib.compress(b"Hei", wbits=-15)) + len(more)
    struct.pack_into("<I", whole, 18, packed)
    struct.pack_into("<I", whole, whole.index(b"PK\x01\x02") + 20, packed)
    return bytes(whole)


def put(content: bytes, at: int, instead_of: int, more: bytes) -> bytes:
    """`more` in front of the directory, with its place set right."""
    whole = bytearray(content[:at] + more + content[at + instead_of :])
    struct.pack_into("<I", whole, len(whole) - 6, whole.index(b"PK\x01\x02"))
    return bytes(whole)


def changed(content: bytes, old: bytes, new: bytes, times: int = 1, *, last: bool = False) -> bytes:
    assert old in content
    return new.join(content.rsplit(old, 1)) if last else content.replace(old, new, times)


def unsigned() -> bytes:
    """Sizes after the content of the last member, without a signature in front."""
    content = zipped(streamed=True)
    return put(content, content.rindex(b"PK\x07\x08"), 4, b"")


DEFLATED = b"\x08\0" + struct.pack("<H", 3 << 11 | 4 << 5 | 3)
"""How it is packed, and the time after that."""
TIMES = extra(0x5455, bytes(5))
GROWTH = extra(0xA220, struct.pack("<2H", 0xA028, 0) + bytes(40))
WHOLE = {
    "deflated": zipped(),
    "stored": zipped(zipfile.ZIP_STORED),
    "sizes after the content": zipped(streamed=True),
    "sizes without a signature": unsigned(),
    "times": zipped(extra=TIMES),
    "two extra fields": zipped(extra=extra(0x5455, bytes(9)) + extra(0x7875, bytes(11))),
    "room to grow, empty": zipped(extra=GROWTH),
}
ROOM = {
    "a comment on the archive": zipped(of_archive=WORD.encode()),
    "a comment on a member": zipped(comment=WORD.encode()),
    "an extra field": zipped(extra=extra(0x4242, WORD.encode())),
    "a long extra field of a known kind": zipped(extra=extra(0x5455, WORD.encode())),
    "an extra field without an end": zipped(extra=struct.pack("<2H", 0x5455, 5) + b"abc"),
    "half an extra field": zipped(extra=b"abc"),
    "a filled room to grow": zipped(extra=extra(0xA220, struct.pack("<2H", 0xA028, 0) + WORD.encode())),
    "a room to grow of another make": zipped(extra=extra(0xA220, bytes(44))),
    "an extra field before the content only": changed(
        zipped(extra=TIMES), TIMES, extra(0x4242, b"abcde")
    ),
    "before the archive": WORD.encode() + zipped(),
    "a header before the archive": b"PK\x03\x04" + zipped(),
    "after the archive": zipped() + WORD.encode(),
    "between two members": between(zipped(), WORD.encode()),
    "behind the stream of a member": behind_the_deflated(WORD.encode()),
    "before the directory": put(zipped(), zipped().index(b"PK\x01\x02"), 0, WORD.encode()),
    "half an extra field before the content only": changed(
        zipped(extra=TIMES), TIMES, struct.pack("<2H", 0x5455, 9) + TIMES[4:]
    ),
    "an extra field in the directory only": changed(
        zipped(extra=TIMES), TIMES, extra(0x4242, b"abcde"), last=True
    ),
    "a way to pack that it is not packed in": changed(zipped(), DEFLATED, b"\x0c" + DEFLATED[1:], 6),
    "a checksum of something else": changed(
        zipped(), zlib.crc32(b"Hei").to_bytes(4, "little"), b"abcd", 2
    ),
    "a name of its own before the content": changed(zipped(), b"a.txt", b"her.n"),
    "behind the end of a name": changed(zipped(), b"a.txt", b"a\0her", 2),
    "an unknown way to pack": zipped(zipfile.ZIP_BZIP2),
    "a member that is not in the directory": b"".join(
        (zipped()[: zipped().index(b"PK\x03\x04", 4)], zipped())
    ),
}  # one row per room # fmt: skip


@pytest.mark.parametrize("case", WHOLE)
def test_a_whole_archive_gives_its_members(case: str) -> None:
    assert list(unzipped(WHOLE[case])) == HOLDS
    assert text_of(WHOLE[case], ZIP, "f") is not None


@pytest.mark.parametrize("case", ROOM)
def test_an_archive_with_room_beside_its_members_is_not_whole(case: str) -> None:
    said = text_of(ROOM[case], ZIP, "f")

    assert said is None or "a\0her" in said  # all of the name, to its end


@pytest.mark.parametrize("place", range(len(zipped())))
def test_no_byte_of_an_archive_can_be_another_without_being_seen(place: int) -> None:
    """But for clocks, versions, and the attributes of a system, which no one shows as text."""
    content = bytearray(zipped())
    content[place] ^= 0x41
    try:
        told = list(unzipped(bytes(content)))
    except NotWholeError:
        return
    assert told != HOLDS or place in FREE


def _free() -> set[int]:
    """Numbers of a fixed size that say nothing about names or contents."""
    content, free = zipped(), set[int]()
    heads = {
        b"PK\x03\x04": (4, 5, *range(10, 14)),
        b"PK\x01\x02": (*range(4, 8), *range(12, 16), *range(34, 42)),
    }
    for signature, places in heads.items():
        at = content.find(signature)
        while at >= 0:
            free |= {at + place for place in places}
            at = content.find(signature, at + 4)
    return free


FREE = _free()

NAMED = gzip.compress(b"Hei", mtime=0)
HEADERS = {
    "nothing": (NAMED, ()),
    "a name": (NAMED[:3] + b"\x08" + NAMED[4:10] + b"her.txt\0" + NAMED[10:], ("her.txt",)),
    "a comment": (NAMED[:3] + b"\x10" + NAMED[4:10] + b"om meg\0" + NAMED[10:], ("om meg",)),
    "both": (NAMED[:3] + b"\x18" + NAMED[4:10] + b"n\0k\xe6\0" + NAMED[10:], ("n", "k\u00e6")),
}


@pytest.mark.parametrize("case", HEADERS)
def test_the_header_of_a_gzip_is_read(case: str) -> None:
    content, said = HEADERS[case]

    assert gunzipped(content) == (said, b"Hei")
    assert text_of(content, GZIP, "f") == ("f", *said, "Hei")


def test_a_gzip_with_a_field_that_nobody_reads_is_not_whole() -> None:
    field = b"ab\x06\0" + WORD.encode()
    for content in (
        NAMED[:3] + b"\x04" + NAMED[4:10] + struct.pack("<H", len(field)) + field + NAMED[10:],
        NAMED + WORD.encode(),
    ):
        with pytest.raises(NotWholeError):
            gunzipped(content)
        assert text_of(content, GZIP, "f") is None
