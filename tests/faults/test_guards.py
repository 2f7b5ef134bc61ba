"""Each guard is known to guard: taken away, the tests of it fail."""

from dataclasses import replace

import pytest
from tests.chaos.zombies import sleep_at_point
from tests.faults.installations import SMALL
from tests.faults.laboratory import Laboratory


def test_a_run_that_wakes_after_its_lease_writes_nothing(laboratory: Laboratory):
    assert sleep_at_point(laboratory, "shard.computed") == "woke and wrote nothing"


def test_without_the_fence_a_run_that_wakes_after_its_lease_writes(laboratory: Laboratory):
    with pytest.raises(AssertionError, match="after it had lost its lease"):
        sleep_at_point(laboratory, "shard.computed", without="fence")


@pytest.mark.parametrize("guard", ["", "transaction"])
def test_a_shard_written_in_two_transactions_is_found_out(laboratory: Laboratory, guard: str):
    wrong = []
    for hit in range(1, laboratory.undisturbed(SMALL).passes["shard.written"] + 1):
        with laboratory.trial(SMALL) as trial:
            order = replace(trial.order, crash=("shard.written", hit), without=guard)
            laboratory.nursery.run(order)

            try:
                trial.run_and_check()
            except AssertionError:
                wrong.append(hit)

    assert bool(wrong) == bool(guard)
