"""The XHTML of a narrative as lines: every element that is allowed, and what is refused."""

from __future__ import annotations

import pytest

from adapters.base import Findings
from adapters.narrative import read_narrative, write_narrative
from hub.errors import HubError

XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'
INLINE = ("a", "abbr", "b", "big", "cite", "code", "dfn", "em", "i", "q", "small", "span", "strong", "sub",
          "sup", "tt", "var")  # one row per case # fmt: skip
BLOCK = ("div", "ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tfoot", "tr",
         "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote")  # one row per case # fmt: skip


def read(inside: str, *, root: str = "div", namespace: str = XHTML) -> tuple[str | None, set[str]]:
    findings = Findings()
    text = read_narrative(f"<{root} {namespace}>{inside}</{root}>", "text.div", findings)
    assert {finding.at for finding in findings._found} <= {"text.div"}
    return text, {finding.rule for finding in findings._found}


READ = [
    *((f"a<{name}>b</{name}>c", "abc") for name in INLINE),
    *((f"a<{name}>b</{name}>c", "a\nb\nc") for name in BLOCK),
    ("a<p>b</p>c", "a\nb\nc"),
    ("a<hr/>b", "a\nb"),
    ("a<br/>b<br/><br/>c", "a\nb\n\nc"),
    ("a<td>b</td>c<th>d</th>e", "ab cd e"),
    ("<table><colgroup><col/></colgroup><tr><td>a</td></tr></table>", "a"),
    ("<p>en</p><p></p><p>to</p>", "en\n\nto"),
    ("<div>en</div><div></div><div>to</div>", "en\nto"),
    ("<p> en \t</p>", "en"),
    ("en  \r\n\t to", "en to"),
    ("en \t to", "en \t to"),
    ("en\t\nto", "en to"),
    ("en\n\nto", "en to"),
    ("en&#13;to", "en to"),
    ("<p></p><p>en</p><p></p>", "en"),
    ("rus<!-- skjult -->mis<b>bruk</b>", "rusmisbruk"),
    ("a<b>b<i>c</i>d</b>e", "abcde"),
]


@pytest.mark.parametrize(("inside", "text"), READ)
def test_each_element_is_read_as_it_is_shown(inside: str, text: str) -> None:
    assert read(inside) == (text, set())


REFUSED = [
    ("<img/>", {}, "narrative"),
    ("<script>x</script>", {}, "narrative"),
    ("<form>x</form>", {}, "narrative"),
    ("<p>en <b><img/></b></p>", {}, "narrative"),
    ("<title>x</title>", {}, "narrative"),
    ('<x:p xmlns:x="urn:x">x</x:p>', {}, "narrative"),
    ("en", {"root": "p"}, "narrative"),
    ("en", {"namespace": ""}, "narrative"),
    ("", {}, "missing"),
    ("<p> </p> <br/>", {}, "missing"),
    ("\u00a0", {}, "missing"),
]


@pytest.mark.parametrize(("inside", "outside", "rule"), REFUSED)
def test_what_is_no_text_is_refused(inside: str, outside: dict[str, str], rule: str) -> None:
    assert read(inside, **outside) == (None, {rule})


def test_what_is_no_xml_is_told_at_the_place_of_the_narrative() -> None:
    text, rules = read("<p>en")

    assert text is None
    assert rules


def test_lines_are_written_as_paragraphs_and_read_again() -> None:
    written = write_narrative("en & <to>\n\ntre")

    assert written == {
        "status": "additional",
        "div": f"<div {XHTML}><p>en &amp; &lt;to&gt;</p><p></p><p>tre</p></div>",
    }
    assert write_narrative("en", "generated")["status"] == "generated"
    findings = Findings()
    assert read_narrative(str(written["div"]), "text.div", findings) == "en & <to>\n\ntre"
    assert not findings


def test_what_xml_cannot_carry_is_not_written() -> None:
    with pytest.raises(HubError, match=r"render\.incomplete"):
        write_narrative("en\x01to")
