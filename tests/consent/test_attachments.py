"""A file is read whole or not at all: each kind with the words in its text, elsewhere, and hidden."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import time
import zipfile
import zlib

import pytest
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, NameObject, TextStringObject

from consent.attachments import DEEPEST, hidden_texts, text_of

WORD = "rusmisbruk"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT = "application/vnd.oasis.opendocument.text"


def zipped(**members: bytes | str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml").replace("_txt", ".txt"), content)
    return out.getvalue()


def docx(body: str) -> bytes:
    return zipped(word__document_xml=f'<w:document xmlns:w="urn:w"><w:t>{body}</w:t></w:document>')


def pdf(text: str, *, title: str = "", drawn: str = "", **catalogue: object) -> bytes:
    writer = PdfWriter()
    page = writer.add_blank_page(200, 200)
    font = DictionaryObject(
        {NameObject("/Type"): NameObject("/Font"), NameObject("/Subtype"): NameObject("/Type1"),
         NameObject("/BaseFont"): NameObject("/Helvetica")}
    )  # one row per case # fmt: skip
    fonts = DictionaryObject({NameObject("/F1"): writer._add_object(font)})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    content = DecodedStreamObject()
    content.set_data((f"BT /F1 12 Tf 10 100 Td ({text}) Tj ET " if text else "").encode() + drawn.encode())
    page[NameObject("/Contents")] = writer._add_object(content)
    if title:
        writer.add_metadata({"/Title": title})
    for name in catalogue:
        writer.root_object[NameObject(f"/{name}")] = DictionaryObject()
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def pdf_with_file() -> bytes:
    writer = PdfWriter(io.BytesIO(pdf("Hei")))
    writer.add_attachment("notat.txt", WORD.encode())
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def pdf_with_key() -> bytes:
    writer = PdfWriter(io.BytesIO(pdf(WORD)))
    writer.encrypt("hemmelig", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def pdf_with_empty_key() -> bytes:
    writer = PdfWriter(io.BytesIO(pdf(WORD)))
    writer.encrypt("", "eier", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def blank_pdf() -> bytes:
    """A page with nothing on it, and nothing said about it."""
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.metadata = None
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def pdf_with_note() -> bytes:
    writer = PdfWriter(io.BytesIO(pdf("Hei")))
    writer.pages[0][NameObject("/Annots")] = ArrayObject()
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def pdf_with_picture() -> bytes:
    return pdf("Hei", drawn="q 10 0 0 10 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID x EI Q")


def pdf_beside(*, stream: str = "", string: str = "", name: str = "") -> bytes:
    """A page that says hello, and an object that no page refers to."""
    writer = PdfWriter(io.BytesIO(pdf("Hei")))
    if stream:
        alone = DecodedStreamObject()
        alone.set_data(stream.encode())
        writer._add_object(alone)
    if string:
        writer._add_object(ArrayObject([DictionaryObject({NameObject("/A"): TextStringObject(string)})]))
    if name:
        writer._add_object(NameObject(f"/{name}"))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def pdf_in_parts(text: str) -> bytes:
    """A newer version of a page, with the older one still in the file."""
    writer = PdfWriter(io.BytesIO(pdf(text)), incremental=True)
    content = DecodedStreamObject()
    content.set_data(b"BT /F1 12 Tf 10 100 Td (Hei) Tj ET")
    writer.pages[0][NameObject("/Contents")] = writer._add_object(content)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


READ = {
    "text": (f"Han har {WORD}.".encode(), "text/plain"),
    "text in another encoding": (f"Han har {WORD} og bor på øya.".encode("cp1252"), "text/plain"),
    "UTF-16": (f"Han har {WORD}".encode("utf-16"), "text/plain"),
    "html": (f"<html><body><p>{WORD}</p></body></html>".encode(), "text/html"),
    "html comment": (f"<html><!-- {WORD} --></html>".encode(), "text/html"),
    "html attribute": (f'<html><p title="{WORD}">Hei</p></html>'.encode(), "text/html"),
    "xml element": (f"<a>rus<b>mis</b>bruk {WORD}</a>".encode(), "application/xml"),
    "xml attribute": (f'<a b="{WORD}"/>'.encode(), "application/xml"),
    "xml comment": (f"<a><!--{WORD}--></a>".encode(), "application/xml"),
    "xml instruction": (f"<a><?x {WORD}?></a>".encode(), "application/xml"),
    "xml cdata": (f"<a><![CDATA[{WORD}]]></a>".encode(), "application/xml"),
    "rtf": (rb"{\rtf1\ansi Han har rusmis{\b bruk}.}", "application/rtf"),
    "docx": (docx(WORD), DOCX),
    "odt": (zipped(content_xml=f"<o>{WORD}</o>"), ODT),
    "pdf": (pdf(WORD), "application/pdf"),
    "pdf title": (pdf("Hei", title=WORD), "application/pdf"),
    "comment in a pdf": (
        pdf("Hei").replace(b"startxref", b"%" + WORD.encode() + b"\nstartxref"),
        "application/pdf",
    ),
    "after a pdf": (pdf("Hei") + WORD.encode(), "application/pdf"),
    "stream beside the pages": (pdf_beside(stream=f"BT ({WORD}) Tj ET"), "application/pdf"),
    "string beside the pages": (pdf_beside(string=f"\u0171{WORD}\u0171 {WORD}"), "application/pdf"),
    "name beside the pages": (pdf_beside(name=WORD), "application/pdf"),
    "older version of a pdf": (pdf_in_parts(WORD), "application/pdf"),
    "zip": (zipped(a_txt=WORD), "application/zip"),
    "zip in zip": (zipped(a_txt="x", b=zipped(c_txt=WORD)), "application/zip"),
    "name in a zip": (zipped(**{f"{WORD}_txt": "x"}), "application/zip"),
    "gzip": (gzip.compress(WORD.encode()), "application/gzip"),
    "base64 in text": (b"se " + base64.b64encode(f"Han har {WORD}".encode()), "text/plain"),
}


@pytest.mark.parametrize("case", READ)
def test_the_words_of_a_file_are_found(case: str) -> None:
    content, stated = READ[case]
    texts = text_of(content, stated, "fil")

    assert texts is not None
    assert any(WORD in text for text in texts)


def test_the_name_of_a_file_is_read_first() -> None:
    texts = text_of(b"Hei", "text/plain", "LAR-liste.txt")

    assert texts is not None
    assert texts[0] == "LAR-liste.txt"


UNREADABLE = {
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(50), "image/png"),
    "png said to be text": (b"\x89PNG\r\n\x1a\n" + bytes(50), "text/plain"),
    "dicom": (bytes(128) + b"DICM" + bytes(20), "application/dicom"),
    "dicom said to be anything": (bytes(128) + b"DICM" + bytes(20), "application/octet-stream"),
    "signature": (b"0\x82\x01\x00" + bytes(60), "application/pkcs7-mime"),
    "pdf without a text": (pdf("", drawn="10 10 m 20 20 l S"), "application/pdf"),
    "pdf with a picture": (pdf_with_picture(), "application/pdf"),
    "pdf with invisible text": (pdf("Hei", drawn=f"BT /F1 9 Tf 3 Tr ({WORD}) Tj ET"), "application/pdf"),
    "pdf with layers": (pdf("Hei", OCProperties=True), "application/pdf"),
    "pdf with a form": (pdf("Hei", AcroForm=True), "application/pdf"),
    "pdf with a file": (pdf_with_file(), "application/pdf"),
    "pdf with a key": (pdf_with_key(), "application/pdf"),
    "pdf with an empty key": (pdf_with_empty_key(), "application/pdf"),
    "pdf with a note": (pdf_with_note(), "application/pdf"),
    "half a pdf": (pdf(WORD)[:200], "application/pdf"),
    "docx with a picture": (zipped(word__document_xml="<w:p/>", word__media=b"\x89PNG\r\n\x1a\n"), DOCX),
    "docx with hidden text": (docx("<w:vanish/>"), DOCX),
    "docx with a deleted text": (docx('<w:del w:id="1"/>'), DOCX),
    "rtf with an object": (rb"{\rtf1 {\object\objdata 00}}", "application/rtf"),
    "rtf with a picture": (rb"{\rtf1 {\pict 00}}", "application/rtf"),
    **{
        f"rtf with {word}": (b"{\\rtf1 {\\" + word.encode() + b" 00}}", "application/rtf")
        for word in ("objdata", "object", "bin4", "v", "deleted")
    },
    **{
        f"docx with {tag}": (docx(f"<{tag} w:id='1'/>"), DOCX)
        for tag in ("w:webHidden", "w:ins", "w:object", "w:pict", "a:blip")
    },
    **{
        f"odt with {tag}": (zipped(content_xml=f"<o><{tag}/></o>"), ODT)
        for tag in ("draw:image", "draw:object", 'x text:display="none"')
    },
    "docx that is signed": (zipped(word__document_xml="<w:p/>", _xmlsignatures__a_xml="<a/>"), DOCX),
    "docx with a program": (zipped(word__document_xml="<w:p/>", word__vbaProject="x"), DOCX),
    "odt that is signed": (zipped(content_xml="<o/>", META__documentSignatures_xml="<a/>"), ODT),
    "xml with something enciphered": (b"<a><x:EncryptedData xmlns:x='u'/></a>", "application/xml"),
    "xml with something signed": (b"<a><ObjectData/></a>", "application/xml"),
    "xml with an entity in small letters": (b"<a><!entity x></a>", "application/xml"),
    "pdf with an action": (pdf("Hei", OpenAction=True), "application/pdf"),
    "pdf with actions": (pdf("Hei", AA=True), "application/pdf"),
    "pdf that holds others": (pdf("Hei", Collection=True), "application/pdf"),
    "half a zip": (zipped(a_txt=WORD)[:-30], "application/zip"),
    "an empty pdf": (pdf(""), "application/pdf"),
    "a blank pdf": (blank_pdf(), "application/pdf"),
    "html said to be xml": (b"<!DOCTYPE html><p>Hei", "application/xml"),
    "xml with an entity": (b'<!DOCTYPE a [<!ENTITY x "hei">]><a>&x;</a>', "application/xml"),
    "text said to be pdf": (b"Hei", "application/pdf"),
    "pdf said to be text": (pdf("Hei"), "text/plain"),
    "a type we do not know": (b"Hei", "video/mp4"),
    "half a gzip": (gzip.compress(WORD.encode())[:-6], "application/gzip"),
    "two gzips": (gzip.compress(b"a") + gzip.compress(b"b"), "application/gzip"),
    "control characters": (b"a\x00b", "text/plain"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_whole_is_unreadable(case: str) -> None:
    content, stated = UNREADABLE[case]

    assert text_of(content, stated, "fil") is None


def test_depth_size_and_ratio_are_limited() -> None:
    deep = WORD.encode()
    for _ in range(DEEPEST + 1):
        deep = gzip.compress(deep)
    bomb = zipped(a_txt=b"a" * 3_900_000)
    many = zipped(**{f"n{i}_txt": "x" for i in range(120)})
    pages = " ".join(map(str, range(130_000)))
    large = zipped(**{f"n{i}_txt": pages for i in range(6)})

    assert [text_of(x, "application/octet-stream", "f") for x in (deep, bomb, many, large)] == [None] * 4
    assert text_of(gzip.compress(b"a" * 3_900_000), "application/gzip", "f") is None
    assert text_of(zipped(a_txt=pages), "application/zip", "f") is not None
    fits = WORD.encode()
    for _ in range(DEEPEST):
        fits = gzip.compress(fits)
    assert text_of(fits, "application/gzip", "f") is not None


def packed(content: str | bytes) -> str:
    return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()


HEROIN = b"heroin"
PACKED = {
    "base64": base64.b64encode(f"Han har {WORD}".encode()).decode(),
    "base64url": base64.urlsafe_b64encode(f"Han ?>>?? {WORD}".encode()).decode(),
    "base64 in lines": "\r\n".join(
        base64.b64encode(f"Han har {WORD} siden mai i fjor".encode()).decode()[i : i + 20]
        for i in (0, 20, 40)
    ),
    "gzip": base64.b64encode(gzip.compress(WORD.encode())).decode(),
    "zlib": base64.b64encode(zlib.compress(f"{WORD} {WORD}".encode())).decode(),
    "data": f"data:text/plain,Han%20har%20{WORD}",
    "data in base64": f"data:text/plain;base64,{base64.b64encode(WORD.encode()).decode()}",
    "hex": f"Han {WORD}".encode().hex(),
    "quoted": "Han har rus=6D=69sbruk",
    "quoted once": "Han har rus=6Disbruk",
    "quoted in small letters": "Han har rus=6disbruk",
    "quoted with a soft hyphen beside it": "Han har rus=6Disbruk og ei bu\u00adstad",
    "quoted in another encoding": "p=E5 rus=6Disbruk",
    "short base64": packed("LAR"),
    "a word in base64": packed("heroin"),
    "base64 in groups": "cnVz bWlz YnJ1 a2V0",
    "base64 on a line of its own": f"Hei\n{packed(f'Han har {WORD}')}\nHilsen",
    "base64 of UTF-16": packed(WORD.encode("utf-16")),
    "base64 of UTF-16 without a mark": packed(WORD.encode("utf-16-le")),
    "base64 of UTF-16, the other way": packed(WORD.encode("utf-16-be")),
    "UTF-7": f"+{packed(WORD.encode('utf-16-be')).rstrip('=')}-",
    "base64 of a western encoding": packed(f"{WORD} på øya".encode("cp1252")),
    "base64 with a mark": packed(f"\ufeff{WORD}"),
    "base64 with a hard space": packed(f"{WORD}\u00a0i mai"),
    "base64 that begins like a stream": packed(f"x {WORD} i mai"),
    "short base64 with an å": packed("påvirk"),
    "short hex": HEROIN.hex(),
    "hex with spaces": HEROIN.hex(" "),
    "hex with colons": HEROIN.hex(":").upper(),
    "hex as in a program": ", ".join(f"0x{byte:02x}" for byte in HEROIN),
    "decimal": " ".join(map(str, HEROIN)),
    "decimal with commas": ",".join(map(str, HEROIN)),
    "binary": " ".join(f"{byte:08b}" for byte in HEROIN),
    "binary in one": "".join(f"{byte:08b}" for byte in HEROIN),
    "uuencode": f"\nbegin 644 a.txt\n{binascii.b2a_uu(WORD.encode()).decode()}`\nend\n",
    "uuencode without an end": f"\r\nbegin 644 a.txt\r\n{binascii.b2a_uu(WORD.encode()).decode()}",
    "pdf": base64.b64encode(pdf(WORD)).decode(),
}


@pytest.mark.parametrize("case", PACKED)
def test_what_is_packed_in_a_text_is_read(case: str) -> None:
    texts = hidden_texts(f"Se {PACKED[case]} takk")

    assert texts is not None
    said = "".join(texts)
    assert WORD in said or any(word in said for word in ("heroin", "LAR", "påvirk", "rusmisbruket"))


ORDINARY = [
    "",
    "Trenger bolig i Fjordvik",
    "Trenger leilighet, jobb og bankkonto.\nHilsen NAV",
    "Ring 22 33 44 55 eller 22334455.",
    "Puls 72 75 73, BT=120/80, Hb=14, vekt 84 83 66.",
    "Født 01.01.1990, time 2026-01-02 10:30.",
    "550e8400-e29b-41d4-a716-446655440000",
    "Begynner i dag. begin 2026 with a plan",
    "Familie 👨‍👩‍👧 og 🇳🇴",
    "Alle eller ingen. Alta, Elle, alle.",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_text_holds_nothing(text: str) -> None:
    assert hidden_texts(text, prose=True) == ()


NOT_UNPACKED = {
    "uuencode that is none": "begin 644 a.txt\nM\nhei",
    "a data URI that is none": "data:image/png;base64,AAECAwQFBgcICQ==",
    "letters without a shape": "hei\u200b\u200c\u200b\u200b\u200c\u200c\u200b\u200c der",
    "a picture": packed(b"\x89PNG\r\n\x1a\n" + bytes(range(60))),
    "a word longer than words": "x#" * 24,
    "such a word beside a text": f"{packed(f'Han bor på {WORD}')} {'x#' * 24}",
}


@pytest.mark.parametrize("case", NOT_UNPACKED)
def test_what_is_packed_and_cannot_be_read_is_told(case: str) -> None:
    assert hidden_texts(f"{NOT_UNPACKED[case]}", prose=True) is None


def test_only_prose_has_no_long_words() -> None:
    assert hidden_texts("x#" * 24) == hidden_texts("a" * 400) == ()
    assert hidden_texts("x#" * 23 + "x", prose=True) == ()
    assert hidden_texts("x#" * 24, prose=True) is None
    assert hidden_texts(packed("Han bor hos mor på øya, og trenger bolig snart"), prose=True)


@pytest.mark.parametrize(
    "sign",
    "\u00ad\u200b\u200f\u202a\u202e\u2060\u2064\ufe00\ufe0f\ufeff\U000e0100\U000e01ef",
)
def test_many_signs_without_a_shape_in_a_row_are_unreadable(sign: str) -> None:
    assert hidden_texts(f"Hei {sign * 8}") is None
    assert hidden_texts(f"Hei {sign * 7} {sign * 7}") == ()


def test_a_text_is_packed_so_deep_and_no_deeper() -> None:
    text = "ro og fred"
    for _ in range(DEEPEST):
        text = packed(text)

    assert DEEPEST == 6
    assert "ro og fred" in (hidden_texts(text) or ())
    assert hidden_texts(packed(text)) is None
    file = b"ro og fred"
    for _ in range(DEEPEST):
        file = gzip.compress(file)
    assert text_of(file, "application/gzip", "f") == ("f", "ro og fred")
    assert text_of(gzip.compress(file), "application/gzip", "f") is None


@pytest.mark.parametrize(("members", "read"), [(99, True), (100, False)])
def test_a_file_has_so_many_parts_and_no_more(members: int, read: bool) -> None:
    content = zipped(**{f"n{i}_txt": "x" for i in range(members)})

    assert (text_of(content, "application/zip", "f") is not None) is read


KINDS = {
    "text": b"Hei", "xml": b"<a>Hei</a>", "html": b"<html>Hei</html>", "rtf": rb"{\rtf1 Hei}",
    "pdf": pdf("Hei"), "zip": zipped(a_txt="Hei"), "gzip": gzip.compress(b"Hei"),
}  # one row per case # fmt: skip
STATED = {
    "text/plain": {"text"}, "text/markdown": {"text"}, "text/csv": {"text"},
    "application/json": {"text"}, "application/fhir+json": {"text"},
    "text/xml": {"xml"}, "application/xml": {"xml"}, "application/fhir+xml": {"xml"},
    "text/html": {"text", "xml", "html"}, "application/xhtml+xml": {"xml", "html"},
    "text/rtf": {"rtf"}, "application/rtf": {"rtf"}, "application/pdf": {"pdf"},
    "application/zip": {"zip"}, DOCX: {"zip"}, ODT: {"zip"},
    "application/gzip": {"gzip"}, "application/x-gzip": {"gzip"},
    "application/octet-stream": set(KINDS), " TEXT/PLAIN ; charset=utf-8": {"text"}, "": set(),
}  # one row per case # fmt: skip


@pytest.mark.parametrize("stated", STATED)
def test_a_file_must_be_what_it_is_said_to_be(stated: str) -> None:
    assert {kind for kind, content in KINDS.items() if text_of(content, stated, "f")} == STATED[stated]


WHOLE = {
    "rtf letters": (rb"{\rtf1 p\'e5 \u248?ya}", "application/rtf", "på øya"),
    "rtf letters in capitals": (rb"{\rtf1 p\'E5 \u-3912?}", "application/rtf", "på \uf0b8"),
    "rtf lines": (rb"{\rtf1 a\par b\line c\tab d\cell e\row f}", "application/rtf", "a\nb\nc\nd\ne\nf"),
    "rtf soft hyphens": (rb"{\rtf1 rus\-mis\_bruk}", "application/rtf", "rusmisbruk"),
    "rtf words of its own": (rb"{\rtf1{\*\Gen12 x}rus{\b\fs-24 mis}bruk}", "application/rtf", "xrusmisbruk"),
    "html in capitals": (b"\xef\xbb\xbf \r\n\t<HTML>Hei</HTML>", "application/xhtml+xml", "<HTML>Hei"),
    "html with a doctype": (b"<!DOCTYPE html><p>Hei", "application/xhtml+xml", "<p>Hei"),
    "xml in every place": (b'<a b="en">to<c d="tre">fire</c>fem</a>', "text/xml", "en to tre fire fem"),
    "xml cut by markup": (b"<a>rus<b/>mis<b/>bruk</a>", "text/xml", "rusmisbruk"),
    "xml escaped twice": (b"<a>r&amp;#117;s</a>", "text/xml", "rus"),
    "no xml": (b"<a>Hei", "text/xml", "<a>Hei"),
    "UTF-16, the other way": (b"\xfe\xff" + "Hei på".encode("utf-16-be"), "text/plain", "Hei på"),
    "a folder in a zip": (zipped(mappe__=b"", a_txt="Hei"), "application/zip", "Hei"),
}  # one row per case # fmt: skip


@pytest.mark.parametrize("case", WHOLE)
def test_a_file_is_read_to_the_letter(case: str) -> None:
    content, stated, said = WHOLE[case]
    texts = text_of(content, stated, "fil")

    assert texts is not None
    assert any(said in text for text in texts)


@pytest.mark.parametrize(
    "piece",
    [
        *("QUJD", "=3D", "data:,", "41", "data:text/plain;base64,QUJD ", "<a>", "%41", "41 ", "aGVyb2lu "),
        *("101 ", "01100001 ", "begin 644 a\n", "begin 644 a\n#86)C\n", "aB\n", "0x41,"),
    ],
)
def test_time_grows_with_the_length(piece: str) -> None:
    def took(repeats: int) -> float:
        text = piece * repeats
        start = time.process_time()
        hidden_texts(text)
        return time.process_time() - start

    short = max(min(took(2_000) for _ in range(3)), 0.005)
    assert took(16_000) < 8 * short * 4
