"""The investor's pages in a browser: numbers, charts and tables, and what they must not do."""

import json
import re
from datetime import date

import pytest
from axe_playwright_python.sync_playwright import Axe
from tests.web.looking import ANNA, BOB, Eyes, sign_in

from riskmark.reports.documents import to_json_line
from riskmark.reports.selection import leaves_of
from riskmark.reports.snapshot import load_snapshot

FIGURES = {
    "performance", "drawdown", "nav", "volatility", "var", "backtest", "factors", "risk_shares",
    "stress", "correlation", "sectors", "concentration", "attribution", "attribution_sectors",
    "attribution_factors",
}  # fmt: skip
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]}}

CONTEXT = {"exclude": [["svg.marks > g"]]}
"""The thousands of marks of charts are one image to those who listen, named as a whole."""


@pytest.fixture
def growth(site):
    return f"/portfolios/{site.ids['Growth']}"


def shown_numbers(page):
    """Return every number that a page names, by its name in the document."""
    found = page.eval_on_selector_all(
        "[data-of]", "all => all.map(one => [one.dataset.of, one.getAttribute('value')])"
    )
    return {name: None if value is None else json.loads(value) for name, value in found}


def stored_numbers(site, name, session=None):
    """Return every number of ``show --json``, and its reasons."""
    with site.app.database.read() as connection:
        report = load_snapshot(
            connection, site.app.principal, name, settings=site.app.settings, session=session
        )
    document = json.loads(to_json_line(report.document()))
    leaves = {}
    for section in document:
        if section != "nulls":
            leaves.update(leaves_of(section, document[section]))
    return leaves, document["nulls"]


@pytest.mark.parametrize("name", ["Growth", "Long-Short", "Family"])
def test_every_number_of_the_page_is_that_of_show(site, eyes, name):
    page = eyes.go(f"/portfolios/{site.ids[name]}")

    shown, (stored, nulls) = shown_numbers(page), stored_numbers(site, name)

    assert len(shown) > 150
    assert shown == {place: stored[place] for place in shown}
    assert {place for place in shown if shown[place] is None} <= set(nulls)


def test_every_number_of_the_list_is_that_of_show(site, eyes):
    page = eyes.go("/portfolios")

    for name, key in site.ids.items():
        row = page.locator(f"tr[data-portfolio='{key}']")
        stored, _ = stored_numbers(site, name)
        shown = shown_numbers_of(row)
        assert len(shown) >= 6
        assert shown == {place: stored[place] for place in shown}


def shown_numbers_of(row):
    found = row.locator("data[data-of]").evaluate_all(
        "all => all.map(one => [one.dataset.of, one.getAttribute('value')])"
    )
    return {name: json.loads(value) for name, value in found}


def test_every_chart_is_drawn_and_nothing_goes_wrong(eyes, growth):
    eyes.go(growth)
    page = eyes.drawn()

    drawn = page.eval_on_selector_all(
        "[data-figure]",
        "all => all.filter(one => one.querySelector('svg.marks')).map(one => one.dataset.figure)",
    )

    assert set(drawn) == FIGURES
    assert eyes.errors == []
    assert eyes.foreign == []


def test_the_table_behind_a_chart_has_its_numbers(site, eyes, growth):
    eyes.go(growth)
    page = eyes.drawn()
    place = page.locator("[data-figure=sectors]")

    place.locator("summary").press("Enter")

    rows = place.locator("tbody tr")
    rows.first.wait_for()
    stored, _ = stored_numbers(site, "Growth")
    sectors = {name.split(".")[1] for name in stored if name.startswith("sectors.")}
    assert set(rows.locator("th").all_text_contents()) == sectors


def test_positions_are_sorted_and_filtered(eyes, growth):
    page = eyes.go(growth)
    table = page.locator("#positions-table")
    weights = "all => all.map(row => Number(row.cells[6].querySelector('data').value))"

    table.get_by_role("button", name="Weight").click()
    falling = table.locator("tbody tr").evaluate_all(weights)
    table.get_by_role("button", name="Weight").press("Enter")
    rising = table.locator("tbody tr").evaluate_all(weights)
    page.get_by_label("Filter positions").fill("health")

    assert falling == sorted(falling, reverse=True)
    assert rising == sorted(rising)
    assert table.locator("tbody tr:visible").count() == 2
    assert page.get_by_text("2 of 7").is_visible()


def test_a_past_session_shows_its_own_numbers(site, eyes, growth):
    page = eyes.go(growth)
    page.get_by_label("Session", exact=True).fill("2021-06-20")
    page.wait_for_url("**session=2021-06-18")

    shown, (stored, _) = shown_numbers(page), stored_numbers(site, "Growth", date(2021, 6, 18))
    assert shown == {place: stored[place] for place in shown}
    page.get_by_label(re.compile("The session before")).click()
    page.wait_for_url("**session=2021-06-17")
    assert eyes.errors == []


def test_a_number_says_where_it_comes_from(eyes, growth):
    page = eyes.go(growth)
    button = page.locator("#headline button.why", has=page.locator("[data-of='risk.beta']"))

    button.focus()
    page.keyboard.press("Enter")

    told = page.get_by_role("dialog", name="Beta: where it comes from")
    assert told.is_visible()
    text = told.text_content()
    assert "90 sessions; at least 30 observed" in text
    assert "28\xa0Dec\xa02022" in text
    assert "risk.beta" in text
    page.keyboard.press("Escape")
    assert not told.is_visible()


def test_trades_are_tried_and_not_stored(eyes, growth):
    page = eyes.go(growth)
    form = page.locator("[data-what-if]")
    form.get_by_label("Symbol").first.fill("AAPL")
    form.get_by_label("Quantity").fill("-900")

    form.get_by_role("button", name="Try it").click()

    page.get_by_text("Sell 900 AAPL at 125.67").wait_for()
    row = page.locator("[data-outcome] tr", has_text="Beta")
    before, after, _ = row.locator("td").all_text_contents()
    assert before == "0.97"
    assert float(after) < 0.97
    assert eyes.errors == []


@pytest.mark.parametrize(
    "path", ["/sign-in", "/portfolios", "/account", "/nowhere", "P", "P/settings"]
)
def test_pages_can_be_used_by_everybody(browser, signed_in, site, growth, path):
    context = browser.new_context(
        storage_state=None if path == "/sign-in" else signed_in, reduced_motion="reduce"
    )
    eyes = Eyes(context.new_page(), site.base)
    eyes.go(path.replace("P", growth, 1) if path.startswith("P") else path)
    if path == "P":
        eyes.drawn()

    for scheme in ("light", "dark"):
        eyes.page.emulate_media(color_scheme=scheme)
        found = Axe().run(eyes.page, context=CONTEXT, options=RULES)
        assert found.violations_count == 0, found.generate_report()
    context.close()


@pytest.mark.parametrize("path", ["/portfolios", "/account", "P", "P/settings"])
def test_a_telephone_shows_all_without_scrolling_sideways(browser, signed_in, site, growth, path):
    context = browser.new_context(
        storage_state=signed_in, viewport={"width": 390, "height": 844}, has_touch=True
    )
    eyes = Eyes(context.new_page(), site.base)
    page = eyes.go(path.replace("P", growth, 1) if path.startswith("P") else path)
    if path == "P":
        eyes.drawn()

    beyond = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")

    assert beyond == 0
    assert eyes.errors == []
    context.close()


def test_signing_in_leads_back_and_signing_out_ends(browser, site, growth):
    context = browser.new_context()
    eyes = Eyes(context.new_page(), site.base)
    page = eyes.go(growth)
    page.get_by_label("E-mail").fill(ANNA)
    page.get_by_label("Password").fill("a wrong grey heron")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("The address, the password or the code is wrong.").wait_for()
    page.get_by_label("Password").fill("a calm grey heron")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**" + growth)

    page.get_by_role("button", name="Anna").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")

    page = eyes.go(growth)
    assert page.url.startswith(f"{site.base}/sign-in?next=")
    context.close()


def test_somebody_without_portfolios_is_led_to_his_first(browser, site):
    context = browser.new_context()
    page = context.new_page()

    sign_in(page, site.base, BOB)

    link = page.get_by_role("link", name="Bring your positions")
    assert link.get_attribute("href") == "/portfolios/new"
    context.close()


def test_colours_are_chosen_and_kept(eyes):
    page = eyes.go("/portfolios")
    button = page.get_by_role("button", name=re.compile("Colours"))

    button.click()
    button.click()
    page.reload()

    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 17, 22)"
