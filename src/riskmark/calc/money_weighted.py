"""Money-weighted returns: XIRR of the flows since inception and the closing NAV."""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import BoolArray, FloatArray, IntArray
from riskmark.calc.xirr import CashFlows, solve_rates

DAYS_PER_YEAR = 365
TERMS = 1 << 21
"""Flows that are laid out at a time (16 MiB an array)."""


class MoneyWeighted(NamedTuple):
    """Rates, NaN where there is none, and whether they are annual; both are (R, P)."""

    rates: FloatArray
    annual: BoolArray


def money_weighted_returns(
    nav: FloatArray, flow: FloatArray, *, rows: range, day_numbers: FloatArray, first_row: IntArray
) -> MoneyWeighted:
    """Return the money-weighted return of each book from its first session to each of ``rows``.

    ``nav`` and ``flow`` (S, P) reach to the last row; money put in is a positive flow.
    ``day_numbers`` (S,) are the sessions' days. A rate is annual if the days are 365 or more,
    else it is the period's. There is none on the first session and before it, where there
    is but one amount, or no amount at all.
    """
    begin = day_numbers[np.minimum(first_row, rows.stop - 1)]
    span = day_numbers[rows.start : rows.stop, None] - begin
    annual = span >= DAYS_PER_YEAR
    rates = np.full(span.shape, np.nan)
    book, row = np.nonzero(np.ascontiguousarray(flow.T))
    step = max(1, TERMS // (len(row) + flow.shape[1]))
    for start in range(rows.start, rows.stop, step):
        part = range(start, min(start + step, rows.stop))
        at = slice(part.start - rows.start, part.stop - rows.start)
        flows = _lay_out(nav, flow, (book, row), day_numbers, rows=part)
        horizon = np.where(annual[at], DAYS_PER_YEAR, span[at])
        rates[at] = solve_rates(flows, horizon_days=horizon.ravel()).reshape(horizon.shape)
    return MoneyWeighted(rates, annual)


def _lay_out(
    nav: FloatArray,
    flow: FloatArray,
    flows: tuple[IntArray, IntArray],
    day_numbers: FloatArray,
    *,
    rows: range,
) -> CashFlows:
    """Make one problem of each session and book: the flows before it, and its flow and NAV."""
    sessions, books = flow.shape
    book, row = flows
    asked = np.arange(rows.start, rows.stop)[:, None]
    key = book * sessions + row
    base = np.arange(books) * sessions
    first = np.searchsorted(key, base)
    count = (np.searchsorted(key, base + asked) - first).ravel()
    offsets = np.concatenate([[0], np.cumsum(count + 1)])
    last = offsets[1:] - 1
    amounts, days = np.empty(offsets[-1]), np.empty(offsets[-1])
    closing = slice(rows.start, rows.stop)
    amounts[last] = (nav[closing] - flow[closing]).ravel()
    days[last] = np.repeat(day_numbers[closing], books)
    # The flows of a problem stand next to each other in the list of all flows.
    taken = np.ones(offsets[-1], np.bool_)
    taken[last] = False
    origin = np.tile(first, len(rows)) - (np.cumsum(count) - count)
    source = np.arange(int(count.sum())) + np.repeat(origin, count)
    amounts[taken] = -flow[row[source], book[source]]
    days[taken] = day_numbers[row[source]]
    return CashFlows(amounts, days, offsets)
