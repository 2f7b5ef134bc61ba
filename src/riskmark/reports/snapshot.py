"""One session of one portfolio: every number that is known, and a reason beside every null.

A null is named as the interface names it: ``risk.vol_252`` for a measure, and for an item of
a list the list, the item's names and the field: ``factors.style.Market.stderr``,
``positions.AAPL.beta``. What a run of an older engine did not compute is null with the reason
``not_computed_yet``. What is not stored, ``reports.shown`` computes.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, desc, select

from riskmark.domain.measures import (
    CONCENTRATION,
    CORRELATION,
    FACTOR_RISK,
    PERFORMANCE,
    RISK,
    SECTION_OF,
    SNAPSHOT,
)
from riskmark.domain.portfolio import Portfolio
from riskmark.domain.reasons import NullReason, SnapshotState
from riskmark.errors import InputError
from riskmark.reports.detail_lines import (
    FactorLine,
    PositionLine,
    SectorLine,
    StressLine,
    load_factors,
    load_positions,
    load_sectors,
    load_stress,
    reason_of_nav,
)
from riskmark.reports.documents import instant_text
from riskmark.reports.option_lines import GREEKS, sum_greeks
from riskmark.reports.shown import (
    EVERY_PART,
    SESSIONS_TO_SELL,
    SESSIONS_TO_SELL_95,
    Part,
    Shown,
    load_shown,
)
from riskmark.reports.shown_numbers import (
    Nulls,
    Number,
    null_of,
    nulls_of,
    shown_name,
    values_of,
    with_words,
)
from riskmark.reports.status import SymbolIssue, read_issues
from riskmark.settings import Settings
from riskmark.storage import schema
from riskmark.storage.books import Principal, find_portfolio
from riskmark.storage.retention import pruned_sessions

if TYPE_CHECKING:
    from riskmark.reports.liquidity_lines import Liquidity

_DRAWDOWN_SESSIONS = ("peak", "trough", "recovery")


class NotValued(InputError):
    """The portfolio has no snapshot, or none of the session that was asked for."""

    def __init__(self, name: str, session: date | None, newest: date | None) -> None:
        if newest is None:
            message = f"{name!r} has not been valued yet; run: riskmark run"
        else:
            message = f"{name!r} has no snapshot of {session}; the newest is of {newest}"
        super().__init__(message)
        self.name = name
        self.session = session
        self.newest = newest


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a snapshot's numbers come from."""

    run_id: str
    computed_at: datetime
    engine_version: int
    settings_hash: str
    inputs_revision: int
    windows: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """Return the provenance as JSON has it."""
        return {
            "run": self.run_id,
            "computed_at": instant_text(self.computed_at),
            "engine_version": self.engine_version,
            "settings_hash": self.settings_hash,
            "inputs_revision": self.inputs_revision,
            "windows": dict(self.windows),
        }


@dataclass(frozen=True, slots=True)
class SnapshotReport:
    """Everything that is known of a portfolio on a session.

    Sections map the interface's names to numbers. ``default_model`` is the factor
    model, and ``factor_names`` its factors, that risk is to be split by.
    ``drawdown_sessions`` are ``peak``, ``trough`` and ``recovery`` of the maximum drawdown,
    as far as there are any. ``shown`` are the parts that were computed to be shown; the
    document has no place for those that were not.
    """

    portfolio: Portfolio
    session: date
    state: SnapshotState
    reasons: tuple[SymbolIssue, ...]
    snapshot: Mapping[str, Any]
    performance: Mapping[str, Any]
    risk: Mapping[str, Any]
    concentration: Mapping[str, Any]
    factor_risk: Mapping[str, Any]
    correlation: Mapping[str, Any]
    measure_nulls: Mapping[str, str]
    drawdown_sessions: Mapping[str, date]
    factors: tuple[FactorLine, ...]
    default_model: str
    factor_names: tuple[str, ...]
    sectors: tuple[SectorLine, ...]
    stress: tuple[StressLine, ...]
    positions: tuple[PositionLine, ...]
    provenance: Provenance
    shown: Shown
    positions_reason: NullReason | None = None
    """Why the lines of positions are not there; None: they are all of them."""

    @property
    def nulls(self) -> dict[str, str]:
        """One reason for every null of the document, by the null's name."""
        found = dict(self.measure_nulls)
        lines: tuple[FactorLine | SectorLine | StressLine | PositionLine, ...]
        lines = (*self.factors, *self.sectors, *self.stress, *self.positions)
        for line in lines:
            found.update(line.nulls())
        for line in self.contributions:
            if line.risk_share is None and line.risk_share_reason is not None:
                name = f"factor_risk.contributions.{line.factor}"
                found[name] = line.risk_share_reason
        if self.positions_reason is not None:
            found["positions"] = self.positions_reason
        found.update(nulls_of("greeks", self.greeks))
        found.update(self._shown_nulls())
        return found

    def _shown_nulls(self) -> Nulls:
        """Yield the nulls of the parts that were computed."""
        shown = self.shown
        for part in (shown.correlation, shown.factor_correlation, shown.backtests):
            if part is not None:
                yield from part.nulls()
        for line in shown.replays or ():
            yield from line.nulls()
        if shown.stress is not None:
            for one in self.stress:
                yield from shown.stress.nulls(one.scenario)
        if shown.liquidity is not None:
            of_portfolio = {SESSIONS_TO_SELL_95: shown.liquidity.portfolio}
            yield from nulls_of("risk", of_portfolio)
            for position in self.positions:
                of_position = {SESSIONS_TO_SELL: _sessions_to_sell(position, shown.liquidity)}
                yield from nulls_of(f"positions.{position.symbol}", of_position)

    @property
    def greeks(self) -> dict[str, Number]:
        """The greeks of the options held, in money."""
        if self.positions_reason is not None:
            return dict.fromkeys(GREEKS, null_of(self.positions_reason))
        return sum_greeks(line.option for line in self.positions if line.option is not None)

    @property
    def contributions(self) -> tuple[FactorLine, ...]:
        """The lines of the model that risk is split by."""
        return tuple(line for line in self.factors if line.model == self.default_model)

    def document(self) -> dict[str, Any]:
        """Return the snapshot as JSON has it."""
        return {
            "portfolio": {
                "id": self.portfolio.portfolio_id,
                "name": self.portfolio.name,
                "currency": self.portfolio.currency,
                "mode": self.portfolio.mode,
            },
            "session": self.session,
            "state": self.state,
            "reasons": [reason.document() for reason in self.reasons],
            "snapshot": dict(self.snapshot),
            "nulls": self.nulls,
            "performance": {
                **self.performance,
                "max_drawdown_sessions": dict(self.drawdown_sessions),
            },
            "risk": self._risk(),
            "concentration": dict(self.concentration),
            "factors": [line.document() for line in self.factors],
            "factor_risk": {
                "model": self.default_model,
                **self.factor_risk,
                "contributions": {line.factor: line.risk_share for line in self.contributions},
            },
            "sectors": [line.document() for line in self.sectors],
            "stress": self._stress(),
            **self._replays(),
            **self._correlations(),
            **self._backtests(),
            "greeks": values_of(self.greeks),
            "positions": self._positions(),
            "provenance": self.provenance.document(),
        }

    def _risk(self) -> dict[str, Any]:
        liquidity = self.shown.liquidity
        more = {} if liquidity is None else {SESSIONS_TO_SELL_95: liquidity.portfolio.value}
        return {**self.risk, **more}

    def _stress(self) -> list[dict[str, Any]]:
        parts = self.shown.stress
        return [
            line.document() | ({} if parts is None else parts.document(line.scenario))
            for line in self.stress
        ]

    def _replays(self) -> dict[str, Any]:
        lines = self.shown.replays
        return {} if lines is None else {"replays": [line.document() for line in lines]}

    def _correlations(self) -> dict[str, Any]:
        positions, factors = self.shown.correlation, self.shown.factor_correlation
        return {
            "correlation": {
                **({} if positions is None else positions.document()),
                **self.correlation,
            },
            "factor_correlation": {
                "model": self.default_model,
                "factors": list(self.factor_names),
                **({} if factors is None else factors.document()),
            },
        }

    def _backtests(self) -> dict[str, Any]:
        found = self.shown.backtests
        return {} if found is None else {"backtests": found.document()}

    def _positions(self) -> list[dict[str, Any]] | None:
        if self.positions_reason is not None:
            return None
        liquidity = self.shown.liquidity
        if liquidity is None:
            return [line.document() for line in self.positions]
        return [
            {**line.document(), SESSIONS_TO_SELL: _sessions_to_sell(line, liquidity).value}
            for line in self.positions
        ]


def _sessions_to_sell(line: PositionLine, liquidity: "Liquidity") -> Number:
    return liquidity.of(line.symbol, is_closed=line.is_closed)


def load_snapshot(
    connection: Connection,
    principal: Principal,
    name_or_id: str,
    *,
    settings: Settings,
    session: date | None = None,
    parts: Collection[Part] = EVERY_PART,
) -> SnapshotReport:
    """Read a portfolio's snapshot of ``session``; without one, the newest.

    Of what is not stored, the ``parts`` are computed.
    """
    portfolio = find_portfolio(connection, principal, name_or_id)
    row = _load_row(connection, portfolio, session)
    found = row["session"]
    nav_reason = reason_of_nav(row["nav"])
    model = next(one for one in settings.factor_model if one.name == settings.default_model)
    key = portfolio.portfolio_id
    is_pruned = bool(pruned_sessions(connection, key, found, found))
    scenarios = [one.name for one in settings.scenario]
    return SnapshotReport(
        portfolio=portfolio,
        session=found,
        state=SnapshotState(row["state"]),
        reasons=read_issues(row["reasons"]),
        snapshot={**_section(row, SNAPSHOT), "positions": row["positions"]},
        performance={
            **_section(row, PERFORMANCE),
            "mwr_annualized": row["mwr_annualized"],
        },
        risk=with_words(_section(row, RISK)),
        concentration=_section(row, CONCENTRATION),
        factor_risk=_section(row, FACTOR_RISK),
        correlation={shown_name(name): value for name, value in _section(row, CORRELATION).items()},
        measure_nulls=_measure_nulls(row),
        drawdown_sessions=_drawdown_sessions(row),
        factors=load_factors(connection, key, found, models=settings.factor_model),
        default_model=model.name,
        factor_names=tuple(factor.name for factor in model.factors),
        sectors=load_sectors(
            connection, key, found, nav_reason=nav_reason, benchmark=settings.benchmark
        ),
        stress=load_stress(connection, key, found, scenarios=scenarios),
        positions=load_positions(connection, key, found, nav_reason=nav_reason),
        provenance=_provenance(row),
        shown=load_shown(connection, settings, portfolio_id=key, session=found, parts=parts),
        positions_reason=NullReason.PRUNED if is_pruned else None,
    )


def _drawdown_sessions(row: Mapping[str, Any]) -> dict[str, date]:
    found = {name: row[f"drawdown_{name}"] for name in _DRAWDOWN_SESSIONS}
    return {name: session for name, session in found.items() if session is not None}


def _provenance(row: Mapping[str, Any]) -> Provenance:
    return Provenance(
        run_id=row["run_id"],
        computed_at=row["computed_at"],
        engine_version=row["engine_version"],
        settings_hash=row["settings_hash"],
        inputs_revision=row["inputs_revision"],
        windows=json.loads(row["windows"]),
    )


def _load_row(
    connection: Connection, portfolio: Portfolio, session: date | None
) -> Mapping[str, Any]:
    table = schema.snapshot
    statement = (
        select(table)
        .where(table.c.portfolio_id == portfolio.portfolio_id)
        .order_by(desc(table.c.session))
        .limit(1)
    )
    newest = connection.execute(statement).mappings().first()
    if newest is None:
        raise NotValued(portfolio.name, session, None)
    if session is None or session == newest["session"]:
        return dict(newest)
    chosen = connection.execute(statement.where(table.c.session == session)).mappings().first()
    if chosen is None:
        raise NotValued(portfolio.name, session, newest["session"])
    return dict(chosen)


def _section(row: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _measure_nulls(row: Mapping[str, Any]) -> dict[str, str]:
    stored: dict[str, str] = json.loads(row["nulls"])
    found: dict[str, str] = {}
    for name, section in SECTION_OF.items():
        key = f"{section}.{name}"
        if row[name] is not None:
            continue
        # A snapshot of an older engine has no reason for what that one did not compute.
        found[f"{section}.{shown_name(name)}"] = stored.get(key, NullReason.NOT_COMPUTED_YET)
    for name, window in json.loads(row["windows"]).items():
        if window["n"] is None:  # nothing was fitted that a beta could be made of
            reason = found.get("risk.beta", NullReason.NO_HOLDINGS)
            found[f"provenance.windows.{name}.n"] = reason
    if row["mwr_annualized"] is None and "performance.mwr_inception" in found:
        found["performance.mwr_annualized"] = found["performance.mwr_inception"]
    return found
