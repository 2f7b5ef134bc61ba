"""Risk numbers of a book in a generated world, against plain arithmetic on the same closes."""

import json
from datetime import date

import numpy as np
import pytest
from tests.acceptance.world import FACTORS, FIRST, LAST

from riskmark.reports.documents import to_json
from riskmark.reports.snapshot import load_snapshot
from riskmark.storage.benchmarks import BenchmarkWeight, MemberKind, import_weights
from riskmark.storage.engines import as_date
from riskmark.storage.instruments import find_instrument

MON, TUE = date(2026, 1, 5), date(2026, 1, 6)
BOOK = ("AAA", "BBB", "CCC")
STYLE = {
    "Market": ("SPY", None),
    "Value": ("VTV", "VUG"),
    "Size": ("IWM", "SPY"),
    "Momentum": ("MTUM", "SPY"),
    "Quality": ("QUAL", "SPY"),
    "Low Volatility": ("USMV", "SPY"),
    "Rates": ("TLT", None),
}


@pytest.fixture
def shown(world):
    """What is shown of a book of three symbols, with all prices there are."""
    world.add_book("book", BOOK, MON)
    world.add_prices(*BOOK, *FACTORS)
    world.run()
    return show(world)


def show(world, name="book", session=None):
    """Return what ``show --json`` says of a book."""
    with world.app.database.read() as connection:
        found = load_snapshot(
            connection,
            world.app.principal,
            name,
            settings=world.app.settings,
            session=session,
        )
    return json.loads(to_json(found.document()))


def returns_of(world, symbol):
    """Return a symbol's returns on every session but the first."""
    prices = np.array([*world.closes(symbol, FIRST, LAST).values()])
    return prices[1:] / prices[:-1] - 1


def weights(world, nav):
    """Return the weights of the book's positions at its last session."""
    return np.array([10 * world.closes(symbol)[LAST] / nav for symbol in BOOK])


def series(world, nav):
    """Return the book's returns in the past, had it held then what it holds now."""
    return weights(world, nav) @ np.array([returns_of(world, symbol) for symbol in BOOK])


def style_factors(world):
    """Return the returns of the style factors, a column each."""
    columns = []
    for long, short in STYLE.values():
        own = returns_of(world, long)
        columns.append(own if short is None else own - returns_of(world, short))
    return np.stack(columns, axis=1)


def test_losses_in_the_tail_are_those_of_the_last_year(world, shown):
    nav, risk = shown["snapshot"]["nav"], shown["risk"]
    x = series(world, nav)[-252:]

    for level in (95, 99):
        quantile = np.quantile(x, 1 - level / 100)
        shortfall = -x[x <= quantile].mean()
        assert risk[f"var_{level}"] == pytest.approx(-quantile, rel=1e-9)
        assert risk[f"es_{level}"] == pytest.approx(shortfall, rel=1e-9)
        assert risk[f"es_{level}_money"] == pytest.approx(shortfall * nav, rel=1e-9)
    parts = [one["component_es_95"] for one in shown["positions"]]
    assert sum(parts) == pytest.approx(risk["es_95"], rel=1e-9)


def test_forecasts_follow_recent_sessions_more_than_old_ones(world, shown):
    x = series(world, shown["snapshot"]["nav"])
    variance = x[:21].var(ddof=1)
    for value in x[21:]:
        variance = 0.94 * variance + 0.06 * value**2

    assert shown["risk"]["vol_ewma"] == pytest.approx(np.sqrt(252 * variance), rel=1e-9)
    normal = 1.6448536269514722 * np.sqrt(variance)
    assert shown["risk"]["var_95_param"] == pytest.approx(normal, rel=1e-9)
    assert shown["risk"]["vol_har_1d"] > 0
    assert shown["risk"]["har_fallback"] in {True, False}
    assert shown["risk"]["vol_trend"] in {"rising", "falling", "flat"}


def test_tracking_is_that_of_the_holdings_against_the_benchmark(world, shown):
    x = series(world, shown["snapshot"]["nav"])[-252:]
    spy = returns_of(world, "SPY")[-252:]

    active = (x - spy).std(ddof=1) * np.sqrt(252)
    assert shown["risk"]["tracking_error"] == pytest.approx(active, rel=1e-9)
    correlation = np.corrcoef(x, spy)[0, 1]
    assert shown["risk"]["benchmark_correlation"] == pytest.approx(correlation, rel=1e-9)
    assert shown["risk"]["active_beta"] == pytest.approx(shown["risk"]["beta"] - 1, abs=1e-9)
    assert shown["nulls"]["risk.information_ratio"] == "too_few_observations"


def test_risk_is_split_by_the_style_factors_together(world, shown):
    factors = style_factors(world)[-252:]
    x = series(world, shown["snapshot"]["nav"])[-252:]
    design = np.column_stack([np.ones(len(x)), factors])
    fit, *_ = np.linalg.lstsq(design, x, rcond=None)
    noise = x - design @ fit
    specific = noise @ noise / (len(x) - len(fit))
    covariance = np.cov(factors, rowvar=False)
    parts = fit[1:] * (covariance @ fit[1:])
    errors = np.sqrt(specific * np.diag(np.linalg.inv(design.T @ design)))[1:]
    total = parts.sum() + specific

    found = shown["factor_risk"]

    assert found["factor_share"] == pytest.approx(parts.sum() / total, rel=1e-7)
    assert found["specific_share"] == pytest.approx(specific / total, rel=1e-7)
    wanted = dict(zip(STYLE, parts / total, strict=True))
    assert found["contributions"] == pytest.approx(wanted, rel=1e-7)
    stated = {one["factor"]: one["stderr"] for one in shown["factors"] if one["model"] == "style"}
    assert stated == pytest.approx(dict(zip(STYLE, errors, strict=True)), rel=1e-7)
    assert shown["nulls"]["factors.ridge.Value.stderr"] == "not_defined"


def test_in_a_scenario_the_factors_that_it_does_not_shock_follow(world, shown):
    money = {one["factor"]: one["money"] for one in shown["factors"] if one["model"] == "style"}
    covariance = np.cov(style_factors(world), rowvar=False)
    follow = -0.2 * covariance[0] / covariance[0, 0]

    stress = {one["scenario"]: one for one in shown["stress"]}

    assert len(stress) == len(world.app.settings.scenario)
    crash, rates = stress["market_down_20"], stress["rates_up_100bp"]
    assert crash["direct"] == pytest.approx(-0.2 * money["Market"], rel=1e-9)
    wanted = float(follow @ np.array([*money.values()]))
    assert crash["predictive"] == pytest.approx(wanted, rel=1e-9)
    assert rates["direct"] == pytest.approx(-0.1465 * money["Rates"], rel=1e-9)


def test_what_moves_together_is_told_of_the_last_90_sessions(world, shown):
    last = np.array([returns_of(world, symbol)[-90:] for symbol in BOOK])
    correlation = np.corrcoef(last)
    off = correlation[np.triu_indices(3, 1)]
    shares = np.linalg.eigvalsh(correlation) / 3
    w = weights(world, shown["snapshot"]["nav"])
    ratio = w @ last.std(axis=1, ddof=1) / (w @ last).std(ddof=1)

    found = shown["correlation"]

    assert found["mean"] == pytest.approx(off.mean(), rel=1e-9)
    assert found["mean_abs"] == pytest.approx(np.abs(off).mean(), rel=1e-9)
    rank = np.exp(-(shares * np.log(shares)).sum())
    assert found["effective_rank"] == pytest.approx(rank, rel=1e-9)
    assert shown["risk"]["diversification_ratio"] == pytest.approx(ratio, rel=1e-9)
    assert 1 <= shown["risk"]["effective_bets"] <= 3


def test_sectors_stand_beside_the_weights_of_the_benchmark_in_force(world, shown):
    with world.app.database.write() as connection:
        import_weights(
            connection,
            find_instrument(connection, "SPY", owner_id=None),
            [
                BenchmarkWeight(date(2025, 1, 2), MemberKind.SECTOR, "Unclassified", 0.5),
                BenchmarkWeight(MON, MemberKind.SECTOR, "Unclassified", 0.25),
                BenchmarkWeight(LAST, MemberKind.SECTOR, "Unclassified", 0.75),
            ],
            calendar=world.calendar,
            at=world.app.clock.now(),
        )

    on_tuesday = show(world, session=TUE)

    assert shown["nulls"]["sectors.Unclassified.benchmark"] == "no_benchmark_weights"
    assert [one["benchmark"] for one in on_tuesday["sectors"]] == [0.25]
    assert [one["benchmark"] for one in show(world)["sectors"]] == [0.75]


@pytest.mark.usefixtures("shown")
def test_the_hypothetical_pnl_is_that_of_the_holdings_of_the_session_before(world):
    moves = [world.closes(symbol) for symbol in BOOK]

    found = world.rows(
        "SELECT s.session, s.pnl, s.pnl_hypothetical, s.nulls FROM snapshot s ORDER BY s.session"
    )

    first, *others = found
    assert first[2] is None
    assert json.loads(first[3])["snapshot.pnl_hypothetical"] == "first_session"
    sessions = [as_date(row[0]) for row in found]
    for (_, pnl, hypothetical, _), now, past in zip(others, sessions[1:], sessions, strict=False):
        wanted = sum(10 * (closes[now] - closes[past]) for closes in moves)
        assert hypothetical == pytest.approx(wanted, rel=1e-9)
        assert pnl == pytest.approx(hypothetical, rel=1e-9)


def test_what_is_bought_in_a_session_is_not_in_its_hypothetical_pnl(world):
    world.add_book("book", ("AAA",), MON)
    world.add_prices(*BOOK, *FACTORS)
    with world.app.database.write() as connection:
        bought = find_instrument(connection, "BBB", owner_id=None)
        editor = world.editor(connection, "book")
        editor.add_lots([world.lot("BBB", TUE, quantity=500)], {"BBB": bought.instrument_id})
        editor.finish()
    world.run()

    on_tuesday = show(world, session=TUE)["snapshot"]

    closes = world.closes("AAA")
    assert on_tuesday["pnl_hypothetical"] == pytest.approx(10 * (closes[TUE] - closes[MON]))
    assert abs(on_tuesday["pnl"] - on_tuesday["pnl_hypothetical"]) > 0.5
