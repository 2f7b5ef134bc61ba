"""A database that fails at any statement of a run: the run says so, the next makes up for it."""

import pytest
from tests.faults.faulty import COMMIT, Fault
from tests.faults.installations import SMALL
from tests.faults.laboratory import ENDED_WELL, Laboratory
from tests.support import PROFILE

STEP = {"default": {"sqlite": 13, "postgresql": 29}, "deep": {"sqlite": 1, "postgresql": 3}}[
    PROFILE
]
"""Every how many statements one fails."""
FIRST = {"default": 4, "deep": 1}[PROFILE]


def _places(laboratory: Laboratory, *, commits: bool = False) -> list[int]:
    """Return the numbers of the statements that are to fail."""
    statements = laboratory.undisturbed(SMALL).statements
    numbers = [
        number
        for number, statement in enumerate(statements, start=1)
        if not commits or statement == COMMIT
    ]
    step = STEP["sqlite" if laboratory.is_sqlite else "postgresql"]
    return numbers[:: max(step // 7, 1)] if commits else numbers[FIRST - 1 :: step]


def test_a_statement_that_fails_ends_the_run_and_the_next_makes_up_for_it(laboratory: Laboratory):
    for number in _places(laboratory):
        with laboratory.trial(SMALL) as trial:
            outcome = trial.run_with(Fault(number))

            assert outcome.error == "OperationalError", (number, outcome)
            assert f"a fault before statement {number}" in outcome.report["message"]
            assert trial.live_runs() == []
            trial.run_and_check()


def test_a_commit_that_takes_effect_but_seems_to_fail_does_no_harm(laboratory: Laboratory):
    for number in _places(laboratory, commits=True):
        with laboratory.trial(SMALL) as trial:
            outcome = trial.run_with(Fault(number, "lost"))

            assert outcome.error == "OperationalError", (number, outcome)
            trial.run_and_check()


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_database_that_goes_away_during_a_run_is_no_harm_once_it_is_back(
    laboratory: Laboratory, share: float
):
    number = int(share * len(laboratory.undisturbed(SMALL).statements))
    with laboratory.trial(SMALL) as trial:
        outcome = trial.run_with(Fault(number, "lasting"))

        assert outcome.error == "OperationalError", outcome
        trial.run_and_check()


@pytest.mark.parametrize("kind", ["before", "lost", "lasting"])
def test_a_statement_that_fails_when_the_run_has_ended_harms_nothing(
    laboratory: Laboratory, kind: str
):
    numbers = laboratory.undisturbed(SMALL).statements_of_pruning
    for number in numbers[:: max(len(numbers) // 3, 1)]:
        with laboratory.trial(SMALL) as trial:
            outcome = trial.run_with(Fault(number, kind))

            assert outcome.status in ENDED_WELL, (number, outcome)
            trial.run_and_check()
