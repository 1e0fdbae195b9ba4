"""A file is read whole or not at all: each kind with the words in its text, elsewhere, and hidden."""

from __future__ import annotations

import base64
import gzip
import io
import time
import zipfile
import zlib

import pytest
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, NameObject

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
    )  # fmt: skip
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


def pdf_with_note() -> bytes:
    writer = PdfWriter(io.BytesIO(pdf("Hei")))
    writer.pages[0][NameObject("/Annots")] = ArrayObject()
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def pdf_with_picture() -> bytes:
    return pdf("Hei", drawn="q 10 0 0 10 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID x EI Q")


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
    "pdf": base64.b64encode(pdf(WORD)).decode(),
}


@pytest.mark.parametrize("case", PACKED)
def test_what_is_packed_in_a_text_is_read(case: str) -> None:
    texts = hidden_texts(f"Se {PACKED[case]} takk")

    assert texts is not None
    assert any(WORD in text for text in texts)


@pytest.mark.parametrize(
    "text", ["", "Trenger bolig i Fjordvik", "Trenger leilighet, jobb og bankkonto.\nHilsen NAV", "a" * 400]
)
def test_an_ordinary_text_holds_nothing(text: str) -> None:
    assert hidden_texts(text) == ()


@pytest.mark.parametrize(
    "piece", ["QUJD", "=3D", "data:,", "41", "data:text/plain;base64,QUJD ", "<a>", "%41"]
)
def test_time_grows_with_the_length(piece: str) -> None:
    def took(repeats: int) -> float:
        text = piece * repeats
        start = time.process_time()
        hidden_texts(text)
        return time.process_time() - start

    short = max(min(took(2_000) for _ in range(3)), 0.005)
    assert took(16_000) < 8 * short * 4
