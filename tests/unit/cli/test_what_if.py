import polars as pl
import pytest
from tests.unit.reports.worlds import MON, THU, WED

from riskmark.cli.what_if import joined_trades


@pytest.fixture
def book(riskmark):
    riskmark.world.add_prices("AAA", "BBB")
    riskmark.world.add_book("book", ("AAA", "SPY"), MON)
    riskmark.world.run()
    return riskmark


@pytest.mark.parametrize(
    "words",
    [
        ("--trade", "SPY", "-4", "--trade", "BBB", "2.5"),
        ("--trade", "SPY", "--", "-4", "--trade", "bbb", "2.5"),
        ("--trade", "SPY -4", "--trade", "BBB 2.5"),
        ("--trade", "SPY", "-4", "--", "BBB", "2.5"),
        ("SPY", "-4", "BBB", "2.5"),
        ("--", "SPY", "-4", "BBB", "2.5"),
    ],
)
def test_a_leading_minus_works_with_and_without_two_dashes(book, words):
    done = book("what-if", "book", "--json", *words)

    assert done.code == 0, done.err
    assert [(one["symbol"], one["quantity"]) for one in done.json["trades"]] == [
        ("SPY", -4.0),
        ("BBB", 2.5),
    ]


def test_a_trade_in_an_option_keeps_the_blanks_of_its_symbol():
    option = "AAPL  260116C00200000"

    assert joined_trades(["--trade", option, "-1", "--json"]) == [
        "--trade",
        f"{option} -1",
        "--json",
    ]


def test_the_document_has_both_sides_and_the_change(book):
    done = book("what-if", "book", "--trade", "AAA", "-10", "--session", WED, "--json")
    shown = book("show", "book", "--session", WED, "--json").json

    found = done.json
    assert found["session"] == WED.isoformat()
    assert found["before"]["snapshot"] == pytest.approx(shown["snapshot"])
    assert found["after"]["snapshot"]["positions"] == 1
    assert found["change"]["snapshot"]["positions"] == -1
    assert found["before"]["risk"].keys() == shown["risk"].keys()
    assert found["nulls"]["after.positions.AAA.beta"] == "closed"


def test_people_see_the_largest_changes_in_groups_within_80_columns(book, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    done = book("what-if", "book", "--trade", "AAA", "50", "--hedge-beta", "SPY")

    assert done.code == 0
    assert "nothing is stored" in done.out
    assert "hedge of beta" in done.out
    titles = ("Trade", "Value", "Risk", "Factors", "Stress", "Replays", "Concentration")
    places = [done.out.find(f"\n{title} ") for title in titles]
    assert [place for place in places if place >= 0] == sorted(p for p in places if p >= 0)
    assert {"Value", "Risk", "Stress"} <= {t for t, p in zip(titles, places, strict=True) if p >= 0}
    assert "more: --all" in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_all_lists_every_change(book):
    done = book("what-if", "book", "--trade", "AAA", "50", "--all")

    assert "more: --all" not in done.out
    assert "cum_unrealized" not in done.out  # a purchase at the mark has gained nothing


def test_trades_that_cancel_change_nothing(book):
    done = book("what-if", "book", "--trade", "BBB", "5", "--trade", "BBB", "-5")

    assert "no number changes" in done.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "nothing to try"),
        (("--trade", "AAA"), "a symbol and a quantity"),
        (("--trade", "AAA", "x"), "expected digits"),
        (("--trade", "AAA", "0"), "--trade AAA"),
        (("--trade", "ZZZZ", "5"), "no instrument has the symbol 'ZZZZ'"),
        (("AAA",), "a symbol and a quantity"),
        (("--target-vol", "12"), "0.12 is 12 %"),
        (("--target-vol", "-0.1"), "0.12 is 12 %"),
        (("--hedge-beta", "ZZZZ"), "no instrument has the symbol 'ZZZZ'"),
        (("--trade", "AAA", "5", "--session", "2025-12-31"), "the newest is of 2026-01-08"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_in_one_line(book, words, message):
    done = book("what-if", "book", *words)

    assert done.code == 2
    assert message in " ".join(done.err.split())
    assert done.out == ""


@pytest.mark.parametrize("what", ["history", "positions", "factors", "stress", "sectors"])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_table_is_exported_to_the_file_that_is_named(book, what, suffix):
    path = book.folder / f"out.{suffix}"

    done = book("export", "book", "--what", what, "--from", WED, "--out", path)

    read = pl.read_csv(path, try_parse_dates=True) if suffix == "csv" else pl.read_parquet(path)
    assert done.code == 0
    assert f"{read.height} rows written" in done.err
    assert read["session"].unique().sort().to_list() == [WED, THU]


def test_an_export_never_overwrites_a_file_and_names_its_format(book):
    path = book.file("mine.csv", "mine")

    assert book("export", "book", "--out", path).code == 2
    assert path.read_text(encoding="utf-8") == "mine"
    refused = book("export", "book", "--out", book.folder / "out.xlsx")
    assert refused.code == 2
    assert ".csv or .parquet" in refused.err
    assert not (book.folder / "out.xlsx").exists()
