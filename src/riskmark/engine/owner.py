"""Who owns a run: a process that can be told from every other, and whether it still lives.

An owner is written ``place|pid|started``. The place is host, boot and process namespace:
where two owners share it, one can see whether the other's process is gone; anywhere else
only the end of the lease tells.
"""

import os
import socket
from functools import cache
from pathlib import Path

import psutil

_SAME_START_S = 2.0
"""Start times read twice may differ by the correction of the machine's clock."""


@cache
def this_process() -> str:
    """Return this process as an owner."""
    started = psutil.Process().create_time()
    return f"{_place()}|{os.getpid()}|{started:.2f}"


def host_of(owner: str | None) -> str:
    """Return the name of the host that an owner runs on, and its process number there."""
    if owner is None:
        return "an unknown host"
    place, pid, _ = owner.rsplit("|", 2)
    return f"{place.partition('/')[0]} (process {pid})"


def is_gone(owner: str | None) -> bool:
    """Whether the owner is known to have ended; False if that cannot be seen from here."""
    if owner is None:
        return False
    place, pid, started = owner.rsplit("|", 2)
    if place != _place():
        return False
    if not _exists(int(pid)):
        return True
    try:
        process = psutil.Process(int(pid))
        same = abs(process.create_time() - float(started)) < _SAME_START_S
        return not same or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        # Other users' processes may be hidden from this one: then only the lease tells.
        return not _exists(int(pid))
    except psutil.AccessDenied:
        return False


def _exists(pid: int) -> bool:
    """Whether the kernel knows the process, seen from here or not."""
    if os.name != "posix":  # a signal would not ask there, but end it
        return psutil.pid_exists(pid)
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


@cache
def _place() -> str:
    return f"{socket.gethostname()}/{_boot()}/{_namespace()}"


def _boot() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text(encoding="ascii").strip() if path.exists() else str(psutil.boot_time())


def _namespace() -> str:
    path = Path("/proc/self/ns/pid")
    return str(path.readlink()) if path.is_symlink() else "-"
