"""A process that asks for requests as fast as it can, on a clock that runs fast.

    python -m tests.faults.limit_caller DATABASE_URL START COUNT LOCK

``START`` is a reading of the machine's monotonic clock, by which several such processes have
the same time. As a delay of a millisecond is long on this clock, it is read and the request
counted under a lock on the file ``LOCK``. With ``START`` 0 the clock stands still, and there
is no lock but the database's. Prints, by domain, the instants at which a request was admitted.
"""

import contextlib
import fcntl
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from riskmark.domain.rate_limits import Limits
from riskmark.storage.engines import open_database
from riskmark.storage.provider_limits import ProviderLimits

BEGIN = datetime(2024, 6, 3, 23, 55, tzinfo=UTC)
SPEED = 300.0
"""A minute is a fifth of a second."""
LIMITS = {"massive": Limits(per_minute=5), "fmp": Limits(per_day=250)}


@contextlib.contextmanager
def locked(path):
    """Keep the other processes out."""
    with Path(path).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main(url, start, count, lock):
    """Ask, and say when a request was admitted."""
    database = open_database(url)
    limits = ProviderLimits(database)
    admitted = {name: [] for name in LIMITS}
    for number in range(count):
        name = "massive" if number % 2 else "fmp"
        with locked(lock) if start else contextlib.nullcontext():
            passed_s = (time.monotonic() - start) * SPEED if start else 0.0
            at = BEGIN + timedelta(seconds=passed_s)
            if limits.take(name, LIMITS[name], at=at).is_admitted:
                admitted[name].append(at.isoformat())
    database.close()
    print(json.dumps(admitted))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
