"""Understands the XHTML of a FHIR narrative as plain text: one line per block, no markup kept.

A row of cells is a line with ` | ` between its cells, the items of an `ol` have their numbers, raised text
has `^` before it. A comment or a link target does not come out: the text that is labelled and sent is the
text written here.
"""

from __future__ import annotations

import re

from lxml import etree

from adapters.base import Findings
from adapters.safe_xml import read_xml
from hub.errors import HubError

_XHTML = "http://www.w3.org/1999/xhtml"
_INLINE = frozenset(re.findall(r"\w+", "a abbr b big cite code dfn em i q small span strong sub sup tt var"))
_BLOCK = frozenset(
    re.findall(
        r"\w+",
        "div p ul ol li dl dt dd table caption thead tbody tfoot tr h1 h2 h3 h4 h5 h6 pre blockquote address",
    )
)
_CELL = frozenset(("td", "th"))
_RAISED = frozenset(("sup", "sub"))
_HIDING = re.compile(
    r"line-through|display\s*:\s*none|visibility\s*:\s*(hidden|collapse)|(opacity|font-size)\s*:\s*0(\.0+)?(?![.\d])"
    r"|\\|/\*",
    re.IGNORECASE,
)
"""Styles that strike through or hide; an escape or a comment could spell any of them."""
_KEPT = re.compile(r"white-space\s*:\s*(pre|break-spaces)", re.IGNORECASE)
_INTEGER = re.compile(r"-?[0-9]{1,6}")
_EXPONENT = re.compile(r"[+\-\u2212]?\w+|[+\-\u2212]")
_BETWEEN = " | "
"""Between the cells of a row."""
_SOURCE_BREAK = re.compile(r"[ \t]*[\r\n]+[ \t]*")


def read_narrative(div: str, at: str, findings: Findings) -> str | None:
    """The text of a narrative; None after a finding."""
    try:
        root = read_xml(div.encode())
    except HubError as refused:
        for finding in refused.findings:
            findings.add(at, finding.rule, finding.expected)
        return None
    allowed = {f"{{{_XHTML}}}{name}" for name in (*_INLINE, *_BLOCK, *_CELL, "br", "hr", "col", "colgroup")}
    if root.tag != f"{{{_XHTML}}}div" or any(element.tag not in allowed for element in root.iter()):
        findings.add(at, "narrative", "a div of the text elements of XHTML, without images, scripts or forms")
        return None
    if not is_faithful(root):
        findings.add(
            at, "narrative", "a text without parts struck through or hidden, and plain tables and lists"
        )
        return None
    text = plain_text(root)
    if not text.strip():
        findings.add(at, "missing", "a text")
        return None
    return text


def plain_text(element: etree._Element) -> str:
    """The text of an element of XHTML that somebody else has checked: one line per block."""
    lines = _Lines()
    lines.element(element)
    lines.end()
    return lines.text


def is_faithful(element: etree._Element) -> bool:
    """Whether plain text can say what the element shows. False for what a style strikes through or hides, for
    cells over several rows or columns, for tables inside a row of several cells, and for lists that are not
    counted with plain numbers."""
    return all(_shown(one) for one in element.iter(etree.Element))


def _shown(element: etree._Element) -> bool:
    name = _name(element)
    if element.get("hidden") is not None or _HIDING.search(element.get("style") or ""):
        return False
    if any(element.get(over, "1").strip() != "1" for over in ("rowspan", "colspan")):
        return False
    if name == "ol" and (element.get("reversed") is not None or element.get("type", "1") != "1"):
        return False
    if not all(_INTEGER.fullmatch(element.get(of, "1")) for of in ("start", "value")):
        return False
    cells = list(element.iterchildren(etree.Element)) if name == "tr" else []
    return len(cells) < 2 or not any(
        _name(below) == "table" for cell in cells for below in cell.iter(etree.Element)
    )


def _name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


class _Lines:
    def __init__(self, *, kept: bool = False) -> None:
        self._lines: list[str] = []
        self._open = ""
        self._kept = kept
        """Whether a line break of the source is one of the text."""

    def element(self, element: etree._Element) -> None:
        name = _name(element)
        if name in _BLOCK or name == "hr":
            self._close()
        kept, self._kept = self._kept, self._kept or name == "pre" or _is_kept(element)
        if name == "tr":
            self._row(element)
        elif name == "ol":
            self._numbered(element)
        else:
            self._inside(element)
        self._kept = kept
        if name in ("p", "br"):
            self._close(even_empty=True)
        elif name in _BLOCK:
            self._close()
        elif name in _CELL:
            self._open += _BETWEEN

    def _inside(self, element: etree._Element) -> None:
        self._flow(element.text)
        for child in element:
            if _name(child) in _RAISED:
                self._open += _raised(child)
            else:
                self.element(child)
            self._flow(child.tail)

    def _row(self, row: etree._Element) -> None:
        """The cells of a row on one line, empty ones too: a value stays in its column."""
        cells = list(row.iterchildren(etree.Element))
        if len(cells) < 2:
            for cell in cells:
                self._lines += self._of(cell)
        else:
            said = ["; ".join(line for line in self._of(cell) if line) for cell in cells]
            self._open = _BETWEEN.join(said) if any(said) else ""
            self._close()
        for beside in (row.text, *(child.tail for child in row)):
            self._flow(beside)

    def _numbered(self, items: etree._Element) -> None:
        number = int(items.get("start", "1"))
        self._flow(items.text)
        for item in items:
            self._close()
            if _name(item) == "li":
                number = int(item.get("value", number))
                first, *more = self._of(item) or [""]
                self._lines += [f"{number}. {first}".strip(), *more]
                number += 1
            else:
                self.element(item)
            self._flow(item.tail)

    def _of(self, element: etree._Element) -> list[str]:
        """The lines of one cell or item."""
        inner = _Lines(kept=self._kept or _is_kept(element))
        inner._inside(element)
        inner.end()
        return inner.text.split("\n") if inner.text else []

    def _flow(self, text: str | None) -> None:
        if not self._kept or text is None:
            self._open += _flow(text)
            return
        *whole, last = re.split("\r\n|\r|\n", text)
        for line in whole:
            self._open += line
            self._close(even_empty=True)
        self._open += last

    def end(self) -> None:
        """Where the element itself is no block, its last words stand in a line that nothing has closed."""
        self._close()

    def _close(self, *, even_empty: bool = False) -> None:
        line = self._open.strip(" \t")
        if line or even_empty:
            self._lines.append(line)
        self._open = ""

    @property
    def text(self) -> str:
        return "\n".join(self._lines).strip("\n")


def _is_kept(element: etree._Element) -> bool:
    return bool(_KEPT.search(element.get("style") or ""))


def _raised(element: etree._Element) -> str:
    """`^` before what is raised, `_` before digits that are lowered; in brackets unless it is plain where it
    ends."""
    said = " ".join("".join(str(text) for text in element.itertext()).split())
    if not said or (_name(element) == "sub" and not said[0].isdigit()):
        return said
    plain = _EXPONENT.fullmatch(said) and not (element.tail or "")[:1].isalnum()
    return ("_" if _name(element) == "sub" else "^") + (said if plain else f"({said})")


def _flow(text: str | None) -> str:
    if text is None:
        return ""
    return _SOURCE_BREAK.sub(" ", text) if "\n" in text or "\r" in text else text


def write_narrative(text: str, status: str = "additional") -> dict[str, object]:
    """A Narrative with one paragraph per line."""
    div = etree.Element("div", xmlns=_XHTML)
    for line in text.split("\n"):
        try:
            etree.SubElement(div, "p").text = line
        except ValueError:  # what XML cannot carry
            raise HubError("render.incomplete") from None
    return {"status": status, "div": etree.tostring(div, encoding="unicode")}
