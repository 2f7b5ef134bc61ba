"""Versions: what must be the same for a stored answer to be given again.

A few rows say it, so that a reader who has the answer costs nothing more.
"""

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection, desc, select

from riskmark.storage import ledger, schema


class SessionVersion(NamedTuple):
    """What decides what is shown of a session.

    ``revision`` is that of all inputs: what is computed when it is shown reads prices.
    """

    session: date
    revision: int
    run_id: str
    computed_at: datetime
    settings_hash: str
    engine_version: int
    snapshots: int
    pruned_at: datetime | None


def load_version(
    connection: Connection, portfolio_id: str, session: date | None = None
) -> SessionVersion | None:
    """Return the version of a stored session, by default the newest; None if it is not stored."""
    snapshot, progress, pack = schema.snapshot, schema.portfolio_progress, schema.cell_pack
    statement = (
        select(
            snapshot.c.session,
            snapshot.c.run_id,
            snapshot.c.computed_at,
            snapshot.c.settings_hash,
            snapshot.c.engine_version,
            progress.c.snapshots,
            pack.c.pruned_at,
        )
        .join(progress, progress.c.portfolio_id == snapshot.c.portfolio_id)
        .outerjoin(
            pack,
            (pack.c.portfolio_id == snapshot.c.portfolio_id)
            & (pack.c.session == snapshot.c.session),
        )
        .where(snapshot.c.portfolio_id == portfolio_id)
        .order_by(desc(snapshot.c.session))
        .limit(1)
    )
    if session is not None:
        statement = statement.where(snapshot.c.session == session)
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    return SessionVersion(
        session=row.session,
        revision=ledger.current_revision(connection),
        run_id=row.run_id,
        computed_at=row.computed_at,
        settings_hash=row.settings_hash,
        engine_version=row.engine_version,
        snapshots=row.snapshots,
        pruned_at=row.pruned_at,
    )
