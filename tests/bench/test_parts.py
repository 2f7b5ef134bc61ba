"""The measuring itself, on an installation that takes no time to speak of."""

import time
from pathlib import Path

import pytest
from tests.bench import installation, parts
from tests.bench.crowd import run_apart
from tests.bench.floor import measure_floor, needed_reads, record_run
from tests.bench.market import GeneratedMarket, make_book, make_market, real_sessions

from riskmark.domain.reasons import Source


@pytest.fixture(scope="module")
def market() -> GeneratedMarket:
    return make_market(real_sessions(550), stocks=33)


@pytest.fixture(scope="module")
def template(market: GeneratedMarket, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("parts") / "template.db"
    installation.create(path, market, stop=len(market.sessions))
    book = make_book(market, "one", first_row=len(market.sessions) - 3, seed=1)
    installation.add_books(path, market.sessions[-1], [book])
    installation.settle(path)
    return path


def test_the_parts_of_a_run_are_all_found_and_sum_to_its_time(market, template):
    app = installation.open_at(installation.copy_of(template, "run.db"), market.sessions[-1])

    started = time.perf_counter()
    found = parts.time_run(lambda: app.run(Source.CLI))
    taken = time.perf_counter() - started
    app.database.close()

    assert set(found) == {one.part for one in parts.PURE + parts.INSIDE + parts.AROUND} | {
        parts.OTHER
    }
    assert 0.5 * taken < sum(found.values()) <= taken


def test_the_floor_stores_the_rows_that_the_run_stored(market, template):
    path = installation.copy_of(template, "floor.db")
    needed = needed_reads(template, first=market.sessions[0].isoformat())
    app = installation.open_at(path, market.sessions[-1])
    recording = record_run(app)
    app.database.close()

    floor = measure_floor(recording, installation.copy_of(template, "floor.db"), needed)

    assert min(floor) > 0
    assert {write.table for write in recording.writes} == {
        "snapshot", "cell_pack", "fit_pack", "symbol_metric",
    }  # fmt: skip


def test_a_run_apart_tells_its_parts_and_its_memory(market, template):
    found = run_apart(installation.copy_of(template, "apart.db"), market.sessions[-1])

    assert found.seconds == pytest.approx(sum(found.parts.values()))
    assert 20 << 20 < found.peak < 2 << 30
    assert min(found.computing, found.writing) > 0
