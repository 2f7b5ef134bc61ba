"""A run that dies at any named point, at its first or its last pass, is made up by the next."""

import re
from pathlib import Path

import pytest
from tests.faults.befallen import COMMITTED
from tests.faults.happenings import KINDS
from tests.faults.installations import LARGE, SMALL
from tests.faults.laboratory import Laboratory
from tests.support import PROFILE

from riskmark import faults

SIZE = {"default": SMALL, "deep": LARGE}[PROFILE]
STEP = {"default": 5, "deep": 1}[PROFILE]
"""Every how many points one is died at; ``make chaos`` takes all, first and last pass."""
SOURCE = Path(faults.__file__).parent


def test_some_run_passes_every_crash_point(laboratory: Laboratory):
    assert all(laboratory.place_of(SIZE, name) for name in faults.NAMES)


@pytest.mark.parametrize("happening", KINDS)
def test_every_transaction_of_a_run_has_a_crash_point_on_either_side(
    laboratory: Laboratory, happening: str
):
    by_thread: dict[str, list[str]] = {}

    for thread, step in laboratory.watched(SIZE, happening).report["steps"]:
        by_thread.setdefault(thread, []).append(step)

    commits = 0
    for steps in by_thread.values():
        for before, step, after in zip(["", *steps], steps, [*steps[1:], ""], strict=False):
            if step == COMMITTED:
                commits += 1
                name, _, edge = before.rpartition(".")
                assert edge == "before_commit", steps
                assert after == f"{name}.committed", steps
    assert commits > 3


def test_the_code_has_the_crash_points_that_are_listed_and_no_other():
    texts = [path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")]

    named = {name for text in texts for name in re.findall(r'faults\.point\("(.+?)"\)', text)}
    writing = r'\.(?:transaction|write|statement)\("(.+?)"\)'
    transactions = {name for text in texts for name in re.findall(writing, text)}

    assert named == set(faults.BETWEEN)
    assert transactions == set(faults.TRANSACTIONS)


def test_a_name_that_is_not_listed_is_an_error_while_a_hook_is_set():
    passed: list[str] = []
    faults.set_hook(passed.append)
    try:
        with pytest.raises(AssertionError, match="not a named crash point"):
            faults.point("run.unheard_of")
        faults.point("run.planned")
    finally:
        faults.set_hook(None)
    faults.point("run.unheard_of")

    assert passed == ["run.planned"]


@pytest.mark.parametrize("name", faults.NAMES[::STEP])
def test_a_run_that_dies_at_a_crash_point_is_made_up_by_the_next(laboratory: Laboratory, name: str):
    happening, passes = laboratory.place_of(SIZE, name)

    with laboratory.trial(SIZE, happening) as trial:
        trial.run_to_crash(name, passes)
        trial.run_and_check()
