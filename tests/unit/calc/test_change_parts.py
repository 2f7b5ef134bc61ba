"""Changes in parts: whatever is known between the ends, the parts sum to the change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmark.calc.change_parts import Part, Step, split_change

values = st.floats(-1e9, 1e9, allow_subnormal=False)
steps = st.lists(
    st.builds(
        Step,
        part=st.sampled_from(["restated", "flows", "trades", "prices", "window"]),
        value=st.none() | values,
        reason=st.just("too_few_observations"),
        tolerance=st.sampled_from([1e-12, 1e-9]),
    ),
    max_size=8,
)


@given(values, steps, values)
def test_the_parts_sum_to_the_change(start, between, end):
    parts = split_change(start, between, end, last="restated")

    total = sum(part.value for part in parts.values() if part.value is not None)
    size = max([abs(start), abs(end), *(abs(step.value or 0.0) for step in between)])
    assert abs(total - (end - start)) <= 1e-12 * size
    assert set(parts) == {"restated", *(step.part for step in between)}


@given(values, st.lists(st.sampled_from(["flows", "trades", "prices"])), st.floats(-1, 1))
def test_what_only_rounds_changes_nothing(start, names, noise):
    moved = start + noise * 1e-13 * abs(start)
    between = [Step(name, value) for name, value in zip(names, [moved, start] * 9, strict=False)]

    parts = split_change(start, between, start, last="restated")

    assert {part.value for part in parts.values()} <= {0.0}


def test_what_rounding_leaves_over_is_no_restatement():
    end = 1.0 + 1e-15

    parts = split_change(1.0, [Step("prices", 0.5), Step("window", 1.0)], end, last="restated")

    assert parts["restated"].value == 0.0
    assert parts["window"].value == end - 0.5


def test_a_step_without_a_number_leaves_its_effect_to_the_next():
    between = [Step("trades", 3.0), Step("prices", None, "all_excluded"), Step("window", 10.0)]

    parts = split_change(1.0, between, 11.0, last="restated")

    assert parts == {
        "trades": Part(2.0),
        "prices": Part(None, "all_excluded"),
        "window": Part(7.0),
        "restated": Part(1.0),
    }


def test_a_part_of_two_steps_is_the_sum_of_both():
    parts = split_change(1.0, [Step("restated", 1.5), Step("prices", 2.5)], 2.75, last="restated")

    assert parts == {"restated": Part(0.75), "prices": Part(1.0)}


@pytest.mark.parametrize(("tolerance", "part"), [(1e-9, 0.0), (1e-12, 1e-4)])
def test_how_much_is_no_effect_is_for_the_step_to_say(tolerance, part):
    between = [Step("restated", 1e6 + 1e-4, tolerance=tolerance)]

    parts = split_change(1e6, between, 1e6 + 5.0, last="rest")

    assert parts["restated"].value == pytest.approx(part, rel=1e-6)
    assert parts["restated"].value + parts["rest"].value == 5.0
