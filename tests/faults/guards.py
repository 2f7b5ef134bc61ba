"""Guards of a run's writing, taken away one at a time: the tests must then fail.

A guard whose absence no test notices is not known to guard anything.
"""

from unittest import mock

from riskmark.engine import writing
from riskmark.storage import runs


def without_fence():
    """Let every transaction of a run go on, whoever has the run by now."""
    hold = runs.hold

    def hold_nothing(connection, claim):
        try:
            return hold(connection, claim)
        except runs.LeaseLost:
            return False

    return mock.patch.object(runs, "hold", hold_nothing)


def without_one_transaction():
    """Commit a shard's restatements before its results: two transactions instead of one."""
    save = writing._save_restatements

    def save_and_commit(connection, *values, **options):
        save(connection, *values, **options)
        connection.exec_driver_sql("COMMIT")
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return mock.patch.object(writing, "_save_restatements", save_and_commit)


GUARDS = {"fence": without_fence, "transaction": without_one_transaction}
