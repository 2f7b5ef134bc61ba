"""A folder of CSV or Parquet files as a provider: each file is read when it has changed.

A file that was written a moment ago is left to its writer; one that changes while it is read
is read again later; one that cannot be read is named, and the others serve. What was read is
kept for as long as the process lives: the next run reads only what has changed since.

The reader is handed in, as reading market files is a matter of storage.
"""

import functools
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

from riskmark.domain.instruments import other_spelling
from riskmark.domain.reasons import AnswerReason
from riskmark.errors import InputError
from riskmark.intake.market_data import Action, Bars, IntArray, join_bars
from riskmark.providers.checking import Checker, RawAnswer, RawBar
from riskmark.providers.outcomes import Outcome, Stopped
from riskmark.providers.port import Answer, Profile, Wanted

QUIET = timedelta(seconds=2)
"""How long a file must have been left alone before it is read."""
LOOK_AGAIN = timedelta(seconds=1)
"""How often a run looks whether a file has changed."""
PATIENCE = 3
"""How often in a run a file that is being written is waited for."""
MOST_NAMED = 3
"""Files that cannot be read that an answer names; the rest are counted."""
_State = tuple[int, int, int]
_NO_TARGET: _State = (0, 0, 0)
"""The state of a link to nothing."""


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


class _Index(NamedTuple):
    """The bars of all files in order of symbol: those of one stand between two bounds."""

    bars: Bars
    places: Mapping[str, int]
    bounds: IntArray

    def of(self, symbol: str, first: date, last: date) -> Bars | None:
        """Return the bars of a symbol between two dates; None if no file knows it."""
        other = other_spelling(symbol)
        place = self.places.get(symbol)
        if place is None and other is not None:
            place = self.places.get(other)
        if place is None:
            return None
        mine = self.bars.where(np.arange(self.bounds[place], self.bounds[place + 1]))
        inside = (mine.session >= np.datetime64(first)) & (mine.session <= np.datetime64(last))
        # Without a close a row says nothing of its session.
        return mine.where(inside & ~np.isnan(mine.close))


@dataclass
class _Shelf:
    """What was read of one place, file by file, and all of it together."""

    files: dict[Path, _File] = field(default_factory=dict)
    index: _Index | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


@functools.lru_cache(maxsize=4)
def _shelf(place: Path, what: str) -> _Shelf:
    del place, what  # bars and actions may stand in one folder
    return _Shelf()


@dataclass(frozen=True, slots=True)
class _Found:
    """What there is now: readable files, what is wrong with others, and when to come again."""

    index: _Index
    actions: tuple[Action, ...]
    problems: tuple[str, ...]
    until: datetime | None
    bad_names: frozenset[str] = frozenset()
    """What the files that cannot be read are called, as symbols."""


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
        report: Callable[[Outcome], None] | None = None,
    ) -> None:
        self._folder = folder
        self._actions = actions
        self._reader = reader
        self._checker = checker
        self._now = now
        self._report = report
        self._patience = PATIENCE
        self._seen: dict[str, tuple[datetime, _Found]] = {}

    def fetch(self, wanted: Wanted) -> Answer:
        """Give what the files have of a symbol."""
        try:
            actions = self._current_actions()
            found = self._current(self._folder, "bars")
            raw = _raw(found.index, actions, wanted)
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
        """Say of an answer that is not whole which files could not be read.

        A file that cannot be read says nothing of a symbol, unless it has its name; one that is
        being written may soon.
        """
        outcome = answer.outcome
        if outcome.reason is AnswerReason.OK or not found.problems:
            return answer
        detail = "; ".join(text for text in (outcome.detail, _named(found.problems)) if text)
        stop = self._stop(detail, found.until)
        is_hopeless = stop.outcome.reason is not AnswerReason.TRANSIENT
        is_other_s = found.until is None and answer.symbol not in found.bad_names
        if is_hopeless and (outcome.has_data or is_other_s):
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
            raise self._stop(_named(found.problems), found.until)
        return found.actions

    def _current(self, place: Path, what: str) -> _Found:
        """Return what there is, as it was a second ago at the most if all was well."""
        at, seen = self._seen.get(what, (None, None))
        if at is not None and seen is not None and not seen.problems:
            age = self._now() - at
            if timedelta(0) <= age < LOOK_AGAIN:
                return seen
        found = self._look(place, what)
        self._tell(found, seen)
        self._seen[what] = self._now(), found
        return found

    def _tell(self, found: _Found, seen: _Found | None) -> None:
        """Let the state of the provider show what is wrong with its files, where that is news."""
        if self._report is None or (seen is not None and seen.problems == found.problems):
            return
        reason = AnswerReason.BAD_PAYLOAD if found.problems else AnswerReason.OK
        self._report(Stopped(reason, _named(found.problems)).outcome)

    def _look(self, place: Path, what: str) -> _Found:
        """Read what has changed since it was read."""
        try:
            paths = self._reader.find(place)
        except (InputError, OSError) as error:
            raise Stopped(AnswerReason.BAD_PAYLOAD, str(error)) from error
        shelf, until, problems = _shelf(place, what), None, []
        with shelf.lock:
            held, now = shelf.files, {}
            for path in paths:
                try:
                    now[path] = self._read(path, held.get(path), what)
                except _Unsettled as unsettled:
                    until = max(until or unsettled.until, unsettled.until)
                    problems.append(str(unsettled))
            if shelf.index is None or [*map(id, now.values())] != [*map(id, held.values())]:
                shelf.files = now
                shelf.index = _merge([file.bars for file in now.values() if file.bars is not None])
            bad = [path for path, file in now.items() if file.problem]
            problems += [now[path].problem for path in bad]
            actions = tuple(action for file in now.values() for action in file.actions)
            names = frozenset(path.name.partition(".")[0].upper() for path in bad)
            return _Found(shelf.index, actions, tuple(problems), until, names)

    def _read(self, path: Path, held: _File | None, what: str) -> _File:
        state = _state(path)
        if held is not None and held.state == (state or _NO_TARGET):
            return held
        now = self._now()
        if state is None and path.is_symlink():
            return _File(_NO_TARGET, problem=f"{path.name} is a link to a file that is not there")
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
            return _File(state, self._reader.bars(path))
        except (InputError, OSError) as error:
            return _File(state, problem=str(error))


_NOTHING = Outcome(AnswerReason.NO_DATA_IN_RANGE, "no file has this symbol")
# Not "unknown": that is believed for a night, and a file may come any minute.


def _named(problems: Sequence[str]) -> str:
    """Name a few things that are wrong, and count the rest."""
    if len(problems) <= 1:
        return "".join(problems)
    more = len(problems) - MOST_NAMED
    listed = "; ".join(problems[:MOST_NAMED])
    return f"{len(problems)} files: {listed}" + (f"; and {more} more" if more > 0 else "")


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


def _merge(parts: list[Bars]) -> _Index:
    """Put the bars of all files in order of symbol."""
    bars = join_bars(parts)
    order = np.argsort(bars.symbol, kind="stable")
    bars = bars.where(order)
    bounds = np.searchsorted(bars.symbol, np.arange(len(bars.symbols) + 1))
    return _Index(bars, {symbol: place for place, symbol in enumerate(bars.symbols)}, bounds)


def _raw(index: _Index, actions: Iterable[Action], wanted: Wanted) -> RawAnswer | None:
    """Return what the files have of a symbol in the range; None if none knows it."""
    mine = index.of(wanted.symbol, wanted.first, wanted.last)
    if mine is None:
        return None
    currencies = set() if mine.currency is None else set(mine.currency.tolist()) - {""}
    if len(currencies) > 1:
        raise Stopped(AnswerReason.BAD_PAYLOAD, f"in {len(currencies)} currencies")
    return RawAnswer(
        asked=wanted.symbol,
        echoed=wanted.symbol,
        rows=tuple(_rows(mine)),
        actions=tuple(
            replace(action, symbol=wanted.symbol)
            for action in actions
            if action.symbol in {wanted.symbol, other_spelling(wanted.symbol)}
        ),
        is_adjusted=False,
        profile=Profile(currency=currencies.pop() if currencies else None),
    )


def _rows(bars: Bars) -> list[RawBar]:
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    values = np.stack(columns, axis=1).astype(object)
    values[np.isnan(values.astype(np.float64))] = None
    days = bars.session.astype("datetime64[D]").tolist()
    return [RawBar(day, *row) for day, row in zip(days, values.tolist(), strict=True)]
