"""Understands a PDF: every letter that its pages show and every string beside them, or nothing of it.

A picture may hold writing. So may a file inside, a layer that is not shown, a form to fill in, a note, a
pattern, a mask, and a font that does not say which letter a code stands for. Where a PDF has one, it is not
read. Source: ISO 32000-1, 7.8 (contents and resources), 9.4 (showing text), 9.6-9.10 (fonts), 11.6.5 (masks).
Letters drawn as lines, and a font whose table says other letters than it shows, no machine here can tell.
It must not know terms, labels or records.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import cast

from pypdf import PdfReader
from pypdf._cmap import get_encoding
from pypdf.generic import (
    ContentStream,
    DictionaryObject,
    EncodedStreamObject,
    IndirectObject,
    NullObject,
    StreamObject,
    create_string_object,
)

MOST_PAGES = 200
MOST_OBJECTS = 20_000
DEEPEST = 100
MOST_LOST = 100
"""References to nothing: each costs a search through the file."""
MOST_DRAWN = 2_000
"""How often pages draw forms, and forms other forms, all together."""


class NotReadError(Exception):
    """Something in the PDF that no machine here can read."""


@dataclass(frozen=True)
class PdfText:
    """What a PDF says: titles and the text of pages and forms, the metadata as it stands, all the rest."""

    said: tuple[str, ...]
    metadata: bytes
    beside: str


def read_pdf(content: bytes) -> PdfText:
    """Everything the PDF says. Raises NotReadError when any part of it cannot be read."""
    try:
        return _read(content)
    except NotReadError:
        raise
    except Exception:  # noqa: BLE001  whatever a broken file makes the library raise
        raise NotReadError from None


_REFUSED = ("/AcroForm", "/OCProperties", "/Collection", "/OpenAction", "/AA")
_ALL_WAYS = 0, 90, 180, 270
"""How a text may be turned, in degrees."""


def _read(content: bytes) -> PdfText:
    pdf = PdfReader(io.BytesIO(content), strict=False)
    if pdf.is_encrypted or len(pdf.pages) > MOST_PAGES:
        raise NotReadError
    catalogue = _at(pdf.trailer, "/Root")
    if not isinstance(catalogue, DictionaryObject) or any(key in catalogue for key in _REFUSED):
        raise NotReadError
    said = [str(value) for value in (pdf.metadata or {}).values()]
    metadata = _at(catalogue, "/Metadata")
    objects = _objects(pdf)
    drawing = _Drawing(pdf)
    forms = drawing.check(objects)
    if any("/Annots" in page for page in pdf.pages):
        raise NotReadError
    pages = [page for page in pdf.pages if _at(page, "/Contents") is not None]
    for page in pages:
        drawing.draw(page, _at(page, "/Contents"))
    drawing.check_nesting()
    texts = [page.extract_text() for page in pages]
    if not all(text.strip() for text in texts):
        raise NotReadError
    for form in forms:  # on its own, too: inside a page, a form that breaks the library is left out
        texts.append(pdf.pages[0].extract_xform_text(cast(EncodedStreamObject, form), _ALL_WAYS))
    if any("\ufffd" in text for text in texts):
        raise NotReadError
    beside = _beside(content, objects, drawing.marks)
    return PdfText(
        (*said, *texts), metadata.get_data() if isinstance(metadata, StreamObject) else b"", beside
    )


def _at(node: DictionaryObject, key: str) -> object:
    """What stands there, not the reference to it; None for nothing."""
    value = node.get(key)
    found = None if value is None else value.get_object()
    return None if isinstance(found, NullObject) else found


# -- all objects, shown or not --


def _objects(pdf: PdfReader) -> list[object]:
    """Every object that the file lists or refers to, each once."""
    numbers = {(number, made) for made, known in pdf.xref.items() for number in known}
    numbers |= {(number, 0) for number in pdf.xref_objStm}
    waiting = [*_references(pdf.trailer), *(IndirectObject(*each, pdf) for each in sorted(numbers))]
    seen: dict[tuple[int, int], object] = {}
    lost = 0
    while waiting:
        reference = waiting.pop()
        place = reference.idnum, reference.generation
        if place in seen:
            continue
        seen[place] = each = pdf.get_object(reference)
        lost += place not in numbers and each is None
        if len(seen) > MOST_OBJECTS or lost > MOST_LOST:
            raise NotReadError
        waiting += _references(each)
    return list(seen.values())


def _parts(value: object, deep: int = 0) -> Iterator[object]:
    """The object and all that stands in it, but not what it refers to."""
    if deep > DEEPEST:
        raise NotReadError
    yield value
    if isinstance(value, dict):
        for pair in dict.items(value):
            for one in pair:
                yield from _parts(one, deep + 1)
    elif isinstance(value, list):
        for one in list.__iter__(value):
            yield from _parts(one, deep + 1)


def _references(value: object) -> list[IndirectObject]:
    return [part for part in _parts(value) if isinstance(part, IndirectObject)]


def _strings(value: object) -> list[str]:
    """Every string and name in one object of a PDF, not in those that it refers to."""
    return [_string(part) for part in _parts(value) if isinstance(part, str | bytes)]


def _string(value: str | bytes) -> str:
    said = create_string_object(value) if isinstance(value, bytes) else value
    return said.decode("latin-1") if isinstance(said, bytes) else str(said)


_STREAM = re.compile(rb"\bstream\r?\n.*?\bendstream\b", re.DOTALL)
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1f\x80-\xff]")


def _beside(content: bytes, objects: list[object], marks: list[str]) -> str:
    """What no page shows: comments, what comes before the file and after it, the strings of every object,
    what is said of a text beside its letters, and streams of letters that nothing refers to."""
    said = [_STREAM.sub(b"\n", content).decode("latin-1"), *marks]
    for each in objects:
        said += _strings(each)
        if isinstance(each, StreamObject) and len(_BINARY.findall(data := each.get_data())) < len(data) / 20:
            said.append(data.decode("latin-1"))
    return "\n".join(said)


# -- what is drawn --

_STEPS = """
b B b* B* BDC BMC BT BX c cm CS cs d Do DP EMC ET EX f F f* G g gs h i J j K k l M m MP n q Q re RG rg ri S s
SC sc SCN scn sh T* Tc Td TD Tf Tj TJ TL Tm Tr Ts Tw Tz v w W W* y ' "
"""
_OPERATORS = frozenset(_STEPS.split())
"""Annex A, without the picture in the line (BI, ID, EI) and the glyphs of Type 3 fonts (d0, d1)."""
_OPERANDS = {"Tf": 2, "Tj": 1, "TJ": 1, "'": 1, '"': 3, "Tr": 1, "Do": 1}
_SEEN = (0, 1, 2)
"""Ways to show text (Tr): filled, stroked, both. The others hide it, or make it a path to cut with."""


class _Drawing:
    """The contents of one PDF: with the codes that each font knows, and which form draws which."""

    def __init__(self, pdf: PdfReader) -> None:
        self.marks: list[str] = []
        self._pdf = pdf
        self._fonts: dict[int, _Font] = {}
        self._drawn: dict[int, list[int]] = {}

    def check(self, objects: list[object]) -> list[StreamObject]:
        """Every dictionary of the file, wherever it is used, and the contents of forms, patterns and masks.
        Gives the forms."""
        forms = []
        for each in objects:
            for part in _parts(each):
                if not isinstance(part, DictionaryObject):
                    continue
                self._check_resources(part)
                if _at(part, "/Subtype") == "/Form" and isinstance(part, StreamObject):
                    self.draw(part, part)
                    forms.append(part)
                if _at(part, "/PatternType") == 1:
                    self.draw(part, part, silent=True)
                mask = _at(part, "/SMask")
                if isinstance(mask, DictionaryObject):
                    self._mask(mask)
        return forms

    def _mask(self, mask: DictionaryObject) -> None:
        group = _at(mask, "/G")
        if group is not None:
            self.draw(group, group, silent=True)

    def _check_resources(self, part: DictionaryObject) -> None:
        """No picture and no file inside; each font is one that says its letters, each drawing a form."""
        picture = _at(part, "/Subtype") == "/Image" or ("/Width" in part and "/Height" in part)
        if picture or "/EF" in part or "/EmbeddedFiles" in part:
            raise NotReadError
        fonts = _at(part, "/Font")
        for name in fonts if isinstance(fonts, dict | list) else ():
            self._font(fonts, name)  # a list is a font that a graphics state brings along: nobody names it
        drawings = _at(part, "/XObject")
        for name in drawings if isinstance(drawings, DictionaryObject) else ():
            _form(drawings, name)

    def _font(self, fonts: object, name: object) -> _Font:
        font = _at(fonts, str(name)) if isinstance(fonts, DictionaryObject) else None
        if not isinstance(font, DictionaryObject):
            raise NotReadError
        if id(font) not in self._fonts:
            self._fonts[id(font)] = _Font.of(font)
        return self._fonts[id(font)]

    def draw(self, node: object, contents: object, *, silent: bool = False) -> None:
        """Every step of the contents of a page, a form, a pattern or a mask; a silent one has no letters,
        since nobody reads them there."""
        resources = _at(node, "/Resources") if isinstance(node, DictionaryObject) else None
        has = resources if isinstance(resources, DictionaryObject) else DictionaryObject()
        drawn = self._drawn.setdefault(id(node), [])
        font: _Font | None = None
        kept: list[_Font | None] = []
        for operands, code in ContentStream(contents, self._pdf, "bytes").operations:
            operator = code.decode("latin-1")
            if operator not in _OPERATORS or len(operands) != _OPERANDS.get(operator, len(operands)):
                raise NotReadError
            if operator == "q":
                kept.append(font)
            elif operator == "Q":
                font = kept.pop() if kept else font
            elif operator == "Tf":
                font = self._font(_at(has, "/Font"), operands[0])
            elif operator == "Tr":
                if operands[0] not in _SEEN:
                    raise NotReadError
            elif operator in ("BDC", "DP"):
                self.marks += _strings(operands)
            elif operator == "Do":
                if silent:
                    raise NotReadError
                drawn.append(id(_form(_at(has, "/XObject"), operands[0])))
            elif operator in ("Tj", "TJ", "'", '"') and (
                silent or font is None or not font.knows(operands[-1])
            ):
                raise NotReadError

    def check_nesting(self) -> None:
        """No form draws itself, and none is drawn beyond measure: the library would stop half way."""
        cost: dict[int, int] = {}
        for node in TopologicalSorter(self._drawn).static_order():
            cost[node] = 1 + sum(cost[inner] for inner in self._drawn.get(node, ()))
            if sum(cost.values()) > MOST_DRAWN:
                raise NotReadError


def _form(drawings: object, name: object) -> StreamObject:
    form = _at(drawings, str(name)) if isinstance(drawings, DictionaryObject) else None
    if not isinstance(form, StreamObject) or _at(form, "/Subtype") != "/Form":
        raise NotReadError
    return form


# -- which letter a code stands for --

_NAMED = ("/WinAnsiEncoding", "/MacRomanEncoding", "/StandardEncoding")
_STANDARD = frozenset(
    {
        f"/{family}{style}"
        for family in ("Courier", "Helvetica")
        for style in ("", "-Bold", "-Oblique", "-BoldOblique")
    }
    | {f"/Times-{style}" for style in ("Roman", "Bold", "Italic", "BoldItalic")}
    | {"/Symbol", "/ZapfDingbats"}
)
"""The 14 fonts that every reader has: 9.6.2.2. Their own encoding is known."""
_FONT_FILES = ("/FontFile", "/FontFile2", "/FontFile3")
_SYMBOLIC = 4
_UNKNOWN = frozenset({"Cc", "Cn", "Co", "Cs"})
_BULLETS = ("\uf0b7", "\uf0a7")
"""Of Symbol and Wingdings, in lists: private use, but the same everywhere."""
MOST_ALIKE = 2
"""So many codes of a font may stand for the same blank or bullet; with more, words can be written."""


@dataclass(frozen=True)
class _Font:
    """How many bytes a code has, and the codes whose letter is known."""

    width: int
    codes: frozenset[int]

    @classmethod
    def of(cls, font: DictionaryObject) -> _Font:
        """Raises NotReadError when the font does not say its letters."""
        kind = _at(font, "/Subtype")
        encoding, table = get_encoding(font)
        if kind == "/Type0":
            if _at(font, "/Encoding") not in ("/Identity-H", "/Identity-V"):
                raise NotReadError
            return cls(2, _told({ord(code): said for code, said in table.items() if len(code) == 1}))
        if kind not in ("/Type1", "/MMType1", "/TrueType") or not isinstance(encoding, dict):
            raise NotReadError
        read = {code: table.get(said, said) for code, said in encoding.items()}
        if isinstance(_at(font, "/ToUnicode"), StreamObject):
            mapped = {ord(code) for code in table if len(code) == 1}
            return cls(1, _told({code: said for code, said in read.items() if code in mapped}))
        if "/ToUnicode" in font:
            raise NotReadError
        return cls(1, _told(_by_name(font, read)))

    def knows(self, shown: object) -> bool:
        """Whether each code of a string, or of an array of strings and numbers, has a letter."""
        if isinstance(shown, list):
            return all(self.knows(one) for one in shown if not isinstance(one, int | float))
        if not isinstance(shown, bytes):
            return False
        # Half a code at the end comes out as an unknown letter.
        codes = (shown[i : i + self.width] for i in range(0, len(shown), self.width))
        return all(int.from_bytes(code) in self.codes for code in codes)


def _by_name(font: DictionaryObject, read: Mapping[int, str]) -> Mapping[int, str]:
    """The letters of a simple font without a table of them: by the encoding that it names."""
    descriptor = _at(font, "/FontDescriptor")
    about = descriptor if isinstance(descriptor, DictionaryObject) else DictionaryObject()
    inside = any(key in about for key in _FONT_FILES)
    own = _at(font, "/BaseFont") in _STANDARD and not inside
    flags = _at(about, "/Flags")
    if inside and _at(font, "/Subtype") == "/TrueType" and isinstance(flags, int) and flags & _SYMBOLIC:
        raise NotReadError  # 9.6.6.4: whatever encoding it names, its own is used
    bare = DictionaryObject({key: value for key, value in dict.items(font) if key != "/FontDescriptor"})
    meant, _ = get_encoding(bare)
    encoding = _at(font, "/Encoding")
    named = _at(encoding, "/BaseEncoding") if isinstance(encoding, DictionaryObject) else encoding
    if named in _NAMED or (named is None and own):
        codes = set(read)
    elif named is None and isinstance(encoding, DictionaryObject):
        codes = _differing(encoding)
    else:
        raise NotReadError
    assert isinstance(meant, dict)
    letters = {code: read[code] for code in codes if code in read and meant.get(code) == read[code]}
    # A glyph without a known name comes out as its name.
    return {code: said for code, said in letters.items() if said == "/" or not said.startswith("/")}


def _differing(encoding: DictionaryObject) -> set[int]:
    """The codes that an encoding names a glyph for."""
    differences = _at(encoding, "/Differences")
    codes: set[int] = set()
    here = 0
    for one in differences if isinstance(differences, list) else ():
        if isinstance(one, int):
            here = one
        else:
            codes.add(here)
            here += 1
    return codes


def _told(letters: Mapping[int, str]) -> frozenset[int]:
    """The codes that stand for a letter: not for nothing, for private use, or, many of them, for a blank."""
    often = Counter(letters.values())
    return frozenset(
        code
        for code, said in letters.items()
        if _is_seen(said) or (_is_blank(said) and often[said] <= MOST_ALIKE)
    )


def _is_blank(said: str) -> bool:
    blank = all(char.isspace() or unicodedata.category(char) == "Cf" for char in said)
    return said in _BULLETS or (said != "" and blank)


def _is_seen(said: str) -> bool:
    known = all(unicodedata.category(char) not in _UNKNOWN for char in said)
    return known and not all(char.isspace() or unicodedata.category(char) == "Cf" for char in said)
