"""What trades would do: numbers before and after, as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from riskmark.errors import InputError
from riskmark.intake.arguments import parse_symbol
from riskmark.notebook.measures import SECTIONS, single_numbers, units_of
from riskmark.notebook.tables import NUMBER, TEXT, make_table, numbers
from riskmark.storage.calendar import load_calendar

if TYPE_CHECKING:
    from pandas import DataFrame  # type: ignore[import-untyped]

    from riskmark.app import App

MOST_VOLATILITY = 5.0
"""More than anybody aims at: such a target was meant in percent."""
_SIDES = ("before", "after")
_BOTH = numbers((*_SIDES, "change"))
_TRADE = {
    "symbol": TEXT,
    "quantity": NUMBER,
    "price": NUMBER,
    "mark_kind": TEXT,
    "money": NUMBER,
    "origin": TEXT,
}


@dataclass(frozen=True)
class Trial:
    """Trades that were not made, and what they would have done.

    Attributes
    ----------
    trades : DataFrame
        Index ``symbol``; columns ``quantity`` (shares), ``price``, ``mark_kind``, ``money`` (what
        it costs, < 0, or brings) and ``origin`` (``stated``, or the proposal behind it).
    measures : DataFrame
        Index ``section``, ``measure``; columns ``before``, ``after``, ``change`` in the row's
        ``unit``.
    factors : DataFrame
        Index ``model``, ``factor``; exposures ``before``, ``after`` and ``change``, ratios.
    stress : DataFrame
        Index ``scenario``; predictive results ``before``, ``after`` and ``change``, in money.
    positions : DataFrame
        Index ``symbol``; market values ``before``, ``after`` and ``change``, in money; 0 where
        nothing is held.
    """

    trades: "DataFrame"
    measures: "DataFrame"
    factors: "DataFrame"
    stress: "DataFrame"
    positions: "DataFrame"


def make_trial(
    app: "App",
    portfolio_id: str,
    trades: Sequence[tuple[str, Decimal]],
    *,
    target_vol: float | None,
    hedge_beta: str | None,
    session: date | None,
) -> Trial:
    """Compute what ``trades``, a target volatility and a hedge do to a portfolio."""
    from riskmark.reports.what_if import StatedTrade, Wanted, what_if  # noqa: PLC0415 - heavy

    if target_vol is not None and not 0 < target_vol <= MOST_VOLATILITY:
        message = f"target_vol {target_vol}: expected a fraction of NAV a year: 0.12 is 12 %"
        raise InputError(message)
    wanted = Wanted(
        [StatedTrade(*trade) for trade in trades],
        target_vol,
        None if hedge_beta is None else parse_symbol(hedge_beta, name="hedge_beta"),
    )
    with app.database.read() as connection:
        found = what_if(
            connection,
            app.principal,
            portfolio_id,
            wanted,
            calendar=load_calendar(connection),
            settings=app.settings,
            session=session,
        )
    return _tables(found.document(), units_of(app.settings))


def _tables(document: Mapping[str, Any], units: Mapping[str, str]) -> Trial:
    sides = [document[side] for side in _SIDES]
    nulls = document["nulls"]
    measured: list[Mapping[tuple[str, ...], float | None]] = [
        {(section, name): value for section, name, value in single_numbers(side, SECTIONS)}
        for side in sides
    ]
    measures = [
        {**line, "unit": units.get(f"{line['section']}.{line['measure']}")}
        for line in _beside(measured, ("section", "measure"))
    ]
    return Trial(
        trades=make_table(
            document["trades"],
            _TRADE,
            index=("symbol",),
            session=document["session"],
            proposals=document["proposals"],
        ),
        measures=make_table(
            measures,
            {"section": TEXT, "measure": TEXT, **_BOTH, "unit": TEXT},
            index=("section", "measure"),
            nulls=nulls,
        ),
        factors=_compare(sides, "factors", index=("model", "factor"), field="exposure"),
        stress=_compare(sides, "stress", index=("scenario",), field="predictive"),
        positions=_compare(sides, "positions", index=("symbol",), field="market_value", absent=0.0),
    )


def _compare(
    sides: Sequence[Mapping[str, Any]],
    name: str,
    *,
    index: tuple[str, ...],
    field: str,
    absent: float | None = None,
) -> "DataFrame":
    """Put one field of a list before and after side by side; ``absent`` is that of no line."""
    found = [
        {tuple(line[key] for key in index): line[field] for line in side[name]} for side in sides
    ]
    lines = _beside(found, index, absent=absent)
    return make_table(lines, {**dict.fromkeys(index, TEXT), **_BOTH}, index=index)


def _beside(
    sides: Sequence[Mapping[tuple[str, ...], float | None]],
    index: tuple[str, ...],
    *,
    absent: float | None = None,
) -> list[dict[str, Any]]:
    """Pair values by their keys, in the order of the first side, and subtract them."""
    first, second = sides
    lines = []
    for key in {**first, **second}:
        before, after = first.get(key, absent), second.get(key, absent)
        change = None if before is None or after is None else after - before
        values = {"before": before, "after": after, "change": change}
        lines.append({**dict(zip(index, key, strict=True)), **values})
    return lines
