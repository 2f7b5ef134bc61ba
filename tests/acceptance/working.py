"""A worker in this process, for as long as it takes to empty the queue."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from riskmark.app import App
from riskmark.engine.worker import Worker
from riskmark.storage.engines import read_rows


@contextmanager
def worker_of(app: App, **how: int) -> Iterator[Worker]:
    """Let a worker work in a thread during the block, and stop it afterwards."""
    stop = threading.Event()
    worker = app.worker(**how)
    worker.poll_s = 0.02
    worker.is_isolated = False  # what it does with its slots does not depend on the place
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(worker.work, stop)
        try:
            yield worker
        finally:
            stop.set()
        assert done.result(20)


def wait_for_end(app: App, *run_ids: str) -> list[str]:
    """Wait until the runs have ended; return how."""
    pause = threading.Event()
    for _ in range(3_000):
        with app.database.read() as connection:
            rows = read_rows(connection, "SELECT id, status FROM run", ())
        status = {run_id: found for run_id, found in rows if run_id in run_ids}
        if not {"queued", "running"} & set(status.values()):
            return [status[run_id] for run_id in run_ids]
        pause.wait(0.02)
    raise AssertionError(f"they have not ended: {status}")
