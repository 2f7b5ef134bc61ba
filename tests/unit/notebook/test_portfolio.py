"""Tables of a portfolio: the numbers of the command line, in the shape of a frame."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from riskmark.errors import InputError, UnknownSymbol
from riskmark.reports.history import FIELDS
from riskmark.reports.snapshot import NotValued

LAST = date(2022, 12, 28)
QUESTIONS = (
    "history", "snapshot", "risk", "factors", "stress", "replays", "sectors", "positions", "greeks",
    "correlation", "backtests", "attribution", "explain",
)  # fmt: skip


@pytest.fixture
def document(growth):
    """Give everything that is known of the newest session, as JSON has it."""
    return growth.document()


def test_the_list_of_portfolios_says_how_far_each_is_valued(book):
    found = book.portfolios()

    assert set(found["state"]) == {"current"}
    assert set(found["valued_through"]) == {pd.Timestamp(LAST)}
    assert found.loc["Income", "mode"] == "holdings"
    assert np.isnan(found.loc["Income", "opening_equity"])


def test_the_history_has_a_row_a_session_and_the_columns_of_the_interface(growth, document):
    found = growth.history()

    assert tuple(found.columns) == ("state", *FIELDS)
    assert isinstance(found.index, pd.DatetimeIndex)
    assert found.index.name == "session"
    assert found.index.is_monotonic_increasing
    assert found.loc["2022-12-28", "nav"] == document["snapshot"]["nav"]
    assert np.isnan(found["pnl_hypothetical"].iloc[0])
    first = found.index[0].date()
    assert found.attrs["nulls"][f"{first}.pnl_hypothetical"] == "first_session"


def test_a_history_may_have_any_stored_measure_and_a_range(growth, document):
    found = growth.history("nav", "var_95_money", first="2022-12-19", last=LAST)

    assert list(found.columns) == ["state", "nav", "var_95_money"]
    assert found.index[0] == pd.Timestamp("2022-12-19")
    assert found["var_95_money"].iloc[-1] == document["risk"]["var_95_money"]
    with pytest.raises(InputError, match="no number named 'navv'"):
        growth.history("navv")
    assert growth.history(first="2030-01-01").empty


def test_every_single_number_of_the_document_is_in_the_snapshot(growth, document):
    found = growth.snapshot()

    assert found.loc[("snapshot", "nav"), "value"] == document["snapshot"]["nav"]
    assert found.loc[("risk", "vol_trend"), "value"] == -1
    assert found.loc[("performance", "mwr_annualized"), "value"] == 1
    assert found.loc[("factor_risk", "contributions.Market"), "unit"] == "fraction"
    assert found["unit"].notna().all()
    missing = found[found["value"].isna()]
    assert missing["reason"].notna().all()
    assert found.loc[("risk", "rates_beta"), "reason"] == "no_factor_data"
    count = sum(
        len(document[section]) for section in ("snapshot", "performance", "risk", "concentration")
    )
    assert len(found.loc[["snapshot", "performance", "risk", "concentration"]]) == count - 1


def test_risk_is_the_part_of_the_snapshot_that_tells_of_risk(growth):
    risk, snapshot = growth.risk(), growth.snapshot()

    sections = ["risk", "concentration", "factor_risk", "correlation"]
    pd.testing.assert_frame_equal(risk, snapshot.loc[sections], check_index_type=False)


def test_an_earlier_session_is_asked_for_by_its_date(growth):
    before = growth.risk("2022-06-30")

    assert before.attrs["session"] == date(2022, 6, 30)
    assert growth.history("beta").loc["2022-06-30", "beta"] == before.loc[("risk", "beta"), "value"]
    with pytest.raises(NotValued, match="no snapshot of 2022-12-25"):
        growth.risk("2022-12-25")


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("factors", ["model", "factor"]),
        ("stress", ["scenario"]),
        ("replays", ["scenario"]),
        ("sectors", ["sector"]),
        ("positions", ["symbol"]),
    ],
)
def test_lines_are_those_of_the_document(growth, document, name, index):
    found = getattr(growth, name)()

    assert list(found.index.names) == index
    assert found.attrs["session"] == LAST
    assert len(found) == len(document[name])
    for (_, row), line in zip(found.reset_index().iterrows(), document[name], strict=True):
        for column, value in row.items():
            if column in line and value is not None and isinstance(line[column], int | float):
                assert value == line[column]
    nulls = {key for key in document["nulls"] if key.startswith(f"{name}.")}
    shown = {f"{name}.{key}" for key in found.attrs["nulls"]}
    parts = {key for key in nulls if name == "stress" and key.count(".") > 2}
    assert nulls - parts == shown


def test_greeks_are_those_of_the_options_held(book):
    energy = book.portfolio("Energy")

    found = energy.greeks()

    options = [line for line in energy.document()["positions"] if "greeks" in line]
    assert list(found.index) == [line["symbol"] for line in options]
    assert found["delta"].tolist() == [line["greeks"]["delta"] for line in options]
    assert found.attrs["total"] == energy.document()["greeks"]
    assert book.portfolio("Income").greeks().empty


def test_the_parts_of_a_scenario_sum_to_it(growth):
    whole = growth.stress()["predictive"]

    for by in ("factor", "position"):
        parts = growth.stress(by=by)["predictive"].groupby("scenario").sum()
        known = whole.dropna().index
        np.testing.assert_allclose(parts[known], whole[known], rtol=1e-9)
    with pytest.raises(InputError, match="expected one of factor, position"):
        growth.stress(by="sector")


def test_correlations_are_square_and_go_by_clusters(growth, document):
    found = growth.correlation()

    flat = [symbol for cluster in found.attrs["clusters"] for symbol in cluster]
    assert list(found.index) == list(found.columns) == flat
    assert sorted(flat) == sorted(document["correlation"]["symbols"])
    assert (np.diagonal(found) == 1).all()
    np.testing.assert_allclose(found, found.T, rtol=1e-12)


def test_back_tests_say_which_sessions_were_exceptions(growth):
    found = growth.backtests()

    assert set(found["traffic_light"]) <= {"green", "yellow", "red"}
    for measure, row in found.iterrows():
        assert len(found.attrs["exceptions"][measure]) == row["exceptions"]


@pytest.mark.parametrize("by", ["position", "sector", "factor"])
def test_an_attribution_sums_to_the_pnl(book, by):
    for portfolio in map(book.portfolio, book.portfolios().index):
        found = portfolio.attribution(by=by, first="2022-10-03", last="2022-12-28")

        whole = portfolio.history("pnl", first="2022-10-03")["pnl"].sum()
        assert found["pnl"].sum() == pytest.approx(found.attrs["pnl"], rel=1e-9)
        assert found.attrs["pnl"] == pytest.approx(whole, rel=1e-9)


def test_an_explanation_sums_to_the_change(growth):
    found = growth.explain(first="2022-11-30", last="2022-12-28")

    parts = found[["flows", "income", "trades", "prices", "window", "restatements"]].sum(axis=1)
    np.testing.assert_allclose(parts, found["change"], rtol=1e-9, atol=1e-12)
    assert ("numbers", "nav") in found.index
    assert found.attrs["sessions"] == 19


def test_what_if_shows_both_sides_and_changes_nothing(growth):
    before = growth.history("nav")

    found = growth.what_if({"msft": -100, "KO": "10.5"})

    beta = found.measures.loc[("risk", "beta")]
    assert list(found.trades.index) == ["MSFT", "KO"]
    assert beta["before"] == growth.risk().loc[("risk", "beta"), "value"]
    assert beta["after"] - beta["before"] == pytest.approx(beta["change"])
    assert found.positions.loc["KO", "before"] == 0
    assert found.measures["unit"].notna().all()
    assert len(found.stress) == len(growth.stress())
    pd.testing.assert_frame_equal(growth.history("nav"), before)


def test_trades_may_be_pairs_as_on_the_command_line(growth):
    by_symbol = growth.what_if({"MSFT": -100, "KO": np.int64(10)})

    as_pairs = growth.what_if([("MSFT", -100), ("KO", 10)])

    pd.testing.assert_frame_equal(as_pairs.measures, by_symbol.measures)


@pytest.mark.parametrize(
    "day",
    [np.datetime64("2022-06-30"), np.datetime64("2022-06-30T00:00:00.000000000"),
     pd.Timestamp("2022-06-30"), date(2022, 6, 30)],
)  # fmt: skip
def test_a_session_may_be_a_date_of_any_library(growth, day):
    assert growth.risk(day).attrs["session"] == date(2022, 6, 30)
    assert growth.attribution(day).attrs["to"] == date(2022, 6, 30)


@pytest.mark.parametrize("day", [np.datetime64("NaT"), pd.NaT, 20220630])
def test_what_is_no_date_is_told(growth, day):
    with pytest.raises(InputError, match=r"session .*: expected a date"):
        growth.risk(day)


def test_what_if_proposes_a_hedge_and_a_scaling(growth):
    hedged = growth.what_if(hedge_beta="VLUE").measures.loc[("risk", "beta"), "after"]
    scaled = growth.what_if(target_vol=0.1).measures.loc[("risk", "vol_63"), "after"]

    assert hedged == pytest.approx(0, abs=1e-3)
    assert scaled == pytest.approx(0.1, abs=1e-3)


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ({}, "nothing to try"),
        ({"target_vol": 12}, "0.12 is 12 %"),
        ({"trades": {"MSFT": 0}}, "quantity of MSFT"),
        ({"trades": {"MSFT": float("nan")}}, "quantity of MSFT"),
        ({"trades": {"MSFT": True}}, "quantity of MSFT True: expected a number of shares"),
        ({"trades": {"MSFT": None}}, "quantity of MSFT None: expected a number of shares"),
        ({"trades": {5: 1}}, "symbol 5: expected text"),
        ({"trades": "MSFT"}, "expected quantities by symbol"),
        ({"trades": 5}, "expected quantities by symbol"),
        ({"trades": ["MSFT"]}, "expected quantities by symbol"),
    ],
)
def test_what_cannot_be_tried_is_told(growth, wanted, problem):
    with pytest.raises(InputError, match=problem):
        growth.what_if(**wanted)


def test_an_unknown_symbol_cannot_be_traded(growth):
    with pytest.raises(UnknownSymbol, match="'NOTHING'"):
        growth.what_if({"NOTHING": 1})


def test_every_portfolio_answers_every_question(book):
    for name in book.portfolios().index:
        portfolio = book.portfolio(name)
        for ask in QUESTIONS:
            found = getattr(portfolio, ask)()
            assert len(found) or ask == "greeks", (name, ask)
