"""The numbers of one cell as ``show`` has them, from arrays instead of stored rows.

What was computed without being stored is shown by the same names and with the same reasons.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from riskmark.calc.arrays import Measure, reason_of
from riskmark.domain.measures import (
    CONCENTRATION,
    CORRELATION,
    FACTOR_RISK,
    PERFORMANCE,
    RISK,
    SECTION_OF,
    SNAPSHOT,
)
from riskmark.reports.detail_lines import (
    FactorLine,
    PositionLine,
    SectorLine,
    StressLine,
    reason_of_nav,
    sector_lines,
)
from riskmark.reports.liquidity_lines import Liquidity
from riskmark.reports.option_lines import GREEKS, OptionLine, sum_greeks
from riskmark.reports.replays import ReplayLine
from riskmark.reports.shown import SESSIONS_TO_SELL, SESSIONS_TO_SELL_95
from riskmark.reports.shown_numbers import (
    Number,
    nulls_of,
    number_at,
    shown_name,
    values_of,
    with_words,
)
from riskmark.valuation.numbers import MARK_KINDS, ExposureRows, OptionRows, ShardNumbers
from riskmark.valuation.panels import Panel

_FACTOR_FIELDS = ("exposure", "money", "stderr", "coverage")


@dataclass(frozen=True, slots=True)
class CellNumbers:
    """Sections of ``show`` by their names; ``nulls`` has a reason for every null in them.

    ``default_model`` is the factor model by which risk is split.
    """

    measures: Mapping[str, Any]
    nulls: Mapping[str, str]
    positions_held: int
    mwr_annualized: bool | None
    drawdown_sessions: Mapping[str, date]
    default_model: str
    factors: tuple[FactorLine, ...]
    sectors: tuple[SectorLine, ...]
    stress: tuple[StressLine, ...]
    positions: tuple[PositionLine, ...]
    replays: tuple[ReplayLine, ...]
    liquidity: Liquidity

    @property
    def greeks(self) -> dict[str, Number]:
        """The greeks of the options held, in money."""
        return _greeks(self.positions)

    def document(self) -> dict[str, Any]:
        """Return the sections as JSON has them."""
        split = [line for line in self.factors if line.model == self.default_model]
        return {
            "snapshot": {**self._section(SNAPSHOT), "positions": self.positions_held},
            "performance": {
                **self._section(PERFORMANCE),
                "mwr_annualized": self.mwr_annualized,
                "max_drawdown_sessions": dict(self.drawdown_sessions),
            },
            "risk": {
                **self._section(RISK),
                SESSIONS_TO_SELL_95: self.liquidity.portfolio.value,
            },
            "concentration": self._section(CONCENTRATION),
            "factors": [line.document() for line in self.factors],
            "factor_risk": {
                "model": self.default_model,
                **self._section(FACTOR_RISK),
                "contributions": {line.factor: line.risk_share for line in split},
            },
            "sectors": [line.document() for line in self.sectors],
            "stress": [line.document() for line in self.stress],
            "replays": [line.document() for line in self.replays],
            "correlation": self._section(CORRELATION),
            "greeks": values_of(self.greeks),
            "positions": [
                {**line.document(), SESSIONS_TO_SELL: _sessions_to_sell(line, self.liquidity).value}
                for line in self.positions
            ],
        }

    def _section(self, names: Iterable[str]) -> dict[str, Any]:
        return {shown_name(name): self.measures[name] for name in names}


def cell_numbers(
    numbers: ShardNumbers,
    panel: Panel,
    *,
    default_model: str,
    benchmark_weights: Mapping[str, float] | None,
    replays: tuple[ReplayLine, ...],
    liquidity: Liquidity,
) -> CellNumbers:
    """Take the only cell out of ``numbers``; ``benchmark_weights`` are those of its sectors."""
    measures = {name: _number(one) for name, one in numbers.measures.items()}
    nav_reason = reason_of_nav(measures["nav"] or 0.0)
    annualized = int(numbers.mwr_annualized[0])
    factors = tuple(line for model in numbers.exposures for line in _factor_lines(model))
    sectors = _sector_lines(numbers, panel, nav_reason, benchmark_weights)
    stress = _stress_lines(numbers)
    positions = _position_lines(numbers, panel, nav_reason)
    nulls = _measure_nulls(numbers)
    if annualized < 0 and "performance.mwr_inception" in nulls:
        nulls["performance.mwr_annualized"] = nulls["performance.mwr_inception"]
    nulls.update(nulls_of("risk", {SESSIONS_TO_SELL_95: liquidity.portfolio}))
    nulls.update(nulls_of("greeks", _greeks(positions)))
    lines: tuple[FactorLine | SectorLine | StressLine | ReplayLine | PositionLine, ...]
    lines = (*factors, *sectors, *stress, *replays, *positions)
    for line in lines:
        nulls.update(line.nulls())
    for position in positions:
        of_position = {SESSIONS_TO_SELL: _sessions_to_sell(position, liquidity)}
        nulls.update(nulls_of(f"positions.{position.symbol}", of_position))
    for one in factors:
        if one.model == default_model and one.risk_share_reason is not None:
            nulls[f"factor_risk.contributions.{one.factor}"] = one.risk_share_reason
    return CellNumbers(
        measures=with_words(measures),
        nulls=nulls,
        positions_held=int(numbers.positions[0]),
        mwr_annualized=None if annualized < 0 else bool(annualized),
        drawdown_sessions=_drawdown_sessions(numbers, panel),
        default_model=default_model,
        factors=factors,
        sectors=sectors,
        stress=stress,
        positions=positions,
        replays=replays,
        liquidity=liquidity,
    )


def _greeks(positions: Iterable[PositionLine]) -> dict[str, Number]:
    return sum_greeks(line.option for line in positions if line.option is not None)


def _sessions_to_sell(line: PositionLine, liquidity: Liquidity) -> Number:
    return liquidity.of(line.symbol, is_closed=line.is_closed)


def _number(one: Measure, at: tuple[int, ...] = (0,)) -> float | None:
    return None if one.nulls[at] else float(one.values[at])


def _reason(one: Measure, at: tuple[int, ...] = (0,)) -> str | None:
    return reason_of(int(one.nulls[at]))


def _measure_nulls(numbers: ShardNumbers) -> dict[str, str]:
    found = {}
    for name, section in SECTION_OF.items():
        reason = _reason(numbers.measures[name])
        if reason is not None:
            found[f"{section}.{name.removeprefix('corr_')}"] = str(reason)
    return found


def _drawdown_sessions(numbers: ShardNumbers, panel: Panel) -> dict[str, date]:
    ordinals = {
        "peak": int(numbers.drawdown_peak[0]),
        "trough": int(numbers.drawdown_trough[0]),
        "recovery": int(numbers.drawdown_recovery[0]),
    }
    return {
        name: panel.sessions[ordinal - panel.first]
        for name, ordinal in ordinals.items()
        if ordinal >= 0
    }


def _factor_lines(model: ExposureRows) -> list[FactorLine]:
    lines = []
    for place, factor in enumerate(model.factors):
        at = (0, place)
        parts = {name: getattr(model, name) for name in _FACTOR_FIELDS}
        reasons = [(name, _reason(part, at)) for name, part in parts.items()]
        lines.append(
            FactorLine(
                model=model.model,
                factor=factor,
                risk_share=_number(model.risk_share, at),
                risk_share_reason=_reason(model.risk_share, at),
                reasons=tuple((name, reason) for name, reason in reasons if reason is not None),
                **{name: _number(part, at) for name, part in parts.items()},
            )
        )
    return lines


def _stress_lines(numbers: ShardNumbers) -> tuple[StressLine, ...]:
    found = numbers.stress
    lines = []
    for place, scenario in enumerate(found.scenarios):
        at = (0, place)
        reasons = [(name, _reason(getattr(found, name), at)) for name in ("direct", "predictive")]
        lines.append(
            StressLine(
                scenario=scenario,
                direct=_number(found.direct, at),
                predictive=_number(found.predictive, at),
                reasons=tuple((name, reason) for name, reason in reasons if reason is not None),
            )
        )
    return tuple(lines)


def _sector_lines(
    numbers: ShardNumbers, panel: Panel, nav_reason: str, weights: Mapping[str, float] | None
) -> tuple[SectorLine, ...]:
    rows = numbers.sector_rows
    names = [panel.sectors[code] for code in rows.sector.tolist()]
    shares = [
        [None if math.isnan(value) else value for value in part.tolist()]
        for part in (rows.long, rows.short, rows.net, rows.gross)
    ]
    return sector_lines(zip(names, *shares, strict=True), weights, nav_reason=nav_reason)


def _position_lines(
    numbers: ShardNumbers, panel: Panel, nav_reason: str
) -> tuple[PositionLine, ...]:
    rows = numbers.position_rows
    options = {} if rows.options is None else _option_lines(rows.options, panel)
    lines = []
    for place, column in enumerate(rows.column.tolist()):
        instrument = panel.instruments[column]
        booked, option = options.get(place, (-1, None))
        code, age = int(rows.kind[place]), int(rows.age[place])
        weight = float(rows.weight[place])
        lines.append(
            PositionLine(
                symbol=instrument.symbol,
                quantity=float(rows.quantity[place]),
                mark=None if code < 0 else float(rows.mark[place]),
                mark_kind=None if code < 0 else MARK_KINDS[code],
                mark_age=None if age < 0 else age,
                market_value=float(rows.market_value[place]),
                weight=None if math.isnan(weight) else weight,
                pnl=float(rows.pnl[place]),
                beta=_number(rows.beta, (place,)),
                component_es_95=_number(rows.component_es_95, (place,)),
                sector=panel.instruments[column if booked < 0 else booked].sector,
                component_reason=_reason(rows.component_es_95, (place,)),
                beta_reason=_reason(rows.beta, (place,)),
                weight_reason=nav_reason,
                option=option,
            )
        )
    lines.sort(key=lambda line: (line.is_closed, -abs(line.market_value), line.symbol))
    return tuple(lines)


def _option_lines(rows: OptionRows, panel: Panel) -> dict[int, tuple[int, OptionLine]]:
    """Return, by the places of positions, the columns options are booked to and their lines."""
    found = {}
    of_model = {
        "exposure": rows.exposure,
        "units": rows.units,
        "underlying_price": rows.spot,
        "volatility": rows.volatility,
        **{greek: getattr(rows.greeks, greek) for greek in GREEKS},
    }
    for at, (place, booked) in enumerate(
        zip(rows.position.tolist(), rows.booked_to.tolist(), strict=True)
    ):
        line = OptionLine(
            underlying=None if booked < 0 else panel.instruments[booked].symbol,
            implied_vol=number_at(rows.implied, at),
            **{name: number_at(Measure(part, rows.nulls), at) for name, part in of_model.items()},
        )
        found[place] = booked, line
    return found
