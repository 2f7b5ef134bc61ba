"""Which instruments need closes from when to when, and what of it is stored.

Held instruments and the underlyings of options need them from a window before their first
entry to the last session on which they are held; symbols of factor models and the benchmark
from the earliest of these to the target. For all portfolios the rest of the universe is
kept fresh too. Private assets and options are asked of nobody.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.sessions import Calendar
from riskmark.planning.price_ranges import HOPEFUL, PriceNeed, Span
from riskmark.storage import schema
from riskmark.storage.engines import as_date, bind_date, read_rows, upsert
from riskmark.storage.instruments import Instrument, find_instruments, load_instruments
from riskmark.storage.key_lists import among, ranges
from riskmark.storage.members import books_in, load_members
from riskmark.storage.symbol_scope import in_scope

LOOK_BACK = 505
"""Sessions before a first entry that the longest window reads."""
_NEVER_ASKED = frozenset({InstrumentKind.PRIVATE, InstrumentKind.OPTION})


class StoredClose(NamedTuple):
    """A close that is stored, and which provider gave it."""

    close: float
    provider: str


def load_price_needs(
    connection: Connection,
    calendar: Calendar,
    *,
    scope: Sequence[str] | None,
    target: int,
    factor_symbols: Collection[str],
    order: Sequence[str] = (),
) -> tuple[PriceNeed, ...]:
    """Return what a run for these portfolios needs, in order of symbol.

    ``order`` are the providers as they are asked.
    """
    factors = find_instruments(connection, factor_symbols, owner_id=None)
    keys = in_scope(connection, scope, [one.instrument_id for one in factors.values()])
    spans = _held(connection, calendar, scope, target)
    instruments = load_instruments(connection, {*keys, *spans}, owner_id=None)
    first = min((span.first for span in spans.values()), default=max(0, target - LOOK_BACK))
    _add_underlyings(connection, instruments, spans)
    for one in factors.values():
        spans[one.instrument_id] = Span(first, target)
        instruments[one.instrument_id] = one
    for key in keys:
        spans.setdefault(key, Span(max(0, target - LOOK_BACK), target))
    chosen = {
        key: (one, spans[key])
        for key, one in instruments.items()
        if key in spans and one.kind not in _NEVER_ASKED and one.owner_id is None
    }
    missing = _missing(connection, calendar, {key: span for key, (_, span) in chosen.items()})
    checked = _load_checked(connection, calendar)
    doubted = _load_doubted(connection, calendar, chosen, target=target, others=order[1:])
    needs = [
        PriceNeed(
            one.symbol,
            key,
            span,
            missing[key],
            checked=checked.get(key),
            doubted=doubted.get(key),
            is_fund=one.kind is InstrumentKind.FUND,
        )
        for key, (one, span) in chosen.items()
    ]
    unknown = [symbol for symbol in factor_symbols if symbol not in factors]
    whole = range(first, target + 1)
    needs += [PriceNeed(symbol, None, Span(first, target), whole) for symbol in unknown]
    return tuple(sorted(needs, key=lambda need: need.symbol))


def load_newest_needs(
    connection: Connection,
    calendar: Calendar,
    *,
    scope: Sequence[str] | None,
    target: int,
    factor_symbols: Collection[str],
) -> tuple[int, ...]:
    """Return what needs a close of the target: what is held then, and the factors."""
    spans = _held(connection, calendar, scope, target)
    instruments = load_instruments(connection, spans, owner_id=None)
    _add_underlyings(connection, instruments, spans)
    factors = find_instruments(connection, factor_symbols, owner_id=None)
    keys = {one.instrument_id for one in factors.values()}
    for key, one in instruments.items():
        is_asked = one.kind not in _NEVER_ASKED and one.owner_id is None
        if is_asked and spans[key].last == target:
            keys.add(key)
    return tuple(sorted(keys))


def _held(
    connection: Connection, calendar: Calendar, scope: Sequence[str] | None, target: int
) -> dict[int, Span]:
    """Return from when to when the portfolios need each instrument that they hold or held."""
    only, values = "", ()
    if scope is not None:
        listed = among(connection, books_in(scope, load_members(connection, scope)))
        only, values = f"AND p.id {listed.sql} ", listed.values
    rows = read_rows(
        connection,
        "SELECT l.instrument_id, min(l.entry_date), max(l.exit_date), "
        "count(*) - count(l.exit_date) FROM lot l JOIN portfolio p ON p.id = l.portfolio_id "
        f"WHERE p.deleted_at IS NULL {only}GROUP BY l.instrument_id",
        values,
    )
    found: dict[int, Span] = {}
    for key, entry, leaving, still_held in rows:
        first = calendar.on_or_after(as_date(entry))
        last = target if still_held else min(target, calendar.on_or_after(as_date(leaving)))
        if first <= target:
            found[key] = Span(max(0, first - LOOK_BACK), last)
    return found


def _add_underlyings(
    connection: Connection, instruments: dict[int, Instrument], spans: dict[int, Span]
) -> None:
    """Let the underlying of an option be needed as long as the option is."""
    options = [(key, one) for key, one in instruments.items() if one.terms is not None]
    symbols = [one.terms.underlying for _, one in options if one.terms is not None]
    found = find_instruments(connection, symbols, owner_id=None)
    for key, one in options:
        under = found.get(one.terms.underlying) if one.terms is not None else None
        if under is None or key not in spans:
            continue
        mine, its = spans[key], spans.get(under.instrument_id, spans[key])
        widened = Span(min(mine.first, its.first), max(mine.last, its.last))
        spans[under.instrument_id] = widened
        instruments[under.instrument_id] = under


def _missing(
    connection: Connection, calendar: Calendar, spans: Mapping[int, Span]
) -> dict[int, Collection[int]]:
    """Return the ordinals without a close; those of whole instruments are counted only."""
    dates = {
        key: (calendar.sessions[span.first], calendar.sessions[span.last])
        for key, span in spans.items()
    }
    listed = ranges(connection, dates)
    rows = read_rows(
        connection,
        f"SELECT t.id, count(p.session) FROM ({listed.sql}) AS t LEFT JOIN price p "
        "ON p.instrument_id = t.id AND p.session BETWEEN t.first AND t.last GROUP BY t.id",
        listed.values,
    )
    found: dict[int, Collection[int]] = {}
    for key, count in rows:
        span = spans[key]
        ordinals = range(span.first, span.last + 1)
        if count == len(ordinals):
            found[key] = ()
        elif not count:
            found[key] = ordinals
        else:
            stored = load_closes(connection, key, dates[key])
            found[key] = [n for n in ordinals if calendar.sessions[n] not in stored]
    return found


def load_closes(
    connection: Connection, instrument_id: int, dates: tuple[date, date]
) -> dict[date, StoredClose]:
    """Return the stored closes of an instrument between two dates, both included."""
    first, last = (bind_date(connection, day) for day in dates)
    rows = read_rows(
        connection,
        "SELECT session, close, provider FROM price "
        "WHERE instrument_id = ? AND session BETWEEN ? AND ?",
        (instrument_id, first, last),
    )
    return {as_date(day): StoredClose(close, provider) for day, close, provider in rows}


def has_bars_of(connection: Connection, symbol: str, provider: str) -> bool:
    """Whether any bar that is stored of a public symbol came from a provider."""
    price, instrument = schema.price, schema.instrument
    wanted = (
        select(price.c.session)
        .join(instrument, instrument.c.id == price.c.instrument_id)
        .where(
            instrument.c.symbol == symbol,
            instrument.c.owner_id.is_(None),
            price.c.provider == provider,
        )
        .limit(1)
    )
    return connection.execute(wanted).first() is not None


def _load_doubted(
    connection: Connection,
    calendar: Calendar,
    keys: Iterable[int],
    *,
    target: int,
    others: Sequence[str],
) -> dict[int, int]:
    """Return the first recent session that is quarantined or whose close others gave."""
    first = calendar.sessions[max(0, target - HOPEFUL + 1)]
    listed = ranges(connection, dict.fromkeys(keys, (first, calendar.sessions[target])))
    names = among(connection, others)
    rows = read_rows(
        connection,
        f"SELECT t.id, min(p.session) FROM ({listed.sql}) AS t JOIN price p "
        "ON p.instrument_id = t.id AND p.session BETWEEN t.first AND t.last "
        f"AND p.provider {names.sql} GROUP BY t.id",
        (*listed.values, *names.values),
    )
    rows += read_rows(
        connection,
        f"SELECT t.id, q.from_session FROM ({listed.sql}) AS t JOIN quarantine q "
        "ON q.instrument_id = t.id AND q.from_session BETWEEN t.first AND t.last "
        "WHERE q.released_at IS NULL",
        listed.values,
    )
    found: dict[int, int] = {}
    for key, day in rows:
        ordinal = calendar.on_or_after(as_date(day))
        found[key] = min(ordinal, found.get(key, ordinal))
    return found


def _load_checked(connection: Connection, calendar: Calendar) -> dict[int, Span]:
    rows = read_rows(connection, 'SELECT instrument_id, "first", target FROM price_check')
    return {
        key: Span(calendar.on_or_after(as_date(first)), calendar.on_or_before(as_date(target)))
        for key, first, target in rows
    }


def save_check(
    connection: Connection, instrument_id: int, *, first: date, target: date, at: datetime
) -> None:
    """Remember from when on providers were asked, and for which target.

    One range is remembered, as everything in it must have been asked for: of two that lie
    apart the later one.
    """
    table = schema.price_check
    columns = (table.c.first, table.c.target)
    earlier = connection.execute(
        select(*columns).where(table.c.instrument_id == instrument_id)
    ).one_or_none()
    if earlier is not None:
        if target < earlier.first:
            return
        if first <= earlier.target:
            first, target = min(first, earlier.first), max(target, earlier.target)
    values = {"first": first, "target": target, "at": at}
    upsert(connection, table, {"instrument_id": instrument_id}, values)
