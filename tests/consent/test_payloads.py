"""Every way in which a text or a file is packed inside a text, and what only looks so."""

from __future__ import annotations

import base64
import binascii
import gzip
import zlib
from collections.abc import Sequence

import pytest

from consent.payloads import inflated, payloads


def b64(content: str | bytes) -> str:
    return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()


def uu(content: bytes) -> str:
    lines = (binascii.b2a_uu(content[i : i + 45]).decode() for i in range(0, len(content), 45))
    return "".join(lines)


def alone(word: str) -> bytes:
    """As a short word comes out: once as it stands, once in what all of them are together."""
    return f"{word}\n{word}".encode()


HEX = b'"heroin!"1'.hex()
FOUND: list[tuple[str, str, Sequence[bytes | None]]] = [
    # a data: URI
    ("data", "data:text/plain,ro%20og%20fred", [b"ro og fred"]),
    ("data in base64", f"data:text/plain;base64,{b64('ro')}", [b"ro"]),
    ("data in BASE64", f"DATA:text/plain;charset=utf-8;BASE64,{b64('ro')}", [b"ro"]),
    ("data in escaped base64", "data:;base64,cm8%3D", [b"ro"]),
    ("data that is no base64", "data:;base64,a", [None]),
    ("data that is a picture", "data:image/png;base64,AAECAwQ=", [None]),
    ("data without a type", "Data:,ro", [b"ro"]),
    ("data with a long type", f"data:{'x' * 100},ro", [b"ro"]),
    ("data with every sign in its type", "data:a.b+c/d-e_f;g-h=i.j_k;l;m;n;o,ro", [b"ro"]),
    ("data in brackets", "(data:,ro) <data:,fred> 'data:,her' \"data:,der\" data:,nå nei",
     [b"ro", b"fred", b"her", b"der", "nå".encode()]),
    # uuencode
    ("uuencode", f"Hei\nbegin 644 a.txt\n{uu(b'ro og fred')}`\nend\n", [b"ro og fred"]),
    ("uuencode of two lines", f"begin 0755 a\r\n{uu(b'ro og fred ' * 6)}", [b"ro og fred " * 6]),
    ("uuencode at the end", f"begin 644 a\n{uu(b'ro og fred').rstrip()}", [b"ro og fred"]),
    ("uuencode with a long name", f"begin 644 {'x' * 100}\n{uu(b'ro og fred')}", [b"ro og fred"]),
    ("uuencode that is none", "begin 644 a\nM\n", [None]),
    ("uuencode of nothing", "begin 644 a\nhei\n", []),
    ("no uuencode", f"Vi begin 644 a\n{uu(b'ro og fred')}", []),
    # quoted-printable
    ("quoted", "r=6F og fred", [b"ro og fred"]),
    ("quoted in small letters", "r=6f og fred", [b"ro og fred"]),
    ("quoted in a western encoding", "f=fcr alle", ["für alle".encode()]),
    ("quoted over lines", "r=\no=20og=20fred", [b"ro og fred"]),
    ("no quoted letter", "Hb=14", []),
    # base64
    ("base64", b64("ro og fred"), [b"ro og fred"]),
    ("base64 in capitals alone", b64("LAR"), [alone("LAR")]),
    ("base64 with one capital inside", b64("rus"), [alone("rus")]),
    ("base64url", base64.urlsafe_b64encode(b"ro>ro?ro og fred").decode(), [b"ro>ro?ro og fred"]),
    ("base64 with too much at its end", "data:;base64,cm8==", [b"ro"]),
    ("base64 with another sign in it", "data:;base64,cm9z!", [None]),
    ("base64 with its other signs", b64(b"ro>ro?ro og fred"), [b"ro>ro?ro og fred"]),
    ("base64 without its end", b64("ro og fred!").rstrip("="), [b"ro og fred!"]),
    ("base64 between other signs", f"({b64('ro og fred')})", [b"ro og fred"]),
    ("base64 in two lines", f"{b64('ro og fred')[:8]} \r\n  {b64('ro og fred')[8:]}", [b"ro og fred"]),
    ("base64 on a line of its own", f"Hei\n{b64('ro og fred')}\nder", [b"ro og fred"]),
    ("base64 framed by signs", f"+{b64('rus')}- -{b64('fred')}-", [b"rus\nfred\nrusfred"]),
    ("base64 of two short words", f"{b64('rus')} {b64('misbruk')}", [b"rus\nmisbruk\nrusmisbruk"]),
    ("a stream", b64(zlib.compress(b"ro og fred")), [b"ro og fred"]),
    ("a word like a stream", b64("x ro og fred"), [b"x ro og fred"]),
    # numbers of letters
    ("hex", b"ro og fred".hex(), [b"ro og fred"]),
    ("hex in capitals", b"ro og fred".hex().upper(), [b"ro og fred"]),
    ("short hex", b"heim".hex(), [alone("heim")]),
    ("hex that is too short", b"hei".hex(), []),
    *((f"hex apart with {sign!r}", b"heim".hex("_").replace("_", sign), [alone("heim")])
      for sign in (" ", ",", ":", ";", ".", "-", ", ", "--")),
    ("hex too far apart", b"heim".hex("_").replace("_", "   "), []),
    ("hex as in a program", "0x68, 0x65, 0x69, 0x6D", [alone("heim")]),
    ("three numbers of hex", "6A 6B 6C", []),
    ("hex of a text of ten", HEX, [b'"heroin!"1']),
    ("hex of a text of nine", HEX[:-2], []),
    ("hex inside a word", f"x{b'heim'.hex()}", []),
    ("hex before a word", f"{b'heim'.hex()}x", []),
    ("hex apart inside a word", "xx68 65 69 6D", []),
    ("decimal", "104 101 105 109", [alone("heim")]),
    ("decimal of two digits, or hex", "72,69,73,77", [b"risw\nHEIM\nriswHEIM"]),
    ("decimal with too much", "104 101 105 109 999", [alone("heim")]),
    ("decimal with 256", "104 101 105 109 256", [alone("heim")]),
    ("decimal with 255", "104 101 105 109 255", []),
    ("three numbers", "104 101 105", []),
    ("decimal inside a word", "x104 101 105 109", []),
    ("decimal without signs", "104101105109", []),
    ("binary", "01101000 01100101 01101001 01101101", [alone("heim")]),
    ("binary with commas", "01101000, 01100101, 01101001, 01101101", [alone("heim")]),
    ("binary in one", "01101000011001010110100101101101", [alone("heim")]),
    ("binary of three", "01101000 01100101 01101001", []),
    # encodings
    ("with a mark", b64("\ufeffro og fred"), [b"ro og fred"]),
    ("UTF-16", b64("ro og fred".encode("utf-16")), [b"ro og fred"]),
    ("UTF-16, the other way", b64(b"\xfe\xff" + "ro og fred".encode("utf-16-be")), [b"ro og fred"]),
    ("UTF-16 without a mark", b64("ro og fred".encode("utf-16-le")), [b"ro og fred"]),
    ("UTF-16 without a mark, the other way", b64("ro og fred".encode("utf-16-be")), [b"ro og fred"]),
    ("UTF-7", f"+{b64('ro og fred'.encode('utf-16-be')).rstrip('=')}-", [b"ro og fred"]),
    ("western", b64("ro på øya".encode("cp1252") + b"\t\r\n!"), ["ro på øya\t\r\n!".encode()]),
    ("western signs", b64("ro – og “fred” på øya snart".encode("cp1252")),
     ["ro – og “fred” på øya snart".encode()]),
    ("a fifth is signs", b64(b"ro \xe5\xe5 ro og"), ["ro åå ro og".encode()]),
    ("mostly signs", b64(b"ro \xe5\xe5\xe5 ro og"), []),
    ("hidden characters", b64("ro\u200b og\u00a0fred\u00ad"), ["ro\u200b og\u00a0fred\u00ad".encode()]),
    ("control characters", b64("ro\x01 og fred"), []),
    ("half a UTF-16", b64(b"\xff\xfer\x00o"), []),
    # what is neither
    ("an id", "550e8400-e29b-41d4-a716-446655440000", []),
    ("a date", "2026-01-02 10:30, 01.01.1990", []),
    ("pulses", "72 75 73 / 120/80", []),
    ("ordinary words", "Alta alle Elle elle NAV ands Unds", []),
    ("a name in two capitals", "KommunalBoligTjeneste NAV", []),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("text", "contents"), [row[1:] for row in FOUND], ids=[row[0] for row in FOUND])
def test_what_is_packed_comes_out(text: str, contents: Sequence[bytes | None]) -> None:
    found: list[bytes | None] = []
    for payload in payloads(text):
        if payload.content not in found:
            found.append(payload.content)
    assert found == contents


FILES = [b"\x1f\x8b", b"PK", b"%PDF-", b"{\\rtf", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\x00",
         b"MM\x00*",
         b"0\x82", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"RIFF", b"BM",
         b"\xd0\xcf\x11\xe0"]  # a table # fmt: skip


@pytest.mark.parametrize("start", FILES)
def test_a_file_of_a_known_kind_comes_out_whole(start: bytes) -> None:
    content = start + bytes(range(128, 145))

    assert [payload.content for payload in payloads(b64(content))] == [content]
    assert list(payloads(b64(b"\x80" + content))) == []


PLACES = [
    (f"Se {b64('ro og fred')} her", "Se  her"),
    (f"Se {b64('rus')} og {b64('fred')}.", "Se  og ."),
    ("Se data:,ro her", "Se  her"),
    ("Se r=6F her", "Se r her"),
    (f"Se\nbegin 644 a\n{uu(b'ro og fred')}her", "Se\nher"),
    (f"Se {b'heim'.hex(' ')} her", "Se  her"),
    (f"Se {b64(b'ro' + bytes(9))} her", f"Se {b64(b'ro' + bytes(9))} her"),
]


@pytest.mark.parametrize(("text", "rest"), PLACES)
def test_each_says_where_it_stands(text: str, rest: str) -> None:
    places = sorted(place for payload in payloads(text) for place in payload.places)
    for start, end in reversed(places):
        text = text[:start] + text[end:]

    assert text == rest


def test_a_stream_is_inflated_whole_or_not_at_all() -> None:
    packed = zlib.compress(b"ro og fred")

    assert inflated(packed, 15) == b"ro og fred"
    assert inflated(gzip.compress(b"ro"), 31) == b"ro"
    assert inflated(packed[:-1], 15) is None
    assert inflated(packed + b"x", 15) is None
    assert inflated(b"x ro", 15) is None


def test_a_stream_has_a_largest_size_and_ratio() -> None:
    assert inflated(zlib.compress(b"a" * 200_000), 15) == b"a" * 200_000
    assert inflated(zlib.compress(b"a" * 200_001), 15) is None
    most = b"".join(number.to_bytes(4, "big") for number in range(1_000_000))
    assert inflated(zlib.compress(most, 1), 15) == most
    assert inflated(zlib.compress(most + b"x", 1), 15) is None
    dense = zlib.compress(b"a" * 3_000_000 + most[:60_000], 9)
    assert len(dense) * 200 > 3_060_000
    assert inflated(dense, 15) is not None
