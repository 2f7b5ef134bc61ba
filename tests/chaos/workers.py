"""Workers that die, are told to stop or fall asleep, and many who ask for the same at once."""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

from tests.chaos.lane import Draw, Lane, Part
from tests.chaos.moments import until_met
from tests.faults.installations import (
    LARGE,
    SMALL,
    Size,
    assert_equal_states,
    check_at_rest,
    read_state,
)
from tests.faults.laboratory import ENDED_WELL, Laboratory
from tests.faults.workers import (
    CONTEXT,
    FIRST_STAMP,
    LEASE_S,
    PATIENCE_S,
    Role,
    Watcher,
    WorkerProcess,
    open_app,
    submitted,
    wait_until,
    watching,
    working,
)

from riskmark import faults
from riskmark.domain.reasons import Source

STOPS, SLEEPERS, DEATHS, ROUNDS, PAIRS = 100, 50, 25, 20, 10
STOP_WITHIN_S = 10.0
SLACK_S = 2.0
"""Beyond two leases: a busy machine starts processes and looks at the queue late."""
PROCESSES, THREADS = 10, 5
"""Fifty who ask at once."""


def _some(count: int):
    def number(_lane: Lane, _database: str) -> int:
        return count

    return number


def _check(laboratory: Laboratory, url: str, size: Size) -> None:
    check_at_rest(url)
    assert_equal_states(read_state(url), laboratory.undisturbed(size).state)


def _stop(worker) -> None:
    worker.send(signal.SIGTERM)
    code = worker.end(within_s=STOP_WITHIN_S)
    assert code == 0, f"a worker was told to stop: exit code {code} after {STOP_WITHIN_S:g} s"


BEGIN = "run.planned"
"""The crash point from which on a run is at work."""


def _begin(worker: WorkerProcess) -> None:
    """Wait until a worker is about to work on a run, and let it."""
    assert worker.paused.wait(PATIENCE_S), "nobody took the run"
    worker.let_go()


def _meet(draw: Draw, size: Size, attempt: Callable[[float], str | None]) -> str:
    return until_met(draw.chance, draw.laboratory.undisturbed(size).seconds, attempt)


def stop_worker(draw: Draw) -> str:
    """Tell a worker to stop at a random moment: it does, and another finishes its run."""

    def attempt(moment: float) -> str | None:
        with submitted(draw.laboratory, LARGE) as (url, run_id, watcher):
            with working(Role(url, pauses_at=BEGIN)) as worker:
                _begin(worker)
                time.sleep(moment)
                is_late = watcher.has_ended(run_id)
                _stop(worker)
            if is_late:
                return None
            status, attempts, _ = watcher.run(run_id)
            assert (status, attempts) == ("queued", 0) or status in ENDED_WELL, (status, attempts)
            if status == "queued":
                with working(Role(url)) as worker:
                    wait_until(lambda: watcher.has_ended(run_id))
                    _stop(worker)
            assert watcher.run(run_id)[0] in ENDED_WELL
            _check(draw.laboratory, url, LARGE)
        if status == "queued":
            return "given back and finished by another"
        return "finished with the shard in hand"

    return _meet(draw, LARGE, attempt)


def kill_worker(draw: Draw) -> str:
    """Kill a worker at a random moment: within two leases its run is another's, and says so."""
    is_elsewhere = draw.number % 2 == 0

    def attempt(moment: float) -> str | None:
        with (
            submitted(draw.laboratory, SMALL) as (url, run_id, watcher),
            working(Role(url, pauses_at=BEGIN, is_elsewhere=is_elsewhere)) as doomed,
        ):
            assert doomed.paused.wait(PATIENCE_S)
            with working(Role(url)):
                _begin(doomed)
                time.sleep(moment)
                doomed.kill()
                if watcher.has_ended(run_id):
                    return None
                took = wait_until(lambda: watcher.run(run_id)[1] == 2)
                assert took < 2 * LEASE_S + SLACK_S, f"taken over after {took:.1f} s"
                messages = watcher.messages(run_id)
                assert any("(attempt 1), on " in one for one in messages)
                wait_until(lambda: watcher.has_ended(run_id))
            _check(draw.laboratory, url, SMALL)
        return "taken over from afar" if is_elsewhere else "taken over on the same host"

    return _meet(draw, SMALL, attempt)


def put_worker_to_sleep(draw: Draw) -> str:
    """Stop a worker beyond its lease (SIGSTOP) and wake it: it writes nothing more."""

    def attempt(moment: float) -> str | None:
        with (
            submitted(draw.laboratory, SMALL) as (url, run_id, watcher),
            working(Role(url, stamp=FIRST_STAMP, pauses_at=BEGIN)) as sleeper,
        ):
            _begin(sleeper)
            time.sleep(moment)
            sleeper.send(signal.SIGSTOP)
            if watcher.has_ended(run_id):
                return None
            is_overtaken = _overtake(sleeper, watcher, url, run_id)
            _stop(sleeper)
            _check(draw.laboratory, url, SMALL)
        return "overtaken, wrote nothing" if is_overtaken else "slept with a lock in hand"

    return _meet(draw, SMALL, attempt)


def _overtake(sleeper: WorkerProcess, watcher: Watcher, url: str, run_id: str) -> bool:
    """Let another take the run of one who sleeps, and wake that one; False if it held a lock."""
    before = watcher.stamped(FIRST_STAMP)
    with working(Role(url, pauses_at=BEGIN)) as heir:
        is_overtaken = heir.paused.wait(2 * LEASE_S + SLACK_S)
        sleeper.send(signal.SIGCONT)
        heir.let_go()
        wait_until(lambda: watcher.has_ended(run_id))
    if is_overtaken:
        time.sleep(0.2)
        assert watcher.stamped(FIRST_STAMP) == before, "it wrote after it had lost its lease"
    return is_overtaken


def ask_all_at_once(draw: Draw) -> str:
    """Let fifty ask for the same at once, in three ways: there is one run."""
    laboratory = draw.laboratory
    with laboratory.trial(SMALL) as trial, watching(trial.url) as watcher, ExitStack() as stack:
        before = {run_id for (run_id,) in watcher.rows("SELECT id FROM run")}
        start = CONTEXT.Barrier(PROCESSES + 1)
        asked, go_on = CONTEXT.Semaphore(0), CONTEXT.Event()
        for place in range(PROCESSES):
            process = CONTEXT.Process(
                target=_ask, args=(trial.url, place, start, asked, go_on), daemon=True
            )
            process.start()
            stack.callback(process.kill)
        start.wait(PATIENCE_S)
        for _ in range(PROCESSES * THREADS):
            assert asked.acquire(timeout=PATIENCE_S), "somebody did not get an answer"
        found = [run_id for (run_id,) in watcher.rows("SELECT id FROM run") if run_id not in before]
        assert len(found) == 1, found
        requests = "SELECT COUNT(*) FROM run_request WHERE run_id = ?"
        assert watcher.rows(requests, found[0]) == [(PROCESSES * THREADS,)]
        go_on.set()
        wait_until(lambda: watcher.has_ended(found[0]))
        assert watcher.run(found[0])[0] in ENDED_WELL
        _check(laboratory, trial.url, SMALL)
    return "one run for fifty"


def _ask(url: str, place: int, start, asked, go_on) -> None:
    """Ask from some threads at once; whose run it is waits until everybody has asked."""

    def pass_point(name: str) -> None:
        if name == "run.created":
            asked.release()
            go_on.wait()

    def ask(kind: int) -> None:
        barrier.wait()
        if kind == 0:
            result = app.run(Source.CLI)
            if result.joined:
                asked.release()
        else:
            app.submit((Source.API, Source.CRON)[kind - 1])
            asked.release()

    faults.set_hook(pass_point)
    # The one who runs waits for the others: its lease is as long as their patience.
    app = open_app(url, PATIENCE_S)
    barrier = threading.Barrier(THREADS)
    threads = [threading.Thread(target=ask, args=((place + n) % 3,)) for n in range(THREADS)]
    start.wait(PATIENCE_S)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os._exit(0)


def pair_workers(draw: Draw) -> str:
    """Let three workers and many requests meet: nobody's run is ever taken up twice."""
    laboratory = draw.laboratory
    with (
        laboratory.trial(SMALL) as trial,
        watching(trial.url) as watcher,
        working(Role(trial.url)),
        working(Role(trial.url)),
        working(Role(trial.url, is_elsewhere=False)),
    ):
        app = open_app(trial.url)
        names = [name for (name,) in watcher.rows("SELECT name FROM portfolio ORDER BY name")]
        asked = set()
        for _ in range(8):
            scope = None if draw.chance.random() < 0.5 else tuple(draw.chance.sample(names, 2))
            submitted = app.submit(Source.API, portfolios=scope)
            asked.add(submitted.run_id)
            time.sleep(draw.chance.uniform(0, 0.1))
        wait_until(lambda: all(watcher.has_ended(run_id) for run_id in asked))
        app.database.close()
        for run_id in asked:
            taken = [one for one in watcher.messages(run_id) if "taken up by a worker" in one]
            assert len(taken) == 1, taken
            assert watcher.run(run_id)[1] == 1
        _check(laboratory, trial.url, SMALL)
    return "each run taken up once"


PARTS = (
    Part("stops", "a worker is told to stop (`SIGTERM`) at a random moment: it ends within 10 s",
         _some(STOPS), stop_worker),
    Part("takeovers", "a worker is killed at a random moment: its run is taken over within two "
         "leases", _some(DEATHS), kill_worker),
    Part("asleep", "a worker is stopped (`SIGSTOP`) beyond its lease and woken",
         _some(SLEEPERS), put_worker_to_sleep),
    Part("submits", "50 ask at once for the same, by command, function and schedule",
         _some(ROUNDS), ask_all_at_once),
    Part("workers", "three workers and eight requests, of one scope and of overlapping ones",
         _some(PAIRS), pair_workers),
)  # fmt: skip
