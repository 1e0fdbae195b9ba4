"""Understands that every reader can use the room Saker: in a real browser, with the keyboard, without
scripts of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from hub.console.users import Users
from hub.message import Outcome
from tests.hub.bench import Bench
from tests.hub.console.test_in_chromium import SIZES, browser, violations
from tests.hub.console.test_saker import people, served_with
from tests.hub.holding import PLAIN, TELLS, held, last_text, now

__all__ = ["browser", "people"]

As = Callable[[str], Page]


@pytest.fixture
def as_reader(
    browser: Browser,  # the fixture of that name
    bench: Bench,
    people: tuple[Users, dict[str, str]],  # the fixture of that name
    tmp_path: Path,
) -> Iterator[As]:
    """A window in which somebody has logged in, by the form."""
    users, keys = people
    contexts: list[BrowserContext] = []
    with served_with(bench.parts, users, tmp_path) as url:

        def enter(name: str) -> Page:
            contexts.append(browser.new_context(base_url=url, java_script_enabled=True))
            page = contexts[-1].new_page()
            page.goto("/console/login")
            page.get_by_label("Brukernavn").or_(page.locator("#name")).first.fill(name)
            page.locator("#key").fill(keys[name])
            page.keyboard.press("Enter")
            page.wait_for_url("**/console/saker")
            return page

        yield enter
        for context in contexts:
            context.close()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lang", ["nb", "en"])
def test_no_page_of_the_room_breaks_an_accessibility_rule(
    bench: Bench, as_reader: As, lang: str, size: str
) -> None:
    item = held(bench, TELLS)
    kari, per = as_reader("kari"), as_reader("per")
    for page in (kari, per):
        page.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))  # type: ignore[arg-type]  # a TypedDict
        page.goto(f"/console/saker?lang={lang}")
        assert violations(page) == []
    kari.goto(f"/console/saker/{item.id}")
    assert violations(kari) == []
    kari.locator("button[value=read]").click()
    kari.locator("summary").click()
    assert kari.locator("mark").inner_text() == "rusmiljøet"
    assert violations(kari) == []
    kari.locator("#reason").fill("falsk alarm")
    kari.locator("button[value=release]").click()
    kari.get_by_role("status").wait_for()
    assert violations(kari) == []
    per.goto(f"/console/saker/{item.id}")
    per.locator("button[value=read]").click()
    per.locator("button[value=confirm]").wait_for()
    assert violations(per) == []
    assert per.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert per.locator("html").get_attribute("lang") == lang


def test_a_case_can_be_answered_with_the_keyboard_alone(bench: Bench, as_reader: As) -> None:
    item = held(bench, PLAIN)
    page = as_reader("kari")
    page.get_by_role("link", name=item.id).focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Åpne og les").focus()
    page.keyboard.press("Enter")
    page.get_by_text(PLAIN).wait_for()

    page.locator("input[name=only]").focus()
    page.keyboard.press("Space")
    assert page.locator("input[name=only]").is_checked()
    page.keyboard.press("Tab")  # what else it tells of
    page.keyboard.press("Tab")
    page.keyboard.type("gjelder bare bolig")
    for _ in range(2):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.value") == "reduced"
    page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()

    bench.drain()
    assert PLAIN in last_text(bench)


def test_enter_in_a_box_answers_nothing(bench: Bench, as_reader: As) -> None:
    item = held(bench, PLAIN)
    page = as_reader("kari")
    page.goto(f"/console/saker/{item.id}")
    page.locator("button[value=read]").click()
    page.locator("#reason").fill("ikke ferdig")

    page.locator("input[name=only]").focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)

    assert page.get_by_text(PLAIN).is_visible()
    assert page.locator("#reason").input_value() == "ikke ferdig"
    assert now(bench, item).outcome == Outcome.HELD


def test_without_a_reason_the_browser_does_not_send_the_form(bench: Bench, as_reader: As) -> None:
    item = held(bench, PLAIN)
    page = as_reader("kari")
    page.goto(f"/console/saker/{item.id}")
    page.locator("button[value=read]").click()

    page.locator("button[value=release]").click()
    page.wait_for_timeout(300)

    assert page.get_by_text(PLAIN).is_visible()
    assert page.evaluate("document.activeElement.id") == "reason"
    assert now(bench, item).outcome == Outcome.HELD
