"""What cells are computed from: read from the database, then cut to what some of them need.

A run reads the inputs of all its portfolios at once and cuts a piece for each shard; a report
reads those of one portfolio. So both compute the same numbers from the same arrays.
"""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import chain

import numpy as np
from sqlalchemy import Connection

from riskmark.calc.accounting import Books, Flows
from riskmark.calc.arrays import FloatArray, IntArray
from riskmark.calc.filled_returns import HISTORY
from riskmark.calc.lots import Lots
from riskmark.calc.model_fits import ModelFits, fit_model
from riskmark.domain.sessions import Calendar
from riskmark.settings import Settings
from riskmark.storage import symbol_scope
from riskmark.storage.contracts import load_contracts
from riskmark.storage.packs import Closes, load_closes
from riskmark.valuation.factors import MARKET_MODEL, SessionFactors, session_factors
from riskmark.valuation.holdings import BookArrays, book_arrays, load_stored_books
from riskmark.valuation.option_panel import UnstoredOption, with_options
from riskmark.valuation.panels import Panel, build_panel, load_instruments
from riskmark.valuation.shard import ShardInputs


@dataclass(frozen=True, slots=True)
class Inputs:
    """A panel, and the books of ``portfolio_ids`` (ascending) against its rows and columns.

    ``lots_of`` counts the lots of each portfolio.
    """

    panel: Panel
    portfolio_ids: tuple[str, ...]
    books: BookArrays
    lots_of: Mapping[str, int]


def load_inputs(
    connection: Connection,
    calendar: Calendar,
    settings: Settings,
    *,
    first_sessions: Mapping[str, int],
    first_cell: int,
    last: int,
    back_to: int | None = None,
    beside: Collection[int] = (),
    unstored: Sequence[UnstoredOption] = (),
) -> Inputs:
    """Read what the cells from ``first_cell`` to ``last`` (ordinals) are computed from.

    ``first_sessions`` are the portfolios and the ordinals of their first sessions. The panel
    has the instruments that these hold, the underlyings of options, the factors' and those of
    the ids ``beside``, and the options ``unstored``; it reaches as far back as books and windows
    do, and at least ``back_to``.
    """
    factors = symbol_scope.public_ids(connection, settings.factor_symbols)
    portfolios = sorted(first_sessions)
    stored = load_stored_books(connection, portfolios)
    ordinals = [first_sessions[key] for key in portfolios]
    contracts = load_contracts(connection, stored.instrument_ids | set(beside))
    modelled = [one for one in contracts if one.underlying_id is not None]
    modelled += [one.contract for one in unstored]
    options = {one.instrument_id for one in modelled}
    held = stored.instrument_ids - options
    held |= {one.underlying_id for one in modelled if one.underlying_id is not None}
    wanted = sorted(held | set(factors.values()) | set(beside) - options)
    reached = [first - 1 for first in ordinals] + ([] if back_to is None else [back_to])
    start = max(0, min([_first_needed(connection, calendar, settings, first_cell), *reached]))
    instruments = load_instruments(connection, wanted, base_currency=settings.base_currency)
    closes = load_closes(connection, calendar, wanted, start=start)
    panel = build_panel(
        connection,
        calendar,
        instruments,
        closes,
        named=factors,
        first=_with_old_closes(closes, held, start),
        last=last,
        columns=settings.factor_columns,
    )
    if modelled:
        panel = with_options(
            connection,
            calendar,
            panel,
            modelled,
            stored=stored,
            settings=settings,
            unstored=unstored,
        )
    books = book_arrays(stored, calendar, panel, ordinals)
    lots_of = dict(zip(portfolios, np.diff(books.lot_start).tolist(), strict=True))
    return Inputs(panel, tuple(portfolios), books, lots_of)


def _first_needed(
    connection: Connection, calendar: Calendar, settings: Settings, first_cell: int
) -> int:
    """Return the first session whose close the windows of ``first_cell`` reach back to.

    A session and the HISTORY before it, or further where the Market return was not observed
    on some of them: x counts only sessions on which it was.
    """
    market = market_symbol(settings)
    ids = symbol_scope.public_ids(connection, [market])
    series = load_closes(connection, calendar, list(ids.values()), start=0).series
    plain = first_cell - HISTORY - 1
    if not series:
        return plain
    found = series[ids[market]]
    observed = ~np.isnan(found.closes[: max(first_cell - found.first + 1, 0)])
    returns = np.flatnonzero(observed[1:] & observed[:-1]) + 1 + found.first
    if returns.size < HISTORY:
        return min(plain, found.first)
    return min(plain, int(returns[-HISTORY]) - 1)


def market_symbol(settings: Settings) -> str:
    """Return the symbol of the Market factor, on whose sessions x is counted."""
    return settings.model(MARKET_MODEL).symbols[0]


def _with_old_closes(closes: Closes, held: AbstractSet[int], start: int) -> int:
    """Reach back to the last close of every held instrument that has none at ``start``."""
    return min([start, *(one.first for key, one in closes.series.items() if key in held)])


def books_of(books: BookArrays, places: IntArray) -> BookArrays:
    """Return the books at some ``places``, their lots and flows, as if there were no others."""
    lots = _ranges(books.lot_start, places)
    flows = _ranges(books.flow_start, places)
    lot_counts, flow_counts = _sizes(books.lot_start, places), _sizes(books.flow_start, places)
    own = np.arange(places.size)
    return BookArrays(
        books=Books(books.books.first_row[places], books.books.opening_equity[places]),
        lots=Lots._make(part[lots] for part in books.lots)._replace(
            portfolio=np.repeat(own, lot_counts)
        ),
        flows=Flows._make(part[flows] for part in books.flows)._replace(
            portfolio=np.repeat(own, flow_counts)
        ),
        lot_start=np.concatenate([[0], np.cumsum(lot_counts)]),
        flow_start=np.concatenate([[0], np.cumsum(flow_counts)]),
    )


class BookCutter:
    """Cuts the books of some portfolios out of those of all."""

    def __init__(self, inputs: Inputs) -> None:
        self._books = inputs.books
        self._place = {key: index for index, key in enumerate(inputs.portfolio_ids)}

    def cut(self, portfolios: Sequence[str]) -> BookArrays:
        """Return the books of ``portfolios`` alone."""
        places = np.array([self._place[key] for key in portfolios], dtype=np.int64)
        return books_of(self._books, places)


class InputCutter:
    """Cuts the inputs of some cells out of those of all."""

    def __init__(self, inputs: Inputs, settings: Settings) -> None:
        self._books = BookCutter(inputs)
        columns = with_underlyings(inputs.panel, inputs.books.lots.instrument)
        self._panel = PanelCutter(inputs.panel, columns, settings)

    def cut(self, portfolios: Sequence[str], cells: Sequence[Sequence[int]]) -> ShardInputs:
        """Return the inputs of the ``cells`` (ascending ordinals) of each of ``portfolios``."""
        return self._panel.cut(self._books.cut(portfolios), cells)


class PanelCutter:
    """Cuts what books need out of a panel; remembers the fits of its last rows.

    ``columns`` are those that any of the books is in, with the underlyings of options.
    """

    def __init__(self, panel: Panel, columns: IntArray, settings: Settings) -> None:
        self._panel = panel
        self._columns = columns
        self._settings = settings
        self._market: FloatArray = panel.factor_returns(settings.model(MARKET_MODEL))[:, 0]
        self._rows = range(0)
        self._fits: dict[str, ModelFits] = {}
        self._factors: dict[range, SessionFactors] = {}

    def cut(self, books: BookArrays, cells: Sequence[Sequence[int]]) -> ShardInputs:
        """Return the inputs of the ``cells`` (ascending ordinals) of each of ``books``."""
        panel, lots = self._panel, books.lots
        first, last = min(one[0] for one in cells), max(one[-1] for one in cells)
        rows = range(first - panel.first, last - panel.first + 1)
        columns = with_underlyings(panel, lots.instrument)
        planned = np.zeros((len(cells), len(rows)), dtype=bool)
        counts = [len(ordinals) for ordinals in cells]
        ordinals = np.fromiter(chain.from_iterable(cells), dtype=np.int64, count=sum(counts))
        planned[np.repeat(np.arange(len(cells)), counts), ordinals - first] = True
        return ShardInputs(
            panel=panel,
            columns=columns,
            rows=rows,
            planned=planned,
            books=books.books,
            lots=lots._replace(instrument=np.searchsorted(columns, lots.instrument)),
            flows=books.flows,
            fits=self._fits_of(rows, columns),
            market=self._market,
            factors=self._factors_of(rows),
            risk_free=self._settings.risk_free,
        )

    def _factors_of(self, rows: range) -> SessionFactors:
        if rows not in self._factors:
            found = session_factors(self._panel, self._settings, rows=rows)
            self._factors = {rows: found}
        return self._factors[rows]

    def _fits_of(self, rows: range, columns: IntArray) -> dict[str, ModelFits]:
        """Return the fits of every model for ``rows`` and the panel's ``columns``.

        Those of all columns that some lot is in are made once, for all shards on the rows.
        """
        if rows != self._rows:
            panel = self._panel
            returns = _take(panel.marks.returns, self._columns)
            # One symbol with absurd prices must not take the fits of all others with it.
            with np.errstate(over="ignore", invalid="ignore"):
                self._fits = {
                    model.name: fit_model(
                        returns,
                        panel.factor_returns(model),
                        model=model,
                        rows=rows,
                        risk_free=panel.risk_free(model),
                    )
                    for model in self._settings.factor_model
                }
            self._rows = rows
        places = np.searchsorted(self._columns, columns)
        if places.size == self._columns.size:
            return dict(self._fits)
        return {name: fits.of(places) for name, fits in self._fits.items()}


def with_underlyings(panel: Panel, columns: IntArray) -> IntArray:
    """Return the columns, once each and in order, and those of the underlyings of options."""
    if panel.options is None:
        return np.unique(columns)
    which = panel.options.place[columns]
    under = panel.options.contracts.underlying[which[which >= 0]]
    return np.unique(np.concatenate([columns, under]))


def _take(values: FloatArray, columns: IntArray) -> FloatArray:
    return values if columns.size == values.shape[1] else values[:, columns]


def _sizes(starts: IntArray, places: IntArray) -> IntArray:
    found: IntArray = starts[places + 1] - starts[places]
    return found


def _ranges(starts: IntArray, places: IntArray) -> IntArray:
    """Return the places of all entries of some portfolios, one portfolio after another."""
    sizes = _sizes(starts, places)
    offsets = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    found: IntArray = np.repeat(starts[places], sizes) + offsets
    return found
