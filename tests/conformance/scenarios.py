"""Stress scenarios, direct and predictive, and replays of history."""

from collections.abc import Iterator
from math import prod

import numpy as np
from tests.conformance import market
from tests.conformance.cells import CELLS, Cells, cells, included, style_exposures, style_factors
from tests.conformance.cells import style_fits as fits_of_style
from tests.conformance.comparisons import PLAIN_PYTHON, Against, Oracle, Row

from riskmark.calc.factor_covariance import factor_covariances
from riskmark.calc.replay import Episode, replay
from riskmark.calc.stress import contributions, factor_moves, stress
from riskmark.domain.scenarios import Rates, Replay

AREA = "Stress and replays"

DIRECT = Oracle("plain Python", "python")
CONDITIONAL = Oracle("conditional mean, numpy `linalg.solve`", "numpy")
CONVENTION = Oracle("duration 16.5, convexity 370, by hand")
HISTORY = 504


def rows() -> Iterator[Row]:
    """Compare all scenarios and replays that the bundled data can make."""
    yield from scenarios(cells(with_holes=True))
    yield rates()
    yield from replays(cells(with_holes=True))


def scenarios(of: Cells) -> Iterator[Row]:
    """Compare gains and losses of the books in every scenario without rates."""
    settings, model = market.settings(), market.model("style")
    names = [factor.name for factor in model.factors]
    chosen = [one for one in settings.scenario if one.rates_bp is None]
    shocks = [one.moves(settings.rates) for one in chosen]
    factors, e = style_factors(of), style_exposures(with_holes=True)
    covariances = factor_covariances(factors, rows=of.rows, window=HISTORY)
    moves = factor_moves(shocks, names, covariances)
    found = stress(e, moves, place=of.place, books=of.books)
    direct, predictive, followed = [], [], []
    for cell, row in enumerate(of.cell_row):
        part = factors[row - HISTORY + 1 : row + 1]
        covariance = np.cov(part[np.isfinite(part).all(axis=1)], rowvar=False)
        money = e.values[cell]
        for one in shocks:
            direct.append(sum(money[names.index(name)] * move for name, move in one.items()))
            followed.append(conditional_mean(one, names, covariance))
            predictive.append(money @ followed[-1])
    source = f"{market.HOLED}: {len(chosen)} scenarios"
    yield Against(DIRECT, source).relative("direct", found.direct.values, direct, least=1e-3)
    against = Against(CONDITIONAL, source)
    ours = moves.predictive[of.place]
    yield against.relative("moves of the factors", ours, np.array(followed), least=1e-3)
    yield against.relative("predictive", found.predictive.values, predictive, least=1e-3)
    yield from parts(of, moves.predictive, source)


def conditional_mean(
    shocks: dict[str, float], names: list[str], covariance: np.ndarray
) -> np.ndarray:
    """Return where the factors are expected when some of them have moved."""
    shocked = [names.index(name) for name in shocks]
    sizes = np.array([*shocks.values()])
    among = covariance[np.ix_(shocked, shocked)]
    moves = covariance[:, shocked] @ np.linalg.solve(among, sizes)
    moves[shocked] = sizes
    return moves


def parts(of: Cells, predictive: np.ndarray, source: str) -> Iterator[Row]:
    """Compare contributions of factors and positions, one by one."""
    fits = fits_of_style(with_holes=True).parts[0]
    ours, theirs = [], []
    for cell, place in enumerate(of.place):
        kept = of.included(cell)
        betas, amounts = fits.beta[place, kept], of.weights[cell, kept]
        moves = predictive[place]
        found = contributions(amounts, betas, moves)
        fitted = [i for i in range(len(kept)) if np.isfinite(betas[i]).all()]
        for scenario, move in enumerate(moves.tolist()):
            ours += [*found.factors[scenario], *found.positions[scenario, fitted]]
            theirs += [
                sum(amounts[i] * betas[i, f] for i in fitted) * one for f, one in enumerate(move)
            ]
            theirs += [
                amounts[i] * sum(b * one for b, one in zip(betas[i], move, strict=True))
                for i in fitted
            ]
    note = "by factor and by position"
    yield Against(PLAIN_PYTHON, source).relative(
        "contributions", ours, theirs, least=1e-3, note=note
    )


def rates() -> Row:
    """Compare what a rise of yields by 100 basis points does, as the conventions state it."""
    found = Rates("Rates", 16.5, 370.0).return_of(100)
    return Against(CONVENTION, "+100 bp").printed("return of Rates", [found], ["-0.1465"])


def replays(of: Cells) -> Iterator[Row]:
    """Compare the episodes of 2018, 2020 and 2022; stocks with holes go by their factors."""
    sessions = market.panel().sessions.astype("datetime64[D]")
    first = sessions[0].item()
    chosen = [one for one in market.settings().replay if one.first > first]
    factors, fits = style_factors(of), fits_of_style(with_holes=True).parts[0]
    episodes = [episode(one, of.returns, factors, sessions) for one in chosen]
    found = replay(
        included(of),
        fits,
        episodes,
        fit_row=of.place,
        is_over=np.ones((CELLS, len(chosen)), bool),
        books=of.books,
    )
    expected = [
        [
            walk(of, cell, one, fits.beta[of.place[cell]])
            for one in episodes
        ]
        for cell in range(CELLS)
    ]  # fmt: skip
    ours = np.stack([found.pnl.values, found.own_share.values, found.proxied_share.values], axis=2)
    source = f"{market.HOLED}: {', '.join(one.name for one in chosen)}"
    against = Against(PLAIN_PYTHON, source)
    theirs = np.array(expected)
    yield against.relative("P&L of replays", ours[:, :, 0], theirs[:, :, 0], least=1e-3)
    measure = "own and proxied shares of replays"
    yield against.relative(measure, ours[:, :, 1:], theirs[:, :, 1:], least=1e-3)


def episode(one: Replay, returns: np.ndarray, factors: np.ndarray, sessions: np.ndarray) -> Episode:
    """Cut an episode out of the panel."""
    first, last = (
        int(np.searchsorted(sessions, np.datetime64(day), side="right"))
        for day in (one.first, one.last)
    )
    return Episode(returns[first:last], factors[first:last], in_data=True)


def walk(of: Cells, cell: int, one: Episode, betas: np.ndarray) -> tuple[float, float, float]:
    """Take each position of a book through an episode: P&L, and shares of gross."""
    pnl = own = proxied = 0.0
    gross = sum(abs(weight) for weight in of.weights[cell].tolist())
    for i in of.included(cell):
        weight, returns = float(of.weights[cell, i]), one.returns[:, i].tolist()
        if not any(np.isnan(returns)):
            own += abs(weight) / gross
        elif np.isfinite(betas[i]).all():
            proxied += abs(weight) / gross
            returns = [
                sum(b * f for b, f in zip(betas[i].tolist(), row, strict=True) if f == f)  # noqa: PLR0124
                for row in one.factors.tolist()
            ]
        else:
            continue
        pnl += weight * (prod(1 + r for r in returns) - 1)
    return pnl, own, proxied
