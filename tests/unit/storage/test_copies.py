"""Backups of an SQLite database and their way back: whole, checked, and never over anything."""

import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from tests.support import PROFILE

from riskmark.errors import InputError, StoreError
from riskmark.storage import copies
from riskmark.storage.copies import SCRATCH, back_up, put_back
from riskmark.storage.schema import HEAD

KILLS = {"default": 3, "deep": 20}[PROFILE]
NOW = datetime(2026, 1, 9, 3, 0, tzinfo=UTC)


@pytest.fixture
def source(tmp_path):
    """Give a database in WAL mode, of some megabytes, in which all rows of a round are alike."""
    path = tmp_path / "riskmark.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (HEAD,))
        connection.execute("CREATE TABLE cell (id INTEGER PRIMARY KEY, round INT, text TEXT)")
        rows = [(key, 0, secrets.token_hex(100)) for key in range(20_000)]
        connection.executemany("INSERT INTO cell VALUES (?, ?, ?)", rows)
        connection.commit()
    return path


def contents(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return list(connection.iterdump())


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.endswith(("-wal", "-shm"))}


def test_a_backup_comes_back_as_it_was(source, tmp_path):
    back_up(source, tmp_path / "backup.db")

    put_back(tmp_path / "backup.db", tmp_path / "other.db")

    assert contents(tmp_path / "other.db") == contents(source)
    assert files(tmp_path) == {"riskmark.db", "backup.db", "other.db"}
    assert (tmp_path / "backup.db").stat().st_mode == source.stat().st_mode


def test_backups_made_while_somebody_writes_each_hold_one_whole_transaction(source, tmp_path):
    stop = threading.Event()

    def write():
        with closing(sqlite3.connect(source, timeout=30)) as connection:
            while not stop.is_set():
                connection.execute("UPDATE cell SET round = round + 1")
                connection.commit()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            back_up(source, tmp_path / f"{number}.db")
    finally:
        stop.set()
        writer.join()

    for number in range(3):
        with closing(sqlite3.connect(tmp_path / f"{number}.db")) as connection:
            ((rounds, rows),) = connection.execute(
                "SELECT COUNT(DISTINCT round), COUNT(*) FROM cell"
            )
        assert (rounds, rows) == (1, 20_000)


def test_a_killed_backup_leaves_nothing_that_looks_like_one(source, tmp_path):
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    chosen, whole = Random(seed), contents(source)
    outcomes = []

    for number in range(KILLS):
        file = tmp_path / f"{number}.db"
        code = (
            "import sys; from pathlib import Path; from riskmark.storage.copies import back_up\n"
            "print(flush=True); back_up(Path(sys.argv[1]), Path(sys.argv[2]))"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(source), str(file)],
            stdout=subprocess.PIPE,
            env=os.environ,
        )
        process.stdout.readline()
        try:
            process.wait(chosen.uniform(0.0, 0.15))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        outcomes.append(process.wait())
        process.stdout.close()
        if file.exists():
            target = tmp_path / f"restored-{number}.db"
            put_back(file, target)
            assert contents(target) == whole
        else:
            assert outcomes[-1] == -signal.SIGKILL
    print(f"{sum(one != 0 for one in outcomes)} of {KILLS} killed before they were done")
    left = {name for name in files(tmp_path) if not name.endswith(".db")}
    assert all(name.startswith(SCRATCH) for name in left)
    assert contents(source) == whole


def test_a_backup_is_never_written_over_anything(source, tmp_path):
    (tmp_path / "backup.db").write_text("mine")

    with pytest.raises(InputError, match="never overwrites"):
        back_up(source, tmp_path / "backup.db")
    with pytest.raises(InputError, match="does not exist"):
        back_up(source, tmp_path / "no" / "backup.db")

    assert (tmp_path / "backup.db").read_text() == "mine"


@pytest.mark.parametrize("is_taken", [False, True])
def test_a_file_system_without_hard_links_is_no_exception(source, tmp_path, monkeypatch, is_taken):
    file = tmp_path / "backup.db"

    def refuse(*_):
        if is_taken:  # meanwhile, somebody else has written a file of that name
            file.write_text("theirs")
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(Path, "hardlink_to", refuse)

    if is_taken:
        with pytest.raises(InputError, match="exists"):
            back_up(source, file)
        assert file.read_text() == "theirs"
    else:
        back_up(source, file)
        assert contents(file) == contents(source)


def test_a_damaged_database_gives_no_backup(source, tmp_path, monkeypatch):
    def damage(path, name):
        with path.open("r+b") as file:
            file.seek(8192)
            file.write(b"\xff" * 4096)
        check(path, name)

    check = copies._check
    monkeypatch.setattr(copies, "_check", damage)

    with pytest.raises((StoreError, sqlite3.DatabaseError), match=r"damaged|malformed"):
        back_up(source, tmp_path / "backup.db")
    assert files(tmp_path) == {"riskmark.db"}


def test_what_is_no_backup_is_not_restored(source, tmp_path):
    back_up(source, tmp_path / "backup.db")
    content = (tmp_path / "backup.db").read_bytes()
    (tmp_path / "half.db").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.db").write_text("hello" * 1_000)
    with closing(sqlite3.connect(tmp_path / "stranger.db")) as connection:
        connection.execute("CREATE TABLE mine (x)")
    with closing(sqlite3.connect(tmp_path / "newer.db")) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
        connection.commit()

    for name, words in {
        "half": "no sound backup",
        "text": "not a database",
        "stranger": "not made by riskmark",
        "newer": "upgrade Riskmark",
        "missing": "no file",
    }.items():
        with pytest.raises(InputError, match=words):
            put_back(tmp_path / f"{name}.db", tmp_path / "target.db")
        assert not (tmp_path / "target.db").exists()


def test_a_database_that_is_there_stays_unless_it_is_to_be_replaced(source, tmp_path):
    back_up(source, tmp_path / "backup.db")
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("UPDATE cell SET round = 7")
        connection.commit()
    newer = contents(source)

    with pytest.raises(InputError, match="--replace"):
        put_back(tmp_path / "backup.db", source)
    assert contents(source) == newer
    aside = put_back(tmp_path / "backup.db", source, replace=True, stamp=NOW)

    assert aside.name == "riskmark.db.replaced-20260109T030000000000"
    assert contents(aside) == newer
    assert contents(source) == contents(tmp_path / "backup.db")


def test_the_log_of_a_database_that_is_gone_is_not_taken_for_the_backups(source, tmp_path):
    back_up(source, tmp_path / "backup.db")
    (tmp_path / "target.db-wal").write_bytes(b"left over")

    with pytest.raises(InputError, match=r"target\.db-wal"):
        put_back(tmp_path / "backup.db", tmp_path / "target.db")


def test_a_database_in_use_is_not_replaced(source, tmp_path):
    back_up(source, tmp_path / "backup.db")
    with closing(sqlite3.connect(source)) as user:
        user.execute("SELECT COUNT(*) FROM cell").fetchall()

        with pytest.raises(StoreError, match="in use"):
            put_back(tmp_path / "backup.db", source, replace=True, stamp=NOW)

    assert source.exists()


def test_a_damaged_database_is_replaced(source, tmp_path):
    back_up(source, tmp_path / "backup.db")
    source.write_bytes(b"rubbish" * 1_000)

    put_back(tmp_path / "backup.db", source, replace=True, stamp=NOW)

    assert contents(source) == contents(tmp_path / "backup.db")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="it is Linux that has such a folder")
def test_a_folder_in_which_nothing_can_be_made_is_said_so(source):
    with pytest.raises(InputError, match=r"cannot write in '/proc'"):
        back_up(source, Path("/proc/backup.db"))
