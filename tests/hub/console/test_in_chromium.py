"""Understands that everybody can use the console: checked in a real browser, without JavaScript of ours."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # ships no types
from playwright.sync_api import Browser, Page, sync_playwright

from hub.console.users import Role, new_entry, read_users
from hub.store import disclosures
from hub.store.disclosures import State
from hub.store.schema import disclosure
from tests.hub.cli.installation import NAV, PERSON, SCHOOL, Installation
from tests.hub.console.conftest import KEY, served

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("google-chrome-stable")
"""None: the one that playwright brought itself."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
SIZES = {"wide": (1280, 900), "narrow": (360, 740)}

FOCUSABLE = "a, button, summary, [tabindex='0']"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, outside: httpx.Client) -> Iterator[Page]:
    """A fresh window at the hub, outside."""
    context = browser.new_context(base_url=str(outside.base_url))
    yield context.new_page()
    context.close()


def busy(installed: Installation) -> None:
    """Something parked, something tried again, something overdue."""
    installed.parked()
    with installed.parts.store.writing() as tx:
        for item in disclosures.where(tx, disclosure.c.recipient == SCHOOL):
            disclosures.move(tx, item, State.QUEUED, attempts=2, code="hand-over.unavailable")
            disclosures.note(tx, item.id, handed_over_at=installed.clock(), answer_due_at=installed.clock())
    installed.clock.forward(days=3)


def violations(page: Page) -> list[str]:
    """What axe finds, by rule and place."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{fault['id']}: {node['target']}" for fault in found for node in fault["nodes"]]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lang", ["nb", "en"])
def test_a_busy_page_breaks_no_accessibility_rule(
    page: Page, installed: Installation, lang: str, size: str
) -> None:
    busy(installed)
    page.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))  # type: ignore[arg-type]  # a TypedDict
    page.goto(f"/console/enter?key={KEY}")

    page.goto(f"/console/drift?lang={lang}")
    for summary in page.locator("summary").all():
        summary.click()

    assert page.locator("article.group").count() == 2
    assert page.locator("html").get_attribute("lang") == lang
    assert violations(page) == []


@pytest.mark.parametrize("address", ["/console/drift", "/console/enter?key=wrong", "/console/nowhere"])
@pytest.mark.parametrize("lang", ["nb", "en"])
def test_the_page_that_says_how_to_get_in_breaks_no_accessibility_rule(
    page: Page, address: str, lang: str
) -> None:
    page.goto(f"{address}{'&' if '?' in address else '?'}lang={lang}")

    assert page.locator("html").get_attribute("lang") == lang
    assert violations(page) == []


def test_a_calm_page_and_a_missing_page_break_no_accessibility_rule(page: Page) -> None:
    page.goto(f"/console/enter?key={KEY}")
    assert violations(page) == []

    page.goto("/console/nowhere")
    assert violations(page) == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lang", ["nb", "en"])
def test_the_consent_desk_breaks_no_accessibility_rule_and_ticks_nothing(
    browser: Browser, installed: Installation, lang: str, size: str
) -> None:
    entry, key = new_entry("kari", "Kari Skranke", NAV, [Role.CASEWORKER])
    people = read_users({"users": [entry]}, installed.parts.agency)
    with served(installed, installed.parts, people) as url:
        context = browser.new_context(base_url=url)
        page = context.new_page()
        page.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))  # type: ignore[arg-type]  # a TypedDict
        page.goto(f"/console/login?lang={lang}")
        assert violations(page) == []
        page.locator("#name").fill("kari")
        page.locator("#key").fill(key)
        page.locator("main button").click()
        page.locator("#number").fill(PERSON)
        page.locator("main button").click()
        assert page.locator("input:checked").count() == 0
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
        _fill_in(page)
        assert page.locator("#receipt").is_visible()
        assert violations(page) == []
        context.close()


def _fill_in(page: Page) -> None:
    for name, value in (("beslutning", "tillat"), ("tekst", "deling-2026-1|nb")):
        page.locator(f"input[name='{name}'][value='{value}']").check()
    for name, value in (
        ("avsendere", "prison"),
        ("mottakere", "nav_municipal"),
        ("formal", "return_to_society"),
        ("kategorier", "identity"),
        ("forklart", "ja"),
    ):
        page.locator(f"input[name='{name}'][value='{value}']").check()
    page.locator("form[action$='/gi'] input[name='signert']").check()
    page.locator("#to").fill("2031-09-01")
    page.locator("#form").select_option("skriftlig")
    page.locator("#gitt_av").select_option("pasient")
    page.locator("form[action$='/gi'] button").click()


def test_the_rules_do_find_faults(page: Page) -> None:
    page.goto(f"/console/enter?key={KEY}")

    page.evaluate("document.documentElement.removeAttribute('lang')")

    assert [fault.partition(":")[0] for fault in violations(page)] == ["html-has-lang"]


def test_opening_the_printed_address_leads_to_drift_without_the_key(page: Page) -> None:
    page.goto(f"/console/enter?key={KEY}")

    assert page.url.endswith("/console/drift")
    assert page.title() == "Drift – Brobygger"


def test_everything_can_be_reached_and_used_with_the_keyboard(page: Page, installed: Installation) -> None:
    busy(installed)
    page.goto(f"/console/enter?key={KEY}")
    wanted = page.locator(FOCUSABLE).count()

    for number in range(wanted):
        page.keyboard.press("Tab")
        reached = page.evaluate(
            "all => [...document.querySelectorAll(all)].indexOf(document.activeElement)", FOCUSABLE
        )
        assert reached == number
        assert page.evaluate("getComputedStyle(document.activeElement).outline").endswith("solid 3px")


def test_the_skip_link_leads_past_the_menu(page: Page, installed: Installation) -> None:
    busy(installed)
    page.goto(f"/console/enter?key={KEY}")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_a_group_opens_and_the_language_changes_with_the_keyboard(
    page: Page, installed: Installation
) -> None:
    busy(installed)
    page.goto(f"/console/enter?key={KEY}")

    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator(".ids").first.is_visible()

    page.get_by_role("link", name="English").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**lang=en")
    assert page.get_by_role("heading", name="Operations").is_visible()


def test_leaving_with_the_button_closes_the_console(page: Page) -> None:
    page.goto(f"/console/enter?key={KEY}")

    page.get_by_role("button", name="Gå ut").click()

    assert page.get_by_role("heading", name="Du er ikke inne").is_visible()


def test_a_narrow_window_never_scrolls_sideways(page: Page, installed: Installation) -> None:
    busy(installed)
    page.set_viewport_size({"width": 320, "height": 700})

    page.goto(f"/console/enter?key={KEY}")
    page.locator("summary").first.click()

    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_browser_reports_nothing_refused_or_missing(page: Page, installed: Installation) -> None:
    busy(installed)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("requestfailed", lambda request: said.append(request.url))

    page.goto(f"/console/enter?key={KEY}")

    assert said == []
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(243, 245, 248)"
