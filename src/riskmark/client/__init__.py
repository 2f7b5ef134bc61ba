"""A client of the REST interface, for programs that do not stand beside the installation.

    with Client("https://risk.example.com", token="rmt_…") as client:
        made = client.onboard("growth", Path("positions.csv"), opening_equity=100_000)
        for event in client.follow(made.run):
            ...
        snapshot = client.portfolio(made.id).snapshot()
        snapshot.risk["volatility"]

It knows the interface and nothing of the server: importing it imports no database, no numerics
and no web framework. Answers are structs; the sections of numbers in them are mappings with the
names of ``riskmark show --json``. What an answer has more, a client of an older version passes
over. Every failure is an ``ApiError``.
"""

from riskmark.client.client import AdminClient, Client
from riskmark.client.errors import ApiError, FieldError
from riskmark.client.portfolios import Lots, PortfolioClient
from riskmark.client.runs import RunEvent

__all__ = [
    "AdminClient",
    "ApiError",
    "Client",
    "FieldError",
    "Lots",
    "PortfolioClient",
    "RunEvent",
]
