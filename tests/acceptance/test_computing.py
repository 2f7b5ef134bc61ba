"""Wherever shards are computed, in whatever order things came: the same numbers are stored."""

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance import computing
from tests.acceptance.world import World, assert_equal_results

from riskmark.domain.reasons import RunStatus
from riskmark.errors import ComputeError

ROOT = Path(__file__).parents[2]
SEEDS = range(5)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Start a Dask cluster of two processes, and give its address."""
    from distributed import LocalCluster  # noqa: PLC0415 - seconds, that few tests need

    with warnings.catch_warnings():
        # Its own warnings about ports and unclosed sockets are none of ours.
        warnings.simplefilter("ignore")
        started = LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        )
        yield started.scheduler_address.replace("tcp:", "dask:")
        started.close()


def test_children_store_what_one_process_does(world: World):
    computing.build(world)
    world.run()
    alone = world.dump()

    result = computing.at(world, "processes:2").run(force=True)

    assert result.cells.failed == 0
    assert result.cells.computed == len(alone["snapshot"])
    assert_equal_results(alone, world.dump())


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.filterwarnings("ignore")  # Dask's own
def test_a_cluster_stores_what_one_process_does(world: World, cluster: str):
    computing.build(world)
    world.run()
    alone = world.dump()

    result = computing.at(world, cluster).run(force=True)

    assert result.cells.failed == 0
    assert result.cells.computed == len(alone["snapshot"])
    assert_equal_results(alone, world.dump())


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.filterwarnings("ignore")  # Dask's own
def test_a_cluster_that_is_not_there_ends_the_run_with_its_address(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    from riskmark.engine import dask_cluster  # noqa: PLC0415 - seconds, that few tests need

    monkeypatch.setattr(dask_cluster, "CONNECT_S", 1)
    computing.build(world)

    with pytest.raises(ComputeError, match=r"no Dask cluster at 127\.0\.0\.1:1"):
        computing.at(world, "dask://127.0.0.1:1").run()

    ((status, error),) = world.rows("SELECT status, error FROM run")
    assert status == RunStatus.FAILED
    assert "127.0.0.1:1" in error


@pytest.mark.deep
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("compute", ["inline", "processes:1", "processes:2", "processes:4", "dask"])
def test_any_order_and_any_seed_of_hashes_store_the_same(
    url: str, request: pytest.FixtureRequest, tmp_path: Path, compute: str, seed: int
):
    place = request.getfixturevalue("cluster") if compute == "dask" else compute
    expected = _reference(request, tmp_path)

    stored = _run_apart(url, place, seed, tmp_path / "stored.json")

    assert_equal_results(expected, stored)


def _reference(request: pytest.FixtureRequest, folder: Path):
    template: Path = request.getfixturevalue("sqlite_template")
    path = folder / "reference.db"
    path.write_bytes(template.read_bytes())
    return _run_apart(f"sqlite:///{path}", "inline", 99, folder / "reference.json")


def _run_apart(url: str, compute: str, seed: int, path: Path):
    command = [sys.executable, "-m", "tests.acceptance.computing", url, compute, str(seed), path]
    environment = os.environ | {"PYTHONHASHSEED": str(seed)}
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=ROOT, env=environment
    )
    assert done.returncode == 0, done.stderr
    return json.loads(path.read_text(encoding="utf-8"))
