"""What is stored of each portfolio, read in one snapshot, as facts for the planner."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection

from riskmark.domain.reasons import ChangeKind
from riskmark.domain.sessions import FIRST_DATE, Calendar
from riskmark.planning.facts import (
    Change,
    Facts,
    Holding,
    PortfolioFacts,
    StoredCell,
    Version,
    is_whole,
)
from riskmark.storage import ledger
from riskmark.storage.engines import as_date, as_optional_date, bind_date, read_rows
from riskmark.storage.key_lists import among
from riskmark.storage.members import Members, books_in, load_members
from riskmark.storage.symbol_scope import public_ids

if TYPE_CHECKING:
    from datetime import date


def load_facts(
    connection: Connection,
    calendar: Calendar,
    *,
    target: int,
    version: Version,
    factor_symbols: Sequence[str],
    scope: Collection[str] | None = None,
    force: bool = False,
) -> Facts:
    """Read the facts about the live portfolios in ``scope`` (ids; None: all).

    Stored cells are listed only where the counts do not settle the matter; ``force`` lists
    them for every portfolio.
    """
    members = load_members(connection, scope)
    portfolios, newest = _load_portfolios(connection, calendar, scope, members)
    after = min((one.inputs_revision for one in portfolios), default=0)
    changes = _load_changes(connection, calendar, after, newest)
    facts = Facts(
        revision=ledger.current_revision(connection),
        target=target,
        version=version,
        portfolios=tuple(portfolios),
        changes=changes,
        holdings=_load_holdings(connection, calendar, changes, members),
        shared_instruments=frozenset(public_ids(connection, factor_symbols).values()),
    )
    open_ids = [
        one.portfolio_id
        for one in portfolios
        if (one.stored_count and (force or not is_whole(facts, one)))
    ]
    cells = _load_cells(connection, calendar, open_ids)
    if not cells:
        return facts
    return replace(
        facts,
        portfolios=tuple(
            replace(one, stored=tuple(cells[one.portfolio_id]))
            if one.portfolio_id in cells
            else one
            for one in portfolios
        ),
    )


class Ends(NamedTuple):
    """How many portfolios end where: at a last session, or at none since a first entry."""

    last: "date | None"
    entry: "date | None"
    portfolios: int


def count_ends(connection: Connection) -> list[Ends]:
    """Count the live portfolios by their last stored session; one look into the index each."""
    rows = read_rows(
        connection,
        "SELECT last, CASE WHEN last IS NULL THEN COALESCE("
        "(SELECT MIN(entry_date) FROM lot WHERE portfolio_id = ends.id), "
        "(SELECT MIN(lot.entry_date) FROM portfolio_member m "
        "JOIN lot ON lot.portfolio_id = m.member_id WHERE m.portfolio_id = ends.id)) END, COUNT(*) "
        "FROM (SELECT p.id, (SELECT MAX(session) FROM snapshot WHERE portfolio_id = p.id) AS last "
        "FROM portfolio p WHERE p.deleted_at IS NULL) AS ends GROUP BY 1, 2",
    )
    return [
        Ends(as_optional_date(last), as_optional_date(entry), count) for last, entry, count in rows
    ]


def _load_portfolios(
    connection: Connection, calendar: Calendar, scope: Collection[str] | None, members: Members
) -> tuple[list[PortfolioFacts], int]:
    """Read the portfolios, and the ordinal of the newest session that any has a cell of."""
    chosen, values = _scope(connection, "p.id", scope)
    heads = read_rows(
        connection,
        "SELECT p.id, p.name, COALESCE(g.snapshots, 0), COALESCE(g.inputs_revision, 0), "
        "COALESCE(g.engine_version, 0), COALESCE(g.settings_hash, ''), "
        # Three looks into the index for each portfolio cost a fifth of grouping all of it.
        "(SELECT COUNT(*) FROM snapshot WHERE portfolio_id = p.id), "
        "(SELECT MIN(session) FROM snapshot WHERE portfolio_id = p.id), "
        "(SELECT MAX(session) FROM snapshot WHERE portfolio_id = p.id) "
        "FROM portfolio p LEFT JOIN portfolio_progress g ON g.portfolio_id = p.id "
        f"WHERE p.deleted_at IS NULL AND {chosen} ORDER BY p.id",
        values,
    )
    entries = _load_entries(connection, scope, members)
    found = []
    # A hundred thousand portfolios have few different dates and versions.
    ordinal, entered = cache(partial(_ordinal, calendar)), cache(partial(_entered, calendar))
    version = cache(Version)
    for key, name, snapshots, revision, engine, settings, count, first, last in heads:
        found.append(
            PortfolioFacts(
                portfolio_id=key,
                name=name,
                first=entered(entries.get(key)),
                snapshots=snapshots,
                stored_count=count,
                stored_first=ordinal(first),
                stored_last=ordinal(last),
                inputs_revision=revision,
                version=version(engine, settings),
                stored=(),
                members=members.get(key, ()),
            )
        )
    newest = max(map(as_date, {row[-1] for row in heads} - {None}), default=FIRST_DATE)
    return found, max(calendar.on_or_before(newest), 0)


def _load_entries(
    connection: Connection, scope: Collection[str] | None, members: Members
) -> dict[str, Any]:
    """Read the earliest entry of every portfolio that has a lot, as the driver gives it."""
    books = None if scope is None else books_in(scope, members)
    chosen, values = _scope(connection, "portfolio_id", books)
    entries = dict(
        read_rows(
            connection,
            f"SELECT portfolio_id, MIN(entry_date) FROM lot WHERE {chosen} GROUP BY portfolio_id",
            values,
        )
    )
    for combined, held in members.items():
        found = [entries[book] for book in held if book in entries]
        if found:
            entries[combined] = min(found)
    return entries


def _load_changes(
    connection: Connection, calendar: Calendar, after: int, newest: int
) -> tuple[Change, ...]:
    """Read the changes that can touch a stored cell, none of which is after ``newest``."""
    rows = read_rows(
        connection,
        "SELECT revision, kind, MIN(from_session), portfolio_id, instrument_id FROM input_change "
        "WHERE revision > ? AND from_session <= ? "
        "GROUP BY revision, kind, portfolio_id, instrument_id ORDER BY revision",
        (after, bind_date(connection, calendar.sessions[newest])),
    )
    return tuple(
        Change(
            revision, ChangeKind(kind), calendar.on_or_after(as_date(day)), portfolio, instrument
        )
        for revision, kind, day, portfolio, instrument in rows
    )


def _load_holdings(
    connection: Connection, calendar: Calendar, changes: tuple[Change, ...], members: Members
) -> Mapping[str, Mapping[int, Holding]]:
    changed = sorted({c.instrument_id for c in changes if c.instrument_id is not None})
    if not changed:
        return {}
    listed = among(connection, changed)
    span = "MIN(entry_date), CASE WHEN COUNT(exit_date) = COUNT(*) THEN MAX(exit_date) END"
    rows = read_rows(
        connection,
        f"SELECT portfolio_id, instrument_id, {span} "
        f"FROM lot WHERE instrument_id {listed.sql} GROUP BY portfolio_id, instrument_id",
        listed.values,
    )
    # Who holds an option depends on its underlying, whichever of its symbols the option names.
    rows += read_rows(
        connection,
        f"SELECT portfolio_id, named.id, {span} FROM lot "
        "JOIN instrument o ON o.id = lot.instrument_id AND o.underlying IS NOT NULL "
        f"JOIN (SELECT id, symbol FROM instrument WHERE id {listed.sql} "
        f"UNION SELECT instrument_id, symbol FROM instrument_alias "
        f"WHERE instrument_id {listed.sql}) AS named ON named.symbol = o.underlying "
        "GROUP BY portfolio_id, named.id",
        (*listed.values, *listed.values),
    )
    ordinals: dict[Any, int] = {}

    def ordinal_of(day: Any) -> int:
        if day not in ordinals:
            ordinals[day] = calendar.on_or_after(as_date(day))
        return ordinals[day]

    found: dict[str, dict[int, Holding]] = {}
    for portfolio, instrument, entry, leaving in rows:
        one = Holding(ordinal_of(entry), None if leaving is None else ordinal_of(leaving))
        held = found.setdefault(portfolio, {})
        held[instrument] = one if instrument not in held else one.joined(held[instrument])
    for combined, books in members.items():
        found[combined] = _joined([found[book] for book in books if book in found])
    return found


def _joined(holdings: Sequence[Mapping[int, Holding]]) -> dict[int, Holding]:
    """Return when any of several books holds each instrument: the first entry, the last exit."""
    joined: dict[int, Holding] = {}
    for one in holdings:
        for instrument, held in one.items():
            joined[instrument] = held.joined(joined.get(instrument, held))
    return joined


def _load_cells(
    connection: Connection, calendar: Calendar, portfolio_ids: Sequence[str]
) -> dict[str, list[StoredCell]]:
    if not portfolio_ids:
        return {}
    listed = among(connection, portfolio_ids)
    rows = read_rows(
        connection,
        "SELECT portfolio_id, session, inputs_revision, engine_version, settings_hash "
        f"FROM snapshot WHERE portfolio_id {listed.sql}",
        listed.values,
    )
    places: dict[Any, tuple[date, int | None]] = {}
    versions: dict[tuple[int, str], Version] = {}
    found: dict[str, list[StoredCell]] = {}
    for portfolio, day, revision, engine, settings in rows:
        if day not in places:
            places[day] = (as_date(day), _ordinal(calendar, day))
        if (engine, settings) not in versions:
            versions[engine, settings] = Version(engine, settings)
        session, ordinal = places[day]
        cell = StoredCell(session, ordinal, revision, versions[engine, settings])
        found.setdefault(portfolio, []).append(cell)
    return found


def _ordinal(calendar: Calendar, day: Any) -> int | None:
    if day is None:
        return None
    session = as_date(day)
    return calendar.on_or_before(session) if calendar.is_session(session) else None


def _entered(calendar: Calendar, day: Any) -> int | None:
    return None if day is None else calendar.on_or_after(as_date(day))


def _scope(
    connection: Connection, column: str, scope: Collection[str] | None
) -> tuple[str, tuple[Any, ...]]:
    if scope is None:
        return "1 = 1", ()
    listed = among(connection, scope)
    return f"{column} {listed.sql}", listed.values
