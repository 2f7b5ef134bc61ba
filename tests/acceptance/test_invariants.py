"""The checks before a shard's commit: sound numbers pass, and every kind of damage is seen."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pytest
from tests.acceptance.world import FACTORS, World

from riskmark.calc.arrays import CODE_OF, Measure
from riskmark.domain.reasons import NullReason, Source
from riskmark.engine.rounds import read_round
from riskmark.engine.shards import cut_plan
from riskmark.valuation.analytics import analyse
from riskmark.valuation.checks import violations
from riskmark.valuation.inputs import InputCutter
from riskmark.valuation.numbers import ShardNumbers
from riskmark.valuation.shard import ShardInputs, Valued, value

ENTRY = date(2025, 12, 1)


@dataclass(frozen=True)
class Computed:
    """A shard of two books, computed and not yet checked."""

    inputs: ShardInputs
    valued: Valued
    numbers: ShardNumbers

    def check(self, **changed: object) -> dict[int, str]:
        """Check the shard, with some of its numbers changed."""
        return violations(self.inputs, self.valued, replace(self.numbers, **changed))

    def with_measure(self, name: str, values: np.ndarray, nulls: np.ndarray | None = None):
        """Return the measures with another in the place of one."""
        old = self.numbers.measures[name]
        new = Measure(values, old.nulls if nulls is None else nulls)
        return dict(self.numbers.measures) | {name: new}


@pytest.fixture
def computed(url: str) -> Iterator[Computed]:
    """Compute two books as a run does, up to the checks."""
    world = World(url)
    world.add_prices(*FACTORS, "S00", "S01")
    world.add_book("long", ("S00", "S01"), ENTRY)
    world.add_book("holdings", ("S01",), ENTRY, equity=None)
    app = world.app
    with app.database.read() as connection:
        request = app.request(connection, Source.CLI, calendar=world.calendar)
        current = read_round(connection, world.calendar, app.settings, request, left_out={})
    (shard,) = cut_plan(current.plan, current.inputs.lots_of)
    inputs = InputCutter(current.inputs, app.settings).cut(shard.portfolios, shard.ordinals)
    valued = value(inputs)
    yield Computed(inputs, valued, analyse(inputs, valued))
    world.close()


def test_sound_numbers_pass(computed: Computed):
    assert computed.check() == {}


@pytest.mark.parametrize(
    ("name", "invariant"),
    [
        ("cash", "nav_is_cash_plus_positions"),
        ("pnl", "position_pnl_sums_to_pnl"),
        ("flow", "nav_rolls_forward"),
        ("long_value", "long_and_short_are_net"),
        ("inflow", "flow_is_inflow_less_outflow"),
        ("cum_income", "cumulative_parts_sum_to_pnl"),
    ],
)
def test_a_cent_that_is_missing_is_seen_and_only_its_book_is_held_back(
    computed: Computed, name: str, invariant: str
):
    values = computed.numbers.measures[name].values.copy()
    place = np.flatnonzero(computed.numbers.portfolio == 1)[3]
    values[place] += 0.01

    assert computed.check(measures=computed.with_measure(name, values)) == {1: invariant}


def test_a_position_whose_value_is_not_in_the_nav_is_seen(computed: Computed):
    rows = computed.numbers.position_rows
    values = rows.market_value.copy()
    values[0] *= 1.001

    found = computed.check(position_rows=replace(rows, market_value=values))

    assert found == {0: "nav_is_cash_plus_positions"}


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
def test_a_number_that_is_infinite_is_seen(computed: Computed, bad: float):
    values = computed.numbers.measures["beta"].values.copy()
    values[0] = bad

    assert computed.check(measures=computed.with_measure("beta", values)) == {0: "finite_beta"}


def test_a_null_without_a_reason_and_a_reason_without_a_null_are_seen(computed: Computed):
    beta = computed.numbers.measures["beta"]
    values, nulls = beta.values.copy(), beta.nulls.copy()
    values[0] = np.nan
    nulls[-1] = CODE_OF[NullReason.NO_HOLDINGS]

    assert computed.check(measures=computed.with_measure("beta", values)) == {
        0: "null_has_reason_beta"
    }
    assert computed.check(measures=computed.with_measure("beta", beta.values, nulls)) == {
        1: "null_has_reason_beta"
    }


@pytest.mark.parametrize(
    ("name", "amount", "invariant"),
    [("gross", -2.0, "negative_gross"), ("short_value", 1.0, "positive_short")],
)
def test_a_sign_that_cannot_be_is_seen(
    computed: Computed, name: str, amount: float, invariant: str
):
    values = computed.numbers.measures[name].values.copy()
    values[0] = amount
    measures = computed.with_measure(name, values)
    if name == "short_value":  # what else would be seen first
        moved = measures["long_value"].values.copy()
        moved[0] = measures["net"].values[0] - amount
        measures |= {"long_value": Measure(moved, measures["long_value"].nulls)}

    assert computed.check(measures=measures) == {0: invariant}
