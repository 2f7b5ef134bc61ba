"""Owners of runs: told from one another, and known to be gone only where that can be seen."""

import multiprocessing
import os
import subprocess
import sys

import psutil
import pytest

from riskmark.engine.owner import is_gone, this_process


def _like(owner, *, place=None, pid=None, started=None):
    old_place, old_pid, old_started = owner.rsplit("|", 2)
    return f"{place or old_place}|{pid or old_pid}|{started or old_started}"


def test_this_process_is_not_gone():
    assert not is_gone(this_process())


def test_nobody_is_not_gone():
    assert not is_gone(None)


def test_a_process_that_has_ended_is_gone():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass

    assert is_gone(_like(this_process(), pid=process.pid))


def test_a_process_that_nobody_has_waited_for_is_gone_too():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        started = f"{psutil.Process(process.pid).create_time():.2f}"

        assert is_gone(_like(this_process(), pid=process.pid, started=started))


def test_another_process_that_got_the_same_number_is_not_the_owner():
    assert is_gone(_like(this_process(), started="1000.00"))


def test_a_clock_that_was_corrected_makes_no_other_process():
    started = float(this_process().rsplit("|", 1)[1])

    assert not is_gone(_like(this_process(), started=f"{started + 1.0:.2f}"))


@pytest.mark.parametrize("pid", ["1", "999999999"])
def test_what_runs_elsewhere_cannot_be_seen_from_here(pid):
    assert not is_gone(_like(this_process(), place="elsewhere/boot/ns", pid=pid))


def test_a_child_is_another_owner():
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        child = pool.apply(this_process)

    assert child != this_process()
    assert child.rsplit("|", 2)[0] == this_process().rsplit("|", 2)[0]
