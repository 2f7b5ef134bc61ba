"""Exposures: what each position puts at risk, and to which instrument.

    e = market value                              of a share, a fund, a private asset
    e = delta · underlying price · units          of an option, booked to its underlying

units is the quantity times the multiplier. An option without a delta, since its underlying
has no mark or no volatility, is booked to itself at its market value, and no risk is computed
from it; nor is it from what is marked stale, at cost or on a stale underlying.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import BoolArray, FloatArray, IntArray, Measure
from riskmark.calc.black_scholes import Greeks, option_greeks
from riskmark.calc.repricing import OptionPositions
from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.reasons import STALE_AFTER
from riskmark.valuation.shard import ShardInputs


class Shown(NamedTuple):
    """Q positions, each on a session, and what is known of them at its close.

    ``cell`` and ``portfolio`` are whose they are, ``instrument`` is a place among the shard's
    columns, ``row`` one of the panel.
    """

    cell: IntArray
    portfolio: IntArray
    instrument: IntArray
    row: IntArray
    value: FloatArray
    held: BoolArray
    at_cost: BoolArray


@dataclass(frozen=True, slots=True)
class OptionExposures:
    """The options among Q positions that have a delta: k of them, with all that follows.

    ``position`` is a place among the positions, ``implied`` the volatility that the option's
    own last close implied.
    """

    position: IntArray
    book: OptionPositions
    greeks: Greeks
    implied: Measure


@dataclass(frozen=True, slots=True)
class Exposures:
    """Exposures of Q positions, each (Q,).

    ``instrument`` is what an exposure is booked to, a place among the shard's columns;
    ``counts`` says that risk is computed from it. ``is_option`` are options that are held,
    ``options`` those of them that have a delta.
    """

    money: FloatArray
    instrument: IntArray
    counts: BoolArray
    is_option: BoolArray
    options: OptionExposures | None


def expose(inputs: ShardInputs, shown: Shown) -> Exposures:
    """Return what positions expose a book to."""
    panel = inputs.panel
    column = inputs.columns[shown.instrument]
    is_stale = (panel.marks.age[shown.row, column] > STALE_AFTER) & ~panel.manual[column]
    counts = shown.held & ~is_stale & ~shown.at_cost
    kinds = np.array([one.kind is InstrumentKind.OPTION for one in panel.instruments], dtype=bool)
    is_option = shown.held & kinds[column]
    if not is_option.any():
        return Exposures(shown.value, shown.instrument, counts, is_option, None)
    counts &= ~is_option
    money, instrument = shown.value.copy(), shown.instrument.copy()
    found = _with_delta(inputs, shown, is_option)
    if found is not None:
        at = found.position
        money[at], instrument[at] = found.book.exposure, found.book.instrument
        under = inputs.columns[found.book.instrument]
        age = panel.marks.age[shown.row[at], under]
        counts[at] = age <= STALE_AFTER
    return Exposures(money, instrument, counts, is_option, found)


def _with_delta(inputs: ShardInputs, shown: Shown, is_option: BoolArray) -> OptionExposures | None:
    """Return the options that have a delta, with their greeks; None if none has."""
    panel, options = inputs.panel, inputs.panel.options
    if options is None:
        return None
    at = np.flatnonzero(is_option)
    which = options.place[inputs.columns[shown.instrument[at]]]
    at, which = at[which >= 0], which[which >= 0]
    row = shown.row[at]
    priced = np.isfinite(options.volatility[row, which])
    priced &= panel.marks.age[row, options.contracts.underlying[which]] >= 0
    priced &= panel.days[row] <= options.contracts.expiry[which]
    at, which, row = at[priced], which[priced], row[priced]
    if not at.size:
        return None
    terms = options.terms(panel, row, which)
    greeks = option_greeks(terms)
    units = _units(inputs, shown, at)
    under = np.searchsorted(inputs.columns, options.contracts.underlying[which])
    return OptionExposures(
        position=at,
        book=OptionPositions(
            cell=shown.cell[at],
            instrument=under,
            units=units,
            exposure=greeks.delta * terms.spot * units,
            terms=terms,
        ),
        greeks=greeks,
        implied=Measure(options.implied.values[row, which], options.implied.nulls[row, which]),
    )


def _units(inputs: ShardInputs, shown: Shown, at: IntArray) -> FloatArray:
    """Return how many shares the positions ``at`` are on: quantity × multiplier, signed."""
    panel, lots = inputs.panel, inputs.lots
    width = inputs.columns.size
    wanted = shown.portfolio[at] * width + shown.instrument[at]
    groups, group = np.unique(wanted, return_inverse=True)
    own = lots.portfolio * width + lots.instrument
    # A later lot may be stated beyond the panel, and is on no share of these sessions.
    used = np.flatnonzero(np.isin(own, groups) & (lots.entry_row < inputs.rows.stop))
    place = np.searchsorted(groups, own[used])
    column = inputs.columns[lots.instrument[used]]
    stated = lots.stated_row[used]
    index = np.where(stated < 0, 1.0, panel.marks.split_index[np.maximum(stated, 0), column])
    shares = lots.quantity[used] * lots.multiplier[used] / index
    rows = np.arange(max(inputs.rows.start - 1, 0), inputs.rows.stop)
    held = (lots.entry_row[used, None] <= rows) & (rows < lots.exit_row[used, None])
    sums = np.zeros((groups.size, rows.size))
    np.add.at(sums, place, np.where(held, shares[:, None], 0.0))
    row = shown.row[at]
    now = panel.marks.split_index[row, inputs.columns[shown.instrument[at]]]
    found: FloatArray = sums[group, row - rows[0]] * now
    return found
