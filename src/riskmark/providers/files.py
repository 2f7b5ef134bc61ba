"""A folder of CSV or Parquet files as a provider: read when something in it has changed.

The reader is handed in, as reading market files is a matter of storage.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from riskmark.domain.reasons import AnswerReason
from riskmark.errors import InputError
from riskmark.intake.market_data import Action, Bars
from riskmark.providers.checking import Checker, RawAnswer, RawBar
from riskmark.providers.outcomes import Outcome, Stopped
from riskmark.providers.port import Answer, Profile, Wanted

Read = Callable[[Path], tuple[Bars, tuple[Action, ...]]]
_Seen = tuple[tuple[str, int, int], ...]


class Files:
    """Bars and actions of a folder."""

    name = "files"
    domain = "files"

    def __init__(self, folder: Path, read: Read, checker: Checker) -> None:
        self._folder = folder
        self._read = read
        self._checker = checker
        self._seen: _Seen | None = None
        self._held: tuple[Bars, tuple[Action, ...]] | None = None
        self._problem: Outcome | None = None

    def fetch(self, wanted: Wanted) -> Answer:
        """Give what the files have of a symbol."""
        try:
            bars, actions = self._current()
            answer = self._checker.check(_raw(bars, actions, wanted.symbol), wanted)
        except Stopped as stop:
            return Answer(wanted.symbol, stop.outcome)
        return answer

    def fetch_profile(self, symbol: str) -> tuple[Profile, Outcome]:
        """Files of bars say nothing of what a symbol is."""
        return Profile(), Outcome(AnswerReason.NO_DATA_IN_RANGE, f"files do not say: {symbol}")

    def close(self) -> None:
        """Nothing is open."""

    def _current(self) -> tuple[Bars, tuple[Action, ...]]:
        seen = self._state()
        if seen != self._seen:
            self._held, self._problem = None, None
            try:
                self._held = self._read(self._folder)
            except InputError as error:
                self._problem = Outcome(AnswerReason.BAD_PAYLOAD, str(error)[:300])
            # What was written while it was read has another state, and is read again.
            self._seen = seen
        if self._problem is not None:
            raise Stopped(self._problem.reason, self._problem.detail)
        if self._held is None:
            raise Stopped(AnswerReason.TRANSIENT, "the folder cannot be read")
        return self._held

    def _state(self) -> _Seen:
        try:
            found = sorted(path for path in self._folder.iterdir() if path.is_file())
            return tuple((p.name, p.stat().st_mtime_ns, p.stat().st_size) for p in found)
        except OSError as error:
            detail = f"the folder cannot be read: {error.strerror}"
            raise Stopped(AnswerReason.TRANSIENT, detail) from error


def _raw(bars: Bars, actions: tuple[Action, ...], symbol: str) -> RawAnswer:
    if symbol not in bars.symbols:
        raise Stopped(AnswerReason.UNKNOWN_SYMBOL, "no file has this symbol")
    mine = bars.where(bars.symbol == bars.symbols.index(symbol))
    columns = (mine.open, mine.high, mine.low, mine.close, mine.volume)
    values = np.stack(columns, axis=1).astype(object)
    values[np.isnan(values.astype(np.float64))] = None
    days = mine.session.astype("datetime64[D]").tolist()
    rows = tuple(RawBar(day, *row) for day, row in zip(days, values.tolist(), strict=True))
    currencies = [] if mine.currency is None else sorted(set(mine.currency.tolist()) - {""})
    if len(currencies) > 1:
        raise Stopped(AnswerReason.BAD_PAYLOAD, f"in {len(currencies)} currencies")
    return RawAnswer(
        asked=symbol,
        echoed=symbol,
        rows=rows,
        actions=tuple(action for action in actions if action.symbol == symbol),
        is_adjusted=False,
        profile=Profile(currency=currencies[0] if currencies else None),
    )
