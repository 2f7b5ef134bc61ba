"""Options, whole: marks, greeks, exposures, expiry and splits, computed by hand beside them."""

import json
from datetime import date
from decimal import Decimal
from math import sqrt

import numpy as np
import pytest
from tests.acceptance.options_by_hand import by_hand, own_volatility
from tests.acceptance.parts import assert_explained, explain
from tests.acceptance.test_combined_books import combine, rows_of
from tests.acceptance.test_risk_numbers import returns_of, style_factors
from tests.acceptance.test_what_if import foretell
from tests.acceptance.world import FACTORS, LAST, assert_equal_results
from tests.damage import damage
from tests.unit.reports.shown_books import episode, show

from riskmark.domain.instruments import InstrumentKind, OptionTerms, OptionType, occ_symbol
from riskmark.domain.portfolio import InvestmentClass, Lot
from riskmark.engine.version import current_version
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.reports.attribution import load_attribution
from riskmark.reports.documents import to_json
from riskmark.reports.rules import Rules
from riskmark.reports.verify import verify
from riskmark.storage.books import Account
from riskmark.storage.engines import as_date
from riskmark.storage.instruments import find_instruments
from riskmark.storage.positions import Moment, Positions, create_book
from riskmark.storage.symbol_files import SymbolRow
from riskmark.storage.symbols import import_symbols

ENTRY = date(2025, 9, 2)
EXPIRY = date(2026, 3, 20)
SOON = date(2025, 11, 21)
"""An expiry within the history, a session."""


def occ(underlying, expiry, right, strike):
    terms = OptionTerms(underlying, expiry, OptionType(right), Decimal(str(strike)))
    return occ_symbol(terms)


def lot(symbol, quantity, price, entry=ENTRY):
    is_option = len(symbol) == 21
    return Lot(
        symbol,
        Decimal(quantity),
        entry,
        Decimal(str(price)),
        multiplier=Decimal(100 if is_option else 1),
        investment_class=InvestmentClass.OPTIONS if is_option else InvestmentClass.PUBLIC,
    )


def add(world, name, *lots, equity=100_000):
    hints = tuple(
        InstrumentHint(
            symbol,
            InstrumentKind.OPTION if len(symbol) == 21 else InstrumentKind.STOCK,
            None,
        )
        for symbol in dict.fromkeys(one.symbol for one in lots)
    )
    with world.app.database.write() as connection:
        create_book(
            connection,
            world.app.principal,
            Account(name, opening_equity=None if equity is None else Decimal(equity)),
            Positions(tuple(lots), hints),
            calendar=world.calendar,
            currency="USD",
            moment=Moment(world.app.today, world.app.clock.now()),
        )


def years(day, expiry=EXPIRY):
    return (expiry - day).days / 365


def positions(found):
    return {one["symbol"]: one for one in found["positions"]}


def snapshots(world, name, *columns):
    listed = ", ".join(f's."{column}"' for column in columns)
    rows = world.rows(
        f"SELECT s.session, {listed} FROM snapshot s JOIN portfolio p ON p.id = s.portfolio_id "
        "WHERE p.name = ? ORDER BY s.session",
        name,
    )
    return {as_date(row[0]): row[1:] for row in rows}


def violations(world):
    """Return the invariants that what is stored violates."""
    settings = world.app.settings
    rules = Rules(
        calendar=world.calendar,
        target=world.app.target(world.calendar),
        version=current_version(settings),
        factor_symbols=settings.factor_symbols,
    )
    with world.app.database.read() as connection:
        found = verify(connection, rules=rules, settings=settings)
    return {one.invariant for one in found.violations}


def assert_clean(world):
    assert violations(world) == set()


@pytest.fixture
def market(world):
    world.add_prices("AAA", *FACTORS)
    return world


def test_a_protective_put_is_worth_its_model_price_and_takes_off_delta(market):
    put = occ("AAA", EXPIRY, "put", 155)
    add(market, "book", lot("AAA", 100, 100), lot(put, 1, 4.5))

    market.run()

    found = show(market)
    spot = market.closes("AAA")[LAST]
    volatility = own_volatility(market, "AAA", LAST)
    price, delta, gamma, vega = by_hand("put", spot, 155, years(LAST), volatility)
    line = positions(found)[put]
    assert found["state"] == "complete"
    assert (line["mark_kind"], line["mark_age"]) == ("model", 0)
    assert line["mark"] == pytest.approx(price, rel=1e-9)
    assert line["market_value"] == pytest.approx(100 * price, rel=1e-9)
    greeks = line["greeks"]
    assert greeks["underlying"] == "AAA"
    assert greeks["volatility"] == pytest.approx(volatility, rel=1e-9)
    assert greeks["implied_vol"] is None
    assert found["nulls"][f"positions.{put}.greeks.implied_vol"] == "never_priced"
    assert greeks["delta"] == pytest.approx(delta, rel=1e-9)
    assert greeks["exposure"] == pytest.approx(100 * delta * spot, rel=1e-9)
    assert found["greeks"]["delta"] == pytest.approx(100 * delta * spot, rel=1e-9)
    assert found["greeks"]["gamma"] == pytest.approx(gamma * spot**2, rel=1e-9)
    assert found["greeks"]["vega"] == pytest.approx(100 * vega, rel=1e-9)
    nav = 100_000 - 100 * 100 - 450 + 100 * spot + 100 * price
    assert found["snapshot"]["nav"] == pytest.approx(nav, rel=1e-12)
    exposed = 100 * spot * (1 + delta)
    assert found["concentration"]["hhi"] == pytest.approx(1)
    assert found["risk"]["nonlinear_weight"] == pytest.approx(
        -delta * 100 * spot / (100 * spot + 100 * price), rel=1e-9
    )
    returns = returns_of(market, "AAA")
    assert found["risk"]["vol_252"] == pytest.approx(
        exposed / nav * np.std(returns[-252:], ddof=1) * sqrt(252), rel=1e-9
    )
    assert_clean(market)


def test_a_crash_is_repriced_in_full_and_its_parts_sum(market):
    put = occ("AAA", EXPIRY, "put", 155)
    add(market, "book", lot("AAA", 100, 100), lot(put, 1, 4.5))
    market.run()

    found = show(market)

    design = np.column_stack([np.ones(252), style_factors(market)[-252:]])
    fit, *_ = np.linalg.lstsq(design, returns_of(market, "AAA")[-252:], rcond=None)
    spot, volatility = market.closes("AAA")[LAST], own_volatility(market, "AAA", LAST)
    for scenario, shock in (("market_down_35", -0.35), ("market_up_25", 0.25)):
        one = next(line for line in found["stress"] if line["scenario"] == scenario)
        move = shock * fit[1]
        after = by_hand("put", spot * (1 + move), 155, years(LAST), volatility)[0]
        before = by_hand("put", spot, 155, years(LAST), volatility)[0]
        wanted = 100 * spot * move + 100 * (after - before)
        assert one["direct"] == pytest.approx(wanted, rel=1e-7)
        for kind in ("direct", "predictive"):
            for parts in ("factors", "positions"):
                total = sum(part[kind] for part in one[parts])
                assert total == pytest.approx(one[kind], rel=1e-9, abs=1e-9)
        assert one["factors"][-1]["factor"] == "Beyond delta"
        assert one["factors"][-1]["direct"] > 0


def test_a_covered_call_is_marked_at_its_own_closes_and_implies_a_volatility(market):
    call = occ("AAA", EXPIRY, "call", 165)
    session = market.sessions(ENTRY, LAST)
    traded, last_traded = session[10], session[-3]
    market.add_bars(call, {traded: 4.0, last_traded: 7.5})
    add(market, "book", lot("AAA", 100, 100), lot(call, -1, 5))

    market.run()

    rows = market.rows(
        "SELECT v.session, v.mark_kind, v.mark, v.implied_vol FROM position_value v "
        "JOIN instrument i ON i.id = v.instrument_id WHERE i.symbol = ?",
        call,
    )
    marked = {as_date(row[0]): row[1:] for row in rows}
    assert marked[traded][:2] == ("close", 4.0)
    assert marked[last_traded][:2] == ("close", 7.5)
    closes = market.closes("AAA")
    implied = marked[last_traded][2]
    at = by_hand("call", closes[last_traded], 165, years(last_traded), implied)
    assert at[0] == pytest.approx(7.5, rel=1e-9)
    kind, mark, kept = marked[LAST]
    assert (kind, kept) == ("model", implied)
    price, delta, _, _ = by_hand("call", closes[LAST], 165, years(LAST), implied)
    assert mark == pytest.approx(price, rel=1e-9)
    found = show(market)
    nav = 100_000 - 100 * 100 + 500 + 100 * closes[LAST] - 100 * price
    assert found["snapshot"]["nav"] == pytest.approx(nav, rel=1e-12)
    assert positions(found)[call]["greeks"]["exposure"] == pytest.approx(
        -100 * delta * closes[LAST], rel=1e-9
    )
    # With a beta of its exposure's, weight · beta of the positions is that of the portfolio.
    beta = sum(one["weight"] * one["beta"] for one in found["positions"])
    assert beta == pytest.approx(found["risk"]["beta"], rel=1e-9)
    assert sum(one["component_es_95"] for one in found["positions"]) == pytest.approx(
        found["risk"]["es_95"], rel=1e-9
    )
    assert_clean(market)


@pytest.mark.parametrize("equity", [100_000, None])
@pytest.mark.parametrize("expiry", [SOON, date(2025, 11, 22)])
def test_a_short_straddle_is_closed_at_its_intrinsic_value(market, equity, expiry):
    legs = [occ("AAA", expiry, right, 150) for right in ("call", "put")]
    lots = [lot(leg, -2, 5) for leg in legs]
    add(market, "book", lot("AAA", 500, 100), *lots, equity=equity)

    market.run()

    spot = market.closes("AAA")
    before = max(day for day in spot if day < SOON)
    intrinsic = abs(spot[SOON] - 150)
    found = snapshots(market, "book", "nav", "cash", "pnl", "flow", "positions", "cum_realized")
    volatility = own_volatility(market, "AAA", before)
    straddle = sum(
        by_hand(right, spot[before], 150, years(before, expiry), volatility)[0]
        for right in ("call", "put")
    )
    moved = 500 * (spot[SOON] - spot[before])
    assert found[before][4] == 3
    assert found[SOON][4] == 1
    assert found[SOON][2] == pytest.approx(moved + 200 * straddle - 200 * intrinsic, rel=1e-9)
    assert found[SOON][5] == pytest.approx(2 * 500 * 2 - 200 * intrinsic, rel=1e-9)
    if equity is None:
        assert found[SOON][1] == 0
        assert found[SOON][3] == pytest.approx(200 * intrinsic, rel=1e-9)
    else:
        assert found[LAST][1] == pytest.approx(
            100_000 - 50_000 + 2_000 - 200 * intrinsic, rel=1e-12
        )
    assert found[LAST][0] == pytest.approx(found[LAST][1] + 500 * spot[LAST], rel=1e-12)
    assert_clean(market)


def test_a_split_multiplies_the_quantity_and_divides_the_strike(world):
    split = date(2025, 10, 15)
    world.add_prices("AAA", *FACTORS)
    plain = world.closes("AAA")
    world.add_bars("BBB", {d: p / (4 if d >= split else 1) for d, p in plain.items()})
    world.add_action("BBB", split, "split", 4.0)
    calls = [occ(name, EXPIRY, "call", 160) for name in ("AAA", "BBB")]
    add(world, "plain", lot("AAA", 10, 100), lot(calls[0], 1, 8))
    add(world, "split", lot("BBB", 10, 100), lot(calls[1], 1, 8))
    after = date(2025, 12, 1)
    add(world, "later", lot(calls[1], 4, 2, after))

    world.run()

    columns = ("nav", "pnl", "beta", "vol_63", "nonlinear_weight")
    one, other = (snapshots(world, name, *columns) for name in ("plain", "split"))
    for day, values in one.items():
        np.testing.assert_allclose(
            np.array(other[day], float), np.array(values, float), rtol=1e-9, atol=1e-7
        )
    line = positions(show(world, name="split"))[calls[1]]
    assert line["quantity"] == 4
    assert line["mark"] == pytest.approx(positions(show(world, name="plain"))[calls[0]]["mark"] / 4)
    # One that is stated after the split is stated in its terms: 4 options at a strike of 160.
    volatility = own_volatility(world, "AAA", LAST)
    later = positions(show(world, name="later"))[calls[1]]
    price, *_ = by_hand("call", plain[LAST] / 4, 160, years(LAST), volatility)
    assert later["quantity"] == 4
    assert later["mark"] == pytest.approx(price, rel=1e-6, abs=1e-12)
    assert_clean(world)


def test_without_a_close_of_the_underlying_a_snapshot_is_partial(world):
    last = world.sessions(ENTRY, LAST)[-2]
    world.add_prices("AAA", last=last)
    world.add_prices(*FACTORS)
    put, unknown = occ("AAA", EXPIRY, "put", 155), occ("ZZZ", EXPIRY, "call", 10)
    add(world, "book", lot(put, 1, 4.5), lot(unknown, 1, 2))

    world.run()

    found = show(world)
    reasons = {one["symbol"]: one["reason"] for one in found["reasons"]}
    assert reasons == {put: "underlying_unpriced", unknown: "underlying_unpriced"}
    lines = positions(found)
    assert (lines[put]["mark_kind"], lines[put]["mark_age"]) == ("model", 1)
    assert lines[unknown]["mark_kind"] == "cost"
    assert lines[unknown]["market_value"] == 200
    assert lines[unknown]["greeks"]["delta"] is None
    assert found["nulls"][f"positions.{unknown}.greeks.delta"] == "never_priced"
    unavailable = {row[0] for row in world.rows("SELECT symbol FROM run_symbol")}
    assert unavailable == {"AAA", "ZZZ"}
    assert_clean(world)
    world.add_prices("AAA")
    again = world.run()
    assert again.cells.partial > 0
    price, *_ = by_hand(
        "put", world.closes("AAA")[LAST], 155, years(LAST), own_volatility(world, "AAA", LAST)
    )
    assert positions(show(world))[put]["mark"] == pytest.approx(price, rel=1e-9)


def test_a_price_of_an_underlying_that_nobody_holds_makes_its_option_stale(market):
    put = occ("AAA", EXPIRY, "put", 155)
    add(market, "book", lot(put, 1, 4.5))
    add(market, "other", lot("SPY", 1, 400))
    market.run()
    assert not market.run().cells.complete
    changed = market.sessions(ENTRY, LAST)[-5]

    market.add_bars("AAA", {changed: 42.0})
    again = market.run("book")

    assert again.cells.complete == 5
    assert not market.run().cells.complete
    row = market.rows(
        "SELECT COUNT(*) FROM symbol_fit f JOIN instrument i ON i.id = "
        "f.instrument_id WHERE i.symbol = 'AAA'"
    )
    assert row[0][0] > 0


def test_one_run_of_everything_equals_runs_of_parts_session_by_session(world):
    split = date(2025, 10, 15)
    call, put = occ("AAA", EXPIRY, "call", 150), occ("AAA", SOON, "put", 155)

    def fill(target):
        target.add_prices("AAA", *FACTORS)
        closes = {d: p / (2 if d >= split else 1) for d, p in target.closes("BBB").items()}
        target.add_bars("BBB", closes)
        target.add_action("BBB", split, "split", 2.0)
        early = target.sessions(ENTRY, LAST)[3]
        target.add_bars(call, {early: 8.0})
        own = occ("BBB", EXPIRY, "put", 90)
        add(target, "one", lot(call, 1, 6), lot(put, 2, 5), lot("AAA", 10, 100))
        add(target, "two", lot(own, -3, 4), lot(call, 2, 5, date(2025, 11, 3)), equity=None)

    fill(world)
    world.run()
    whole = world.dump()

    for session in world.sessions(LAST.replace(month=1, day=5), LAST):
        world.run("one", "two", from_session=session, force=True)
    world.run("two", force=True)

    assert_equal_results(whole, world.dump())
    assert_clean(world)


def test_a_replay_moves_the_underlying_and_reprices_the_option(market):
    put = occ("AAA", EXPIRY, "put", 155)
    add(market, "book", lot(put, 1, 4.5))
    market.run()
    first, last = date(2024, 10, 1), date(2025, 2, 3)

    (found,) = show(market, **episode(str(first), str(last)))["replays"]

    closes, volatility = market.closes("AAA"), own_volatility(market, "AAA", LAST)
    spot = closes[LAST]
    after = by_hand("put", spot * closes[last] / closes[first], 155, years(LAST), volatility)[0]
    before = by_hand("put", spot, 155, years(LAST), volatility)[0]
    assert found["pnl"] == pytest.approx(100 * (after - before), rel=1e-9)
    assert json.dumps(found["own_share"]) == "1.0"


def test_a_combined_book_nets_options_and_shares_of_its_members(market):
    put, call = occ("AAA", EXPIRY, "put", 155), occ("AAA", SOON, "call", 150)
    own = (lot("AAA", 100, 100), lot(put, 1, 4.5)), (lot(call, -2, 5), lot(put, 2, 4.6))
    for name, lots in zip(("one", "two"), own, strict=True):
        add(market, name, *lots)
    add(market, "both", *own[0], *own[1], equity=200_000)
    combine(market, "all", "one", "two")

    market.run()

    dump = market.dump()
    both, combined = rows_of(dump, "both"), rows_of(dump, "all")
    assert_equal_results(both, combined)
    assert_clean(market)


def test_what_changed_through_an_expiry_is_the_sum_of_its_parts(market):
    legs = [occ("AAA", SOON, right, 150) for right in ("call", "put")]
    put = occ("AAA", EXPIRY, "put", 155)
    add(market, "book", lot("AAA", 100, 100), *(lot(leg, -2, 5) for leg in legs), lot(put, 1, 4.5))
    market.run()

    for first, last in ((ENTRY, LAST), (ENTRY, SOON), (SOON, LAST)):
        assert_explained(explain(market, "book", first=first, last=last), size=1e5)


def test_what_a_trade_in_options_would_bring_is_what_it_brings(market):
    put, call = occ("AAA", EXPIRY, "put", 155), occ("AAA", EXPIRY, "call", 165)
    add(market, "book", lot("AAA", 100, 100), lot(put, 1, 4.5))
    add(market, "other", lot(call, 1, 5))
    market.run()
    marks = {
        symbol: positions(show(market, name=name))[symbol]["mark"]
        for name, symbol in (("book", put), ("other", call))
    }

    found = foretell(market, None, (put, 2), (call, -1))

    foretold = json.loads(to_json(found.document()))["after"]
    add(market, "traded", lot("AAA", 100, 100), lot(put, 1, 4.5))
    with market.app.database.write() as connection:
        editor = market.editor(connection, "traded")
        known = find_instruments(connection, [put, call])
        ids = {symbol: one.instrument_id for symbol, one in known.items()}
        editor.add_lots(
            [lot(put, 2, round(marks[put], 8), LAST), lot(call, -1, round(marks[call], 8), LAST)],
            ids,
        )
        editor.finish()
    market.run()

    stored = show(market, name="traded")
    for section in ("risk", "concentration"):
        for name, number in foretold[section].items():
            if isinstance(number, float) and name != "information_ratio":
                assert number == pytest.approx(stored[section][name], rel=1e-6), name


def test_an_option_stands_in_the_sector_of_its_underlying(market):
    put = occ("AAA", EXPIRY, "put", 155)
    add(market, "book", lot(put, 1, 4.5))
    row = SymbolRow("symbols.csv", 2, "AAA", None, None, "Energy", None)
    with market.app.database.write() as connection:
        import_symbols(connection, [row], currency="USD", at=market.app.clock.now())

    market.run()

    found = show(market)
    assert [one["sector"] for one in found["positions"]] == ["Energy"]
    (sector,) = found["sectors"]
    assert sector["sector"] == "Energy"
    exposure = positions(found)[put]["greeks"]["exposure"]
    assert sector["short"] == pytest.approx(exposure / found["snapshot"]["nav"])
    with market.app.database.read() as connection:
        made = load_attribution(
            connection,
            market.app.principal,
            "book",
            calendar=market.calendar,
            settings=market.app.settings,
        )
    assert [one.sector for one in made.sectors] == ["Energy"]


@pytest.mark.parametrize(
    ("table", "changed", "invariant"),
    [
        ("position_value", "exposure = exposure * 1.01", "exposure_is_that_of_delta"),
        ("position_value", "delta = NULL", "null_has_a_reason"),
        ("position_value", "implied_vol_null = NULL", "null_has_a_reason"),
        ("snapshot", "nonlinear_weight = 0.9", "nonlinear_weight_is_that_of_options"),
        ("snapshot", "hhi = 0.5", "hhi_is_sum_of_squares"),
        ("stress_result", "beyond_delta = 0", "stress_is_exposure_times_shock"),
    ],
)
def test_damage_to_what_is_stored_of_options_is_seen(market, table, changed, invariant):
    put = occ("AAA", EXPIRY, "put", 155)
    add(market, "book", lot("AAA", 100, 100), lot(put, 1, 4.5, date(2025, 12, 29)))
    market.run()
    assert_clean(market)
    only = " WHERE exposure IS NOT NULL" if table == "position_value" else ""

    with market.app.database.write() as connection:
        damage(connection, f"UPDATE {table} SET {changed}{only}")

    assert invariant in violations(market)


def test_an_option_that_expires_while_nobody_knows_its_underlying_stays_at_cost(market):
    call = occ("ZZZ", SOON, "call", 10)
    add(market, "book", lot(call, 1, 2))

    market.run()

    found = show(market)
    assert [one["reason"] for one in found["reasons"]] == ["underlying_unpriced"]
    assert positions(found)[call]["market_value"] == 200
    market.add_bars("ZZZ", {SOON: 12.5})
    market.run()
    after = snapshots(market, "book", "cash", "positions", "state")
    assert after[LAST] == (100_000 - 200 + 250, 0, "complete")
    assert_clean(market)
