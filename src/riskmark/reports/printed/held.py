"""The positions of a report: the largest, and the sum of the rest."""

from collections.abc import Mapping, Sequence
from typing import Any

from riskmark.reports.figures.numbers import Numbers
from riskmark.reports.printed.content import Grid, Heading
from riskmark.reports.printed.writing import (
    NOTHING,
    gain,
    money,
    plural,
    price,
    quantity,
    ratio,
    share,
)
from riskmark.reports.words import NULL_WORDS, in_words

MOST = 25
"""Positions with a line of their own."""
_HEADINGS = (
    Heading("Symbol", is_number=False),
    Heading("Sector", is_number=False),
    Heading("Quantity"),
    Heading("Mark"),
    Heading("Kind", is_number=False),
    Heading("Value"),
    Heading("Weight"),
    Heading("P&L"),
    Heading("Beta"),
    Heading("ES 95\u00a0%"),
)


def positions_grid(numbers: Numbers) -> Grid | None:
    """List the positions held, the largest first; None if there are none, and it is known."""
    lines = numbers.snapshot["positions"]
    if lines is None:
        why = in_words(NULL_WORDS, numbers.nulls["positions"])
        return Grid("", (Heading("Positions", is_number=False),), ((f"Not shown: {why}.",),))
    if not lines:
        return None
    cash = money(numbers.snapshot["snapshot"]["cash"])
    held = [line for line in lines if line["mark_kind"] is not None]
    closed = lines[len(held) :]
    own = held if len(held) <= MOST else held[: MOST - 1]
    rows = [_row(line) for line in own]
    rest = held[len(own) :]
    if rest:
        rows.append(_sum(plural(len(rest), "other"), rest))
    if closed:
        rows.append(_sum(f"{len(closed):,} closed in the session", closed))
    rows.append(_sum("All positions", lines))
    return Grid(
        "",
        _HEADINGS,
        tuple(rows),
        has_total=True,
        note=(
            f"Value and P&L of the session in {numbers.currency}; weight and part of the expected "
            f"shortfall in % of NAV. Cash beside them: {cash}."
        ),
    )


def _row(line: Mapping[str, Any]) -> tuple[str, ...]:
    age = line["mark_age"]
    kind = line["mark_kind"] + (f", {plural(age, 'session')} old" if age else "")
    return (
        line["symbol"],
        line["sector"],
        quantity(line["quantity"]),
        price(line["mark"]),
        kind,
        money(line["market_value"]),
        share(line["weight"]),
        gain(line["pnl"]),
        ratio(line["beta"]),
        share(line["component_es_95"], 2),
    )


def _sum(label: str, lines: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Sum up what can be summed up; a weight that one position lacks, they all lack."""
    weights = [line["weight"] for line in lines]
    # A position without a part of ES adds nothing to that of the portfolio.
    parts = [line["component_es_95"] for line in lines if line["component_es_95"] is not None]
    return (
        label,
        "",
        "",
        "",
        "",
        money(sum(line["market_value"] for line in lines)),
        NOTHING if None in weights else share(sum(weights)),
        gain(sum(line["pnl"] for line in lines)),
        "",
        share(sum(parts), 2) if parts else NOTHING,
    )
