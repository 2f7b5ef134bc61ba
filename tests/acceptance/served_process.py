"""``riskmark serve`` as a process of its own, on an installation, with all that it says."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
from tests.acceptance.world import LAST, World, at_close

START_S = 30.0


class ServedProcess:
    """A process that answers at ``url``; what it says is in ``log``."""

    def __init__(self, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = log
        self._process = process

    def memory(self) -> int:
        """Return the bytes that the process has in memory."""
        return int(psutil.Process(self._process.pid).memory_info().rss)


@contextmanager
def serving(
    world: World, folder: Path, *words: str, first: str = "", more: Mapping[str, str] | None = None
) -> Iterator[ServedProcess]:
    """Serve ``world`` until the block ends; ``first`` is what the process does before all else."""
    (folder / "sitecustomize.py").write_text(first)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    known = {key: value for key, value in os.environ.items() if not key.startswith("RISKMARK_")}
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    own = {
        "PYTHONPATH": os.pathsep.join(paths),
        "RISKMARK_NOW": at_close(LAST).isoformat(),
        "RISKMARK_DATABASE_URL": world.url,
        "RISKMARK_PROVIDERS__ORDER": "",
    }
    log = folder / "serve.log"
    start = "from riskmark.cli.main import run; run()"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", start, *words, "serve", "--no-scheduler", "--port", str(port)],
            env=known | own | dict(more or {}),
            cwd=folder,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            served = ServedProcess(port, process, log)
            _await(served, process)
            yield served
            process.send_signal(signal.SIGTERM)
            process.wait(20)
        finally:
            process.kill()
            process.wait()


def _await(served: ServedProcess, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_S
    while True:
        try:
            httpx.get(f"{served.url}/health/live", timeout=5).raise_for_status()
        except httpx.HTTPError:
            assert process.poll() is None, served.log.read_text()
            assert time.monotonic() < until, served.log.read_text()
            time.sleep(0.1)
        else:
            return
