"""The parts of the chaos suite, in the order in which they are tried."""

from tests.chaos import runs, servers, zombies

PARTS = {part.name: part for module in (runs, servers, zombies) for part in module.PARTS}
