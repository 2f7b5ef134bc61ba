import pytest
from tests.unit.reports.worlds import MON, THU, TUE

BARS = """date,symbol,open,high,low,close,volume
2026-01-05,AAA,10,11,9,10.5,1000
2026-01-06,AAA,10,11,9,10.6,1000
2026-01-07,AAA,10,11,9,10.7,1000
2026-01-08,AAA,10,11,9,10.8,1000
2026-01-04,AAA,10,11,9,10.8,1000
"""
JUMP = "date,symbol,close\n2026-01-05,JMP,100\n2026-01-06,JMP,50.1\n2026-01-07,JMP,51\n"
SPLIT = "symbol,ex_date,type,value\nJMP,2026-01-06,split,2\n"


def test_bars_are_stored_and_counted(riskmark):
    done = riskmark("prices", "import", riskmark.file("bars.csv", BARS), "--json")

    assert done.code == 0
    bars = done.json["bars"]
    assert (bars["received"], bars["stored"], bars["refused"]["not_a_session"]) == (5, 4, 1)
    assert done.json["created"] == ["AAA"]


def test_the_same_bars_again_change_nothing(riskmark):
    file = riskmark.file("bars.csv", BARS)
    first = riskmark("prices", "import", file, "--json").json

    again = riskmark("prices", "import", file, "--json").json

    assert (again["bars"]["stored"], again["bars"]["unchanged"]) == (0, 4)
    assert again["revision"] == first["revision"]


def test_people_are_told_what_was_refused_and_why(riskmark):
    shown = riskmark("prices", "import", riskmark.file("bars.csv", BARS)).out

    assert "5 bars" in shown
    assert "4 new" in shown
    assert "on no session" in shown


def test_a_file_with_a_header_alone_has_no_bars(riskmark):
    done = riskmark("prices", "import", riskmark.file("bars.csv", "date,symbol,close\n"))

    assert (done.code, done.out) == (0, "0 bars  nothing to store\n")


def test_equal_rows_are_counted_as_duplicates(riskmark):
    text = "date,symbol,close\n2026-01-05,AAA,10\n2026-01-05,AAA,10.0\n"
    file = riskmark.file("bars.csv", text)

    found = riskmark("prices", "import", file, "--json").json["bars"]

    assert (found["received"], found["stored"], found["refused"]["duplicate"]) == (2, 1, 1)
    assert "given twice" in riskmark("prices", "import", file).out


def test_every_bad_row_is_named_and_nothing_is_stored(riskmark):
    file = riskmark.file("bars.csv", "date,symbol,close\n2026-01-05,AAA,ten\n5 May,AAA,-1\n")

    done = riskmark("prices", "import", file)

    assert (done.code, done.out) == (2, "")
    for part in ("row 2", "row 3", "ten", "5 May"):
        assert part in done.err
    assert riskmark("symbols", "show", "AAA").code == 2


@pytest.mark.parametrize(
    "words", [("missing.csv",), ("bars.csv", "--format", "xls"), ("bars.csv", "--split-adjusted")]
)
def test_what_cannot_be_imported_is_refused_in_one_line(riskmark, words):
    riskmark.file("bars.csv", BARS)

    done = riskmark("prices", "import", *words)

    assert done.code == 2
    assert done.err.count("\n") == 1


def test_a_jump_like_a_split_is_held_back_until_it_is_released(riskmark):
    done = riskmark("prices", "import", riskmark.file("jump.csv", JUMP), "--json")
    (held,) = done.json["quarantine"]

    assert (held["symbol"], held["session"]) == ("JMP", "2026-01-06")
    assert riskmark("prices", "gaps", "--json").json["quarantine"][0]["from"] == "2026-01-06"
    assert riskmark("prices", "release", "JMP", "2026-01-07").code == 2
    assert riskmark("prices", "release", "jmp", "2026-01-06").code == 0
    assert riskmark("prices", "gaps", "--json").json["quarantine"] == []


def test_a_jump_that_a_split_explains_is_not_held_back(riskmark):
    done = riskmark(
        "prices", "import", riskmark.file("jump.csv", JUMP),
        "--actions", riskmark.file("split.csv", SPLIT), "--json",
    )  # fmt: skip

    assert done.json["quarantine"] == []
    assert done.json["actions"]["stored"] == 1


def test_gaps_say_what_is_missing_and_why(riskmark):
    riskmark.world.add_bars("AAA", {MON: 10.0})
    riskmark.world.add_book("book", ("AAA", "NONE"), MON)

    found = riskmark("prices", "gaps", "--json").json

    assert found["target"] == str(THU)
    assert [(one["symbol"], one["sessions"], one["reason"]) for one in found["gaps"]] == [
        ("AAA", 3, "carried"),
        ("NONE", 4, "never_priced"),
    ]
    shown = riskmark("prices", "gaps")
    assert "never priced" in shown.out


def test_without_gaps_nothing_is_listed(riskmark):
    done = riskmark("prices", "gaps")

    assert (done.code, done.out) == (0, "")
    assert "no close is missing" in done.err


def test_symbols_are_listed_with_what_is_stored_of_them(riskmark):
    riskmark.world.add_book("book", ("SPY",), MON)

    listed = riskmark("symbols", "list", "--json").json
    held = riskmark("symbols", "list", "--held", "--json").json

    assert "TLT" in {one["symbol"] for one in listed}
    assert [(one["symbol"], one["portfolios"]) for one in held] == [("SPY", 1)]
    assert "SPY" in riskmark("symbols", "list").out
    assert riskmark("symbols", "list", "--kind", "private", "--json").json == []


def test_a_file_of_symbols_names_and_classifies(riskmark):
    file = riskmark.file(
        "symbols.csv", "symbol,name,kind,sector\nSPY,S&P 500,etf,\nNEW,New Inc.,stock,Energy\n"
    )

    done = riskmark("symbols", "import", file, "--json")

    assert done.code == 0
    assert (done.json["created"], done.json["changed"]) == (["NEW"], ["SPY"])
    one = riskmark("symbols", "show", "new", "--json").json
    assert (one["name"], one["sector"], one["kind"]) == ("New Inc.", "Energy", "stock")
    assert "Energy" in riskmark("symbols", "show", "NEW").out


def test_a_bad_file_of_symbols_changes_nothing(riskmark):
    file = riskmark.file("symbols.csv", "symbol,kind\nSPY,spaceship\n")

    done = riskmark("symbols", "import", file)

    assert done.code == 2
    assert "spaceship" in done.err


def test_a_renamed_symbol_is_found_by_both_names(riskmark):
    riskmark.world.add_bars("OLD", {MON: 10.0})

    done = riskmark("symbols", "alias", "OLD", "NEW", "2026-01-06")

    assert done.code == 0
    assert riskmark("symbols", "show", "OLD", "--json").json["symbol"] == "NEW"
    assert riskmark("symbols", "show", "NEW", "--json").json["aliases"] == ["OLD"]
    assert riskmark("symbols", "alias", "NOPE", "NADA", "2026-01-06").code == 2


def test_two_symbols_of_one_instrument_become_one(riskmark):
    riskmark.world.add_bars("OLD", {MON: 10.0, TUE: 11.0})
    riskmark.world.add_bars("NEW", {TUE: 11.0, THU: 12.0})

    done = riskmark("symbols", "alias", "OLD", "NEW", "2026-01-06")

    assert done.code == 0
    assert "1 bar and 0 lots moved, 1 dropped that NEW has too" in " ".join(done.err.split())
    assert riskmark("symbols", "show", "OLD", "--json").json["bars"] == 3


def test_two_companies_do_not_become_one(riskmark):
    riskmark.world.add_bars("OLD", {MON: 10.0})
    riskmark.world.add_bars("NEW", {MON: 99.0})

    done = riskmark("symbols", "alias", "OLD", "NEW", "2026-01-06")

    assert done.code == 2
    assert "look like two instruments" in done.err
    assert riskmark("symbols", "show", "OLD", "--json").json["symbol"] == "OLD"


def test_an_accepted_symbol_no_longer_makes_a_portfolio_partial(riskmark):
    riskmark.world.add_book("book", ("NONE",), MON)
    assert riskmark("run").code == 3

    assert riskmark("symbols", "accept", "NONE", "--reason", "a private matter").code == 0

    assert riskmark("run").code == 0
    found = riskmark("status", "--json")
    assert found.code == 0
    (reason,) = found.json["portfolios"][0]["reasons"]
    assert reason == {"symbol": "NONE", "reason": "never_priced", "accepted": True}
    assert riskmark("symbols", "accept", "NONE", "--withdraw").code == 0
    assert riskmark("run").code == 3


def test_a_private_asset_is_worth_what_was_entered(riskmark):
    header = "Symbol,Quantity,Entry Price Per Share,Entry Date,Investment Class"
    file = riskmark.file("book.csv", f"{header}\nHOUSE,1,500000,2026-01-05,PRIVATE\n")
    riskmark("portfolio", "import", file, "--name", "book")

    done = riskmark("symbols", "value", "HOUSE", "2026-01-06", "550000")
    riskmark("run")

    assert done.code == 0
    found = riskmark("show", "book", "--json").json
    assert found["snapshot"]["nav"] == 550_000
    assert found["positions"][0]["mark_kind"] == "manual"
    assert riskmark("symbols", "value", "SPY", "2026-01-06", "1").code == 2
    assert riskmark("symbols", "value", "HOUSE", "2026-01-06", "-1").code == 2


def test_values_of_private_assets_come_from_a_file(riskmark):
    header = "Symbol,Quantity,Entry Price Per Share,Entry Date,Investment Class"
    file = riskmark.file("book.csv", f"{header}\nHOUSE,1,500000,2026-01-05,PRIVATE\n")
    riskmark("portfolio", "import", file, "--name", "book")
    path = riskmark.file(
        "values.csv", "symbol,date,price\nHOUSE,2026-01-06,550000\nHOUSE,2025-12-31,480000.5\n"
    )

    done = riskmark("symbols", "values", path, "--json")
    riskmark("run")

    assert done.json == {"received": 2, "changed": 2}
    found = riskmark("show", "book", "--json").json
    assert found["snapshot"]["nav"] == 550_000
    assert riskmark("symbols", "values", path, "--json").json == {"received": 2, "changed": 0}


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("SPY,2026-01-06,1", "symbol"),
        ("NOBODY,2026-01-06,1", "symbol"),
        ("HOUSE,2126-01-06,1", "date"),
        ("HOUSE,1026-01-06,1", "date"),
        ("HOUSE,yesterday,1", "date"),
        ("HOUSE,2026-01-06,-1", "price"),
        ("HOUSE,2026-01-06,", "price"),
        ("HOUSE,2026-01-06,much", "price"),
        ("HOUSE,2026-01-06,1.123456789", "price"),
    ],
)
def test_nothing_of_a_file_of_values_with_an_error_is_stored(riskmark, line, column):
    header = "Symbol,Quantity,Entry Price Per Share,Entry Date,Investment Class"
    file = riskmark.file(
        "book.csv", f"{header}\nHOUSE,1,500000,2026-01-05,PRIVATE\nSPY,1,5,2026-01-05,\n"
    )
    riskmark("portfolio", "import", file, "--name", "book")
    good = "HOUSE,2026-01-06,550000"
    path = riskmark.file("values.csv", f"symbol,date,price\nHOUSE,2026-01-05,1\n{line}\n")

    refused = riskmark("symbols", "values", path)

    assert refused.code == 2
    assert f"row 3: {column}" in " ".join(refused.err.split())
    assert riskmark("symbols", "show", "HOUSE", "--json").json["valuations"] == 0
    path = riskmark.file("values.csv", f"symbol,date,price\n{good}\n")
    assert riskmark("symbols", "values", path).code == 0
