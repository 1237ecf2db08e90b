"""The explorer as a person uses it."""

from __future__ import annotations

import statistics
from urllib.parse import parse_qs, urlsplit

import pytest

from figures.explore import PAGES
from tests.browser.conftest import SLOW

WATCH = """() => {
  window.moves = []; window.pressed = null;
  new MutationObserver(() => {
    if (window.pressed !== null) { window.moves.push(performance.now() - window.pressed); window.pressed = null; }
  }).observe(document.querySelector('.fl-pictures'), {subtree: true, childList: true, attributes: true});
  document.addEventListener('keydown', () => { window.pressed = performance.now(); }, true);
}"""
MOVES = 20
pytestmark = pytest.mark.timeout(400)


def open_at(visit, explorer, **query):
    text = "".join(f"&{name}={value}" for name, value in query.items())
    visit.page.goto(explorer.url + text)
    visit.page.locator(".fl-claim").first.wait_for()


def slider(visit, label):
    return visit.page.locator(".fl-control", has_text=label).get_by_role("slider")


def says(visit, claim):
    return visit.page.locator(f'[data-claim="{claim}"]').first.get_attribute("data-says")


def query_of(visit):
    return {name: values[-1] for name, values in parse_qs(urlsplit(visit.page.url).query).items()}


def test_a_slider_moves_the_picture_the_badge_and_the_address(visit, explorer):
    open_at(visit, explorer)
    assert "access_token" not in visit.page.url
    # what a new user sees first is the failure of Eq. (4)
    assert (says(visit, "C-E3"), says(visit, "C-E4"), says(visit, "C-E4, corrected")) == ("holds", "fails", "holds")
    assert "minus infinity" in visit.page.locator(".fl-told").inner_text()
    before = visit.page.locator(".fl-picture svg").first.inner_html()
    visit.page.evaluate(WATCH)
    slider(visit, "Start w1").focus()
    for count in range(MOVES):
        visit.page.keyboard.press("ArrowRight")
        visit.until(lambda count=count: visit.page.evaluate("window.moves.length") > count)
    visit.until(lambda: query_of(visit).get("w1") == "0.6")
    assert visit.page.locator(".fl-picture svg").first.inner_html() != before
    assert "Settings of your own" in visit.page.locator(".fl-told").inner_text()
    moves = visit.page.evaluate("window.moves")
    print(f"\nkey press to changed picture: median {statistics.median(moves):.0f} ms, least {min(moves):.0f} ms, "
          f"{len(moves)} moves")  # fmt: skip
    # the aim is 100 ms, on a machine that does nothing else; this only finds what waits for something
    assert min(moves) < 1000
    for _ in range(12):
        visit.page.keyboard.press("ArrowLeft")
    visit.until(lambda: query_of(visit).get("w1") == "0")
    # with w1 = 0 the printed formula happens to be right, and the badge says so
    visit.until(lambda: says(visit, "C-E4") == "holds")


def test_presets_lead_to_the_telling_cases(visit, explorer):
    open_at(visit, explorer)
    visit.page.get_by_role("button", name="Samples lost for good").click()
    visit.until(lambda: says(visit, "C-E3") == "fails")
    assert query_of(visit) == {
        "page": "one-filter", "w0": "2", "w1": "3", "d0": "0", "d1": "0.5", "learning_rate": "0.5", "steps": "60",
    }  # fmt: skip
    visit.page.get_by_role("button", name="Where Eq. (4) fails").click()
    visit.until(lambda: says(visit, "C-E3") == "holds")
    visit.until(lambda: query_of(visit) == {"page": "one-filter"})


def test_an_address_is_shared(visit, explorer):
    open_at(visit, explorer, page="loosened", shift="-0.4", p="3")
    assert says(visit, "C-E3") == "fails"
    assert query_of(visit) == {"page": "loosened", "shift": "-0.4", "p": "3"}
    visit.page.reload()
    visit.page.locator(".fl-claim").first.wait_for()
    assert query_of(visit) == {"page": "loosened", "shift": "-0.4", "p": "3"}
    assert slider(visit, "Weights p").get_attribute("aria-valuenow") == "3"


def test_what_cannot_be_had_is_said(visit, explorer):
    open_at(visit, explorer, page="loosened", p="99", tau="much", l2="-3")
    remarks = visit.page.locator(".fl-remark").inner_text()
    assert "p = '99' must be an integer in [2, 9]; 9 is shown" in remarks
    assert "tau = 'much' must be a number by steps of 0.05 in [0, 1]; 0 is shown" in remarks
    assert "l2 = '-3' must be" in remarks
    visit.until(lambda: query_of(visit) == {"page": "loosened", "p": "9"})
    open_at(visit, explorer, page="<img src=x>")
    assert "There is no page '<img src=x>'" in visit.page.locator(".fl-remark").inner_text()


@pytest.mark.parametrize("visit", [{"width": 400, "height": 800}, {"width": 1600, "height": 1000}], indirect=True)
def test_every_page_opens_and_fits(visit, explorer):
    open_at(visit, explorer)
    for key, (title, _) in PAGES.items():
        visit.page.get_by_role("tab", name=title).click()
        visit.page.get_by_role("heading", name=title, exact=True).wait_for()
        visit.until(lambda key=key: query_of(visit).get("page") == key)
        visit.page.locator(".fl-claim").first.wait_for()
        wide = visit.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert wide[0] <= wide[1], f"{key} is wider than the window"
        assert visit.page.locator(".fl-picture svg").count() >= 1


def test_a_dark_desktop_gets_a_dark_page(browser, explorer):
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.set_default_timeout(SLOW)
    page.goto(explorer.url)
    page.locator(".fl-claim").first.wait_for()
    # COLOURS: the dark ink
    ink = page.locator(".fl-picture svg text").first.evaluate("element => getComputedStyle(element).fill")
    assert ink == "rgb(232, 234, 237)"
    context.close()


def test_the_same_numbers_elsewhere_are_offered(visit, explorer):
    open_at(visit, explorer)
    code = visit.page.locator(".codehilite").first
    code.wait_for()
    assert "filterlaw simulate filter --d 0.25,0.75 --w=1.1,-0.4 --learning-rate 0.25 --steps 40" in code.inner_text()
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.page.get_by_role("button", name="Copy to clipboard").first.click()
    visit.until(lambda: "filterlaw simulate filter" in visit.page.evaluate("navigator.clipboard.readText()"))


def test_a_long_run_shows_where_it_is_and_stops(visit, explorer):
    open_at(visit, explorer, page="loosened", w0="2.5", wi="3.3", d0="0", di="0.7")
    visit.page.get_by_role("button", name="Run 7 x 7").click()
    visit.page.locator("progress").wait_for()
    visit.page.get_by_role("button", name="Stop").click()
    visit.page.get_by_text("The run stopped after").wait_for()
    # a run that is quick, since all samples stay active, comes to its end
    visit.page.get_by_role("button", name="All assumptions hold").click()
    slider(visit, "Start of every other weight").focus()
    visit.page.keyboard.press("Home")
    visit.until(lambda: query_of(visit).get("wi") == "-4")
