"""Workers that die, are stopped or fall silent: what they worked on is somebody else's at once."""

import random
import secrets
import signal
import time

import pytest
from tests.faults.installations import (
    LARGE,
    SMALL,
    assert_equal_states,
    check_at_rest,
    read_state,
)
from tests.faults.laboratory import ENDED_WELL, Laboratory
from tests.faults.workers import (
    FIRST_STAMP,
    LEASE_S,
    Role,
    Watcher,
    submitted,
    wait_until,
    working,
)
from tests.support import PROFILE

TRIALS = {"default": 1, "deep": 100}[PROFILE]
STOP_WITHIN_S = 10.0
LONG_LEASE_S = 30.0
"""Where no lease is to end, on a busy machine neither."""


def finish(laboratory: Laboratory, url: str, run_id: str, watcher: Watcher) -> None:
    """Let another worker do what is left, and check that nothing was lost or doubled."""
    if not watcher.has_ended(run_id):  # else the worker might be stopped before it listens
        with working(Role(url, lease_s=LONG_LEASE_S)) as worker:
            wait_until(lambda: watcher.has_ended(run_id))
            worker.send(signal.SIGTERM)
            assert worker.end() == 0
    assert watcher.run(run_id)[0] in ENDED_WELL
    check_at_rest(url)
    assert_equal_states(read_state(url), laboratory.undisturbed(LARGE).state)


def moments(laboratory: Laboratory) -> list[float]:
    """Choose moments of a run at random, and say which."""
    seed = secrets.randbits(32)
    whole = laboratory.undisturbed(LARGE).seconds
    chosen = random.Random(seed)
    found = [chosen.uniform(0, 1.2 * whole) for _ in range(TRIALS)]
    print(f"seed {seed}: after {[round(one, 3) for one in found]} of {whole:.3f} s")
    return found


@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_the_run_of_a_killed_worker_is_taken_over_within_two_leases(
    laboratory: Laboratory, *, is_elsewhere: bool
):
    with (
        submitted(laboratory, SMALL) as (url, run_id, watcher),
        working(Role(url, pauses_at="shard.committed", is_elsewhere=is_elsewhere)) as doomed,
    ):
        assert doomed.paused.wait(60)
        with working(Role(url)) as heir:
            doomed.kill()

            took = wait_until(lambda: watcher.run(run_id)[1] == 2)
            wait_until(lambda: watcher.has_ended(run_id))

            heir.send(signal.SIGTERM)
            assert heir.end() == 0
        print(f"taken over after {took:.2f} s")
        assert took < 2 * LEASE_S + 2.0  # a busy machine starts processes late
        messages = watcher.messages(run_id)
        assert any("(attempt 1), on " in message for message in messages)
        assert any("taken up by a worker on elsewhere" in message for message in messages)
        check_at_rest(url)
        assert_equal_states(read_state(url), laboratory.undisturbed(SMALL).state)


def test_a_worker_asked_to_stop_at_any_moment_gives_its_run_back(laboratory: Laboratory):
    statuses = []

    for moment in moments(laboratory):
        with submitted(laboratory) as (url, run_id, watcher):
            with working(Role(url, lease_s=LONG_LEASE_S)) as worker:
                wait_until(lambda: watcher.run(run_id)[1] == 1)
                time.sleep(moment)
                began = time.monotonic()
                worker.send(signal.SIGTERM)
                assert worker.end(within_s=STOP_WITHIN_S) == 0
                print(f"stopped within {time.monotonic() - began:.2f} s")
            status, attempt, _ = watcher.run(run_id)
            assert (status, attempt) == ("queued", 0) or status in ENDED_WELL
            statuses.append(status)
            finish(laboratory, url, run_id, watcher)

    print(statuses)


def test_a_worker_stopped_beyond_its_lease_writes_nothing_afterwards(laboratory: Laboratory):
    overtaken = 0

    for moment in moments(laboratory):
        with (
            submitted(laboratory) as (url, run_id, watcher),
            working(Role(url, stamp=FIRST_STAMP)) as zombie,
        ):
            wait_until(lambda: watcher.run(run_id)[1] == 1)
            time.sleep(moment)
            zombie.send(signal.SIGSTOP)
            time.sleep(0.1)
            before = watcher.stamped(FIRST_STAMP)
            with working(Role(url, pauses_at="run.planned", lease_s=8.0)) as heir:
                is_overtaken = heir.paused.wait(8 * LEASE_S)
                zombie.send(signal.SIGCONT)
                heir.let_go()
                wait_until(lambda: watcher.has_ended(run_id))
                time.sleep(0.3)
            if is_overtaken:
                overtaken += 1
                assert watcher.stamped(FIRST_STAMP) == before
            check_at_rest(url)
            assert_equal_states(read_state(url), laboratory.undisturbed(LARGE).state)

    print(f"{overtaken} of {TRIALS} were taken over while they were stopped")


@pytest.mark.parametrize("guards_off", [(), ("fence",)])
def test_only_the_fence_keeps_a_worker_that_lost_its_run_from_writing(
    laboratory: Laboratory, guards_off: tuple[str, ...]
):
    zombie_role = {"pauses_at": "shard.computed", "stamp": FIRST_STAMP, "guards_off": guards_off}
    with (
        submitted(laboratory, SMALL) as (url, run_id, watcher),
        working(Role(url, **zombie_role)) as zombie,
    ):
        assert zombie.paused.wait(60)
        zombie.send(signal.SIGSTOP)
        with working(Role(url, pauses_at="shard.computed", lease_s=4.0)) as heir:
            assert heir.paused.wait(60)

            zombie.send(signal.SIGCONT)
            zombie.let_go()  # waits for one who waits, and he sleeps until now
            time.sleep(1.0)

            stale = watcher.stamped(FIRST_STAMP)
            assert watcher.run(run_id)[2] > 1
    assert (stale > 0) == bool(guards_off)
