"""What is imported beside prices: every number that depends on it follows."""

from datetime import date

import numpy as np
import pytest
from tests.acceptance.world import FACTORS, LAST, assert_equal_results

from riskmark.calc.regression import fit_factors
from riskmark.storage.benchmarks import BenchmarkWeight, MemberKind, import_weights
from riskmark.storage.factor_files import FactorReturns
from riskmark.storage.factors import import_factors
from riskmark.storage.instruments import find_instrument

FIRST, MON = date(2024, 12, 2), date(2026, 1, 5)
COLUMNS = ("mkt_rf", "smb", "hml", "rmw", "cma", "mom", "rf")


def bring_factors(world, first=FIRST, *, scale=1.0):
    """Import factor returns from ``first`` on; they are the same on the same session."""
    sessions = world.sessions(FIRST, LAST)
    values = np.random.default_rng(5).normal(0, 0.008, (len(sessions), len(COLUMNS)))
    values[:, -1] = 0.0002
    kept = np.array([day >= first for day in sessions])
    dates = np.array(sessions, dtype="datetime64[D]")[kept]
    returns = FactorReturns(COLUMNS, dates, values[kept] * scale)
    with world.app.database.write() as connection:
        import_factors(connection, returns, calendar=world.calendar, at=world.app.clock.now())
    return returns


def test_an_import_of_factors_makes_numbers_stale_from_its_first_change_on(world):
    world.add_book("book", ("AAA", "BBB"), MON)
    world.add_prices("AAA", "BBB")
    world.run()
    before = world.rows("SELECT COUNT(*), COUNT(exposure) FROM factor_exposure WHERE model='ff5m'")

    returns = bring_factors(world)
    done = world.run()

    assert before == [(24, 0)]
    assert done.cells.computed == 4
    found = dict(
        world.rows(
            "SELECT factor, exposure * nav FROM factor_exposure e JOIN snapshot s "
            "ON s.portfolio_id = e.portfolio_id AND s.session = e.session "
            "WHERE model = 'ff5m' AND e.session = '2026-01-08'"
        )
    )
    assert found == pytest.approx(expected_money(world, returns), rel=1e-9)
    assert bring_factors(world).columns == COLUMNS
    assert world.run().cells.planned == 0


def test_an_import_of_factors_brings_the_numbers_of_its_model_and_changes_no_other(world):
    world.add_book("book", ("AAA", "BBB"), MON)
    world.add_book("short", ("AAA",), date(2026, 1, 7), quantity=-5)
    world.add_prices(*FACTORS, "AAA", "BBB")
    world.run()
    before = world.dump()

    bring_factors(world)
    planned = world.run().cells
    after = world.dump()

    assert (planned.planned, planned.computed) == (6, 6)
    of_model, others = parted(before.pop("factor_exposure"))
    brought, same = parted(after.pop("factor_exposure"))
    assert_equal_results({"factor_exposure": others}, {"factor_exposure": same})
    assert_equal_results(before, after)
    assert len(brought) == len(of_model) == 6 * (len(COLUMNS) - 1)
    for mine, theirs in zip(of_model, brought, strict=True):
        assert (mine["exposure"], mine["stderr"]) == (None, None)
        assert mine["exposure_null"] == mine["stderr_null"] == "no_factor_data"
        assert None not in (theirs["exposure"], theirs["money"], theirs["stderr"])
        assert (mine["coverage"], theirs["coverage"]) == (0.0, 1.0)


def parted(rows):
    """Return the rows of the model from a file, and all others."""
    others = [row for row in rows if row["model"] != "ff5m"]
    return [row for row in rows if row["model"] == "ff5m"], others


def expected_money(world, returns):
    """Compute the exposures in money from the closes themselves."""
    money = np.zeros(len(COLUMNS) - 1)
    for symbol in ("AAA", "BBB"):
        closes = world.closes(symbol, world.sessions(date(2024, 11, 29), LAST)[0])
        prices = np.array([*closes.values()])
        over = prices[1:] / prices[:-1] - 1 - returns.values[:, -1]
        row = len(over) - 1
        fits = fit_factors(
            over[:, None],
            returns.values[:, :-1],
            rows=range(row, row + 1),
            window=252,
            minimum=60,
        )
        money += 10 * prices[-1] * fits.beta[0, 0]
    names = ("Mkt-RF", "SMB", "HML", "RMW", "CMA", "Mom")
    return dict(zip(names, money, strict=True))


def test_a_late_correction_of_a_factor_touches_only_later_sessions(world):
    world.add_book("book", ("AAA",), MON)
    world.add_prices("AAA")
    bring_factors(world)
    world.run()

    bring_factors(world, date(2026, 1, 7), scale=1.01)

    assert world.run().cells.computed == 2


def test_stored_fits_have_robust_errors_and_inflation_where_they_are_defined(world):
    world.add_prices(*FACTORS, "AAA")
    bring_factors(world)
    world.add_book("book", ("AAA",), MON)
    world.run()

    rows = world.rows(
        "SELECT model, COUNT(*), COUNT(beta), COUNT(stderr), COUNT(stderr_hac), COUNT(vif) "
        "FROM symbol_fit f JOIN instrument i ON i.id = f.instrument_id "
        "WHERE symbol = 'AAA' GROUP BY model ORDER BY model"
    )

    assert rows == [
        ("ff5m", 6, 6, 6, 6, 6),
        ("market", 1, 1, 1, 1, 1),
        ("market_1y", 1, 1, 1, 1, 1),
        ("rates", 1, 1, 1, 1, 1),
        ("ridge", 6, 6, 0, 0, 0),
        ("spread", 4, 4, 4, 4, 4),
        ("style", 7, 7, 7, 7, 7),
    ]


def test_an_import_of_benchmark_weights_makes_later_numbers_stale(world):
    world.add_book("book", ("AAA",), MON)
    world.add_prices("AAA", "SPY")
    world.run()
    weights = [BenchmarkWeight(date(2026, 1, 7), MemberKind.SECTOR, "Energy", 1.0)]

    with world.app.database.write() as connection:
        benchmark = find_instrument(connection, "SPY")
        import_weights(
            connection, benchmark, weights, calendar=world.calendar, at=world.app.clock.now()
        )

    assert world.run().cells.computed == 2
