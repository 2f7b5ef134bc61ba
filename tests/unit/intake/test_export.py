from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.intake.positions_files import CALL, TODAY, read

from riskmark.domain.instruments import (
    InstrumentKind,
    OptionTerms,
    OptionType,
    occ_symbol,
    parse_occ,
)
from riskmark.domain.portfolio import OPTION_MULTIPLIER, InvestmentClass, Lot
from riskmark.intake.positions_csv import write_positions
from riskmark.intake.subtypes import SUBTYPES

days = st.dates(min_value=date(1925, 1, 2), max_value=TODAY)
sizes = st.decimals(
    min_value=Decimal("1e-8"), max_value=10**12 - 1, places=8, allow_nan=False, allow_infinity=False
)
symbols = st.from_regex(r"[A-Z0-9.\-^=/]{0,10}[A-Z0-9][A-Z0-9.\-^=/]{0,9}", fullmatch=True)
option_terms = st.builds(
    OptionTerms,
    underlying=st.from_regex(r"[A-Z][A-Z0-9]{0,5}", fullmatch=True),
    expiry=st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31)),
    option_type=st.sampled_from(OptionType),
    strike=st.decimals(min_value=Decimal("0.001"), max_value=Decimal("99999.999"), places=3),
)


@st.composite
def lots(draw):
    entry = draw(days)
    is_closed = draw(st.booleans())
    lot = Lot(
        symbol=draw(symbols),
        quantity=draw(sizes) * draw(st.sampled_from([1, -1])),
        entry_date=entry,
        entry_price=draw(sizes),
        exit_date=draw(st.dates(min_value=entry, max_value=TODAY)) if is_closed else None,
        exit_price=draw(sizes | st.just(Decimal(0))) if is_closed else None,
    )
    make = draw(st.sampled_from([_public, _private, _option]))
    return make(lot, draw)


def _public(lot, draw):
    return _changed(lot, subtype=draw(st.sampled_from([None, *SUBTYPES[InvestmentClass.PUBLIC]])))


def _private(lot, draw):
    subtype = draw(st.sampled_from([None, *SUBTYPES[InvestmentClass.PRIVATE]]))
    return _changed(lot, investment_class=InvestmentClass.PRIVATE, subtype=subtype)


def _option(lot, draw):
    terms = draw(option_terms.filter(lambda found: found.expiry >= lot.entry_date))
    return _changed(
        lot,
        symbol=occ_symbol(terms),
        multiplier=OPTION_MULTIPLIER,
        investment_class=InvestmentClass.OPTIONS,
        subtype=terms.option_type.upper(),
    )


def _changed(lot, **changes):
    return Lot(**{name: getattr(lot, name) for name in Lot.__slots__} | changes)


books = st.lists(lots(), min_size=1, max_size=6, unique_by=lambda lot: lot.symbol)


@given(books)
def test_an_export_reads_back_to_the_same_lots(book):
    result = read(write_positions(book))

    assert result.errors == ()
    assert result.warnings == ()
    assert result.lots == tuple(book)


@given(books)
def test_export_import_export_is_a_fixed_point(book):
    text = write_positions(book)

    again = write_positions(read(text).lots)

    assert again == text


def test_an_export_has_every_column_and_plain_digits():
    lot = Lot("=X", Decimal("1E+3"), date(2024, 1, 2), Decimal("0.50"))

    assert write_positions([lot]) == (
        "Symbol,Quantity,Entry Price Per Share,Entry Date,Investment Class,Investment Subtype,"
        "Underlying Symbol,Strike Price,Expiration Date,Option Type,"
        "Exit Date,Exit Price Per Share\n"
        "'=X,1000,0.5,2024-01-02,PUBLIC,,,,,,,\n"
    )


def test_an_underlying_that_is_not_the_root_survives():
    symbol = "BRKB  260116C00200000"
    parsed = parse_occ(symbol)
    terms = OptionTerms("BRK.B", parsed.expiry, parsed.option_type, parsed.strike)
    lot = read(write_positions([_call()])).lots[0]

    text = write_positions([_changed(lot, symbol=symbol)], terms={symbol: terms})

    assert read(text).instruments[0].terms == terms
    assert write_positions(read(text).lots, terms={symbol: terms}) == text


def test_an_option_says_its_terms_in_columns_too():
    text = write_positions([_call()])

    assert text.splitlines()[1] == (
        f"{CALL},-1,2.5,2025-01-02,OPTIONS,CALL,AAPL,200,2026-01-16,CALL,,"
    )
    assert read(text).instruments[0].kind is InstrumentKind.OPTION


def _call():
    return Lot(
        CALL,
        Decimal(-1),
        date(2025, 1, 2),
        Decimal("2.5"),
        multiplier=OPTION_MULTIPLIER,
        investment_class=InvestmentClass.OPTIONS,
        subtype="CALL",
    )


def test_a_symbol_that_looks_like_a_formula_is_shielded_and_read_back():
    text = write_positions([Lot("-X", Decimal(-5), date(2024, 1, 2), Decimal(1))])

    assert text.splitlines()[1].startswith("'-X,-5,1,")
    assert read(text).lots[0].symbol == "-X"
    assert write_positions(read(text).lots) == text


def test_a_symbol_without_its_shield_is_read_too():
    text = write_positions([Lot("=X", Decimal(5), date(2024, 1, 2), Decimal(1))])

    assert read(text.replace("'=X", "=X")).lots == read(text).lots


def test_an_apostrophe_shields_neither_numbers_nor_other_symbols():
    text = write_positions([Lot("AAA", Decimal(5), date(2024, 1, 2), Decimal(1))])

    assert read(text.replace(",5,", ",'5,")).total_errors == 1
    assert read(text.replace("AAA", "'AAA")).total_errors == 1
