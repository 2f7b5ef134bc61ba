"""Quarantine: bars after a move that looks like a split nobody has recorded.

The move from one stored close to the next, adjusted for the splits and spin-offs between
them, is compared with the ratios that splits have. One within 2 % of such a ratio, or so large
that no day explains it, holds back its bar and all later ones of the instrument, until the
split is recorded or an operator releases the session, for good. An index has no splits, so
none of its moves is suspicious. An instrument has at most one open quarantine, the earliest;
what lies behind it is looked at when it ends.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, insert

from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.reasons import ChangeKind
from riskmark.errors import InputError
from riskmark.intake.market_data import BoolArray, DateArray, FloatArray, IntArray, key_of
from riskmark.storage import schema
from riskmark.storage.engines import as_date, bind_date, bind_instant, read_rows
from riskmark.storage.instruments import find_instrument
from riskmark.storage.key_lists import among, ranges, run_statement
from riskmark.storage.ledger import InputChange, lock_instruments, record_changes

TOLERANCE = 0.02 + 1e-9
"""Two per cent, and room for the last bits of a quotient that lies exactly there."""

MOST_SHARES = 100
"""The largest whole ratio: a hundred is also what pounds are in pence."""
_WHOLE = range(2, MOST_SHARES + 1)
LARGEST_MOVE = 5.0
"""Beyond it a move is held back whatever its ratio: a split and a day's own move together."""
SPLIT_RATIOS = np.array([*_WHOLE, *(1 / ratio for ratio in _WHOLE)])
WARN_RATIOS = np.array([3 / 2, 2 / 3])
"""Splits that are rare, of a size that a bad day also has: worth a word, no more."""

FAR = date(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class SuspiciousMove:
    """A session to whose close an instrument moved as if by a split."""

    instrument_id: int
    symbol: str
    session: date
    reason: str


class Checked(NamedTuple):
    """What a check found: quarantines that begin and that end, and mere warnings."""

    raised: tuple[SuspiciousMove, ...] = ()
    lifted: tuple[SuspiciousMove, ...] = ()
    warned: tuple[SuspiciousMove, ...] = ()

    @property
    def changes(self) -> list[InputChange]:
        """The ledger's view: bars count no longer, or again, from these sessions on."""
        ended = [(move, "the quarantine ended") for move in self.lifted]
        begun = [(move, f"quarantined: {move.reason}") for move in self.raised]
        return [
            InputChange(
                ChangeKind.PRICE,
                move.session,
                f"{move.symbol}: {reason}",
                instrument_id=move.instrument_id,
            )
            for move, reason in (*ended, *begun)
        ]


class NotQuarantined(InputError):
    """There is no open quarantine of this symbol from this session on."""

    def __init__(self, symbol: str, session: date, actual: date | None) -> None:
        known = "it is not quarantined" if actual is None else f"it is quarantined from {actual} on"
        super().__init__(f"{symbol} is not quarantined from {session} on: {known}")
        self.symbol = symbol
        self.session = session
        self.actual = actual


def check(connection: Connection, touched: Mapping[int, date], *, at: datetime) -> Checked:
    """Look again at instruments whose bars or actions changed; store what follows.

    ``touched`` has each one's first changed session. Reads from the last bar before it on.
    The caller holds the instruments and records the changes of the result.
    """
    stored = _stored(connection, touched)
    # Behind an open quarantine nothing is looked at before it ends.
    again = {
        key: first for key, first in touched.items() if not (stored.open.get(key, FAR) < first)
    }
    if not again:
        return Checked()
    instruments = _instruments(connection, again)
    suspicious, warned = _find(connection, again, instruments)
    raised: list[SuspiciousMove] = []
    lifted: list[SuspiciousMove] = []
    for key in again:
        wanted = next(
            (m for m in suspicious.get(key, ()) if (key, m.session) not in stored.released), None
        )
        present = stored.open.get(key)
        if wanted is not None and wanted.session == present:
            continue
        if present is not None:
            symbol = instruments[key].symbol
            lifted.append(SuspiciousMove(key, symbol, present, "no longer suspicious"))
        if wanted is not None:
            raised.append(wanted)
    _store(connection, raised, lifted, at)
    return Checked(tuple(raised), tuple(lifted), tuple(warned))


def release(connection: Connection, symbol: str, session: date, *, at: datetime) -> Checked:
    """Let the bars of ``symbol`` count that are quarantined from ``session`` on, for good.

    Records the change. The result has the next suspicious move, if there is one.
    """
    instrument = find_instrument(connection, symbol, owner_id=None)
    key = instrument.instrument_id
    lock_instruments(connection, [key])
    present = _stored(connection, [key]).open.get(key)
    if present != session:
        raise NotQuarantined(instrument.symbol, session, present)
    run_statement(
        connection,
        "UPDATE quarantine SET released_at = ? WHERE instrument_id = ? AND from_session = ?",
        (bind_instant(connection, at), key, bind_date(connection, session)),
    )
    checked = check(connection, {key: session}, at=at)
    reason = f"{instrument.symbol}: released from quarantine"
    change = InputChange(ChangeKind.PRICE, session, reason, instrument_id=key)
    record_changes(connection, [change, *checked.changes], at=at)
    return checked


def open_quarantines(connection: Connection) -> tuple[SuspiciousMove, ...]:
    """List the open quarantines by symbol."""
    rows = read_rows(
        connection,
        "SELECT q.instrument_id, i.symbol, q.from_session, q.reason FROM quarantine q "
        "JOIN instrument i ON i.id = q.instrument_id WHERE q.released_at IS NULL "
        "ORDER BY i.symbol",
    )
    return tuple(SuspiciousMove(key, symbol, as_date(day), text) for key, symbol, day, text in rows)


class _Stored(NamedTuple):
    open: dict[int, date]
    released: set[tuple[int, date]]


def _stored(connection: Connection, keys: Iterable[int]) -> _Stored:
    listed = among(connection, keys)
    rows = read_rows(
        connection,
        "SELECT instrument_id, from_session, released_at IS NOT NULL FROM quarantine "
        f"WHERE instrument_id {listed.sql}",
        listed.values,
    )
    return _Stored(
        open={key: as_date(day) for key, day, released in rows if not released},
        released={(key, as_date(day)) for key, day, released in rows if released},
    )


class _Checkable(NamedTuple):
    symbol: str
    may_split: bool


def _instruments(connection: Connection, keys: Iterable[int]) -> dict[int, _Checkable]:
    listed = among(connection, keys)
    rows = read_rows(
        connection, f"SELECT id, symbol, kind FROM instrument WHERE id {listed.sql}", listed.values
    )
    return {
        key: _Checkable(symbol, kind != InstrumentKind.INDEX.value) for key, symbol, kind in rows
    }


def _find(
    connection: Connection, touched: Mapping[int, date], instruments: Mapping[int, _Checkable]
) -> tuple[dict[int, list[SuspiciousMove]], list[SuspiciousMove]]:
    """Return the suspicious moves of each instrument, in order, and those worth a warning."""
    splitting = {key: first for key, first in touched.items() if instruments[key].may_split}
    closes = _load_closes(connection, splitting)
    steps = _load_steps(connection, splitting, closes)
    suspicious: dict[int, list[SuspiciousMove]] = {}
    absurd = (steps.moves > LARGEST_MOVE) | (steps.moves < 1 / LARGEST_MOVE)
    for place in np.flatnonzero(absurd | _is_near(steps.moves, SPLIT_RATIOS)):
        move = _describe(steps, int(place), instruments)
        suspicious.setdefault(move.instrument_id, []).append(move)
    warned = [
        _describe(steps, int(place), instruments)
        for place in np.flatnonzero(_is_near(steps.moves, WARN_RATIOS))
    ]
    return suspicious, warned


class _Closes(NamedTuple):
    """Stored closes, by instrument and session."""

    instrument: IntArray
    session: DateArray
    close: FloatArray


class _Steps(NamedTuple):
    """From each close to the next of the same instrument: adjusted move, actions' part."""

    instrument: IntArray
    session: DateArray
    moves: FloatArray
    recorded: FloatArray


def _load_closes(connection: Connection, touched: Mapping[int, date]) -> _Closes:
    spans = ranges(connection, {key: (first, FAR) for key, first in touched.items()})
    starts = read_rows(
        connection,
        "SELECT t.id, (SELECT max(p.session) FROM price p "
        "WHERE p.instrument_id = t.id AND p.session < t.first) "
        f"FROM ({spans.sql}) AS t",
        spans.values,
    )
    begun = {key: (touched[key] if start is None else as_date(start), FAR) for key, start in starts}
    spans = ranges(connection, begun)
    rows = read_rows(
        connection,
        "SELECT p.instrument_id, p.session, p.close "
        f"FROM ({spans.sql}) AS t CROSS JOIN price p "
        "WHERE p.instrument_id = t.id AND p.session >= t.first ORDER BY 1, 2",
        spans.values,
    )
    return _Closes(
        instrument=np.array([row[0] for row in rows], dtype=np.int64),
        session=np.array([row[1] for row in rows], dtype="datetime64[D]"),
        close=np.array([row[2] for row in rows], dtype=np.float64),
    )


def _load_steps(connection: Connection, touched: Mapping[int, date], closes: _Closes) -> _Steps:
    instrument, session, close = closes
    recorded = _recorded(connection, touched, closes)
    same = instrument[1:] == instrument[:-1]
    with np.errstate(over="ignore", under="ignore"):  # no split has such a ratio
        moves = (close[1:] / close[:-1] * recorded[1:])[same]
    return _Steps(instrument[1:][same], session[1:][same], moves, recorded[1:][same])


def _recorded(connection: Connection, touched: Mapping[int, date], closes: _Closes) -> FloatArray:
    """Multiply the recorded ratios after each close, up to and on the session of the next."""
    recorded = np.ones(len(closes.close))
    listed = among(connection, touched)
    rows = read_rows(
        connection,
        "SELECT instrument_id, ex_date, value FROM action "
        f"WHERE kind <> 'dividend' AND instrument_id {listed.sql}",
        listed.values,
    )
    if not rows:
        return recorded
    keys = key_of(closes.instrument, closes.session)
    instrument = np.array([row[0] for row in rows], dtype=np.int64)
    ex_date = np.array([row[1] for row in rows], dtype="datetime64[D]")
    places = np.searchsorted(keys, key_of(instrument, ex_date), side="left")
    values = np.array([row[2] for row in rows], dtype=np.float64)
    hits = places < len(keys)
    hits[hits] &= closes.instrument[places[hits]] == instrument[hits]
    np.multiply.at(recorded, places[hits], values[hits])
    return recorded


def _is_near(moves: FloatArray, ratios: FloatArray) -> BoolArray:
    near = np.zeros(len(moves), dtype=np.bool_)
    for ratio in ratios:
        near |= np.abs(moves - ratio) <= TOLERANCE * ratio
    return near


def _describe(steps: _Steps, place: int, instruments: Mapping[int, _Checkable]) -> SuspiciousMove:
    key = int(steps.instrument[place])
    move, recorded = float(steps.moves[place]), float(steps.recorded[place])
    ratio = _nearest(move)
    if move < 1:
        text, split = f"close fell to {move:.4f} of the previous", f"a {ratio}-for-1 split"
    else:
        text, split = f"close rose to {move:.4f} times the previous", f"a 1-for-{ratio} split"
    if recorded == 1.0:
        text = f"{text}: {split} that is not recorded?"
    else:
        text = f"{text} after the recorded ratio of {recorded:g}: is that in the prices?"
    session = steps.session[place].astype("datetime64[D]").item()
    return SuspiciousMove(key, instruments[key].symbol, session, text)


def _nearest(move: float) -> str:
    size = max(move, 1 / move) if move else math.inf
    known = (3 / 2, *_WHOLE)
    ratio = min(known, key=lambda candidate: abs(size / candidate - 1))
    return "1.5" if ratio == known[0] else f"{ratio:.0f}"


def _store(
    connection: Connection,
    raised: Sequence[SuspiciousMove],
    lifted: Sequence[SuspiciousMove],
    at: datetime,
) -> None:
    for move in lifted:
        run_statement(
            connection,
            "DELETE FROM quarantine "
            "WHERE instrument_id = ? AND from_session = ? AND released_at IS NULL",
            (move.instrument_id, bind_date(connection, move.session)),
        )
    if raised:
        rows = [
            {
                "instrument_id": move.instrument_id,
                "from_session": move.session,
                "reason": move.reason,
                "created_at": at,
            }
            for move in raised
        ]
        connection.execute(insert(schema.quarantine), rows)
