"""Whatever its members are, a combined book is one book with everything in it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from shutil import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.acceptance.test_combined_books import add_book, combine, rows_of
from tests.acceptance.world import FACTORS, LAST, World, assert_equal_results
from tests.support import DATABASE_EXAMPLES

from riskmark.domain.portfolio import Lot

BEGIN = date(2025, 3, 3)
"""The first session with prices: a regression has rows enough, and a world is small."""
SUMS = ("nav", "cash", "net", "flow", "pnl", "income", "cum_realized")
"""Numbers that those of the members add up to."""


@dataclass(frozen=True)
class Member:
    """A book to be combined."""

    equity: int | None
    lots: tuple[Lot, ...]
    flows: tuple[tuple[date, Decimal], ...]


@st.composite
def a_lot(draw: st.DrawFn) -> Lot:
    """Draw a lot of the last sessions that has ended, perhaps."""
    entry = LAST - timedelta(days=draw(st.integers(0, 24)))
    leaving = draw(st.none() | st.integers(0, 15).map(lambda days: entry + timedelta(days=days)))
    is_closed = leaving is not None and leaving <= LAST
    return Lot(
        draw(st.sampled_from(["S00", "S01", "S02", "NOBODY"])),
        Decimal(draw(st.integers(-40, 80).filter(bool))),
        entry,
        Decimal(draw(st.sampled_from(["95", "101.25"]))),
        leaving if is_closed else None,
        Decimal(99) if is_closed else None,
    )


@st.composite
def members(draw: st.DrawFn) -> list[Member]:
    """Draw books of one mode; one of them may have no lot."""
    is_cash = draw(st.booleans())
    flow = st.tuples(
        st.integers(0, 40).map(lambda days: LAST - timedelta(days=days)),
        st.sampled_from([Decimal(2500), Decimal(-1200)]),
    )
    one = st.builds(
        Member,
        equity=st.sampled_from([3_000, 100_000]) if is_cash else st.none(),
        lots=st.lists(a_lot(), max_size=3).map(tuple),
        flows=st.lists(flow, max_size=2 if is_cash else 0).map(tuple),
    )
    return draw(st.lists(one, min_size=1, max_size=3))


@pytest.fixture(scope="module")
def market(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepare an installation with prices and actions."""
    path = tmp_path_factory.mktemp("market") / "market.db"
    copy(sqlite_template, path)
    world = World(f"sqlite:///{path}")
    world.add_prices(*FACTORS, "S00", "S01", "S02", first=BEGIN)
    world.add_action("S00", date(2026, 1, 2), "split", 2.0)
    world.add_action("S01", date(2025, 12, 30), "dividend", 1.25)
    world.close()
    return path


@contextmanager
def a_world(market: Path, path: Path) -> Iterator[World]:
    """Open a copy of the installation."""
    for left in path.parent.glob(f"{path.name}*"):
        left.unlink()
    copy(market, path)
    world = World(f"sqlite:///{path}")
    yield world
    world.close()


def whole_book(world: World, held: Sequence[Member]) -> Member:
    """Return one book with everything: what begins later comes in by flows, as by hand."""
    begun = [one for one in held if one.lots]
    starts = [
        world.calendar.sessions[world.calendar.on_or_after(min(lot.entry_date for lot in one.lots))]
        for one in begun
    ]
    equity = None if begun[0].equity is None else 0
    flows: list[tuple[date, Decimal]] = []
    for one, start in zip(begun, starts, strict=True):
        flows += [(max(day, start), amount) for day, amount in one.flows]
        if equity is None or one.equity is None:
            continue
        if start == min(starts):
            equity += one.equity
        else:
            flows.append((start, Decimal(one.equity)))
    return Member(equity, tuple(lot for one in begun for lot in one.lots), tuple(flows))


@pytest.mark.timeout(600)  # a counterexample is worth the time that it takes to shorten it
@settings(max_examples=DATABASE_EXAMPLES)
@given(members())
def test_a_combined_book_is_one_book_with_everything_in_every_number(market, tmp_path, held):
    names = [f"member {n}" for n in range(len(held))]
    with a_world(market, tmp_path / "riskmark.db") as world:
        for name, one in zip(names, held, strict=True):
            add_book(world, name, one.lots, equity=one.equity, flows=one.flows)
        combine(world, "all", *names)
        if any(one.lots for one in held):
            whole = whole_book(world, held)
            add_book(world, "one", whole.lots, equity=whole.equity, flows=whole.flows)

        world.run()

        dump = world.dump()
    assert_equal_results(rows_of(dump, "all"), rows_of(dump, "one"))
    of_members = [row for name in names for row in rows_of(dump, name)["snapshot"]]
    for row in rows_of(dump, "all")["snapshot"]:
        parts = [one for one in of_members if one["session"] == row["session"]]
        for column in SUMS:
            total = sum(float(str(one[column])) for one in parts)
            assert row[column] == pytest.approx(total, rel=1e-9, abs=1e-6), column
