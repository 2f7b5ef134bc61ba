"""Figures of what moves a portfolio: factor exposures, shares of risk, stress."""

from collections.abc import Mapping
from typing import Any

from riskmark.domain.reasons import NullReason
from riskmark.reports.figures.bars import signed_bars
from riskmark.reports.figures.figure import Column, Figure, Kind, Table
from riskmark.reports.figures.numbers import Numbers
from riskmark.reports.figures.palette import BLUE, TEAL, TEXT
from riskmark.reports.figures.spec import (
    MONEY,
    RATIO,
    SHARE,
    STEP,
    Spec,
    amount_axis,
    finish,
    names_axis,
    share_axis,
    tooltip,
)
from riskmark.reports.figures.wording import scenario_words, unknown_words

_DIRECT, _PREDICTIVE = "Shock alone", "Others follow"
_KINDS = {"direct": _DIRECT, "predictive": _PREDICTIVE}
_COLOURS = {"domain": [_DIRECT, _PREDICTIVE], "range": [BLUE, TEAL]}
SPECIFIC = "Specific"
"""The name of what no factor explains."""


def draw_factors(numbers: Numbers) -> Figure:
    """Draw the exposures to the factors that risk is split by, with their standard errors."""
    name, title, unit = "factors", "Factor exposures", numbers.currency
    model = numbers.snapshot["factor_risk"]["model"]
    lines = [line for line in numbers.snapshot["factors"] if line["model"] == model]
    columns = (
        Column("factor", "Factor", Kind.TEXT),
        Column("exposure", "Exposure", Kind.RATIO),
        Column("stderr", "Standard error", Kind.RATIO),
        Column("money", f"Exposure ({unit})", Kind.MONEY),
        Column("coverage", "Coverage", Kind.SHARE),
    )
    fields = [column.name for column in columns]
    table = Table(columns, tuple(tuple(line[field] for field in fields) for line in lines))
    what = f"Betas of NAV to the factors of the model {model}, estimated together"
    known = [line for line in lines if line["exposure"] is not None]
    if not known:
        reason = _first(numbers, f"factors.{model}.", "exposure")
        return Figure(name, title, what + ".", None, table, reason)
    nulls = [numbers.nulls.get(f"factors.{model}.{line['factor']}.exposure") for line in lines]
    note = f"{what}; a line is one standard error to either side.{unknown_words(nulls, 'factor')}"
    values = [
        {"name": line["factor"]} | {field: line[field] for field in ("exposure", "stderr", "money")}
        for line in known
    ]
    spec = finish(_factor_spec(values, unit), values, description=f"{title}. {note}")
    return Figure(name, title, note, spec, table)


def _factor_spec(values: list[Spec], unit: str) -> Spec:
    x: Spec = {"type": "quantitative", "title": None, "axis": {"tickCount": 5}}
    tooltips = [
        tooltip("name", "Factor"),
        tooltip("exposure", "Exposure", RATIO),
        tooltip("stderr", "Standard error", RATIO),
        tooltip("money", f"Exposure ({unit})", MONEY),
    ]
    ends = [
        {"filter": "isValid(datum.stderr)"},
        {"calculate": "datum.exposure - datum.stderr", "as": "from"},
        {"calculate": "datum.exposure + datum.stderr", "as": "to"},
    ]
    return {
        "height": (STEP + 4) * len(values),
        "encoding": {"y": names_axis([one["name"] for one in values]), "tooltip": tooltips},
        "layer": [
            {
                "mark": {"type": "bar", "color": BLUE},
                "encoding": {"x": {"field": "exposure", **x}},
            },
            {
                "transform": ends,
                "mark": {"type": "rule", "color": TEXT, "strokeWidth": 1.6},
                "encoding": {"x": {"field": "from", **x}, "x2": {"field": "to"}},
            },
        ],
    }


def draw_risk_shares(numbers: Numbers) -> Figure:
    """Draw what each factor contributes to the variance, and what none explains."""
    name, title = "risk_shares", "Where risk comes from"
    found = numbers.snapshot["factor_risk"]
    model = found["model"]
    columns = (
        Column("factor", "Factor", Kind.TEXT),
        Column("share", "Share of variance", Kind.SHARE),
    )
    rows = (*found["contributions"].items(), (SPECIFIC, found["specific_share"]))
    table = Table(columns, rows)
    what = f"Shares of the variance by the model {model}"
    values = [{"name": one, "value": share} for one, share in rows if share is not None]
    if not values:
        reason = _first(numbers, "factor_risk.", "specific_share")
        return Figure(name, title, what + ".", None, table, reason)
    note = f"{what}: they sum to 100 %; a factor below 0 lowers the risk of the others."
    axis = share_axis(None, is_zero=True)
    spec = signed_bars(values, axis, tooltips=[tooltip("value", "Share of variance", SHARE)])
    return Figure(name, title, note, finish(spec, values, description=f"{title}. {note}"), table)


def draw_stress(numbers: Numbers) -> Figure:
    """Draw what each scenario would gain or lose, direct and predictive side by side."""
    name, title, unit = "stress", "Stress scenarios", numbers.currency
    lines = numbers.snapshot["stress"]
    columns = (
        Column("scenario", "Scenario", Kind.TEXT),
        Column("direct", f"{_DIRECT} ({unit})", Kind.MONEY),
        Column("predictive", f"{_PREDICTIVE} ({unit})", Kind.MONEY),
    )
    table = Table(
        columns,
        tuple((scenario_words(one["scenario"]), one["direct"], one["predictive"]) for one in lines),
    )
    what = f"Gain or loss in {unit}"
    known = [one for one in lines if one["direct"] is not None or one["predictive"] is not None]
    if not known:
        reason = _first(numbers, "stress.", "direct")
        return Figure(name, title, what + ".", None, table, reason)
    nulls = [numbers.nulls.get(f"stress.{one['scenario']}.direct") for one in lines]
    note = (
        f"{what}: by the shocked factors alone, and with the other factors following them as "
        f"they have before.{unknown_words(nulls, 'scenario')}"
    )
    known.sort(key=_outcome)
    values = [
        {"name": scenario_words(one["scenario"]), "kind": words, "value": one[kind]}
        for one in known
        for kind, words in _KINDS.items()
        if one[kind] is not None
    ]
    order = [scenario_words(one["scenario"]) for one in known]
    spec = finish(_stress_spec(order, unit), values, description=f"{title}. {note}")
    return Figure(name, title, note, spec, table)


def _outcome(line: Mapping[str, Any]) -> float:
    value = line["predictive"] if line["predictive"] is not None else line["direct"]
    return float(value)


def _stress_spec(order: list[str], unit: str) -> Spec:
    return {
        "height": STEP * len(order),
        "mark": {"type": "bar"},
        "encoding": {
            "y": names_axis(order),
            "yOffset": {"field": "kind", "type": "nominal", "sort": [_DIRECT, _PREDICTIVE]},
            "x": {"field": "value", **amount_axis(None, is_zero=True)},
            "color": {"field": "kind", "type": "nominal", "title": None, "scale": _COLOURS},
            "tooltip": [
                tooltip("name", "Scenario"),
                tooltip("kind", "Kind"),
                tooltip("value", f"Gain or loss ({unit})", MONEY),
            ],
        },
    }


def _first(numbers: Numbers, prefix: str, field: str) -> NullReason:
    """Return the first reason of a null whose name begins and ends so."""
    for name, reason in numbers.nulls.items():
        if name.startswith(prefix) and name.endswith(field):
            return NullReason(reason)
    return NullReason.NO_HOLDINGS
