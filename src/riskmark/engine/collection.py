"""Python's cycle collector, held off while a run makes rows.

A run makes some hundred thousand tuples, none of them in a cycle. The collector would walk
through all that are alive again and again, which took a tenth of a night.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_off() -> Iterator[None]:
    """Let the collector rest; what is in cycles by then is found as soon as it may go on."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
