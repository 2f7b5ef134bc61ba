"""The reference page of all measures, in Markdown, made from the catalogue and the settings."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

from riskmark.domain.factor_models import Factor, FactorModel
from riskmark.domain.reasons import (
    FitQuality,
    LeftOutReason,
    MarkKind,
    NullReason,
    PlanReason,
    PortfolioState,
    RunStatus,
    SnapshotState,
    SymbolReason,
    TrafficLight,
    VolatilityTrend,
)
from riskmark.domain.scenarios import Rates, Replay, Scenario
from riskmark.reports import words
from riskmark.reports.catalogue.entry import Entry, Section, Window
from riskmark.reports.catalogue.meanings import (
    NULL_MEANINGS,
    PLAN_MEANINGS,
    SYMBOL_MEANINGS,
)
from riskmark.reports.catalogue.whole import catalogue
from riskmark.settings import Settings

_INTRODUCTION = """\
# Measures

What every number of Riskmark is: one definition each. `make docs` writes this page from the
code, and `make check` fails where the two differ, so windows and minimums are those that are
computed with. Every number is a pure function of what was put in and a session; it uses nothing
that is dated after that session.

- **Names** are the keys of `riskmark show P --json`, by section. What is stored has a column, too:
  under the same name in the table that the section names, unless another stands under the name.
- **Window / min** are sessions looked back on, and the fewest that yield a number; *all*: since the
  portfolio's first session. Models have windows of their own.
- **Fractions** are not percent: 0.01 is one percent. *A year* means 252 sessions. A loss that is
  measured (VaR, ES) is positive, a drawdown or a stress loss is negative.
- **Null if** lists every reason for which a number can be missing. It is then null, never 0, and
  its reason stands in `nulls`. `not_computed_yet` can stand with any number, in a snapshot that an
  older version stored.

In the formulas, t is the session; NAV, MV (market value) and gross are those of its close.
e_i is the exposure to the instrument i in money, negative if short, and w_i = e_i / NAV; r_i is
its return, b the benchmark's. x is the series that today's holdings would have returned (see
[Risk](#risk)); sd is the standard deviation with n − 1. Where
no source stands, the definition is Riskmark's own."""

_HEAD = ("Name", "Unit", "Window / min", "Formula", "Source", "Null if")


class _Enumeration(StrEnum):
    """An enumeration's heading, in the order of the page."""

    NULL = "Null reasons"
    MARK = "Mark kinds"
    SYMBOL = "Symbol reasons"
    PLAN = "Plan reasons"
    LEFT_OUT = "Reasons to be left out of a correlation"
    TREND = "Volatility trends"
    LIGHT = "Traffic lights"
    QUALITY = "Qualities of a fit"
    SNAPSHOT = "Snapshot states"
    PORTFOLIO = "Portfolio states"
    RUN = "Run states"


ENUMERATIONS: Mapping[str, tuple[type[StrEnum], Mapping[str, str]]] = MappingProxyType(
    {
        _Enumeration.NULL: (NullReason, NULL_MEANINGS),
        _Enumeration.MARK: (MarkKind, words.MARK_WORDS),
        _Enumeration.SYMBOL: (SymbolReason, SYMBOL_MEANINGS),
        _Enumeration.PLAN: (PlanReason, PLAN_MEANINGS),
        _Enumeration.LEFT_OUT: (LeftOutReason, words.LEFT_OUT_WORDS),
        _Enumeration.TREND: (VolatilityTrend, words.TREND_WORDS),
        _Enumeration.LIGHT: (TrafficLight, words.LIGHT_WORDS),
        _Enumeration.QUALITY: (FitQuality, words.QUALITY_WORDS),
        _Enumeration.SNAPSHOT: (SnapshotState, words.SNAPSHOT_WORDS),
        _Enumeration.PORTFOLIO: (PortfolioState, words.STATE_WORDS),
        _Enumeration.RUN: (RunStatus, words.RUN_WORDS),
    }
)
"""Every enumeration of the page, with what its values mean."""


def render_measures_page(settings: Settings) -> str:
    """Render the page with the models, scenarios and replays of ``settings``."""
    blocks = [_INTRODUCTION]
    for section in catalogue(settings):
        blocks += _section(section)
    blocks += ["## Factor models", _models_text(settings), _models(settings.factor_model)]
    blocks += ["## Scenarios", _rates_text(settings.rates), _scenarios(settings.scenario)]
    blocks += ["## Episodes", "From the close of the first date to that of the last."]
    blocks += [_episodes(settings.replay)]
    blocks += ["## Enumerations", "The values are part of the interface; the sentences are not."]
    for title, (values, meanings) in ENUMERATIONS.items():
        rows = [(_code(value), meanings[value]) for value in values]
        blocks += [f"### {title}", _table(("Value", "Meaning"), rows)]
    return "\n\n".join(blocks) + "\n"


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.title}"
    table = _table_of(section)
    place = f"`{section.name}`"
    if table == section.name:
        place = f"Table {place}."
    else:
        place = f"Section {place}; {f'table `{table}`.' if table else 'not stored.'}"
    yield f"{place} {section.introduction}"
    yield _table(_HEAD, [_row(entry, table) for entry in section.entries])


def _table_of(section: Section) -> str | None:
    """Return the table that most entries of a section are stored in; None: nothing is."""
    tables = Counter(one.column.partition(".")[0] for one in section.entries if one.column)
    return tables.most_common(1)[0][0] if tables else None


def _row(entry: Entry, table: str | None) -> tuple[str, ...]:
    name = _code(entry.name)
    if entry.column is not None and entry.column != f"{table}.{entry.name}":
        name += f" ({_code(entry.column)})"
    elif entry.column is None and table is not None:
        name += " (not stored)"
    return (
        name,
        entry.unit,
        _window(entry.window),
        entry.formula,
        entry.source,
        ", ".join(_code(reason) for reason in entry.nulls) or "never",
    )


def _window(window: Window | None) -> str:
    if window is None:
        return ""
    sessions = "all" if window.sessions is None else str(window.sessions)
    return f"{sessions} / {window.minimum}"


def _models_text(settings: Settings) -> str:
    return (
        "Built in; `[[factor_model]]` in `riskmark.toml` adds others or replaces these. A factor "
        "is the return of a symbol, of one less another's, or an imported column "
        f"(`riskmark factors import`). The default model is `{settings.default_model}`."
    )


def _models(models: Sequence[FactorModel]) -> str:
    return _table(
        ("Model", "Estimator", "Window / min", "Factors"),
        [
            (
                _code(model.name),
                _estimator(model),
                f"{model.window} / {model.minimum}",
                "; ".join(_factor(factor) for factor in model.factors),
            )
            for model in models
        ],
    )


def _estimator(model: FactorModel) -> str:
    text = _code(model.estimator)
    if model.alpha:
        text += f", alpha {model.alpha:g}"
    if model.excess_over is not None:
        text += f", over {_code(model.excess_over)}"
    return text


def _factor(factor: Factor) -> str:
    if factor.column is not None:
        return f"{factor.name} {_code(factor.column)}"
    return f"{factor.name} {' − '.join(factor.symbols)}"


def _rates_text(rates: Rates) -> str:
    return (
        "Built in; `[[scenario]]` adds others or replaces these. A shock is a return of a factor; "
        f"a move Δy of yields is a return −D · Δy + ½ · C · Δy² of {rates.factor}, with "
        f"D = {rates.duration:g} and C = {rates.convexity:g}."
    )


def _scenarios(scenarios: Sequence[Scenario]) -> str:
    return _table(
        ("Scenario", "Shocks"),
        [(_code(one.name), ", ".join(_shocks(one))) for one in scenarios],
    )


def _shocks(scenario: Scenario) -> Iterator[str]:
    for factor, shock in scenario.shocks.items():
        yield f"{factor} {_signed(f'{100 * shock:+g}')} %"
    if scenario.rates_bp is not None:
        yield f"yields {_signed(f'{scenario.rates_bp:+g}')} bp"


def _signed(text: str) -> str:
    return text.replace("-", "−")


def _episodes(replays: Sequence[Replay]) -> str:
    rows = [(_code(one.name), str(one.first), str(one.last)) for one in replays]
    return _table(("Episode", "First", "Last"), rows)


def _code(text: str) -> str:
    return f"`{text}`"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(_line(cells) for cells in lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
