"""The two baselines and Riskmark are three independent computations of the same numbers."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from tests.bench import installation
from tests.bench.cases import default_settings
from tests.bench.market import GeneratedBook, GeneratedMarket, make_book, make_market, real_sessions
from tests.bench.notebook import Notebook
from tests.bench.numbers import assert_same, load_cell
from tests.bench.savvy import Savvy

from riskmark.app import App
from riskmark.domain.reasons import Source
from riskmark.storage.engines import read_rows

HELD = 140
"""Sessions of the books: enough for an information ratio, and the ends of two quarters."""


@pytest.fixture(scope="module")
def market() -> GeneratedMarket:
    # Of this seed, a stock that the books hold is listed 53 sessions before their first.
    return make_market(real_sessions(700), stocks=40, seed=11)


@pytest.fixture(scope="module")
def books(market: GeneratedMarket) -> list[GeneratedBook]:
    first_row = len(market.sessions) - HELD
    return [make_book(market, f"book {seed}", first_row=first_row, seed=seed) for seed in (1, 2)]


@pytest.fixture(scope="module")
def app(
    market: GeneratedMarket, books: list[GeneratedBook], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[App]:
    path = tmp_path_factory.mktemp("baselines") / "riskmark.db"
    installation.create(path, market, stop=len(market.sessions))
    installation.add_books(path, market.sessions[-1], books)
    opened = installation.open_at(path, market.sessions[-1])
    opened.run(Source.CLI)
    yield opened
    opened.database.close()


@pytest.fixture(scope="module")
def fits(app: App) -> dict[tuple[str, str, str], np.ndarray]:
    with app.database.read() as connection:
        stored = read_rows(
            connection,
            "SELECT f.model, f.factor, i.symbol, f.alpha, f.beta, f.stderr, f.r2, f.residual_sd, "
            "f.stderr_hac, f.vif FROM symbol_fit f JOIN instrument i ON i.id = f.instrument_id",
        )
    return {row[:3]: np.array(row[3:], dtype=np.float64) for row in stored}


def test_every_stored_number_is_that_of_numpy_loops(app, market, books):
    savvy = Savvy(market, default_settings())
    # From the last on back: the first that counts is the first of the books.
    sessions = market.sessions[: -HELD - 1 : -3]

    reports = {book.name: savvy.report_all(book, sessions) for book in books}

    for name, expected in reports.items():
        for session, numbers in zip(sessions, expected, strict=True):
            assert_same(load_cell(app.database, name, session), numbers)


def test_every_stored_number_is_that_of_pandas_and_statsmodels(app, market, books):
    notebook = Notebook(market, default_settings())
    # The first session, the one with an exit and those beside it, the last.
    exit_row = len(market.sessions) - HELD // 2
    sessions = [market.sessions[row] for row in (-HELD, exit_row - 1, exit_row, exit_row + 1, -1)]

    reports = notebook.report_all(books[0], sessions)

    for session, expected in zip(sessions, reports, strict=True):
        assert_same(load_cell(app.database, books[0].name, session), expected)


def test_these_books_have_every_number_sooner_or_later(app, market, books):
    last = load_cell(app.database, books[0].name, market.sessions[-1])

    missing = {name for name, value in last.measures.items() if np.isnan(value)}

    assert missing == {"twr_1y"}


def test_some_of_the_history_of_these_books_had_to_be_filled(app, market, books):
    session = market.sessions[-1]

    filled = [
        load_cell(app.database, book.name, session).measures["proxied_weight"] for book in books
    ]

    assert max(filled) > 0


def test_some_fits_of_these_books_were_still_lacking_at_first(app, market, books):
    session = market.sessions[-HELD]

    cells = [load_cell(app.database, book.name, session) for book in books]

    assert any(cell.exposures["style", "Market"].coverage < 1 for cell in cells)


def test_stored_fits_are_those_of_normal_equations(market, fits):
    savvy = Savvy(market, default_settings())

    expected = {}
    for model in savvy.models:
        parts = savvy.fits(model, len(market.sessions) - 1)
        for place, factor in enumerate(model.factors):
            one = parts[place] if len(parts) > 1 else parts[0]
            at = 0 if len(parts) > 1 else place
            for column, symbol in enumerate(market.symbols):
                expected[model.name, factor.name, symbol] = (
                    one.params[0, column],
                    one.params[1 + at, column],
                    one.stderr[1 + at, column],
                    one.r2[column],
                    one.residual_sd[column],
                    one.hac[at, column],
                    one.vif[at, column],
                )

    assert set(fits) == set(expected)
    for key, found in fits.items():
        assert_allclose(found, expected[key], rtol=1e-7, atol=1e-9, err_msg=str(key))


def test_stored_fits_are_those_of_statsmodels_and_scikit_learn(market, fits):
    notebook = Notebook(market, default_settings())
    session = pd.Timestamp(market.sessions[-1])

    expected = {}
    for name, model in notebook.models.items():
        for symbol in market.symbols[::4]:
            parts = notebook.fit(name, symbol, session)
            for place, factor in enumerate(model.factors):
                one = parts[place] if len(parts) > 1 else parts[0]
                if one is None:
                    continue
                details = (np.nan, np.nan)
                if one.details is not None:
                    details = tuple(one.details.loc[factor.name])
                expected[name, factor.name, symbol] = (
                    one.params["const"],
                    one.params[factor.name],
                    one.stderr[factor.name],
                    one.r2,
                    one.residual_sd,
                    *details,
                )

    assert len(expected) > 200
    for key, numbers in expected.items():
        assert_allclose(fits[key], numbers, rtol=1e-7, atol=1e-9, err_msg=str(key))
