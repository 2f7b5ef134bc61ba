"""Plans cut into shards: every cell in one of them, none too large, in the order of work."""

from hypothesis import given
from hypothesis import strategies as st

from riskmark.domain.reasons import PlanReason
from riskmark.engine.shards import CELLS, POSITION_SESSIONS, SESSIONS, Shard, cut_plan
from riskmark.planning.plan import REBUILDS, Plan, PortfolioPlan

TARGET = 2_000
MISSING, ENGINE = PlanReason.MISSING, PlanReason.ENGINE


def plan_of(books):
    """Make a plan of {portfolio: {ordinal: reason}}."""
    portfolios = tuple(
        PortfolioPlan(key, key, tuple(sorted(cells.items()))) for key, cells in books.items()
    )
    return Plan(revision=1, target=TARGET, portfolios=portfolios)


def cells_of(shards):
    return [
        (portfolio, ordinal, reason)
        for shard in shards
        for portfolio, cells in zip(shard.portfolios, shard.cells, strict=True)
        for ordinal, reason in cells
    ]


def test_a_small_plan_is_one_shard():
    plan = plan_of({"a": {TARGET: MISSING, TARGET - 3: MISSING}, "b": {TARGET: MISSING}})

    (shard,) = cut_plan(plan, {"a": 3, "b": 1})

    assert shard.portfolios == ("a", "b")
    assert (shard.size, shard.first, shard.last) == (3, TARGET - 3, TARGET)


def test_nothing_planned_is_no_shard():
    assert cut_plan(plan_of({}), {}) == []


def test_the_target_of_every_portfolio_comes_first_and_rebuilds_last():
    old = range(TARGET - 600, TARGET)
    plan = plan_of(
        {
            "a": {TARGET: MISSING} | dict.fromkeys(old, MISSING),
            "b": {TARGET: MISSING},
            "c": dict.fromkeys(range(TARGET - 600, TARGET + 1), ENGINE),
        }
    )

    shards = cut_plan(plan, {"a": 2, "b": 2, "c": 2})

    assert shards[0].cells == (((TARGET, MISSING),),) * 2
    due = [shard for shard in shards[1:] if not shard.is_rebuild]
    rebuilds = [shard for shard in shards if shard.is_rebuild]
    assert shards == [shards[0], *due, *rebuilds]
    assert [shard.first for shard in due] == sorted(shard.first for shard in due)
    firsts = [shard.first for shard in rebuilds]
    assert firsts == sorted(firsts, reverse=True)


def test_a_shard_splits_into_one_for_each_portfolio():
    shard = Shard(("a", "b"), (((1, MISSING),), ((2, MISSING), (3, MISSING))), is_rebuild=True)

    assert shard.split() == (
        Shard(("a",), (((1, MISSING),),), is_rebuild=True),
        Shard(("b",), (((2, MISSING), (3, MISSING)),), is_rebuild=True),
    )


spans = st.tuples(st.integers(0, TARGET), st.integers(1, 900), st.sampled_from([MISSING, ENGINE]))
books = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), spans, max_size=8)


@given(books=books, lots=st.integers(1, 5_000))
def test_every_cell_is_in_one_shard_and_no_shard_is_too_large(books, lots):
    planned = {
        key: dict.fromkeys(range(max(last - count, 0), last + 1), reason)
        for key, (last, count, reason) in sorted(books.items())
    }
    plan = plan_of(planned)

    shards = cut_plan(plan, dict.fromkeys(planned, lots))

    expected = [(one.portfolio_id, ordinal, reason) for one, ordinal, reason in plan.cells()]
    assert sorted(cells_of(shards)) == sorted(expected)
    for shard in shards:
        assert list(shard.portfolios) == sorted(set(shard.portfolios))
        span = shard.last - shard.first + 1
        assert span <= SESSIONS
        assert len(shard.portfolios) == 1 or shard.size <= CELLS
        assert len(shard.portfolios) == 1 or (
            lots * len(shard.portfolios) * span <= POSITION_SESSIONS
        )
        assert all((reason in REBUILDS) == shard.is_rebuild for *_, reason in cells_of([shard]))
