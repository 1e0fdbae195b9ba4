"""A PDF is read to the last letter, or it is not read: every place where words can hide from the reader."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from consent.attachments import text_of
from consent.pdfs import DEEPEST, MOST_LOST, MOST_OBJECTS, MOST_PAGES, NotReadError, read_pdf

WORD = "heroin"
CLEAN = b"BT /F1 12 Tf 10 100 Td (Hun har det bra og skal til kontroll hos legen i morgen.) Tj ET\n"
HELVETICA = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"


def built(*objects: bytes, trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalogue."""
    out, places = b"%PDF-1.7\n", []
    for number, each in enumerate(objects, 1):
        places.append(b"%010d 00000 n \n" % len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    size = len(objects) + 1
    table = b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, b"".join(places))
    ends = b"trailer << /Size %d /Root 1 0 R %b >>\nstartxref\n%d\n%%%%EOF" % (size, trailer, len(out))
    return out + table + ends


def stream(content: bytes, about: bytes = b"") -> bytes:
    return b"<< %b /Length %d >>\nstream\n%b\nendstream" % (about, len(content), content)


def page(
    contents: bytes,
    *more: bytes,
    resources: bytes = b"",
    fonts: bytes = b"",
    about: bytes = b"",
    catalogue: bytes = b"",
    trailer: bytes = b"",
) -> bytes:
    """One page with one font; more objects are numbered from 6."""
    has = b"/Resources << /Font << /F1 5 0 R %b >> %b >>" % (fonts, resources)
    return built(
        b"<< /Type /Catalog /Pages 2 0 R %b >>" % catalogue,
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 %b >>" % has,
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents 4 0 R %b >>" % about,
        stream(contents),
        HELVETICA,
        *more,
        trailer=trailer,
    )


def packed(hidden: bytes) -> bytes:
    """A clean page, and an object in an object stream (number 7, within 6) that nothing refers to."""
    plain = page(CLEAN, stream(b"7 0 " + hidden, b"/Type /ObjStm /N 1 /First 4"))
    body = plain[: plain.rindex(b"xref\n0 ")]
    places = [body.index(b"%d 0 obj" % number) for number in range(1, 7)]
    rows = b"".join(b"\1%b\0" % place.to_bytes(2) for place in (*places, len(body)))
    rows = b"\0\0\0\0" + rows[:24] + b"\2\0\6\0" + rows[24:]
    table = stream(rows, b"/Type /XRef /W [1 2 1] /Size 9 /Root 1 0 R")
    return body + b"8 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF" % (table, len(body))


def written(font: bytes, *more: bytes, shown: bytes) -> bytes:
    """A clean page, and a word in another font, which is object 6."""
    return page(CLEAN + b"BT /F2 12 Tf 10 10 Td %b Tj ET" % shown, font, *more, fonts=b"/F2 6 0 R")


def form(contents: bytes, about: bytes = b"/Resources << /Font << /F1 5 0 R >> >>") -> bytes:
    return stream(contents, b"/Type /XObject /Subtype /Form /BBox [0 0 300 300] " + about)


def drawn(*forms: bytes, contents: bytes = b"/X Do") -> bytes:
    return page(CLEAN + contents, *forms, resources=b"/XObject << /X 6 0 R >>")


def tiled(contents: bytes, about: bytes = b"/Resources << /Font << /F1 5 0 R >> >>", *more: bytes) -> bytes:
    tile = b"/PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 9 /YStep 9 "
    paint = b"/Pattern cs /P scn 0 0 300 300 re f"
    return page(CLEAN + paint, stream(contents, tile + about), *more, resources=b"/Pattern << /P 6 0 R >>")


def masked(contents: bytes, about: bytes = b"/Resources << /Font << /F1 5 0 R >> >>", *more: bytes) -> bytes:
    state = b"/ExtGState << /G << /SMask << /S /Alpha /G 6 0 R >> >> >>"
    return page(CLEAN + b"/G gs 0 0 300 300 re f", form(contents, about), *more, resources=state)


CODES = {letter: number for number, letter in enumerate(sorted(set(WORD)), 33)}
SHOWN = b"<" + b"".join(b"%02x" % CODES[letter] for letter in WORD) + b">"
WIDE = b"<" + b"".join(b"%04x" % CODES[letter] for letter in WORD) + b">"


def table(letters: Mapping[int, str]) -> bytes:
    """A ToUnicode map."""
    rows = "".join(
        f"<{code:04x}> <{said.encode('utf-16-be', 'surrogatepass').hex()}>\n"
        for code, said in letters.items()
    )
    return stream(f"{len(letters)} beginbfchar\n{rows}endbfchar".encode())


MAP = {code: letter for letter, code in CODES.items()}
COMPOSED = b"<< /Type /Font /Subtype /Type0 /BaseFont /A+B /DescendantFonts [8 0 R] %b >>"
TOLD = COMPOSED % b"/Encoding /Identity-H /ToUnicode 7 0 R"
CID = b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /A+B >>"
SIMPLE = b"<< /Type /Font /Subtype /%b /BaseFont /A+B %b >>"


def names(form: str) -> bytes:
    return b"/Differences [33 " + " ".join(f"/{form.format(x)}" for x in sorted(CODES)).encode() + b"]"


def inside(flags: int, file: bytes = b"/FontFile2") -> bytes:
    """A font file in the PDF: objects 7 and 8."""
    return b"<< /Type /FontDescriptor /FontName /A+B /Flags %d %b 8 0 R >>" % (flags, file)


EMBEDDED = b" /FontDescriptor 7 0 R"
TYPE1_FILE = stream(
    b"/Encoding 256 array\n" + b"".join(b"dup %d /x put\n" % code for code in MAP) + b"readonly def"
)
HEX = WORD.encode("utf-16-be").hex().encode()
TEXT = b"BT /F1 9 Tf (%b) Tj ET" % WORD.encode()
INLINE = b"BI /W 8 /H 8 /BPC 1 /CS /G ID \xff\x81\xff\x81\xff\x81\xff\x81 EI"
PICTURE = stream(
    b"\xff", b"/Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray"
)
DIFFERING = b"/Encoding << /Type /Encoding %b >>" % names("{}")

READ = {
    "page": page(CLEAN + TEXT),
    "turned": page(CLEAN + b"BT /F1 9 Tf 0 -1 1 0 0 0 Tm (%b) Tj 1 Tr (.) Tj 2 Tr (.) Tj ET" % WORD.encode()),
    "font kept by q": page(CLEAN + b"q BT /F1 9 Tf q (a) Tj Q (%b) Tj ET Q Q" % WORD.encode()),
    "in every way to show": page(CLEAN + b"BT /F1 9 Tf 100 0 Td [(her) -9 (oin)] TJ (a) ' 1 2 (b) \" ET"),
    "form": drawn(form(TEXT)),
    "form that nobody draws": drawn(form(TEXT), contents=b""),
    "form in a form": drawn(form(b"/Y Do", b"/Resources << /XObject << /Y 7 0 R >> >>"), form(TEXT)),
    "font with a table": written(TOLD, table(MAP), CID, shown=WIDE),
    "simple font with a table": written(SIMPLE % (b"TrueType", b"/ToUnicode 7 0 R"), table(MAP), shown=SHOWN),
    "font with known names": written(SIMPLE % (b"Type1", DIFFERING), shown=SHOWN),
    "font inside with known names": written(
        SIMPLE % (b"TrueType", DIFFERING + EMBEDDED), inside(32), stream(b"x"), shown=SHOWN
    ),
    "font inside with an encoding": written(
        SIMPLE % (b"TrueType", b"/Encoding /WinAnsiEncoding" + EMBEDDED), inside(32), stream(b"x"), shown=b"(heroin)"
    ),
    "font that every reader has": written(b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier-Bold >>", shown=b"(heroin)"),
    "what stands for the letters": page(CLEAN + b"/Span << /ActualText <FEFF%b> >> BDC EMC" % HEX),
    "a point that is marked": page(CLEAN + b"/Note << /Alt <FEFF%b> >> DP" % HEX),
    "object in an object stream": packed(b"<FEFF%b>" % HEX),
    "metadata": page(
        CLEAN, stream(f"\ufeff{WORD}".encode("utf-16-be"), b"/Type /Metadata"), catalogue=b"/Metadata 6 0 R"
    ),
    "bullets": written(TOLD, table(MAP | {7: "\uf0b7", 8: "\uf0a7", 9: " ", 10: " "}), CID, shown=WIDE[:-1] + b"0007000800090009>"),
    "pattern of lines": tiled(b"0 0 m 9 9 l S %% %b" % WORD.encode()),
    "pattern of shades": page(
        CLEAN + TEXT + b"/Pattern cs /P scn 0 0 9 9 re f",
        b"<< /PatternType 2 /Shading << /ShadingType 2 /ColorSpace /DeviceGray /Coords [0 0 1 1] /Function << "
        b"/FunctionType 2 /Domain [0 1] /N 1 >> >> >>",
        resources=b"/Pattern << /P 6 0 R >>",
    ),
    "mask of lines": masked(b"0 0 9 9 re f %% %b" % WORD.encode()),
    "no mask": page(CLEAN + TEXT, resources=b"/ExtGState << /G << /SMask /None /CA 1 >> >>"),
}  # one row per case # fmt: skip


@pytest.mark.parametrize("case", READ)
def test_the_words_of_a_pdf_are_found(case: str) -> None:
    texts = text_of(READ[case], "application/pdf", "fil")

    assert texts is not None
    assert any(WORD in text for text in texts)


def test_the_text_of_a_form_is_read_for_itself() -> None:
    told = read_pdf(READ["form that nobody draws"])

    assert [text.strip() for text in told.said[1:]] == [WORD]


def test_a_title_is_said_first() -> None:
    assert read_pdf(page(CLEAN, b"<< /Title (Brev) >>", trailer=b"/Info 6 0 R")).said[0] == "Brev"


def shown_as(letters: Mapping[int, str], codes: bytes = WIDE) -> bytes:
    return written(TOLD, table(letters), CID, shown=codes)


NOT_READ = {
    "glyph numbers": written(COMPOSED % b"/Encoding /Identity-H", b"null", CID, shown=WIDE),
    "another numbering": written(COMPOSED % b"/Encoding /X-H /ToUnicode 7 0 R", table(MAP), CID, shown=WIDE),
    "a table by name": written(COMPOSED % b"/Encoding /Identity-H /ToUnicode /Identity-H", b"null", CID, shown=WIDE),
    "a table of some letters": shown_as({code: said for code, said in MAP.items() if said != "h"}),
    "a table of nothing": shown_as(dict.fromkeys(MAP, "")),
    "a table of blanks": shown_as(dict.fromkeys(MAP, " ")),
    "a table of what has no width": shown_as(dict.fromkeys(MAP, "\u200b")),
    "a table of unknown letters": shown_as(dict.fromkeys(MAP, "\ufffd")),
    "a table of bullets": shown_as(dict.fromkeys(MAP, "\uf0b7")),
    **{f"a table of {ord(x):x}": shown_as({code: chr(ord(x) + code) for code in MAP}) for x in "\ue000\uf000\U000f0000\U000e0f00\ud800"},
    "a table with nothing for a letter": shown_as(MAP | {CODES["h"]: ""}),
    "a table of controls": shown_as({code: chr(code - 32) for code in MAP}),
    "half a code": shown_as(MAP, WIDE[:-1] + b"21>"),
    "a table by name, simple": written(SIMPLE % (b"TrueType", b"/Encoding /WinAnsiEncoding /ToUnicode /Identity-H"), shown=b"(heroin)"),
    "a table of some letters, simple": written(
        SIMPLE % (b"TrueType", b"/Encoding /WinAnsiEncoding /ToUnicode 7 0 R"), table({97: "a"}), shown=b"(heroin)"
    ),
    "glyph names of its own": written(SIMPLE % (b"TrueType", b"/Encoding << %b >>" % names("G{}")), shown=SHOWN),
    "glyph names of its own in a known font": page(
        CLEAN + b"BT /F2 9 Tf (!) Tj ET",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << /Differences [33 /G01] >> >>",
        fonts=b"/F2 6 0 R",
    ),
    "beside the glyph names": written(
        SIMPLE % (b"TrueType", DIFFERING + EMBEDDED), inside(32), stream(b"x"), shown=b"(heroin)"
    ),
    "no encoding": written(SIMPLE % (b"TrueType", b""), shown=SHOWN),
    "no encoding, known name, own file": written(
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /FontDescriptor 7 0 R >>", inside(32), stream(b"x"), shown=SHOWN
    ),
    "an encoding that nobody knows": written(SIMPLE % (b"Type1", b"/Encoding /X"), shown=b"(heroin)"),
    "an encoding that nobody knows, known name": written(
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /X >>", shown=b"(heroin)"
    ),
    "an encoding built on one that nobody knows": written(
        SIMPLE % (b"Type1", b"/Encoding << /BaseEncoding /MacExpertEncoding >>"), shown=b"(heroin)"
    ),
    "a font of signs": written(
        SIMPLE % (b"TrueType", b"/Encoding /WinAnsiEncoding" + EMBEDDED), inside(4), stream(b"x"), shown=b"(heroin)"
    ),
    "a file that says other letters": written(
        SIMPLE % (b"Type1", DIFFERING + EMBEDDED), inside(4, b"/FontFile"), TYPE1_FILE, shown=SHOWN
    ),
    "letters that are drawings": written(
        SIMPLE % (b"Type3", DIFFERING + b"/ToUnicode 7 0 R /CharProcs << >> /FontMatrix [1 0 0 1 0 0]"), table(MAP), shown=SHOWN
    ),
    "a font of no kind": written(CID, shown=SHOWN),
    "a font that is none": page(CLEAN, b"[]", fonts=b"/F2 6 0 R"),
    "a font that nobody named": page(CLEAN + b"BT /F9 9 Tf (heroin) Tj ET"),
    **{f"no font, shown by {step.split()[-1].decode()}": page(b"BT %b ET " % step + CLEAN)
       for step in (b"(heroin) Tj", b"[(heroin)] TJ", b"(heroin) '", b"0 0 (heroin) \"")},
    "font gone with Q": page(b"q /F1 9 Tf Q BT (heroin) Tj ET " + CLEAN),
    "font of who draws the form": drawn(form(b"BT (heroin) Tj ET")),
    "fonts of who draws the form": drawn(form(TEXT, b"")),
    "font of a state": page(CLEAN + b"/G gs", resources=b"/ExtGState << /G << /Font [5 0 R 9] >> >>"),
    "a library that stumbles": written(
        SIMPLE % (b"TrueType", b"/Encoding /WinAnsiEncoding /FirstChar 33 /Widths [null]"), shown=b"(heroin)"
    ),
    "a library that stumbles in a form": drawn(
        form(b"BT /F2 9 Tf (heroin) Tj ET", b"/Resources << /Font << /F2 7 0 R >> >>"),
        SIMPLE % (b"TrueType", b"/Encoding /WinAnsiEncoding /FirstChar 33 /Widths [/a]"),
    ),
    "picture in the line": page(CLEAN + INLINE),
    "picture in the line of a form": drawn(form(INLINE)),
    "picture in the line of a pattern": tiled(INLINE),
    "picture in the line of a mask": masked(INLINE),
    "picture on the page": page(CLEAN + b"/X Do", PICTURE, resources=b"/XObject << /X 6 0 R >>"),
    "picture in a form": drawn(form(b"/Y Do", b"/Resources << /XObject << /Y 7 0 R >> >>"), PICTURE),
    "picture in a pattern": tiled(b"/Y Do", b"/Resources << /XObject << /Y 7 0 R >> >>", PICTURE),
    "picture in a mask": masked(b"/Y Do", b"/Resources << /XObject << /Y 7 0 R >> >>", PICTURE),
    "picture that nobody draws": page(CLEAN, PICTURE),
    "picture that does not say so": page(CLEAN, PICTURE.replace(b"/Subtype /Image", b"")),
    "form in a pattern": tiled(b"/Y Do", b"/Resources << /XObject << /Y 7 0 R >> >>", form(TEXT)),
    "form in a mask": masked(b"/Y Do", b"/Resources << /XObject << /Y 7 0 R >> >>", form(TEXT)),
    "text in a pattern": tiled(TEXT),
    "text in a mask": masked(TEXT),
    "drawing of no kind": page(CLEAN, stream(TEXT), resources=b"/XObject << /X 6 0 R >>"),
    "drawing that nobody named": page(CLEAN + b"/Z Do", form(TEXT), resources=b"/XObject << /X 6 0 R >>"),
    **{f"text in way {way.decode()}": page(CLEAN + b"BT %b Tr /F1 9 Tf (heroin) Tj ET" % way)
       for way in (b"3", b"3.0", b"+3", b"03", b"4", b"5", b"6", b"7", b"/x")},
    "text in way 3 of a form": drawn(form(b"3 Tr " + TEXT)),
    "a step that nobody knows": page(CLEAN + b"(heroin) Tx"),
    "a step with too much": page(CLEAN + b"BT /F1 9 Tf (a) (heroin) Tj ET"),
    "text that is none": page(CLEAN + b"BT /F1 9 Tf /heroin Tj ET"),
    "form that draws itself": drawn(form(b"/X Do " + TEXT, b"/Resources << /Font << /F1 5 0 R >> /XObject << /X 6 0 R >> >>")),
    "forms drawn beyond measure": drawn(
        *(form(b"/X Do /X Do", b"/Resources << /XObject << /X %d 0 R >> >>" % (n + 1)) for n in range(6, 18)), form(TEXT)
    ),
    "form that says so elsewhere": drawn(form(INLINE).replace(b"/Subtype /Form", b"/Subtype 7 0 R"), b"/Form"),
    "pattern that says so elsewhere": page(CLEAN, stream(TEXT, b"/PatternType 7 0 R"), b"1"),
    "picture that says so elsewhere": page(CLEAN, b"<< /Subtype 7 0 R >>", b"/Image"),
    "file inside": page(CLEAN, b"<< /Type /Filespec /F (a) /EF << /F 7 0 R >> >>", stream(b"x")),
    "names of files inside": page(CLEAN, b"<< /EmbeddedFiles << >> >>"),
    "note": page(CLEAN, about=b"/Annots []"),
    "page without a text": page(b"0 0 m 9 9 l S"),
    "arrays so deep": page(CLEAN, b"[" * (DEEPEST + 2) + b"]" * (DEEPEST + 2)),
    "references to nothing": page(CLEAN, b"[%b]" % b" ".join(b"%d 0 R" % n for n in range(900, 901 + MOST_LOST))),
    "objects without end": page(CLEAN, *([b"null"] * MOST_OBJECTS)),
    "pages without end": built(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%b] /Count %d >>" % (b" ".join(b"%d 0 R" % (n + 3) for n in range(MOST_PAGES + 1)), MOST_PAGES + 1),
        *([b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"] * (MOST_PAGES + 1)),
    ),
    "no catalogue": built(b"[]"),
}  # one row per case # fmt: skip


@pytest.mark.parametrize("case", NOT_READ)
def test_what_nobody_reads_is_told(case: str) -> None:
    with pytest.raises(NotReadError):
        read_pdf(NOT_READ[case])


def test_as_much_as_is_allowed_is_read() -> None:
    lost = b"[%b]" % b" ".join(b"%d 0 R" % n for n in range(900, 900 + MOST_LOST))
    deep = b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1)

    assert read_pdf(page(CLEAN + TEXT, lost, deep)).said
