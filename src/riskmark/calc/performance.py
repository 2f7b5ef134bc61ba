"""Performance: chained returns, money-weighted return, drawdown, volatility and its ratios.

Every number of a session uses sessions up to it only, of the series that the accounting
makes. Results are sessions × books. The conventions of each measure stand with it, in
``chained_returns``, ``money_weighted``, ``drawdowns`` and ``return_ratios``.

A span across a *broken* session (see ``chained_returns``) is null, and since all sessions of
a book are their span, so are drawdown, volatility, Sharpe and Sortino from then on; the
money-weighted return is not: it needs no NAV but the last.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import BoolArray, CodeArray, IntArray, Measure, measure
from riskmark.calc.book_paths import BookPaths
from riskmark.calc.chained_returns import chain_returns, time_weighted_return
from riskmark.calc.drawdowns import follow_drawdown
from riskmark.calc.money_weighted import money_weighted_returns
from riskmark.calc.return_ratios import return_ratios
from riskmark.domain.reasons import NullReason
from riskmark.errors import ShapeError


class ToDateBases(NamedTuple):
    """The last session before each period's first calendar day, (R,); −1 before the panel."""

    mtd: IntArray
    qtd: IntArray
    ytd: IntArray


class RollingBases(NamedTuple):
    """The session on or before the same day so many months back, (R,); −1 before the panel."""

    one_month: IntArray
    three_months: IntArray
    six_months: IntArray
    one_year: IntArray


class Performance(NamedTuple):
    """The performance of P books on R sessions; every array is (R, P).

    ``mwr_annualized`` is 1 where the money-weighted return is a rate a year, 0 where it is
    the period's, −1 where there is none. The rows are those of the maximum drawdown: −1 for
    a peak before the first session, a recovery that has not come, and where there is none.
    """

    twr_mtd: Measure
    twr_qtd: Measure
    twr_ytd: Measure
    twr_1m: Measure
    twr_3m: Measure
    twr_6m: Measure
    twr_1y: Measure
    twr_inception: Measure
    mwr_inception: Measure
    drawdown: Measure
    max_drawdown: Measure
    volatility: Measure
    sharpe: Measure
    sortino: Measure
    mwr_annualized: CodeArray
    peak_row: IntArray
    trough_row: IntArray
    recovery_row: IntArray


def measure_performance(
    paths: BookPaths,
    rows: range,
    *,
    day_numbers: IntArray,
    to_date_base: ToDateBases,
    rolling_base: RollingBases,
    first_row: IntArray,
    risk_free: float,
) -> Performance:
    """Measure the performance of P books on ``rows``, the last of which ends ``paths``.

    ``day_numbers`` (S or longer) are the sessions' days since any fixed one, ``first_row``
    (P,) the books' first sessions, and ``risk_free`` is a rate a year. Before its first
    session a book has no performance (``younger_than_period``). Raises ``ShapeError`` if
    ``paths`` end elsewhere.
    """
    if len(paths.nav) != rows.stop or rows.step != 1:
        raise ShapeError(f"{rows} do not end series of {len(paths.nav)} sessions")
    now = np.arange(rows.start, rows.stop)[:, None]
    unborn = first_row > now
    chain = chain_returns(paths)
    nulls = (
        (unborn, NullReason.YOUNGER_THAN_PERIOD),
        (chain.broken[rows.start + 1 :] > 0, NullReason.NAV_NOT_POSITIVE),
    )
    spans = [(base, unborn) for base in to_date_base]
    spans += [(base, unborn | (first_row > base[:, None])) for base in rolling_base]
    spans += [(np.full(len(rows), -1), unborn)]
    mtd, qtd, ytd, *rest = (
        time_weighted_return(chain, base, rows=rows, younger=young) for base, young in spans
    )
    one_month, three_months, six_months, one_year, inception = rest
    mwr, annualized = _money_weighted(paths, rows, day_numbers, first_row=first_row)
    fallen = follow_drawdown(chain.wealth, paths.returns.nulls == 0, rows=rows)
    garbled = (~np.isfinite(fallen.max_drawdown), NullReason.NOT_DEFINED)
    max_drawdown = measure(fallen.max_drawdown, *nulls, garbled)
    ratios = return_ratios(paths.returns, rows, risk_free=risk_free, nulls=nulls)
    known = max_drawdown.nulls == 0
    return Performance(
        twr_mtd=mtd,
        twr_qtd=qtd,
        twr_ytd=ytd,
        twr_1m=one_month,
        twr_3m=three_months,
        twr_6m=six_months,
        twr_1y=one_year,
        twr_inception=inception,
        mwr_inception=mwr,
        drawdown=measure(fallen.drawdown, *nulls, garbled),
        max_drawdown=max_drawdown,
        volatility=ratios.volatility,
        sharpe=ratios.sharpe,
        sortino=ratios.sortino,
        mwr_annualized=annualized,
        peak_row=np.where(known, fallen.peak_row, -1),
        trough_row=np.where(known, fallen.trough_row, -1),
        recovery_row=np.where(known, fallen.recovery_row, -1),
    )


def _money_weighted(
    paths: BookPaths, rows: range, day_numbers: IntArray, *, first_row: IntArray
) -> tuple[Measure, CodeArray]:
    """Return the money-weighted return, and whether it is a rate a year (−1 where null)."""
    now = np.arange(rows.start, rows.stop)[:, None]
    found = money_weighted_returns(
        paths.nav,
        paths.inflow - paths.outflow,
        rows=rows,
        day_numbers=np.asarray(day_numbers, np.float64),
        first_row=first_row,
    )
    first: BoolArray = first_row == now
    mwr = measure(
        found.rates,
        (first_row > now, NullReason.YOUNGER_THAN_PERIOD),
        (first, NullReason.FIRST_SESSION),
        (np.isnan(found.rates), NullReason.NO_ROOT),
    )
    return mwr, np.where(mwr.nulls == 0, found.annual, -1).astype(np.int8)
