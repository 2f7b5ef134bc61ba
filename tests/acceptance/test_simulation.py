"""Years of nights: what providers do, late and wrong, ends in what is true."""

import shutil

import pytest
from tests.acceptance.simulation import Simulation, Size
from tests.acceptance.world import World
from tests.support import PROFILE

# The clients' own modules warn as they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")
BUSY_S = 900
"""A year of nights takes less than a minute, and much longer where others work, too."""

QUICK = Size(nights=252, books=2, symbols=4, has_style=False)
SHORT = Size(nights=40, books=2, symbols=4, has_style=False)
DEEP = Size(nights=753, books=20, symbols=60)


@pytest.mark.timeout(BUSY_S)
def test_after_every_night_all_invariants_hold_and_in_the_end_all_is_complete_and_true(
    world, sqlite_template, tmp_path
):
    size = QUICK if world.app.database.is_sqlite else SHORT

    Simulation(1, size, world).live(sqlite_template, tmp_path)


@pytest.mark.skipif(PROFILE != "deep", reason="hours: three years, twenty times")
@pytest.mark.timeout(6 * 3600)
@pytest.mark.parametrize("seed", range(100, 120))
def test_three_years_of_twenty_books_end_in_what_is_true(sqlite_template, tmp_path, seed):
    shutil.copy(sqlite_template, tmp_path / "lived.db")
    world = World(f"sqlite:///{tmp_path / 'lived.db'}")

    Simulation(seed, DEEP, world).live(sqlite_template, tmp_path)

    world.close()
