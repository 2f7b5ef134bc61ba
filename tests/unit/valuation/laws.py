"""What the laws of whole books share: which numbers are money, and when two are the same."""

import numpy as np
from tests.whole_books import ABSENT, Numbers

from riskmark.domain.measures import SNAPSHOT

_RELATIVE = {"return", "excluded_weight", "proxied_weight"}
_OF_NAV = (
    "risk.vol_21", "risk.vol_63", "risk.vol_252", "risk.vol_ewma", "risk.vol_har_1d",
    "risk.vol_har_21d", "risk.var_95", "risk.var_99", "risk.es_95", "risk.es_99",
    "risk.var_95_param", "risk.var_99_param", "risk.beta", "risk.beta_1y", "risk.rates_beta",
)  # fmt: skip


def is_money(name: str) -> bool:
    """Tell whether a number is an amount of money."""
    section, *_, last = name.split(".")
    if section == "snapshot":
        return last in SNAPSHOT and last not in _RELATIVE
    if section == "positions":
        return last in {"market_value", "pnl"}
    return section == "stress" or last == "money" or last.endswith("_money")


def is_share_of_nav(name: str) -> bool:
    """Tell whether a number is an amount of money divided by NAV."""
    section, *_, last = name.split(".")
    return (
        name in _OF_NAV
        or section == "sectors"
        or last in {"exposure", "stderr", "weight", "component_es_95"}
    )


def is_kept_by_leverage(name: str) -> bool:
    """Tell whether a number of risk does not change with the size of what is held."""
    section, *_, last = name.split(".")
    return (
        section in {"correlation", "concentration", "factor_risk"}
        or last in {"excluded_weight", "proxied_weight", "coverage", "risk_share"}
        or last in {"vol_trend", "vol_percentile", "har_fallback", "benchmark_correlation"}
        or last in {"effective_bets", "diversification_ratio"}
        or (section == "positions" and last in {"beta", "mark"})
    )


def sizes_of(numbers: Numbers) -> np.ndarray:
    """Return the amounts that stand in a cell (C,), against which rounding is measured."""
    names = ("gross", "cash", "nav", "cum_realized", "cum_unrealized", "cum_income")
    found: np.ndarray = np.add.reduce([np.abs(numbers[f"snapshot.{name}"]) for name in names])
    return found + 1e-6


def assert_same(
    one: Numbers,
    other: Numbers,
    *,
    money: float = 1.0,
    quantity: float | None = None,
    without: tuple[str, ...] = (),
    rtol: float = 1e-7,
) -> None:
    """Assert that ``other`` is ``one``, its money times ``money``, nulls with their reasons."""
    names = tuple(name for name in dict.fromkeys(one.names + other.names) if name not in without)
    wholes = (one, other)
    one, other = one.ordered(names), other.ordered(names)
    assert one.portfolio.tolist() == other.portfolio.tolist()
    assert one.ordinal.tolist() == other.ordinal.tolist()
    _show(names, one.codes != other.codes, one.codes, other.codes)
    in_money = np.array([is_money(name) or is_share_of_nav(name) for name in names])
    quantities = np.array([name.endswith(".quantity") for name in names])
    times = np.where(in_money, money, 1.0)
    times[quantities] = money if quantity is None else quantity
    wanted, found = (
        money_of(part, whole) for part, whole in zip((one, other), wholes, strict=True)
    )
    assert_close(names, wanted * times, found, sizes_of(wholes[1]), rtol=rtol)


def money_of(numbers: Numbers, whole: Numbers) -> np.ndarray:
    """Return the numbers with shares of NAV in money; of what is not there, there is 0."""
    shares = np.array([is_share_of_nav(name) for name in numbers.names])
    times = np.where(shares, whole["snapshot.nav"][:, None], 1.0)
    found: np.ndarray = np.where(numbers.codes == ABSENT, 0.0, numbers.values) * times
    return found


def assert_close(
    names: tuple[str, ...],
    wanted: np.ndarray,
    found: np.ndarray,
    sizes: np.ndarray,
    *,
    rtol: float = 1e-7,
) -> None:
    """Assert that numbers (C, M) are as wanted, to rounding of ``sizes`` (C,).

    NaN is only like NaN.
    """
    in_money = np.array([is_money(name) or is_share_of_nav(name) for name in names])
    size = np.where(in_money, sizes[:, None], 1.0)
    allowed = rtol * np.maximum(np.abs(wanted), np.abs(found)) + 1e-9 * size
    same = (np.isnan(wanted) & np.isnan(found)) | (np.abs(wanted - found) <= allowed)
    _show(names, ~same, wanted, found)


def is_number(codes: np.ndarray) -> np.ndarray:
    """Tell which codes are those of numbers."""
    found: np.ndarray = codes == 0
    return found


def is_null(codes: np.ndarray) -> np.ndarray:
    """Tell which codes are reasons."""
    found: np.ndarray = (codes != 0) & (codes != ABSENT)
    return found


def _show(names: tuple[str, ...], wrong: np.ndarray, wanted: np.ndarray, found: np.ndarray) -> None:
    cells, columns = np.nonzero(wrong)
    listed = [
        f"{names[column]} of cell {cell}: {wanted[cell, column]!r} became {found[cell, column]!r}"
        for cell, column in zip(cells.tolist(), columns.tolist(), strict=True)
    ]
    assert not listed, "\n".join(listed[:12])
