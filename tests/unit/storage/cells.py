"""Cells for tests: a row of every result table, and the progress rows beside them."""

from sqlalchemy import insert
from tests.market import AT, add_portfolio

from riskmark.domain.measures import STORED
from riskmark.planning.facts import Version
from riskmark.storage import results, schema
from riskmark.storage.engines import bind_date, bind_instant

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
        position = (portfolio, day, 7, 1.0, 2.0, "close", 0, 2.0, 0.5, 0.1, 1.1, None, 0.01, None)
        exposure = (
            portfolio, day, "market", "Market", 1.0, None, 2.0, None, 0.1, None, 1.0, None,
            None, "not_defined",
        )  # fmt: skip
        stress = (portfolio, day, "market_up_5", 0.1, None, 0.2, None)
        sector = (portfolio, day, "Energy", 0.5, 0.0, 0.5, 0.5)
        for table, columns, row in (
            (schema.snapshot, results.SNAPSHOT_COLUMNS, snapshot),
            (schema.position_value, results.POSITION_COLUMNS, position),
            (schema.factor_exposure, results.EXPOSURE_COLUMNS, exposure),
            (schema.stress_result, results.STRESS_COLUMNS, stress),
            (schema.sector_exposure, results.SECTOR_COLUMNS, sector),
        ):
            results.insert_rows(connection, table, columns, [row])
