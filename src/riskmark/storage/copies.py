"""Copies of an SQLite database: a backup while it is in use, and the way back.

A copy is made beside its place, in a folder whose name begins with ``.riskmark-copy-``, checked,
brought to the disk, and only then given its name, in one step and never over another file.
Whoever is killed on the way leaves such a folder and nothing that looks like a backup.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from riskmark.errors import InputError, StoreError
from riskmark.storage.schema import HEAD

SCRATCH = ".riskmark-copy-"
_BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database; a stranger's would be taken for the database's own."""


def back_up(source: Path, file: Path) -> None:
    """Write a compact copy of one state of the database ``source``, whoever else uses it.

    Raises ``InputError`` if ``file`` exists, ``StoreError`` if the copy is not sound.
    """
    if file.exists():
        raise InputError(f"{str(file)!r} exists; a backup never overwrites")
    with _scratch(file.absolute().parent) as copy:
        with closing(sqlite3.connect(source, timeout=30)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        _check(copy, f"the backup of {source}")
        copy.chmod(source.stat().st_mode & 0o777)
        _name(copy, file)


def put_back(
    file: Path, target: Path, *, replace: bool = False, stamp: datetime | None = None
) -> Path | None:
    """Put a copy of the backup ``file`` in the place of the database ``target``.

    With ``replace`` a database that is there, which nobody may be using, is moved aside, with
    what SQLite keeps beside it; its new path is returned. Raises ``InputError`` if there is one
    otherwise, and if ``file`` is no whole database of this Riskmark or an older one.
    """
    if not file.is_file():
        raise InputError(f"there is no file {str(file)!r}")
    try:
        _check(file, str(file))
    except (sqlite3.Error, StoreError) as error:
        raise InputError(f"{str(file)!r} is no sound backup: {error}") from error
    there = [path for path in (target, *_beside(target)) if path.exists()]
    if there and not replace:
        listed = " ".join(map(str, there))
        raise InputError(f"{listed}: a database is there; --replace moves it aside")
    with _scratch(target.absolute().parent) as copy:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as backup:
            backup.execute("VACUUM INTO ?", (str(copy),))
        _check(copy, f"the copy of {file}")
        aside = _move_aside(target, stamp or datetime.min.replace(tzinfo=UTC)) if there else None
        _name(copy, target)
    return aside


def _check(path: Path, name: str) -> None:
    """Raise unless ``path`` is a whole database, of this schema or an older one."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        ((found,),) = connection.execute("PRAGMA integrity_check(1)").fetchall()
        if found != "ok":
            raise StoreError(f"{name} is damaged: {found}")
        try:
            versions = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        except sqlite3.OperationalError as error:
            raise StoreError(f"{name} was not made by riskmark ({error})") from error
        if not versions or versions[0][0] > HEAD:
            raise StoreError(f"{name} was made by a newer Riskmark: upgrade Riskmark")


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """Give the path of a new file in a folder of its own within ``folder``."""
    if not folder.is_dir():
        raise InputError(f"the folder {str(folder)!r} does not exist")
    try:
        scratch = tempfile.TemporaryDirectory(dir=folder, prefix=SCRATCH)
    except OSError as error:
        raise InputError(f"cannot write in {str(folder)!r}: {error.strerror}") from error
    with scratch as place:
        yield Path(place) / "copy.db"


def _name(copy: Path, file: Path) -> None:
    """Bring ``copy`` to the disk and give it its name; an existing file is never touched."""
    _sync(copy)
    problem = f"{str(file)!r} exists; it is not overwritten"
    try:
        file.hardlink_to(copy)
    except FileExistsError as error:
        raise InputError(problem) from error
    except OSError:  # a file system without hard links: the name is taken by an empty file
        try:
            file.touch(exist_ok=False)
        except FileExistsError as error:
            raise InputError(problem) from error
        copy.replace(file)
    _sync(file.absolute().parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beside(target: Path) -> list[Path]:
    return [target.with_name(target.name + suffix) for suffix in _BESIDE]


def _move_aside(target: Path, stamp: datetime) -> Path:
    """Rename a database and what is kept beside it; return its new path."""
    _refuse_if_used(target)
    name = f"{target.name}.replaced-{stamp:%Y%m%dT%H%M%S%f}"
    # What is beside goes first: a database without its log is older, and whole.
    for path in (*_beside(target), target):
        if path.exists():
            path.rename(path.with_name(name + path.name.removeprefix(target.name)))
    return target.with_name(name)


def _refuse_if_used(target: Path) -> None:
    """Raise if another process has the database open; move its log into it otherwise."""
    if not target.exists():
        return
    with closing(sqlite3.connect(target, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                return
            problem = f"{target} is in use; stop its workers, scheduler and server first"
            raise StoreError(problem) from error
        except sqlite3.DatabaseError:
            return  # damaged, which is why it is replaced
