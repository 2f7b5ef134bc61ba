"""Stress: what scenarios would do to portfolios, by their exposures to factors in money.

    direct        Σ_f e_f · shock_f                            the shocked factors alone
    predictive    the other factors follow, too: move = Σ_fs Σ_ss⁻¹ shock

Both are linear maps on the exposures, made once for all portfolios of a session. Covariances
are around the mean; expected returns are not added, and nothing is clipped. Exposures are of
one joint model, so nothing is counted twice. Options are then repriced in full: what they gain
beyond their delta is added.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import CODE_OF, CodeArray, FloatArray, IntArray, Measure
from riskmark.calc.exposures import Books
from riskmark.calc.factor_covariance import FactorCovariances
from riskmark.calc.factor_moments import MAX_VIF, inverse_of
from riskmark.calc.repricing import OptionPositions, beyond_delta
from riskmark.calc.windows import CHUNK
from riskmark.domain.reasons import NullReason


class FactorMoves(NamedTuple):
    """What S scenarios do to F factors.

    ``direct`` (S, F) is 0 for factors that are not shocked. ``predictive`` (R, S, F) goes
    with the R sessions of the covariances. ``nulls`` (R, S) are its reasons, and
    ``direct_nulls`` (S,): a scenario that shocks what is no factor of the model.
    """

    direct: FloatArray
    direct_nulls: CodeArray
    predictive: FloatArray
    nulls: CodeArray


class Stress(NamedTuple):
    """Gains and losses in money of C cells in S scenarios: (C, S).

    ``beyond`` is what options add to ``direct`` beyond their delta; NaN in cells without them,
    and None where no cell has any.
    """

    direct: Measure
    predictive: Measure
    beyond: FloatArray | None = None


class Contributions(NamedTuple):
    """Of one cell: by factor (S, F), and by position (S, P); NaN for one without a fit."""

    factors: FloatArray
    positions: FloatArray


def factor_moves(
    shocks: Sequence[Mapping[str, float]],
    factors: Sequence[str],
    covariances: FactorCovariances,
) -> FactorMoves:
    """Turn the ``shocks`` of each scenario, by name, into moves of the ``factors``.

    A predictive move is null where the covariances are, and where the shocked factors do
    not move or determine one another.
    """
    place = {name: column for column, name in enumerate(factors)}
    sessions = len(covariances.nulls)
    direct = np.zeros((len(shocks), len(factors)))
    direct_nulls = np.zeros(len(shocks), np.int8)
    alike: dict[tuple[int, ...], list[int]] = {}
    for scenario, one in enumerate(shocks):
        if not one.keys() <= place.keys():
            direct_nulls[scenario] = CODE_OF[NullReason.NOT_DEFINED]
            continue
        shocked = tuple(sorted(place[name] for name in one))
        direct[scenario, shocked] = [one[factors[column]] for column in shocked]
        alike.setdefault(shocked, []).append(scenario)
    predictive = np.full((sessions, len(shocks), len(factors)), np.nan)
    nulls = np.repeat(direct_nulls[None], sessions, axis=0)
    for shocked, scenarios in alike.items():
        moves, codes = _follow(direct[scenarios], np.array(shocked), covariances)
        predictive[:, scenarios] = moves
        nulls[:, scenarios] = codes[:, None]
    predictive[nulls != 0] = np.nan
    direct[direct_nulls != 0] = np.nan
    return FactorMoves(direct, direct_nulls, predictive, nulls)


def _follow(
    direct: FloatArray, shocked: IntArray, covariances: FactorCovariances
) -> tuple[FloatArray, CodeArray]:
    """Let the other factors follow the ``shocked`` ones: (R, S, F), and (R,) reasons."""
    known = covariances.nulls == 0
    matrix = np.where(known[:, None, None], covariances.matrix, 0.0)
    deviation = np.sqrt(np.einsum("rff->rf", matrix))
    scale = 1 / np.where(deviation > 0, deviation, 1.0)
    correlation = matrix * scale[:, :, None] * scale[:, None]
    flat = (deviation[:, shocked] == 0).any(axis=1)
    among = correlation[:, shocked[:, None], shocked]
    among[flat | ~known] = np.eye(len(shocked))
    inverse = inverse_of(among[..., None])[..., 0]
    standard = direct[:, shocked] * scale[:, None, shocked]
    moves = standard @ inverse @ correlation[:, shocked] * deviation[:, None]
    moves[:, :, shocked] = direct[:, shocked]
    codes = np.zeros(len(known), np.int8)
    collinear = np.einsum("rss->rs", inverse).max(axis=1) >= MAX_VIF
    codes[collinear] = CODE_OF[NullReason.COLLINEAR_FACTORS]
    codes[flat] = CODE_OF[NullReason.NO_FACTOR_VARIATION]
    return moves, np.where(known, codes, covariances.nulls)


def stress(exposures: Measure, moves: FactorMoves, *, place: IntArray, books: Books) -> Stress:
    """Move the factors under the ``exposures`` (C, F), in money, of each cell.

    ``place`` (C,) says where a cell's session is among those of the moves. Null where the
    exposures are, and where the move is; a cell that holds nothing loses nothing.
    """
    cells, scenarios = len(place), len(moves.direct)
    blocked = exposures.nulls.max(axis=1, initial=0)
    e = np.where(blocked[:, None] == 0, exposures.values, 0.0)
    direct = e @ np.where(moves.direct_nulls[:, None] == 0, moves.direct, 0.0).T
    predictive = np.empty((cells, scenarios))
    followed = np.where(moves.nulls[:, :, None] == 0, moves.predictive, 0.0)
    step = max(1, CHUNK // max(1, moves.direct.size))
    for start in range(0, cells, step):
        some = slice(start, start + step)
        predictive[some] = np.einsum("cf,csf->cs", e[some], followed[place[some]])
    codes = np.where(books.held[:, None], moves.nulls[place], moves.direct_nulls)
    return Stress(
        _blocked(direct, blocked, np.repeat(moves.direct_nulls[None], cells, axis=0)),
        _blocked(predictive, blocked, codes),
    )


def reprice(
    found: Stress,
    options: OptionPositions,
    betas: FloatArray,
    *,
    moves: FactorMoves,
    place: IntArray,
) -> Stress:
    """Add what ``options`` gain beyond the delta exposures that ``found`` is made of.

    ``betas`` (k, F) are those of the fits of their underlyings, which move by Σ_f β_f · move_f.
    """
    direct, predictive = option_moves(options, betas, moves=moves, place=place)
    gained = beyond_delta(options, direct)
    beyond = np.full(found.direct.values.shape, np.nan)
    beyond[options.cell] = 0.0
    np.add.at(beyond, options.cell, gained)
    beyond[found.direct.nulls != 0] = np.nan
    return Stress(
        _added(found.direct, options, gained),
        _added(found.predictive, options, beyond_delta(options, predictive)),
        beyond,
    )


def option_moves(
    options: OptionPositions, betas: FloatArray, *, moves: FactorMoves, place: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return how the underlyings move, directly and predictively: (k, S); 0 where that is null."""
    shocked = np.where(moves.direct_nulls[:, None] == 0, moves.direct, 0.0)
    followed = np.where(moves.nulls[:, :, None] == 0, moves.predictive, 0.0)
    session = place[options.cell]
    return betas @ shocked.T, np.einsum("kf,ksf->ks", betas, followed[session])


def _added(found: Measure, options: OptionPositions, amounts: FloatArray) -> Measure:
    """Add amounts (k, S) to the cells that they are of; a null stays one."""
    values = found.values.copy()
    np.add.at(values, options.cell, amounts)
    return Measure(np.where(found.nulls == 0, values, np.nan), found.nulls)


def contributions(amounts: FloatArray, betas: FloatArray, moves: FloatArray) -> Contributions:
    """Tell what each factor and each position of one cell adds to its stress.

    ``amounts`` (P,) are the positions' exposures in money, ``betas`` (P, F) those of their
    fits, NaN without one, and ``moves`` (S, F) what the scenarios do to the factors.
    """
    fitted = np.isfinite(betas).all(axis=1)
    exposures = amounts[fitted] @ betas[fitted]
    positions = np.full((len(moves), len(amounts)), np.nan)
    positions[:, fitted] = moves @ betas[fitted].T * amounts[fitted]
    return Contributions(moves * exposures, positions)


def _blocked(values: FloatArray, blocked: CodeArray, codes: CodeArray) -> Measure:
    """Make a measure of (C, S) values; the cells' reasons come before the scenarios'."""
    nulls = np.where(blocked[:, None] != 0, blocked[:, None], codes)
    return Measure(np.where(nulls == 0, values, np.nan), nulls)
