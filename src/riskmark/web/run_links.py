"""Where a run can be opened, by somebody who may open it."""

from collections.abc import Collection

from sqlalchemy import Connection

from riskmark.api.identity import Caller
from riskmark.api.runs import viewer_of
from riskmark.reports.runs import select_visible


def find_addresses(
    connection: Connection, viewer: Caller, run_ids: Collection[str]
) -> dict[str, str]:
    """Return the pages of those of these runs that the viewer may open, by their ids.

    A run that somebody else asked for, or the schedule, only an admin opens: in operation.
    """
    own = select_visible(connection, viewer.principal, run_ids)
    every = select_visible(connection, viewer_of(viewer), run_ids)
    return {one: f"/runs/{one}" if one in own else f"/operation/runs/{one}" for one in every}
