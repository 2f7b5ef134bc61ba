"""Which portfolios a caller may name: his own, and to read those that were granted to him.

What is somebody else's is as unknown as what does not exist. Portfolios are named by id.
"""

from http import HTTPStatus

from sqlalchemy import Connection

from riskmark.api.identity import Caller
from riskmark.api.problems import Problem
from riskmark.domain.portfolio import Portfolio
from riskmark.errors import UnknownPortfolio
from riskmark.storage.books import find_portfolio


def find_visible(connection: Connection, caller: Caller, portfolio_id: str) -> Portfolio:
    """Return a portfolio that the caller may read."""
    found = find_portfolio(connection, caller.principal, portfolio_id)
    if found.portfolio_id != portfolio_id:
        raise UnknownPortfolio(portfolio_id)
    return found


def find_own(connection: Connection, caller: Caller, portfolio_id: str) -> Portfolio:
    """Return a portfolio that the caller may change; 403 if it was granted to him to read."""
    found = find_visible(connection, caller, portfolio_id)
    if found.owner_id != caller.account.account_id:
        detail = "this portfolio was granted to you to read; its owner alone changes it"
        raise Problem(HTTPStatus.FORBIDDEN, "not_owner", detail)
    return found
