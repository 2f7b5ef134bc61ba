"""The planner against plans written by hand, and against what every plan must be."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from riskmark.domain.reasons import ChangeKind, PlanReason
from riskmark.planning.facts import (
    Change,
    Facts,
    Holding,
    PortfolioFacts,
    StoredCell,
    Version,
    is_whole,
)
from riskmark.planning.planner import plan_run

NOW = Version(1, "settings")
AAPL, SPY = 7, 8


def day(ordinal):
    return date(2025, 1, 1) + timedelta(days=ordinal)


def portfolio(stored=(), *, first=0, revision=1, version=NOW, **changed):
    ordinals = [cell if isinstance(cell, int) else cell.ordinal for cell in stored]
    cells = tuple(
        StoredCell(day(cell), cell, revision, version) if isinstance(cell, int) else cell
        for cell in stored
    )
    known = [ordinal for ordinal in ordinals if ordinal is not None]
    facts = {
        "portfolio_id": "p",
        "name": "growth",
        "first": first,
        "snapshots": len(cells),
        "stored_count": len(cells),
        "stored_first": min(known, default=None),
        "stored_last": max(known, default=None),
        "inputs_revision": min((cell.inputs_revision for cell in cells), default=0),
        "version": version,
        "stored": cells,
    }
    return PortfolioFacts(**(facts | changed))


def facts(*portfolios, target=3, changes=(), holdings=None, shared=frozenset()):
    return Facts(
        revision=9,
        target=target,
        version=NOW,
        portfolios=portfolios,
        changes=changes,
        holdings=holdings or {},
        shared_instruments=shared,
    )


def lowest(stored):
    versions = {version for _, version in stored.values()}
    return NOW if versions == {NOW} else Version(0, "settings")


def cells(plan):
    return [cell for one in plan.portfolios for cell in one.cells]


def test_a_portfolio_never_valued_is_new_on_every_session_from_its_first():
    plan = plan_run(facts(portfolio(first=1)))

    assert cells(plan) == [(1, PlanReason.NEW), (2, PlanReason.NEW), (3, PlanReason.NEW)]


def test_sessions_after_the_last_stored_are_missing_and_holes_are_gaps():
    plan = plan_run(facts(portfolio([0, 2]), target=4))

    assert cells(plan) == [
        (1, PlanReason.GAP),
        (3, PlanReason.MISSING),
        (4, PlanReason.MISSING),
    ]


def test_sessions_before_the_first_stored_are_missing_when_an_earlier_lot_is_added():
    plan = plan_run(facts(portfolio([2, 3], first=1)))

    assert cells(plan) == [(1, PlanReason.MISSING)]


def test_no_portfolio_is_judged_by_the_progress_of_another():
    ahead = portfolio([0, 1, 2, 3])
    behind = portfolio([0, 1], portfolio_id="q", name="income")

    plan = plan_run(facts(ahead, behind))

    assert [one.portfolio_id for one in plan.portfolios] == ["q"]
    assert cells(plan) == [(2, PlanReason.MISSING), (3, PlanReason.MISSING)]
    assert plan.settled == ("p",)


def test_a_corrected_price_makes_the_sessions_from_it_on_stale():
    change = Change(5, ChangeKind.PRICE, 2, instrument_id=AAPL)

    plan = plan_run(
        facts(
            portfolio([0, 1, 2, 3]),
            changes=(change,),
            holdings={"p": {AAPL: Holding(first=0, last=None)}},
        )
    )

    assert cells(plan) == [(2, PlanReason.PRICE), (3, PlanReason.PRICE)]


def test_a_price_before_the_entry_touches_sessions_from_the_entry_on():
    change = Change(5, ChangeKind.PRICE, 0, instrument_id=AAPL)

    plan = plan_run(
        facts(
            portfolio([0, 1, 2, 3]),
            changes=(change,),
            holdings={"p": {AAPL: Holding(first=3, last=None)}},
        )
    )

    assert cells(plan) == [(3, PlanReason.PRICE)]


def test_a_price_after_the_last_exit_touches_nothing():
    change = Change(5, ChangeKind.PRICE, 3, instrument_id=AAPL)

    plan = plan_run(
        facts(
            portfolio([0, 1, 2, 3]),
            changes=(change,),
            holdings={"p": {AAPL: Holding(first=0, last=2)}},
        )
    )

    assert not plan


def test_a_price_of_a_symbol_that_is_not_held_touches_nothing():
    change = Change(5, ChangeKind.PRICE, 0, instrument_id=AAPL)

    plan = plan_run(facts(portfolio([0, 1, 2, 3]), changes=(change,)))

    assert not plan


def test_a_factor_symbol_touches_every_portfolio():
    change = Change(5, ChangeKind.PRICE, 2, instrument_id=SPY)

    plan = plan_run(facts(portfolio([0, 1, 2, 3]), changes=(change,), shared=frozenset({SPY})))

    assert cells(plan) == [(2, PlanReason.PRICE), (3, PlanReason.PRICE)]


def test_a_cell_computed_after_a_change_is_not_computed_again():
    fresh = StoredCell(day(2), 2, 5, NOW)
    change = Change(5, ChangeKind.PRICE, 1, instrument_id=AAPL)

    plan = plan_run(
        facts(
            portfolio([0, 1, fresh, 3]),
            changes=(change,),
            holdings={"p": {AAPL: Holding(first=0, last=None)}},
        )
    )

    assert cells(plan) == [(1, PlanReason.PRICE), (3, PlanReason.PRICE)]


def test_a_change_of_lots_comes_before_a_change_of_prices():
    changes = (
        Change(5, ChangeKind.PRICE, 1, instrument_id=AAPL),
        Change(6, ChangeKind.HOLDINGS, 2, portfolio_id="p"),
    )

    plan = plan_run(
        facts(
            portfolio([0, 1, 2, 3]),
            changes=changes,
            holdings={"p": {AAPL: Holding(first=0, last=None)}},
        )
    )

    assert cells(plan) == [
        (1, PlanReason.PRICE),
        (2, PlanReason.HOLDINGS),
        (3, PlanReason.HOLDINGS),
    ]


def test_snapshots_before_the_first_entry_and_on_no_session_are_surplus():
    odd = StoredCell(date(2024, 12, 25), None, 1, NOW)

    plan = plan_run(facts(portfolio([0, 1, 2, 3, odd], first=2)))

    assert plan.portfolios[0].surplus == (day(0), day(1), date(2024, 12, 25))
    assert plan.portfolios[0].cells == ()


def test_a_portfolio_without_lots_has_only_surplus():
    plan = plan_run(facts(portfolio([0, 1], first=None)))

    assert plan.portfolios[0].surplus == (day(0), day(1))
    assert not cells(plan)


def test_an_older_engine_or_other_settings_are_rebuilt():
    old_engine = StoredCell(day(0), 0, 1, Version(0, "settings"))
    old_settings = StoredCell(day(1), 1, 1, Version(1, "others"))
    fresh = [StoredCell(day(o), o, 1, NOW) for o in (2, 3)]
    stored = portfolio([old_engine, old_settings, *fresh], version=Version(0, "x"))

    plan = plan_run(facts(stored))

    assert cells(plan) == [(0, PlanReason.ENGINE), (1, PlanReason.SETTINGS)]
    assert plan.portfolios[0].due == 0


def test_force_plans_what_would_be_left_alone():
    plan = plan_run(facts(portfolio([0, 1, 2])), force=True)

    assert [reason for _, reason in cells(plan)] == [PlanReason.FORCED] * 3 + [PlanReason.MISSING]


def test_from_limits_the_cells_and_the_portfolio_is_not_settled():
    plan = plan_run(facts(portfolio([])), from_ordinal=2)

    assert [ordinal for ordinal, _ in cells(plan)] == [2, 3]
    assert plan_run(facts(portfolio([0])), from_ordinal=9).settled == ()


def test_cells_left_out_are_not_planned():
    plan = plan_run(facts(portfolio([0, 1])), left_out={"p": {3}})

    assert cells(plan) == [(2, PlanReason.MISSING)]


def test_sessions_beyond_the_target_are_left_alone():
    plan = plan_run(facts(portfolio([0, 1, 2, 3]), target=1))

    assert not plan
    assert plan.settled == ("p",)


def test_a_portfolio_with_stale_sessions_beyond_the_target_is_not_settled():
    change = Change(5, ChangeKind.PRICE, 3, instrument_id=SPY)
    stored = portfolio([0, 1, 2, 3])

    plan = plan_run(facts(stored, target=1, changes=(change,), shared=frozenset({SPY})))
    forced = plan_run(
        facts(stored, target=1, changes=(change,), shared=frozenset({SPY})), force=True
    )

    assert not plan
    assert plan.settled == ()
    assert not forced.portfolios[0].is_complete


_change = st.builds(
    Change,
    revision=st.integers(2, 9),
    kind=st.sampled_from([ChangeKind.PRICE, ChangeKind.ACTION]),
    from_ordinal=st.integers(0, 8),
    instrument_id=st.sampled_from([AAPL, SPY]),
)
_stored = st.dictionaries(
    st.integers(0, 8), st.tuples(st.integers(1, 9), st.sampled_from([NOW, Version(0, "settings")]))
)


@given(_stored, st.lists(_change, max_size=4), st.integers(0, 8), st.integers(0, 8))
def test_a_plan_is_exactly_the_difference_between_what_should_be_and_what_is(
    stored, changes, first, target
):
    cells_stored = [StoredCell(day(o), o, rev, ver) for o, (rev, ver) in sorted(stored.items())]
    known = facts(
        portfolio(cells_stored, first=first, version=lowest(stored)),
        target=target,
        changes=tuple(changes),
        holdings={"p": {AAPL: Holding(first=3, last=6)}},
        shared=frozenset({SPY}),
    )

    plan = plan_run(known)

    def is_right(ordinal):
        if ordinal not in stored:
            return False
        revision, version = stored[ordinal]
        for change in changes:
            if change.instrument_id == AAPL:
                touches = change.from_ordinal <= 6 and ordinal >= max(3, change.from_ordinal)
            else:
                touches = ordinal >= change.from_ordinal
            if touches and change.revision > revision:
                return False
        return version == NOW

    wanted = {o for o in range(first, target + 1) if not is_right(o)}
    surplus = {day(o) for o in stored if o < first}
    assert {ordinal for ordinal, _ in cells(plan)} == wanted
    assert {s for one in plan.portfolios for s in one.surplus} == surplus


@given(_stored, st.lists(_change, max_size=4), st.integers(0, 8), st.integers(0, 8))
def test_what_is_whole_lacks_only_the_sessions_after_the_last_stored(
    stored, changes, first, target
):
    cells_stored = [StoredCell(day(o), o, rev, ver) for o, (rev, ver) in sorted(stored.items())]
    one = portfolio(cells_stored, first=first, version=lowest(stored))
    known = facts(one, target=target, changes=tuple(changes), shared=frozenset({SPY}))

    whole = is_whole(known, one)

    if whole:
        last = max(stored, default=first - 1)
        assert {o for o, _ in cells(plan_run(known))} == set(range(last + 1, target + 1))


def test_a_change_of_a_member_is_one_of_the_combined_book():
    changes = (
        Change(5, ChangeKind.HOLDINGS, 2, portfolio_id="p"),
        Change(6, ChangeKind.HOLDINGS, 1, portfolio_id="q"),
        Change(7, ChangeKind.HOLDINGS, 3, portfolio_id="all"),
    )
    one = portfolio([0, 1, 2, 3])
    combined = portfolio([0, 1, 2, 3], portfolio_id="all", name="all", members=("p", "r"))

    plan = plan_run(facts(one, combined, changes=changes))

    assert [(one.portfolio_id, one.cells) for one in plan.portfolios] == [
        ("p", ((2, PlanReason.HOLDINGS), (3, PlanReason.HOLDINGS))),
        ("all", ((2, PlanReason.HOLDINGS), (3, PlanReason.HOLDINGS))),
    ]


_edit = st.builds(
    Change,
    revision=st.integers(2, 9),
    kind=st.just(ChangeKind.HOLDINGS),
    from_ordinal=st.integers(0, 8),
    portfolio_id=st.sampled_from(["p", "q", "r", "all", "most"]),
)


@given(
    st.dictionaries(st.sampled_from(["p", "q", "r", "all", "most"]), _stored),
    st.lists(_edit, max_size=6),
    st.integers(0, 8),
)
def test_each_portfolio_has_its_own_difference_combined_ones_from_all_their_members(
    stored, changes, target
):
    members = {"all": ("p", "q", "r"), "most": ("p", "q")}
    portfolios = [
        portfolio(
            [StoredCell(day(o), o, rev, ver) for o, (rev, ver) in sorted(cells_of.items())],
            portfolio_id=key,
            version=lowest(cells_of),
            members=members.get(key, ()),
        )
        for key, cells_of in stored.items()
    ]

    plan = plan_run(facts(*portfolios, target=target, changes=tuple(changes)))

    wanted = {
        (key, ordinal)
        for key, cells_of in stored.items()
        for ordinal in range(target + 1)
        if cells_of.get(ordinal, (0, None))[1] != NOW
        or any(
            change.portfolio_id in (key, *members.get(key, ()))
            and change.from_ordinal <= ordinal
            and change.revision > cells_of[ordinal][0]
            for change in changes
        )
    }
    assert {(one.portfolio_id, ordinal) for one, ordinal, _ in plan.cells()} == wanted
