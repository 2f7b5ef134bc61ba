"""Owners of runs: told from one another, and known to be gone only where that can be seen."""

import multiprocessing
import os
import shutil
import subprocess
import sys

import psutil
import pytest

from riskmark.engine import owner
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


def _hide(pid):
    raise psutil.NoSuchProcess(pid)


def test_a_process_that_is_hidden_from_this_one_is_not_gone(monkeypatch):
    monkeypatch.setattr(owner.psutil, "Process", _hide)

    assert not is_gone(_like(this_process(), pid=os.getppid()))
    assert is_gone(_like(this_process(), pid=999999999))


def test_a_process_of_another_user_is_not_gone(monkeypatch):
    def refuse(_pid, _signal):
        raise PermissionError

    monkeypatch.setattr(owner.os, "kill", refuse)
    monkeypatch.setattr(owner.psutil, "Process", _hide)

    assert not is_gone(_like(this_process(), pid=999999999))


_MOUNT = "mount -t proc -o hidepid=2 proc /proc"
_LOOK = "import sys; from riskmark.engine.owner import is_gone; print(is_gone(sys.argv[1]))"


@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs setpriv")
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can hide processes")
def test_a_live_process_that_the_kernel_hides_is_not_gone():
    unshare = ["unshare", "--mount", "sh", "-c"]
    if subprocess.run([*unshare, _MOUNT], capture_output=True, check=False).returncode:
        pytest.skip("processes cannot be hidden here")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        started = f"{psutil.Process(process.pid).create_time():.2f}"
        them = _like(this_process(), pid=process.pid, started=started)
        drop = "setpriv --regid=65534 --clear-groups --bounding-set=-sys_ptrace --reuid=65534"
        look = f'{_MOUNT} && exec {drop} "$0" -c "$1" "$2"'

        found = subprocess.run(
            [*unshare, look, sys.executable, _LOOK, them],
            capture_output=True,
            text=True,
            check=False,
        )
        process.communicate(b"\n")

    assert found.stdout == "False\n", found.stderr


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
