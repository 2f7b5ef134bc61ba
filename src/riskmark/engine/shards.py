"""Shards: a plan cut into pieces, each computed at once and written in one transaction.

Order: the target session of every portfolio; then what is missing or wrong, oldest first;
then rebuilds, newest first. A piece covers few enough sessions and positions that its
arrays stay small and its transaction short.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from riskmark.domain.reasons import PlanReason
from riskmark.planning.plan import REBUILDS, Plan

SESSIONS = 256
"""Sessions that a shard may span: a year of history."""
CELLS = 4_096
"""Cells a shard: about half a second of writing on the slower database."""
POSITION_SESSIONS = 1_000_000
"""Lots × sessions spanned: bounds the memory of a shard's arrays to some 100 MB."""

Cells: TypeAlias = tuple[tuple[int, PlanReason], ...]
_Piece: TypeAlias = tuple[str, Cells]


@dataclass(frozen=True, slots=True)
class Shard:
    """Portfolios (ids, ascending) and the cells of each."""

    portfolios: tuple[str, ...]
    cells: tuple[Cells, ...]
    is_rebuild: bool = False

    @property
    def size(self) -> int:
        """The number of cells."""
        return sum(len(cells) for cells in self.cells)

    @property
    def ordinals(self) -> list[list[int]]:
        """The sessions of each portfolio's cells."""
        return [[ordinal for ordinal, _ in cells] for cells in self.cells]

    @property
    def first(self) -> int:
        """The first session of any cell."""
        return min(cells[0][0] for cells in self.cells)

    @property
    def last(self) -> int:
        """The last session of any cell."""
        return max(cells[-1][0] for cells in self.cells)

    def split(self) -> tuple["Shard", ...]:
        """Return one shard for each portfolio."""
        return tuple(
            Shard((portfolio,), (cells,), self.is_rebuild)
            for portfolio, cells in zip(self.portfolios, self.cells, strict=True)
        )


def cut_plan(plan: Plan, lots_of: Mapping[str, int]) -> list[Shard]:
    """Cut ``plan`` into shards, in the order of work; ``lots_of`` says how large each book is."""
    whole = [(one.portfolio_id, one.cells) for one in plan.portfolios if one.cells]
    if _fits_one_shard(whole, lots_of):
        return list(_cut(whole, lots_of))
    newest, due, rebuilds = _by_urgency(whole, plan.target)
    shards = list(_cut(newest, lots_of))
    for _, pieces in sorted(_by_span(due, plan.target).items()):
        shards.extend(_cut(pieces, lots_of))
    for _, pieces in sorted(_by_span(rebuilds, plan.target).items(), reverse=True):
        shards.extend(_cut(pieces, lots_of, is_rebuild=True))
    return shards


def _fits_one_shard(whole: Sequence[_Piece], lots_of: Mapping[str, int]) -> bool:
    if not whole or any(reason in REBUILDS for _, cells in whole for _, reason in cells):
        return False
    span = max(cells[-1][0] for _, cells in whole) - min(cells[0][0] for _, cells in whole) + 1
    lots = sum(lots_of.get(portfolio, 0) for portfolio, _ in whole)
    size = sum(len(cells) for _, cells in whole)
    return size <= CELLS and span <= SESSIONS and lots * span <= POSITION_SESSIONS


def _by_urgency(whole: Sequence[_Piece], target: int) -> tuple[list[_Piece], ...]:
    """Return the cells of the target session, those due before it, and rebuilds."""
    found: tuple[list[_Piece], list[_Piece], list[_Piece]] = ([], [], [])
    for portfolio, cells in whole:
        kinds = [_urgency(cell, target) for cell in cells]
        for kind in set(kinds):
            kept = tuple(cell for cell, own in zip(cells, kinds, strict=True) if own == kind)
            found[kind].append((portfolio, kept))
    return found


def _urgency(cell: tuple[int, PlanReason], target: int) -> int:
    if cell[1] in REBUILDS:
        return 2
    return 0 if cell[0] == target else 1


def _by_span(pieces: Sequence[_Piece], target: int) -> dict[int, list[_Piece]]:
    """Group cells by spans of SESSIONS, counted back from the target; the oldest is lowest."""
    spans: dict[int, list[_Piece]] = {}
    for portfolio, cells in pieces:
        of_span: dict[int, list[tuple[int, PlanReason]]] = {}
        for cell in cells:
            of_span.setdefault((cell[0] - target) // SESSIONS, []).append(cell)
        for span, found in of_span.items():
            spans.setdefault(span, []).append((portfolio, tuple(found)))
    return spans


def _cut(
    pieces: Sequence[_Piece], lots_of: Mapping[str, int], *, is_rebuild: bool = False
) -> Iterator[Shard]:
    taken: list[_Piece] = []
    size = lots = 0
    low, high = 0, 0
    for piece in pieces:
        portfolio, cells = piece
        own = lots_of.get(portfolio, 0)
        span = max(high, cells[-1][0]) - min(low, cells[0][0]) + 1 if taken else 0
        if taken and (size + len(cells) > CELLS or (lots + own) * span > POSITION_SESSIONS):
            yield _shard(taken, is_rebuild=is_rebuild)
            taken, size, lots = [], 0, 0
        low = min(low, cells[0][0]) if taken else cells[0][0]
        high = max(high, cells[-1][0]) if taken else cells[-1][0]
        taken.append(piece)
        size += len(cells)
        lots += own
    if taken:
        yield _shard(taken, is_rebuild=is_rebuild)


def _shard(taken: Sequence[_Piece], *, is_rebuild: bool) -> Shard:
    return Shard(
        tuple(portfolio for portfolio, _ in taken), tuple(cells for _, cells in taken), is_rebuild
    )
