"""Panels: closes, actions and valuations on the rows and columns where they belong."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from sqlalchemy import insert
from tests.market import (
    AT,
    CALENDAR,
    HOLIDAY,
    closes_of,
    dividend,
    instrument_id,
    load,
    spinoff,
    split,
)
from tests.support import START

from riskmark.domain.factor_models import Estimator, Factor, FactorModel
from riskmark.domain.instruments import InstrumentKind
from riskmark.storage import schema
from riskmark.storage.packs import load_closes
from riskmark.storage.quarantine import open_quarantines
from riskmark.storage.symbols import accept
from riskmark.valuation.panels import build_panel, load_instruments

MON = date(2024, 3, 4)
FIRST = CALENDAR.on_or_after(MON)
MODEL = FactorModel(
    "test", Estimator.OLS, 90, 30, (Factor("Market", "AAA"), Factor("Spread", "BBB", "AAA"))
)


def panel_of(connection, symbols, *, first=FIRST, last=FIRST + 4):
    ids = {symbol: instrument_id(connection, symbol) for symbol in symbols}
    instruments = load_instruments(connection, ids.values(), base_currency="USD")
    closes = load_closes(connection, CALENDAR, sorted(ids.values()), start=first)
    return build_panel(connection, CALENDAR, instruments, closes, named=ids, first=first, last=last)


def column(panel, symbol, what="mark"):
    place = [one.symbol for one in panel.instruments].index(symbol)
    return getattr(panel.marks, what)[:, place].tolist()


def test_closes_stand_on_their_sessions(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [10, 11, 12]))
        load(connection, closes_of("BBB", CALENDAR.sessions[FIRST + 1], [20]))

        panel = panel_of(connection, ["AAA", "BBB"])

    assert panel.sessions == CALENDAR.sessions[FIRST : FIRST + 5]
    assert column(panel, "AAA") == [10, 11, 12, 12, 12]
    assert column(panel, "AAA", "age") == [0, 0, 0, 1, 2]
    assert column(panel, "BBB", "age") == [-1, 0, 1, 2, 3]
    assert np.isnan(column(panel, "BBB")[0])
    assert panel.days.tolist() == [(day - date(1970, 1, 1)).days for day in panel.sessions]


def test_a_close_before_the_panel_is_not_in_it(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [10, 11, 12, 13]))

        panel = panel_of(connection, ["AAA"], first=FIRST + 2)

    assert column(panel, "AAA")[:2] == [12, 13]


def test_an_action_takes_effect_on_its_session_or_the_next(database):
    monday = CALENDAR.on_or_after(HOLIDAY)  # a Tuesday, for the Monday has no session
    with database.write() as connection:
        load(
            connection,
            closes_of("AAA", CALENDAR.sessions[monday - 1], [100, 50, 40]),
            [
                split("AAA", HOLIDAY, 2.0),
                dividend("AAA", CALENDAR.sessions[monday + 1], 1.5),
                spinoff("AAA", CALENDAR.sessions[monday + 1], 1.25),
            ],
        )

        panel = panel_of(connection, ["AAA"], first=monday - 1, last=monday + 1)

    assert column(panel, "AAA", "split_index") == [1, 2, 2]
    assert column(panel, "AAA", "income") == [0, 0, pytest.approx(1.5 + 50 * 0.2)]
    assert column(panel, "AAA", "returns")[1:] == [
        pytest.approx(0.0),
        pytest.approx((40 + 1.5 + 10) / 50 - 1),
    ]


def test_actions_outside_the_panel_do_nothing(database):
    with database.write() as connection:
        load(
            connection,
            closes_of("AAA", MON, [10] * 5),
            [
                split("AAA", date(2024, 1, 2), 2.0),
                split("AAA", date(2024, 12, 2), 3.0),
                dividend("AAA", date(2024, 12, 2), 1.0),
            ],
        )

        panel = panel_of(connection, ["AAA"])

    assert column(panel, "AAA", "split_index") == [1] * 5
    assert column(panel, "AAA", "income") == [0] * 5


def test_bars_in_quarantine_are_not_used(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [100, 101, 50, 51]))
        assert len(open_quarantines(connection)) == 1

        panel = panel_of(connection, ["AAA"])

    assert column(panel, "AAA") == [100, 101, 101, 101, 101]
    assert panel.quarantine_row.tolist() == [2]


def test_a_private_asset_is_marked_at_its_valuations_and_has_no_returns(database):
    with database.write() as connection:
        key = connection.execute(
            insert(schema.instrument)
            .values(
                symbol="HOUSE", kind="private", currency="USD", created_at=START, owner_id="local"
            )
            .returning(schema.instrument.c.id)
        ).scalar_one()
        rows = [(date(2024, 1, 6), 500), (date(2024, 3, 5), 510), (date(2024, 12, 7), 600)]
        connection.execute(
            insert(schema.valuation),
            [{"instrument_id": key, "date": day, "price": Decimal(price)} for day, price in rows],
        )

        panel = panel_of(connection, ["HOUSE"])

    assert column(panel, "HOUSE") == [500, 510, 510, 510, 510]
    assert np.isnan(column(panel, "HOUSE", "returns")).all()
    assert panel.manual.tolist() == [True]
    assert panel.sectors == ("Private",)


def test_what_is_known_of_instruments_comes_with_the_panel(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [10]) + closes_of("BBB", MON, [20]))
        connection.execute(
            insert(schema.instrument).values(
                symbol="EURO", kind="etf", currency="EUR", created_at=START
            )
        )
        accept(connection, "BBB", "known", at=AT)

        panel = panel_of(connection, ["BBB", "EURO", "AAA"])

    assert [one.symbol for one in panel.instruments] == ["AAA", "BBB", "EURO"]
    assert [one.is_accepted for one in panel.instruments] == [False, True, False]
    assert panel.cost_only.tolist() == [False, False, True]
    assert panel.instruments[2].kind is InstrumentKind.ETF
    assert [panel.sectors[code] for code in panel.sector_code] == [
        "Unclassified", "Unclassified", "ETF",
    ]  # fmt: skip


def test_factors_are_returns_or_differences_of_returns(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [100, 110, 121]))
        load(connection, closes_of("BBB", MON, [100, 100, 130]))

        panel = panel_of(connection, ["AAA", "BBB"])

    found = panel.factor_returns(MODEL)
    assert found[1:3, 0] == pytest.approx([0.1, 0.1])
    assert found[1:3, 1] == pytest.approx([-0.1, 0.2])
    assert np.isnan(found[[0, 3, 4]]).all()


def test_a_factor_whose_symbol_is_unknown_is_never_observed(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [100, 110, 121]))

        panel = panel_of(connection, ["AAA"])

    found = panel.factor_returns(MODEL)
    assert np.isfinite(found[1:3, 0]).all()
    assert np.isnan(found[:, 1]).all()
