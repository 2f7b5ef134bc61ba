from datetime import date
from decimal import Decimal

import pytest
from tests.unit.intake.positions_files import (
    CALL,
    GOOD_OPTION,
    HEADER,
    codes,
    file_of,
    read,
    read_row,
)

from riskmark.domain.instruments import InstrumentKind, OptionTerms, OptionType
from riskmark.domain.portfolio import InvestmentClass
from riskmark.intake.columns import Column
from riskmark.intake.lot_rows import InstrumentHint

TERMS = OptionTerms("AAPL", date(2026, 1, 16), OptionType.CALL, Decimal(200))


@pytest.mark.parametrize(
    "symbol", [CALL, CALL.lower(), "AAPL260116C00200000", "AAPL 260116C00200000"]
)
def test_an_occ_symbol_says_everything(symbol):
    result = read(f"{HEADER}\n{symbol},-2,3.5,2025-01-02\n")

    lot = result.lots[0]
    assert (lot.symbol, lot.multiplier, lot.subtype) == (CALL, 100, "CALL")
    assert lot.investment_class is InvestmentClass.OPTIONS
    assert result.instruments == (
        InstrumentHint(CALL, InstrumentKind.OPTION, TERMS, is_stated=True),
    )


def test_columns_say_what_another_symbol_does_not():
    result = read(file_of(GOOD_OPTION))

    assert result.lots[0].symbol == CALL
    assert result.instruments[0].terms == TERMS


def test_columns_may_say_again_what_an_occ_symbol_says():
    result = read_row({Column.SYMBOL: CALL, Column.OPTION_TYPE: "c"}, base=GOOD_OPTION)

    assert result.errors == ()
    assert result.instruments[0].terms == TERMS


@pytest.mark.parametrize(
    ("root", "underlying"),
    [("BRKB", "BRK.B"), ("SPXW", "^SPX"), ("AAPL1", "AAPL"), ("BRK.B", "BRK-B")],
)
def test_the_column_names_the_underlying_where_the_root_cannot(root, underlying):
    symbol = f"{root:<6}260116C00200000"

    result = read_row({Column.SYMBOL: symbol, Column.UNDERLYING: underlying}, base=GOOD_OPTION)

    assert result.lots[0].symbol == symbol
    assert result.instruments[0].terms == OptionTerms(
        underlying, TERMS.expiry, TERMS.option_type, TERMS.strike
    )


def test_the_underlying_that_one_row_names_holds_for_the_symbol():
    symbol = "BRKB  260116C00200000"
    bare = f"{symbol},1,1,2025-01-02,,,,,,,,"
    named = f"{symbol},1,1,2025-01-03,,,BRK.B,,,,,"

    for rows in ((bare, named), (named, bare)):
        result = read("\n".join([",".join(Column), *rows]))

        assert [hint.terms.underlying for hint in result.instruments] == ["BRK.B"]


def test_a_root_is_composed_without_the_signs_of_the_underlying():
    result = read_row({Column.UNDERLYING: "brk.b", Column.STRIKE: "412.5"}, base=GOOD_OPTION)

    assert result.lots[0].symbol == "BRKB  260116C00412500"
    assert result.instruments[0].terms.underlying == "BRK.B"


def test_option_columns_without_a_class_mean_an_option():
    result = read_row({Column.INVESTMENT_CLASS: "", Column.STRIKE: ""}, base=GOOD_OPTION)

    assert codes(result) == ["POS_020"]


def test_a_missing_option_column_is_named_as_exports_name_it():
    result = read(f"{HEADER},Investment Class\nX,1,1,2024-01-02,OPTIONS\n")

    assert [(issue.code.value, issue.column) for issue in result.errors] == [
        ("POS_019", "Underlying Symbol"),
        ("POS_020", "Strike Price"),
        ("POS_021", "Expiration Date"),
        ("POS_022", "Option Type"),
    ]


def test_a_wrong_symbol_of_an_option_asks_for_no_columns():
    result = read(f"{HEADER},Investment Class\nAAPL  261316C00200000,1,1,2024-01-02,OPTIONS\n")

    assert codes(result) == ["POS_002"]


def test_option_columns_of_another_class_are_warned_of_and_not_used():
    result = read_row({Column.INVESTMENT_CLASS: "PUBLIC"}, base=GOOD_OPTION)

    assert [issue.code.value for issue in result.warnings] == [
        "POS_019",
        "POS_020",
        "POS_021",
        "POS_022",
    ]
    assert (result.lots[0].symbol, result.lots[0].multiplier) == ("MYCALL", 1)
