"""A lane: one process that makes trials, with a nursery and servers of its own."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.chaos.cluster import Cluster
from tests.faults.laboratory import Laboratory
from tests.faults.nursery import Nursery

SQLITE, POSTGRESQL = "sqlite", "postgresql"
DATABASES = (SQLITE, POSTGRESQL)


class Lane:
    """Nurseries, laboratories and servers, each made when it is first needed."""

    def __init__(self, *, server: str | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="riskmark-lane-")
        self._server = server
        self._laboratories: dict[str, Laboratory] = {}
        self._clusters: list[Cluster] = []

    @cached_property
    def nursery(self) -> Nursery:
        """A process that forks runs."""
        return Nursery()

    @cached_property
    def mortal(self) -> Cluster:
        """A PostgreSQL server to be killed, which waits for the disk as one in earnest does."""
        return self._cluster(quick=False)

    @property
    def folder(self) -> Path:
        """Where files of trials go."""
        return Path(self._folder.name)

    def laboratory(self, database: str) -> Laboratory:
        """Return the place for trials on a kind of database."""
        if database not in self._laboratories:
            server = None if database == SQLITE else self._postgresql()
            self._laboratories[database] = self.laboratory_at(server, database)
        return self._laboratories[database]

    @cached_property
    def mortal_laboratory(self) -> Laboratory:
        """The place for trials on the server that is to be killed."""
        return self.laboratory_at(self.mortal.url, "mortal")

    def laboratory_at(self, server: str | None, name: str) -> Laboratory:
        """Make a place for trials on a server, or in files."""
        folder = self.folder / name
        folder.mkdir()
        made = Laboratory(self.nursery, folder, server)
        self._laboratories[name] = made
        return made

    def close(self) -> None:
        """End every process that was started."""
        for laboratory in self._laboratories.values():
            laboratory.close()
        if "nursery" in self.__dict__:
            self.nursery.close()
        for cluster in self._clusters:
            cluster.close()
        self._folder.cleanup()

    def _postgresql(self) -> str:
        return self._server or self._cluster(quick=True).url

    def _cluster(self, *, quick: bool) -> Cluster:
        made = Cluster(quick=quick)
        self._clusters.append(made)
        return made


@dataclass(frozen=True)
class Draw:
    """One trial of a part: its number, and the chance that decides the rest of it."""

    lane: Lane
    database: str
    number: int
    chance: Random

    @property
    def laboratory(self) -> Laboratory:
        """The place for it."""
        return self.lane.laboratory(self.database)


def draw(lane: Lane, part: str, database: str, *, seed: int, number: int) -> Draw:
    """Return a trial, the same one whenever it is asked for."""
    return Draw(lane, database, number, Random(f"{seed} {part} {database} {number}"))


class Part(NamedTuple):
    """A kind of fault: what the page says of it, how many trials it has, and a trial.

    ``attempt`` raises if anything is lost, doubled, stuck or wrong; else it says in a word
    what happened.
    """

    name: str
    title: str
    count: Callable[[Lane, str], int]
    attempt: Callable[[Draw], str]
    databases: tuple[str, ...] = DATABASES
