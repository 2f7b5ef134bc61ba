"""The same numbers, whatever the order of things: hashes, inputs, databases, places to compute."""

import itertools
from functools import cache

from tests.acceptance.computing import PLACES, SEEDS, dask_cluster, run_apart
from tests.acceptance.world import assert_equal_results
from tests.chaos.lane import SQLITE, Draw, Lane, Part

ORDERED_SEED = 99
CASES = tuple(itertools.product(PLACES, SEEDS))


def cases(_lane: Lane, _database: str) -> int:
    """Each place to compute at with each seed, of hashes and of the order of inputs."""
    return len(CASES)


def store_the_same(draw: Draw) -> str:
    """Build a world in an order of its own and compute it: what is stored never differs."""
    place, seed = CASES[draw.number]
    path = draw.lane.folder / "stored.json"
    with draw.laboratory.empty() as url:
        if place == "dask":
            with dask_cluster() as address:
                stored = run_apart(url, address, seed, path)
        else:
            stored = run_apart(url, place, seed, path)
    assert_equal_results(_reference(draw.lane), stored)
    return f"the same, {place}"


@cache
def _reference(lane: Lane):
    with lane.laboratory(SQLITE).empty() as url:
        return run_apart(url, "inline", ORDERED_SEED, lane.folder / "reference.json")


PARTS = (
    Part("sameness", "five seeds of hashes and of the order of inputs, computed in one process, "
         "in 1, 2 and 4 children and on Dask", cases, store_the_same),
)  # fmt: skip
