"""``python -m tests.chaos``: try everything that runs, workers and databases must survive.

The first trial that fails ends the suite: its part, database, seed and number are printed,
and with them the command that repeats it. What was tried is written into
``docs/reference/reliability.md``. The exit code is 1 after a failure.
"""

import argparse
import os
import secrets
import sys
import time
from pathlib import Path

from tests.chaos import page, soak
from tests.chaos.course import Course, Failure
from tests.chaos.lane import DATABASES
from tests.chaos.parts import PARTS

LANES = (os.cpu_count() or 1) + 1
"""One more than there are cores: many a trial waits for a lease to end."""


def main() -> int:
    """Try what was asked for; return the exit code."""
    chosen = _arguments()
    print(f"seed {chosen.seed}, share {chosen.share:g}, {chosen.lanes} lanes", flush=True)
    figures: list[page.Figures] = []
    started = time.monotonic()
    failure = None
    with Course(chosen.seed, chosen.lanes) as course:
        for name in chosen.parts:
            for database in chosen.databases:
                if name == soak.NAME:
                    found = soak.soak(database, seed=chosen.seed, minutes=chosen.minutes)
                elif database in PARTS[name].databases:
                    found = course.run(PARTS[name], database, share=chosen.share, only=chosen.only)
                else:
                    continue
                if isinstance(found, Failure):
                    failure = found
                    break
                print(page.line_of(found), flush=True)
                figures.append(found)
            if failure is not None:
                break
    if chosen.page is not None and chosen.only is None:
        page.write(chosen.page, figures)
    if failure is not None:
        print(_said(failure, chosen.seed), file=sys.stderr)
        return 1
    trials = sum(one.trials for one in figures)
    print(f"{trials:,} trials, nothing lost, in {time.monotonic() - started:,.0f} s")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    every = (*PARTS, soak.NAME)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(every)}")
    parser.add_argument("--database", dest="databases", action="append", choices=DATABASES)
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    parser.add_argument("--share", type=float, default=1.0, help="of the trials of each part")
    parser.add_argument("--only", type=int, help="one trial, by its number")
    parser.add_argument("--lanes", type=int, default=LANES, help="processes that try at once")
    parser.add_argument("--minutes", type=float, default=1.5, help="of the soak, per database")
    parser.add_argument("--page", type=Path, default=page.PATH)
    parser.add_argument("--no-page", dest="page", action="store_const", const=None)
    chosen = parser.parse_args()
    unknown = sorted(set(chosen.parts) - set(every))
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)}")
    chosen.parts = chosen.parts or every
    chosen.databases = chosen.databases or DATABASES
    return chosen


def _said(failure: Failure, seed: int) -> str:
    repeat = (
        f"python -m tests.chaos {failure.part} --database {failure.database} --seed {seed} "
        f"--only {failure.number} --lanes 1"
    )
    return (
        f"{failure.trace}\nfailed: {failure.part} on {failure.database}, trial "
        f"{failure.number}, seed {seed}\nagain: {repeat}"
    )
