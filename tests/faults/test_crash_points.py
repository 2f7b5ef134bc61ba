"""A run that dies at any named point, at its first or its last pass, is made up by the next."""

import re
from pathlib import Path

import pytest
from tests.faults.installations import LARGE, SMALL
from tests.faults.laboratory import Laboratory
from tests.support import PROFILE

from riskmark import faults

SIZE = {"default": SMALL, "deep": LARGE}[PROFILE]
SOURCE = Path(faults.__file__).parent


def test_a_run_passes_every_crash_point(laboratory: Laboratory):
    passes = laboratory.undisturbed(SIZE).passes

    assert [name for name in faults.OF_A_RUN if not passes[name]] == []


def test_the_code_has_the_crash_points_that_are_listed_and_no_other():
    texts = [path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")]

    named = {name for text in texts for name in re.findall(r'faults\.point\("(.+?)"\)', text)}

    assert named == set(faults.NAMES)


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


@pytest.mark.parametrize("which", ["first", "last"])
@pytest.mark.parametrize("name", faults.OF_A_RUN)
def test_a_run_that_dies_at_a_crash_point_is_made_up_by_the_next(
    laboratory: Laboratory, name: str, which: str
):
    hit = 1 if which == "first" else laboratory.undisturbed(SIZE).passes[name]

    with laboratory.trial(SIZE) as trial:
        trial.run_to_crash(name, hit)
        trial.run_and_check()
