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
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Order:
    """A run to make, and what is to happen to it.

    ``crash``: die by SIGKILL at a crash point, at its n-th pass. ``fault``: what befalls the
    run's statements (``faulty.Fault``). ``count``: report how often each point was passed,
    and the statements.
    """

    url: str
    now: str
    force: bool = False
    crash: tuple[str, int] | None = None
    fault: dict[str, Any] | None = None
    count: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a child ended: by a signal, or with what it reports."""

    seconds: float
    signal: int | None
    report: dict[str, Any]

    @property
    def status(self) -> str | None:
        """The status of the run that the child made, if it got to its end."""
        return self.report.get("status")

    @property
    def error(self) -> str | None:
        """The name of the exception that the run raised."""
        return self.report.get("error")


class Child:
    """A child at work; ``wait`` for its end before the next order."""

    def __init__(self, nursery: "Nursery", pid: int) -> None:
        self._nursery = nursery
        self.pid = pid

    def kill(self) -> None:
        """End the child at once, as a power cut would."""
        self._send(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the child to end."""
        self._send(signal.SIGTERM)

    def wait(self) -> Outcome:
        """Wait for the child's end."""
        self._nursery.write("")
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
    _say({})
    for line in sys.stdin:
        order = Order(**json.loads(line))
        reading, writing = os.pipe()
        started = time.monotonic()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            with os.fdopen(writing, "w") as pipe:
                json.dump(_report(order), pipe)
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
    from tests.faults import faulty  # noqa: F401, PLC0415

    import riskmark.app  # noqa: PLC0415
    import riskmark.engine.run  # noqa: F401, PLC0415


def _report(order: Order) -> dict[str, Any]:
    """Make the run, and say how it ended."""
    from tests.faults import faulty  # noqa: PLC0415

    from riskmark import faults  # noqa: PLC0415

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    passes = dict.fromkeys(faults.NAMES, 0)

    def pass_point(name: str) -> None:
        passes[name] += 1
        if order.crash == [name, passes[name]]:
            os.kill(os.getpid(), signal.SIGKILL)

    faults.set_hook(pass_point)
    watch = faulty.Watch(faulty.Fault(**order.fault) if order.fault else None)
    report: dict[str, Any] = {}
    try:
        result = _run(order, watch)
        report |= {
            "status": result.status.value,
            "joined": result.joined,
            "run_id": result.run_id,
            "cells": asdict(result.cells),
        }
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is reported
        trace = "".join(traceback.format_exception(error))
        report |= {"error": type(error).__name__, "message": str(error), "trace": trace}
    if order.count:
        report |= {"passes": passes, "statements": watch.statements}
    return report


def _run(order: Order, watch: Any) -> Any:
    from riskmark import app as application  # noqa: PLC0415
    from riskmark.domain.reasons import Source  # noqa: PLC0415
    from riskmark.settings import settings_from_process  # noqa: PLC0415

    os.environ |= {"RISKMARK_NOW": order.now, "RISKMARK_DATABASE_URL": order.url}
    clock = application.clock_from(os.environ["RISKMARK_NOW"])
    app = application.build(settings_from_process(), clock)
    application.prepare(app)
    watch.attach(app.database.engine)
    return app.run(Source.CLI, force=order.force)


if __name__ == "__main__":
    main()
