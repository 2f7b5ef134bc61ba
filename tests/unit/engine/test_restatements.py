"""What counts as another number, and what is kept of the one before."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmark.domain.measures import STORED
from riskmark.engine.restatements import differences, differing, old_values_json, summaries

NAN = np.nan


def cells(*rows):
    """Make an array of cells × STORED, NaN where a row says nothing."""
    values = np.full((len(rows), len(STORED)), NAN)
    for place, row in enumerate(rows):
        for name, number in row.items():
            values[place, STORED.index(name)] = number
    return values


def changed(old, new):
    found = differing(cells(old), cells(new))
    return {STORED[k] for k in np.flatnonzero(found[0])}


@pytest.mark.parametrize(
    ("name", "old", "new", "differs"),
    [
        ("nav", 1e6, 1e6 * (1 + 5e-10), False),
        ("nav", 1e6, 1e6 * (1 + 5e-9), True),
        ("pnl", 0.0, 5e-7, False),  # within 1e-12 of a gross of a million
        ("pnl", 0.0, 5e-6, True),
        ("return", 0.0, 5e-13, False),
        ("return", 0.0, 5e-12, True),
        ("beta", 1.0, 1.0 + 5e-10, False),
        ("beta", 1.0, NAN, True),
        ("beta", NAN, 1.0, True),
        ("beta", NAN, NAN, False),
    ],
)
def test_numbers_are_equal_within_the_tolerance(name, old, new, differs):
    gross = {"gross": 1e6}

    assert changed({name: old} | gross, {name: new} | gross) == ({name} if differs else set())


def test_only_what_changed_is_kept_of_a_cell():
    old = cells({"nav": 100.0, "beta": 1.0, "gross": 50.0}, {"nav": 1.0})
    new = cells({"nav": 101.0, "beta": NAN, "gross": 50.0}, {"nav": 1.0})

    (found,) = differences(old, new, ["partial", "complete"], ["complete", "complete"])

    assert found.place == 0
    assert json.loads(found.old_values) == {"nav": 100.0, "beta": 1.0, "state": "partial"}
    assert json.loads(found.new_values) == {"nav": 101.0, "beta": None, "state": "complete"}


def test_a_state_alone_is_a_difference():
    same = cells({"nav": 1.0})

    (found,) = differences(same, same, ["partial"], ["complete"])

    assert json.loads(found.new_values) == {"state": "complete"}


def test_a_summary_counts_snapshots_and_keeps_the_largest_change():
    old = cells({"nav": 1.0, "beta": 1.0}, {"nav": 2.0, "beta": NAN}, {"nav": 3.0})
    new = cells({"nav": 1.5, "beta": 1.0}, {"nav": 5.0, "beta": 2.0}, {"nav": 3.0})

    found = {one.measure: (one.snapshots, one.largest_change) for one in summaries(old, new)}

    assert found == {"nav": (2, 3.0), "beta": (1, None)}


def test_what_is_deleted_is_kept_whole():
    kept = json.loads(old_values_json(tuple(None for _ in STORED)))

    assert list(kept) == list(STORED)


numbers = st.floats(-1e9, 1e9) | st.just(NAN)


@given(st.lists(numbers, min_size=len(STORED), max_size=len(STORED)))
def test_every_cell_equals_itself(row):
    one = np.array([row])

    assert not differing(one, one).any()
    assert differences(one, one, ["complete"], ["complete"]) == []
    assert summaries(one, one) == []
