"""The numbers of one portfolio on one session, as each baseline and the database have them.

NaN stands for a number that is null. What is stored is read here; what must agree with it
is compared here.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from numpy.testing import assert_allclose

from riskmark.domain.measures import STORED
from riskmark.storage.engines import Database, read_rows

RELATIVE = 1e-8
"""A regression by QR and one by normal equations differ by about 1e-10 on these markets."""
ABSOLUTE = 1e-9
"""Of a ratio; of money, times gross."""
MONEY = frozenset(
    {
        "nav", "cash", "long_value", "short_value", "gross", "net", "flow", "inflow", "outflow",
        "pnl", "pnl_hypothetical", "income", "cum_realized", "cum_unrealized", "cum_income",
        "var_95_money", "var_99_money", "es_95_money", "es_99_money",
        "var_95_param_money", "var_99_param_money",
    }
)  # fmt: skip


class PositionNumbers(NamedTuple):
    """A position at the close; one that ended has a NaN mark, beta and component ES."""

    quantity: float
    mark: float
    market_value: float
    weight: float
    pnl: float
    beta: float
    component_es_95: float


class ExposureNumbers(NamedTuple):
    """The exposure to one factor of one model, its error and its share of the variance."""

    exposure: float
    money: float
    stderr: float
    coverage: float
    risk_share: float


class StressNumbers(NamedTuple):
    """What one scenario gains or loses, in money."""

    direct: float
    predictive: float


class SectorNumbers(NamedTuple):
    """Shares of NAV."""

    long: float
    short: float
    net: float
    gross: float


class CellNumbers(NamedTuple):
    """Everything of one cell. ``drawdown`` are the peak, trough and recovery sessions."""

    measures: Mapping[str, float]
    is_annual: bool | None
    drawdown: tuple[date | None, date | None, date | None]
    positions: Mapping[str, PositionNumbers]
    exposures: Mapping[tuple[str, str], ExposureNumbers]
    stress: Mapping[str, StressNumbers]
    sectors: Mapping[str, SectorNumbers]


def load_cell(database: Database, name: str, session: date) -> CellNumbers:
    """Read what an SQLite database holds of the portfolio ``name`` on ``session``."""
    with database.read() as connection:
        key = read_rows(connection, "SELECT id FROM portfolio WHERE name = ?", (name,))[0][0]
        cell = (key, session.isoformat())
        stored = ", ".join(f'"{measure}"' for measure in STORED)
        (snapshot,) = read_rows(
            connection,
            "SELECT mwr_annualized, drawdown_peak, drawdown_trough, drawdown_recovery, "
            f"{stored} FROM snapshot WHERE portfolio_id = ? AND session = ?",
            cell,
        )
        positions = read_rows(
            connection,
            "SELECT i.symbol, quantity, mark, market_value, weight, pnl, beta, component_es_95 "
            "FROM position_value v JOIN instrument i ON i.id = v.instrument_id "
            "WHERE portfolio_id = ? AND session = ?",
            cell,
        )
        exposures = read_rows(
            connection,
            "SELECT model, factor, exposure, money, stderr, coverage, risk_share "
            "FROM factor_exposure WHERE portfolio_id = ? AND session = ?",
            cell,
        )
        stress = read_rows(
            connection,
            "SELECT scenario, direct, predictive FROM stress_result "
            "WHERE portfolio_id = ? AND session = ?",
            cell,
        )
        sectors = read_rows(
            connection,
            "SELECT sector, long, short, net, gross FROM sector_exposure "
            "WHERE portfolio_id = ? AND session = ?",
            cell,
        )
    return CellNumbers(
        measures=dict(zip(STORED, _floats(snapshot[4:]), strict=True)),
        is_annual=None if snapshot[0] is None else bool(snapshot[0]),
        drawdown=tuple(None if day is None else date.fromisoformat(day) for day in snapshot[1:4]),
        positions={row[0]: PositionNumbers(*_floats(row[1:])) for row in positions},
        exposures={(row[0], row[1]): ExposureNumbers(*_floats(row[2:])) for row in exposures},
        stress={row[0]: StressNumbers(*_floats(row[1:])) for row in stress},
        sectors={row[0]: SectorNumbers(*_floats(row[1:])) for row in sectors},
    )


def assert_same(found: CellNumbers, expected: CellNumbers) -> None:
    """Hold the numbers of one cell against those of another computation."""
    gross = expected.measures["gross"]
    assert set(expected.measures) == set(STORED)
    for name in STORED:
        assert_allclose(
            found.measures[name],
            expected.measures[name],
            rtol=RELATIVE,
            atol=ABSOLUTE * (gross if name in MONEY else 1.0),
            err_msg=name,
        )
    assert found.is_annual == expected.is_annual
    assert found.drawdown == expected.drawdown
    money = {"market_value", "pnl", "money", "direct", "predictive"}
    for one, other in (
        (found.positions, expected.positions),
        (found.exposures, expected.exposures),
        (found.stress, expected.stress),
        (found.sectors, expected.sectors),
    ):
        assert set(one) == set(other)
        for key, numbers in one.items():
            for name, value, wanted in zip(numbers._fields, numbers, other[key], strict=True):
                scale = gross if name in money else 1.0
                assert_allclose(
                    value, wanted, rtol=RELATIVE, atol=ABSOLUTE * scale, err_msg=f"{key} {name}"
                )


def _floats(values: Any) -> list[float]:
    return [np.nan if value is None else float(value) for value in values]
