"""Child processes of this one that compute: each an executor of its own.

A child knows no database and ignores Ctrl-C. It ends when the leash, a pipe of which this
process has the other end, is cut: because this process has let its children go, or because
it is gone, however it went.
"""

import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path

from riskmark.engine.compute import AHEAD
from riskmark.engine.shard_compute import Shared
from riskmark.engine.shared_file import SharedFile, write_shared
from riskmark.errors import ComputeError

_MODULE = __name__
_NOTICED_S = 0.2


class ChildProcesses:
    """Computes in ``workers`` child processes.

    ``prepare`` is called in each of them before anything else; it has to be picklable.
    """

    lost: tuple[type[BaseException], ...] = (BrokenExecutor,)

    def __init__(self, workers: int, prepare: Callable[[], object] | None = None) -> None:
        self._prepare = prepare
        self._context = multiprocessing.get_context(_method())
        if _method() == "forkserver":
            self._context.set_forkserver_preload([_MODULE])
        self._folder = Path(tempfile.mkdtemp(prefix="riskmark-compute-"))
        self._leash, self._hold = self._context.Pipe(duplex=False)
        self._ready: dict[int, Future[int]] = {}
        self._executors: list[Executor] = []
        self._failures = 0
        try:
            for _ in range(workers):
                self._executors.append(self._start())
        except ComputeError:
            self.close(at_once=True)
            raise

    def lanes(self) -> list[tuple[Executor, int]]:
        """Return an executor for each child."""
        return [(one, AHEAD) for one in self._executors]

    @contextmanager
    def share(self, shared: Shared) -> Iterator[SharedFile]:
        """Write ``shared`` to a file that every child maps into its memory."""
        path = self._folder / f"{shared.key}.shared"
        try:
            yield write_shared(path, shared)
        finally:
            path.unlink(missing_ok=True)

    def replace(self, executor: Executor) -> tuple[Executor, int]:
        """Start another child in the place of one that died."""
        place = self._executors.index(executor)
        error = self._ready.pop(id(executor)).exception()
        self._failures = 0 if error is None else self._failures + 1
        if error is not None and self._failures > len(self._executors):
            raise ComputeError(f"no child process can be started: {error}") from error
        executor.shutdown(wait=False, cancel_futures=True)
        self._executors[place] = self._start()
        return self._executors[place], AHEAD

    def close(self, *, at_once: bool) -> None:
        """Let the children go, and wait until they are gone."""
        if at_once:
            self._hold.close()
        for executor in self._executors:
            executor.shutdown(wait=True, cancel_futures=True)
        self._hold.close()
        self._leash.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> Executor:
        try:
            return self._start_child()
        except (OSError, EOFError):
            # The process that starts children may be gone. A moment later that is noticed, and
            # the next try starts another one.
            time.sleep(_NOTICED_S)
        try:
            return self._start_child()
        except (OSError, EOFError) as error:
            why = f"{type(error).__name__}: {error}"
            raise ComputeError(f"no child process can be started: {why}") from error

    def _start_child(self) -> Executor:
        executor = ProcessPoolExecutor(
            1,
            mp_context=self._context,
            initializer=_begin,
            initargs=(self._leash, self._folder, self._prepare),
        )
        with _one_thread_each():
            # A child is started by what it is first asked for, while this process goes on.
            self._ready[id(executor)] = executor.submit(os.getpid)
        return executor


def _method() -> str:
    """Return how children are started: never as a copy of this process, which has threads."""
    found = multiprocessing.get_all_start_methods()
    return "forkserver" if "forkserver" in found else "spawn"


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Start children that compute in one thread: there are as many as there are cores."""
    name = "OPENBLAS_NUM_THREADS"
    if name in os.environ:
        yield
        return
    os.environ[name] = "1"
    try:
        yield
    finally:
        os.environ.pop(name, None)  # another run's thread may have started children meanwhile


def _begin(leash: Connection, folder: Path, prepare: Callable[[], object] | None) -> None:
    """Make ready a child that has just started."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(leash, folder), daemon=True).start()
    if prepare is not None:
        prepare()


def _end_with(leash: Connection, folder: Path) -> None:
    """End this process as soon as the leash is cut, whatever it is doing."""
    with suppress(EOFError, OSError):
        leash.recv_bytes()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)
