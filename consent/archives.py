"""Understands ZIP and gzip files to the last byte: every name, every content, and nothing beside them.

A comment, a byte between two members, an extra field that nobody here reads, or anything before or after
the archive is room for words that no reader of the members would find. An archive with such room is not
whole. Source: PKWARE APPNOTE 4.3 (order of the parts), 4.5 (extra fields); RFC 1952 (gzip).
It must not know what the files in it are.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping

from consent.payloads import inflated

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL, _LENGTHS = 46, 28
_END = struct.Struct("<4s4H2IH")
_DESCRIBED = 8
_DESCRIPTORS = ("<4s3I", "<3I")
"""After the content, when its sizes were not known before: with a signature, or without."""

_EXTRA_SIZES: Mapping[int, frozenset[int]] = {
    0x000A: frozenset({32}),  # NTFS times
    0x5455: frozenset({5, 9, 13}),  # times
    0x5855: frozenset({8, 12}),  # times and owner, older
    0x7855: frozenset({0, 4}),  # owner
    0x7875: frozenset({3, 5, 7, 11, 15}),  # owner, newer
}
"""Extra fields with numbers of a fixed size, and no room for words."""

_GROWTH = 0xA220, b"\x28\xa0"
"""Empty room of a part of an office document: ISO/IEC 29500-2 annex C. Its first number may be any."""

_FNAME, _FCOMMENT = 8, 16


class NotWholeError(Exception):
    """Something in the archive that is not one of its files, or cannot be read."""


def unzipped(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and content of each member, folders too. Raises NotWholeError, also half way."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error):
        raise NotWholeError from None
    members = sorted(archive.infolist(), key=lambda member: member.header_offset)
    _check_directory(content, archive)
    here = 0
    for member in members:
        if member.header_offset != here or not _is_numbers(member.extra):
            raise NotWholeError
        start = _after_header(content, member)
        here = start + member.compress_size
        yield member.orig_filename, _inflated(content[start:here], member)
        here = _after_descriptor(content, here, member)
    if here != archive.start_dir:
        raise NotWholeError


def gunzipped(content: bytes) -> tuple[tuple[str, ...], bytes]:
    """What the header says (name, comment), and the content. Raises NotWholeError."""
    inner = inflated(content, 31)
    if inner is None:
        raise NotWholeError
    flags, here, said = content[3], 10, []
    if flags & ~(_FNAME | _FCOMMENT):  # a checksum, an extra field, or what the standard keeps for later
        raise NotWholeError
    for flag in (_FNAME, _FCOMMENT):
        if flags & flag:
            end = content.index(b"\0", here)
            said.append(content[here:end].decode("latin-1"))
            here = end + 1
    return tuple(said), inner


def _check_directory(content: bytes, archive: zipfile.ZipFile) -> None:
    """One entry after the other, without comments, and then the end, which says so much and no more."""
    here = archive.start_dir
    for member in archive.infolist():
        lengths = (len(_name(member)), len(member.extra), 0)
        if struct.unpack_from("<3H", content, here + _LENGTHS) != lengths:
            raise NotWholeError
        here += _CENTRAL + sum(lengths)
    count, size = len(archive.infolist()), here - archive.start_dir
    if content[here:] != _END.pack(b"PK\x05\x06", 0, 0, count, count, size, archive.start_dir, 0):
        raise NotWholeError


def _name(member: zipfile.ZipInfo) -> bytes:
    return member.orig_filename.encode("utf-8" if member.flag_bits & 0x800 else "cp437")


def _after_header(content: bytes, member: zipfile.ZipInfo) -> int:
    """Where the content starts, behind a header that says the same as the directory."""
    here = member.header_offset
    if len(content) < here + _LOCAL.size:
        raise NotWholeError
    signature, _, flags, method, _, _, checksum, packed, size, name, extra = _LOCAL.unpack_from(content, here)
    start = here + _LOCAL.size + name
    sizes = (member.CRC, member.compress_size, member.file_size)
    told = (checksum, packed, size) in ({sizes, (0, 0, 0)} if flags & _DESCRIBED else {sizes})
    same = (signature, flags, method) == (b"PK\x03\x04", member.flag_bits, member.compress_type)
    if not (told and same) or content[start - name : start] != _name(member):
        raise NotWholeError
    if not _is_numbers(content[start : start + extra]):
        raise NotWholeError
    return int(start + extra)


def _after_descriptor(content: bytes, here: int, member: zipfile.ZipInfo) -> int:
    if not member.flag_bits & _DESCRIBED:
        return here
    sizes = (member.CRC, member.compress_size, member.file_size)
    for form, expected in zip(_DESCRIPTORS, ((b"PK\x07\x08", *sizes), sizes), strict=True):
        end = here + struct.calcsize(form)
        if content[here:end] == struct.pack(form, *expected):
            return end
    raise NotWholeError


def _is_numbers(extra: bytes) -> bool:
    """Whether extra fields hold nothing but numbers."""
    here = 0
    while here < len(extra):
        if len(extra) < here + 4:
            return False
        tag, size = struct.unpack_from("<2H", extra, here)
        said = extra[here + 4 : here + 4 + size]
        here += 4 + size
        grows = (tag, said[:2]) == _GROWTH and not any(said[4:])
        if here > len(extra) or not (grows or size in _EXTRA_SIZES.get(tag, ())):
            return False
    return True


def _inflated(packed: bytes, member: zipfile.ZipInfo) -> bytes:
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotWholeError
    stored = member.compress_type == zipfile.ZIP_STORED
    inner = packed if stored else inflated(packed, -zlib.MAX_WBITS)
    if inner is None or (len(inner), zlib.crc32(inner)) != (member.file_size, member.CRC):
        raise NotWholeError  # encrypted, or too large, too
    return inner
