"""Where the time of a run goes: functions of the engine, timed whenever it calls them.

What a function takes counts for its part without what the timed functions inside it take,
so that the parts sum to the whole.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from riskmark.engine import rounds, run, shard_compute, symbol_work
from riskmark.engine.shard_work import ShardWork
from riskmark.valuation import (
    analytics,
    factor_risk,
    held,
    inputs,
    panels,
    position_rows,
    risk,
    shard,
)
from riskmark.valuation.inputs import BookCutter, PanelCutter

READ, PLAN, ROWS, WRITE, OTHER = "read", "plan", "rows and checks", "write", "bookkeeping"
REST = "analytics: rest"


class Timed(NamedTuple):
    """A function of the engine, where it is looked up, and the part that it counts for."""

    where: Any
    name: str
    part: str


PURE = (
    Timed(panels, "build_marks", "returns from closes"),
    Timed(inputs, "fit_model", "fits of symbols"),
    Timed(inputs, "session_factors", "factors"),
    Timed(shard_compute, "value", "accounting"),
    Timed(shard_compute, "analyse", REST),
    Timed(symbol_work, "fit_model", "fits of symbols"),
    Timed(symbol_work, "detail_model", "errors of the newest fits"),
)
"""The pure functions that a run is made of; nothing in them reads, writes or makes rows."""
INSIDE = (
    Timed(shard, "measure_performance", "performance"),
    Timed(held, "holdings_returns", "series x"),
    Timed(analytics, "factor_risk", "factor risk: rest"),
    Timed(factor_risk, "model_exposures", "exposures"),
    Timed(factor_risk, "fit_portfolios", "fits of x"),
    Timed(factor_risk, "split_risk", "risk split"),
    Timed(factor_risk, "stress", "stress"),
    Timed(analytics, "volatility_and_tail", "volatility"),
    Timed(risk, "forecast_volatility", "forecasts"),
    Timed(risk, "historical_risk", "tail"),
    Timed(position_rows, "tail_components", "tail"),
    Timed(analytics, "tracking", "tracking"),
    Timed(risk, "correlation_summaries", "correlation and bets"),
    Timed(risk, "diversification_ratio", "diversification"),
)
"""What they are made of."""
AROUND = (
    Timed(run, "load_calendar", READ),
    Timed(rounds, "read_round", PLAN),
    Timed(rounds, "load_plan", PLAN),
    Timed(inputs, "load_stored_books", READ),
    Timed(inputs, "load_instruments", READ),
    Timed(inputs, "load_closes", READ),
    Timed(inputs, "build_panel", READ),
    Timed(inputs, "book_arrays", READ),
    Timed(run, "cut_plan", PLAN),
    Timed(BookCutter, "cut", ROWS),
    Timed(PanelCutter, "cut", ROWS),
    Timed(shard_compute, "violations", ROWS),
    Timed(shard_compute, "shard_rows", ROWS),
    Timed(symbol_work, "_fit_lines", ROWS),
    Timed(symbol_work, "pack_columns", ROWS),
    Timed(symbol_work, "_metric_rows", ROWS),
    Timed(ShardWork, "_write", WRITE),
    Timed(symbol_work, "note_prices", WRITE),
    Timed(symbol_work, "save_symbols", WRITE),
)
"""What the engine does beside arithmetic."""
ARITHMETIC = tuple(dict.fromkeys(one.part for one in PURE + INSIDE))


class Stopwatch:
    """Seconds by part."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inner = threading.local()

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``function``, whose calls count for ``part``."""

        def call(*arguments: Any, **options: Any) -> Any:
            inner = self._inner.__dict__.setdefault("seconds", [0.0])
            started = time.perf_counter()
            inner.append(0.0)
            try:
                return function(*arguments, **options)
            finally:
                taken = time.perf_counter() - started
                self.seconds[part] += taken - inner.pop()
                inner[-1] += taken

        return call

    @contextmanager
    def watching(self, *functions: Timed) -> Iterator[None]:
        """Time every call of ``functions`` inside."""
        with ExitStack() as stack:
            for one in functions:
                stack.enter_context(
                    replaced(one.where, one.name, lambda call, one=one: self.timed(one.part, call))
                )
            yield


def time_run(work: Callable[[], object]) -> dict[str, float]:
    """Return where the seconds of a run of the engine go."""
    watch = Stopwatch()
    with watch.watching(*PURE, *INSIDE, *AROUND):
        watch.timed(OTHER, work)()
    return dict(watch.seconds)


def arithmetic_of(seconds: Mapping[str, float]) -> float:
    """Sum up the parts that are arithmetic."""
    return sum(seconds.get(part, 0.0) for part in ARITHMETIC)


@contextmanager
def replaced(where: Any, name: str, wrap: Callable[..., Any]) -> Iterator[None]:
    """Put a function in another's place for as long as the context lasts."""
    original = getattr(where, name)
    setattr(where, name, wrap(original))
    try:
        yield
    finally:
        setattr(where, name, original)
