"""What of a provider's profile is taken, and what contradicts what is known."""

from dataclasses import replace

import pytest

from riskmark.domain.instruments import InstrumentKind
from riskmark.planning.profiles import PEOPLE, Known, Said, Settled, settle

STOCK, ETF, FUND, INDEX = (InstrumentKind(kind) for kind in ("stock", "etf", "fund", "index"))
GUESS = Known("AAA", STOCK, None, None, "USD", has_prices=True)
TOLD = replace(
    GUESS,
    name="Acme Inc.",
    sector="Energy",
    kind_by="fmp",
    name_by="fmp",
    sector_by="fmp",
)


def said(**values):
    return Said("fmp", **values)


def test_blanks_and_guesses_are_filled():
    answer = said(kind=STOCK, name=" Acme   Inc. ", sector="Technology", currency="USD")

    assert settle(GUESS, answer) == Settled(STOCK, "Acme Inc.", "Information Technology")


def test_the_same_answer_again_is_no_news():
    answer = said(kind=STOCK, name="Acme Inc.", sector="Energy", currency="USD")

    assert settle(TOLD, answer) == Settled()


def test_a_provider_may_say_anew_what_it_said_before():
    answer = said(kind=STOCK, name="Acme Incorporated", sector="Healthcare")

    assert settle(TOLD, answer) == Settled(None, "Acme Incorporated", "Health Care")


def test_another_provider_may_not():
    answer = Said("massive", name="Acme Incorporated", sector="Healthcare")

    assert settle(TOLD, answer) == Settled()


def test_what_people_said_is_never_overwritten():
    by_people = replace(TOLD, kind_by=PEOPLE, name_by=PEOPLE, sector_by=PEOPLE)

    answer = said(kind=STOCK, name="Acme Incorporated", sector="Healthcare")

    assert settle(by_people, answer) == Settled()
    assert by_people.is_settled_by_people


def test_a_fund_has_no_sector_whatever_a_vendor_files_it_under():
    assert settle(GUESS, said(kind=ETF, name="X", sector="Financial Services")).sector is None


def test_a_sector_that_is_none_of_gics_is_not_taken():
    assert settle(GUESS, said(kind=STOCK, sector="Shell Companies")).sector is None


def test_a_kind_that_a_provider_has_no_word_for_says_nothing():
    assert settle(TOLD, said(kind=InstrumentKind.OTHER)) == Settled()


def test_funds_of_both_sorts_and_indexes_are_not_argued_about():
    fund = replace(TOLD, kind=ETF, sector=None, sector_by=None)
    index = Known("^GSPC", INDEX, "S&P 500", None, "USD")

    assert settle(fund, said(kind=FUND)).conflict is None
    assert settle(index, said(kind=STOCK)).conflict is None


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (said(currency="EUR"), "currency EUR"),
        (said(kind=ETF), "kind etf, not stock"),
        (said(name="Young Pharma Plc"), "'Young Pharma Plc', not 'Acme Inc.'"),
    ],
)
def test_a_contradiction_is_named_and_nothing_of_the_answer_is_taken(answer, word):
    found = settle(TOLD, answer._replace(sector="Utilities"))

    assert word in found.conflict
    assert found[:4] == (None, None, None, None)


def test_before_there_are_prices_the_currency_is_taken():
    blank = replace(GUESS, has_prices=False)

    assert settle(blank, said(currency="EUR")).currency == "EUR"
    assert settle(replace(blank, currency_by=PEOPLE), said(currency="EUR")).currency is None


def test_pence_and_pounds_are_no_other_company():
    assert settle(replace(GUESS, currency="GBp"), said(currency="GBP")).conflict is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme Inc.", "ACME Holdings Corporation"),
        ("Intl Business Machines", "International Business Machines Corp"),
        ("IBM", "International Business Machines"),
        ("AAA", "American Automobiles"),
        ("The Coca-Cola Co", "Coca Cola Company"),
    ],
)
def test_names_of_one_company_may_be_written_in_many_ways(one, other):
    assert settle(replace(TOLD, name=one), said(name=other)).conflict is None
    assert settle(replace(TOLD, name=other), said(name=one)).conflict is None
