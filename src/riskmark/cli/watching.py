"""Runs to their end: one's own, or that of another process, whose rows are watched."""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from riskmark.app import App
    from riskmark.cli.run_view import RunView
    from riskmark.engine.recorder import Observer
    from riskmark.engine.run import RunResult

INTERVAL_S = 0.5


def run_to_end(app: "App", start: "Callable[[Observer], RunResult]", *, view: "RunView") -> str:
    """Carry out what ``start`` starts; return the id of the run that did the work.

    Where a live run does the same work already it is watched; if its process dies
    meanwhile, the work is taken up here.
    """
    result = start(view.observe)
    while result.joined and not watch(app, result.run_id, view):
        result = start(view.observe)
    return result.run_id


def watch(app: "App", run_id: str, view: "RunView") -> bool:
    """Show a run in ``view`` until it ends; False if it ended because its process died."""
    from riskmark.engine.claims import end_dead_runs
    from riskmark.reports.runs import find_run, load_events, load_phases

    seen = 0
    while True:
        dead = end_dead_runs(app.database, at=app.clock.now())
        with app.database.read() as connection:
            found = find_run(connection, app.principal, run_id)
            phases = load_phases(connection, run_id)
            events = load_events(connection, run_id, after=seen)
        for event in events:
            view.log(event.message, level=event.level)
            seen = event.number
        for one in phases:
            if one.total:
                view.advance(one.phase, one.done, one.total)
        if not found.is_live:
            return run_id not in dead
        time.sleep(INTERVAL_S)
