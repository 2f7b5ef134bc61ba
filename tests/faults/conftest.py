"""A nursery for each process that runs tests, and a laboratory on each kind of database."""

from collections.abc import Iterator

import pytest
from tests.faults.laboratory import Laboratory
from tests.faults.nursery import Nursery


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Start a process that forks runs."""
    started = Nursery()
    yield started
    started.close()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def laboratory(
    request: pytest.FixtureRequest, nursery: Nursery, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Laboratory]:
    """Give a place to make trials in, on a database of each kind."""
    server = None if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    made = Laboratory(nursery, tmp_path_factory.mktemp("trials"), server)
    yield made
    made.close()
