import gzip

import pytest
from tests.unit.reports.worlds import MON, TUE

HEADER = "Symbol,Quantity,Entry Price Per Share,Entry Date"
GOOD = f"{HEADER}\nAAA,10,100.5,2026-01-05\nBBB,-5,20,2026-01-06\n"
BAD = f"{HEADER}\nAAA,ten,100.5,2026-01-05\n,5,-20,2030-01-06\n"


def stored(riskmark):
    return riskmark("portfolio", "list", "--json").json


def test_a_file_becomes_a_portfolio(riskmark):
    file = riskmark.file("book.csv", GOOD)

    done = riskmark("portfolio", "import", file, "--name", "Growth", "--opening-equity", "50000")

    assert done.code == 0
    assert "2 lots" in done.err
    (one,) = stored(riskmark)
    assert (one["name"], one["mode"], one["opening_equity"]) == ("Growth", "equity", 50_000)
    assert (one["lots"], one["open_lots"], one["first_entry"]) == (2, 2, "2026-01-05")


def test_without_an_opening_equity_only_holdings_count(riskmark):
    riskmark("portfolio", "import", riskmark.file("book.csv", GOOD), "--name", "Growth")

    assert stored(riskmark)[0]["mode"] == "holdings"


def test_a_gzipped_file_and_standard_input_are_read(riskmark):
    packed = riskmark.folder / "book.csv.gz"
    packed.write_bytes(gzip.compress(GOOD.encode()))

    assert riskmark("portfolio", "import", packed, "--name", "packed").code == 0
    assert riskmark("portfolio", "import", "-", "--name", "piped", stdin=GOOD).code == 0
    assert {one["lots"] for one in stored(riskmark)} == {2}


def test_every_bad_row_is_listed_and_nothing_is_stored(riskmark):
    file = riskmark.file("book.csv", BAD)

    done = riskmark("portfolio", "import", file, "--name", "Growth")

    assert done.code == 2
    assert done.out == ""
    for code in ("POS_005", "POS_001", "POS_010", "POS_014"):
        assert code in done.err
    assert "nothing was stored" in done.err
    assert stored(riskmark) == []


def test_bad_rows_are_json_where_json_is_wanted(riskmark):
    file = riskmark.file("book.csv", BAD)

    done = riskmark("portfolio", "import", file, "--name", "Growth", "--json")

    assert done.code == 2
    assert done.json.keys() == {"errors", "warnings", "total_errors"}
    assert done.json["errors"][0] == {
        "code": "POS_005",
        "row": 2,
        "column": "Quantity",
        "value": "ten",
        "expected": "digits 0-9 with an optional sign and one point, as -12.5",
    }
    assert done.json["total_errors"] == 4


def test_a_dry_run_stores_nothing(riskmark):
    file = riskmark.file("book.csv", GOOD)

    done = riskmark("portfolio", "import", file, "--name", "Growth", "--dry-run", "--json")

    assert done.code == 0
    assert (done.json["dry_run"], done.json["lots"]) == (True, 2)
    assert stored(riskmark) == []


def test_a_name_that_exists_is_refused_also_in_a_dry_run(riskmark):
    file = riskmark.file("book.csv", GOOD)
    riskmark("portfolio", "import", file, "--name", "Growth")

    for more in ((), ("--dry-run",)):
        done = riskmark("portfolio", "import", file, "--name", "Growth", *more)
        assert done.code == 2
        assert "--update" in done.err
    assert len(stored(riskmark)) == 1


def test_an_update_shows_and_applies_what_is_different(riskmark):
    riskmark("portfolio", "import", riskmark.file("old.csv", GOOD), "--name", "Growth")
    file = riskmark.file("new.csv", f"{HEADER}\nAAA,12,100.5,2026-01-05\nCCC,1,5,2026-01-06\n")

    dry = riskmark("portfolio", "import", file, "--update", "Growth", "--dry-run", "--json")
    before = riskmark("portfolio", "lot", "list", "Growth", "--json").json
    done = riskmark("portfolio", "import", file, "--update", "Growth")

    for part, symbols in (("added", ["CCC"]), ("removed", ["BBB"])):
        assert [lot["symbol"] for lot in dry.json[part]] == symbols
    ((change,),) = [dry.json["changed"]]
    assert (change["from"]["quantity"], change["to"]["quantity"]) == (10, 12)
    assert {lot["symbol"] for lot in before} == {"AAA", "BBB"}
    assert done.code == 0
    assert "1 added, 1 changed, 1 removed" in done.err
    after = riskmark("portfolio", "lot", "list", "Growth", "--json").json
    assert {(lot["symbol"], lot["quantity"]) for lot in after} == {("AAA", 12), ("CCC", 1)}
    assert "already" in riskmark("portfolio", "import", file, "--update", "Growth").err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--opening-equity", "1000"),
        ("--account-name", "IRA"),
        ("--account-type", "taxable"),
        ("--owner", "nobody@example.org"),
        ("--name", "Other"),
    ],
)
def test_an_update_refuses_what_it_would_ignore(riskmark, option, value):
    riskmark("portfolio", "import", riskmark.file("old.csv", GOOD), "--name", "Growth")
    file = riskmark.file("new.csv", f"{HEADER}\nCCC,1,5,2026-01-06\n")

    done = riskmark("portfolio", "import", file, "--update", "Growth", option, value)

    assert done.code == 2
    assert done.err == f"error: --update changes lots only; leave out {option}\n"
    assert len(riskmark("portfolio", "lot", "list", "Growth", "--json").json) == 2


def test_a_broker_file_is_read_with_its_map(riskmark):
    layout = riskmark.file(
        "broker.toml",
        '[file]\ndelimiter = ";"\n[columns]\nquantity = "Qty"\nentry_price_per_share = "Cost"\n'
        'entry_date = "Bought"\n[numbers]\ndecimal = ","\n[dates]\nformat = "%d.%m.%Y"\n',
    )
    file = riskmark.file("export.csv", "Symbol;Qty;Cost;Bought\nAAA;10;100,50;05.01.2026\n")

    done = riskmark("portfolio", "import", file, "--name", "Growth", "--map", layout)

    assert done.code == 0
    (lot,) = riskmark("portfolio", "lot", "list", "Growth", "--json").json
    assert (lot["entry_price"], lot["entry_date"]) == (100.5, str(MON))


@pytest.mark.parametrize(
    "words",
    [
        ("--name", "A", "--update", "B"),
        (),
        ("--name", "A", "--owner", "nobody@example.org"),
        ("--name", "A", "--opening-equity", "1e9"),
        ("--name", "A", "--opening-equity", "-5"),
        ("--name", "A", "--account-type", "piggy bank"),
        ("--name", "   "),
        ("--update", "nobody"),
        ("--name", "A", "--map", "no-such-file.toml"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_in_one_line(riskmark, words):
    file = riskmark.file("book.csv", GOOD)

    done = riskmark("portfolio", "import", file, *words)

    assert done.code == 2
    assert "Traceback" not in done.err
    assert stored(riskmark) == []


def test_a_file_that_is_not_there_is_refused_in_one_line(riskmark):
    done = riskmark("portfolio", "import", "missing.csv", "--name", "A")

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: cannot read 'missing.csv'")


def test_an_export_reads_back_to_the_same_book(riskmark):
    riskmark("portfolio", "import", riskmark.file("book.csv", GOOD), "--name", "one")

    exported = riskmark("portfolio", "export", "one").out
    riskmark("portfolio", "import", riskmark.file("again.csv", exported), "--name", "two")

    assert riskmark("portfolio", "export", "two").out == exported
    assert exported.startswith("Symbol,Quantity,")


def test_symbols_that_a_spreadsheet_would_compute_survive_a_round_trip(riskmark):
    odd = f"{HEADER}\n=X,10,100.5,2026-01-05\n-Y,-5,20,2026-01-06\n"
    riskmark("portfolio", "import", riskmark.file("book.csv", odd), "--name", "one")

    exported = riskmark("portfolio", "export", "one").out
    again = riskmark.file("again.csv", exported)
    done = riskmark("portfolio", "import", again, "--update", "one", "--json")

    assert [line[:3] for line in exported.splitlines()[1:]] == ["'-Y", "'=X"]
    assert done.json["added"] == done.json["changed"] == done.json["removed"] == []
    assert riskmark("portfolio", "export", "one").out == exported


def test_an_export_never_overwrites_a_file(riskmark):
    riskmark("portfolio", "import", riskmark.file("book.csv", GOOD), "--name", "one")

    assert riskmark("portfolio", "export", "one", "--out", "out.csv").code == 0
    assert riskmark("portfolio", "export", "one", "--out", "out.csv").code == 2


def test_a_deleted_portfolio_is_gone_from_every_list(riskmark):
    riskmark("portfolio", "import", riskmark.file("book.csv", GOOD), "--name", "one")

    assert riskmark("portfolio", "delete", "one").code == 0

    assert stored(riskmark) == []
    assert riskmark("portfolio", "show", "one").code == 2
    assert riskmark("status", "--json").json["portfolios"] == []


def test_a_book_is_shown_as_it_was_entered(riskmark):
    file = riskmark.file("book.csv", GOOD)
    riskmark("portfolio", "import", file, "--name", "Growth", "--opening-equity", "1000")
    riskmark("portfolio", "flow", "add", "Growth", "2026-01-06", "-25.5", "--note", "[rent]")

    shown = riskmark("portfolio", "show", "Growth")
    document = riskmark("portfolio", "show", "Growth", "--json").json

    assert shown.code == 0
    for text in ("Growth", "equity", "1,000.00", "AAA", "-25.50", "[rent]"):
        assert text in shown.out
    assert [lot["symbol"] for lot in document["lots"]] == ["AAA", "BBB"]
    assert document["flows"][0]["amount"] == -25.5


def test_an_empty_installation_says_what_to_do_next(riskmark):
    listed = riskmark("portfolio", "list")

    assert (listed.code, listed.out) == (0, "")
    assert "riskmark portfolio import" in listed.err


@pytest.fixture
def book(riskmark):
    riskmark(
        "portfolio", "import", riskmark.file("book.csv", GOOD),
        "--name", "Growth", "--opening-equity", "50000",
    )  # fmt: skip
    return riskmark


@pytest.mark.parametrize(
    "words",
    [
        ("Growth", "2026-01-06", "-500"),
        ("Growth", "2026-01-06", "--", "-500"),
        ("--", "Growth", "2026-01-06", "-500"),
        ("Growth", "2026-01-06", "-500", "--note", "rent"),
        ("--note", "rent", "Growth", "2026-01-06", "-500.00"),
    ],
)
def test_a_leading_minus_works_with_and_without_two_dashes(book, words):
    done = book("portfolio", "flow", "add", *words)

    assert done.code == 0, done.err
    (flow,) = book("portfolio", "flow", "list", "Growth", "--json").json
    assert (flow["date"], flow["amount"]) == (str(TUE), -500)


@pytest.mark.parametrize(
    ("date", "amount"),
    [
        ("2026-01-06", "0"),
        ("2026-01-06", "ten"),
        ("2026-01-06", "1e5"),
        ("2030-01-06", "10"),
        ("1900-01-01", "10"),
        ("06.01.2026", "10"),
        ("2026-01-06", "-"),
        ("2026-01-06", "--5"),
    ],
)
def test_a_flow_that_cannot_be_is_refused(book, date, amount):
    done = book("portfolio", "flow", "add", "Growth", date, amount)

    assert done.code == 2
    assert book("portfolio", "flow", "list", "Growth", "--json").json == []


def test_a_flow_is_deleted_by_its_id(book):
    entered = book("portfolio", "flow", "add", "Growth", "2026-01-06", "500", "--json").json

    assert book("portfolio", "flow", "delete", "Growth", entered["id"]).code == 0

    assert book("portfolio", "flow", "list", "Growth", "--json").json == []
    assert book("portfolio", "flow", "delete", "Growth", entered["id"]).code == 2


def test_a_book_of_holdings_takes_no_flow(riskmark):
    riskmark("portfolio", "import", riskmark.file("book.csv", GOOD), "--name", "one")

    done = riskmark("portfolio", "flow", "add", "one", "2026-01-06", "500")

    assert done.code == 2
    assert "keeps no cash" in done.err


def lots(book):
    return book("portfolio", "lot", "list", "Growth", "--json").json


def test_a_lot_is_added_with_a_negative_quantity(book):
    done = book("portfolio", "lot", "add", "Growth", "ccc", "-7", "12.5", "2026-01-06", "--json")

    assert done.code == 0
    assert (done.json["symbol"], done.json["quantity"]) == ("CCC", -7)
    assert len(lots(book)) == 3


def test_a_bad_lot_is_refused_with_the_codes_of_a_file(book):
    done = book("portfolio", "lot", "add", "Growth", "CCC", "0", "-1", "2026-01-06")

    assert done.code == 2
    assert "POS_006" in done.err
    assert "POS_010" in done.err
    assert len(lots(book)) == 2


def test_an_edit_changes_what_is_named_and_nothing_else(book):
    lot = lots(book)[0]

    done = book("portfolio", "lot", "edit", "Growth", lot["id"], "--quantity", "-3", "--json")

    assert done.code == 0
    assert done.json == lot | {"quantity": -3}
    assert lots(book)[0]["quantity"] == -3


def test_a_partial_close_splits_the_lot(book):
    lot = lots(book)[0]

    done = book(
        "portfolio", "lot", "close", "Growth", lot["id"], "2026-01-07", "110",
        "--quantity", "4", "--json",
    )  # fmt: skip

    assert done.code == 0
    assert (done.json["quantity"], done.json["exit_price"]) == (4, 110)
    left = {(one["quantity"], one["exit_date"]) for one in lots(book) if one["symbol"] == "AAA"}
    assert left == {(6, None), (4, "2026-01-07")}


def test_a_closed_lot_can_be_opened_again(book):
    lot = lots(book)[0]
    book("portfolio", "lot", "close", "Growth", lot["id"], "2026-01-07", "110")

    assert lots(book)[0]["exit_date"] == "2026-01-07"
    assert book("portfolio", "lot", "close", "Growth", lot["id"], "2026-01-07", "110").code == 2
    assert book("portfolio", "lot", "edit", "Growth", lot["id"], "--reopen").code == 0
    assert lots(book)[0] == lot


def test_half_an_exit_is_refused(book):
    lot = lots(book)[0]

    done = book("portfolio", "lot", "edit", "Growth", lot["id"], "--exit-date", "2026-01-07")

    assert done.code == 2
    assert lots(book)[0] == lot


def test_a_lot_is_deleted_by_its_id(book):
    lot = lots(book)[0]

    assert book("portfolio", "lot", "delete", "Growth", lot["id"]).code == 0

    assert [one["symbol"] for one in lots(book)] == ["BBB"]
    assert book("portfolio", "lot", "delete", "Growth", lot["id"]).code == 2
