"""Checks of the lines of snapshots: positions, sectors and factors, each row by itself."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection

from riskmark.domain.factor_models import FactorModel
from riskmark.reports.violations import Violation
from riskmark.storage.engines import as_date, read_rows
from riskmark.storage.key_lists import Part, among

_TOLERANCE = "1e-9"
_NETTED_TOLERANCE = "1e-7"
"""Lots are netted by quantity and by quantity times multiplier, each with its own rounding."""

_BETA_OF_MODEL = {
    "market": ("beta", "beta_is_exposure_to_market"),
    "market_1y": ("beta_1y", "beta_is_exposure_to_market"),
    "rates": ("rates_beta", "beta_is_exposure_to_rates"),
}
"""Numbers of the snapshot that are the exposure to the first factor of a model."""


class CellViolation(NamedTuple):
    """A violation of a cell, which counts only if the cell is up to date."""

    portfolio: str
    session: date
    violation: Violation


def line_violations(
    connection: Connection, portfolio_ids: Sequence[str], *, models: Sequence[FactorModel]
) -> Iterator[CellViolation]:
    """Yield the rows whose numbers do not follow from each other or from the snapshot's."""
    listed = among(connection, portfolio_ids)
    yield from _market_values(connection, listed)
    yield from _weights(connection, listed)
    yield from _deltas(connection, listed)
    yield from _sectors(connection, listed)
    yield from _exposures(connection, listed)
    for model in models:
        if model.name in _BETA_OF_MODEL:
            yield from _betas(connection, listed, model)


def _market_values(connection: Connection, listed: Part) -> Iterator[CellViolation]:
    """Check quantity × mark × multiplier, where all lots of the position have one multiplier."""
    product = "v.quantity * v.mark * m.low"
    fits = (
        f"ABS({product} - v.market_value) <= "
        f"{_NETTED_TOLERANCE} * (ABS({product}) + ABS(v.market_value))"
    )
    rows = read_rows(
        connection,
        "SELECT v.portfolio_id, v.session, i.symbol, v.quantity, v.mark, v.market_value "
        "FROM position_value v JOIN instrument i ON i.id = v.instrument_id "
        "JOIN (SELECT portfolio_id, instrument_id, "
        "MIN(CAST(multiplier AS DOUBLE PRECISION)) AS low, "
        "MAX(CAST(multiplier AS DOUBLE PRECISION)) AS high "
        "FROM (SELECT portfolio_id, instrument_id, multiplier FROM lot UNION ALL "
        "SELECT c.portfolio_id, l.instrument_id, l.multiplier "
        "FROM portfolio_member c JOIN lot l ON l.portfolio_id = c.member_id) held "
        "GROUP BY portfolio_id, instrument_id) m "
        "ON m.portfolio_id = v.portfolio_id AND m.instrument_id = v.instrument_id "
        "WHERE v.mark IS NOT NULL AND m.low = m.high "
        f"AND {unless(fits, 'v.quantity', 'v.mark', 'v.market_value')} "
        f"AND v.portfolio_id {listed.sql}",
        listed.values,
    )
    for portfolio, day, symbol, quantity, mark, value in rows:
        detail = f"{symbol}: {quantity:,.6f} at {mark:,.6f} is stored as {value:,.6f}"
        yield _found("market_value_is_quantity_at_mark", portfolio, day, detail)


def _deltas(connection: Connection, listed: Part) -> Iterator[CellViolation]:
    """Check that an option's exposure is its delta's, on its underlying."""
    product = "v.delta * v.underlying_price * v.units"
    fits = f"ABS({product} - v.exposure) <= {_TOLERANCE} * (ABS({product}) + ABS(v.exposure))"
    rows = read_rows(
        connection,
        "SELECT v.portfolio_id, v.session, i.symbol, v.delta, v.exposure "
        "FROM position_value v JOIN instrument i ON i.id = v.instrument_id "
        "WHERE v.exposure IS NOT NULL AND v.delta IS NOT NULL "
        f"AND {unless(fits, 'v.delta', 'v.underlying_price', 'v.units', 'v.exposure')} "
        f"AND v.portfolio_id {listed.sql}",
        listed.values,
    )
    for portfolio, day, symbol, delta, exposure in rows:
        detail = f"{symbol}: a delta of {delta:,.6f} is stored as {exposure:,.6f} in money"
        yield _found("exposure_is_that_of_delta", portfolio, day, detail)


def _weights(connection: Connection, listed: Part) -> Iterator[CellViolation]:
    fits = (
        f"ABS(v.weight * s.nav - v.market_value) <= "
        f"{_TOLERANCE} * (ABS(v.weight * s.nav) + ABS(v.market_value))"
    )
    rows = read_rows(
        connection,
        "SELECT v.portfolio_id, v.session, i.symbol, v.weight, v.market_value "
        "FROM position_value v JOIN instrument i ON i.id = v.instrument_id "
        "JOIN snapshot s ON s.portfolio_id = v.portfolio_id AND s.session = v.session "
        "WHERE v.weight IS NOT NULL "
        f"AND {unless(fits, 'v.weight', 's.nav', 'v.market_value')} "
        f"AND v.portfolio_id {listed.sql}",
        listed.values,
    )
    for portfolio, day, symbol, weight, value in rows:
        detail = f"{symbol} is worth {value:,.6f}; its weight is {weight:,.6f}"
        yield _found("weight_is_share_of_nav", portfolio, day, detail)


def _sectors(connection: Connection, listed: Part) -> Iterator[CellViolation]:
    size = f"{_TOLERANCE} * (ABS(long) + ABS(short))"
    fits = (
        f"long >= 0 AND short <= 0 AND ABS(long + short - net) <= {size} "
        f"AND ABS(long - short - gross) <= {size}"
    )
    names = '"long", "short", "net", "gross"'
    rows = read_rows(
        connection,
        f"SELECT portfolio_id, session, sector FROM sector_exposure WHERE "
        f"({' OR '.join(f'{name} IS NOT NULL' for name in names.split(', '))}) "
        f"AND {unless(_quoted(fits), *names.split(', '))} AND portfolio_id {listed.sql}",
        listed.values,
    )
    for portfolio, day, sector in rows:
        detail = f"{sector}: net and gross are not the sum and difference of long and short"
        yield _found("sector_adds_up", portfolio, day, detail)


def _exposures(connection: Connection, listed: Part) -> Iterator[CellViolation]:
    fits = (
        f"ABS(f.exposure * s.nav - f.money) <= "
        f"{_TOLERANCE} * (ABS(f.exposure * s.nav) + ABS(f.money))"
    )
    rows = read_rows(
        connection,
        "SELECT f.portfolio_id, f.session, f.model, f.factor, f.exposure, f.money "
        "FROM factor_exposure f "
        "JOIN snapshot s ON s.portfolio_id = f.portfolio_id AND s.session = f.session "
        "WHERE f.exposure IS NOT NULL AND f.money IS NOT NULL "
        f"AND {unless(fits, 'f.exposure', 's.nav', 'f.money')} "
        f"AND f.portfolio_id {listed.sql}",
        listed.values,
    )
    for portfolio, day, model, factor, exposure, money in rows:
        detail = f"{model}.{factor}: {money:,.6f} in money, {exposure:,.6f} of NAV"
        yield _found("exposure_is_share_of_nav", portfolio, day, detail)


def _betas(connection: Connection, listed: Part, model: FactorModel) -> Iterator[CellViolation]:
    (name, invariant), factor = _BETA_OF_MODEL[model.name], model.factors[0].name
    rows = read_rows(
        connection,
        f"SELECT f.portfolio_id, f.session, s.{name}, f.exposure FROM factor_exposure f "
        "JOIN snapshot s ON s.portfolio_id = f.portfolio_id AND s.session = f.session "
        f"WHERE f.model = ? AND f.factor = ? AND ((s.{name} IS NULL) <> (f.exposure IS NULL) "
        f"OR s.{name} <> f.exposure) AND f.portfolio_id {listed.sql}",
        (model.name, factor, *listed.values),
    )
    for portfolio, day, beta, exposure in rows:
        detail = f"{name} is {beta}, the exposure to {model.name}.{factor} {exposure}"
        yield _found(invariant, portfolio, day, detail)


def _found(invariant: str, portfolio: str, day: object, detail: str) -> CellViolation:
    session = as_date(day)
    return CellViolation(portfolio, session, Violation(invariant, portfolio, session, detail))


def _quoted(condition: str) -> str:
    """Quote the columns of a sector, some of whose names are words of SQL elsewhere."""
    for name in ("long", "short", "net", "gross"):
        condition = condition.replace(name, f'"{name}"')
    return condition


def unless(condition: str, *names: str) -> str:
    """Write in SQL that a condition does not hold; numbers so large or small break it unmultiplied.

    A database may refuse a product that overflows.
    """
    usual = " AND ".join(f"({name} = 0 OR ABS({name}) BETWEEN 1e-100 AND 1e100)" for name in names)
    return f"CASE WHEN {usual} THEN NOT ({condition}) ELSE TRUE END"
