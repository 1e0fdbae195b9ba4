"""Understands the XHTML of a FHIR narrative as plain text: one line per block, no markup kept.

What comes in hidden (a style, a comment, a link target) does not come out: the text that is
labelled and sent is the text written here.
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
        "div p ul ol li dl dt dd table caption thead tbody tfoot tr h1 h2 h3 h4 h5 h6 pre blockquote",
    )
)
_CELL = frozenset(("td", "th"))
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
    lines = _Lines()
    lines.element(root)
    text = lines.text
    if not text.strip():
        findings.add(at, "missing", "a text")
        return None
    return text


class _Lines:
    def __init__(self) -> None:
        self._lines: list[str] = []
        self._open = ""

    def element(self, element: etree._Element) -> None:
        name = etree.QName(element).localname
        if name in _BLOCK or name == "hr":
            self._close()
        self._open += _flow(element.text)
        for child in element:
            self.element(child)
            self._open += _flow(child.tail)
        if name in ("p", "br"):
            self._close(even_empty=True)
        elif name in _BLOCK:
            self._close()
        elif name in _CELL:
            self._open += " "

    def _close(self, *, even_empty: bool = False) -> None:
        line = self._open.strip(" \t")
        if line or even_empty:
            self._lines.append(line)
        self._open = ""

    @property
    def text(self) -> str:
        return "\n".join(self._lines).strip("\n")


def _flow(text: str | None) -> str:
    return _SOURCE_BREAK.sub(" ", text or "")


def write_narrative(text: str, status: str = "additional") -> dict[str, object]:
    """A Narrative with one paragraph per line."""
    div = etree.Element("div", xmlns=_XHTML)
    for line in text.split("\n"):
        try:
            etree.SubElement(div, "p").text = line
        except ValueError:  # what XML cannot carry
            raise HubError("render.incomplete") from None
    return {"status": status, "div": etree.tostring(div, encoding="unicode")}
