"""What a browser prints stays readable: embedded fonts by glyph number, each with a table of its letters."""

from __future__ import annotations

from playwright.sync_api import Browser

from consent.attachments import text_of
from tests.hub.console.test_in_chromium import browser

__all__ = ["browser"]

PAGE = """<html lang="nb"><title>Brev</title><body style="font-family: sans-serif"><h1>Epikrise</h1>
<p>Født på øya, <b>bruker</b> <i>heroin</i> “daglig” – nå til kontroll.</p><ul><li>Første<li>Andre</ul>
<table border="1" style="opacity: .8"><tr><td>Celle</table><p style="font-family: monospace">Slutt</p>"""


def test_what_a_browser_prints_is_read(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(PAGE)
    printed = page.pdf()
    page.close()
    texts = text_of(printed, "application/pdf", "brev.pdf")

    assert texts is not None
    said = " ".join(" ".join(texts).split())
    assert "Født på øya, bruker heroin “daglig” – nå til kontroll." in said
    assert all(word in said for word in ("Epikrise", "Første", "Andre", "Celle", "Slutt"))
