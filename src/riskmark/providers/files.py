"""A folder of CSV or Parquet files as a provider: each file is read when it has changed.

A file that was written a moment ago is left to its writer; one that changes while it is read
is read again later; one that cannot be read is named, and the others serve. What was read is
kept for as long as the process lives: the next run reads only what has changed since.

The reader is handed in, as reading market files is a matter of storage.
"""

import functools
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

from riskmark.domain.reasons import AnswerReason
from riskmark.errors import InputError
from riskmark.intake.market_data import Action, Bars
from riskmark.providers.checking import Checker, RawAnswer, RawBar
from riskmark.providers.outcomes import Outcome, Stopped
from riskmark.providers.port import Answer, Profile, Wanted

QUIET = timedelta(seconds=2)
"""How long a file must have been left alone before it is read."""
PATIENCE = 3
"""How often in a run a file that is being written is waited for."""
_State = tuple[int, int, int]


class FileReader(NamedTuple):
    """How to find the files of a folder, and to read bars or actions from one."""

    find: Callable[[Path], list[Path]]
    bars: Callable[[Path], Bars]
    actions: Callable[[Path], tuple[Action, ...]]


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it was read, in the state that it had."""

    state: _State
    bars: Bars | None = None
    actions: tuple[Action, ...] = ()
    problem: str = ""
    places: dict[str, int] = field(default_factory=dict)


@dataclass
class _Shelf:
    """What was read of one place, file by file."""

    files: dict[Path, _File] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


@functools.lru_cache(maxsize=4)
def _shelf(place: Path, what: str) -> _Shelf:
    del place, what  # bars and actions may stand in one folder
    return _Shelf()


@dataclass(frozen=True, slots=True)
class _Found:
    """What there is now: readable files, what is wrong with others, and when to come again."""

    files: tuple[_File, ...]
    problems: tuple[str, ...]
    until: datetime | None


class Files:
    """Bars and actions of folders, or of single files."""

    name = "files"
    domain = "files"

    def __init__(
        self,
        folder: Path,
        reader: FileReader,
        checker: Checker,
        *,
        now: Callable[[], datetime],
        actions: Path | None = None,
    ) -> None:
        self._folder = folder
        self._actions = actions
        self._reader = reader
        self._checker = checker
        self._now = now
        self._patience = PATIENCE

    def fetch(self, wanted: Wanted) -> Answer:
        """Give what the files have of a symbol."""
        try:
            actions = self._current_actions()
            found = self._current(self._folder, "bars")
            raw = _raw(found.files, actions, wanted)
            answer = Answer(wanted.symbol, _NOTHING)
            if raw is not None:
                answer = self._checker.check(raw, wanted)
            return self._with_problems(answer, found)
        except Stopped as stop:
            return Answer(wanted.symbol, stop.outcome)

    def fetch_profile(self, symbol: str) -> tuple[Profile, Outcome]:
        """Files of bars say nothing of what a symbol is."""
        return Profile(), Outcome(AnswerReason.NO_DATA_IN_RANGE, f"files do not say: {symbol}")

    def close(self) -> None:
        """Nothing is open."""

    def _with_problems(self, answer: Answer, found: _Found) -> Answer:
        """Say of an answer that is not whole which files could not be read."""
        outcome = answer.outcome
        if outcome.reason is AnswerReason.OK or not found.problems:
            return answer
        detail = "; ".join(text for text in (*found.problems, outcome.detail) if text)
        stop = self._stop(detail, found.until)
        if outcome.has_data and stop.outcome.reason is not AnswerReason.TRANSIENT:
            return replace(answer, outcome=replace(outcome, detail=stop.outcome.detail))
        raise stop

    def _stop(self, detail: str, until: datetime | None) -> Stopped:
        """Make the end of a request that a file stands in the way of."""
        if until is None:
            return Stopped(AnswerReason.BAD_PAYLOAD, detail)
        if self._patience <= 0:
            return Stopped(AnswerReason.NOT_FINAL_YET, detail)
        self._patience -= 1
        return Stopped(AnswerReason.TRANSIENT, detail, until=until)

    def _current_actions(self) -> tuple[Action, ...]:
        """Return all actions; without one of their files, no bar can be trusted."""
        if self._actions is None:
            return ()
        found = self._current(self._actions, "actions")
        if found.problems:
            raise self._stop("; ".join(found.problems), found.until)
        return tuple(action for file in found.files for action in file.actions)

    def _current(self, place: Path, what: str) -> _Found:
        """Read what has changed since it was read."""
        try:
            paths = self._reader.find(place)
        except (InputError, OSError) as error:
            raise Stopped(AnswerReason.BAD_PAYLOAD, str(error)) from error
        shelf, until, problems = _shelf(place, what), None, []
        with shelf.lock:
            for gone in set(shelf.files) - set(paths):
                del shelf.files[gone]
            for path in paths:
                try:
                    file = self._read(path, shelf.files.get(path), what)
                except _Unsettled as unsettled:
                    until = max(until or unsettled.until, unsettled.until)
                    problems.append(str(unsettled))
                    shelf.files.pop(path, None)
                    continue
                shelf.files[path] = file
                if file.problem:
                    problems.append(file.problem)
            files = tuple(file for file in shelf.files.values() if not file.problem)
        return _Found(files, tuple(problems), until)

    def _read(self, path: Path, held: _File | None, what: str) -> _File:
        state = _state(path)
        if held is not None and state is not None and held.state == state:
            return held
        now = self._now()
        if state is None:
            raise _Unsettled(path, "has just gone", now + QUIET)
        written = datetime.fromtimestamp(state[0] / 1e9, UTC)
        if now - QUIET < written <= now:
            raise _Unsettled(path, "is being written", written + QUIET)
        file = self._content(path, state, what)
        if _state(path) != state:
            raise _Unsettled(path, "changed while it was read", now + QUIET)
        return file

    def _content(self, path: Path, state: _State, what: str) -> _File:
        try:
            if what == "actions":
                return _File(state, actions=self._reader.actions(path))
            bars = self._reader.bars(path)
        except (InputError, OSError) as error:
            return _File(state, problem=str(error))
        return _File(state, bars, places={name: n for n, name in enumerate(bars.symbols)})


_NOTHING = Outcome(AnswerReason.NO_DATA_IN_RANGE, "no file has this symbol")
# Not "unknown": that is believed for a night, and a file may come any minute.


class _Unsettled(Exception):
    """A file is being changed."""

    def __init__(self, path: Path, what: str, until: datetime) -> None:
        super().__init__(f"{path.name} {what}")
        self.until = until


def _state(path: Path) -> _State | None:
    """Return what changes when a file does, or when it becomes readable."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size


def _raw(files: Iterable[_File], actions: Iterable[Action], wanted: Wanted) -> RawAnswer | None:
    """Return what the files have of a symbol in the range; None if none knows it."""
    having = [file for file in files if wanted.symbol in file.places]
    if not having:
        return None
    rows: list[RawBar] = []
    currencies: set[str] = set()
    for file in having:
        if file.bars is not None:
            mine = _of(file.bars, file.places[wanted.symbol], wanted.first, wanted.last)
            rows.extend(_rows(mine))
            if mine.currency is not None:
                currencies |= set(mine.currency.tolist()) - {""}
    if len(currencies) > 1:
        raise Stopped(AnswerReason.BAD_PAYLOAD, f"in {len(currencies)} currencies")
    return RawAnswer(
        asked=wanted.symbol,
        echoed=wanted.symbol,
        rows=tuple(rows),
        actions=tuple(action for action in actions if action.symbol == wanted.symbol),
        is_adjusted=False,
        profile=Profile(currency=currencies.pop() if currencies else None),
    )


def _of(bars: Bars, place: int, first: date, last: date) -> Bars:
    inside = (bars.session >= np.datetime64(first)) & (bars.session <= np.datetime64(last))
    # Without a close a row says nothing of its session.
    return bars.where((bars.symbol == place) & inside & ~np.isnan(bars.close))


def _rows(bars: Bars) -> list[RawBar]:
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    values = np.stack(columns, axis=1).astype(object)
    values[np.isnan(values.astype(np.float64))] = None
    days = bars.session.astype("datetime64[D]").tolist()
    return [RawBar(day, *row) for day, row in zip(days, values.tolist(), strict=True)]
