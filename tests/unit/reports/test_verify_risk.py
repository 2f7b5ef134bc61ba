"""Risk numbers that are broken by hand: verification names exactly the invariant that breaks."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text
from tests.acceptance.world import assert_equal_results
from tests.damage import damage
from tests.unit.reports.worlds import WED, rules_of

from riskmark.domain.reasons import RunStatus
from riskmark.reports.repair import repair
from riskmark.reports.verify import verify

ENTRY = date(2025, 10, 1)
SNAPSHOT = "UPDATE snapshot SET {} WHERE {}"
POSITION = "UPDATE position_value SET {} WHERE {}"
EXPOSURE = "UPDATE factor_exposure SET {} WHERE {} AND model = 'style' AND factor = 'Market'"
STRESS = "UPDATE stress_result SET {} WHERE {} AND scenario = 'liquidity_crisis'"

BREAKS = (
    (SNAPSHOT, "var_95 = var_99 * 1.2, var_95_money = var_99_money * 1.2", "losses_are_ordered"),
    (SNAPSHOT, "var_99_param = 0, var_99_param_money = 0", "losses_are_ordered"),
    (SNAPSHOT, "es_99 = var_99 * 0.99, es_99_money = var_99_money * 0.99", "losses_are_ordered"),
    (SNAPSHOT, "es_99_money = es_99_money * 1.001", "loss_is_share_of_nav"),
    (SNAPSHOT, "var_95_param = var_95_param * 1.001", "loss_is_share_of_nav"),
    (SNAPSHOT, "specific_share = specific_share * 0.99", "shares_of_risk_sum_to_one"),
    (SNAPSHOT, "vol_percentile = 1.5", "share_within_bounds"),
    (SNAPSHOT, "proxied_weight = -0.1", "share_within_bounds"),
    (SNAPSHOT, "benchmark_correlation = 1.1", "correlation_within_bounds"),
    (SNAPSHOT, "corr_mean_abs = -0.1", "correlation_within_bounds"),
    (SNAPSHOT, "vol_har_21d = -vol_har_21d", "volatility_is_not_negative"),
    (SNAPSHOT, "tracking_error = -0.1", "volatility_is_not_negative"),
    (SNAPSHOT, "effective_bets = 0.9", "mixture_is_of_one_or_more"),
    (SNAPSHOT, "diversification_ratio = 0.99", "mixture_is_of_one_or_more"),
    (SNAPSHOT, "vol_trend = 0.5", "code_is_known"),
    (SNAPSHOT, "har_fallback = 2", "code_is_known"),
    (SNAPSHOT, "rates_beta = rates_beta + 0.1", "beta_is_exposure_to_rates"),
    (POSITION, "component_es_95 = component_es_95 * 1.01", "component_es_sums_to_es"),
    (EXPOSURE, "risk_share = risk_share + 0.001", "factor_contributions_sum_to_share"),
    (EXPOSURE, "coverage = 1.01", "exposure_within_bounds"),
    (EXPOSURE, "stderr = -stderr", "exposure_within_bounds"),
    (EXPOSURE, "money = money + 1, exposure = (money + 1) / 100000", "exposure_is_share_of_nav"),
    (STRESS, "direct = direct + 1", "stress_is_exposure_times_shock"),
    (STRESS, "direct = 1e300", "stress_is_exposure_times_shock"),
)


@pytest.fixture
def valued(world):
    """Give a world with a book of three symbols, one of them sold short, and an empty one."""
    world.add_prices("AAA", "BBB", "CCC")
    world.add_book("book", ("AAA", "BBB"), ENTRY)
    world.add_book("short", ("CCC",), ENTRY, quantity=-20)
    world.add_book("cash", ("CCC",), ENTRY)
    with world.app.database.write() as connection:
        editor = world.editor(connection, "cash")
        (lot,) = connection.execute(
            text(
                "SELECT l.id FROM lot l JOIN portfolio p ON p.id = l.portfolio_id "
                "WHERE p.name = 'cash'"
            )
        ).one()
        editor.close_lot(lot, day=date(2025, 10, 8), price=Decimal(100), quantity=None)
        editor.finish()
    assert world.run().status is RunStatus.SUCCEEDED
    return world


def found_after(world, statement):
    """Return what verification finds of one change, which is then taken back."""
    with world.app.database.engine.connect() as connection:
        damage(connection, statement)
        found = verify(connection, rules=rules_of(world), settings=world.app.settings)
        connection.rollback()
    return found


def check(world):
    with world.app.database.read() as connection:
        return verify(connection, rules=rules_of(world), settings=world.app.settings).violations


def of_book(what, change):
    where = f"session = '{WED}' AND portfolio_id = (SELECT id FROM portfolio WHERE name = 'book')"
    return what.format(change, where)


def test_a_broken_risk_number_breaks_exactly_its_invariant(valued):
    assert found_after(valued, "UPDATE run SET scope = scope").violations == ()
    found = {}

    for what, change, _ in BREAKS:
        violations = found_after(valued, of_book(what, change))
        assert {one.session for one in violations.violations} == {WED}
        assert {violations.name_of(one) for one in violations.violations} == {"book"}
        found[change] = {one.invariant for one in violations.violations}

    expected = {change: {invariant} for _, change, invariant in BREAKS}
    expected["money = money + 1, exposure = (money + 1) / 100000"] |= {
        "stress_is_exposure_times_shock"
    }
    assert found == expected


def test_every_scenario_is_held_against_the_exposures(valued):
    (count,) = valued.rows("SELECT COUNT(DISTINCT scenario) FROM stress_result")[0]

    found = found_after(valued, of_book("UPDATE stress_result SET {} WHERE {}", "direct = 7.5"))

    details = [one.detail for one in found.violations]
    assert count == len(valued.app.settings.scenario) == len(details)
    assert all("stored 7.5" in one for one in details)


def test_a_stress_without_exposures_is_found(valued):
    change = "money = NULL, money_null = 'stale', exposure = NULL, exposure_null = 'stale'"

    found = found_after(valued, of_book(EXPOSURE, change))

    assert {one.invariant for one in found.violations} == {"stress_is_exposure_times_shock"}


def test_repair_computes_broken_risk_again(valued):
    before = valued.dump()
    with valued.app.database.write() as connection:
        for what, change, _ in BREAKS:
            damage(connection, of_book(what, change))

    with valued.app.database.write() as connection:
        found = verify(connection, rules=rules_of(valued), settings=valued.app.settings)
        done = repair(connection, found.violations, at=valued.app.clock.now())
    valued.app.run("cli", portfolios=done.portfolios)

    assert check(valued) == ()
    assert_equal_results(before, valued.dump())
