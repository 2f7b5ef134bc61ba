"""Two sessions of a book, and the states between them in which one cause has had its effect.

What changes a number from a session S1 to a later S2, in this order:

    start    the holdings of S1, at its marks, over its NAV, in its windows
    flows    … over the NAV with what was put in and taken out since (a book with cash)
    trades   the holdings of S2, at the marks of S1, as if they had been bought there
    prices   … at the marks of S2, over its NAV: weights have drifted
    window   … in the windows of S2, with its fits: all is as S2 has it

A window is what a number looks back on: the returns up to a session, and the regressions on
them. Between *prices* and *window* stands *leaving*, the state in which the returns that are
too old for S2 have left and no new one has come: for volatility and VaR, which are of the
last n values of x. What *entering* does comes after it, and has the new fits' stand-ins for
missing returns with it.

In holdings mode NAV is what is held, so flows are trades. The states are computed with the
arithmetic of a run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array, vstack

from riskmark.calc.arrays import FloatArray, IntArray, Measure, measure
from riskmark.calc.exposures import Books, model_exposures, over_nav
from riskmark.calc.filled_returns import HISTORY
from riskmark.calc.forecasts import ewma_variance
from riskmark.calc.lots import Lots
from riskmark.calc.tail import SPAN, historical_risk
from riskmark.calc.volatility import SESSIONS_A_YEAR, trailing_volatility
from riskmark.domain.reasons import NullReason
from riskmark.valuation.cells import Cells
from riskmark.valuation.factors import MARKET_MODEL
from riskmark.valuation.held import Held, hold, hold_exposures
from riskmark.valuation.risk import volatility_and_tail
from riskmark.valuation.shard import ShardInputs, Valued, value

STATES = ("start", "flows", "trades", "prices", "window")
"""The states, in order; all arrays of ``States`` go by it."""
VOLATILITIES = {"vol_21": 21, "vol_63": 63, "vol_252": 252}
"""Volatilities that are explained, and the values of x that each is of."""
WINDOWED = (*VOLATILITIES, "vol_ewma", "var_95")
"""Numbers whose window has observations that leave and enter."""
_PRICES = STATES.index("prices")


@dataclass(frozen=True, slots=True)
class States:
    """Risk numbers in each of the 5 states, (5,); exposures to F factors over NAV, (5, F).

    ``leaving`` are the numbers of ``WINDOWED`` in the state of that name, (1,).
    """

    numbers: Mapping[str, Measure]
    leaving: Mapping[str, Measure]
    exposures: Measure


@dataclass(frozen=True, slots=True)
class NavMoves:
    """NAV on S1 and S2, and the money that came between them; ``gross`` is its scale.

    ``prices`` is what the marks of what was held at each close before have gained,
    ``trades`` what purchases and sales have, against the close of their session.
    """

    start: float
    end: float
    flows: float
    income: float
    trades: float
    prices: float
    gross: float


def measure_states(inputs: ShardInputs, cells: Cells, valued: Valued, *, held: Held) -> States:
    """Compute the states between the two cells of ``inputs``, of one book."""
    states = _hold_states(inputs, cells, valued, held)
    found = volatility_and_tail(states)
    numbers = {name: found[name] for name in WINDOWED}
    numbers["beta"] = _first(_exposures(inputs, states, MARKET_MODEL))
    filled, place = states.series.filled, states.series.place
    leave = int(filled.begin[place[-1]] - filled.begin[place[0]])
    return States(
        numbers=numbers,
        leaving=_leaving(states, numbers, leave),
        exposures=_exposures(inputs, states, inputs.factors.default_model),
    )


def move_nav(inputs: ShardInputs, valued: Valued) -> NavMoves:
    """Tell what moved NAV between the first and the last of the rows of one book."""
    totals, paths = valued.values.totals, valued.values.paths
    nav = paths.nav[inputs.rows.start - inputs.cut :, 0]
    pnl = float(paths.pnl[inputs.rows.start - inputs.cut + 1 :, 0].sum())
    income = float(totals.income[1:, 0].sum())
    kept = value(replace(inputs, lots=_one_session_later(inputs.lots))).values.totals.net
    prices = float((kept[1:, 0] - totals.net[:-1, 0]).sum())
    return NavMoves(
        start=float(nav[0]),
        end=float(nav[-1]),
        flows=float(totals.flow[1:, 0].sum()),
        income=income,
        trades=pnl - income - prices,
        prices=prices,
        gross=float(totals.gross[:, 0].max()),
    )


def _one_session_later(lots: Lots) -> Lots:
    """Return the lots such that those held at a close are those of the close before it."""
    return lots._replace(entry_row=lots.entry_row + 1, exit_row=lots.exit_row + 1)


def _hold_states(inputs: ShardInputs, cells: Cells, valued: Valued, held: Held) -> Held:
    """Stack what is held in each state: exposures, NAV, and where the windows end."""
    traded = _traded(inputs)
    revalued = value(traded)
    traded_cells = Cells(traded, revalued)
    bought = hold(traded, traded_cells)
    ends, after = held.books, bought.books
    nav, in_holdings_mode = ends.nav[0], bool(ends.holdings_mode[0])
    # In holdings mode a flow is what a trade takes; there is none beside it.
    paid = 0.0 if in_holdings_mode else float(valued.values.totals.flow[1:, 0].sum())
    after_trades = after.nav[0] if in_holdings_mode else nav + paid
    of_end = np.array([0, 0, 0, 1, 1])
    is_traded = np.array([state == "trades" for state in STATES])
    books = Books(
        nav=np.array([nav, nav + paid, after_trades, ends.nav[1], ends.nav[1]]),
        gross=np.where(is_traded, after.gross[0], ends.gross[of_end]),
        held=np.where(is_traded, after.held[0], ends.held[of_end]),
        holdings_mode=ends.holdings_mode[of_end],
        market_gross=np.where(is_traded, after.of_marks[0], ends.of_marks[of_end]),
    )
    rows = [held.included[[0]], held.included[[0]], bought.included[[0]]]
    included = csr_array(vstack([*rows, held.included[[1]], held.included[[1]]], format="csr"))
    cell_row: IntArray = np.array([*[cells.row[0]] * 4, cells.row[1]])
    return hold_exposures(inputs, included, cell_row=cell_row, books=books)


def _traded(inputs: ShardInputs) -> ShardInputs:
    """Return inputs in which what is held on the last row was held on the first one already."""
    first, last = inputs.rows.start, inputs.rows.stop - 1
    lots = inputs.lots
    kept = np.flatnonzero((lots.entry_row <= last) & (lots.exit_row > last))
    chosen = Lots._make(part[kept] for part in lots)
    planned = np.zeros_like(inputs.planned)
    planned[:, 0] = True
    return replace(
        inputs,
        lots=chosen._replace(entry_row=np.minimum(chosen.entry_row, first)),
        planned=planned,
    )


def _exposures(inputs: ShardInputs, held: Held, model: str) -> Measure:
    return model_exposures(
        held.exposed,
        inputs.fits[model],
        fit_row=held.cell_row - inputs.rows.start,
        books=held.books,
    ).fraction


def _first(exposures: Measure) -> Measure:
    return Measure(exposures.values[:, 0], exposures.nulls[:, 0])


def _leaving(held: Held, numbers: Mapping[str, Measure], leave: int) -> Mapping[str, Measure]:
    """Measure x in the state *prices* without its ``leave`` oldest values in each window."""
    one = slice(_PRICES, _PRICES + 1)
    before = {name: Measure(found.values[one], found.nulls[one]) for name, found in numbers.items()}
    if not held.has_some[_PRICES]:
        return {name: before[name] for name in WINDOWED}
    x = held.series.x[one]
    in_money = {name: _volatility(x, n - leave) for name, n in VOLATILITIES.items()}
    in_money["vol_ewma"] = _ewma(x[:, leave:])
    in_money["var_95"] = historical_risk(x[:, HISTORY - SPAN + min(leave, SPAN) :]).var_95
    books = held.books.take(one)
    found = {}
    for name, amount in in_money.items():
        is_null = before[name].nulls[0] != 0
        found[name] = before[name] if is_null else over_nav(amount, books)
    return found


def _volatility(x: FloatArray, n: int) -> Measure:
    least = 2
    return trailing_volatility(x, n) if n >= least else _too_few(np.full(len(x), np.nan))


def _ewma(x: FloatArray) -> Measure:
    return _too_few(np.sqrt(SESSIONS_A_YEAR * ewma_variance(x)))


def _too_few(values: FloatArray) -> Measure:
    return measure(values, (np.isnan(values), NullReason.TOO_FEW_OBSERVATIONS))
