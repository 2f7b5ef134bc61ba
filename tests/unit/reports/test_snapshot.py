import json
from datetime import date

import pytest
from sqlalchemy import text
from tests.acceptance.world import LAST
from tests.unit.reports.shown_books import null_names
from tests.unit.reports.worlds import MON, THU, TUE, WED

from riskmark.domain.measures import CONCENTRATION, PERFORMANCE, RISK, SNAPSHOT
from riskmark.domain.reasons import NullReason
from riskmark.errors import InputError, UnknownPortfolio
from riskmark.reports.documents import to_json
from riskmark.reports.selection import UnknownMeasure, choose_measures, leaves_of
from riskmark.reports.snapshot import NotValued, load_snapshot

ENTRY = date(2025, 3, 3)
HEAD = {"portfolio", "session", "state", "reasons", "nulls", "provenance"}


def show(world, name="book", session=None):
    with world.app.database.read() as connection:
        return load_snapshot(
            connection,
            world.app.principal,
            name,
            settings=world.app.settings,
            session=session,
        )


def document(world, name="book", session=None):
    """Return the document as a reader of the JSON gets it."""
    return json.loads(to_json(show(world, name, session).document()))


def valued(world, symbols=("AAA", "BBB"), entry=ENTRY, **book):
    world.add_prices(*(symbol for symbol in symbols if symbol != "NONE"))
    world.add_book("book", symbols, entry, **book)
    world.run()


def test_every_key_of_the_interface_is_there(world):
    valued(world)

    found = document(world)

    assert found.keys() == {
        "portfolio", "session", "state", "reasons", "snapshot", "nulls", "performance", "risk",
        "concentration", "factors", "factor_risk", "sectors", "stress", "replays",
        "correlation", "factor_correlation", "backtests", "greeks", "positions", "provenance",
    }  # fmt: skip
    assert found["portfolio"].keys() == {"id", "name", "currency", "mode"}
    assert found["snapshot"].keys() == {*SNAPSHOT, "positions"}
    assert {*PERFORMANCE, "mwr_annualized"} <= found["performance"].keys()
    assert found["risk"].keys() == {*RISK, "sessions_to_sell_95"}
    assert found["concentration"].keys() == set(CONCENTRATION)
    assert found["factors"][0].keys() == {
        "model", "factor", "exposure", "money", "stderr", "coverage",
    }  # fmt: skip
    assert found["sectors"][0].keys() == {
        "sector", "long", "short", "net", "gross", "benchmark",
    }  # fmt: skip
    assert found["positions"][0].keys() == {
        "symbol", "quantity", "mark", "mark_kind", "mark_age", "market_value", "weight",
        "pnl", "beta", "component_es_95", "sector", "sessions_to_sell",
    }  # fmt: skip
    assert found["factor_risk"].keys() == {
        "model", "factor_share", "specific_share", "contributions",
    }  # fmt: skip
    assert found["correlation"].keys() == {
        "symbols", "matrix", "mean", "mean_abs", "effective_rank", "clusters", "left_out",
    }  # fmt: skip
    assert found["factor_correlation"].keys() == {"model", "factors", "matrix"}
    assert found["stress"][0].keys() == {
        "scenario", "direct", "predictive", "factors", "positions",
    }  # fmt: skip
    assert found["stress"][0]["factors"][0].keys() == {"factor", "direct", "predictive"}
    assert found["stress"][0]["positions"][0].keys() == {"symbol", "direct", "predictive"}
    assert found["replays"][0].keys() == {
        "scenario", "first", "last", "pnl", "own_share", "proxied_share", "replayed_share",
    }  # fmt: skip
    assert found["backtests"]["var"][0].keys() == {
        "measure", "confidence", "sessions", "skipped", "exceptions", "actual_exceptions",
        "expected", "kupiec", "kupiec_p", "independence", "independence_p", "conditional",
        "conditional_p", "traffic_light", "exception_sessions",
    }  # fmt: skip
    assert found["backtests"]["volatility"][0].keys() == {
        "measure", "sessions", "skipped", "qlike", "mse",
    }  # fmt: skip
    assert {"run", "computed_at", "engine_version", "windows"} <= found["provenance"].keys()


def test_the_newest_session_is_shown_unless_another_is_named(world):
    valued(world)

    assert document(world)["session"] == str(LAST)
    assert document(world, session=TUE)["session"] == str(TUE)


def test_what_is_stored_is_what_is_shown(world):
    valued(world)

    found = show(world)

    nav, beta = world.rows("SELECT nav, beta FROM snapshot ORDER BY session DESC LIMIT 1")[0]
    assert found.snapshot["nav"] == nav
    assert found.risk["beta"] == beta
    assert found.snapshot["positions"] == 2
    assert sum(one.pnl for one in found.positions) == pytest.approx(found.snapshot["pnl"])


@pytest.mark.parametrize("session", [ENTRY, date(2025, 4, 1), LAST])
def test_every_null_has_one_reason_and_no_reason_stands_beside_a_number(world, session):
    valued(world, ("AAA", "NONE"))

    found = document(world, session=session)

    assert null_names(found) == found["nulls"].keys()
    assert set(found["nulls"].values()) <= set(NullReason)


def test_nulls_of_a_closed_position_say_that_it_is_closed(world):
    valued(world, ("AAA", "BBB"), MON)
    with world.app.database.write() as connection:
        editor = world.editor(connection, "book")
        lot = connection.execute(
            text(
                "SELECT l.id FROM lot l JOIN instrument i ON i.id = l.instrument_id "
                "WHERE i.symbol = 'AAA'"
            )
        ).scalar_one()
        editor.close_lot(lot, day=WED, price=100)
        editor.finish()
    world.run()

    found = document(world, session=WED)

    closed = found["positions"][-1]
    assert (closed["symbol"], closed["quantity"], closed["mark"]) == ("AAA", 0, None)
    for field in ("mark", "mark_kind", "mark_age", "beta"):
        assert found["nulls"][f"positions.AAA.{field}"] == "closed"
    assert null_names(found) == found["nulls"].keys()
    assert found["snapshot"]["positions"] == 1
    assert [one["symbol"] for one in document(world, session=THU)["positions"]] == ["BBB"]


def test_what_is_divided_by_nav_is_null_while_nav_is_not_positive(world):
    valued(world, ("AAA",), MON, equity=1)
    with world.app.database.write() as connection:
        editor = world.editor(connection, "book")
        editor.add_flow(TUE, -500_000)
        editor.finish()
    world.run()

    found = document(world)

    assert found["snapshot"]["nav"] < 0
    assert found["nulls"]["positions.AAA.weight"] == "nav_not_positive"
    assert found["nulls"]["sectors.Unclassified.net"] == "nav_not_positive"
    assert null_names(found) == found["nulls"].keys()


def test_a_symbol_without_a_price_is_a_reason_and_its_mark_has_no_age(world):
    valued(world, ("AAA", "NONE"), MON)

    found = document(world)

    assert found["state"] == "partial"
    assert found["reasons"] == [{"symbol": "NONE", "reason": "never_priced", "accepted": False}]
    assert found["nulls"]["positions.NONE.mark_age"] == "never_priced"


def test_exposures_stand_in_the_order_of_the_settings(world):
    valued(world)

    found = document(world)

    expected = [
        (model.name, factor.name)
        for model in world.app.settings.factor_model
        for factor in model.factors
    ]
    assert [(one["model"], one["factor"]) for one in found["factors"]] == expected


def test_the_largest_position_stands_first(world):
    world.add_prices("AAA", "BBB", "CCC")
    world.add_book("book", ("AAA",), MON, quantity=1)
    with world.app.database.write() as connection:
        editor = world.editor(connection, "book")
        ids = dict(connection.execute(text("SELECT symbol, id FROM instrument")).all())
        lots = [world.lot("BBB", MON, quantity=-50), world.lot("CCC", MON, quantity=10)]
        editor.add_lots(lots, ids)
        editor.finish()
    world.run()

    symbols = [one["symbol"] for one in document(world)["positions"]]

    assert symbols == ["BBB", "CCC", "AAA"]


def test_a_portfolio_without_snapshots_says_what_to_do(world):
    world.add_book("book", (), MON)

    with pytest.raises(NotValued, match="riskmark run"):
        show(world)


def test_a_session_without_a_snapshot_names_the_newest(world):
    valued(world)

    with pytest.raises(NotValued, match=f"the newest is of {LAST}"):
        show(world, session=date(2025, 1, 1))


def test_an_unknown_portfolio_is_an_error_of_the_caller(world):
    with pytest.raises(UnknownPortfolio):
        show(world, "nobody")


def test_chosen_measures_keep_their_place_and_their_nulls(world):
    valued(world)

    chosen = choose_measures(
        show(world).document(), ["nav", "risk.vol_ewma", "positions", "replays"]
    )

    assert chosen["snapshot"].keys() == {"nav"}
    assert chosen["risk"].keys() == {"vol_ewma"}
    assert len(chosen["positions"]) == 2
    assert chosen["nulls"]["replays.covid_2020.pnl"] == "before_data"
    assert set(chosen["nulls"]) == null_names(json.loads(to_json(chosen)))


def test_every_number_of_the_document_can_be_chosen_by_its_name(world):
    valued(world, ("AAA", "BBB", "NONE"))
    whole = show(world).document()
    body = {name: whole[name] for name in whole if name not in HEAD}

    for name, value in list(leaves_of("", body))[::7]:
        chosen = choose_measures(whole, [name])
        inside = {part: chosen[part] for part in chosen if part not in HEAD}
        assert list(leaves_of("", inside)) == [(name, value)]
        assert set(chosen["nulls"]) == null_names(json.loads(to_json(chosen)))


def test_a_section_is_a_choice_too(world):
    valued(world)

    chosen = choose_measures(show(world).document(), ["concentration", "snapshot.positions"])

    assert chosen["concentration"].keys() == set(CONCENTRATION)
    assert chosen["snapshot"] == {"positions": 2}
    assert "risk" not in chosen


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("bta", "beta"),
        ("performance.beta", "beta"),
        ("posittions", "positions"),
        ("?", "no measure"),
    ],
)
def test_an_unknown_measure_is_refused_with_what_is_near(world, name, hint):
    valued(world)

    with pytest.raises(UnknownMeasure, match=hint) as caught:
        choose_measures(show(world).document(), [name])

    assert isinstance(caught.value, InputError)
