"""Why numbers changed between two sessions: in parts, one a cause, that sum to the change.

NAV, in money: *flows* put in and taken out; *trades*, what purchases and sales gained against
the close of their session; *prices*, what the marks of what was held gained; *income*; and
*restatements*.

Risk numbers, from the states of ``valuation.explain``, in this order: *flows*, which change
what everything is divided by; *trades*; *prices*; *window*, of which *leaving* and *entering*
are the old and the new observations; and *restatements*. These are at both ends: what the
first session would be on the inputs of today, less what is stored of it, and what is stored
of the last one, less what it would be. Where nothing has been corrected since, they are 0.

Where a number cannot be had in between, its part is null, and what it did stands in the next
one (``calc.change_parts``). Where a session has no number, there is no change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from riskmark.calc.arrays import Measure, reason_of
from riskmark.calc.change_parts import EQUAL, Part, Step, split_change
from riskmark.domain.portfolio import Portfolio
from riskmark.domain.sessions import Calendar
from riskmark.errors import InputError
from riskmark.reports.change_lines import ChangeLine, StoredEnd
from riskmark.reports.explained_sessions import Ends, load_ends
from riskmark.reports.recomputed import recompute
from riskmark.settings import Settings
from riskmark.storage.books import Principal, find_portfolio
from riskmark.valuation.explain import (
    STATES,
    WINDOWED,
    NavMoves,
    States,
    measure_states,
    move_nav,
)

NUMBERS = ("nav", "beta", "vol_21", "vol_63", "vol_252", "vol_ewma", "var_95")
"""What is explained, beside the exposures to the default model's factors."""
_RESTATED = "restatements"


class NotExplained(InputError):
    """The earlier session has a snapshot, but the book begins after it now."""

    def __init__(self, name: str, session: date) -> None:
        super().__init__(
            f"{name!r} begins after {session} now, so nothing leads from there; run: riskmark run"
        )
        self.name = name
        self.session = session


@dataclass(frozen=True, slots=True)
class Explanation:
    """What changed between the sessions ``first`` and ``last``, and why.

    ``sessions`` lie between them, the last one included.
    """

    portfolio: Portfolio
    first: date
    last: date
    sessions: int
    numbers: tuple[ChangeLine, ...]
    model: str
    factors: tuple[ChangeLine, ...]

    def document(self) -> dict[str, Any]:
        """Return the explanation as JSON has it."""
        nulls: dict[str, str] = {}
        for section, lines in (("numbers", self.numbers), ("factors", self.factors)):
            for line in lines:
                nulls |= {f"{section}.{line.name}.{name}": why for name, why in line.nulls()}
        return {
            "portfolio": {
                "id": self.portfolio.portfolio_id,
                "name": self.portfolio.name,
                "currency": self.portfolio.currency,
                "mode": self.portfolio.mode,
            },
            "from": self.first,
            "to": self.last,
            "sessions": self.sessions,
            "numbers": {line.name: line.document() for line in self.numbers},
            "factors": {
                "model": self.model,
                "lines": [{"factor": line.name, **line.document()} for line in self.factors],
            },
            "nulls": nulls,
        }


def load_explanation(
    connection: Connection,
    principal: Principal,
    name_or_id: str,
    *,
    calendar: Calendar,
    settings: Settings,
    first: date | None = None,
    last: date | None = None,
) -> Explanation:
    """Explain what changed from the stored session ``first`` to ``last``.

    Default: the last two, or the one before ``last``.
    """
    portfolio = find_portfolio(connection, principal, name_or_id)
    model = settings.model(settings.default_model)
    ends = load_ends(connection, portfolio, NUMBERS, model=model, first=first, last=last)
    found = recompute(
        connection,
        calendar,
        settings,
        portfolio_id=portfolio.portfolio_id,
        session=ends.last.session,
        since=ends.first.session,
    )
    if found is None:
        raise NotExplained(portfolio.name, ends.first.session)
    states = measure_states(found.inputs, found.cells, found.valued, held=found.held)
    nav = _explain_nav(ends, move_nav(found.inputs, found.valued))
    others = [_explain(ends, name, states) for name in NUMBERS[1:]]
    factors = [
        _explain_exposure(ends, factor.name, states.exposures, place)
        for place, factor in enumerate(model.factors)
    ]
    return Explanation(
        portfolio=portfolio,
        first=ends.first.session,
        last=ends.last.session,
        sessions=len(found.inputs.rows) - 1,
        numbers=(nav, *others),
        model=model.name,
        factors=tuple(factors),
    )


def _explain_nav(ends: Ends, moves: NavMoves) -> ChangeLine:
    reached, steps = moves.start, [Step(_RESTATED, moves.start, tolerance=EQUAL)]
    for part in ("flows", "income", "trades"):
        reached += getattr(moves, part)
        steps.append(Step(part, reached))
    steps.append(Step("prices", moves.end))
    return _line("nav", ends.first.numbers, ends.last.numbers, steps, scale=moves.gross)


def _explain(ends: Ends, name: str, states: States) -> ChangeLine:
    steps = _steps(states.numbers[name])
    if name in WINDOWED:
        leaving = states.leaving[name]
        at = len(steps) - 1
        steps[at:] = [_step("leaving", leaving, 0), steps[at]._replace(part="entering")]
    return _line(name, ends.first.numbers, ends.last.numbers, steps)


def _explain_exposure(ends: Ends, factor: str, exposures: Measure, place: int) -> ChangeLine:
    own = Measure(exposures.values[:, place], exposures.nulls[:, place])
    return _line(factor, ends.first.exposures, ends.last.exposures, _steps(own))


def _steps(found: Measure) -> list[Step]:
    first = _step(_RESTATED, found, 0)._replace(tolerance=EQUAL)
    rest = [_step(part, found, place) for place, part in enumerate(STATES) if place]
    return [first, *rest]


def _step(part: str, found: Measure, place: int) -> Step:
    reason = reason_of(int(found.nulls[place]))
    return Step(part, None if reason else float(found.values[place]), reason)


def _line(
    name: str,
    first: Mapping[str, StoredEnd],
    last: Mapping[str, StoredEnd],
    steps: list[Step],
    *,
    scale: float = 1.0,
) -> ChangeLine:
    start, end = first[name], last[name]
    parts: Mapping[str, Part]
    if start.value is None or end.value is None:
        why = start.reason if start.value is None else end.reason
        parts = {step.part: Part(None, why) for step in steps}
    else:
        computed = steps[-1]
        if computed.value is not None and _is_equal(computed.value, end.value, scale):
            # What was computed again differs by rounding, which is no restatement.
            steps = [*steps[:-1], computed._replace(value=end.value)]
        parts = split_change(start.value, steps, end.value, last=_RESTATED, scale=scale)
    return ChangeLine(name, start, end, parts)


def _is_equal(computed: float, stored: float, scale: float) -> bool:
    return abs(computed - stored) <= max(EQUAL * abs(stored), 1e-12 * scale)
