"""Understands that a sound message which nobody reads is answered with what is not read, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

import adapters
from adapters.registry import ADAPTERS, UNKNOWN, adapters_for
from hub.errors import Finding, HubError
from mappings.types import load_types

FOLDER = Path(adapters.__file__).parent
REGISTRY = adapters_for(load_types())
DIALOG = (FOLDER / "kith_dialog/examples/helsefaglig.xml").read_text(encoding="utf-8")
WRAPPED = (FOLDER / "nav_dialog/examples/dialog-1.1.xml").read_text(encoding="utf-8")
LINE = DIALOG[: DIALOG.index("</MsgHead>")].count("\n") + 1
OWN = DIALOG[DIALOG.index("<Dialogmelding") : DIALOG.index("</Dialogmelding>") + len("</Dialogmelding>")]
CANARY = "Kanari7c1f"


def beside(content: str, message: str = DIALOG) -> str:
    """The message with a further document of this content."""
    document = (
        f"<Document><RefDoc><MsgType V='XML'/><Content>\n{content}</Content></RefDoc></Document></MsgHead>"
    )
    return message.replace("</MsgHead>", document)


def told(body: str) -> list[Finding]:
    with pytest.raises(HubError, match=r"parse\.format-unknown") as refused:
        REGISTRY.recognise("application/xml", body.encode())
    return list(refused.value.findings)


CASES: dict[str, tuple[str, list[tuple[str, str, int, int]]]] = {
    "a prescription beside a dialog": (
        beside('<Resept xmlns="http://www.kith.no/xmlstds/eresept/m1/2013-10-08"/>'),
        [("/MsgHead/Document[3]/RefDoc/Content/Resept", "content-named", LINE + 1, 1)],
    ),
    "a list and a letter": (
        beside('<Personer xmlns="urn:x"/>\n  <MeldingInnbygger xmlns="urn:y"/>'),
        [
            ("/MsgHead/Document[3]/RefDoc/Content/Personer", "content-named", LINE + 1, 1),
            ("/MsgHead/Document[3]/RefDoc/Content/MeldingInnbygger", "content-named", LINE + 2, 3),
        ],
    ),
    "another content alone": (
        DIALOG.replace(OWN, '<Pasientlogistikk xmlns="http://www.kith.no/xmlstds/po/Pasientlogistikk/2009-06-30"/>'),
        [("/MsgHead/Document[1]/RefDoc/Content/Pasientlogistikk", "content-named", 69, 9)],
    ),
    "a content that nobody knows": (
        beside(f'<{CANARY} xmlns="urn:{CANARY}"/>'),
        [("/MsgHead/Document[3]/RefDoc/Content/?", "content", LINE + 1, 1)],
    ),
    "a type that no dialog has": (
        DIALOG.replace("DIALOG_HELSEFAGLIG", CANARY),
        [("/MsgHead/MsgInfo/Type", "content-type", 4, 5)],
    ),
    "in NAV's wrapper": (
        beside('<Resept xmlns="urn:x"/>', WRAPPED),
        [("/EI_fellesformat/MsgHead/Document[3]/RefDoc/Content/Resept", "content-named", 0, 0)],
    ),
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("body", "expected"), CASES.values(), ids=CASES)
def test_what_is_not_read_is_named_with_its_place(
    body: str, expected: list[tuple[str, str, int, int]]
) -> None:
    found = told(body)

    assert [(one.at, one.rule) for one in found] == [row[:2] for row in expected]
    for one, (at, rule, line, column) in zip(found, expected, strict=True):
        assert one.nb
        assert one.line
        assert one.column
        assert not line or (one.line, one.column) == (line, column)
        assert (at.rpartition("/")[2] in one.expected) is (rule == "content-named")
    assert CANARY not in repr(found)


RECEIPT = (FOLDER / "nav_apprec/examples/apprec-1.0.xml").read_text(encoding="utf-8")
OLD = "http://www.trygdeetaten.no/xml/eiff/1/"
NEW = "http://www.nav.no/xml/eiff/2/"
WRAPPERS = {
    "an older one": (WRAPPED.replace(NEW, OLD), "/EI_fellesformat"),
    "an older one around a receipt": (RECEIPT.replace(NEW, OLD), "/EI_fellesformat"),
    "one of somebody's own": (
        f"<{CANARY} xmlns='urn:{CANARY}'><Body>{DIALOG.partition('?>')[2]}</Body></{CANARY}>",
        "/?",
    ),
    "one around the one that is read": (f"<k>{WRAPPED.partition('?>')[2]}</k>", "/?"),
}


@pytest.mark.parametrize(("body", "at"), WRAPPERS.values(), ids=WRAPPERS)
def test_a_wrapper_that_is_not_read_is_told_and_which_is(body: str, at: str) -> None:
    (found,) = told(body)

    assert (found.at, found.rule) == (at, "wrapper")
    assert found.line
    assert found.column == 1
    for said in (found.expected, str(found.nb)):
        assert f"EI_fellesformat ({NEW})" in said
    assert CANARY not in repr(found)


@pytest.mark.parametrize("body", ["<k/>", '<Message xmlns="http://www.kith.no/xmlstds/rekvisisjon/x"/>'])
def test_of_any_other_format_a_short_sentence_says_where_the_list_is(body: str) -> None:
    assert told(body) == [UNKNOWN]
    assert len(UNKNOWN.expected) < 80
    page = (FOLDER.parent / "docs/reference/README.md").read_text(encoding="utf-8")
    assert [adapter.name for adapter in ADAPTERS if f"`{adapter.name}`" not in page] == []
