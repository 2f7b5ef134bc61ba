"""What holds of the numbers of any book, however absurd its market and its lots.

A market is drawn symbol by symbol: some move as prices do, others not at all, some crash to
a hundredth, are listed on the last day, or have half their closes.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from tests.unit.valuation.laws import is_null, is_number, sizes_of
from tests.whole_books import (
    FACTORS,
    HELD,
    OPEN,
    SETTINGS,
    SYMBOLS,
    Action,
    Book,
    Case,
    Lot,
    Numbers,
    measure_case,
    random_case,
)

from riskmark.calc.arrays import REASONS
from riskmark.domain.scenarios import Scenario

SESSIONS = 320
ALL = structs.replace(
    SETTINGS,
    scenario=(
        *SETTINGS.scenario,
        Scenario(
            "everything",
            {
                "Market": -0.2, "Value": 0.1, "Size": -0.05, "Momentum": 0.02,
                "Quality": 0.07, "Low Volatility": -0.03,
            },
            rates_bp=150,
        ),
    ),
)  # fmt: skip
"""The settings with a scenario that leaves no factor unshocked."""

SHAPES = (
    "walk", "walk", "walk", "constant", "crash", "rocket", "seesaw", "late", "last", "never",
    "once", "twin", "penny", "holes", "stopped", "weekly",
)  # fmt: skip
quantities = st.sampled_from([1.0, -1.0, 40.0, -37.5, 1000.0, -1000.0, 1e-8, 1e9])
lots = st.builds(
    lambda symbol, quantity, back, price, held: Lot(
        symbol,
        quantity,
        SESSIONS - 1 - back,
        price,
        OPEN if held is None else SESSIONS - 1 - back + held,
        np.nan if held is None else 101.0,
    ),
    st.sampled_from([*HELD, "SPY", "TLT"]),
    quantities,
    st.integers(0, 80),
    st.sampled_from([100.0, 0.01, 95.5, 1e6, 0.0]),
    st.one_of(st.none(), st.none(), st.integers(0, 90)),
)
equities = st.sampled_from([np.nan, np.nan, 1.0, 1_000.0, 100_000.0, 1e12])


@st.composite
def books(draw: st.DrawFn) -> Book:
    """Draw lots that begin on any of the last sessions, and flows where there may be some."""
    own = tuple(draw(st.lists(lots, min_size=1, max_size=5)))
    equity = draw(equities)
    if np.isnan(equity):
        return Book(own)
    amounts = draw(st.lists(st.sampled_from([-1e6, -1_000.0, 50_000.0]), max_size=2))
    begin = min(lot.entry for lot in own)
    flows = tuple((min(begin + 3 * n, SESSIONS - 1), amount) for n, amount in enumerate(amounts))
    return Book(own, equity, flows)


@st.composite
def absurd_cases(draw: st.DrawFn) -> Case:
    """Draw a market, actions and books."""
    seed = draw(st.integers(0, 2**32 - 1))
    case = random_case(seed, sessions=SESSIONS, actions=False)
    rng = np.random.default_rng(seed)
    close = case.close.copy()
    calm = draw(st.booleans())
    for column, symbol in enumerate(SYMBOLS):
        if symbol not in FACTORS or not calm:
            shape = draw(st.sampled_from(SHAPES))
            close[:, column] = _shaped(shape, close[:, column], close[:, 0], rng)
    actions = draw(
        st.lists(
            st.builds(
                Action,
                st.sampled_from(["split", "spinoff"]),
                st.integers(1, SESSIONS - 1),
                st.sampled_from(HELD),
                st.sampled_from([2.0, 1.1, 0.05]),
            ),
            max_size=3,
        )
    )
    return case.changed(
        close=close,
        actions=tuple(actions),
        books=tuple(draw(st.lists(books(), min_size=1, max_size=3))),
        settings=ALL,
        manual=frozenset({"EEE"}) if draw(st.booleans()) else frozenset(),
        cost_only=frozenset({"FFF"}) if draw(st.booleans()) else frozenset(),
    )


def _shaped(shape: str, walk: np.ndarray, market: np.ndarray, rng: np.random.Generator):
    row = np.arange(SESSIONS)
    drawn = int(rng.integers(1, SESSIONS))
    made = {
        "walk": lambda: walk,
        "constant": lambda: np.full(SESSIONS, 50.0),
        "crash": lambda: np.where(row < drawn, 100.0, 1.0),
        "rocket": lambda: 1e-6 * 1.06**row,
        "seesaw": lambda: np.where(row % 2, 200.0, 100.0),
        "late": lambda: np.where(row < drawn, np.nan, walk),
        "last": lambda: np.where(row < SESSIONS - 1, np.nan, walk),
        "never": lambda: np.full(SESSIONS, np.nan),
        "once": lambda: np.where(row == drawn, walk, np.nan),
        "twin": lambda: market * 2,
        "penny": lambda: np.full(SESSIONS, 1e-6) * (1 + (row % 7 == 0)),
        "holes": lambda: np.where(rng.random(SESSIONS) < 0.5, np.nan, walk),
        "stopped": lambda: np.where(row > drawn, np.nan, walk),
        "weekly": lambda: np.where(row % 5, np.nan, walk),
    }
    return made[shape]()


@pytest.mark.timeout(600)  # five hundred markets, and as many when one is shortened
@given(absurd_cases())
def test_every_number_is_finite_or_null_with_a_reason_and_its_parts_are_it(case: Case):
    numbers = measure_case(case)

    assert numbers.broken == {}
    _check_nulls(numbers)
    _check_ranges(numbers)
    _check_tails(numbers)
    _check_factors(numbers, case)
    _check_sums(numbers)


def _check_nulls(numbers: Numbers) -> None:
    wrong = np.isfinite(numbers.values) != is_number(numbers.codes)
    assert not wrong.any(), [numbers.names[column] for column in np.nonzero(wrong)[1]]
    assert numbers.codes.max() <= len(REASONS)


def _check_ranges(numbers: Numbers) -> None:
    rounding = 1e-9
    for name, least, most in _RANGES:
        found = numbers[name]
        assert not (found < least - rounding).any(), (name, found)
        assert not (found > most + rounding).any(), name
    held = numbers.shard.positions
    rank = numbers["correlation.effective_rank"]
    assert not (rank > held + rounding).any()
    assert not (numbers["risk.effective_bets"] > held + rounding).any()
    mean, size = numbers["correlation.corr_mean"], numbers["correlation.corr_mean_abs"]
    assert not (np.abs(mean) > size + rounding).any()
    assert set(numbers["risk.vol_trend"][is_number(numbers.code("risk.vol_trend"))]) <= {-1, 0, 1}
    fallback = numbers["risk.har_fallback"]
    assert set(fallback[np.isfinite(fallback)]) <= {0, 1}
    for name in numbers.names:
        if name.startswith("risk.vol_") or name.endswith((".stderr", ".coverage")):
            assert name == "risk.vol_trend" or not (numbers[name] < 0).any(), name
        if name.endswith(".coverage"):
            assert not (numbers[name] > 1 + rounding).any(), name


_RANGES = (
    ("snapshot.excluded_weight", 0, 1), ("snapshot.proxied_weight", 0, 1),
    ("performance.max_drawdown", -1, 0), ("performance.drawdown", -1, 0),
    ("risk.vol_percentile", 0, 1), ("risk.benchmark_correlation", -1, 1),
    ("risk.effective_bets", 1, np.inf), ("risk.diversification_ratio", 1, np.inf),
    ("risk.tracking_error", 0, np.inf),
    ("concentration.hhi", 0, 1), ("concentration.top_1", 0, 1), ("concentration.top_10", 0, 1),
    ("concentration.effective_positions", 1, np.inf),
    ("correlation.corr_mean", -1, 1), ("correlation.corr_mean_abs", 0, 1),
    ("correlation.effective_rank", 1, np.inf),
    ("factor_risk.factor_share", 0, 1), ("factor_risk.specific_share", 0, 1),
)  # fmt: skip


def _check_tails(numbers: Numbers) -> None:
    rounding = 1e-9 * sizes_of(numbers)
    for level in ("95", "99"):
        var, shortfall = numbers[f"risk.var_{level}_money"], numbers[f"risk.es_{level}_money"]
        assert not (shortfall < var - rounding).any()
    for name in ("var", "es"):
        at_95, at_99 = numbers[f"risk.{name}_95_money"], numbers[f"risk.{name}_99_money"]
        assert not (at_99 < at_95 - rounding).any()
    for name in ("var_95", "var_99", "es_95", "es_99", "var_95_param", "var_99_param"):
        share, money = numbers[f"risk.{name}"], numbers[f"risk.{name}_money"]
        known = np.isfinite(share)
        np.testing.assert_allclose(
            (share * numbers["snapshot.nav"])[known], money[known], rtol=1e-12
        )
    normal = numbers["risk.vol_ewma"] / np.sqrt(252)
    for name, quantile in (("95", 1.6448536269514722), ("99", 2.3263478740408408)):
        np.testing.assert_allclose(numbers[f"risk.var_{name}_param"], quantile * normal, rtol=1e-12)


def _check_factors(numbers: Numbers, case: Case) -> None:
    first = {"beta": "market.Market", "beta_1y": "market_1y.Market", "rates_beta": "rates.Rates"}
    for name, factor in first.items():
        np.testing.assert_array_equal(
            numbers[f"risk.{name}"], numbers[f"factors.{factor}.exposure"]
        )
    style = case.settings.model("style").factors
    money = np.stack([numbers[f"factors.style.{one.name}.money"] for one in style], axis=1)
    size = np.abs(money).sum(axis=1) + 1e-9
    for scenario in case.settings.scenario:
        moves = scenario.moves(case.settings.rates)
        shocks = np.array([moves.get(one.name, 0.0) for one in style])
        direct = numbers[f"stress.{scenario.name}.direct"]
        assert not (np.abs(direct - money @ shocks) > 1e-12 * size).any(), scenario.name
    whole = [numbers[f"stress.everything.{what}"] for what in ("direct", "predictive")]
    assert not (np.abs(whole[0] - whole[1]) > 1e-12 * size).any()


def _check_sums(numbers: Numbers) -> None:
    shared = numbers["factor_risk.factor_share"] + numbers["factor_risk.specific_share"]
    assert not (np.abs(shared - 1) > 1e-12).any()
    parts = [numbers[name] for name in numbers.names if name.endswith(".risk_share")]
    style = np.stack([part for part in parts if not np.isnan(part).all()] or parts[:1], axis=1)
    apart = np.abs(style.sum(axis=1) - numbers["factor_risk.factor_share"])
    assert not (apart > 1e-9 * (1 + np.abs(style).sum(axis=1))).any()
    components = _summed(numbers, "positions", "component_es_95")
    shortfall = numbers["risk.es_95"]
    apart = np.abs(components.total - shortfall)
    assert not (apart > 1e-9 * components.size + 1e-12).any()
    nav = numbers["snapshot.nav"]
    for what in ("net", "gross"):
        sectors = _summed(numbers, "sectors", what)
        known = sectors.known & (numbers.shard.positions > 0)
        apart = np.abs(sectors.total * nav - numbers[f"snapshot.{what}"])
        assert not (apart[known] > 1e-9 * sizes_of(numbers)[known]).any()
    weights = _summed(numbers, "positions", "weight")
    apart = np.abs(weights.total * nav - numbers["snapshot.net"])
    assert not (apart[weights.known] > 1e-9 * sizes_of(numbers)[weights.known]).any()


class _Sum:
    """The sum over the lines of a section, what went into it, and whether no line was null."""

    def __init__(self, columns: list[np.ndarray], codes: list[np.ndarray]) -> None:
        values = np.nan_to_num(np.array(columns)).T
        self.total = values.sum(axis=1)
        self.size = np.abs(values).sum(axis=1)
        self.known = ~is_null(np.array(codes).T).any(axis=1)


def _summed(numbers: Numbers, section: str, what: str) -> _Sum:
    names = [
        name for name in numbers.names
        if name.startswith(f"{section}.") and name.endswith(f".{what}")
    ]  # fmt: skip
    if not names:
        return _Sum([np.zeros(len(numbers.portfolio))], [np.zeros(len(numbers.portfolio))])
    return _Sum([numbers[name] for name in names], [numbers.code(name) for name in names])
