"""What a book could lose, on the screen: tails, scenarios, episodes, and whether VaR was right."""

from itertools import zip_longest
from typing import TYPE_CHECKING

from riskmark.cli import formats, output
from riskmark.cli.tables import make_table
from riskmark.domain.reasons import NullReason, TrafficLight
from riskmark.reports.words import LIGHT_WORDS, NULL_WORDS, in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from riskmark.reports.backtest_lines import VarLine
    from riskmark.reports.detail_lines import StressLine
    from riskmark.reports.replays import ReplayLine
    from riskmark.reports.shown_correlation import ShownCorrelation
    from riskmark.reports.snapshot import SnapshotReport

WORST = 8
"""Scenarios that are listed without ``--all``: those that cost most."""
GAP = 3
"""Columns between two tables."""
MAY_BE_CUT = 6
"""Letters of a long name that may be missing."""
_TAILS = {
    "var_{}": "VaR", "es_{}": "ES", "var_{}_param": "VaR, normal",
}  # fmt: skip
_OUTLOOK = {
    "vol_har_1d": "Next session", "vol_har_21d": "Next month", "vol_ewma": "EWMA",
    "vol_percentile": "Percentile", "tracking_error": "Tracking error",
    "active_beta": "Active beta", "benchmark_correlation": "Correlation",
    "information_ratio": "Info ratio", "effective_bets": "Effective bets",
    "diversification_ratio": "Diversification",
}  # fmt: skip
LABELS = _OUTLOOK | {
    form.format(level): f"{label} {level}" for form, label in _TAILS.items() for level in (95, 99)
}
"""What the screen calls the measures that stand in its tables."""
_OF_VOLATILITY = 4
"""The first of them are of volatility."""
_PERCENT = frozenset({"vol_har_1d", "vol_har_21d", "vol_ewma", "vol_percentile", "tracking_error"})
_NO_SHARES = frozenset({NullReason.NAV_NOT_POSITIVE, NullReason.NAV_TOO_SMALL})
_LIGHT = {TrafficLight.GREEN: "green", TrafficLight.YELLOW: "yellow", TrafficLight.RED: "red"}


def scenario_view(found: "SnapshotReport", *, everything: bool) -> "Iterator[RenderableType]":
    """Yield what scenarios and episodes would do, and how far to trust what is said of risk."""
    tables = [_stress(found, everything=everything)]
    replays = [line for line in found.shown.replays or () if line.pnl.value is not None]
    if replays:
        tables.append(_replays(replays, _divisor(found)))
    yield from side_by_side(*tables)
    remarks = [*_together(found), *_backtests(found)]
    if remarks:
        yield ""
    yield from remarks


def side_by_side(*parts: "Table") -> "Iterator[RenderableType]":
    """Yield tables in one row, or one under the other where numbers would be cut.

    The last one's names may give way, a little.
    """
    from rich.table import Table

    widths = [output.natural_width(part) for part in parts]
    lacking = sum(widths) + GAP * (len(parts) - 1) - output.width()
    gives_way = any(not column.no_wrap for column in parts[-1].columns)
    if lacking > (MAY_BE_CUT if gives_way else 0):
        for place, part in enumerate(parts):
            if place:
                yield ""
            yield part
        return
    beside = Table.grid(padding=(0, GAP))
    widths[-1] -= max(lacking, 0)
    for width in widths:
        beside.add_column(width=width)
    beside.add_row(*parts)
    yield beside


def tail_table(found: "SnapshotReport") -> "Table":
    """List what is lost in a bad session."""
    table = make_table("Loss, 1 session", "95 %>", f"{found.portfolio.currency}>", "99 %>")
    for form, label in _TAILS.items():
        low, high = form.format(95), form.format(99)
        table.add_row(
            label,
            formats.percent(found.risk[low], 2),
            formats.whole(found.risk[f"{low}_money"]),
            formats.percent(found.risk[high], 2),
        )
    return table


def outlook_table(found: "SnapshotReport") -> "Table":
    """List volatility to come, and the book beside its benchmark and its parts."""
    table = make_table("Volatility", ">", "Relative", ">")
    lines = [(label, _outlook_text(name, found.risk[name])) for name, label in _OUTLOOK.items()]
    trend = found.risk["vol_trend"]
    lines.insert(_OF_VOLATILITY, ("Trend", formats.NOTHING if trend is None else str(trend)))
    left, right = lines[: _OF_VOLATILITY + 1], lines[_OF_VOLATILITY + 1 :]
    for one, other in zip_longest(left, right, fillvalue=("", "")):
        table.add_row(*one, *other)
    for column in table.columns[::2]:
        column.style = "dim"
    return table


def _outlook_text(name: str, value: float | None) -> str:
    return formats.percent(value) if name in _PERCENT else formats.ratio(value)


def _stress(found: "SnapshotReport", *, everything: bool) -> "Table":
    """List scenarios, the worst first by what the other factors are likely to do too."""
    lines = [line for line in found.stress if line.predictive is not None]
    lines.sort(key=lambda line: line.predictive or 0.0)
    nav = _divisor(found)
    shown = lines if everything else lines[:WORST]
    table = make_table("Scenario", "Direct>", "Predictive>", "of NAV>")
    for line in shown:
        table.add_row(
            _scenario(line),
            formats.whole(line.direct),
            formats.whole(line.predictive),
            _share(line.predictive, nav),
        )
    if len(shown) < len(lines):
        more = f"… {len(lines) - len(shown):,} milder: --all"
        table.add_row(output.styled(f"[dim]{more}[/]"))
    unknown = [line for line in found.stress if line.predictive is None]
    if unknown:
        why = in_words(NULL_WORDS, dict(unknown[0].reasons).get("predictive", ""))
        table.add_row(output.styled("[dim]{text}[/]", text=f"{len(unknown)} unknown: {why}"))
    return table


def _divisor(found: "SnapshotReport") -> float | None:
    """Return the NAV, if numbers may be divided by it."""
    blocked = found.measure_nulls.get("risk.beta") in _NO_SHARES
    nav: float = found.snapshot["nav"]
    return None if blocked or nav <= 0 else nav


def _scenario(line: "StressLine") -> str:
    return line.scenario.replace("_", " ")


def _replays(lines: "list[ReplayLine]", nav: float | None) -> "Table":
    table = make_table("Episode", "Result>", "of NAV>", "Own>")
    for line in lines:
        table.add_row(
            line.scenario.replace("_", " "),
            formats.whole(line.pnl.value),
            _share(line.pnl.value, nav),
            formats.percent(line.own_share.value, 0),
        )
    return table


def _share(value: float | None, nav: float | None) -> "str | Text":
    if value is None or nav is None:
        return formats.NOTHING
    return formats.signed_percent(value / nav, 1)


def _together(found: "SnapshotReport") -> "Iterator[Text]":
    """Say which positions move as one."""
    from rich.text import Text

    parts = found.shown.correlation
    summary = found.correlation
    if parts is None or summary["mean"] is None:
        return
    text = Text.assemble(
        ("Correlation ", "dim"),
        f"mean {formats.ratio(summary['mean'])}, "
        f"like {formats.ratio(summary['effective_rank'], 1)} independent positions",
    )
    alike = _clusters(parts)
    if alike:
        text.append(f"; as one: {'; '.join(alike)}")
    yield text


def _clusters(parts: "ShownCorrelation") -> list[str]:
    found = parts.document()["clusters"] or []
    return [" ".join(members) for members in found if len(members) > 1]


def _backtests(found: "SnapshotReport") -> "Iterator[Text]":
    """Say whether VaR, as it was stated, was right."""
    tests = found.shown.backtests
    for line in () if tests is None else tests.var:
        if line.sessions and line.measure in {"var_95", "var_99"}:
            yield _backtest(line)


def _backtest(line: "VarLine") -> "Text":
    from rich.text import Text

    text = Text.assemble(
        (f"VaR {line.confidence:.0%} ".replace("%", " %"), "dim"),
        f"was exceeded on {line.exceptions} of {line.sessions} sessions, "
        f"{line.expected:.1f} expected: ",
    )
    if line.light is not None:
        text.append(in_words(LIGHT_WORDS, line.light), style=_LIGHT[line.light])
    return text
