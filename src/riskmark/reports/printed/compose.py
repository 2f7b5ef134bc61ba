"""What a report says of a portfolio's session: the numbers that ``show`` has, in order.

Sums are made of positions that have no line of their own, and nothing else is computed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from riskmark.domain.reasons import SnapshotState
from riskmark.reports.figures.gallery import draw
from riskmark.reports.figures.numbers import Numbers
from riskmark.reports.figures.tails import MEASURES
from riskmark.reports.printed.content import (
    Block,
    Content,
    Grid,
    Heading,
    Picture,
    Row,
    Section,
    Stack,
    Tile,
    Tiles,
    Words,
)
from riskmark.reports.printed.held import positions_grid
from riskmark.reports.printed.remarks import basis_words, method_words, null_words
from riskmark.reports.printed.writing import change, gain, money, plural, ratio, share
from riskmark.reports.words import (
    LIGHT_WORDS,
    NULL_WORDS,
    SNAPSHOT_WORDS,
    SYMBOL_WORDS,
    in_words,
)

FIGURES = (
    "performance", "drawdown", "volatility", "var", "factors", "risk_shares", "stress", "sectors",
    "attribution_sectors", "attribution_factors",
)  # fmt: skip
"""The figures of a report."""
_MOST_REASONS = 6
"""Symbols whose marks are explained in the head; their number is always said."""
_ROOM_FOR_THREE = 18
"""Scenarios whose bars are as high as three other figures; beside fewer of them stand two."""
_RETURNS = {
    "twr_mtd": "Month to date",
    "twr_qtd": "Quarter to date",
    "twr_ytd": "Year to date",
    "twr_1y": "1 year",
    "twr_inception": "Since inception",
    "mwr_inception": "Money-weighted",
}
_LOSSES = {
    "var_95": "VaR 95\u00a0%",
    "var_99": "VaR 99\u00a0%",
    "es_95": "Expected shortfall 95\u00a0%",
    "es_99": "Expected shortfall 99\u00a0%",
    "var_95_param": "Parametric VaR 95\u00a0%",
    "var_99_param": "Parametric VaR 99\u00a0%",
}


def compose(numbers: Numbers, *, sources: Sequence[str]) -> Content:
    """Put a report together; ``sources`` are where the session's closes are from."""
    shown = numbers.snapshot
    unit = numbers.currency
    return Content(
        title=str(shown["portfolio"]["name"]),
        subtitle=f"Portfolio risk report as of {shown['session']} · {unit}",
        state=_state(shown),
        basis=basis_words(numbers, sources),
        tiles=_tiles(numbers),
        sections=(
            Section("Performance", _performance(numbers)),
            Section("Risk", _risk(numbers)),
            Section("Exposures and stress", _exposures(numbers), is_new_page=True),
            Section("Positions", (*_held(numbers), *_remarks(numbers))),
        ),
        footer=f"Riskmark · run {shown['provenance']['run']} · {shown['session']}",
    )


def _state(shown: Mapping[str, Any]) -> str:
    state = SnapshotState(shown["state"])
    said = f"{state.value.capitalize()}: {in_words(SNAPSHOT_WORDS, state)}."
    reasons = shown["reasons"]
    if not reasons:
        return said
    listed = [
        f"{one['symbol']} ({in_words(SYMBOL_WORDS, one['reason'])}"
        + (", accepted)" if one["accepted"] else ")")
        for one in reasons[:_MOST_REASONS]
    ]
    more = len(reasons) - len(listed)
    return f"{said} {'; '.join(listed)}" + (f"; and {more:,} more." if more else ".")


def _tiles(numbers: Numbers) -> Tiles:
    shown, nulls, unit = numbers.snapshot, numbers.nulls, numbers.currency
    snapshot, made, risk = shown["snapshot"], shown["performance"], shown["risk"]

    def noted(name: str, value: object, note: str) -> str:
        return note if value is not None else in_words(NULL_WORDS, nulls.get(name, "not computed"))

    var = risk["var_95_money"]
    return Tiles(
        (
            Tile("Net asset value", money(snapshot["nav"]), unit),
            Tile(
                "P&L of the session",
                gain(snapshot["pnl"]),
                noted(
                    "snapshot.return",
                    snapshot["return"],
                    f"{unit}, {change(snapshot['return'], 2)}",
                ),
            ),
            Tile(
                "Year to date",
                change(made["twr_ytd"]),
                noted("performance.twr_ytd", made["twr_ytd"], "time-weighted"),
            ),
            Tile(
                "Since inception",
                change(made["twr_inception"]),
                noted("performance.twr_inception", made["twr_inception"], "time-weighted"),
            ),
            Tile(
                "Volatility",
                share(risk["vol_63"]),
                noted("risk.vol_63", risk["vol_63"], "a year, 63 sessions"),
            ),
            Tile(
                "VaR 95\u00a0%, one session",
                money(var),
                noted("risk.var_95_money", var, _of_nav(unit, risk["var_95"])),
            ),
            Tile("Beta", ratio(risk["beta"]), noted("risk.beta", risk["beta"], "to the market")),
            Tile(
                "Largest drawdown",
                share(made["max_drawdown"]),
                noted("performance.max_drawdown", made["max_drawdown"], _trough(made)),
            ),
        )
    )


def _of_nav(unit: str, value: float | None) -> str:
    return unit if value is None else f"{unit}, {share(value, 2)} of NAV"


def _trough(made: Mapping[str, Any]) -> str:
    days = made["max_drawdown_sessions"]
    return f"lowest on {days['trough']}" if "trough" in days else "never below its peak"


def _pictures(numbers: Numbers, *names: str) -> tuple[Picture, ...]:
    return tuple(Picture(draw(name, numbers)) for name in names)


def _performance(numbers: Numbers) -> tuple[Row, ...]:
    made = numbers.snapshot["performance"]
    labels = dict(_RETURNS)
    if made["mwr_annualized"]:
        labels["mwr_inception"] = "Money-weighted, a year"
    grid = Grid(
        "Returns",
        tuple(Heading(label) for label in labels.values()),
        (tuple(change(made[name]) for name in labels),),
    )
    return (_pictures(numbers, "performance", "drawdown"), (grid,))


def _risk(numbers: Numbers) -> tuple[Row, ...]:
    return (
        _pictures(numbers, "volatility", "var"),
        (_losses(numbers), _backtests(numbers)),
    )


def _losses(numbers: Numbers) -> Block:
    risk = numbers.snapshot["risk"]
    return Grid(
        "Loss of one session",
        (Heading("Measure", is_number=False), Heading(numbers.currency), Heading("% of NAV")),
        tuple(
            (label, money(risk[f"{name}_money"]), share(risk[name], 2))
            for name, label in _LOSSES.items()
        ),
    )


def _backtests(numbers: Numbers) -> Block:
    lines = numbers.snapshot["backtests"]["var"]
    lights = dict.fromkeys(one["traffic_light"] for one in lines if one["traffic_light"])
    note = "; ".join(f"{light}: {in_words(LIGHT_WORDS, light)}" for light in lights)
    sessions = max((one["sessions"] for one in lines), default=0)
    return Grid(
        f"Back-test of VaR over {plural(sessions, 'session')}",
        (
            Heading("Measure", is_number=False),
            Heading("Exceeded"),
            Heading("Expected"),
            Heading("Kupiec p"),
            Heading("Light", is_number=False),
        ),
        tuple(
            (
                MEASURES[one["measure"]],
                f"{one['exceptions']:,}",
                ratio(one["expected"], 1),
                ratio(one["kupiec_p"]),
                one["traffic_light"] or in_words(NULL_WORDS, "too_few_observations"),
            )
            for one in lines
        ),
        note=f"{note[:1].upper()}{note[1:]}." if note else "",
    )


def _exposures(numbers: Numbers) -> tuple[Row, ...]:
    known = [one for one in numbers.snapshot["stress"] if one["direct"] is not None]
    beside = _pictures(numbers, "sectors", "attribution_sectors")
    if len(known) >= _ROOM_FOR_THREE:
        beside += _pictures(numbers, "attribution_factors")
    return (
        _pictures(numbers, "factors", "risk_shares"),
        (*_pictures(numbers, "stress"), Stack(beside)),
    )


def _held(numbers: Numbers) -> tuple[Row, ...]:
    grid = positions_grid(numbers)
    return ((grid,),) if grid is not None else ()


def _remarks(numbers: Numbers) -> tuple[Row, ...]:
    missing = null_words(numbers)
    absent = (Words("What cannot be said, and why", missing),) if missing else ()
    return ((*absent, Words("Method and sources", method_words(numbers))),)
