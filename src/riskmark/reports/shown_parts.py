"""Computes the parts of a snapshot that are not stored.

All but the back-tests are made from one cell that is computed again, once for all of them;
the back-tests are made from the stored snapshots.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection

from riskmark.domain.sessions import Calendar
from riskmark.reports.backtest_lines import load_backtests
from riskmark.reports.liquidity_lines import measure_liquidity
from riskmark.reports.recomputed import Recomputed, recompute
from riskmark.reports.replays import first_replayed, replay_cell
from riskmark.reports.shown import Part, Shown
from riskmark.reports.shown_correlation import correlate_factors, correlate_positions
from riskmark.reports.stress_parts import split_stress
from riskmark.settings import Settings
from riskmark.storage.calendar import load_calendar


def compute_parts(
    connection: Connection,
    settings: Settings,
    *,
    portfolio_id: str,
    session: date,
    parts: Collection[Part],
) -> Shown:
    """Compute the ``parts`` of a portfolio's session; there is at least one."""
    calendar = load_calendar(connection)
    backtests = None
    if Part.BACKTESTS in parts:
        backtests = load_backtests(connection, calendar, portfolio_id, session)
    if {*parts} == {Part.BACKTESTS}:
        return Shown(backtests=backtests)
    back_to = None
    if Part.REPLAYS in parts:
        back_to = first_replayed(settings.replay, calendar, session=session)
    found = recompute(
        connection,
        calendar,
        settings,
        portfolio_id=portfolio_id,
        session=session,
        back_to=back_to,
    )
    shown = _of_cell(connection, calendar, settings, found=found, parts=parts)
    return replace(shown, backtests=backtests)


def _of_cell(
    connection: Connection,
    calendar: Calendar,
    settings: Settings,
    *,
    found: Recomputed | None,
    parts: Collection[Part],
) -> Shown:
    """Compute the parts that are made from the cell that was computed again."""
    shown = Shown()
    if Part.CORRELATION in parts:
        shown = replace(shown, correlation=correlate_positions(found))
    if Part.FACTOR_CORRELATION in parts:
        shown = replace(shown, factor_correlation=correlate_factors(found, settings))
    if Part.REPLAYS in parts:
        shown = replace(shown, replays=replay_cell(found, settings.replay, calendar))
    if Part.STRESS in parts:
        shown = replace(shown, stress=split_stress(found))
    if Part.LIQUIDITY in parts:
        shown = replace(shown, liquidity=measure_liquidity(connection, calendar, found))
    return shown
