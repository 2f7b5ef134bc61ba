"""What each factor and each position adds to the stress of one session.

    by factor      e_f · move_f                    by position      e_i · Σ_f β_if · move_f
                                                                    + what an option adds

Options are repriced in full: what they gain beyond their delta is theirs among the positions,
and stands under a name of its own, ``Beyond delta``, beside the factors.

with the moves of a scenario as shocked (direct) or followed by the other factors, too
(predictive). Either kind of parts sums to what the scenario does to the portfolio.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from riskmark.calc.arrays import CodeArray, FloatArray, Measure
from riskmark.calc.exposures import model_exposures
from riskmark.calc.repricing import beyond_delta
from riskmark.calc.stress import Contributions, contributions, stress
from riskmark.domain.reasons import NullReason
from riskmark.domain.scenarios import STRESS_MODEL
from riskmark.reports.recomputed import Recomputed
from riskmark.reports.shown_numbers import Nulls, Number, nulls_of, number_at, values_of
from riskmark.valuation.factors import MARKET_MODEL
from riskmark.valuation.joint_fits import joint_fits
from riskmark.valuation.position_rows import mark_nulls

BEYOND_DELTA = "Beyond delta"
"""What stands beside the factors for the convexity of options."""


class StressPart(NamedTuple):
    """What one factor or position adds to a scenario, in money."""

    name: str
    direct: Number
    predictive: Number

    @property
    def numbers(self) -> dict[str, Number]:
        """The numbers by name."""
        return {"direct": self.direct, "predictive": self.predictive}


@dataclass(frozen=True, slots=True)
class ScenarioParts:
    """The parts of one scenario; positions are those held, the largest first."""

    factors: tuple[StressPart, ...]
    positions: tuple[StressPart, ...]


@dataclass(frozen=True, slots=True)
class StressParts:
    """The parts of every scenario of the settings; ``absent``: why others have none."""

    scenarios: Mapping[str, ScenarioParts]
    absent: NullReason

    def document(self, scenario: str) -> dict[str, Any]:
        """Return what stands beside a stored scenario, as JSON has it."""
        found = self.scenarios.get(scenario)
        if found is None:
            return {"factors": None, "positions": None}
        return {
            "factors": [{"factor": one.name, **values_of(one.numbers)} for one in found.factors],
            "positions": [
                {"symbol": one.name, **values_of(one.numbers)} for one in found.positions
            ],
        }

    def nulls(self, scenario: str) -> Nulls:
        """Yield the nulls of a stored scenario."""
        found = self.scenarios.get(scenario)
        for kind in ("factors", "positions"):
            if found is None:
                yield f"stress.{scenario}.{kind}", self.absent
                continue
            parts: tuple[StressPart, ...] = getattr(found, kind)
            for one in parts:
                yield from nulls_of(f"stress.{scenario}.{kind}.{one.name}", one.numbers)


class _Parts(NamedTuple):
    """Of S scenarios: by factor (S, F), and by position (S, Q)."""

    factors: Measure
    positions: Measure


def split_stress(found: Recomputed | None) -> StressParts:
    """Split what every scenario does to a cell."""
    if found is None:
        return StressParts({}, NullReason.NO_HOLDINGS)
    inputs, cells = found.inputs, found.cells
    fits, moves = inputs.fits[STRESS_MODEL], inputs.factors.moves
    sums = model_exposures(found.held.exposed, fits, fit_row=cells.offset, books=cells.books)
    total = stress(sums.money, moves, place=cells.offset, books=cells.books)
    direct = _split(found, moves.direct, total.direct.nulls[0])
    predictive = _split(found, moves.predictive[0], total.predictive.nulls[0])
    factors = [factor.name for factor in fits.model.factors]
    if found.held.options is not None:
        factors.append(BEYOND_DELTA)
    held = cells.position_instrument[cells.is_held]
    names = found.symbols
    symbols = [names[place] for place in held.tolist()]
    value = cells.of_position(found.valued.values.positions.market_value)[cells.is_held]
    order = sorted(range(len(symbols)), key=lambda place: (-abs(value[place]), symbols[place]))
    scenarios = {
        name: ScenarioParts(
            factors=tuple(
                _part(factor, direct.factors, predictive.factors, (scenario, place))
                for place, factor in enumerate(factors)
            ),
            positions=tuple(
                _part(symbols[place], direct.positions, predictive.positions, (scenario, place))
                for place in order
            ),
        )
        for scenario, name in enumerate(inputs.factors.scenarios)
    }
    return StressParts(scenarios, NullReason.NOT_DEFINED)


def _part(name: str, direct: Measure, predictive: Measure, at: tuple[int, int]) -> StressPart:
    return StressPart(name, number_at(direct, *at), number_at(predictive, *at))


def _split(found: Recomputed, moves: FloatArray, total: CodeArray) -> _Parts:
    """Split by ``moves`` (S, F); where the ``total`` (S,) is null, so are its parts."""
    cells, exposures = found.cells, found.cells.exposures
    held = exposures.instrument[cells.is_held]
    betas = joint_fits(found.inputs.fits[STRESS_MODEL]).beta[0, held]
    amounts = exposures.money[cells.is_held]
    moved = np.where((total == 0)[:, None] & np.isfinite(moves), moves, 0.0)
    own = _position_nulls(found)
    betas[own != 0] = np.nan
    parts = contributions(amounts, betas, moved)
    if found.held.options is not None:
        parts = _with_options(found, parts, betas, moved)
    by_factor = np.repeat(total[:, None], parts.factors.shape[1], axis=1)
    by_position = np.where(own[None] != 0, own[None], total[:, None]).astype(np.int8)
    return _Parts(
        Measure(np.where(by_factor == 0, parts.factors, np.nan), by_factor),
        Measure(np.where(by_position == 0, parts.positions, np.nan), by_position),
    )


def _with_options(
    found: Recomputed, parts: Contributions, betas: FloatArray, moves: FloatArray
) -> Contributions:
    """Add what options gain beyond their delta, of those that have a fit."""
    cells, options = found.cells, found.cells.exposures.options
    beyond = np.zeros((len(moves), 1))
    if options is not None:
        place = np.searchsorted(np.flatnonzero(cells.is_held), options.position)
        fitted = np.flatnonzero(np.isfinite(betas[place]).all(axis=1))
        gained = beyond_delta(options.book.take(fitted), betas[place[fitted]] @ moves.T).T
        parts.positions[:, place[fitted]] += gained
        beyond[:, 0] = gained.sum(axis=1)
    return Contributions(np.concatenate([parts.factors, beyond], axis=1), parts.positions)


def _position_nulls(found: Recomputed) -> CodeArray:
    """Tell why a position held adds nothing to stress: its mark, or a fit that it lacks."""
    cells, held = found.cells, found.held
    instrument = cells.exposures.instrument[cells.is_held]
    marks = mark_nulls(cells, cells.of_position(found.valued.kind))[cells.is_held]
    nulls: CodeArray = joint_fits(found.inputs.fits[STRESS_MODEL]).nulls[0, instrument].copy()
    excluded = np.zeros(held.exposed.shape[1], dtype=np.bool_)
    excluded[held.included.indices[held.series.excluded]] = True
    no_market = excluded[instrument]
    market = found.inputs.fits[MARKET_MODEL].parts[0].nulls[0, instrument]
    nulls[no_market] = market[no_market]
    return np.where(marks != 0, marks, nulls)
