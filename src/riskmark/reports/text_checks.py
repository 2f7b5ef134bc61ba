"""Checks of the texts of snapshots: the reasons of nulls, of states, and the windows."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from riskmark.domain.measures import SECTION_OF, STORED
from riskmark.domain.reasons import NullReason, SnapshotState
from riskmark.reports.invariants import Expectation, is_dated
from riskmark.reports.stored_cells import StoredCells
from riskmark.reports.violations import Violation

_REASONS = frozenset(NullReason)

_Problems: TypeAlias = list[tuple[str, str]]
_Judge: TypeAlias = Callable[..., _Problems]


def text_violations(cells: StoredCells, expected: Expectation) -> Iterator[Violation]:
    """Yield the nulls without a reason, reasons without a null, and states that do not fit."""
    texts = cells.texts
    yield from _by_pattern(cells, list(zip(texts.nulls, texts.mask, strict=True)), _null_problems)
    yield from _by_pattern(
        cells, list(zip(texts.reasons, texts.state, strict=True)), _state_problems
    )
    yield from _by_pattern(cells, [(text,) for text in texts.windows], _window_problems)
    # A symbol that an out-of-date cell names may have been merged into another since.
    unknown = (is_dated(cells, expected) | cells.pruned).tolist()
    marked = [None if one else held for held, one in zip(cells.unsettled, unknown, strict=True)]
    named = list(zip(texts.reasons, marked, strict=True))
    yield from _by_pattern(cells, named, partial(_symbol_problems, expected.aliases))


def _by_pattern(
    cells: StoredCells, patterns: Sequence[tuple[Any, ...]], problems_of: _Judge
) -> Iterator[Violation]:
    """Judge each distinct pattern once; most snapshots share one with many others."""
    verdicts = {pattern: problems_of(*pattern) for pattern in set(patterns)}
    if not any(verdicts.values()):
        return
    for place, pattern in enumerate(patterns):
        for invariant, detail in verdicts[pattern]:
            yield Violation(invariant, *cells.cell(place), detail)


def _null_problems(nulls: str, mask: str) -> _Problems:
    reasons = _read(nulls)
    if not isinstance(reasons, dict) or not all(isinstance(one, str) for one in reasons.values()):
        return [_unreadable("nulls")]
    flags = zip(STORED, mask[:-1], strict=True)
    is_null = {f"{SECTION_OF[name]}.{name}" for name, flag in flags if flag == "1"}
    found = [
        ("null_has_a_reason", f"{key} is null without a reason")
        for key in sorted(is_null - reasons.keys())
    ]
    found += [
        ("reason_stands_for_a_null", f"{key} has the reason {reasons[key]} and is a number")
        for key in sorted(reasons.keys() - is_null)
    ]
    found += [
        ("reason_is_known", f"{key} has the unknown reason {reason!r}")
        for key, reason in reasons.items()
        if reason not in _REASONS
    ]
    if (mask[-1] == "1") != ("performance.mwr_inception" in is_null):
        found.append(("null_has_a_reason", "performance.mwr_annualized does not fit its rate"))
    return found


def _state_problems(reasons: str, state: str) -> _Problems:
    listed = _read_reasons(reasons)
    if listed is None:
        return [_unreadable("reasons")]
    is_partial = any(not one["accepted"] for one in listed)
    expected = SnapshotState.PARTIAL if is_partial else SnapshotState.COMPLETE
    if state == expected:
        return []
    return [("state_follows_from_reasons", f"{state}, but its reasons make it {expected}")]


def _window_problems(windows: str) -> _Problems:
    found = _read(windows)
    if isinstance(found, dict) and all(isinstance(one, dict) for one in found.values()):
        return []
    return [_unreadable("windows")]


def _symbol_problems(
    aliases: Mapping[str, str], reasons: str, marked: tuple[str, ...] | None
) -> _Problems:
    """Compare the symbols of the reasons, which may be former ones, with those of positions."""
    listed = _read_reasons(reasons)
    if listed is None or marked is None:
        return []
    symbols = [one["symbol"] for one in listed]
    named = [one if one in marked else aliases.get(one, one) for one in symbols]
    if sorted(named) == sorted(marked):
        return []
    missing = sorted(set(marked).difference(named))
    surplus = sorted(set(named).difference(marked))
    found = [f"{symbol} has a mark that needs a reason and none" for symbol in missing]
    found += [f"{symbol} has a reason that its mark does not need" for symbol in surplus]
    return [("reasons_fit_the_marks", one) for one in found or ["a symbol has several reasons"]]


def _read_reasons(text: str) -> list[dict[str, Any]] | None:
    found = _read(text)
    if not isinstance(found, list):
        return None
    for one in found:
        if not isinstance(one, dict) or not isinstance(one.get("accepted"), bool):
            return None
        if not isinstance(one.get("symbol"), str) or not isinstance(one.get("reason"), str):
            return None
    return found


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _unreadable(name: str) -> tuple[str, str]:
    return "unreadable_json", f"the text of {name} cannot be read"
