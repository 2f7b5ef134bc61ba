"""``attribution`` and ``explain``: what people read, and what programs do."""

import pytest
from tests.unit.reports.worlds import MON, THU, TUE, WED

from riskmark.cli.bars import bar


@pytest.fixture
def book(riskmark):
    riskmark.world.add_prices("AAA", "BBB")
    riskmark.world.add_book("book", ("AAA", "BBB"), MON, quantity=300)
    riskmark.world.run()
    return riskmark


def test_attribution_shows_all_ways_with_the_total_below_each(book):
    done = book("attribution", "book")

    assert done.code == 0
    assert f"book  {THU}" in done.out
    for name in ("AAA", "BBB", "Unclassified", "Market", "Specific", "Trading"):
        assert name in done.out
    totals = [line.split()[1] for line in done.out.splitlines() if line.startswith("P&L  ")]
    assert len(totals) == 3
    assert len(set(totals)) == 1


def test_one_way_is_shown_alone(book):
    done = book("attribution", "book", "--by", "sector", "--from", MON)

    assert "4 sessions" in done.out
    assert "Unclassified" in done.out
    assert "AAA" not in done.out
    assert "Market" not in done.out


def test_what_is_unexplained_says_why(book):
    with book.world.app.database.write() as connection:
        for table in ("snapshot", "cell_pack"):
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE session = '{TUE}'")

    done = book("attribution", "book", "--from", MON)

    assert "1 session between them not stored" in done.out
    assert "Unexplained" in done.out
    assert "of 1 session, not computed yet" in done.out


def test_many_positions_are_cut_in_the_middle(riskmark):
    symbols = tuple(f"S{number:02}" for number in range(25))
    riskmark.world.add_prices(*symbols)
    riskmark.world.add_book("book", symbols, MON, quantity=1)
    riskmark.world.run()

    few = riskmark("attribution", "book", "--by", "position")
    every = riskmark("attribution", "book", "--by", "position", "--all")

    assert "… 5 more: --all" in few.out
    assert sum(f"\n{symbol} " in few.out for symbol in symbols) == 20
    assert sum(f"\n{symbol} " in every.out for symbol in symbols) == 25


def test_explain_tells_causes_in_words(book):
    done = book("explain", "book")

    assert done.code == 0
    assert f"book  {WED} to {THU} · 1 session" in done.out
    for words in ("NAV", "Volatility, 63", "New returns enter", "Old returns leave", "Market"):
        assert words in done.out
    assert "Corrected since" not in done.out


def test_explain_tells_what_has_no_number_and_where(riskmark):
    riskmark.world.add_prices("AAA", first=MON)
    riskmark.world.add_book("book", ("AAA",), MON)
    riskmark.world.run()

    done = riskmark("explain", "book", "--from", MON, "--to", THU)

    assert "no number on either session" in done.out
    assert "Beta" in done.out


def test_json_is_that_of_the_reports(book):
    attribution = book("attribution", "book", "--json").json
    explanation = book("explain", "book", "--from", TUE, "--json").json

    assert attribution["factors"]["model"] == "style"
    assert {line["symbol"] for line in attribution["positions"]} == {"AAA", "BBB"}
    assert (explanation["from"], explanation["to"]) == (str(TUE), str(THU))
    beta = explanation["numbers"]["beta"]
    assert sum(beta["parts"].values()) == pytest.approx(beta["change"])


def test_both_fit_on_a_narrow_screen(book, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    shown = book("attribution", "book").out + book("explain", "book").out

    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("attribution", "book", "--session", "2026-01-06", "--from", "2026-01-06"), "alone"),
        (("attribution", "nobody"), "no portfolio"),
        (("explain", "book", "--to", "2026-01-05"), "nothing to compare it with"),
        (("explain", "book", "--from", "5.1.2026"), "--from"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_one_line(book, words, problem):
    done = book(*words)

    assert done.code == 2
    assert problem in done.err


@pytest.mark.parametrize(
    ("value", "drawn"),
    [
        (10.0, "    │████"),
        (5.5, "    │██▎"),
        (-10.0, "████│"),
        (-5.0, "  ██│"),
        (0.0, "    │"),
    ],
)
def test_a_bar_has_its_middle_at_one_place(value, drawn):
    assert bar(value, 10.0, size=4).plain == drawn


def test_a_bar_among_nothing_but_zeros_is_empty():
    assert bar(0.0, 0.0, size=4).plain == "    │"
