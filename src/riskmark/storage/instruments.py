"""Instruments: found by symbol or alias, made when first met, listed.

An instrument without an owner is public and may have prices. A private asset belongs to
its owner, who sees it before a public instrument of the same symbol; it has valuations and
never prices. What people change of instruments is in ``symbols`` and ``aliases``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection

from riskmark.domain.instruments import (
    InstrumentKind,
    OptionTerms,
    OptionType,
    other_spelling,
    parse_occ,
)
from riskmark.domain.reasons import ChangeKind
from riskmark.errors import InputError, UnknownSymbol
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.intake.numbers import decimal_text
from riskmark.intake.symbols import canonical_symbol
from riskmark.storage.engines import as_date, bind_date, bind_instant, read_rows
from riskmark.storage.key_lists import among, run_statement
from riskmark.storage.ledger import InputChange
from riskmark.storage.schema import LOCAL_ACCOUNT

_FIELDS = (
    "id, symbol, kind, currency, name, sector, owner_id, "
    "underlying, expiry, option_type, strike, data_revision"
)
_STATED_FUNDS = (InstrumentKind.ETF, InstrumentKind.FUND)


@dataclass(frozen=True, slots=True)
class Instrument:
    """An instrument as it is stored."""

    instrument_id: int
    symbol: str
    kind: InstrumentKind
    currency: str
    name: str | None = None
    sector: str | None = None
    owner_id: str | None = None
    terms: OptionTerms | None = None
    data_revision: int = 0

    @property
    def is_private(self) -> bool:
        """Whether this is a private asset of its owner's."""
        return self.kind is InstrumentKind.PRIVATE

    @property
    def needs_closes(self) -> bool:
        """Whether it is marked at closes of its own, which are missed where there are none."""
        return self.kind not in {InstrumentKind.PRIVATE, InstrumentKind.OPTION}


class EnsuredInstruments(NamedTuple):
    """One instrument for each hint, in the order of the hints.

    ``changes`` are for the caller to record: a stated kind took the place of a guessed one.
    """

    instruments: tuple[Instrument, ...]
    created: tuple[str, ...]
    changes: tuple[InputChange, ...]


def guess_kind(symbol: str) -> InstrumentKind:
    """Guess what a symbol of which nothing else is known stands for."""
    if parse_occ(symbol) is not None:
        return InstrumentKind.OPTION
    return InstrumentKind.INDEX if symbol.startswith("^") else InstrumentKind.STOCK


def hint_of(symbol: str) -> InstrumentHint:
    """Make a hint of a bare symbol."""
    return InstrumentHint(symbol, guess_kind(symbol), parse_occ(symbol))


def find_instruments(
    connection: Connection, symbols: Iterable[str], *, owner_id: str | None = LOCAL_ACCOUNT
) -> dict[str, Instrument]:
    """Find instruments by symbol, by alias where none has it, then by the other spelling.

    ``BRK-B`` finds ``BRK.B``, and the other way round, unless it is an instrument of its own.
    ``owner_id`` is whose private assets are seen; None: nobody's, only public instruments.
    Symbols that nothing has are left out.
    """
    wanted = list(dict.fromkeys(symbols))
    found: dict[str, Instrument] = {}
    # Public ones first, so that a private asset of the same symbol takes the place.
    for instrument in _select(connection, "symbol", wanted, owner_id):
        found[instrument.symbol] = instrument
    missing = [symbol for symbol in wanted if symbol not in found]
    if missing:
        listed = among(connection, missing)
        rows = read_rows(
            connection,
            f"SELECT symbol, instrument_id FROM instrument_alias WHERE symbol {listed.sql}",
            listed.values,
        )
        renamed = {
            instrument.instrument_id: instrument
            for instrument in _select(connection, "id", [row[1] for row in rows], None)
        }
        found.update({symbol: renamed[key] for symbol, key in rows})
        others = ((symbol, other_spelling(symbol)) for symbol in missing if symbol not in found)
        spelled = {other: symbol for symbol, other in others if other is not None}
        for instrument in _select(connection, "symbol", list(spelled), None) if spelled else ():
            found[spelled[instrument.symbol]] = instrument
    return found


def load_instruments(
    connection: Connection,
    instrument_ids: Iterable[int],
    *,
    owner_id: str | None = LOCAL_ACCOUNT,
) -> dict[int, Instrument]:
    """Read instruments by id; those that ``owner_id`` does not see are left out."""
    found = _select(connection, "id", list(instrument_ids), owner_id)
    return {instrument.instrument_id: instrument for instrument in found}


def find_instrument(
    connection: Connection, symbol: str, *, owner_id: str | None = LOCAL_ACCOUNT
) -> Instrument:
    """Find one instrument by a symbol as people write it; raise ``UnknownSymbol`` if none."""
    name = canonical_symbol(symbol)
    found = {} if name is None else find_instruments(connection, [name], owner_id=owner_id)
    if name is None or name not in found:
        raise UnknownSymbol(symbol)
    return found[name]


def ensure_instruments(
    connection: Connection,
    hints: Sequence[InstrumentHint],
    *,
    currency: str,
    at: datetime,
    owner_id: str | None = LOCAL_ACCOUNT,
) -> EnsuredInstruments:
    """Find the instrument of each hint, and make those that do not exist.

    A hint of a private asset finds only the owner's own, any other hint only public ones,
    unless the kind is a mere guess; without an owner all are public. A stated ETF or fund
    takes the place of a stored stock without a sector, which was a guess; nothing else that
    is stored changes. The underlying of an option is made with it: its closes are needed.
    """
    asked = len(hints)
    hints = (*hints, *_underlyings(hints))
    found = _find_hinted(connection, hints, owner_id)
    missing = [hint for hint in dict.fromkeys(hints) if hint not in found]
    _insert(connection, missing, currency=currency, at=at, owner_id=owner_id)
    if missing:
        found |= _find_hinted(connection, missing, owner_id)
    changes: list[InputChange] = []
    for hint in dict.fromkeys(hints):
        if _corrects_a_guess(hint, found[hint]):
            changes += set_kind(connection, found[hint], hint.kind)
            found[hint] = replace(found[hint], kind=hint.kind)
    return EnsuredInstruments(
        instruments=tuple(found[hint] for hint in hints[:asked]),
        created=tuple(dict.fromkeys(hint.symbol for hint in missing)),
        changes=tuple(changes),
    )


def _underlyings(hints: Iterable[InstrumentHint]) -> list[InstrumentHint]:
    """Return hints of the underlyings of the options among ``hints``."""
    terms = (hint.terms or parse_occ(hint.symbol) for hint in hints)
    symbols = {one.underlying for one in terms if one is not None}
    return [hint_of(symbol) for symbol in sorted(symbols) if canonical_symbol(symbol) == symbol]


def set_kind(
    connection: Connection, instrument: Instrument, kind: InstrumentKind
) -> list[InputChange]:
    """Store another kind of a public instrument; return the changes to record."""
    run_statement(
        connection,
        "UPDATE instrument SET kind = ? WHERE id = ?",
        (kind.value, instrument.instrument_id),
    )
    return change_since_first_use(
        connection, instrument, f"{instrument.symbol} is {kind}, not {instrument.kind}"
    )


def change_since_first_use(
    connection: Connection, instrument: Instrument, reason: str
) -> list[InputChange]:
    """Make the change of an instrument from its first lot on; none if no lot has it."""
    first = first_use(connection, instrument.instrument_id)
    if first is None:
        return []
    return [InputChange(ChangeKind.PRICE, first, reason, instrument_id=instrument.instrument_id)]


def first_use(connection: Connection, instrument_id: int) -> date | None:
    """Return the earliest entry of a lot of an instrument; None if no lot has it."""
    rows = read_rows(
        connection, "SELECT min(entry_date) FROM lot WHERE instrument_id = ?", (instrument_id,)
    )
    return None if rows[0][0] is None else as_date(rows[0][0])


def _find_hinted(
    connection: Connection, hints: Iterable[InstrumentHint], owner_id: str | None
) -> dict[InstrumentHint, Instrument]:
    listed = list(hints)
    symbols = {hint.symbol for hint in listed}
    visible = find_instruments(connection, symbols, owner_id=owner_id)
    public = find_instruments(connection, symbols, owner_id=None)
    matches = {hint: _match(hint, visible, public) for hint in listed}
    return {hint: found for hint, found in matches.items() if found is not None}


def _match(
    hint: InstrumentHint, visible: Mapping[str, Instrument], public: Mapping[str, Instrument]
) -> Instrument | None:
    found = visible.get(hint.symbol)
    if hint.kind is InstrumentKind.PRIVATE:
        return found if found is not None and found.is_private else None
    return public.get(hint.symbol) if hint.is_stated else found


def _corrects_a_guess(hint: InstrumentHint, stored: Instrument) -> bool:
    is_guess = stored.kind is InstrumentKind.STOCK and stored.sector is None
    return is_guess and hint.is_stated and hint.kind in _STATED_FUNDS


def _insert(
    connection: Connection,
    hints: Sequence[InstrumentHint],
    *,
    currency: str,
    at: datetime,
    owner_id: str | None,
) -> None:
    """Make instruments; one that another transaction has just made is left as it is.

    In one order for all, so that two transactions do not wait for each other.
    """
    columns = (
        "owner_id, symbol, kind, currency, underlying, expiry, option_type, strike, created_at"
    )
    marks = ", ".join("?" * len(columns.split(", ")))
    for hint in sorted(hints, key=lambda hint: hint.symbol):
        if canonical_symbol(hint.symbol) != hint.symbol:
            raise InputError(f"{hint.symbol!r} is not a symbol")
        kind = guess_kind(hint.symbol) if _is_guess(hint) else hint.kind
        run_statement(
            connection,
            f"INSERT INTO instrument ({columns}) VALUES ({marks}) ON CONFLICT DO NOTHING",
            (
                owner_id if kind is InstrumentKind.PRIVATE else None,
                hint.symbol,
                kind.value,
                currency,
                *_terms_row(connection, hint.terms or parse_occ(hint.symbol)),
                bind_instant(connection, at),
            ),
        )


def _is_guess(hint: InstrumentHint) -> bool:
    return not hint.is_stated and hint.kind is InstrumentKind.STOCK


def _terms_row(connection: Connection, terms: OptionTerms | None) -> tuple[Any, ...]:
    if terms is None:
        return (None, None, None, None)
    strike = decimal_text(terms.strike) if connection.dialect.name == "sqlite" else terms.strike
    expiry = bind_date(connection, terms.expiry)
    return (terms.underlying, expiry, terms.option_type.value, strike)


def _select(
    connection: Connection, column: str, keys: Sequence[Any], owner_id: str | None
) -> list[Instrument]:
    """Read instruments by ``symbol`` or ``id``, the public ones first."""
    if not keys:
        return []
    listed = among(connection, keys)
    rows = read_rows(
        connection,
        f"SELECT {_FIELDS} FROM instrument WHERE {column} {listed.sql} "
        "AND (owner_id IS NULL OR owner_id = ?) ORDER BY owner_id IS NOT NULL, id",
        (*listed.values, owner_id or ""),
    )
    return [_instrument(row) for row in rows]


def _instrument(row: Sequence[Any]) -> Instrument:
    key, symbol, kind, currency, name, sector, owner_id, underlying, expiry, right, strike, rev = (
        row
    )
    terms = None
    if underlying is not None:
        terms = OptionTerms(
            underlying=underlying,
            expiry=as_date(expiry),
            option_type=OptionType(right),
            strike=Decimal(decimal_text(Decimal(strike))),
        )
    return Instrument(
        instrument_id=key,
        symbol=symbol,
        kind=InstrumentKind(kind),
        currency=currency,
        name=name,
        sector=sector,
        owner_id=owner_id,
        terms=terms,
        data_revision=rev,
    )
