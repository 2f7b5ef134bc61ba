"""Runs to their end: one's own, or that of another process, whose rows are watched."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from riskmark.cli import formats, output
from riskmark.domain.reasons import RunStatus
from riskmark.errors import LeaseLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from riskmark.app import App
    from riskmark.cli.run_view import RunView
    from riskmark.engine.recorder import Observer
    from riskmark.engine.run import RunResult
    from riskmark.reports.runs import Event, PhaseProgress, RunSummary

INTERVAL_S = 0.5


def run_to_end(app: "App", start: "Callable[[Observer], RunResult]", *, view: "RunView") -> str:
    """Carry out what ``start`` starts; return the id of the run that did the work.

    Where a live run does the same work already it is watched; if its process dies
    meanwhile or gives it back, the work is taken up here. So is a run that another process
    has taken over from this one.
    """
    while True:
        try:
            result = start(view.observe)
            run_id = result.run_id
            is_over = result.status not in {RunStatus.QUEUED, RunStatus.RUNNING}
        except LeaseLost as lost:
            run_id, is_over = lost.run_id, False
        if is_over or watch(app, run_id, view, takes_up=True):
            return run_id


def watch(app: "App", run_id: str, view: "RunView", *, takes_up: bool = False) -> bool:
    """Show a run in ``view`` until it ends; whether it came to its end.

    With ``takes_up`` the caller would carry it out: that nobody does it any more ends the
    watching too, with False.
    """
    from riskmark.engine.claims import end_dead_runs
    from riskmark.reports.runs import find_run, load_events, load_phases

    seen, state = 0, ""
    while True:
        dead = end_dead_runs(app.database, at=app.wall.now(), lease=app.settings.lease)
        with app.database.read() as connection:
            found = find_run(connection, app.principal, run_id)
            phases = load_phases(connection, run_id)
            events = load_events(connection, run_id, after=seen)
        seen = _show(view, phases, events) or seen
        if (said := waiting_text(found)) != state:
            state = said
            view.log(said, level="notice")
        if not found.is_live:
            return not (takes_up and run_id in dead)
        if takes_up and found.status is RunStatus.QUEUED:
            return False
        time.sleep(INTERVAL_S)


def watch_as_json(app: "App", run_id: str) -> None:
    """Print a document of the run in one line whenever it changes, until it ends."""
    from riskmark.engine.claims import end_dead_runs
    from riskmark.reports.runs import load_run

    printed: object = None
    while True:
        end_dead_runs(app.database, at=app.wall.now(), lease=app.settings.lease)
        with app.database.read() as connection:
            found = load_run(connection, app.principal, run_id)
        # The age of the heartbeat alone is no change.
        changed = replace(found, summary=replace(found.summary, silent=None))
        if changed != printed:
            printed = changed
            output.show_json_line(found.document())
        if not found.summary.is_live:
            return
        time.sleep(INTERVAL_S)


def waiting_text(one: "RunSummary") -> str:
    """Say what a run waits for: its turn, or its owner; empty if it waits for nothing."""
    if one.status is RunStatus.QUEUED:
        return f"waiting for a worker, number {one.place} in the queue"
    if one.is_stalled:
        return f"stalled: nothing heard from {one.host} for {formats.duration(one.silent)}"
    return ""


def _show(view: "RunView", phases: "tuple[PhaseProgress, ...]", events: "tuple[Event, ...]") -> int:
    for event in events:
        view.log(event.message, level=event.level)
    for one in phases:
        if one.total:
            view.advance(one.phase, one.done, one.total)
    return events[-1].number if events else 0
