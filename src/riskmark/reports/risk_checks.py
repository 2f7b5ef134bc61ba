"""Checks of the risk numbers of snapshots, each a condition on the numbers of one session.

The database judges every rule in one pass over the snapshots. A rule about a null is kept.
Stress is judged from the stored exposures and the shocks that the settings state.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from riskmark.domain.scenarios import STRESS_MODEL
from riskmark.reports.line_checks import CellViolation, unless
from riskmark.reports.violations import Violation
from riskmark.settings import Settings
from riskmark.storage.engines import as_date, read_rows
from riskmark.storage.key_lists import Part, among

_SLACK = "1e-9"
"""Rounding, as a share of the numbers that are compared."""


class _Rule(NamedTuple):
    """A condition in SQL on numbers of a snapshot; where it ``adds`` them, it may overflow."""

    invariant: str
    names: tuple[str, ...]
    condition: str
    adds: bool = False


def risk_violations(
    connection: Connection, portfolio_ids: Sequence[str], *, settings: Settings
) -> Iterator[CellViolation]:
    """Yield the risk numbers that cannot be, by themselves or beside one another."""
    listed = among(connection, portfolio_ids)
    yield from _snapshots(connection, listed)
    yield from _exposures(connection, listed)
    yield from _stress(connection, listed, settings)


def _within(invariant: str, least: float, most: float | None, *names: str) -> tuple[_Rule, ...]:
    """Make rules of bounds, with a little room for rounding."""
    upper = "" if most is None else f" AND {{0}} <= {most!r} + {_SLACK}"
    return tuple(
        _Rule(invariant, (name,), f"({{0}} >= {least!r} - {_SLACK}{upper})".format(name))
        for name in names
    )


def _ascending(lower: str, higher: str) -> tuple[_Rule, ...]:
    """Make the rules that one loss is at least another, as shares of NAV and in money."""
    pairs = ((lower, higher), (f"{lower}_money", f"{higher}_money"))
    return tuple(
        _Rule(
            "losses_are_ordered",
            pair,
            "{0} <= {1} + {2} * (ABS({0}) + ABS({1}))".format(*pair, _SLACK),
            adds=True,
        )
        for pair in pairs
    )


def _in_money(name: str) -> _Rule:
    """Make the rule that a loss in money is its share times NAV."""
    money = f"{name}_money"
    return _Rule(
        "loss_is_share_of_nav",
        (name, "nav", money),
        f"ABS({name} * nav - {money}) <= {_SLACK} * (ABS({name} * nav) + ABS({money}))",
        adds=True,
    )


_RULES: tuple[_Rule, ...] = (
    *_ascending("var_95", "var_99"),
    *_ascending("es_95", "es_99"),
    *_ascending("var_95", "es_95"),
    *_ascending("var_99", "es_99"),
    *_ascending("var_95_param", "var_99_param"),
    *map(_in_money, ("var_95", "var_99", "es_95", "es_99", "var_95_param", "var_99_param")),
    _Rule(
        "shares_of_risk_sum_to_one",
        ("factor_share", "specific_share"),
        f"ABS(factor_share + specific_share - 1) <= {_SLACK}",
        adds=True,
    ),
    *_within("share_within_bounds", 0.0, 1.0, "factor_share", "specific_share"),
    *_within("share_within_bounds", 0.0, 1.0, "excluded_weight", "proxied_weight"),
    *_within("share_within_bounds", 0.0, 1.0, "vol_percentile"),
    *_within("correlation_within_bounds", -1.0, 1.0, "benchmark_correlation", "corr_mean"),
    *_within("correlation_within_bounds", 0.0, 1.0, "corr_mean_abs"),
    *_within("volatility_is_not_negative", 0.0, None, "vol_21", "vol_63", "vol_252", "vol_ewma"),
    *_within("volatility_is_not_negative", 0.0, None, "vol_har_1d", "vol_har_21d"),
    *_within("volatility_is_not_negative", 0.0, None, "tracking_error"),
    *_within("mixture_is_of_one_or_more", 1.0, None, "effective_bets", "effective_rank"),
    *_within("mixture_is_of_one_or_more", 1.0, None, "diversification_ratio"),
    _Rule("code_is_known", ("vol_trend",), "vol_trend IN (-1, 0, 1)"),
    _Rule("code_is_known", ("har_fallback",), "har_fallback IN (0, 1)"),
)


def _snapshots(connection: Connection, listed: Part) -> Iterator[CellViolation]:
    broken = [_broken(rule) for rule in _RULES]
    flags = ", ".join(f"CASE WHEN {one} THEN 1 ELSE 0 END" for one in broken)
    names = tuple(dict.fromkeys(name for rule in _RULES for name in rule.names))
    rows = read_rows(
        connection,
        f"SELECT portfolio_id, session, {', '.join(names)}, {flags} FROM snapshot "
        f"WHERE ({' OR '.join(broken)}) AND portfolio_id {listed.sql}",
        listed.values,
    )
    for portfolio, day, *values in rows:
        stored = dict(zip(names, values, strict=False))
        for rule, flag in zip(_RULES, values[len(names) :], strict=True):
            if flag:
                shown = ", ".join(f"{name} is {stored[name]:,.6f}" for name in rule.names)
                yield _found(rule.invariant, portfolio, day, shown)


def _broken(rule: _Rule) -> str:
    known = " AND ".join(f"{name} IS NOT NULL" for name in rule.names)
    broken = unless(rule.condition, *rule.names) if rule.adds else f"NOT ({rule.condition})"
    return f"({known} AND {broken})"


def _exposures(connection: Connection, listed: Part) -> Iterator[CellViolation]:
    rows = read_rows(
        connection,
        "SELECT portfolio_id, session, model, factor, coverage, stderr FROM factor_exposure "
        f"WHERE (coverage < 0 OR coverage > 1 + {_SLACK} OR stderr < 0) "
        f"AND portfolio_id {listed.sql}",
        listed.values,
    )
    for portfolio, day, model, factor, coverage, stderr in rows:
        detail = f"{model}.{factor}: coverage is {coverage}, standard error {stderr}"
        yield _found("exposure_within_bounds", portfolio, day, detail)


def _stress(connection: Connection, listed: Part, settings: Settings) -> Iterator[CellViolation]:
    """Check that what a scenario costs directly is Σ exposure × shock, in money.

    What options add beyond their delta stands beside it.
    """
    factors = [factor.name for factor in settings.model(STRESS_MODEL).factors]
    column = {name: f"e.money_{place}" for place, name in enumerate(factors)}
    shocks = [(one.name, one.moves(settings.rates)) for one in settings.scenario]
    judged = [(name, moves) for name, moves in shocks if moves.keys() <= column.keys()]
    if not judged:
        return
    sums = " ".join(_case(moves, column, "{0} * {1!r}") for _, moves in judged)
    sizes = " ".join(_case(moves, column, "ABS({0} * {1!r})") for _, moves in judged)
    scenarios = [name for name, _ in judged]
    money = ", ".join(
        f"SUM(CASE WHEN factor = ? THEN money END) AS money_{place}"
        for place in range(len(factors))
    )
    fits = unless(
        f"ABS(r.direct - summed) <= {_SLACK} * (ABS(r.direct) + sized)", "r.direct", "sized"
    )
    beyond = "COALESCE(s.beyond_delta, 0)"
    rows = read_rows(
        connection,
        f"SELECT portfolio_id, session, scenario, direct, summed FROM (SELECT s.portfolio_id, "
        f"s.session, s.scenario, s.direct, {beyond} + CASE s.scenario {sums} END AS summed, "
        f"ABS({beyond}) + CASE s.scenario {sizes} END AS sized "
        "FROM stress_result s JOIN (SELECT portfolio_id, "
        f"session, {money} FROM factor_exposure WHERE model = ? AND portfolio_id {listed.sql} "
        "GROUP BY portfolio_id, session) e ON e.portfolio_id = s.portfolio_id "
        "AND e.session = s.session WHERE s.direct IS NOT NULL) r "
        f"WHERE summed IS NULL OR {fits}",
        (*scenarios, *scenarios, *factors, STRESS_MODEL, *listed.values),
    )
    for portfolio, day, scenario, direct, summed in rows:
        if scenario in scenarios:
            stated = "nothing" if summed is None else f"{summed:,.6f}"
            detail = f"{scenario}: stored {direct:,.6f}, the exposures make it {stated}"
            yield _found("stress_is_exposure_times_shock", portfolio, day, detail)


def _case(moves: Mapping[str, float], column: Mapping[str, str], form: str) -> str:
    return "WHEN ? THEN " + " + ".join(form.format(column[k], v) for k, v in moves.items())


def _found(invariant: str, portfolio: str, day: object, detail: str) -> CellViolation:
    session = as_date(day)
    return CellViolation(portfolio, session, Violation(invariant, portfolio, session, detail))
