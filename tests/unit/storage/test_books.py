"""Portfolios: made, found, listed, deleted, and seen only by whom they concern."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import insert, select
from tests.support import START

from riskmark.domain.portfolio import AccountType, Mode
from riskmark.errors import AmbiguousPortfolio, InputError, UnknownPortfolio
from riskmark.storage import books, schema
from riskmark.storage.books import (
    LOCAL_OPERATOR,
    Account,
    PortfolioExists,
    Principal,
    create_portfolio,
    delete_portfolio,
    find_portfolio,
    list_portfolios,
)

AT = datetime(2026, 3, 2, 15, tzinfo=UTC)
ANN, BEN = Principal("ann"), Principal("ben")


def create(connection, name, *, principal=LOCAL_OPERATOR, **account):
    return create_portfolio(connection, principal, Account(name, **account), currency="USD", at=AT)


@pytest.fixture
def accounts(database):
    with database.write() as connection:
        rows = [
            {"id": key, "name": key, "role": "owner", "created_at": START} for key in ("ann", "ben")
        ]
        connection.execute(insert(schema.account), rows)
    return database


def test_a_portfolio_is_found_by_its_name_and_by_its_id(database):
    with database.write() as connection:
        made = create(
            connection,
            "  growth ",
            account_name="At the bank",
            account_type=AccountType.TAXABLE,
            opening_equity=Decimal("1000.5"),
        )

    with database.read() as connection:
        by_name = find_portfolio(connection, LOCAL_OPERATOR, "growth")
        by_id = find_portfolio(connection, LOCAL_OPERATOR, made.portfolio_id)
    assert by_name == by_id == made
    assert made.name == "growth"
    assert (made.account_name, made.account_type) == ("At the bank", AccountType.TAXABLE)
    assert (made.opening_equity, made.mode) == (Decimal("1000.5"), Mode.EQUITY)


def test_a_portfolio_without_an_equity_is_in_holdings_mode(database):
    with database.write() as connection:
        assert create(connection, "holdings").mode is Mode.HOLDINGS


def test_a_new_portfolio_has_a_progress_row_at_the_present_revision(database):
    with database.write() as connection:
        made = create(connection, "growth")
        rows = connection.execute(select(schema.portfolio_progress)).all()

    assert [(row.portfolio_id, row.snapshots, row.inputs_revision) for row in rows] == [
        (made.portfolio_id, 0, 0)
    ]


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "two\nlines", "nul\x00"])
def test_a_name_that_cannot_be_shown_is_refused(database, name):
    with database.write() as connection, pytest.raises(InputError, match="name"):
        create(connection, name)


@pytest.mark.parametrize("equity", ["0", "-1"])
def test_an_opening_equity_must_be_positive(database, equity):
    with database.write() as connection, pytest.raises(InputError, match="positive"):
        create(connection, "growth", opening_equity=Decimal(equity))


def test_an_owner_has_no_two_live_portfolios_of_one_name(database):
    with database.write() as connection:
        create(connection, "growth")

    with database.write() as connection:
        with pytest.raises(PortfolioExists, match="growth"):
            create(connection, "growth")
        create(connection, "Growth")

    with database.read() as connection:
        names = [one.name for one in list_portfolios(connection, LOCAL_OPERATOR)]
    assert names == ["Growth", "growth"]


def test_the_name_of_a_deleted_portfolio_is_free_again(database):
    with database.write() as connection:
        first = create(connection, "growth")
        delete_portfolio(connection, LOCAL_OPERATOR, "growth", at=AT)
        second = create(connection, "growth")

    with database.read() as connection:
        assert find_portfolio(connection, LOCAL_OPERATOR, "growth") == second
        with pytest.raises(UnknownPortfolio):
            find_portfolio(connection, LOCAL_OPERATOR, first.portfolio_id)
        rows = connection.execute(select(schema.portfolio.c.deleted_at)).scalars().all()
    assert sorted(rows, key=str) == sorted([AT, None], key=str)


def test_an_owner_sees_only_what_is_theirs_and_the_operator_sees_all(accounts):
    with accounts.write() as connection:
        hers = create(connection, "growth", principal=ANN)
        his = create(connection, "growth", principal=BEN)

    with accounts.read() as connection:
        assert find_portfolio(connection, ANN, "growth") == hers
        assert list_portfolios(connection, BEN) == [his]
        with pytest.raises(UnknownPortfolio):
            find_portfolio(connection, BEN, hers.portfolio_id)
        with pytest.raises(AmbiguousPortfolio) as error:
            find_portfolio(connection, LOCAL_OPERATOR, "growth")
        assert set(error.value.ids) == {hers.portfolio_id, his.portfolio_id}
        assert len(list_portfolios(connection, LOCAL_OPERATOR)) == 2


def test_an_id_wins_over_a_name_that_looks_like_it(database):
    with database.write() as connection:
        made = create(connection, "growth")
        create(connection, made.portfolio_id)

        assert find_portfolio(connection, LOCAL_OPERATOR, made.portfolio_id) == made


def test_ids_are_short_and_easy_to_read_out():
    found = {books.new_id() for _ in range(1000)}

    assert len(found) == 1000
    assert {len(one) for one in found} == {12}
    assert not set("".join(found)) & set("iloIUO")
