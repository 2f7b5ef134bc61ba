"""Cells for tests: a row of every result table, and the progress rows beside them."""

from sqlalchemy import insert
from tests.market import AT, add_portfolio

from riskmark.domain.measures import STORED
from riskmark.planning.facts import Version
from riskmark.storage import results, schema
from riskmark.storage.engines import bind_date, bind_instant
from riskmark.storage.lines import pack_lines

NOW = Version(1, "settings")


def add_progress(connection, *portfolios, revision=1):
    """Store portfolios whose ids are their names, with nothing computed."""
    for portfolio in portfolios:
        add_portfolio(connection, portfolio)
        connection.execute(
            insert(schema.portfolio_progress).values(
                portfolio_id=portfolio,
                snapshots=0,
                inputs_revision=revision,
                engine_version=1,
                settings_hash="settings",
            )
        )


def write_cells(connection, *cells, nav=100.0):
    """Write a row of every result table for each cell."""
    for portfolio, session in cells:
        day = bind_date(connection, session)
        measures = [nav if name == "nav" else None for name in STORED]
        snapshot = (
            portfolio, day, "complete", 1, *measures, None, None, None, None, "[]", "{}", "{}",
            "run", bind_instant(connection, AT), 3, 1, "settings",
        )  # fmt: skip
        position = (7, 1.0, 2.0, "close", 0, 2.0, 0.5, 0.1, 1.1, None, 0.01, None)
        exposure = (
            "market", "Market", 1.0, None, 2.0, None, 0.1, None, 1.0, None,
            None, "not_defined",
        )  # fmt: skip
        stress = ("market_up_5", 0.1, None, 0.2, None)
        sector = ("Energy", 0.5, 0.0, 0.5, 0.5)
        packs = [pack_lines([line]) for line in (position, exposure, stress, sector)]
        results.save_cells(
            connection, [(portfolio, session)], [snapshot], [(portfolio, day, *packs)]
        )
