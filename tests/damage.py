"""Damage to stored results: UPDATE and DELETE, also of lines, which are packed by cell."""

import re
from collections import defaultdict

from sqlalchemy import text

from riskmark.storage import lines

PACKS = {
    "position_value": ("positions", lines.POSITION_FIELDS + lines.OPTION_FIELDS),
    "factor_exposure": ("exposures", lines.EXPOSURE_FIELDS),
    "stress_result": ("stress", (*lines.STRESS_FIELDS, lines.BEYOND_DELTA)),
    "sector_exposure": ("sectors", lines.SECTOR_FIELDS),
}
_TARGET = re.compile(r"(UPDATE|DELETE FROM) (\w+)")


def damage(connection, statement, values=None):
    """Run an UPDATE or a DELETE; one of lines changes the packs that they are in."""
    match = _TARGET.match(statement)
    if match is None or match[2] not in PACKS:
        connection.execute(text(statement), values or {})
        return
    column, fields = PACKS[match[2]]
    connection.execute(text(f"CREATE TEMPORARY TABLE damaged AS SELECT * FROM {match[2]}"))
    connection.execute(text(_TARGET.sub(r"\1 damaged", statement, count=1)), values or {})
    names = ", ".join(f'"{name}"' for name in ("portfolio_id", "session", *fields))
    left = defaultdict(list)
    for portfolio, session, *line in connection.execute(text(f"SELECT {names} FROM damaged")):
        left[portfolio, session].append(line)
    connection.execute(text("DROP TABLE damaged"))
    for cell in connection.execute(text("SELECT portfolio_id, session FROM cell_pack")).all():
        change = f"UPDATE cell_pack SET {column} = :pack WHERE portfolio_id = :p AND session = :s"
        pack = lines.pack_lines(left[tuple(cell)])
        connection.execute(text(change), {"pack": pack, "p": cell[0], "s": cell[1]})
