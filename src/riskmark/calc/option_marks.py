"""Marks of options: the option's own close, else a model price on the mark of its underlying.

    volatility  implied by the option's own last close, if that is from 1 to 500 %; else the
                standard deviation (n − 1) of the last 63 returns observed of the underlying,
                × √252
    mark        the own close of the session → the model price → the last own close, carried

A split of the underlying multiplies how many options a lot is, and divides the strike, so an
option's split index is its underlying's, and what it was traded at is divided by the splits
since. A volatility is not touched by a split. Nothing is marked after the day of expiry but
at an own close from before.

Arrays are sessions × contracts, T and n. What can be had of an option from its underlying
depends on closes up to the session alone, never on where the arrays begin, as long as they
reach back to the last own close and to 63 returns of the underlying.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from riskmark.calc.arrays import CODE_OF, BoolArray, FloatArray, IntArray, Measure
from riskmark.calc.black_scholes import DAYS_A_YEAR, Pricing, option_price
from riskmark.calc.implied_volatility import implied_volatility
from riskmark.calc.marks import AgeArray, MarkPanel
from riskmark.calc.running import accumulate
from riskmark.calc.volatility import SESSIONS_A_YEAR
from riskmark.domain.reasons import NullReason

SPAN = 63
"""Returns of the underlying that its own volatility is made of; all are needed."""


class Contracts(NamedTuple):
    """The terms of n options on instruments of a panel.

    ``underlying`` is a column of the panel. ``strike`` is in the shares at which the panel's
    split index is 1, so that a session's strike is ``strike`` / split index. ``expiry`` counts
    days since 1970, as the panel's ``days`` do.
    """

    is_call: BoolArray
    underlying: IntArray
    strike: FloatArray
    expiry: IntArray

    def terms(
        self,
        panel: MarkPanel,
        days: IntArray,
        volatility: FloatArray,
        *,
        at: tuple[IntArray, IntArray],
        carry: "Carry",
    ) -> Pricing:
        """Return the terms of contracts on rows: ``at`` are rows (k,) and contracts (k,)."""
        rows, which = at
        column = self.underlying[which]
        return Pricing(
            is_call=self.is_call[which],
            spot=panel.mark[rows, column],
            strike=self.strike[which] / panel.split_index[rows, column],
            years=(self.expiry[which] - days[rows]) / DAYS_A_YEAR,
            volatility=volatility,
            rate=carry.rate,
            dividend_yield=carry.dividend_yield,
        )


class Carry(NamedTuple):
    """What holding the underlying costs and pays a year, continuously compounded."""

    rate: float
    dividend_yield: float


class OptionMarks(NamedTuple):
    """Marks of n options on T sessions; every array is (T, n).

    ``mark`` is NaN where there is none yet. ``age`` is that of the underlying's close where
    ``is_model``, else that of the own close; −1 without a mark. ``volatility`` is the one that
    a price of the model is made with; NaN: there is none. ``implied`` is it where an own close
    implied it, else the reason why none did.
    """

    mark: FloatArray
    age: AgeArray
    is_model: BoolArray
    volatility: FloatArray
    implied: Measure


def own_volatility(returns: FloatArray) -> FloatArray:
    """Return the annual volatility of the last 63 returns observed up to each session.

    ``returns`` (T, N) has NaN where nothing was observed; the result is NaN up to the 63rd.
    """
    found = np.full(returns.shape, np.nan)
    for column in range(returns.shape[1]):
        observed = np.flatnonzero(np.isfinite(returns[:, column]))
        if observed.size < SPAN:
            continue
        windows = sliding_window_view(returns[observed, column], SPAN)
        deviation = np.std(windows, axis=1, ddof=1) * np.sqrt(SESSIONS_A_YEAR)
        first = int(observed[SPAN - 1])
        newest = np.searchsorted(observed, np.arange(first, len(returns)), side="right") - SPAN
        found[first:, column] = deviation[newest]
    return found


def mark_options(
    contracts: Contracts,
    close: FloatArray,
    panel: MarkPanel,
    days: IntArray,
    *,
    first: IntArray,
    carry: Carry,
) -> OptionMarks:
    """Mark options at their own ``close`` (T, n), NaN where none was observed, or by the model.

    ``panel`` has the underlyings, on the same T sessions, whose dates are ``days``; the model
    is asked from the row ``first`` (n,) of each option on.
    """
    index = panel.split_index[:, contracts.underlying]
    last = _last_observed(close)
    implied = _implied(contracts, close, panel, days, carry=carry)
    carried = Measure(
        np.where(last >= 0, np.take_along_axis(implied.values, np.maximum(last, 0), 0), np.nan),
        np.where(
            last >= 0,
            np.take_along_axis(implied.nulls, np.maximum(last, 0), 0),
            np.int8(CODE_OF[NullReason.NEVER_PRICED]),
        ),
    )
    used, column = np.unique(contracts.underlying, return_inverse=True)
    own = own_volatility(panel.returns[:, used])[:, column]
    volatility = np.where(carried.nulls == 0, carried.values, own)
    wanted = np.arange(len(close))[:, None] >= first
    model = _model_prices(contracts, panel, days, volatility, wanted=wanted, carry=carry)
    is_own = np.isfinite(close)
    is_model = ~is_own & np.isfinite(model)
    at = np.maximum(last, 0)
    old = np.take_along_axis(close * index, at, 0) / index
    mark = np.where(is_own, close, np.where(is_model, model, np.where(last >= 0, old, np.nan)))
    age = np.where(last >= 0, np.arange(len(close), dtype=np.int32)[:, None] - last, np.int32(-1))
    age = np.where(is_model, panel.age[:, contracts.underlying], age).astype(np.int32)
    return OptionMarks(mark, age, is_model, volatility, carried)


def _last_observed(close: FloatArray) -> IntArray:
    rows = np.arange(len(close), dtype=np.int64)[:, None]
    last = np.where(np.isfinite(close), rows, np.int64(-1))
    return accumulate(np.maximum, last, last)


def _implied(
    contracts: Contracts, close: FloatArray, panel: MarkPanel, days: IntArray, *, carry: Carry
) -> Measure:
    """Return what each own close implies; elsewhere nothing that is of use."""
    values = np.full(close.shape, np.nan)
    nulls = np.full(close.shape, CODE_OF[NullReason.NEVER_PRICED], np.int8)
    rows, which = np.nonzero(np.isfinite(close))
    at = (rows, which)
    if rows.size:
        terms = contracts.terms(panel, days, np.zeros(rows.size), at=at, carry=carry)
        values[at], nulls[at] = implied_volatility(close[at], terms)
    return Measure(values, nulls)


def _model_prices(
    contracts: Contracts,
    panel: MarkPanel,
    days: IntArray,
    volatility: FloatArray,
    *,
    wanted: BoolArray,
    carry: Carry,
) -> FloatArray:
    """Return the model's prices; NaN after expiry, and without a volatility or an underlying."""
    prices = np.full(volatility.shape, np.nan)
    alive = wanted & (days[:, None] <= contracts.expiry)
    alive &= np.isfinite(volatility) & np.isfinite(panel.mark[:, contracts.underlying])
    rows, which = np.nonzero(alive)
    at = (rows, which)
    if rows.size:
        terms = contracts.terms(panel, days, volatility[at], at=at, carry=carry)
        prices[at] = option_price(terms)
    return prices
