"""Closes that are stored in other terms than a provider's: when its own take their place.

An answer that was refused for its terms may be right, and what is stored wrong: a vendor
adjusts on the evening before an ex-date, names a split late, or corrects several closes. The
provider is asked once more, for all that is stored. What it says then is taken if the provider
gave the closes that differ and each differs by a split that the answer names or by a small
correction, or if a provider that does not fail with it says the same.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from riskmark.domain.reasons import AnswerReason
from riskmark.intake.market_data import Action, ActionKind
from riskmark.providers.chain import (
    MAX_DISAGREEMENT,
    MOST_DIFFERENT,
    Collected,
    Described,
    Part,
    Said,
    ask,
    closes_of,
    without_match,
)
from riskmark.providers.port import Answer, Provider, Wanted
from riskmark.providers.sources import Sources

LARGEST_CORRECTION = 0.1
"""By how much the provider that gave a close may correct it, if not for a split."""
MOST_APART = 0.02
"""The share of closes in which two providers that confirm each other may differ."""


class Known(NamedTuple):
    """All that is stored of a symbol: closes, who gave them, and the splits."""

    closes: Mapping[date, float]
    givers: Mapping[date, str]
    splits: Sequence[Action]


def is_healable(found: Collected) -> bool:
    """Whether an answer was refused or cut for its terms, and nobody else's is whole."""
    differing = {said.provider for said in found.said if said.differs}
    taken = {part.provider for part in found.parts}
    return bool(differing) and (not taken or not differing.isdisjoint(taken))


def heal(sources: Sources, wanted: Wanted, found: Collected, known: Known) -> Collected | None:
    """Return what takes the place of all that is stored; None if nobody is to be believed."""
    differing = {said.provider for said in found.said if said.differs}
    asked = [one for one in sources.providers if one.name in differing]
    whole = replace(wanted, first=min(*known.closes, wanted.first), known=known.closes)
    domains = {one.name: one.domain for one in sources.providers}
    answers: list[tuple[Provider, Answer]] = []
    for provider in asked:
        if provider.domain in {other.domain for other, _ in answers}:
            continue
        answer = ask(provider, whole, sources.budget)
        if not answer.outcome.has_data or not _is_whole(answer, known):
            continue
        wrong = [day for day in _differing(answer, known.closes) if day in known.givers]
        owners = {domains.get(known.givers[day]) for day in wrong}
        if owners <= {provider.domain} and _is_explained(answer, known):
            return _taken(sources, wanted, found, provider, answer)
        for first, other in answers:
            if _confirms(answer, other):
                return _taken(sources, wanted, found, first, other)
        answers.append((provider, answer))
    return None


def name_remedy(found: Collected) -> Collected:
    """Say with each answer that was refused for its terms what people can do."""
    said = tuple(
        each._replace(outcome=replace(each.outcome, detail=f"{each.outcome.detail}: {_REMEDY}"))
        if each.differs
        else each
        for each in found.said
    )
    return replace(found, said=said)


_REMEDY = "if it is right, prices import its closes from the first that is stored on"


def _is_whole(answer: Answer, known: Known) -> bool:
    """Whether an answer has all that is stored, and each of its splits."""
    theirs = closes_of(answer.bars)
    return known.closes.keys() <= theirs.keys() and not without_match(known.splits, _splits(answer))


def _differing(answer: Answer, closes: Mapping[date, float]) -> list[date]:
    theirs = closes_of(answer.bars)
    return [day for day, close in closes.items() if _differs(theirs[day], close)]


def _differs(one: float, other: float) -> bool:
    return abs(one / other - 1) > MAX_DISAGREEMENT


def _is_explained(answer: Answer, known: Known) -> bool:
    """Whether closes differ by splits that the answer names, and else little and seldom."""
    theirs = closes_of(answer.bars)
    splits = _splits(answer)
    wrong = _differing(answer, known.closes)
    rest = [day for day in wrong if not _is_by_split(theirs[day] / known.closes[day], day, splits)]
    is_small = all(abs(theirs[day] / known.closes[day] - 1) <= LARGEST_CORRECTION for day in rest)
    return is_small and len(rest) <= MOST_DIFFERENT * len(known.closes)


def _is_by_split(quotient: float, day: date, splits: Iterable[Action]) -> bool:
    """Whether a stored close was adjusted for the next splits, up to any of them."""
    ratio = 1.0
    for split in sorted(splits, key=lambda action: action.ex_date):
        if split.ex_date > day:
            ratio *= split.value
            if math.isclose(quotient, ratio, rel_tol=MAX_DISAGREEMENT):
                return True
    return False


def _confirms(one: Answer, other: Answer) -> bool:
    """Whether two providers tell the same: the same splits, and closes that agree."""
    mine, its = closes_of(one.bars), closes_of(other.bars)
    both = mine.keys() & its.keys()
    apart = sum(_differs(mine[day], its[day]) for day in both)
    same = not without_match(_splits(one), _splits(other))
    same &= not without_match(_splits(other), _splits(one))
    return same and apart <= MOST_APART * len(both)


def _splits(answer: Answer) -> list[Action]:
    return [action for action in answer.actions if action.kind is not ActionKind.DIVIDEND]


def _taken(
    sources: Sources, wanted: Wanted, found: Collected, provider: Provider, answer: Answer
) -> Collected:
    """Put an answer in the place of all that was collected."""
    sessions = sources.checker.published(wanted)
    had: Collection[date] = closes_of(answer.bars)
    said = tuple(
        Said(one.provider, answer.outcome, answer.refused) if one.provider == provider.name else one
        for one in found.said
    )
    profiles = (Described(provider.name, answer.profile),) if any(answer.profile) else ()
    named = (min(had), wanted.last) if answer.outcome.reason is AnswerReason.OK else None
    return Collected(
        found.symbol,
        (Part(provider.name, answer.bars, answer.actions, named),),
        answer.actions,
        profiles,
        said,
        missing=tuple(day for day in sessions if day not in had and day not in wanted.known),
        doubted=found.doubted,
    )
