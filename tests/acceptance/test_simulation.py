"""Years of nights: what providers do, late and wrong, ends in what is true."""

import pytest
from tests.acceptance.simulation import Simulation, Size
from tests.support import PROFILE

# The clients' own modules warn as they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")

QUICK = Size(nights=252, books=4, symbols=10)
SHORT = Size(nights=45, books=3, symbols=8)
DEEP = Size(nights=753, books=20, symbols=60)


def test_after_every_night_all_invariants_hold_and_in_the_end_all_is_complete_and_true(
    world, sqlite_template, tmp_path
):
    size = QUICK if world.app.database.is_sqlite else SHORT

    Simulation(1, size, world).live(sqlite_template, tmp_path)


@pytest.mark.skipif(PROFILE != "deep", reason="hours: three years, twenty times")
@pytest.mark.parametrize("seed", range(100, 120))
def test_three_years_of_twenty_books_end_in_what_is_true(
    sqlite_world, sqlite_template, tmp_path, seed
):
    Simulation(seed, DEEP, sqlite_world).live(sqlite_template, tmp_path)
