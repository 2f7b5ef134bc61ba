from riskmark.reports.changes import leaves, subtract


def document(**changed):
    return {
        "risk": {"beta": 1.0, "vol_63": None, "vol_trend": "flat", "har_fallback": False},
        "performance": {"max_drawdown_sessions": {"peak": "2026-01-05"}},
        "factors": [{"model": "style", "factor": "Market", "exposure": 0.5}],
        "positions": [],
    } | changed


def position(symbol, quantity, value):
    return {
        "symbol": symbol,
        "quantity": quantity,
        "mark": 10.0,
        "mark_kind": "close",
        "market_value": value,
        "weight": value / 100,
        "component_es_95": None,
    }


def changes(after, before, *, after_nulls=None, before_nulls=None):
    return subtract(after, before, nulls=(after_nulls or {}, before_nulls or {}))


def test_numbers_are_subtracted_and_words_are_left_out():
    after = document(
        risk={"beta": 1.5, "vol_63": None, "vol_trend": "rising", "har_fallback": True}
    )

    found = changes(after, document(), after_nulls={"risk.vol_63": "no_holdings"})

    assert found.document["risk"] == {"beta": 0.5, "vol_63": None}
    assert found.document["factors"] == [{"model": "style", "factor": "Market", "exposure": 0.0}]
    assert found.document["performance"] == {}
    assert found.nulls == {"risk.vol_63": "no_holdings"}


def test_what_is_null_on_one_side_has_no_change_and_that_sides_reason():
    after = document(risk={"beta": None, "vol_63": 0.2})
    nulls = {"risk.vol_63": "too_few_observations"}

    found = changes(after, document(), after_nulls={"risk.beta": "no_holdings"}, before_nulls=nulls)

    assert found.document["risk"] == {"beta": None, "vol_63": None}
    assert found.nulls == {"risk.beta": "no_holdings", **nulls}


def test_a_position_that_is_not_held_on_one_side_counts_as_nothing_there():
    after = document(positions=[position("AAA", 0, 0.0), position("CCC", 3, 30.0)])
    before = document(positions=[position("AAA", 5, 50.0)])

    gone, new = changes(after, before).document["positions"]

    assert (gone["symbol"], gone["quantity"], gone["weight"]) == ("AAA", -5, -0.5)
    assert (new["symbol"], new["market_value"]) == ("CCC", 30.0)
    assert "mark" not in new


def test_leaves_are_named_as_nulls_are():
    named = dict(leaves(document(positions=[position("AAA", 5, 50.0)])))

    assert named["risk.beta"] == 1.0
    assert named["risk.vol_63"] is None
    assert named["factors.style.Market.exposure"] == 0.5
    assert named["positions.AAA.quantity"] == 5
    assert "risk.vol_trend" not in named
