"""Onboarding and operation in a browser: what a first-time user and an operator do."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from tests.acceptance.world import FACTORS, LAST
from tests.web.looking import ANNA, BOB, Eyes, sign_in
from tests.web.operated import STOCKS, fill, make_world, operated

PAGES = (
    "/portfolios/new",
    "/operation",
    "/operation/runs",
    "/operation/symbols?settled=true",
    "/operation/prices",
    "/operation/providers",
    "/operation/schedule",
    "/operation/outbox",
    "/operation/users",
    "/operation/audit",
)
BOOK = re.compile(r"/portfolios/[a-z0-9]{12}$")
BAD = """Symbol,Quantity,Entry Price Per Share,Entry Date
AAA,ten,100,2025-12-01
BBB,5,50,yesterday
CCC,7,70,2025-12-02
"""


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    world = make_world(tmp_path_factory.mktemp("full"))
    fill(world)
    with operated(world) as address:
        world.address = address
        yield world
    world.close()


@pytest.fixture
def visit(browser):
    """Sign somebody in; what the browser complained of by then is looked at afterwards."""
    opened, seen = [], []

    def begin(address, email, **how):
        context = browser.new_context(**how)
        opened.append(context)
        page = context.new_page()
        sign_in(page, address, email)
        eyes = Eyes(page, address)
        seen.append(eyes)
        return eyes

    yield begin
    for context in opened:
        context.close()
    for eyes in seen:
        assert eyes.errors == []
        assert eyes.foreign == []


def choose(page, text, name="my-first_book.csv"):
    page.set_input_files(
        "input[name=csv]", {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
    )


def test_a_file_with_errors_is_mended_in_the_page_and_lands_on_its_portfolio(full, browser):
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, full.address, BOB)
    eyes = Eyes(page, full.address)
    eyes.go("/portfolios/new")
    choose(page, BAD)
    assert page.input_value("input[name=name]") == "my first book"
    page.get_by_role("button", name="Create the portfolio").click()
    page.get_by_role("heading", name="2 things are wrong in the file").wait_for()
    # A refused file is a refused request, which the browser tells of.
    assert len(eyes.errors) == 1
    eyes.errors.clear()

    page.get_by_label("Quantity", exact=False).first.fill("10")
    page.get_by_label("Entry Date").fill("2025-12-01")
    page.get_by_role("button", name="Send the corrected file").click()

    page.wait_for_url("**/runs/*")
    page.wait_for_url(BOOK, timeout=30_000)
    page.get_by_role("heading", name="my first book").wait_for()
    assert full.stored_sessions("my first book")[-1] == LAST
    assert (eyes.errors, eyes.foreign) == ([], [])
    context.close()


def test_a_row_is_left_out_and_a_file_is_typed(full, visit):
    eyes = visit(full.address, BOB)
    page = eyes.go("/portfolios/new")
    page.get_by_text("Look at the file, or type it").click()
    page.fill("[data-text]", BAD.replace("yesterday", "2025-12-01"))
    page.fill("input[name=name]", "typed")
    page.get_by_role("button", name="Create the portfolio").click()
    page.get_by_role("button", name="Leave row 2 out").click()
    eyes.errors.clear()

    page.get_by_role("button", name="Send the corrected file").click()

    page.wait_for_url(BOOK, timeout=30_000)
    rows = full.rows(
        "SELECT COUNT(*) FROM lot l JOIN portfolio p ON p.id = l.portfolio_id "
        "WHERE p.name = 'typed'"
    )
    assert rows == [(2,)]


def test_a_run_is_watched_live_and_cancelled(tmp_path, visit):
    world = make_world(tmp_path)
    world.add_prices(*FACTORS, *STOCKS)
    with operated(world, has_worker=False) as address:
        page = visit(address, BOB).go("/portfolios/new")
        choose(page, BAD.replace("ten", "10").replace("yesterday", "2025-12-01"))
        page.get_by_role("button", name="Create the portfolio").click()
        page.get_by_text("Place 1 in the queue.").wait_for()

        page.get_by_role("button", name="Cancel").click()

        page.get_by_text("Stopped on request.").wait_for()
        page.get_by_text("cancelled while it waited").wait_for()
        assert page.get_by_role("button", name="Cancel").is_hidden()
    world.close()


def test_an_operator_starts_a_run_and_sees_it_end(full, visit):
    page = visit(full.address, ANNA).go("/operation/runs")
    page.get_by_label("Compute again what is up to date").check()

    page.get_by_role("button", name="Start", exact=True).click()

    page.wait_for_url("**/operation/runs/*-*")
    page.locator("[data-at=badge]", has_text="partial").wait_for(timeout=30_000)
    page.locator("[data-at=finished]", has_text="UTC").wait_for(state="attached")
    page.get_by_role("cell", name="stored").first.wait_for()


def test_closes_in_quarantine_are_released(full, visit):
    page = visit(full.address, ANNA).go("/operation/prices")
    page.on("dialog", lambda dialog: dialog.accept())

    page.get_by_role("button", name="Release JMP").click()

    page.get_by_text("The closes of JMP count again").wait_for()
    assert full.rows("SELECT COUNT(*) FROM quarantine WHERE released_at IS NULL") == [(0,)]


def test_a_symbol_is_accepted_and_that_is_taken_back(full, visit):
    page = visit(full.address, ANNA).go("/operation/symbols")
    page.on("dialog", lambda dialog: dialog.accept())

    page.get_by_role("button", name="Accept NONE").click()
    page.get_by_text("No close is missing").wait_for()
    page.get_by_label("Accepted and past").check()
    page.get_by_role("button", name="Take the acceptance of NONE back").click()

    page.get_by_role("button", name="Accept NONE").wait_for()


def test_somebody_is_added_handed_a_link_and_disabled(full, visit):
    page = visit(full.address, ANNA).go("/operation/users")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_label("Name", exact=True).fill("Carl")
    page.get_by_label("E-mail", exact=True).fill("carl@example.com")
    page.get_by_role("button", name="Add").click()
    link = page.locator("[data-link]")
    page.get_by_role("heading", name="A link to hand over").wait_for()
    assert link.inner_text().startswith(f"{full.address}/set-up#rml_")

    page.reload()
    page.get_by_role("button", name="Disable Carl").click()

    page.get_by_role("button", name="Enable Carl").wait_for()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_no_page_has_a_barrier_or_is_wider_than_its_window(full, visit, scheme, width):
    eyes = visit(full.address, ANNA, color_scheme=scheme, viewport={"width": width, "height": 800})
    rows = full.rows("SELECT id FROM run ORDER BY id LIMIT 1")
    found = {}

    for path in (*PAGES, f"/operation/runs/{rows[0][0]}"):
        page = eyes.go(path)
        barriers = [one["id"] for one in Axe().run(page).response["violations"]]
        wide = page.evaluate("document.documentElement.scrollWidth")
        if barriers or wide > width:
            found[path] = (barriers, wide)

    assert found == {}
