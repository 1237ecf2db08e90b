"""The report in a browser: filters by keyboard, both themes, narrow windows, print, and no script at all."""

from __future__ import annotations

import re

import pytest

from figures.report.contents import gather
from figures.report.page import page as report_page
from tests.browser.conftest import Visit
from theory.claims import all_claims
from theory.claims.stored import checked
from theory.serialise import environment, report_record
from theory.verify import verify

IDS = ("C-E3", "C-E4", "C-SLOW", "S-E6")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The address of a report on a few claims."""
    records = [report_record(verify(all_claims()[id_], level="symbolic")) for id_ in IDS]
    ledger = checked({"environment": environment(level="symbolic", seed=0), "claims": records})
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report_page(gather(ledger)), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def opened(report, browser):
    """opened(**options of the tab): the report, opened; in the end no tab must have asked for anything, nor erred."""
    visits = []

    def make(fragment="", width=1280, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        visits.append((context, Visit(context, port=None)))
        page = visits[-1][1].page
        page.goto(report + fragment)
        return page

    yield make
    for context, visit in visits:
        context.close()
        assert visit.foreign == []
        assert visit.errors == []


def visible(page):
    return page.locator("article.claim:visible").evaluate_all("claims => claims.map(claim => claim.id)")


def test_it_opens_folded_with_every_claim(opened):
    page = opened()
    assert page.title() == "filterlaw: The laws of how filters learn"
    assert visible(page) == list(IDS)
    assert page.locator("details[open]").count() == 0
    assert page.locator("#count").inner_text() == "4 claims shown"
    assert page.locator("figure img").evaluate("image => image.complete && image.naturalWidth > 100")


def test_formulas_are_set_not_spelled(opened):
    page = opened()
    scripts = page.locator("#C-E4 dd.true msubsup").first.bounding_box()
    letter = page.locator("#C-E4 dd.true msubsup > mi").first.bounding_box()
    assert scripts["height"] > 1.15 * letter["height"]
    assert page.locator("#C-E4 dd.true .line").evaluate("line => line.scrollWidth") > 100


def test_filters_work_by_keyboard_and_say_what_is_left(opened):
    page = opened()
    page.locator("select[name=paper]").focus()
    page.keyboard.press("S")
    assert visible(page) == ["S-E6"]
    assert page.locator("tbody tr[data-for]:visible").count() == 1
    assert page.locator("#count").inner_text() == "1 of 4 claims shown"
    assert page.locator("section.chapter:visible").count() == 1
    page.keyboard.press("Home")
    assert visible(page) == list(IDS)
    page.keyboard.press("Tab")
    page.keyboard.press("c")
    assert page.locator("select[name=verdict]").input_value() in ("conditional", "corrected")
    assert len(visible(page)) == 1
    # on to the search, past the choice of evidence
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("no such words")
    assert visible(page) == []
    assert page.locator("#count").inner_text() == "0 of 4 claims shown"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("4 claims shown", exact=True).wait_for()
    assert visible(page) == list(IDS)


def test_search_finds_words_of_a_claim(opened):
    page = opened()
    page.locator("input[name=text]").fill("homogeneous doubling")
    assert visible(page) == ["C-E4"]
    page.locator("select[name=kind]").select_option("counterexample")
    assert visible(page) == ["C-E4"]


def test_a_link_to_a_hidden_claim_shows_it(opened):
    page = opened()
    page.locator("select[name=paper]").select_option("S")
    page.locator("nav a[href='#C-SLOW']").click()
    page.locator("#C-SLOW").wait_for()
    assert visible(page) == list(IDS)
    assert page.locator("#C-SLOW").evaluate("claim => Math.abs(claim.getBoundingClientRect().top) < 60")


def test_details_open_one_by_one_and_all_at_once(opened):
    page = opened()
    page.locator("#C-E4 summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details[open]").count() == 1
    assert page.locator("#C-E4 .steps").is_visible()
    page.locator("#fold").click()
    assert page.locator("details:not([open])").count() == 0
    assert page.locator("#fold").get_attribute("aria-pressed") == "true"
    page.locator("#fold").click()
    assert page.locator("details[open]").count() == 0


@pytest.mark.parametrize("fragment", ["", "#C-SLOW"])
@pytest.mark.parametrize("width", [400, 760, 1600])
def test_no_window_is_too_narrow(opened, width, fragment):
    page = opened(fragment, width=width)
    page.locator("#fold").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = page.evaluate(
        "() => [...document.querySelectorAll('h1, h2, h3, p, li, summary, figure')]"
        ".filter(part => part.getBoundingClientRect().right > innerWidth + 1).map(part => part.textContent)"
    )
    assert outside == []


def ground(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_themes_follow_the_system_and_can_be_chosen(opened):
    light, dark = opened(color_scheme="light"), opened(color_scheme="dark")
    bright, dim = ground(light), ground(dark)
    assert _luminance(bright) > 0.9
    assert _luminance(dim) < 0.02
    dark.locator("#theme").click()
    assert dark.locator("#theme").inner_text() == "Theme: light"
    assert ground(dark) == bright
    dark.locator("#theme").click()
    assert ground(dark) == dim
    dark.reload()
    assert dark.locator("#theme").inner_text() == "Theme: dark"


def test_without_scripts_everything_is_there(opened):
    page = opened(java_script_enabled=False)
    assert page.locator("article.claim").count() == len(IDS)
    assert page.locator(".steps").first.is_visible()
    assert not page.locator("search").is_visible()
    assert not page.locator("#theme").is_visible()


def test_print_has_everything_open_and_no_controls(opened):
    page = opened()
    page.emulate_media(media="print")
    assert page.locator("details .steps").first.is_visible()
    for hidden in ("nav", "search", ".skip"):
        assert not page.locator(hidden).is_visible()
    assert page.pdf().startswith(b"%PDF")


def test_keyboard_focus_can_be_seen(opened):
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the ledger"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.locator("nav a").first.focus()
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def _luminance(colour):
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    return sum(weight * part**2.2 for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))
