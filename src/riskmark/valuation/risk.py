"""The risk of a shard's cells, from what they hold and the series x of these holdings.

Where nothing is held, money is at no risk: 0, unless a book in holdings mode has no capital
to speak of (``no_holdings``). What has no scale is null then. Where all that is held is
excluded from x, everything is (``all_excluded``).
"""

import numpy as np

from riskmark.calc.arrays import (
    CODE_OF,
    Measure,
    measure,
)
from riskmark.calc.correlation import correlation_summaries
from riskmark.calc.diversification import diversification_ratio
from riskmark.calc.exposures import nav_nulls, over_nav
from riskmark.calc.forecasts import forecast_volatility
from riskmark.calc.holdings_returns import HoldingsReturns, earned
from riskmark.calc.tail import component_es, historical_risk, parametric_var
from riskmark.calc.tracking import information_ratio, track
from riskmark.calc.volatility import (
    trailing_volatility,
    volatility_percentile,
    volatility_trend,
)
from riskmark.domain.reasons import NullReason
from riskmark.valuation.cells import Cells
from riskmark.valuation.held import Held
from riskmark.valuation.shard import ShardInputs, Valued

VOLATILITY_WINDOWS = (21, 63, 252)


def volatility_and_tail(held: Held) -> dict[str, Measure]:
    """Measure how much x moves, and what its worst sessions cost."""
    x = held.series.x
    forecasts = forecast_volatility(x)
    volatilities = {f"vol_{n}": trailing_volatility(x, n) for n in VOLATILITY_WINDOWS}
    volatilities |= {
        "vol_ewma": forecasts.vol_ewma,
        "vol_har_1d": forecasts.vol_har_1d,
        "vol_har_21d": forecasts.vol_har_21d,
    }
    losses = historical_risk(x)._asdict()
    losses["var_95_param"] = parametric_var(forecasts.vol_ewma, 0.95)
    losses["var_99_param"] = parametric_var(forecasts.vol_ewma, 0.99)
    found = {}
    for name, one in volatilities.items():
        found[name] = over_nav(_in_money(one, held), held.books)
    for name, one in losses.items():
        in_money = _in_money(one, held)
        found[name] = over_nav(in_money, held.books)
        found[f"{name}_money"] = in_money
    found["vol_trend"] = _scale_free(volatility_trend(x), held)
    found["vol_percentile"] = _scale_free(volatility_percentile(x), held)
    found["har_fallback"] = _scale_free(forecasts.har_fallback, held)
    return found


def mixture(held: Held) -> dict[str, Measure]:
    """Measure how the holdings move together, and what that takes off their risk."""
    summaries = correlation_summaries(
        held.returns, held.included, cell_row=held.cell_row, books=held.books
    )
    return {
        "corr_mean": summaries.mean,
        "corr_mean_abs": summaries.mean_abs,
        "effective_rank": summaries.effective_rank,
        "effective_bets": summaries.effective_bets,
        "diversification_ratio": diversification_ratio(
            held.series, held.included, books=held.books
        ),
    }


def tracking(
    inputs: ShardInputs, cells: Cells, valued: Valued, *, held: Held, beta: Measure
) -> dict[str, Measure]:
    """Measure how far the holdings stray from the benchmark, and what that has paid."""
    factors = inputs.factors
    own = factors.benchmark_beta
    of_benchmark = Measure(own.values[cells.offset], own.nulls[cells.offset])
    found = track(
        held.series,
        factors.benchmark,
        beta=beta,
        benchmark_beta=of_benchmark,
        counted=held.has_some,
        books=held.books,
    )
    rows = range(inputs.rows.start - inputs.cut, inputs.rows.stop - inputs.cut)
    holdings_mode = np.isnan(inputs.books.opening_equity)
    nothing = (valued.values.totals.positions == 0) & holdings_mode
    ratio = information_ratio(
        valued.values.paths.returns,
        factors.benchmark[inputs.cut :],
        rows,
        nulls=((nothing, NullReason.NO_HOLDINGS),),
    )
    return {**found._asdict(), "information_ratio": cells.measure(ratio)}


def tail_components(held: Held) -> Measure:
    """Return what each entry of ``parts`` adds to the ES of 95 % of its cell, over NAV."""
    in_money = component_es(held.series._replace(excluded=held.parts_excluded), held.parts)
    cell = np.repeat(np.arange(len(held.cell_row)), np.diff(held.parts.indptr))
    blocked = nav_nulls(held.books)[cell]
    nulls = np.where(blocked != 0, blocked, in_money.nulls)
    nav = np.where(blocked == 0, held.books.nav[cell], 1.0)
    return Measure(np.where(nulls == 0, in_money.values / nav, np.nan), nulls)


def hypothetical_pnl(
    inputs: ShardInputs, cells: Cells, valued: Valued, series: HoldingsReturns
) -> Measure:
    """Return what the holdings of the session before would have made, had they been kept.

    P = Σ_i e_i(t−1) · r_i(t): what VaR is back-tested against. Null on a book's first session,
    where the Market was not observed, and where VaR of the session before had nothing to go by.
    """
    positions = valued.values.positions
    was_held = cells.of_position(positions.held_before)
    exposures = cells.before(positions)
    before = cells.exposed(exposures, exposures.counts)
    any_held = np.bincount(cells.position_cell[was_held], minlength=len(cells)) > 0
    return measure(
        earned(series, before),
        (cells.row <= inputs.books.first_row[cells.portfolio], NullReason.FIRST_SESSION),
        (~any_held & cells.books.holdings_mode, NullReason.NO_HOLDINGS),
        (any_held & (np.diff(before.indptr) == 0), NullReason.ALL_EXCLUDED),
        (np.isnan(inputs.market[cells.row]), NullReason.NO_FACTOR_DATA),
    )


def _in_money(found: Measure, held: Held) -> Measure:
    """Apply what holds where nothing is held, or nothing that is in x."""
    nulls = found.nulls.copy()
    nulls[~held.has_some] = CODE_OF[NullReason.ALL_EXCLUDED]
    nulls[~held.books.held] = 0
    nulls[~held.books.held & held.books.holdings_mode] = CODE_OF[NullReason.NO_HOLDINGS]
    values = np.where(held.books.held, found.values, 0.0)
    return Measure(np.where(nulls == 0, values, np.nan), nulls)


def _scale_free(found: Measure, held: Held) -> Measure:
    first = measure(
        np.zeros(found.values.shape),
        (~held.books.held, NullReason.NO_HOLDINGS),
        (~held.has_some, NullReason.ALL_EXCLUDED),
    ).nulls
    nulls = np.where(first != 0, first, found.nulls)
    return Measure(np.where(nulls == 0, found.values, np.nan), nulls)
