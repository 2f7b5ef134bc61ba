"""The cases: what is measured, on which installation, and against what."""

import gc
import os
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from tests.bench import crowd as crowds
from tests.bench import installation
from tests.bench.crowd import Crowd
from tests.bench.floor import Floor, measure_floor, needed_reads, record_run
from tests.bench.market import GeneratedBook, GeneratedMarket, make_book, make_market, real_sessions
from tests.bench.notebook import Notebook
from tests.bench.numbers import assert_same, load_cell
from tests.bench.parts import time_run
from tests.bench.savvy import Savvy

from riskmark.app import App
from riskmark.domain.reasons import Source
from riskmark.settings import Settings, load_settings

HISTORY = 254
"""Sessions of a backfill, and of the history before a night: a year and the session of it."""
LONG_HISTORY = 756
WINDOW = 505
"""Sessions before the first one valued that its windows reach back to."""
FLOOR_BAR = 3.0
BACKFILL_BARS = (150.0, 10.0)
"""How many times the engine's seconds the notebook and the savvy baseline must take."""
NIGHT_BARS = (500.0, 40.0)
PARTS_REPEATS = 3
IDLE_BAR_S = 0.3
NOTEBOOK_EVERY = 6
"""The notebook computes every sixth session of a backfill; the time for all is extrapolated."""
NOTEBOOK_BOOKS = 8
"""Books of the night that the notebook computes; the time for all is extrapolated."""
SAVVY_BOOKS = 200
SAVVY_REPEATS = 3
"""The notebook takes so long that chance evens out by itself."""
CHECKED_BOOKS = 5


class Scale(NamedTuple):
    """How large the night and the idle run are, and how often each is repeated."""

    books: int = 1_000
    stocks: int = 500
    repeats: int = 7
    crowd_repeats: int = 3


class Timing(NamedTuple):
    """The engine's seconds over the repetitions, each one's floor, and where they go."""

    engine: tuple[float, ...]
    floors: tuple[Floor, ...]
    parts: Mapping[str, float]

    @property
    def seconds(self) -> float:
        """The median of the engine."""
        return statistics.median(self.engine)

    @property
    def floor(self) -> Floor:
        """The median of each part of the floor."""
        return Floor(*(statistics.median(part) for part in zip(*self.floors, strict=True)))

    @property
    def ratio(self) -> float:
        """The median of the ratios, each of a run and the floor measured beside it."""
        pairs = zip(self.engine, self.floors, strict=True)
        return statistics.median(seconds / floor.total for seconds, floor in pairs)


class Baseline(NamedTuple):
    """A baseline's seconds for the whole work, and for the share of it that was done.

    ``bar`` is how many times the engine's seconds it must take at least.
    """

    seconds: float
    measured: float
    share: float
    bar: float


class Compared(NamedTuple):
    """A case that is held against the floor and the baselines."""

    name: str
    timing: Timing
    notebook: Baseline
    savvy: Baseline


class Timed(NamedTuple):
    """A case that has a bar in seconds; ``cpu`` is what was computed in them."""

    name: str
    seconds: float
    cpu: float
    bar: float


def backfill(folder: Path, scale: Scale, *, packed: bool) -> Compared:
    """One new book: 30 symbols on 254 sessions.

    ``packed``: the installation has valued these symbols before, so that their closes are
    packed; else this is its first run.
    """
    market, book = backfill_inputs()
    template = backfill_database(folder, market, book, packed=packed)
    timing = _time_engine(template, market, scale, books=[book], since=HISTORY)
    sessions = market.sessions[-HISTORY:]
    some = sessions[::NOTEBOOK_EVERY]
    notebook_s = seconds_of(lambda: Notebook(market, default_settings()).report_all(book, some))
    savvy_s = statistics.median(
        seconds_of(lambda: Savvy(market, default_settings()).report_all(book, sessions))
        for _ in range(SAVVY_REPEATS)
    )
    name = "backfill, closes packed" if packed else "backfill, first run"
    share = len(some) / HISTORY
    return Compared(
        f"{name}: 30 symbols × {HISTORY} sessions",
        timing,
        Baseline(notebook_s / share, notebook_s, share, BACKFILL_BARS[0]),
        Baseline(savvy_s, savvy_s, 1.0, BACKFILL_BARS[1]),
    )


def backfill_inputs() -> tuple[GeneratedMarket, GeneratedBook]:
    """Generate what the backfill works on: every stock but a few is held or was."""
    market = make_market(real_sessions(), stocks=33)
    return market, make_book(market, "one", first_row=_row(HISTORY), seed=4)


def backfill_database(
    folder: Path, market: GeneratedMarket, book: GeneratedBook, *, packed: bool
) -> Path:
    """Make the installation of the backfill; nothing of ``book`` is valued yet."""

    def build(path: Path) -> None:
        session = market.sessions[-1]
        installation.create(path, market, stop=len(market.sessions))
        if packed:
            installation.add_books(path, session, [book._replace(name="other")])
            _run_once(path, market)
        installation.add_books(path, session, [book])

    return installation.made(folder / f"backfill-{packed}.db", build)


def night(folder: Path, scale: Scale) -> Compared:
    """A thousand books on one more session."""
    market = make_market(real_sessions(), stocks=scale.stocks)
    books = _books(market, scale.books, first_row=_row(HISTORY))
    template = night_database(folder, market, books)
    timing = _time_engine(template, market, scale, books=books[:CHECKED_BOOKS], since=1)
    session, settings = market.sessions[-1], default_settings()
    return Compared(
        f"night: {scale.books:,} books × 30, {scale.stocks} stocks, 1 session",
        timing,
        _night_notebook(Notebook(market, settings), books, session),
        _middle(
            _night_baseline(Savvy(market, settings), books, session, SAVVY_BOOKS, NIGHT_BARS[1])
            for _ in range(SAVVY_REPEATS)
        ),
    )


def night_template(folder: Path, scale: Scale) -> tuple[Path, date]:
    """Make the installation of the night; return it and the session to come."""
    market = make_market(real_sessions(), stocks=scale.stocks)
    books = _books(market, scale.books, first_row=_row(HISTORY))
    return night_database(folder, market, books), market.sessions[-1]


def night_database(folder: Path, market: GeneratedMarket, books: Sequence[GeneratedBook]) -> Path:
    """Make an installation that is one session behind; the prices of the session are in."""

    def build(path: Path) -> None:
        stop = len(market.sessions)
        installation.create(path, market, stop=stop - 1)
        installation.add_books(path, market.sessions[stop - 2], books)
        installation.store_history(path, market, first=_row(HISTORY), stop=stop - 1)
        app = installation.open_at(path, market.sessions[-1])
        installation.import_rows(app, market, stop - 1, stop)
        app.database.close()

    return installation.made(folder / f"night-{len(books)}.db", build)


def crowd(folder: Path, scale: Scale) -> Crowd:
    """Ten thousand books on one more session; the medians of what was measured."""
    market = make_market(real_sessions(crowds.SESSIONS), stocks=crowds.STOCKS)
    template = crowd_database(folder, market)
    session = market.sessions[-1]
    runs = [
        crowds.run_apart(installation.copy_of(template, "copy.db"), session)
        for _ in range(scale.crowd_repeats)
    ]
    return Crowd(
        f"crowd: {crowds.BOOKS:,} books × 30, {crowds.STOCKS:,} stocks, 1 session",
        statistics.median(one.seconds for one in runs),
        medians([one.parts for one in runs]),
        max(one.peak for one in runs),
    )


def crowd_database(folder: Path, market: GeneratedMarket) -> Path:
    """Make the installation of the crowd, one session behind like that of the night."""

    def build(path: Path) -> None:
        stop = len(market.sessions)
        first = stop - crowds.HISTORY
        books = [
            make_book(market, f"book {number:05d}", first_row=first, seed=number)
            for number in range(crowds.BOOKS)
        ]
        installation.create(path, market, stop=stop - 1)
        installation.add_books(path, market.sessions[stop - 2], books)
        installation.store_history(
            path, market, first=first, stop=stop - 1, detailed_sessions=crowds.DETAILED
        )
        app = installation.open_at(path, market.sessions[-1])
        installation.import_rows(app, market, stop - 1, stop)
        app.database.close()

    return installation.made(folder / "crowd.db", build)


def idle(folder: Path, scale: Scale) -> Timed:
    """A run with nothing to do: a thousand books with three years of snapshots."""
    market = make_market(real_sessions(), stocks=scale.stocks)
    books = _books(market, scale.books, first_row=_row(LONG_HISTORY))
    path = idle_database(folder, market, books)
    app = installation.open_at(path, market.sessions[-1])
    app.run(Source.CLI)  # fills the file cache
    taken = [times_of(lambda: app.run(Source.CLI)) for _ in range(scale.repeats)]
    app.database.close()
    name = f"nothing to do: {scale.books:,} books × {LONG_HISTORY} sessions"
    return timed(name, taken, bar=IDLE_BAR_S)


def idle_database(folder: Path, market: GeneratedMarket, books: Sequence[GeneratedBook]) -> Path:
    """Make an installation in which every book is up to date."""

    def build(path: Path) -> None:
        stop = len(market.sessions)
        installation.create(path, market, stop=stop)
        installation.add_books(path, market.sessions[stop - 1], books)
        installation.store_history(path, market, first=_row(LONG_HISTORY), stop=stop)

    return installation.made(folder / f"idle-{len(books)}.db", build)


def _time_engine(
    template: Path,
    market: GeneratedMarket,
    scale: Scale,
    *,
    books: Sequence[GeneratedBook],
    since: int,
) -> Timing:
    """Time runs on copies of ``template``, and the floor beside each, in turns.

    ``since`` sessions from the end are computed; the numbers of ``books`` on the first and
    last of them must be those of both baselines.
    """
    first = market.sessions[_row(since) - WINDOW].isoformat()
    needed = needed_reads(template, first=first)
    copy = installation.copy_of(template, "copy.db")
    app = installation.open_at(copy, market.sessions[-1])
    recording = record_run(app)
    check_agreement(app, market, books, [market.sessions[-since], market.sessions[-1]])
    app.database.close()
    engine, floors = [], []
    for _ in range(scale.repeats):
        installation.copy_of(template, copy.name)
        app = installation.open_at(copy, market.sessions[-1])
        engine.append(seconds_of(lambda app=app: app.run(Source.CLI)))
        app.database.close()
        installation.copy_of(template, copy.name)
        gc.collect()
        floors.append(measure_floor(recording, copy, needed))
    return Timing(tuple(engine), tuple(floors), _time_parts(template, market))


def _time_parts(template: Path, market: GeneratedMarket) -> dict[str, float]:
    """Return the median of what each part takes of a run on a copy of ``template``."""
    runs = []
    for _ in range(PARTS_REPEATS):
        app = installation.open_at(installation.copy_of(template, "copy.db"), market.sessions[-1])
        gc.collect()
        runs.append(time_run(lambda app=app: app.run(Source.CLI)))
        app.database.close()
    return medians(runs)


def check_agreement(
    app: App, market: GeneratedMarket, books: Sequence[GeneratedBook], sessions: Sequence[date]
) -> None:
    """Hold what is stored of ``books`` against both baselines."""
    for baseline in (Notebook(market, default_settings()), Savvy(market, default_settings())):
        for book in books:
            reports = baseline.report_all(book, sessions)
            for session, expected in zip(sessions, reports, strict=True):
                assert_same(load_cell(app.database, book.name, session), expected)


def default_settings() -> Settings:
    """Return the settings that the installations and both baselines have."""
    return load_settings(None, {}).settings


def _run_once(path: Path, market: GeneratedMarket) -> None:
    app = installation.open_at(path, market.sessions[-1])
    app.run(Source.CLI)
    app.database.close()


def _night_baseline(
    baseline: Savvy,
    books: Sequence[GeneratedBook],
    session: date,
    count: int,
    bar: float,
) -> Baseline:
    """Time the fits of all symbols once, and ``count`` of the books that share them."""
    fitting = seconds_of(lambda: baseline.fit_all(session))
    some = books[:count]
    reporting = seconds_of(lambda: [baseline.report_all(book, [session]) for book in some])
    share = len(some) / len(books)
    return Baseline(fitting + reporting / share, fitting + reporting, share, bar)


def _night_notebook(baseline: Notebook, books: Sequence[GeneratedBook], session: date) -> Baseline:
    """Time a notebook that is opened for one book after the other."""

    def open_for(book: GeneratedBook) -> None:
        baseline.forget_fits()
        baseline.report_all(book, [session])

    some = books[:NOTEBOOK_BOOKS]
    taken = seconds_of(lambda: [open_for(book) for book in some])
    share = len(some) / len(books)
    return Baseline(taken / share, taken, share, NIGHT_BARS[0])


def _middle(baselines: Iterable[Baseline]) -> Baseline:
    found = sorted(baselines)
    return found[len(found) // 2]


def _books(market: GeneratedMarket, count: int, *, first_row: int) -> list[GeneratedBook]:
    return [
        make_book(market, f"book {number:04d}", first_row=first_row, seed=number)
        for number in range(count)
    ]


def _row(sessions: int) -> int:
    """Return the row of the session so many from the end."""
    return len(real_sessions()) - sessions


def medians(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the median of each part over some runs."""
    names = dict.fromkeys(name for one in runs for name in one)
    return {name: statistics.median(one.get(name, 0.0) for one in runs) for name in names}


def timed(name: str, taken: Sequence[tuple[float, float]], *, bar: float) -> Timed:
    """Make a case of the medians of (seconds, CPU seconds)."""
    seconds, cpu = (statistics.median(part) for part in zip(*taken, strict=True))
    return Timed(name, seconds, cpu, bar)


def times_of(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that ``work`` takes, and the CPU seconds, child processes included."""
    gc.collect()
    before, started = os.times(), time.perf_counter()
    work()
    seconds, after = time.perf_counter() - started, os.times()
    return seconds, sum(after[:4]) - sum(before[:4])


def seconds_of(work: Callable[[], object]) -> float:
    """Return the seconds that ``work`` takes."""
    return times_of(work)[0]
