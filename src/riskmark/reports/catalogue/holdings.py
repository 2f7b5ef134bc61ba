"""The catalogue of what a book consists of: concentration, sectors and positions."""

from riskmark.calc.concentration import LARGEST
from riskmark.calc.liquidity import LEAST, PARTICIPATION, SPAN
from riskmark.calc.tail import LEAST as TAIL_LEAST
from riskmark.calc.tail import SPAN as TAIL_SPAN
from riskmark.domain.factor_models import FactorModel
from riskmark.domain.reasons import NullReason
from riskmark.reports.catalogue.entry import (
    OF_ONE_FIT,
    OF_SHARES,
    OVER_NAV,
    Entry,
    Section,
    Unit,
    Window,
)

_MARKS = (NullReason.STALE, NullReason.NEVER_PRICED, NullReason.CLOSED)


def concentration() -> Section:
    """Return the section ``concentration``."""

    def entry(name: str, unit: Unit, formula: str, source: str = "") -> Entry:
        return Entry(name, unit, formula, source, f"snapshot.{name}", nulls=OF_SHARES)

    return Section(
        "concentration",
        "Concentration",
        "v_i = |e_i| / gross. Every position counts, stale ones and those at cost too. Where "
        "options are held, e_i adds up what lots and options have of one instrument, and gross "
        "is Σ |e_i|; so it is in every share of gross but nonlinear_weight.",
        (
            entry("hhi", Unit.FRACTION, "Σ v_i²; 0 to 1", "Herfindahl 1950; Hirschman 1964"),
            entry("effective_positions", Unit.RATIO, "1 / HHI", "Hannah & Kay 1977, order 2"),
            entry("top_1", Unit.FRACTION, "the largest v_i"),
            entry("top_3", Unit.FRACTION, "the sum of the 3 largest v_i"),
            entry("top_10", Unit.FRACTION, f"the sum of the {LARGEST} largest v_i"),
        ),
    )


def sectors() -> Section:
    """Return the section ``sectors``."""

    def entry(name: str, formula: str) -> Entry:
        column = f"sector_exposure.{name}"
        return Entry(name, Unit.FRACTION, formula, column=column, nulls=OVER_NAV)

    return Section(
        "sectors",
        "Sectors",
        "One line for each GICS sector that is held or has a benchmark weight, and for ETF, Fund, "
        "Private and Unclassified; there is no guess from the ticker.",
        (
            Entry("sector", Unit.NAMES, "whose line it is", column="sector_exposure.sector"),
            entry("long", "Σ e_i / NAV of the positive e_i in the sector"),
            entry("short", "Σ e_i / NAV of the negative e_i in the sector; ≤ 0"),
            entry("net", "long + short"),
            entry("gross", "long − short"),
            Entry(
                "benchmark",
                Unit.FRACTION,
                "the benchmark's weight in force on the session",
                "imported: riskmark benchmarks import",
                "benchmark_weight.weight",
                nulls=(NullReason.NO_BENCHMARK_WEIGHTS,),
            ),
        ),
    )


def positions(market: FactorModel) -> Section:
    """Return the section ``positions``; ``market`` is the model of beta."""

    def entry(name: str, unit: Unit, formula: str, *nulls: NullReason) -> Entry:
        return Entry(name, unit, formula, column=f"position_value.{name}", nulls=nulls)

    return Section(
        "positions",
        "Positions",
        "One line for each symbol held at the close, and for each that was closed in the session "
        "(quantity 0).",
        (
            Entry("symbol", Unit.NAMES, "whose line it is", column="instrument.symbol"),
            entry("quantity", Unit.SHARES, "Σ quantity of lots · splits since; negative: short"),
            entry("mark", Unit.PRICE, "the price used", NullReason.CLOSED),
            entry("mark_kind", Unit.CODE, "where the mark is from (below)", NullReason.CLOSED),
            entry(
                "mark_age",
                Unit.SESSIONS,
                "sessions since the close that the mark is from; of a model, the underlying's",
                NullReason.NEVER_PRICED,
                NullReason.CLOSED,
            ),
            entry("market_value", Unit.MONEY, "MV = quantity · mark · m"),
            entry("weight", Unit.FRACTION, "MV / NAV", *OVER_NAV),
            entry(
                "pnl", Unit.MONEY, "MV(t) − MV(t−1) − cost of entries + proceeds of exits + income"
            ),
            Entry(
                "beta",
                Unit.RATIO,
                "slope of the symbol's returns on the Market; of an option, its underlying's "
                "· e / MV",
                "ordinary least squares",
                "position_value.beta",
                Window(market.window, market.minimum),
                (*_MARKS, *OF_ONE_FIT, NullReason.UNDEFINED_DENOMINATOR),
            ),
            Entry(
                "component_es_95",
                Unit.FRACTION,
                "−mean(w_i · r_i | x ≤ 5 % quantile); the sum over positions is es_95",
                "Tasche 1999: Euler contributions",
                "position_value.component_es_95",
                Window(TAIL_SPAN, TAIL_LEAST),
                (*_MARKS, *OVER_NAV, *OF_ONE_FIT),
            ),
            Entry(
                "sessions_to_sell",
                Unit.SESSIONS,
                f"|quantity| / ({PARTICIPATION:g} · median volume of the window)",
                "a participation rate, as in the liquidity rules of funds",
                None,
                Window(SPAN, LEAST),
                (
                    NullReason.NO_HOLDINGS,
                    NullReason.TOO_FEW_OBSERVATIONS,
                    NullReason.UNDEFINED_DENOMINATOR,
                    NullReason.CLOSED,
                ),
            ),
            Entry(
                "sector",
                Unit.NAMES,
                "GICS sector, or the kind of a fund or private asset; an option's underlying's",
            ),
        ),
    )
