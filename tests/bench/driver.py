"""``python -m tests.bench.driver``: asks read routes at a rate, whatever the answers take.

The plan comes as JSON on standard input, what was measured goes to standard output. Each
request has its time, and its latency counts from then: what is late because the server was
busy is late for whoever asks. A process of its own, so that it takes no time of the server's.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

import httpx

PATIENCE_S = 10.0
"""After which whoever asks goes away."""


class Plan(NamedTuple):
    """Where to ask, as whom, which routes of which portfolios, how often and for how long."""

    url: str
    token: str
    routes: Sequence[str]
    portfolios: Sequence[str]
    rate: float
    seconds: float


class Asked(NamedTuple):
    """One request: its route, seconds from its time to its answer, and the status, 0: none."""

    route: str
    seconds: float
    status: int


async def drive(plan: Plan) -> list[Asked]:
    """Carry out a plan."""
    chance = random.Random(8)
    headers = {"authorization": f"Bearer {plan.token}"}
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    async with httpx.AsyncClient(base_url=plan.url, headers=headers, limits=limits) as client:
        started = time.perf_counter() + 0.1
        asked = []
        async with asyncio.TaskGroup() as group:
            for number in range(round(plan.rate * plan.seconds)):
                at = started + number / plan.rate
                await asyncio.sleep(max(0.0, at - time.perf_counter()))
                route = plan.routes[number % len(plan.routes)]
                path = route.format(id=chance.choice(plan.portfolios))
                asked.append(group.create_task(_ask(client, route, path, at)))
        return [one.result() for one in asked]


async def _ask(client: httpx.AsyncClient, route: str, path: str, at: float) -> Asked:
    loop = asyncio.get_running_loop()
    left = at + PATIENCE_S - time.perf_counter()
    try:
        async with asyncio.timeout_at(loop.time() + left):
            reply = await client.get(path, timeout=None)
    except (httpx.HTTPError, TimeoutError):
        return Asked(route, time.perf_counter() - at, 0)
    return Asked(route, time.perf_counter() - at, reply.status_code)


if __name__ == "__main__":
    json.dump(asyncio.run(drive(Plan(**json.load(sys.stdin)))), sys.stdout)
