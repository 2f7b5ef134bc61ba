"""Migrations in processes of their own, each killed at a statement.

    python -m tests.faults.migrating      reads orders from stdin, writes what became of them

An order is the address of a database and the number of the statement before which the process
dies; the number after the last statement is the commit, 0 lets it live.
"""

import json
import os
import signal
import sys


def main() -> None:
    """Fork a child for every order."""
    # Imported before the first fork, once for all children.
    import alembic.command  # noqa: F401, PLC0415
    import psycopg  # noqa: F401, PLC0415
    import sqlalchemy.dialects.postgresql.psycopg  # noqa: PLC0415
    import sqlalchemy.dialects.sqlite.pysqlite  # noqa: F401, PLC0415

    import riskmark.storage.migrate  # noqa: F401, PLC0415

    for line in sys.stdin:
        url, kill_at = json.loads(line)
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            os.write(writing, json.dumps(_migrate(url, kill_at)).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            said = pipe.read()
        _, status = os.waitpid(pid, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        done, statements = json.loads(said) if said else (False, 0)
        outcome = {"killed": killed, "done": done, "statements": statements}
        sys.stdout.write(json.dumps(outcome) + "\n")
        sys.stdout.flush()


def _migrate(url: str, kill_at: int) -> tuple[bool, int]:
    """Migrate; return whether there was anything to do, and the number of statements."""
    from sqlalchemy import event  # noqa: PLC0415

    from riskmark.storage.engines import open_database  # noqa: PLC0415
    from riskmark.storage.migrate import migrate  # noqa: PLC0415

    passed = 0

    def count(*_: object) -> None:
        nonlocal passed
        passed += 1
        if passed == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    database = open_database(url)
    event.listen(database.engine, "before_cursor_execute", count)
    event.listen(database.engine, "commit", count)
    done = migrate(database)
    return done, passed - 1


if __name__ == "__main__":
    main()
