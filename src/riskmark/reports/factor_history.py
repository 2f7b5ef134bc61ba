"""Factors over a range of sessions: their returns, and a portfolio's stored exposures to them."""

from collections.abc import Sequence
from datetime import date

import numpy as np
from sqlalchemy import Connection

from riskmark.calc.arrays import CODE_OF, CodeArray, FloatArray, Measure
from riskmark.domain.factor_models import FactorModel
from riskmark.domain.reasons import NullReason
from riskmark.domain.sessions import Calendar
from riskmark.settings import Settings
from riskmark.storage.engines import as_date, bind_date, read_rows
from riskmark.storage.packs import load_closes
from riskmark.storage.symbol_scope import public_ids
from riskmark.valuation.panels import build_panel, load_instruments


def load_factor_returns_of(
    connection: Connection,
    calendar: Calendar,
    settings: Settings,
    *,
    model: FactorModel,
    sessions: range,
) -> FloatArray:
    """Compute a model's factor returns on some ordinals, (S, F); NaN where not observed."""
    named = public_ids(connection, model.symbols)
    ids = sorted(set(named.values()))
    before = max(sessions.start - 1, 0)
    panel = build_panel(
        connection,
        calendar,
        load_instruments(connection, ids, base_currency=settings.base_currency),
        load_closes(connection, calendar, ids, start=before),
        named=named,
        first=before,
        last=sessions.stop - 1,
        columns=model.columns,
    )
    return panel.factor_returns(model)[sessions.start - before :]


def load_money_exposures(
    connection: Connection, portfolio_id: str, *, model: FactorModel, sessions: Sequence[date]
) -> Measure:
    """Read the stored exposures in money on ``sessions`` (ascending), (S, F).

    What is not stored is null (``not_computed_yet``).
    """
    place = {day: row for row, day in enumerate(sessions)}
    column = {factor.name: number for number, factor in enumerate(model.factors)}
    values: FloatArray = np.full((len(place), len(column)), np.nan)
    nulls: CodeArray = np.full(values.shape, CODE_OF[NullReason.NOT_COMPUTED_YET], np.int8)
    if not place:
        return Measure(values, nulls)
    rows = read_rows(
        connection,
        "SELECT session, factor, money, money_null FROM factor_exposure "
        "WHERE portfolio_id = ? AND model = ? AND session BETWEEN ? AND ?",
        (
            portfolio_id,
            model.name,
            bind_date(connection, sessions[0]),
            bind_date(connection, sessions[-1]),
        ),
    )
    for session, factor, money, reason in rows:
        at = (place.get(as_date(session)), column.get(factor))
        if at[0] is None or at[1] is None:
            continue
        if money is not None:
            values[at], nulls[at] = money, 0
        elif reason is not None:
            nulls[at] = CODE_OF[NullReason(reason)]
    return Measure(values, nulls)


def load_stored_exposures(
    connection: Connection, portfolio_id: str, *, model: FactorModel, session: date
) -> dict[str, tuple[float | None, str | None]]:
    """Read the exposures over NAV of a cell: for each factor the number, or why there is none."""
    rows = read_rows(
        connection,
        "SELECT factor, exposure, exposure_null FROM factor_exposure "
        "WHERE portfolio_id = ? AND model = ? AND session = ?",
        (portfolio_id, model.name, bind_date(connection, session)),
    )
    stored = {factor: (exposure, reason) for factor, exposure, reason in rows}
    return {factor.name: stored.get(factor.name, (None, None)) for factor in model.factors}
