"""Installations with much to do, prepared once and copied for every trial.

What is staged has a reason of every kind for the next run: a night's new sessions, a
corrected close, a late split, a lot that was deleted, a hole, a portfolio never valued, one
with a symbol that nobody has, and one whose numbers were made with other settings.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, make_url, text
from tests.acceptance.world import (
    FACTORS,
    LAST,
    Dump,
    World,
    assert_equal_results,
    at_close,
)

from riskmark import app as application
from riskmark.engine.version import current_version
from riskmark.reports.rules import Rules, load_plan
from riskmark.reports.verify import verify
from riskmark.reports.violations import Violation
from riskmark.settings import load_settings
from riskmark.storage.engines import open_database

EVENING = date(2026, 1, 5)
"""The session up to which everything was valued when the changes came."""
SYMBOLS = ("S00", "S01", "S02", "S03", "S04", "S05")
NOW = at_close(LAST).isoformat()


@dataclass(frozen=True)
class Size:
    """How far back the books go."""

    first: date


LARGE = Size(date(2024, 6, 10))
"""More sessions than a shard takes, so that a run has several."""
SMALL = Size(date(2025, 12, 1))
"""A run of hundredths of a second."""


@dataclass
class State:
    """All that a run leaves behind, without ids and times."""

    results: Dump
    restatements: list[tuple[object, ...]]
    values: list[float | None] = field(repr=False)


class Installations:
    """Makes copies of a staged installation, on one kind of database."""

    def __init__(self, folder: Path, server: str | None) -> None:
        self._folder = folder
        self._server = server
        self._numbers = count()
        self._own = uuid4().hex[:8]  # several may share a server
        self._staged: dict[Size, str] = {}

    @contextmanager
    def copy(self, size: Size) -> Iterator[str]:
        """Give the address of a fresh copy, for the time of the block."""
        template = self._template(size)
        name = f"trial_{self._own}_{next(self._numbers)}"
        if self._server is None:
            path = self._folder / f"{name}.db"
            shutil.copy(template, path)
            yield f"sqlite:///{path}"
            for left in self._folder.glob(f"{name}.db*"):
                left.unlink()
        else:
            administer(self._server, f"CREATE DATABASE {name} TEMPLATE {template}")
            yield with_database(self._server, name)
            administer(self._server, f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Give the address of an installation in which nothing is."""
        name = f"empty_{self._own}_{next(self._numbers)}"
        if self._server is None:
            path = self._folder / f"{name}.db"
            initialise(f"sqlite:///{path}")
            yield f"sqlite:///{path}"
            for left in self._folder.glob(f"{name}.db*"):
                left.unlink()
        else:
            administer(self._server, f"CREATE DATABASE {name}")
            url = with_database(self._server, name)
            initialise(url)
            yield url
            administer(self._server, f"DROP DATABASE {name} WITH (FORCE)")

    def _template(self, size: Size) -> str:
        if size not in self._staged:
            name = f"staged_{self._own}_{size.first:%Y%m%d}"
            if self._server is None:
                self._staged[size] = str(self._folder / f"{name}.db")
                stage(f"sqlite:///{self._staged[size]}", size)
            else:
                administer(self._server, f"CREATE DATABASE {name}")
                stage(with_database(self._server, name), size)
                self._staged[size] = name
        return self._staged[size]


def administer(server: str, statement: str) -> None:
    """Run a statement that PostgreSQL wants outside a transaction."""
    database = open_database(server)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
    database.close()


def with_database(server: str, name: str) -> str:
    """Return the address of another database of the server."""
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def initialise(url: str) -> None:
    """Make an empty database an installation."""
    loaded = load_settings(None, {}, database_url=url)
    app = application.build(loaded, application.FixedClock(at_close(LAST)))
    application.initialise(app)
    app.database.close()


def stage(url: str, size: Size) -> None:
    """Fill an empty database: books that were valued up to an evening, and what came after."""
    initialise(url)
    world = World(url).at(EVENING)
    try:
        _value_books(world, size)
        _change_inputs(world, size)
    finally:
        world.close()


def _value_books(world: World, size: Size) -> None:
    day = world.sessions(size.first, LAST)
    world.add_prices(*FACTORS, *SYMBOLS, last=EVENING)
    world.add_book("long", SYMBOLS[:4], day[0])
    world.add_book("holdings", SYMBOLS[2:], day[1], equity=None)
    world.add_book("shrunk", SYMBOLS[:2], day[0])
    _edit(world, "shrunk", lambda editor: _buy(world, editor, SYMBOLS[3], day[6]))
    world.add_book("other settings", SYMBOLS[1:3], day[3])
    world.add_book("holed", (*SYMBOLS[1:3], "NOBODY"), day[2])
    world.run()


def _change_inputs(world: World, size: Size) -> None:
    day = world.sessions(size.first, LAST)
    close = world.closes(SYMBOLS[4])[day[9]]
    world.add_bars(SYMBOLS[4], {day[9]: round(close * 1.02, 4)})
    world.add_action(SYMBOLS[0], day[12], "dividend", 0.75)
    _edit(world, "shrunk", lambda editor: _delete_first(world, editor, before=day[1]))
    with world.app.database.write() as connection:
        _damage(connection, day[8])
        _leave_what_is_pruned(connection)
    world.add_book("new", SYMBOLS[:3], day[5])
    world.at(LAST)
    world.add_prices(*FACTORS, *SYMBOLS, first=EVENING)


def _edit(world: World, name: str, edit: Callable) -> None:
    with world.app.database.write() as connection:
        editor = world.editor(connection, name)
        edit(editor)
        editor.finish()


def _buy(world: World, editor, symbol: str, entry: date) -> None:
    key = world.rows("SELECT id FROM instrument WHERE symbol = ?", symbol)[0][0]
    editor.add_lots([world.lot(symbol, entry)], {symbol: key})
    editor.add_flow(entry, Decimal("2500.50"))


def _delete_first(world: World, editor, *, before: date) -> None:
    """Delete the lots with which the book began, so that its first sessions are surplus."""
    rows = world.rows(
        "SELECT l.id, l.entry_date FROM lot l JOIN portfolio p ON p.id = l.portfolio_id "
        "WHERE p.name = 'shrunk'"
    )
    for lot_id, entry in rows:
        if str(entry) < before.isoformat():
            editor.delete_lot(lot_id)


def _leave_what_is_pruned(connection: Connection) -> None:
    """Leave a notice that was sent long ago."""
    old = "'2001-01-01 00:00:00.000000'"
    connection.execute(
        text(
            "INSERT INTO outbox (id, event, subject, channel, content, status, attempts, "
            "created_at, next_at, sent_at) "
            "VALUES ('old', 'run_failed', 'old', 'webhook', '{}', 'sent', 1, "
            f"{old}, {old}, {old})"
        )
    )


def _damage(connection: Connection, hole: date) -> None:
    of = "portfolio_id = (SELECT id FROM portfolio WHERE name = '{}')"
    statements = (
        "DELETE FROM snapshot WHERE session = :hole AND " + of.format("holed"),
        "UPDATE snapshot SET settings_hash = 'before', beta = beta + 0.5 WHERE "
        + of.format("other settings"),
        "UPDATE portfolio_progress SET settings_hash = 'before' WHERE "
        + of.format("other settings"),
    )
    bound = hole.isoformat() if connection.dialect.name == "sqlite" else hole
    for statement in statements:
        connection.execute(text(statement), {"hole": bound} if ":hole" in statement else {})


def read_state(url: str) -> State:
    """Read everything that a run leaves behind."""
    world = World(url)
    try:
        results = world.dump() | {
            "symbol_fit": _rows(world, "symbol_fit", "i.symbol", "model", "factor"),
            "symbol_metric": _rows(world, "symbol_metric", "i.symbol"),
            "portfolio_progress": _progress(world),
        }
        kept, values = _restatements(world)
        return State(results, kept, values)
    finally:
        world.close()


def _rows(world: World, table: str, *order: str) -> list[dict[str, object]]:
    with world.app.database.read() as connection:
        found = connection.execute(
            text(
                f"SELECT i.symbol, t.* FROM {table} t JOIN instrument i "
                f"ON i.id = t.instrument_id ORDER BY {', '.join(order)}"
            )
        ).mappings()
        return [
            {key: _plain(one) for key, one in row.items() if key != "instrument_id"}
            for row in found
        ]


def _progress(world: World) -> list[dict[str, object]]:
    rows = world.rows(
        "SELECT p.name, g.first_session, g.snapshots, g.inputs_revision, g.engine_version, "
        "g.settings_hash FROM portfolio_progress g JOIN portfolio p ON p.id = g.portfolio_id "
        "ORDER BY p.name"
    )
    names = ("portfolio", "first", "snapshots", "inputs_revision", "engine", "settings")
    return [dict(zip(names, map(_plain, row), strict=True)) for row in rows]


def _restatements(world: World) -> tuple[list[tuple[object, ...]], list[float | None]]:
    """Return which numbers were restated and why, and what they were and became."""
    kept: list[tuple[object, ...]] = []
    values: list[float | None] = []
    rows = world.rows(
        "SELECT p.name, r.session, r.reason, r.old_values, r.new_values FROM restatement r "
        "JOIN portfolio p ON p.id = r.portfolio_id ORDER BY p.name, r.session, r.reason, r.id"
    )
    for name, session, reason, old, new in rows:
        before, after = json.loads(old), json.loads(new or "{}")
        kept.append((name, str(session), reason, *before, *after))
        values.extend([*before.values(), *after.values()])
    rows = world.rows(
        "SELECT measure, reason, SUM(snapshots), MAX(largest_change) FROM restatement_summary "
        "GROUP BY measure, reason ORDER BY measure, reason"
    )
    for measure, reason, snapshots, largest in rows:
        kept.append((measure, reason, int(snapshots)))
        values.append(largest)
    return kept, values


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def assert_equal_states(found: State, expected: State) -> None:
    """Assert that one installation holds what the other does."""
    assert_equal_results(found.results, expected.results)
    assert found.restatements == expected.restatements
    for one, other in zip(found.values, expected.values, strict=True):
        if isinstance(one, float) and isinstance(other, float):
            assert abs(one - other) <= max(1e-9 * abs(other), 1e-6)
        else:
            assert one == other


def check_at_rest(url: str) -> None:
    """Assert that nothing is left to do, half done, or doubled."""
    world = World(url)
    try:
        live = world.rows("SELECT id, status FROM run WHERE status IN ('queued', 'running')")
        assert live == []
        counted = world.rows(
            "SELECT p.name, g.snapshots, COUNT(s.session), COUNT(DISTINCT s.session) "
            "FROM portfolio p JOIN portfolio_progress g ON g.portfolio_id = p.id "
            "LEFT JOIN snapshot s ON s.portfolio_id = p.id GROUP BY p.name, g.snapshots"
        )
        assert all(one[1] == one[2] == one[3] for one in counted), counted
        assert _planned(world) == 0
        assert _violations(world) == ()
        if world.app.database.is_sqlite:
            assert world.rows("PRAGMA integrity_check") == [("ok",)]
    finally:
        world.close()


def _planned(world: World) -> int:
    with world.app.database.read() as connection:
        _, plan = load_plan(connection, _rules(world))
    return plan.size + sum(len(one.surplus) for one in plan.portfolios)


def _rules(world: World) -> Rules:
    settings = world.app.settings
    target = world.app.target(world.calendar)
    return Rules(world.calendar, target, current_version(settings), settings.factor_symbols)


def _violations(world: World) -> tuple[Violation, ...]:
    settings = world.app.settings
    with world.app.database.read() as connection:
        return verify(connection, rules=_rules(world), settings=settings).violations
