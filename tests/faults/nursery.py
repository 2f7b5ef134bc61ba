"""Runs of the batch in processes of their own, made to be stopped.

A *nursery* is a process that has imported everything once. It forks a child for each order
it is given, so that a run in a new process costs hundredths of a second and not a whole
start of Python. A child does what a command does: settings and clock from the environment,
the installation opened, one run; it then says how the run ended, if it gets that far.

    python -m tests.faults.nursery      reads orders from stdin, writes what became of them
"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import psutil
from tests.faults.orders import Order, Outcome

ROOT = Path(__file__).parents[2]


class Child:
    """A child at work; ``wait`` for its end before the next order.

    As a context it is gone at the end of the block, whatever became of it.
    """

    def __init__(self, nursery: "Nursery", pid: int) -> None:
        self._nursery = nursery
        self.pid = pid
        self._is_over = False

    def __enter__(self) -> Self:
        """Give the child."""
        return self

    def __exit__(self, *_: object) -> None:
        """End a child that nobody has waited for."""
        if not self._is_over:
            self.kill()
            self.wait()

    def kill(self) -> None:
        """End the child at once, as a power cut would."""
        self._send(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the child to end."""
        self._send(signal.SIGTERM)

    def wait_until_paused(self) -> bool:
        """Wait until the child has stopped itself; False if it ended instead."""
        process = psutil.Process(self.pid)
        while (status := process.status()) != psutil.STATUS_STOPPED:
            if status == psutil.STATUS_ZOMBIE:
                return False
            time.sleep(0.002)
        return True

    def resume(self) -> None:
        """Let a stopped child go on."""
        self._send(signal.SIGCONT)

    def pause(self) -> None:
        """Stop the child until it is resumed."""
        self._send(signal.SIGSTOP)

    def wait(self) -> Outcome:
        """Wait for the child's end."""
        self._nursery.write("")
        self._is_over = True
        said = self._nursery.read()
        return Outcome(said["seconds"], said["signal"], said["report"])

    def _send(self, number: int) -> None:
        os.kill(self.pid, number)  # the child's number stays its own until ``wait``


class Nursery:
    """A process that forks children to order, one after the other."""

    def __init__(self) -> None:
        one_thread = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            cwd=ROOT,
            env={**os.environ, **one_thread},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.read()

    def start(self, order: Order) -> Child:
        """Start a run."""
        self.write(json.dumps(asdict(order)))
        return Child(self, self.read()["pid"])

    def run(self, order: Order) -> Outcome:
        """Make a run and wait for its end."""
        return self.start(order).wait()

    def write(self, line: str) -> None:
        """Tell the process something."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def read(self) -> dict[str, Any]:
        """Read the next thing that the process says."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the nursery has ended")
        said: dict[str, Any] = json.loads(line)
        return said

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def main() -> None:
    """Fork a child for every order."""
    _warm_up()
    from tests.faults import befallen  # noqa: PLC0415 - after the engine's own imports

    _say({})
    for line in sys.stdin:
        order = Order(**json.loads(line))
        reading, writing = os.pipe()
        started = time.monotonic()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            with os.fdopen(writing, "w") as pipe:
                json.dump(befallen.report(order), pipe)
                pipe.flush()
                os._exit(0)
        os.close(writing)
        _say({"pid": pid})
        with os.fdopen(reading) as pipe:
            text = pipe.read()
        seconds = time.monotonic() - started
        sys.stdin.readline()  # nobody will send it a signal any more
        _, ended = os.waitpid(pid, 0)
        _say(
            {
                "seconds": seconds,
                "signal": os.WTERMSIG(ended) if os.WIFSIGNALED(ended) else None,
                "report": json.loads(text) if text and os.WIFEXITED(ended) else {},
            }
        )


def _say(said: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def _warm_up() -> None:
    """Import what a run imports; whatever looks at the process stays for the children."""
    import sqlite3  # noqa: F401, PLC0415

    import psycopg  # noqa: F401, PLC0415
    import sqlalchemy.dialects.postgresql.psycopg  # noqa: PLC0415
    import sqlalchemy.dialects.sqlite.pysqlite  # noqa: F401, PLC0415

    import riskmark.app  # noqa: PLC0415
    import riskmark.engine.run  # noqa: PLC0415
    import riskmark.providers.fmp  # noqa: F401, PLC0415


if __name__ == "__main__":
    main()
