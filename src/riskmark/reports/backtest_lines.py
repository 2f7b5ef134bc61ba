"""Back-tests of what was stored: VaR and volatility against what happened a session later.

VaR of a session is held against the hypothetical P&L of the next, over the last 250 sessions
to the one shown; the exceptions of the actual P&L stand beside. Variances that were forecast
are scored against (pnl_hypothetical(t+1) / NAV(t))². A session is skipped, and counted, where
there is no snapshot of it or of the session before, and where either number is null.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection

from riskmark.calc.arrays import FloatArray
from riskmark.calc.backtests import (
    LIGHTS,
    VarBacktest,
    backtest_var,
    backtest_volatility,
    exceptions,
)
from riskmark.domain.reasons import NullReason, TrafficLight
from riskmark.domain.sessions import Calendar
from riskmark.reports.shown_numbers import Nulls, Number, nulls_of, number_at, values_of
from riskmark.storage.engines import as_date, bind_date, read_rows

SPAN = 250
"""Sessions of a back-test: what Basel asks for."""
LEVELS = {"var_95": 0.95, "var_99": 0.99, "var_95_param": 0.95, "var_99_param": 0.99}
"""The confidence of each VaR."""
FORECASTS = ("vol_har_1d", "vol_ewma")
"""Volatilities, a year, that are forecasts of the next session."""
_YEAR = 252
_TESTS = (
    "kupiec", "kupiec_p", "independence", "independence_p", "conditional", "conditional_p",
)  # fmt: skip
_COLUMNS = ("nav", "pnl", "pnl_hypothetical", *(f"{name}_money" for name in LEVELS), *FORECASTS)


@dataclass(frozen=True, slots=True)
class VarLine:
    """The back-test of one VaR; ``light`` is None without sessions."""

    measure: str
    confidence: float
    sessions: int
    skipped: int
    exceptions: int
    actual_exceptions: int
    expected: float
    tests: dict[str, Number]
    light: TrafficLight | None
    exception_sessions: tuple[date, ...]

    def document(self) -> dict[str, Any]:
        """Return the line as JSON has it."""
        return {
            "measure": self.measure,
            "confidence": self.confidence,
            "sessions": self.sessions,
            "skipped": self.skipped,
            "exceptions": self.exceptions,
            "actual_exceptions": self.actual_exceptions,
            "expected": self.expected,
            **values_of(self.tests),
            "traffic_light": self.light,
            "exception_sessions": list(self.exception_sessions),
        }

    def nulls(self) -> Nulls:
        """Yield the line's nulls."""
        name = f"backtests.var.{self.measure}"
        yield from nulls_of(name, self.tests)
        if self.light is None:
            yield f"{name}.traffic_light", NullReason.TOO_FEW_OBSERVATIONS


@dataclass(frozen=True, slots=True)
class VolatilityLine:
    """The mean losses of one volatility forecast."""

    measure: str
    sessions: int
    skipped: int
    losses: dict[str, Number]

    def document(self) -> dict[str, Any]:
        """Return the line as JSON has it."""
        return {
            "measure": self.measure,
            "sessions": self.sessions,
            "skipped": self.skipped,
            **values_of(self.losses),
        }

    def nulls(self) -> Nulls:
        """Yield the line's nulls."""
        yield from nulls_of(f"backtests.volatility.{self.measure}", self.losses)


@dataclass(frozen=True, slots=True)
class Backtests:
    """The back-tests of a portfolio as of one session."""

    var: tuple[VarLine, ...]
    volatility: tuple[VolatilityLine, ...]

    def document(self) -> dict[str, Any]:
        """Return the back-tests as JSON has them."""
        return {
            "var": [one.document() for one in self.var],
            "volatility": [one.document() for one in self.volatility],
        }

    def nulls(self) -> Nulls:
        """Yield the nulls."""
        lines: tuple[VarLine | VolatilityLine, ...] = (*self.var, *self.volatility)
        for one in lines:
            yield from one.nulls()


class _Stored(NamedTuple):
    """Stored numbers (S + 1, columns) on consecutive sessions; NaN where there is none."""

    sessions: tuple[date, ...]
    values: FloatArray

    def before(self, name: str) -> FloatArray:
        """Return a column on the sessions that are followed by one: (1, S)."""
        return self.values[None, :-1, _COLUMNS.index(name)]

    def after(self, name: str) -> FloatArray:
        """Return a column on the sessions that follow one: (1, S)."""
        return self.values[None, 1:, _COLUMNS.index(name)]


def load_backtests(
    connection: Connection, calendar: Calendar, portfolio_id: str, session: date
) -> Backtests:
    """Read a portfolio's snapshots up to ``session``, and back-test what they said."""
    stored = _load(connection, calendar, portfolio_id, session)
    return Backtests(var=tuple(_var_lines(stored)), volatility=tuple(_volatility_lines(stored)))


def _load(connection: Connection, calendar: Calendar, portfolio_id: str, session: date) -> _Stored:
    last = calendar.on_or_before(session)
    statement = "SELECT MIN(session) FROM snapshot WHERE portfolio_id = ?"
    ((oldest,),) = read_rows(connection, statement, (portfolio_id,))
    # What lies before a book's first snapshot is not missing.
    first = last if oldest is None else calendar.on_or_before(as_date(oldest))
    first = min(max(first, last - SPAN, 0), last)
    names = ", ".join(_COLUMNS)
    rows = read_rows(
        connection,
        f"SELECT session, {names} FROM snapshot WHERE portfolio_id = ? "
        "AND session BETWEEN ? AND ? ORDER BY session",
        (
            portfolio_id,
            bind_date(connection, calendar.sessions[first]),
            bind_date(connection, calendar.sessions[last]),
        ),
    )
    known = [(as_date(row[0]), row[1:]) for row in rows]
    values = np.full((last - first + 1, len(_COLUMNS)), np.nan)
    for day, numbers in known:
        if calendar.is_session(day):
            values[calendar.on_or_before(day) - first] = numbers
    return _Stored(tuple(calendar.sessions[first : last + 1]), values)


def _var_lines(stored: _Stored) -> Iterator[VarLine]:
    pnl, actual = stored.after("pnl_hypothetical"), stored.after("pnl")
    for measure, confidence in LEVELS.items():
        var = stored.before(f"{measure}_money")
        found = backtest_var(pnl, var, confidence=confidence)
        hit, counted = exceptions(pnl, var)
        beyond, _ = exceptions(actual, var)
        place = int(found.light[0])
        yield VarLine(
            measure=measure,
            confidence=confidence,
            sessions=int(found.sessions[0]),
            skipped=int(found.skipped[0]),
            exceptions=int(found.exceptions[0]),
            actual_exceptions=int((beyond & counted).sum()),
            expected=float(found.expected[0]),
            tests=_tests(found),
            light=None if place < 0 else LIGHTS[place],
            exception_sessions=tuple(
                stored.sessions[1 + row] for row in np.flatnonzero(hit[0]).tolist()
            ),
        )


def _tests(found: VarBacktest) -> dict[str, Number]:
    return {name: number_at(getattr(found, name), 0) for name in _TESTS}


def _volatility_lines(stored: _Stored) -> Iterator[VolatilityLine]:
    nav = stored.before("nav")
    capital = np.where(nav > 0, nav, np.nan)
    realized = np.square(stored.after("pnl_hypothetical") / capital)
    for measure in FORECASTS:
        variance = np.square(stored.before(measure)) / _YEAR
        found = backtest_volatility(variance, realized)
        yield VolatilityLine(
            measure=measure,
            sessions=int(found.sessions[0]),
            skipped=int(found.skipped[0]),
            losses={"qlike": number_at(found.qlike, 0), "mse": number_at(found.mse, 0)},
        )
