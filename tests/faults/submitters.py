"""Many who ask for the same work at the same moment, in several processes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from multiprocessing.synchronize import Barrier
from typing import Any

from tests.faults.workers import CONTEXT, PATIENCE_S, open_app

from riskmark.app import App
from riskmark.domain.reasons import Source
from riskmark.engine import claims
from riskmark.engine.claims import Joined
from riskmark.storage.calendar import load_calendar

PROCESSES, THREADS = 5, 10
"""Fifty in all."""


@dataclass(frozen=True)
class Answer:
    """What one of them was told: which run, and whether it is his to carry out."""

    session: date
    run_id: str
    is_mine: bool


def ask_at_once(url: str, sessions: list[date]) -> list[Answer]:
    """Let everybody ask for a run to each session in turn; return what they were told."""
    barrier = CONTEXT.Barrier(PROCESSES * THREADS)
    answers: Any = CONTEXT.SimpleQueue()
    processes = [
        CONTEXT.Process(target=_ask, args=(url, sessions, number, barrier, answers), daemon=True)
        for number in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    found = [answer for _ in processes for answer in answers.get()]
    for process in processes:
        process.join(PATIENCE_S)
    return found


def _ask(url: str, sessions: list[date], number: int, barrier: Barrier, answers: Any) -> None:
    app = open_app(url, lease_s=60.0)
    with ThreadPoolExecutor(THREADS) as pool:
        places = [number * THREADS + place for place in range(THREADS)]
        rounds = list(pool.map(lambda place: _ask_each(app, sessions, place, barrier), places))
    answers.put([answer for found in rounds for answer in found])


def _ask_each(app: App, sessions: list[date], place: int, barrier: Barrier) -> list[Answer]:
    ask = _WAYS[place % len(_WAYS)]
    found = []
    for session in sessions:
        barrier.wait(PATIENCE_S)
        found.append(ask(app, session))
    barrier.wait(PATIENCE_S)  # whoever has a run stays alive until all have asked
    return found


def _as_api(app: App, session: date) -> Answer:
    return Answer(session, app.submit(Source.API, as_of=session).run_id, is_mine=False)


def _as_scheduler(app: App, session: date) -> Answer:
    return Answer(session, app.submit(Source.CRON, as_of=session).run_id, is_mine=False)


def _as_command(app: App, session: date) -> Answer:
    """Claim the run as the command line does, which then would carry it out."""
    with app.database.read() as connection:
        calendar = load_calendar(connection)
        request = app.request(connection, Source.CLI, calendar=calendar, as_of=session)
    found = claims.claim(app.database, request, app.settings.lease, at=app.wall.now())
    return Answer(session, found.run_id, is_mine=not isinstance(found, Joined))


_WAYS: tuple[Callable[[App, date], Answer], ...] = (_as_api, _as_scheduler, _as_command)
