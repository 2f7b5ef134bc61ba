"""The parts of the chaos suite, in the order in which they are tried."""

from tests.chaos import clocks, runs, sameness, servers, workers, zombies

MODULES = (runs, servers, zombies, workers, clocks, sameness)
PARTS = {part.name: part for module in MODULES for part in module.PARTS}
