"""The arithmetic as everybody has it: against independent code, and with what is not observed."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from riskmark import calc
from riskmark.errors import ShapeError


@pytest.fixture
def returns():
    """Give 400 sessions of three instruments that share a factor, with some holes."""
    chance = np.random.default_rng(7)
    market = chance.normal(0.0005, 0.01, 400)
    found = market[:, None] * [0.8, 1.0, 1.3] + chance.normal(0, 0.006, (400, 3))
    found[[3, 50, 51], 1] = np.nan
    return found


@pytest.fixture
def factors():
    """Give returns of two factors on as many sessions."""
    chance = np.random.default_rng(7)
    market = chance.normal(0.0005, 0.01, 400)
    return np.column_stack([market, chance.normal(0, 0.004, 400)])


def test_a_fit_is_that_of_statsmodels(returns, factors):
    fit = calc.fit_factors(returns, factors)

    for column in range(3):
        known = np.isfinite(returns[:, column])
        model = sm.OLS(returns[known, column], sm.add_constant(factors[known]))
        plain = model.fit()
        robust = model.fit(
            cov_type="HAC", cov_kwds={"maxlags": int(4 * (known.sum() / 100) ** (2 / 9))}
        )
        np.testing.assert_allclose(fit.beta[column], plain.params[1:], rtol=1e-9)
        np.testing.assert_allclose(fit.stderr[column], plain.bse[1:], rtol=1e-9)
        np.testing.assert_allclose(fit.stderr_hac[column], robust.bse[1:], rtol=1e-9)
        np.testing.assert_allclose(fit.r2[column], plain.rsquared, rtol=1e-9)
        assert fit.n[column] == known.sum()


def test_one_series_gives_what_its_column_gives(returns, factors):
    alone, beside = calc.fit_factors(returns[:, 1], factors), calc.fit_factors(returns, factors)

    for one, several in zip(alone, beside, strict=True):
        np.testing.assert_allclose(one, several[1], rtol=1e-12)


def test_a_rolling_fit_ends_with_the_fit_of_its_window(returns, factors):
    rolling = calc.fit_rolling_factors(returns, factors, window=120)

    last = calc.fit_factors(returns[-120:], factors[-120:])
    np.testing.assert_allclose(rolling.beta[-1], last.beta, rtol=1e-9)
    assert np.isnan(rolling.beta[2]).all()


def test_ridge_shrinks_and_has_no_errors(returns, factors):
    plain, ridge = calc.fit_factors(returns, factors), calc.fit_factors(returns, factors, ridge=50)

    assert (np.abs(ridge.beta[:, 0]) < np.abs(plain.beta[:, 0])).all()
    assert np.isnan(ridge.stderr).all()


def test_what_was_not_observed_is_passed_over(returns):
    holey = returns[:, 1]
    whole = holey[np.isfinite(holey)]

    for measure in (
        calc.estimate_volatility,
        calc.forecast_volatility,
        calc.fit_har,
        calc.estimate_tail_risk,
        calc.volatility_percentile,
        calc.volatility_trend,
        calc.measure_return_ratios,
    ):
        np.testing.assert_allclose(measure(holey), measure(whole), rtol=1e-12, err_msg=str(measure))


def test_without_sessions_every_number_is_missing_and_nothing_warns():
    nothing = np.zeros((0, 2))

    assert np.isnan(calc.fit_factors(nothing, nothing).beta).all()
    assert np.isnan(calc.estimate_volatility(nothing)).all()
    assert np.isnan(calc.estimate_tail_risk(nothing).var).all()
    assert np.isnan(calc.estimate_factor_covariance(nothing)).all()
    assert np.isnan(calc.estimate_correlation(nothing).matrix).all()
    assert np.isnan(calc.measure_return_ratios(nothing).sharpe).all()
    assert calc.fit_rolling_factors(nothing, nothing, window=60).beta.shape == (0, 2, 2)


def test_volatility_is_the_annual_standard_deviation(returns):
    found = calc.estimate_volatility(returns[:, 0], window=100)

    assert found == pytest.approx(returns[-100:, 0].std(ddof=1) * np.sqrt(252), rel=1e-12)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.975, 0.99])
def test_tail_risk_is_a_quantile_and_the_mean_beyond_it(returns, confidence):
    series = returns[:, 0]

    found = calc.estimate_tail_risk(series, confidence=confidence)

    quantile = np.quantile(series[-252:], 1 - confidence)
    assert found.var == pytest.approx(-quantile, rel=1e-12)
    assert found.es == pytest.approx(-series[-252:][series[-252:] <= quantile].mean(), rel=1e-12)


def test_components_sum_to_the_expected_shortfall_of_what_is_held(returns):
    weights = np.array([0.5, -0.2, 0.4])
    held = (returns @ weights)[np.isfinite(returns).all(axis=1)]

    parts = calc.component_es(returns, weights)

    assert parts.sum() == pytest.approx(calc.estimate_tail_risk(held).es, rel=1e-12)


def test_normal_var_is_a_quantile_of_the_normal_distribution():
    found = calc.estimate_normal_var([0.2, np.nan], confidence=0.975)

    assert found[0] == pytest.approx(stats.norm.ppf(0.975) * 0.2 / np.sqrt(252))
    assert np.isnan(found[1])


def test_correlation_is_over_common_sessions(returns):
    found = calc.estimate_correlation(returns)

    both = np.isfinite(returns[:, [0, 1]]).all(axis=1)
    expected = np.corrcoef(returns[both][:, 0], returns[both][:, 1])[0, 1]
    assert found.matrix[0, 1] == pytest.approx(expected, rel=1e-9)
    assert found.common[0].tolist() == [400, 397, 400]


def test_a_pair_with_too_little_in_common_has_no_correlation(returns):
    returns[:380, 0], returns[380:, 2] = np.nan, np.nan

    found = calc.estimate_correlation(returns)

    assert np.isnan(found.matrix[0]).all()
    assert np.isfinite(found.matrix[1:, 1:]).all()


def test_a_repaired_correlation_is_semi_definite_with_ones_on_its_diagonal():
    broken = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]])

    repaired = calc.repair_correlation(broken)

    assert np.linalg.eigvalsh(repaired).min() > -1e-12
    assert np.diagonal(repaired).tolist() == [1, 1, 1]
    np.testing.assert_array_equal(calc.repair_correlation(np.eye(3)), np.eye(3))


def test_clusters_bets_and_rank_of_what_is_known():
    pairs = np.kron(np.eye(2), np.full((2, 2), 0.95)) + 0.05 * np.eye(4)

    assert calc.find_clusters(pairs).tolist() == [0, 0, 1, 1]
    assert calc.effective_rank(np.eye(4)) == pytest.approx(4)
    assert calc.effective_rank(np.ones((4, 4))) == pytest.approx(1)
    assert calc.effective_bets(np.diag([4.0, 1.0]), [1, 2]) == pytest.approx(2)
    assert np.isnan(calc.effective_bets(np.ones((2, 2)), [1, -1]))


def test_one_instrument_is_not_diversified(returns):
    assert calc.diversification_ratio(returns, [0, 0, 1.0]) == pytest.approx(1)
    assert calc.diversification_ratio(returns, [0.3, 0.3, 0.4]) > 1


def test_a_shock_moves_the_others_by_their_regression_on_it(factors):
    covariance = calc.estimate_factor_covariance(factors)

    found = calc.stress_exposures([100.0, 50.0], [[-0.1, np.nan], [-0.1, 0.0]], covariance)

    slope = covariance[0, 1] / covariance[0, 0]
    np.testing.assert_allclose(covariance, np.cov(factors.T), rtol=1e-9)
    np.testing.assert_allclose(found.moves, [[-0.1, -0.1 * slope], [-0.1, 0]], rtol=1e-9)
    np.testing.assert_allclose(found.predictive, [-10 - 5 * slope, -10], rtol=1e-9)
    np.testing.assert_allclose(found.direct, [-10, -10], rtol=1e-12)


def test_a_replay_compounds_own_returns_and_takes_factors_where_one_is_missing(returns, factors):
    episode, moves = returns[48:54], factors[48:54]
    betas = np.array([[1.0, 0.0]] * 3)

    found = calc.replay_exposures([100, -50, 25], episode, factors=moves, betas=betas)

    own = np.prod(1 + episode[:, [0, 2]], axis=0) - 1
    proxied = np.prod(1 + moves[:, 0]) - 1
    assert found.pnl == pytest.approx(100 * own[0] + 25 * own[1] - 50 * proxied, rel=1e-12)
    assert found.own_share == pytest.approx(125 / 175)
    assert found.proxied_share == pytest.approx(50 / 175)


def test_without_factors_what_is_missing_is_not_replayed(returns):
    found = calc.replay_exposures([0, 10, 0], returns[48:54])

    assert np.isnan(found.pnl)
    assert (found.own_share, found.proxied_share) == (0, 0)


def test_a_drawdown_is_from_the_peak_to_the_trough_and_back():
    found = calc.measure_drawdown([0.1, -0.5, np.nan, 0.2, 1.0])

    np.testing.assert_allclose(found.path, [0, -0.5, -0.5, -0.4, 0], atol=1e-12)
    assert found.deepest == pytest.approx(-0.5)
    assert (found.peak, found.trough, found.recovery) == (0, 1, 4)


def test_sharpe_and_volatility_are_those_of_their_definition(returns):
    series = returns[:, 0]

    found = calc.measure_return_ratios(series, risk_free=0.02)

    mean, deviation = (series - 0.02 / 252).mean(), series.std(ddof=1)
    assert found.sharpe == pytest.approx(mean / deviation * np.sqrt(252), rel=1e-9)
    assert found.volatility == pytest.approx(deviation * np.sqrt(252), rel=1e-9)


@pytest.mark.parametrize(
    ("amounts", "dates", "rate"),
    [
        ([-100, 110], ["2022-01-01", "2023-01-01"], 0.1),
        ([110, -100], [365, 0], 0.1),
        ([-100, -10], [0, 365], np.nan),
        ([-100, 110], [5, 5], np.nan),
        ([], [], np.nan),
    ],
)
def test_xirr_reads_dates_in_any_order(amounts, dates, rate):
    assert calc.solve_xirr(amounts, dates) == pytest.approx(rate, nan_ok=True)


def test_a_back_test_counts_exceptions_and_gives_their_chance():
    pnl = np.where(np.arange(250) % 25 == 3, -2.0, 1.0)

    found = calc.backtest_var(pnl, np.ones(250), confidence=0.95)

    share = 10 / 250
    ratio = 2 * (stats.binom.logpmf(10, 250, share) - stats.binom.logpmf(10, 250, 0.05))
    assert (found.sessions, found.exceptions, found.expected) == (250, 10, pytest.approx(12.5))
    assert found.kupiec_p == pytest.approx(stats.chi2.sf(ratio, 1), rel=1e-9)
    assert found.light == 0


def test_a_forecast_that_is_right_scores_best():
    realized = np.square(np.random.default_rng(1).normal(0, 0.01, 2000))
    forecasts = np.array([0.5e-4, 1e-4, 2e-4]) * np.ones((2000, 1))

    found = calc.backtest_volatility(forecasts, np.repeat(realized[:, None], 3, axis=1))

    assert np.argmin(found.qlike) == 1


def test_an_option_has_a_price_greeks_and_gives_its_volatility_back():
    terms = {"years": 0.5, "rate": 0.03, "dividend_yield": 0.01}
    strikes, kinds = np.array([[80.0], [100.0], [120.0]]), [True, False]

    prices = calc.price_options(100, strikes, is_call=kinds, volatility=0.25, **terms)
    greeks = calc.option_greeks(100, strikes, is_call=kinds, volatility=0.25, **terms)
    implied = calc.imply_volatility(prices, spot=100, strike=strikes, is_call=kinds, **terms)

    np.testing.assert_allclose(implied, 0.25, rtol=1e-9)
    assert greeks.delta.shape == (3, 2)
    parity = 100 * np.exp(-0.01 * 0.5) - strikes[:, 0] * np.exp(-0.03 * 0.5)
    np.testing.assert_allclose(prices[:, 0] - prices[:, 1], parity, rtol=1e-12)


def test_an_option_of_which_something_is_unknown_has_no_price():
    assert np.isnan(calc.price_options(np.nan, 100, is_call=True, years=1, volatility=0.2))
    assert np.isnan(calc.imply_volatility(0.0, spot=50, strike=100, is_call=True, years=1))


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda: calc.fit_factors(np.zeros(5), np.zeros(6)), "5 sessions and factors 6"),
        (lambda: calc.fit_factors(np.zeros((5, 2, 2)), np.zeros(5)), "must be"),
        (lambda: calc.component_es(np.zeros((5, 2)), [1.0]), r"weights must be \(2,\)"),
        (lambda: calc.effective_rank(np.zeros((2, 3))), "must be square"),
        (lambda: calc.backtest_var([1.0], [1.0, 2.0], confidence=0.9), "different shapes"),
        (lambda: calc.stress_exposures([1.0, 2.0], [0.1], np.eye(2)), "shocks must be"),
        (
            lambda: calc.price_options([1.0] * 3, 1, is_call=[True] * 2, years=1, volatility=0.1),
            "not broadcast",
        ),
    ],
)
def test_arrays_that_do_not_line_up_are_refused(call, problem):
    with pytest.raises(ShapeError, match=problem):
        call()


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda: calc.estimate_volatility([0.1, np.inf]), "infinite"),
        (lambda: calc.estimate_volatility([0.1, 0.2], window=1), "needs 2"),
        (lambda: calc.estimate_tail_risk([0.1], confidence=95), "between 0 and 1"),
        (lambda: calc.repair_correlation([[1, np.nan], [np.nan, 1]]), "not finite"),
        (lambda: calc.estimate_correlation(np.zeros((9, 2)), minimum=5), "30"),
        (lambda: calc.measure_drawdown([]), "at least one session"),
        (lambda: calc.fit_factors([0.1], [0.1], ridge=-1), "0 or more"),
        (lambda: calc.replay_exposures([1], [[0.1]], betas=[[1.0]]), "both or neither"),
        (lambda: calc.price_options(1, 0, is_call=True, years=1, volatility=0.1), "strike"),
        (lambda: calc.solve_xirr([1, np.nan], [0, 1]), "not a finite"),
        (lambda: calc.fit_har([0.1], horizon=0), "horizon"),
    ],
)
def test_values_that_make_no_sense_are_refused(call, problem):
    with pytest.raises(ValueError, match=problem):
        call()


def test_a_name_that_is_not_there_is_told_as_python_does():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        calc.nothing  # noqa: B018 - asking is what is tested
