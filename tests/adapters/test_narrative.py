"""The XHTML of a narrative as lines: every element that is allowed, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.base import Findings
from adapters.narrative import plain_text, read_narrative, write_narrative
from hub.errors import HubError

XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'
INLINE = ("a", "abbr", "b", "big", "cite", "code", "dfn", "em", "i", "q", "small", "span", "strong", "sub",
          "sup", "tt", "var")  # one row per case # fmt: skip
BLOCK = ("div", "ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tfoot", "tr",
         "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "address")  # one row per case # fmt: skip


def read(inside: str, *, root: str = "div", namespace: str = XHTML) -> tuple[str | None, set[str]]:
    findings = Findings()
    text = read_narrative(f"<{root} {namespace}>{inside}</{root}>", "text.div", findings)
    assert {finding.at for finding in findings._found} <= {"text.div"}
    return text, {finding.rule for finding in findings._found}


READ = [
    *((f"a<{name}>b</{name}>c", "abc") for name in INLINE if name != "sup"),
    *((f"a<{name}>b</{name}>c", "a\nb\nc") for name in BLOCK),
    ("a<p>b</p>c", "a\nb\nc"),
    ("a<hr/>b", "a\nb"),
    ("a<br/>b<br/><br/>c", "a\nb\n\nc"),
    ("a<td>b</td>c<th>d</th>e", "ab | cd | e"),
    ("5,2x10<sup>9</sup>/l", "5,2x10^9/l"),
    ("10<sup><b>-3</b></sup> mol", "10^-3 mol"),
    ("a<sup>b</sup>c", "a^(b)c"),
    ("10<sup>9 + 1</sup>.", "10^(9 + 1)."),
    ("Na<sup>+</sup> og K<sup></sup>", "Na^+ og K"),
    ("CO<sub>2</sub>, H<sub>2</sub>O og C<sub>max</sub>", "CO_2, H_(2)O og Cmax"),
    (
        "<table><tr><td>Kl 8</td><td>Kl 20</td></tr><tr><td></td><td>5 mg</td></tr></table>",
        "Kl 8 | Kl 20\n| 5 mg",
    ),
    ("<table><tr><td>a</td><td/><th>c</th></tr></table>", "a |  | c"),
    ("<table><tr><td>a</td><td> </td></tr></table>", "a |"),
    ("<table><tr><td/><td/></tr><tr><td>a</td></tr></table>", "a"),
    ("<table><tr>\n <td><p>a</p><p>b</p></td>\n <td>c<br/>d</td>\n</tr></table>", "a; b | c; d"),
    ('<table><tr><td rowspan="1" colspan="1">a</td></tr></table>', "a"),
    ("<table><tr><td><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>", "a | b"),
    ("<table><tr>a<td>b</td>c<td>d</td>e</tr></table>", "b | d\nace"),
    ("<pre>en\n\n to</pre>", "en\n\nto"),
    ("<pre>en\r\n<b>to</b>\ntre</pre>fi\nre", "en\nto\ntre\nfi re"),
    ('<p style="white-space: pre-line">en\nto</p>', "en\nto"),
    ("<ol><li>en</li><li>to<p>mer</p></li>\n</ol>", "1. en\n2. to\nmer"),
    ('<ol start="3"><li>en</li><li value="7">to</li><li></li></ol>x', "3. en\n7. to\n8.\nx"),
    ("<ol><li>en<ol><li>to</li></ol></li></ol>", "1. en\n1. to"),
    ("<ol>a<li>b</li>c</ol>", "a\n1. b\nc"),
    ("<ul><li>en</li><li>to</li></ul>", "en\nto"),
    ('<p style="color: red">en</p>', "en"),
    ('<p style="font-size: 0.8em; opacity: 0.5">en</p>', "en"),
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
    again = Findings()
    assert read_narrative(str(write_narrative(text)["div"]), "text.div", again) == text


REFUSED = [
    ("<img/>", {}, "narrative"),
    ("<script>x</script>", {}, "narrative"),
    ("<form>x</form>", {}, "narrative"),
    ("<p>en <b><img/></b></p>", {}, "narrative"),
    ("<title>x</title>", {}, "narrative"),
    ('<x:p xmlns:x="urn:x">x</x:p>', {}, "narrative"),
    ("en", {"root": "p"}, "narrative"),
    ("en", {"namespace": ""}, "narrative"),
    *((f"en <{name}>to</{name}>", {}, "narrative") for name in ("s", "del", "strike")),
    *(
        (f'en <span style="{style}">to</span>', {}, "narrative")
        for style in (
            "text-decoration: line-through",
            "TEXT-DECORATION:Line-Through",
            "display:none",
            "display : none",
            "visibility: hidden",
            "visibility:collapse",
            "opacity:0",
            "font-size: 0px",
            "dis/**/play:none",
            "text-decoration:line\\-through",
        )
    ),
    ('en <span hidden="hidden">to</span>', {}, "narrative"),
    ('<table><tr><td rowspan="2">en</td></tr></table>', {}, "narrative"),
    ('<table><tr><td colspan="2">en</td></tr></table>', {}, "narrative"),
    ("<table><tr><td>en</td><td><table><tr><td>to</td></tr></table></td></tr></table>", {}, "narrative"),
    ('<ol type="a"><li>en</li></ol>', {}, "narrative"),
    ('<ol reversed=""><li>en</li></ol>', {}, "narrative"),
    ('<ol start="x"><li>en</li></ol>', {}, "narrative"),
    ('<ol><li value="x">en</li></ol>', {}, "narrative"),
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


def _made(tag: str, text: str, inside: list[tuple[etree._Element, str]]) -> etree._Element:
    element = etree.Element(tag)
    element.text = text
    for child, after in inside:
        child.tail = after
        element.append(child)
    return element


WORDS = st.text("abcxyz \n", max_size=4)
TREES = st.recursive(
    st.builds(_made, st.sampled_from((*INLINE, *BLOCK, "p", "td", "th", "br", "hr")), WORDS, st.just([])),
    lambda inner: st.builds(
        _made,
        st.sampled_from((*INLINE, *BLOCK, "p", "td", "th")),
        WORDS,
        st.lists(st.tuples(inner, WORDS), max_size=4),
    ),
    max_leaves=12,
)


@given(st.sampled_from(("Text", "div", "b")), WORDS, st.lists(st.tuples(TREES, WORDS), max_size=4))
def test_every_letter_comes_out_whatever_stands_around_it(
    root: str, text: str, inside: list[tuple[etree._Element, str]]
) -> None:
    element = _made(root, text, inside)

    said = [letter for letter in plain_text(element) if letter.isalpha()]

    there = [letter for each in element.itertext() for letter in str(each) if letter.isalpha()]
    if next(element.iter("tr"), None) is None:
        assert said == there
    assert sorted(said) == sorted(
        there
    )  # words beside the cells of a row, where no word may be, come after them
