"""PostgreSQL dies during a run: the process that ran goes on as soon as the server is back."""

import time
from dataclasses import replace

from tests.chaos.lane import POSTGRESQL, Draw, Lane, Part
from tests.faults.installations import LARGE, SMALL, administer
from tests.faults.laboratory import ENDED_WELL

SHUTDOWNS, KILLS = 20, 10
LARGE_EVERY = 5
"""One run in so many has more sessions."""
PATIENCE_S = 60.0
SHORT_LEASE = {"RISKMARK_LEASE__SECONDS": "2", "RISKMARK_LEASE__HEARTBEAT_SECONDS": "0.5"}


def deaths(_lane: Lane, _database: str) -> int:
    """As many deaths as were promised."""
    return SHUTDOWNS + KILLS


def end_server(draw: Draw) -> str:
    """End the server at a random moment of a run and start it again."""
    laboratory, cluster = draw.lane.mortal_laboratory, draw.lane.mortal
    size = LARGE if draw.number % LARGE_EVERY == 0 else SMALL
    moment = draw.chance.uniform(0, laboratory.undisturbed(size).seconds)
    is_kill = draw.number >= SHUTDOWNS
    with laboratory.trial(size) as trial:
        # A copied database has sequences whose next values are promised to the log of the one
        # it was copied from; after a checkpoint they are promised to its own.
        administer(cluster.url, "CHECKPOINT")
        order = replace(trial.order, patience_s=PATIENCE_S, environment=SHORT_LEASE)
        with draw.lane.nursery.start(order) as child:
            time.sleep(moment)
            (cluster.kill_postmaster if is_kill else cluster.shut_down_at_once)()
            cluster.start()
            outcome = child.wait()
        assert outcome.status in ENDED_WELL, outcome
        assert not outcome.report["joined"], outcome
        again = trial.run_and_check()
        assert again.report["cells"]["planned"] == 0, "the process had not completed all"
    return "first process killed" if is_kill else "shut down at once"


PARTS = (
    Part("servers", "PostgreSQL is shut down at once, or its first process killed, during a run; "
         "the process that ran goes on without a restart", deaths, end_server,
         databases=(POSTGRESQL,)),
)  # fmt: skip
