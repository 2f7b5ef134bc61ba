"""A shard's arithmetic: arrays in, rows ready to write out; no database, in any process.

What all shards of a round have in common is handed over once, what one of them needs with
each task. Whatever goes wrong becomes a record, never a number: this is Riskmark's one
catch-all.
"""

import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from riskmark import faults
from riskmark.calc.arrays import IntArray
from riskmark.domain.runs import ANALYTICS, SYMBOL_FACTORS, VALUATION, VERIFY, Phase
from riskmark.engine import collection
from riskmark.engine.rows import ShardRows, Stamp, shard_rows
from riskmark.settings import Settings
from riskmark.valuation.analytics import analyse
from riskmark.valuation.checks import violations
from riskmark.valuation.holdings import BookArrays
from riskmark.valuation.inputs import PanelCutter
from riskmark.valuation.panels import Panel
from riskmark.valuation.shard import value

MAX_DETAIL = 8_000
"""Characters of a traceback that are kept."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all shards of a round are computed from.

    ``key`` names it; ``columns`` are those of the panel that any book is in. Sessions become
    text in rows where ``text_sessions`` says so.
    """

    key: str
    panel: Panel
    columns: IntArray
    settings: Settings
    text_sessions: bool

    def load(self) -> "Shared":
        """Return itself: it is here already."""
        return self


class ShardTask(NamedTuple):
    """One shard: portfolios, the ordinals of the cells of each, and their books alone."""

    portfolios: tuple[str, ...]
    ordinals: Sequence[Sequence[int]]
    books: BookArrays
    stamp: Stamp


class Computed(NamedTuple):
    """The rows of a shard, the invariant that each portfolio violates, and seconds by phase."""

    rows: ShardRows
    violations: dict[str, str]
    seconds: tuple[tuple[Phase, float], ...]


class Failed(NamedTuple):
    """What was raised instead, and where."""

    reason: str
    detail: str


Outcome: TypeAlias = Computed | Failed


class ShardComputer:
    """Computes the shards of one round."""

    def __init__(self, shared: Shared) -> None:
        self.key = shared.key
        self._shared = shared
        self._cutter = PanelCutter(shared.panel, shared.columns, shared.settings)

    def compute(self, task: ShardTask) -> Outcome:
        """Compute, check and make the rows of a shard."""
        try:
            with collection.held_off():
                return self._compute(task)
        except Exception as error:  # noqa: BLE001 - the one place where anything becomes a record
            detail = "".join(traceback.format_exception(error))[-MAX_DETAIL:]
            return Failed(f"{type(error).__name__}: {error}", detail)

    def _compute(self, task: ShardTask) -> Computed:
        faults.point("shard.computing")
        started = time.perf_counter()
        inputs = self._cutter.cut(task.books, task.ordinals)
        fitted = time.perf_counter()
        valued = value(inputs)
        done = time.perf_counter()
        numbers = analyse(inputs, valued)
        analysed = time.perf_counter()
        broken = violations(inputs, valued, numbers)
        rows = shard_rows(
            numbers,
            self._shared.panel,
            task.portfolios,
            stamp=task.stamp,
            text_sessions=self._shared.text_sessions,
        )
        verified = time.perf_counter()
        return Computed(
            rows,
            {task.portfolios[place]: name for place, name in broken.items()},
            (
                (SYMBOL_FACTORS, fitted - started),
                (VALUATION, done - fitted),
                (ANALYTICS, analysed - done),
                (VERIFY, verified - analysed),
            ),
        )
