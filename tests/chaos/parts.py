"""The parts of the chaos suite, in the order in which they are tried."""

from tests.chaos import runs, servers, workers, zombies

MODULES = (runs, servers, zombies, workers)
PARTS = {part.name: part for module in MODULES for part in module.PARTS}
