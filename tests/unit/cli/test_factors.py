"""``factors import`` and ``benchmarks import``: what is stored, refused and said."""

import pytest
from tests.unit.reports.worlds import MON, THU, TUE

FF5M = "Date,Mkt-RF,SMB,HML,RMW,CMA,RF,Mom  \n"
ROWS = f"{MON},0.01,0,0,0,0,0.0001,-0.02\n{TUE},-0.01,,0,0,0,0.0001,0.02\n"
SATURDAY = "2026-01-03,0.01,0,0,0,0,0.0001,0\n"


def test_a_file_as_its_vendor_heads_it_has_all_that_the_built_in_model_needs(riskmark):
    file = riskmark.file("ff.csv", FF5M + SATURDAY + ROWS)

    done = riskmark("factors", "import", file, "--json")

    assert done.code == 0
    found = done.json
    assert found["columns"] == ["mkt_rf", "smb", "hml", "rmw", "cma", "rf", "mom"]
    assert (found["rows"], found["received"], found["stored"]) == (3, 20, 13)
    assert found["refused"] == {"not_a_session": 7}
    assert (found["first"], found["last"]) == ("2026-01-03", str(TUE))
    assert found["from_session"] == str(MON)
    assert found["models"] == [{"model": "ff5m", "missing": []}]


def test_columns_that_a_model_lacks_are_named_until_some_file_has_brought_them(riskmark):
    most = "date,mkt_rf,smb,hml,rmw,cma\n2026-01-05,0,0,0,0,0\n"
    rest = "date,mom,rf\n2026-01-05,0,0\n"

    first = riskmark("factors", "import", riskmark.file("most.csv", most))
    second = riskmark("factors", "import", riskmark.file("rest.csv", rest))

    assert "ff5m still lacks mom, rf" in first.out
    assert "ff5m has every column that it needs" in second.out
    assert f"numbers from {MON} on are out of date; next: riskmark run" in second.err


def test_the_same_factors_again_change_nothing_and_ask_for_nothing(riskmark):
    file = riskmark.file("ff.csv", FF5M + ROWS)
    first = riskmark("factors", "import", file, "--json").json

    again = riskmark("factors", "import", file, "--json").json
    shown = riskmark("factors", "import", file)

    assert (again["stored"], again["unchanged"], again["from_session"]) == (0, 13, None)
    assert again["revision"] == first["revision"]
    assert "13 unchanged" in shown.out
    assert shown.err == ""


def test_a_corrected_factor_counts_from_its_session_on(riskmark):
    riskmark("factors", "import", riskmark.file("ff.csv", FF5M + ROWS))

    file = riskmark.file("new.csv", f"date,hml\n{MON},0\n{TUE},0.001\n")
    found = riskmark("factors", "import", file, "--json").json

    assert (found["corrected"], found["from_session"]) == (1, str(TUE))


def test_every_bad_field_of_factors_is_named_and_nothing_is_stored(riskmark):
    file = riskmark.file("ff.csv", "date,hml,smb\n2026-01-05,x,1.2\n20260106,0,0\n")

    done = riskmark("factors", "import", file)

    assert (done.code, done.out) == (2, "")
    said = " ".join(done.err.split())
    assert "3 errors in the file" in said
    for part in ("row 2: hml 'x': expected a number", "smb '1.2'", "row 3: date '20260106'"):
        assert part in said
    other = riskmark.file("other.csv", "date,mom\n2026-01-05,0\n")
    (model,) = riskmark("factors", "import", other, "--json").json["models"]
    assert set(model["missing"]) == {"mkt_rf", "smb", "hml", "rmw", "cma", "rf"}


WEIGHTS = f"date,sector,weight\n{TUE},Energy,0.25\n{TUE},Utilities,0.75\n"


def test_weights_are_stored_for_the_benchmark_of_the_settings(riskmark):
    done = riskmark("benchmarks", "import", riskmark.file("w.csv", WEIGHTS), "--json")

    assert done.code == 0
    found = done.json
    assert (found["benchmark"], found["received"], found["new"]) == ("SPY", 2, [str(TUE)])
    assert found["from_session"] == str(TUE)
    assert found["newest"] == {
        "date": str(TUE),
        "weights": {"Energy": 0.25, "Utilities": 0.75},
    }


def test_people_are_told_what_weights_are_stored_and_what_is_next(riskmark):
    file = riskmark.file("w.csv", WEIGHTS)

    first = riskmark("benchmarks", "import", file)
    again = riskmark("benchmarks", "import", file)

    assert "2 weights of SPY  1 date new" in first.out
    assert "75.0 %" in first.out
    assert f"numbers from {TUE} on are out of date; next: riskmark run" in first.err
    assert "1 date unchanged" in again.out
    assert again.err == ""


def test_sectors_of_a_book_stand_beside_the_weights_that_were_imported(riskmark):
    symbols = "symbol,kind,sector\nAAA,stock,Energy\n"
    riskmark("symbols", "import", riskmark.file("s.csv", symbols))
    riskmark.world.add_prices("AAA")
    riskmark.world.add_book("book", ("AAA",), MON)
    riskmark("benchmarks", "import", riskmark.file("w.csv", WEIGHTS))
    riskmark("run")

    before = riskmark("show", "book", "--session", MON, "--json").json
    after = riskmark("show", "book", "--json").json

    assert after["session"] == str(THU)
    assert [one["benchmark"] for one in after["sectors"] if one["sector"] == "Energy"] == [0.25]
    assert before["sectors"][0]["benchmark"] is None
    assert before["nulls"]["sectors.Energy.benchmark"] == "no_benchmark_weights"


def test_another_benchmark_can_be_named_if_it_is_known(riskmark):
    file = riskmark.file("w.csv", WEIGHTS)

    done = riskmark("benchmarks", "import", file, "--benchmark", "iwm")
    unknown = riskmark("benchmarks", "import", file, "--benchmark", "NOPE")

    assert done.code == 0
    assert "of IWM" in done.out
    assert "sectors are set against SPY" in done.err
    assert unknown.code == 2
    assert "no instrument has the symbol 'NOPE'" in unknown.err


def test_symbols_of_a_benchmark_that_nobody_knows_are_named(riskmark):
    text = f"date,symbol,weight\n{TUE},SPY,0.5\n{TUE},NOPE,0.5\n"

    found = riskmark("benchmarks", "import", riskmark.file("w.csv", text), "--json").json

    assert found["unknown_symbols"] == ["NOPE"]
    assert found["newest"]["weights"]["Unclassified"] == pytest.approx(1.0)


def test_sectors_that_no_symbol_has_are_named(riskmark):
    symbols = "symbol,kind,sector\nAAA,stock,Shipping\n"
    riskmark("symbols", "import", riskmark.file("s.csv", symbols))
    listed = ("Technology", "Information Technology", "Shipping", "ETF", "Unclassified")
    rows = "".join(f"{TUE},{sector},0.2\n" for sector in listed)
    file = riskmark.file("w.csv", f"date,sector,weight\n{rows}")

    done = riskmark("benchmarks", "import", file)

    said = " ".join(done.out.split())
    assert done.code == 0
    assert "1 sector that no symbol has" in said
    assert "nothing: Technology; expected are GICS sectors" in said
    assert riskmark("benchmarks", "import", file, "--json").json["unknown_sectors"] == [
        "Technology"
    ]
    usual = riskmark("benchmarks", "import", riskmark.file("u.csv", WEIGHTS))
    assert "no symbol has" not in usual.out


def test_every_bad_row_of_weights_is_named_and_nothing_is_stored(riskmark):
    text = f"date,sector,weight\n{TUE},Energy,60\n{TUE},,0.4\n6 Jan,Utilities,0.1\n"

    done = riskmark("benchmarks", "import", riskmark.file("w.csv", text))

    assert (done.code, done.out) == (2, "")
    for part in ("row 2", "60", "row 3", "row 4", "6 Jan"):
        assert part in done.err


@pytest.mark.parametrize("group", ["factors", "benchmarks"])
def test_a_file_that_is_not_there_is_told_in_one_line(riskmark, group):
    done = riskmark(group, "import", "missing.csv")

    assert done.code == 2
    assert done.err == "error: there is no file 'missing.csv'\n" or "file or folder" in done.err
