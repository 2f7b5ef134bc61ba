"""Runs: those that one asked for, or, for admins, all; and how they go on, as they go on.

The events of a run are a stream (``text/event-stream``): ``log`` is a line of its activity,
``progress`` the run as it is now, ``end`` the last word. The id of an event is the number of the
last line sent, so that whoever comes back with it (``Last-Event-ID``) misses none; after the
end, he is told with 204 to stay away.
"""

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection

from riskmark.api.answers import answer
from riskmark.api.identity import Caller, Installation, Reader, Writer
from riskmark.api.models import people
from riskmark.api.models import runs as models
from riskmark.api.problems import Problem
from riskmark.app import App
from riskmark.engine import queue
from riskmark.errors import UnknownRun
from riskmark.reports.documents import instant_text, to_json_line
from riskmark.reports.hidden import hide_in_events, hide_in_run, open_books
from riskmark.reports.runs import (
    Event,
    RunReport,
    find_run,
    list_runs,
    load_events,
    load_requesters,
    load_run,
)
from riskmark.storage import accounts, audit
from riskmark.storage.books import Principal

router = APIRouter(prefix="/runs", tags=["runs"])
MOST_LISTED = 200
POLL_S = 0.5
PING_S = 15.0
"""After which something is sent that says nothing: proxies close what is silent."""
LONGEST_S = 600.0
"""After which a stream ends; whoever comes back proves again who he is."""
RETRY_MS = 2000
"""After which a browser comes back."""
_RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_EVENT_ID = re.compile(r"(\d{1,18})(-end)?", re.ASCII)
STREAM_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


@router.get("", response_model=list[models.RunLine])
def list_own(
    caller: Reader,
    app: Installation,
    *,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 50,
) -> Response:
    """List the newest runs that one asked for."""
    with app.database.read() as connection:
        found = list_runs(connection, caller.principal, most=limit)
    return answer([one.document() for one in found])


@router.get("/{run_id}", response_model=models.Run)
def read_run(run_id: str, caller: Reader, app: Installation) -> Response:
    """Show a run: phases, symbols without data, failures."""
    with app.database.read() as connection:
        return answer(find_visible_run(connection, viewer_of(caller), run_id).document())


@router.get(
    "/{run_id}/events",
    response_class=Response,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "The stream."},
        204: {"description": "The run has ended, and the caller knows."},
    },
)
def follow_run(
    run_id: str,
    request: Request,
    caller: Reader,
    app: Installation,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Follow a run until it ends."""
    viewer = viewer_of(caller)
    with app.database.read() as connection:
        find_visible_run(connection, viewer, run_id)
    seen = _EVENT_ID.fullmatch(last_event_id or "0")
    if seen is not None and seen[2]:
        return Response(None, HTTPStatus.NO_CONTENT)
    stop: threading.Event = request.app.state.stop
    events = _stream(app, viewer, run_id, after=int(seen[1]) if seen else 0, stop=stop)
    return StreamingResponse(events, 200, STREAM_HEADERS, media_type="text/event-stream")


@router.post("/{run_id}/cancel", status_code=202, response_model=people.Cancelled)
def cancel_own(run_id: str, caller: Writer, app: Installation) -> Response:
    """Cancel a run that one asked for, unless somebody else waits for it as well."""
    with app.database.read() as connection:
        find_visible_run(connection, caller.principal, run_id)
        if load_requesters(connection, run_id) - {caller.account.account_id}:
            detail = "others wait for this run as well; it goes on"
            raise Problem(HTTPStatus.CONFLICT, "run_is_shared", detail)
    return answer_cancelled(app, caller, run_id)


def answer_cancelled(app: App, caller: Caller, run_id: str) -> Response:
    """Cancel a run that may be cancelled, and say in which state it was."""
    status = queue.cancel(app.database, run_id, at=app.wall.now())
    if status is None:
        raise Problem(HTTPStatus.CONFLICT, "run_has_ended", "the run has ended")
    with app.database.write() as connection:
        audit.note(
            connection,
            caller.actor,
            "cancel_run",
            at=app.wall.now(),
            object_kind="run",
            object_id=run_id,
            detail={"was": status.value},
        )
    return answer({"run": run_id, "status": status}, HTTPStatus.ACCEPTED)


def viewer_of(caller: Caller) -> Principal:
    """Return whose runs a caller may see: an admin sees all."""
    return Principal(caller.account.account_id, sees_all=caller.is_admin)


def find_visible_run(connection: Connection, viewer: Principal, run_id: str) -> RunReport:
    """Return the run with this whole id, if ``viewer`` may see it, as he may see it."""
    if not _RUN_ID.fullmatch(run_id):
        raise UnknownRun(run_id)
    find_run(connection, viewer, run_id)
    report = load_run(connection, viewer, run_id)
    return hide_in_run(report, open_books(connection, viewer))


def load_visible_events(
    connection: Connection, viewer: Principal, report: RunReport, *, after: int = 0
) -> tuple[Event, ...]:
    """Return what was logged of a run after the line ``after``, as ``viewer`` may read it."""
    found = load_events(connection, report.summary.run_id, after=after)
    return hide_in_events(found, report, open_books(connection, viewer)) if found else ()


class _Look(NamedTuple):
    """A run as it is at one moment, and what was logged since the last look."""

    report: RunReport
    events: tuple[Event, ...]


def _look(app: App, viewer: Principal, run_id: str, after: int) -> _Look | None:
    """Look at a run; None if the viewer may not see it any more."""
    with app.database.read() as connection:
        if not accounts.find_account(connection, viewer.account_id).is_enabled:
            return None
        try:
            report = find_visible_run(connection, viewer, run_id)
        except UnknownRun:
            return None
        return _Look(report, load_visible_events(connection, viewer, report, after=after))


async def _stream(
    app: App, viewer: Principal, run_id: str, *, after: int, stop: threading.Event
) -> AsyncIterator[str]:
    """Yield the frames of a stream, until the run ends, or it is time to come back."""
    begun = spoken = time.monotonic()
    shown: RunReport | None = None
    yield f"retry: {RETRY_MS}\n\n"
    while not stop.is_set() and time.monotonic() - begun < LONGEST_S:
        found = await run_in_threadpool(_look, app, viewer, run_id, after)
        if found is None:
            return
        for event in found.events:
            after = event.number
            yield _frame("log", _line(event), str(after))
        # The age of the heartbeat alone is no progress.
        report = replace(found.report, summary=replace(found.report.summary, silent=None))
        if report != shown:
            shown, spoken = report, time.monotonic()
            yield _frame("progress", report.document(), str(after))
        if not report.summary.is_live:
            last = {"status": report.summary.status, "error": report.summary.error}
            yield _frame("end", last, f"{after}-end")
            return
        if time.monotonic() - spoken > PING_S:
            spoken = time.monotonic()
            yield ": nothing new\n\n"
        await asyncio.sleep(POLL_S)


def _line(event: Event) -> dict[str, Any]:
    return {
        "number": event.number,
        "at": instant_text(event.at),
        "level": event.level,
        "phase": event.phase,
        "message": event.message,
    }


def _frame(kind: str, document: Any, number: str) -> str:  # noqa: ANN401 - any document
    """Return an event; JSON in one line has no line ends that could begin another field."""
    return f"event: {kind}\nid: {number}\ndata: {to_json_line(document)}\n\n"
