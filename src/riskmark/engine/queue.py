"""The queue as entry points see it: submit a request, cancel a run, give one back.

Every entry point submits the same request. What a live run does already is joined, never
doubled: a unique index of the database says so, whoever asks and from wherever.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from riskmark.domain.reasons import RunStatus
from riskmark.domain.runs import RunRequest
from riskmark.storage import run_queue, runs
from riskmark.storage.engines import Database
from riskmark.storage.runs import Claim

STOPPING = "its process stops; the run waits for another"
"""Why a run is given back."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """The run that will do what was asked for; ``joined``: it was there already."""

    run_id: str
    joined: bool


def submit(connection: Connection, request: RunRequest, *, at: datetime) -> Submitted:
    """Queue a run for ``request``, or join the live one that does the same.

    It is part of the caller's transaction: a portfolio and its first run are there together
    or not at all. Where that transaction changes inputs too, this comes before the ledger's
    clock is moved: a run locks its row first and the clock last.
    """
    while True:
        run = runs.live_run(connection, request.scope_key)
        if run is not None:
            runs.add_request(connection, run.run_id, request, at=at)
            run_queue.rely_on_worker(connection, run.run_id, priority=request.priority)
            return Submitted(run.run_id, joined=True)
        run_id = runs.create_run(connection, request, at=at, for_worker=True)
        if run_id is not None:
            return Submitted(run_id, joined=False)
        # somebody else was first: look again


def submit_alone(database: Database, request: RunRequest, *, at: datetime) -> Submitted:
    """Submit ``request`` in a transaction of its own."""
    with database.write("submit") as connection:
        return submit(connection, request, at=at)


def cancel(database: Database, run_id: str, *, at: datetime) -> RunStatus | None:
    """Cancel a run that waits, or ask one at work to stop; return the state that it had.

    None, and nothing is done, if the run has ended.
    """
    with database.write("cancel") as connection:
        status = runs.request_cancel(connection, run_id)
        if status is RunStatus.QUEUED:
            runs.add_event(connection, run_id, "cancelled while it waited", at=at)
        elif status is RunStatus.RUNNING:
            runs.add_event(connection, run_id, "asked to stop", at=at)
    return status


def give_back(database: Database, claim: Claim, *, at: datetime) -> bool:
    """Give a claimed run back to the queue, if somebody relies on a worker for it."""
    with database.write("release") as connection:
        given_back = run_queue.give_back(connection, claim)
        if given_back:
            message = f"given back: {STOPPING}"
            runs.add_event(connection, claim.run_id, message, at=at, level="warning")
    return given_back
