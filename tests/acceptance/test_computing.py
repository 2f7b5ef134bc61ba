"""Wherever shards are computed, in whatever order things came: the same numbers are stored."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance import computing
from tests.acceptance.world import World, assert_equal_results

from riskmark.domain.reasons import RunStatus
from riskmark.errors import ComputeError


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Give the address of a Dask cluster of two processes."""
    with computing.dask_cluster() as address:
        yield address


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
@pytest.mark.parametrize("seed", computing.SEEDS)
@pytest.mark.parametrize("compute", computing.PLACES)
def test_any_order_and_any_seed_of_hashes_store_the_same(
    url: str, request: pytest.FixtureRequest, tmp_path: Path, compute: str, seed: int
):
    place = request.getfixturevalue("cluster") if compute == "dask" else compute
    expected = _reference(request, tmp_path)

    stored = computing.run_apart(url, place, seed, tmp_path / "stored.json")

    assert_equal_results(expected, stored)


def _reference(request: pytest.FixtureRequest, folder: Path):
    template: Path = request.getfixturevalue("sqlite_template")
    path = folder / "reference.db"
    path.write_bytes(template.read_bytes())
    return computing.run_apart(f"sqlite:///{path}", "inline", 99, folder / "reference.json")
