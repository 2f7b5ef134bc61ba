"""A Dask cluster that computes: given by the address of its scheduler, set up by others.

Its workers need Riskmark of the same version, and no database. The cluster sees to its
workers itself: a shard whose worker dies goes to another one, and is lost only when several
have died over it.
"""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

import dask
import distributed

from riskmark.engine.compute import AHEAD
from riskmark.engine.shard_compute import Shared
from riskmark.errors import ComputeError

CONNECT_S = 30
"""Seconds in which the scheduler has to answer, and to have a worker."""
_LARGE = {"distributed.admin.large-graph-warning-threshold": "1GiB"}
"""A shard's books are some megabytes, and that is as it should be."""


class DaskCluster:
    """Computes on the workers of the scheduler at ``address``."""

    lost: tuple[type[BaseException], ...] = (distributed.KilledWorker,)

    def __init__(self, address: str) -> None:
        dask.config.set(_LARGE)
        connect: Any = distributed.Client
        try:
            self._client: Any = connect(f"tcp://{address}", timeout=CONNECT_S, set_as_default=False)
            self._client.wait_for_workers(1, timeout=CONNECT_S)
        except (OSError, TimeoutError) as error:
            raise ComputeError(f"there is no Dask cluster at {address}: {error}") from error

    def lanes(self) -> list[tuple[Executor, int]]:
        """Return one executor for the whole cluster."""
        threads = sum(self._client.nthreads().values())
        return [(self._client.get_executor(pure=False), AHEAD * max(threads, 1))]

    @contextmanager
    def share(self, shared: Shared) -> Iterator[Any]:
        """Send ``shared`` to every worker."""
        try:
            sent = self._client.scatter(shared, broadcast=True, hash=False)
        except OSError as error:
            raise ComputeError(f"the Dask cluster is out of reach: {error}") from error
        try:
            yield sent
        finally:
            sent.release()

    def replace(self, executor: Executor) -> tuple[Executor, int]:  # noqa: ARG002 - there is one
        """Refuse: a cluster replaces its workers itself."""
        raise ComputeError("the connection to the Dask cluster is broken")

    def close(self, *, at_once: bool) -> None:  # noqa: ARG002 - what is not wanted is cancelled
        """Leave the cluster; what it still computes for this process it drops."""
        self._client.close()
