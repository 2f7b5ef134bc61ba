import io
import re

import polars as pl
import pytest
from sqlalchemy import text
from tests.acceptance.world import FACTORS, LAST
from tests.unit.reports.worlds import MON, THU, TUE, WED

from riskmark import faults
from riskmark.storage import runs as run_rows


def test_a_run_computes_what_the_plan_says(book):
    planned = book("plan", "--json")
    done = book("run", "--json")

    assert planned.code == done.code == 0
    assert len(planned.json["cells"]) == done.json["cells"]["computed"] == 4
    assert done.json["status"] == "succeeded"
    assert done.json["source"] == "cli"
    assert book("plan", "--json").json["cells"] == []


def test_with_json_standard_output_has_json_alone(book):
    for words in (("plan",), ("run",), ("status",), ("runs", "list"), ("show", "book")):
        done = book(*words, "--json")

        assert done.json is not None


def test_progress_is_plain_lines_where_there_is_no_terminal(book):
    done = book("run")

    assert done.out == ""
    assert "Prices: 9 of 9" in done.err
    assert "Valuation: 4 of 4" in done.err
    assert "4 sessions computed" in done.err
    assert "\x1b" not in done.err


def test_a_second_run_says_that_there_is_nothing_to_do(book):
    book("run")

    done = book("run")

    assert done.code == 0
    assert "nothing to do" in done.err


def test_a_run_without_portfolios_says_what_to_do_first(riskmark):
    done = riskmark("run")

    assert done.code == 0
    assert "riskmark portfolio import" in done.err


def test_a_partial_run_ends_with_3_and_names_the_symbols(book):
    book.world.add_book("gap", ("NONE",), MON)

    done = book("run")

    assert done.code == 3
    assert "NONE (never priced)" in done.err
    assert book("status").code == 4


def test_portfolios_can_be_named_with_and_without_the_option(book):
    book.world.add_book("other", ("AAA",), MON)
    book.world.add_book("third", ("AAA",), MON)

    repeated = book("plan", "--portfolio", "book", "--portfolio", "other", "--json").json
    listed = book("plan", "--portfolio", "book", "other", "--json").json
    bare = book("plan", "book", "other", "--json").json
    unknown = book("run", "--portfolio", "nobody")

    assert {cell["portfolio"] for cell in repeated["cells"]} == {"book", "other"}
    assert repeated == listed == bare
    assert unknown.code == 2


def test_a_run_of_some_portfolios_leaves_the_others_alone(book):
    book.world.add_book("other", ("AAA",), MON)

    done = book("run", "--portfolio", "book", "--json")

    assert done.json["cells"]["computed"] == 4
    assert [one["state"] for one in book("status", "--json").json["portfolios"]] == [
        "behind",
        "current",
    ]


def test_a_run_can_stop_at_a_session_and_begin_at_one(book):
    early = book("run", "--as-of", str(TUE), "--json")
    late = book("run", "--from", str(THU), "--json")

    assert (early.json["target"], early.json["cells"]["computed"]) == (str(TUE), 2)
    assert late.json["cells"]["computed"] == 1
    line = book("status", "--json").json["portfolios"][0]
    assert (line["valued_through"], line["missing"]) == (str(THU), 1)


def test_force_computes_what_is_up_to_date(book):
    book("run")

    done = book("run", "--force", "--json")

    assert done.json["cells"]["computed"] == 4


def test_the_source_of_a_run_can_be_said(book):
    assert book("run", "--source", "cron", "--json").json["source"] == "cron"
    assert book("run", "--source", "moon").code == 2


@pytest.mark.parametrize("option", ["--as-of", "--from"])
@pytest.mark.parametrize("day", ["2030-01-01", "yesterday", "1900-01-01"])
def test_a_date_that_cannot_be_is_refused(book, option, day):
    done = book("run", option, day)

    assert done.code == 2
    assert done.err.startswith("error: ")


def test_a_failed_run_ends_with_1(book):
    def fail(name):
        if name == "shard.read":
            return
        if name == "prices.read":
            message = "the disk is gone"
            raise RuntimeError(message)

    faults.set_hook(fail)
    try:
        done = book("run")
    finally:
        faults.set_hook(None)

    assert done.code == 1
    assert "the disk is gone" in done.err
    assert "Traceback" not in done.err
    (run,) = book("runs", "list", "--json").json
    assert run["status"] == "failed"


def test_an_error_shows_where_it_happened_when_asked(book):
    def fail(name):
        if name == "prices.read":
            raise RuntimeError(name)

    faults.set_hook(fail)
    try:
        done = book("run", "-v")
    finally:
        faults.set_hook(None)

    assert done.code == 1
    assert "Traceback" in done.err


def test_a_cancelled_run_ends_with_6(book):
    def cancel(name):
        if name == "run.planned":
            with book.world.app.database.write() as connection:
                for run in run_rows.live_runs(connection):
                    run_rows.request_cancel(connection, run.run_id)

    faults.set_hook(cancel)
    try:
        done = book("run")
    finally:
        faults.set_hook(None)

    assert done.code == 6
    (run,) = book("runs", "list", "--json").json
    assert run["status"] == "cancelled"
    assert book("runs", "cancel", run["id"]).code == 2


def test_an_interrupted_run_ends_with_130_and_is_recorded_as_cancelled(book):
    def interrupt(name):
        if name == "shard.computed":
            raise KeyboardInterrupt

    faults.set_hook(interrupt)
    try:
        done = book("run")
    finally:
        faults.set_hook(None)

    assert done.code == 130
    (run,) = book("runs", "list", "--json").json
    assert run["status"] == "cancelled"
    assert book("run").code == 0


def test_runs_list_ends_the_runs_of_dead_processes(book):
    book("run")
    with book.world.app.database.write() as connection:
        connection.execute(text("UPDATE run SET status = 'running', lease_until = NULL"))

    (run,) = book("runs", "list", "--json").json

    assert run["status"] == "failed"
    assert "not heard from since" in run["error"]


def test_a_run_is_shown_with_its_phases_and_log(book):
    book.world.add_book("gap", ("NONE",), MON)
    run_id = book("run", "--json").json["id"]

    shown = book("runs", "show", run_id[-12:])
    document = book("runs", "show", run_id, "--json").json

    assert shown.code == 0
    for part in (run_id, "Valuation", "NONE", "never priced", "partial"):
        assert part in shown.out
    assert document["unavailable"][0]["symbol"] == "NONE"
    assert book("runs", "show", "nonsense").code == 2


def test_watching_a_run_that_has_ended_exits_as_it_did(book):
    book.world.add_book("gap", ("NONE",), MON)
    run_id = book("run", "--json").json["id"]

    done = book("runs", "watch", run_id)

    assert done.code == 3
    assert "Valuation: 8 of 8" in done.err


def test_no_runs_yet_is_said(riskmark):
    done = riskmark("runs", "list")

    assert (done.code, done.out) == (0, "")
    assert "riskmark run" in done.err


def test_status_exits_with_4_until_all_are_current(book):
    before = book("status", "--json")
    book("run")
    after = book("status", "--json")

    assert (before.code, after.code) == (4, 0)
    assert before.json["portfolios"][0]["state"] == "behind"
    assert after.json == {
        "target": str(LAST),
        "portfolios": [
            after.json["portfolios"][0]
            | {"name": "book", "state": "current", "missing": 0, "stale": 0, "partial": 0}
        ],
    }
    shown = book("status")
    assert "current" in shown.out
    assert "1 of 1 portfolio" in shown.out


def test_status_of_nothing_is_fine_and_says_what_to_do(riskmark):
    done = riskmark("status")

    assert (done.code, done.out) == (0, "")
    assert "riskmark portfolio import" in done.err


def test_status_as_of_an_earlier_session(book):
    book("run", "--as-of", str(TUE))

    assert book("status").code == 4
    assert book("status", "--as-of", str(TUE)).code == 0
    assert book("status", "--as-of", "2026-01-04").code == 0


def test_one_screen_shows_a_portfolio(book):
    book.world.add_book("mixed", ("AAA", "NONE"), MON)
    book("run")

    shown = book("show", "mixed")

    assert shown.code == 0
    parts = ("mixed", str(LAST), "partial", "NAV", "Beta", "Market", "AAA", "cost")
    for part in (*parts, "VaR", "Next session", "Effective bets", "market down 35"):
        assert part in shown.out
    assert "NONE: never priced, valued at cost" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 100


@pytest.mark.parametrize("columns", [80, 100])
def test_no_number_is_cut(book, monkeypatch, columns):
    book("run")

    monkeypatch.setenv("COLUMNS", str(columns))
    shown = [
        book(*words).out
        for words in (("show", "book"), ("history", "book"), ("status",), ("runs", "list"))
    ]

    assert max(len(line) for out in shown for line in out.splitlines()) <= columns
    assert not any(re.search(r"[\d.,%+-]…", out) for out in shown)


def test_show_as_json_is_the_document(book):
    book("run")

    found = book("show", "book", "--session", str(TUE), "--json").json

    assert (found["session"], found["state"]) == (str(TUE), "complete")
    assert len(found["positions"]) == 1


def test_show_of_some_measures(book):
    book("run")

    shown = book("show", "book", "--measure", "nav", "performance.twr_1y")
    found = book("show", "book", "-m", "nav", "-m", "beta", "--json").json

    assert "snapshot.nav" in shown.out
    assert "younger than the period" in shown.out
    assert (found["snapshot"].keys(), found["risk"].keys()) == ({"nav"}, {"beta"})
    assert book("show", "book", "--measure", "navv").code == 2
    assert "snapshot.nav" in book("show", "book", "nav").out


def test_lists_and_matrices_are_shown_in_lines(book):
    book.world.add_book("pair", ("AAA", "SPY", "NONE"), MON)
    book("run")

    shown = book("show", "pair", "-m", "correlation", "-m", "backtests.var.var_95")

    lines = [line.split() for line in shown.out.splitlines()]
    symbols = next(line for line in lines if line[:1] == ["correlation.symbols"])
    assert sorted(symbols[1:]) == ["AAA,", "SPY"] or sorted(symbols[1:]) == ["AAA", "SPY,"]
    assert any(line[:2] == ["correlation.matrix", "1.00"] for line in lines)
    assert ["correlation.left_out", "NONE", "never_priced"] in lines
    assert "backtests.var.var_95.exceptions" in shown.out


def test_show_before_any_run_says_what_to_do(book):
    done = book("show", "book")

    assert done.code == 2
    assert "riskmark run" in done.err


def test_history_as_rows_csv_and_parquet(book):
    book("run")

    rows = book("history", "book", "--format", "json").json
    as_csv = pl.read_csv(io.StringIO(book("history", "book", "--format", "csv").out))
    book("history", "book", "--format", "parquet", "--out", "h.parquet")
    as_parquet = pl.read_parquet(book.folder / "h.parquet")

    assert [row["session"] for row in rows] == [str(day) for day in (MON, TUE, WED, THU)]
    assert as_csv["nav"].to_list() == [row["nav"] for row in rows]
    assert as_parquet["nav"].to_list() == [row["nav"] for row in rows]
    assert as_parquet["session"].to_list() == [MON, TUE, WED, THU]
    assert as_csv.columns == as_parquet.columns == [*rows[0], "nulls"]


def test_history_of_a_range_and_for_people(book):
    book("run")

    some = book("history", "book", "--from", str(TUE), "--to", str(WED), "--json").json
    shown = book("history", "book")

    assert [row["session"] for row in some] == [str(TUE), str(WED)]
    assert str(MON) in shown.out
    assert "complete" in shown.out
    assert book("history", "book", "--from", str(WED), "--to", str(TUE)).code == 2
    assert book("history", "book", "--format", "csv", "--out", "x.csv").code == 0
    assert book("history", "book", "--format", "csv", "--out", "x.csv").code == 2


def test_verify_finds_and_repairs(book):
    book("run")
    nav = book("show", "book", "--json").json["snapshot"]["nav"]
    with book.world.app.database.write() as connection:
        connection.execute(text(f"UPDATE snapshot SET nav = nav + 1 WHERE session = '{THU}'"))

    found = book("verify", "--json")
    repaired = book("verify", "--repair")

    assert found.code == 5
    assert {one["portfolio"] for one in found.json["violations"]} == {"book"}
    assert {one["session"] for one in found.json["violations"]} == {str(THU)}
    assert repaired.code == 0
    assert "every invariant holds" in repaired.err
    assert book("verify").code == 0
    assert book("show", "book", "--json").json["snapshot"]["nav"] == nav


def test_a_repair_lists_what_was_found_and_what_is_left(book):
    book("run")
    with book.world.app.database.write() as connection:
        connection.execute(text(f"UPDATE snapshot SET nulls = '{{' WHERE session = '{THU}'"))

    found = book("verify", "--json")
    repaired = book("verify", "--repair", "--json")
    again = book("verify", "--repair", "--json")

    assert (found.code, repaired.code, again.code) == (5, 0, 0)
    assert {one["invariant"] for one in found.json["violations"]} == {"unreadable_json"}
    assert repaired.json["violations"] == found.json["violations"]
    assert (repaired.json["repaired"], repaired.json["left"]) == (1, [])
    assert (again.json["violations"], again.json["repaired"], again.json["left"]) == ([], 0, [])


def test_what_cannot_be_repaired_is_left(book):
    book("run")
    with book.world.app.database.write() as connection:
        connection.execute(
            text("UPDATE price SET session = '2024-06-01' WHERE session = '2024-06-03'")
        )

    repaired = book("verify", "--repair", "--json")

    assert repaired.code == 5
    assert repaired.json["repaired"] == 0
    assert repaired.json["left"] == repaired.json["violations"] != []


def test_a_plan_names_the_symbols_that_it_needs(book):
    document = book("plan", "--json").json

    assert {one["symbol"] for one in document["symbols"]} == {"AAA", *FACTORS}
    shown = book("plan")
    assert "never valued" in shown.out
    assert "4 sessions of 1 portfolio" in shown.out
