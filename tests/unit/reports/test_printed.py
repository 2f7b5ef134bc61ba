"""Reports: what ``show`` says, on paper; tagged, the same each time, whatever a name has in it."""

import re
from datetime import date
from functools import cache
from html.parser import HTMLParser

import pytest
from tests.pdf_text import text_of
from tests.unit.reports import drawn_books
from tests.unit.reports.drawn_books import MARKUP, SCRIPTS
from tests.unit.reports.shown_books import show

from riskmark.reports.printed import ReportFormat, render_report
from riskmark.reports.printed.compose import FIGURES
from riskmark.reports.printed.letters import REPLACEMENT, fit
from riskmark.reports.printed.writing import change, gain, money, price, quantity, ratio, share
from riskmark.reports.snapshot import NotValued


def printed(world, name, report_format=ReportFormat.PDF, session=None):
    with world.app.database.read() as connection:
        return render_report(
            connection,
            world.app.principal,
            name,
            settings=world.app.settings,
            calendar=world.calendar,
            session=session,
            report_format=report_format,
        )


@cache
def printed_once(world, name, report_format=ReportFormat.PDF):
    """Print a report that several tests read."""
    return printed(world, name, report_format)


class Reader(HTMLParser):
    """Collects the text of a page, and what it would fetch."""

    def __init__(self):
        super().__init__()
        self.said, self.links, self.scripts = [], [], 0

    def handle_starttag(self, tag, attributes):
        self.scripts += tag == "script"
        self.links += [value for name, value in attributes if name in {"href", "src"}]

    def handle_data(self, data):
        self.said.append(data)


def read_page(content):
    reader = Reader()
    reader.feed(content.decode())
    return reader


def squeezed(text):
    return " ".join(text.replace("\u200b", "").split())


@pytest.mark.parametrize("report_format", ReportFormat)
def test_a_report_has_the_numbers_of_show(drawn, report_format):
    shown = show(drawn, "growth")

    report = printed_once(drawn, "growth", report_format)

    is_pdf = report_format is ReportFormat.PDF
    text = text_of(report.content) if is_pdf else "".join(read_page(report.content).said)
    text = squeezed(text)
    risk, made = shown["risk"], shown["performance"]
    for value in (
        money(shown["snapshot"]["nav"]),
        gain(shown["snapshot"]["pnl"]),
        change(made["twr_ytd"]),
        share(risk["vol_63"]),
        money(risk["es_99_money"]),
        *(money(one["market_value"]) for one in shown["positions"]),
        *(one["symbol"] for one in shown["positions"]),
        shown["session"],
        shown["provenance"]["run"],
    ):
        assert squeezed(value) in text, value


@pytest.mark.parametrize("name", drawn_books.NAMES)
def test_every_book_has_a_tagged_report_of_at_most_three_pages(drawn, name):
    found = printed_once(drawn, name).content

    assert found.startswith(b"%PDF-1.7")
    assert b"/MarkInfo" in found
    assert b"/StructTreeRoot" in found
    assert b"pdfuaid:part" in found
    assert 1 <= len(re.findall(rb"/Type/Page\b(?!s)", found)) <= 3


@pytest.mark.parametrize("report_format", ReportFormat)
def test_a_report_is_the_same_to_the_byte_each_time(drawn, report_format):
    assert printed(drawn, "one", report_format) == printed_once(drawn, "one", report_format)


def test_markup_in_a_name_stays_text(drawn):
    paper = printed_once(drawn, MARKUP)
    page = printed(drawn, MARKUP, ReportFormat.HTML)

    reader = read_page(page.content)
    assert squeezed(text_of(paper.content)).startswith(MARKUP)
    assert MARKUP in "".join(reader.said)
    assert reader.scripts == 0
    assert re.fullmatch(r"[a-z0-9-]+-2026-01-08\.pdf", paper.name)


def test_letters_that_the_font_lacks_are_signs_and_that_is_said(drawn):
    text = squeezed(text_of(printed_once(drawn, SCRIPTS).content))

    assert text.startswith(f"{REPLACEMENT * 3} Größe Łódź Привет")
    assert "stands for a character that the font of this document lacks" in text
    assert fit("plain − 1,5\u00a0% ↯") != "plain − 1,5\u00a0% ↯"
    assert fit("plain − 1,5\u00a0%") == "plain − 1,5\u00a0%"


def test_a_page_fetches_nothing(drawn):
    page = printed_once(drawn, "growth", ReportFormat.HTML)

    reader = read_page(page.content)
    assert reader.links == []
    assert b"@import" not in page.content
    assert b"url(" not in page.content
    assert page.media_type == "text/html; charset=utf-8"
    assert page.content.count(b"<svg") == len(FIGURES)


def test_numbers_that_cannot_be_had_are_dashes_with_reasons(drawn):
    text = squeezed(text_of(printed_once(drawn, "ruined").content))

    assert "Beta – NAV is not positive" in text
    assert "Not shown: NAV is not positive." in text


def test_a_past_session_is_printed_as_it_was(drawn):
    session = drawn.stored_sessions("growth")[-10]
    shown = show(drawn, "growth", session)

    report = printed(drawn, "growth", session=session)

    text = squeezed(text_of(report.content))
    assert f"as of {session}" in text
    assert money(shown["snapshot"]["nav"]) in text
    assert report.name == f"growth-{session}.pdf"


def test_without_a_snapshot_there_is_no_report(drawn):
    with pytest.raises(NotValued, match="no snapshot of 2024-07-01"):
        printed(drawn, "growth", session=date(2024, 7, 1))


def test_a_report_is_read_from_either_database(world):
    drawn_books.add_books(world)

    assert printed(world, "option").content.startswith(b"%PDF")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (money(-1234.5), "−1,234"),
        (money(-0.4), "0"),
        (money(None), "–"),
        (gain(12.6), "+13"),
        (gain(0.0), "0"),
        (share(0.1234), "12.3\u00a0%"),
        (change(-0.005), "−0.5\u00a0%"),
        (ratio(1.005), "1.00"),
        (price(0.5), "0.5000"),
        (price(0.000001), "0.000001"),
        (quantity(1500.0), "1,500"),
        (quantity(-0.25), "−0.25"),
    ],
)
def test_numbers_are_written_for_people(written, text):
    assert written == text
