"""Which sessions providers are asked for."""

from hypothesis import given
from hypothesis import strategies as st

from riskmark.planning.price_ranges import HOPEFUL, RECHECKED, PriceNeed, Span, plan_span

TARGET = 1000


def need(missing=(), *, span=Span(500, TARGET), checked=None, doubted=None):  # noqa: B008
    return PriceNeed("AAA", 1, span, tuple(missing), checked=checked, doubted=doubted)


def test_a_symbol_of_which_nothing_is_stored_is_asked_for_in_one_range():
    assert plan_span(need(range(500, TARGET + 1)), TARGET) == Span(500, TARGET)


def test_what_is_whole_and_checked_for_the_target_is_not_asked_for():
    assert plan_span(need(checked=Span(500, TARGET)), TARGET) is None


def test_on_a_new_target_the_newest_sessions_are_asked_for_again():
    found = plan_span(need([TARGET], checked=Span(500, TARGET - 1)), TARGET)

    assert found == Span(TARGET - RECHECKED + 1, TARGET)


def test_an_old_hole_that_was_asked_for_is_left_alone_and_a_recent_one_is_not():
    checked = Span(500, TARGET)

    assert plan_span(need([700], checked=checked), TARGET) is None
    assert plan_span(need([TARGET - 20], checked=checked), TARGET) == Span(TARGET - 20, TARGET)


def test_nights_on_which_nobody_answered_are_made_up_for():
    answered = TARGET - 6

    found = plan_span(need(range(answered + 1, TARGET + 1), checked=Span(500, answered)), TARGET)

    assert found == Span(answered + 1 - RECHECKED + 1, TARGET)


def test_sessions_after_the_last_answer_are_asked_for_however_long_ago_it_was():
    answered = TARGET - 3 * HOPEFUL
    missing = range(answered + 1, TARGET + 1)

    found = plan_span(need(missing, checked=Span(500, answered)), TARGET)

    assert found is not None
    assert found.first <= answered + 1


def test_what_is_in_doubt_is_asked_for_on_each_new_target_and_no_more_often():
    doubted = TARGET - 40

    found = plan_span(need(checked=Span(500, TARGET - 1), doubted=doubted), TARGET)

    assert found == Span(doubted - RECHECKED + 1, TARGET)
    assert plan_span(need(checked=Span(500, TARGET), doubted=doubted), TARGET) is None


def test_an_earlier_first_entry_asks_for_the_sessions_before():
    found = plan_span(
        need(range(300, 500), span=Span(300, TARGET), checked=Span(500, TARGET)), TARGET
    )

    assert found == Span(300, TARGET)


def test_a_symbol_that_was_sold_long_ago_is_not_checked_again():
    sold = Span(500, 700)

    assert plan_span(need(span=sold, checked=Span(500, TARGET - 1)), TARGET) is None


@given(
    st.sets(st.integers(500, TARGET)),
    st.none() | st.builds(Span, st.integers(400, 600), st.integers(900, TARGET)),
)
def test_a_recent_hole_is_always_inside_the_range_that_is_asked_for(missing, checked):
    found = plan_span(need(missing, checked=checked), TARGET)

    for ordinal in missing:
        if ordinal > TARGET - HOPEFUL:
            assert found is not None
            assert found.first <= ordinal <= found.last
