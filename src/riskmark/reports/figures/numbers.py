"""The numbers that figures are drawn from: a session, its history, and P&L in the year so far."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from riskmark.domain.sessions import Calendar
from riskmark.reports.attribution import load_attribution
from riskmark.reports.figures.gallery import NAMES, check_name
from riskmark.reports.history import History, HistoryRow, load_history
from riskmark.reports.shown import Part
from riskmark.reports.snapshot import load_snapshot
from riskmark.settings import Settings
from riskmark.storage.books import Principal

HISTORY = (
    "nav", "flow", "pnl_hypothetical", "twr_inception", "drawdown", "vol_21", "vol_63",
    "vol_har_21d", "var_95_money", "var_99_money",
)  # fmt: skip
"""The stored measures that figures have lines of."""

_PARTS = {"stress": Part.STRESS, "correlation": Part.CORRELATION} | dict.fromkeys(
    ("var", "backtest"), Part.BACKTESTS
)
_ATTRIBUTED = frozenset({"attribution", "attribution_sectors", "attribution_factors"})
_STRESS_IS_STORED = frozenset({Part.STRESS})
"""The figure draws the totals alone, and these are stored."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What figures are drawn from.

    ``snapshot`` is the document of ``show --json``, ``history`` the rows to its session with the
    measures ``HISTORY``, and ``attribution`` the document of ``attribution --json``; None where
    no figure of it is wanted. ``missing`` are sessions between the first and the last of the
    history that are not stored: lines have gaps there.
    """

    snapshot: Mapping[str, Any]
    history: History
    attribution: Mapping[str, Any] | None = None
    missing: tuple[date, ...] = ()

    @property
    def currency(self) -> str:
        """The currency of what is money."""
        return str(self.snapshot["portfolio"]["currency"])

    @property
    def session(self) -> str:
        """The session, as ISO text."""
        return str(self.snapshot["session"])

    @property
    def nulls(self) -> Mapping[str, str]:
        """The reasons of the session's nulls."""
        found: Mapping[str, str] = self.snapshot["nulls"]
        return found

    def lines(self) -> list[tuple[date, HistoryRow | None]]:
        """Return the rows by session, with None where one is missing."""
        rows: dict[date, HistoryRow | None] = dict.fromkeys(self.missing)
        rows |= {row.session: row for row in self.history.rows}
        return sorted(rows.items(), key=lambda item: item[0])


def load_numbers(
    connection: Connection,
    principal: Principal,
    name_or_id: str,
    *,
    settings: Settings,
    calendar: Calendar,
    session: date | None = None,
    first: date | None = None,
    names: Collection[str] = NAMES,
) -> Numbers:
    """Read what the figures ``names`` of a portfolio's ``session`` are drawn from.

    Without a session the newest is meant. ``first`` cuts off the history before it; P&L is
    attributed from the beginning of the session's year, or from ``first`` if that is later.
    """
    for name in names:
        check_name(name)
    parts = {_PARTS[name] for name in names if name in _PARTS} - _STRESS_IS_STORED
    report = load_snapshot(
        connection, principal, name_or_id, settings=settings, session=session, parts=parts
    )
    history = load_history(
        connection,
        principal,
        report.portfolio.portfolio_id,
        first=first,
        last=report.session,
        fields=HISTORY,
    )
    attribution = None
    if _ATTRIBUTED.intersection(names):
        new_year = report.session.replace(month=1, day=1)
        attribution = load_attribution(
            connection,
            principal,
            report.portfolio.portfolio_id,
            calendar=calendar,
            settings=settings,
            first=new_year if first is None else max(first, new_year),
            last=report.session,
        ).document()
    return Numbers(report.document(), history, attribution, missing_between(history, calendar))


def missing_between(history: History, calendar: Calendar) -> tuple[date, ...]:
    """Return the sessions between the first and the last of a history that it has not."""
    if not history.rows:
        return ()
    stored = {row.session for row in history.rows}
    begin = calendar.on_or_after(history.rows[0].session)
    end = calendar.on_or_before(history.rows[-1].session)
    return tuple(day for day in calendar.sessions[begin : end + 1] if day not in stored)
