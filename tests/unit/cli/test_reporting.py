"""``riskmark report``: the file it writes, and what it refuses."""

import pytest
from tests.acceptance.world import LAST
from tests.unit.reports.worlds import MON


@pytest.fixture
def growth(riskmark):
    riskmark.world.add_prices("AAA", "BBB")
    riskmark.world.add_book("Growth", ("AAA", "BBB"), MON)
    riskmark.world.run()
    return riskmark


def test_a_report_is_written_as_its_file_ends(growth):
    paper = growth("report", "Growth", "--out", "a.pdf")
    page = growth("report", "Growth", "--output", "a.html")

    assert (paper.code, page.code) == (0, 0)
    assert "written to a.pdf" in paper.err
    assert (growth.folder / "a.pdf").read_bytes().startswith(b"%PDF")
    assert (growth.folder / "a.html").read_bytes().startswith(b"<!doctype html>")


def test_without_a_file_it_is_named_after_the_portfolio_and_the_session(growth):
    found = growth("report", "Growth", "--format", "html", "--session", LAST)

    assert found.code == 0
    assert (growth.folder / f"growth-{LAST}.html").exists()


def test_what_cannot_be_written_is_an_error_and_leaves_no_file(growth):
    for words, said in (
        (("--out", "a.txt"), "must end in .pdf or .html"),
        (("--out", "a.pdf", "--format", "html"), "ends in .pdf, but --format says html"),
        (("--session", "2025-01-04"), "has no snapshot of 2025-01-04"),
        (("--session", "2030-01-04"), "expected a date that is not after today"),
        (("--out", "nowhere/a.pdf"), "cannot write"),
    ):
        found = growth("report", "Growth", *words)

        assert found.code == 2
        assert said in " ".join(found.err.split())
    assert not list(growth.folder.iterdir())


def test_a_file_that_is_there_is_not_written_over(growth):
    growth.file("a.pdf", "mine")

    found = growth("report", "Growth", "--out", "a.pdf")

    assert found.code == 2
    assert (growth.folder / "a.pdf").read_text() == "mine"
