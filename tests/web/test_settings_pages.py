"""What people change in a browser: lots, who may read, and a deletion that is taken back."""

import pytest
from tests.web.looking import BOB


@pytest.fixture
def energy(site):
    return f"/portfolios/{site.ids['Energy']}"


def test_a_lot_is_added_edited_and_deleted(eyes, energy):
    page = eyes.go(energy + "/settings")
    rows = page.locator("#lots tbody tr")
    before = rows.count()
    page.get_by_text("Add a lot").click()
    page.get_by_label("Symbol", exact=True).fill("aapl")
    page.get_by_label("Quantity below 0: short").fill("3")
    page.get_by_label("Entry date").first.fill("2022-12-27")
    page.get_by_label("Entry price a share").fill("130")
    with page.expect_navigation():
        page.get_by_role("button", name="Add", exact=True).first.click()
    assert rows.count() == before + 1

    page.get_by_role("button", name="Edit AAPL of 2022-12-27").click()
    page.locator("#edit-lot").get_by_label("Quantity").fill("0")
    page.locator("#edit-lot").get_by_role("button", name="Save").click()
    page.locator("#edit-lot [role=alert]").wait_for()
    page.locator("#edit-lot").get_by_label("Quantity").fill("5")
    with page.expect_navigation():
        page.locator("#edit-lot").get_by_role("button", name="Save").click()
    assert rows.filter(has_text="AAPL").locator("td").first.text_content() == "5"

    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Edit AAPL of 2022-12-27").click()
    with page.expect_navigation():
        page.get_by_role("button", name="Delete the lot").click()
    assert rows.count() == before


def test_a_portfolio_is_shared_and_no_longer(eyes, energy):
    page = eyes.go(energy + "/settings")
    page.get_by_label("E-mail").fill(BOB)
    with page.expect_navigation():
        page.get_by_role("button", name="Share").click()
    assert page.get_by_text(BOB).is_visible()

    with page.expect_navigation():
        page.get_by_role("button", name=f"Stop sharing with {BOB}").click()

    assert not page.get_by_text(BOB).is_visible()
    assert eyes.errors == []


def test_a_deleted_portfolio_is_taken_back(eyes, site):
    key = site.ids["Income"]
    page = eyes.go(f"/portfolios/{key}/settings")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete Income").click()
    page.wait_for_url("**/portfolios?deleted=*")
    assert page.locator(f"tr[data-portfolio='{key}']").count() == 0

    page.get_by_role("button", name="Take it back").click()

    page.locator(f"tr[data-portfolio='{key}']").wait_for()
    assert eyes.errors == []
