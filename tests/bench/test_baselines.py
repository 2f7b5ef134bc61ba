"""The two baselines and Riskmark are three independent computations of the same numbers."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.bench import installation
from tests.bench.cases import plain_models
from tests.bench.market import GeneratedBook, GeneratedMarket, make_book, make_market, real_sessions
from tests.bench.notebook import Notebook
from tests.bench.numbers import assert_same, load_cell
from tests.bench.savvy import Savvy

from riskmark.app import App
from riskmark.domain.reasons import Source
from riskmark.storage.engines import read_rows

HELD = 45
"""Sessions of the books: a month's and a quarter's end are among them."""


@pytest.fixture(scope="module")
def market() -> GeneratedMarket:
    return make_market(real_sessions(620), stocks=40)


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


def test_every_stored_number_is_that_of_numpy_loops(app, market, books):
    savvy = Savvy(market, plain_models())

    reports = {book.name: savvy.report_all(book, market.sessions[-HELD:]) for book in books}

    for name, expected in reports.items():
        for session, numbers in zip(market.sessions[-HELD:], expected, strict=True):
            assert_same(load_cell(app.database, name, session), numbers)


def test_every_stored_number_is_that_of_pandas_and_statsmodels(app, market, books):
    notebook = Notebook(market, plain_models())
    # The first session, one before the end of a month, one with an exit, the last.
    sessions = [market.sessions[-HELD], *market.sessions[-24:-21], market.sessions[-1]]

    reports = notebook.report_all(books[0], sessions)

    for session, expected in zip(sessions, reports, strict=True):
        assert_same(load_cell(app.database, books[0].name, session), expected)


def test_some_of_the_history_of_these_books_had_to_be_filled(app, market, books):
    session = market.sessions[-1]

    filled = [
        load_cell(app.database, book.name, session).measures["proxied_weight"] for book in books
    ]

    assert max(filled) > 0


def test_stored_fits_are_those_of_normal_equations(app, market):
    savvy = Savvy(market, plain_models())
    row = len(market.sessions) - 1

    with app.database.read() as connection:
        stored = read_rows(
            connection,
            "SELECT f.model, f.factor, i.symbol, f.alpha, f.beta, f.stderr, f.r2, f.residual_sd "
            "FROM symbol_fit f JOIN instrument i ON i.id = f.instrument_id",
        )

    expected = {}
    for model in plain_models():
        fits = savvy.fits(model, row)
        for place, factor in enumerate(model.factors, start=1):
            for column, symbol in enumerate(market.symbols):
                expected[model.name, factor.name, symbol] = (
                    fits.params[0, column],
                    fits.params[place, column],
                    fits.stderr[place, column],
                    fits.r2[column],
                    fits.residual_sd[column],
                )
    known = [row for row in stored if row[:3] in expected]
    found = np.array([row[3:] for row in known], dtype=np.float64)
    assert len(known) == len(expected)
    assert_allclose(found, [expected[row[:3]] for row in known], rtol=1e-7, atol=1e-9)
