"""Workers: what they are handed, how much at a time, and what becomes of what they break."""

from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from tests.whole_books import inputs_of, random_case

from riskmark.engine.compute import AHEAD, Inline, Lost, Team, place_of
from riskmark.engine.shard_compute import Failed, Shared
from riskmark.engine.shared_file import write_shared
from riskmark.errors import SettingsError
from riskmark.settings import load_settings


class Dying(Executor):
    """Breaks at the first thing that it is given, and answers nothing more."""

    def submit(self, _function, /, *_arguments, **_options):
        """Give back what will never be answered."""
        found = Future()
        found.set_exception(BrokenExecutor("gone"))
        return found


class Answering(Executor):
    """Answers everything with the name of its task."""

    def submit(self, _function, _handle, task, /):
        """Answer at once."""
        found = Future()
        found.set_result(Failed(task, ""))
        return found


class Ward:
    """A place whose first executor dies, and whose second does not."""

    lost = (BrokenExecutor,)

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.closed = []

    def lanes(self):
        """Return the one lane."""
        return [(self.executor, AHEAD)]

    @contextmanager
    def share(self, _shared) -> Iterator[None]:
        """Share nothing."""
        yield

    def replace(self, executor):
        """Give one that answers."""
        assert executor is self.executor
        self.executor = Answering()
        return self.executor, AHEAD

    def close(self, *, at_once):
        """Note how it was closed."""
        self.closed.append(at_once)


def answers(place, items, task_of=str):
    with Team("", lambda _: place) as team, team.sharing(None) as workers:
        yield from workers.each(items, task_of, check=lambda: None)


def test_no_more_is_begun_than_workers_can_have_ahead():
    begun = []

    def task_of(item):
        begun.append(item)
        return str(item)

    for seen, _ in enumerate(answers(Ward(Answering()), range(50), task_of)):
        assert len(begun) <= seen + 1 + AHEAD

    assert begun == list(range(50))


def test_a_worker_that_dies_loses_what_it_worked_on_and_nothing_that_waited():
    found = dict(answers(Ward(Dying()), range(5)))

    assert isinstance(found.pop(0), Lost)
    assert found == {number: Failed(str(number), "") for number in range(1, 5)}


def test_workers_are_let_go_at_once_when_something_went_wrong():
    place = Ward(Answering())

    def interrupted():
        with Team("", lambda _: place) as team:
            team.start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert place.closed == [True]


def test_workers_that_were_not_needed_are_not_started():
    with Team("dask://nowhere:1"):
        pass


def test_what_shards_have_in_common_comes_back_from_its_file(tmp_path: Path):
    inputs, _ = inputs_of(random_case(5))
    settings = load_settings(None, {}).settings
    shared = Shared("key", inputs.panel, inputs.columns, settings, text_sessions=True)

    found = write_shared(tmp_path / "file", shared).load()

    assert found.key == "key"
    assert found.settings == shared.settings
    assert found.panel.instruments == shared.panel.instruments
    for mine, theirs in zip(found.panel.marks, shared.panel.marks, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert not found.panel.marks.returns.flags.writeable


@pytest.mark.parametrize(
    "compute", ["", "inline:2", "processes", "processes:0", "processes:x", "dask://host", "slurm"]
)
def test_a_place_that_is_none_is_refused_when_settings_are_read(compute: str):
    with pytest.raises(SettingsError, match=r"compute: .* is not inline, processes:N or dask"):
        load_settings(None, {"RISKMARK_COMPUTE": compute})


def test_where_numbers_are_computed_makes_no_stored_number_stale():
    plain = load_settings(None, {}).settings
    spread = load_settings(None, {"RISKMARK_COMPUTE": "processes:2"}).settings

    assert isinstance(place_of(plain.compute), Inline)
    assert plain.numbers_hash == spread.numbers_hash
