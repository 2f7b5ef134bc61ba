"""The chain: providers in order, each asked only for what is still missing.

Bars of two providers are joined only where they agree on the sessions that both have: a
provider that knows a split the other does not would make a move that never was. The bars
that are stored already count as one of the two. Every provider that was asked leaves an
outcome, so that a symbol without data has a reason for each.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import tenacity

from riskmark.domain.reasons import AnswerReason
from riskmark.intake.market_data import Action, ActionKind, Bars
from riskmark.providers.checking import Checker
from riskmark.providers.limits import Budget
from riskmark.providers.outcomes import Circuit, Outcome
from riskmark.providers.port import Answer, Profile, Provider, RefusedRow, Wanted

ATTEMPTS = 3
PATIENCE_S = 5.0
"""How long one symbol waits for a provider that names the time at which to come again."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 8.0
OVERLAP = 5
"""Sessions beside a gap that are asked for as well, to compare."""
MAX_DISAGREEMENT = 0.02
"""How far a close may lie from another provider's and still be the same."""
MOST_DIFFERENT = 0.25
"""The share of common closes that may differ: corrections are few, a split changes all."""
SAME_RATIO = 1e-3
"""How far the ratio of a split may lie from another provider's and still be the same."""
_NEAR = timedelta(days=5)


class Part(NamedTuple):
    """The bars that one provider gave, and the actions that only it named.

    ``whole``: the dates between which it named every action that there is, if it did.
    """

    provider: str
    bars: Bars
    actions: tuple[Action, ...] = ()
    whole: tuple[date, date] | None = None


class Described(NamedTuple):
    """What one provider said along with its bars that the symbol is."""

    provider: str
    profile: Profile


class Said(NamedTuple):
    """What one provider answered for the symbol.

    ``differs``: some or all of it was left out for not being in the terms of what is known.
    """

    provider: str
    outcome: Outcome
    refused: tuple[RefusedRow, ...] = ()
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Collected:
    """What all providers together have for one symbol.

    ``missing`` are the published sessions that nobody had. ``doubted`` is what was said along
    with bars that were refused: nothing is taken from it, but it may tell why.
    """

    symbol: str
    parts: tuple[Part, ...]
    actions: tuple[Action, ...]
    profiles: tuple[Described, ...]
    said: tuple[Said, ...]
    missing: tuple[date, ...]
    doubted: tuple[Described, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every published session that was wanted has a bar."""
        return not self.missing


def collect(
    wanted: Wanted, providers: Sequence[Provider], *, checker: Checker, budget: Budget
) -> Collected:
    """Ask providers in order until one has answered and nothing is missing.

    Sessions of ``wanted.known`` are asked for too, as they may have been corrected; that one
    of them is not in an answer is no reason to ask the next provider, and neither is one of
    which the bar is not due yet.
    """
    sessions = checker.published(wanted)
    due = frozenset(checker.due(wanted))
    missing = tuple(day for day in sessions if day not in wanted.known)
    closes = dict(wanted.known)
    parts: list[Part] = []
    actions: tuple[Action, ...] = ()
    profiles: list[Described] = []
    doubted: list[Described] = []
    said: list[Said] = []
    silent: set[str] = set()
    for provider in providers if sessions else ():
        if parts and due.isdisjoint(missing):
            break
        if (known := _known_outcome(provider, wanted, silent)) is not None:
            said.append(Said(provider.name, known))
            continue
        narrowed = _around(wanted, missing, sessions) if parts else wanted
        new = (action for action in actions if action.kind is not ActionKind.DIVIDEND)
        splits = [*wanted.splits, *without_match(new, wanted.splits)]
        given = ask(provider, narrowed, budget)
        answer = _in_known_terms(given, closes, splits)
        outcome = answer.outcome
        differs = answer is not given
        said.append(Said(provider.name, outcome, answer.refused, differs=differs))
        if outcome.consequence.circuit is Circuit.OPENS_UNTIL:
            silent.add(provider.domain)
        described = [Described(provider.name, answer.profile)] if any(answer.profile) else []
        if not outcome.has_data:
            doubted += described
            continue
        profiles += described
        taken = _only(answer.bars, missing if parts else sessions)
        joined = _joined(actions, answer.actions, taken, is_first=not parts)
        is_all = outcome.reason is AnswerReason.OK and not parts
        whole = (wanted.first, wanted.last) if is_all else None
        parts.append(Part(provider.name, taken, joined[len(actions) :], whole))
        actions = joined
        found = closes_of(taken)
        closes |= found
        # What a whole answer has no bar for lies before the first trade.
        is_whole = outcome.reason is AnswerReason.OK
        missing = () if is_whole else tuple(day for day in missing if day not in found)
    return Collected(
        wanted.symbol,
        tuple(parts),
        actions,
        tuple(profiles),
        tuple(said),
        missing,
        tuple(doubted),
    )


def _known_outcome(provider: Provider, wanted: Wanted, silent: Collection[str]) -> Outcome | None:
    """Return what a provider would answer, where that is known without asking it."""
    if provider.domain in silent:
        detail = "not asked: the same host has just refused another client"
        return Outcome(AnswerReason.TRANSIENT, detail)
    return wanted.believed.get(provider.name)


def ask(provider: Provider, wanted: Wanted, budget: Budget) -> Answer:
    """Ask one provider; what may pass is asked for again, after a random while."""
    now = budget.time.now

    def is_worth_a_try(answer: Answer) -> bool:
        outcome = answer.outcome
        until = now() if outcome.until is None else outcome.until
        is_soon = (until - now()).total_seconds() <= min(PATIENCE_S, budget.left_s)
        return outcome.consequence.is_retried and is_soon and budget.left_s > 0

    jitter = tenacity.wait_random_exponential(multiplier=FIRST_WAIT_S, max=LONGEST_WAIT_S)

    def wait(state: tenacity.RetryCallState) -> float:
        answer: Answer = state.outcome.result() if state.outcome else Answer("", _NOTHING)
        until = answer.outcome.until
        said_s = 0.0 if until is None else (until - now()).total_seconds()
        return min(max(jitter(state), said_s), budget.left_s)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_result(is_worth_a_try),
        wait=wait,
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        sleep=budget.time.sleep,
        retry_error_callback=_last,
    )
    answer: Answer = retrying(provider.fetch, wanted)
    return answer


_NOTHING = Outcome(AnswerReason.TRANSIENT)


def _last(state: tenacity.RetryCallState) -> Answer:
    """Return the last answer when there are no more tries."""
    answer: Answer = state.outcome.result() if state.outcome else Answer("", _NOTHING)
    return answer


def _around(wanted: Wanted, missing: Sequence[date], sessions: Sequence[date]) -> Wanted:
    """Narrow the range to what is missing, with some sessions on both sides to compare."""
    first = max(0, sessions.index(missing[0]) - OVERLAP)
    last = min(len(sessions) - 1, sessions.index(missing[-1]) + OVERLAP)
    return replace(wanted, first=sessions[first], last=sessions[last])


def _in_known_terms(
    answer: Answer, closes: Mapping[date, float], splits: Sequence[Action]
) -> Answer:
    """Keep of an answer what is in the terms of the closes that are there.

    A split that only one side knows is in every bar before it and in none after. So bars
    that agree on a session agree from it on, and what differs later is a correction. Before
    the first session that agrees, a bar is taken if none is there to differ from, and if the
    answer knows every split that is known.
    """
    theirs = closes_of(answer.bars)
    both = [day for day in theirs if day in closes]
    if not closes or not theirs:
        return answer
    if not both:
        return _refused(answer, "no session in common with what is known, to compare")
    quotients = np.array([theirs[day] / closes[day] for day in both])
    differs = np.abs(quotients - 1) > MAX_DISAGREEMENT
    if float(differs.mean()) > MOST_DIFFERENT:
        times = float(np.median(quotients[differs]))
        detail = f"{int(differs.sum())} of {len(both)} closes are {times:.4g} times those known"
        return _refused(answer, detail)
    agrees_from = both[int(np.argmin(differs))]
    first = agrees_from if differs[0] else _first_without_split(answer, agrees_from, splits)
    if all(day >= first for day in theirs):
        return answer
    kept = answer.bars.where(answer.bars.session >= np.datetime64(first))
    gaps = tuple(sorted({*answer.outcome.gaps, *(day for day in theirs if day < first)}))
    detail = f"closes before {first} are in other terms than those known"
    outcome = Outcome(AnswerReason.PARTIAL, detail, gaps=gaps)
    actions = tuple(action for action in answer.actions if action.ex_date > first)
    return replace(answer, bars=kept, outcome=outcome, actions=actions)


def _refused(answer: Answer, detail: str) -> Answer:
    outcome = Outcome(AnswerReason.BAD_PAYLOAD, detail, gaps=answer.outcome.gaps)
    return Answer(answer.symbol, outcome, profile=answer.profile, refused=answer.refused)


def _first_without_split(answer: Answer, agrees_from: date, splits: Sequence[Action]) -> date:
    """Return the last ex-date up to ``agrees_from`` of a split that the answer lacks."""
    lacking = without_match(splits, answer.actions)
    return max((s.ex_date for s in lacking if s.ex_date <= agrees_from), default=date.min)


def without_match(actions: Iterable[Action], others: Iterable[Action]) -> list[Action]:
    """Return the actions that have no counterpart among the others, in order.

    A counterpart is close by and, of splits, of the same ratio. Each stands for one action
    only, first of all for one of its own date.
    """
    left = list(others)
    ordered = sorted(actions, key=lambda action: action.ex_date)
    for reach in (timedelta(), _NEAR):
        lacking = []
        for action in ordered:
            match = next((one for one in left if _is_same(one, action, reach)), None)
            if match is None:
                lacking.append(action)
            else:
                left.remove(match)
        ordered = lacking
    return ordered


def _is_same(one: Action, other: Action, reach: timedelta) -> bool:
    if one.kind is not other.kind or abs(one.ex_date - other.ex_date) > reach:
        return False
    # Vendors round dividends, and each in its own way; a ratio is exact.
    is_amount = one.kind is ActionKind.DIVIDEND
    return is_amount or math.isclose(one.value, other.value, rel_tol=SAME_RATIO)


def closes_of(bars: Bars) -> dict[date, float]:
    """Return the close of each session of bars of one symbol."""
    days = bars.session.astype("datetime64[D]").tolist()
    return dict(zip(days, bars.close.tolist(), strict=True))


def _only(bars: Bars, wanted: Sequence[date]) -> Bars:
    """Return the bars of these sessions."""
    return bars.where(np.isin(bars.session, np.array(wanted, dtype="datetime64[D]")))


def _joined(
    known: tuple[Action, ...], new: tuple[Action, ...], filled: Bars, *, is_first: bool
) -> tuple[Action, ...]:
    """Add what happened on filled sessions, unless it is known with a date close by."""
    if is_first:
        return new
    days = set(filled.session.astype("datetime64[D]").tolist())
    inside = [action for action in new if action.ex_date in days]
    return (*known, *without_match(inside, known))
