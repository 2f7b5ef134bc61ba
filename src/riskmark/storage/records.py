"""Reads of millions of rows from PostgreSQL, in its own binary form, into NumPy records.

Apart from ``storage.engines``, which every command imports: few commands need NumPy.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from riskmark.storage.engines import driver_cursor

_HEAD = 19
"""Bytes before the first row of a binary copy: a signature, flags, an empty extension."""
_TAIL = 2
"""Bytes after its last row."""


def copy_records(
    connection: Connection, statement: str, values: Sequence[Any], fields: Mapping[str, str]
) -> npt.NDArray[np.void]:
    """Run a SELECT on PostgreSQL and return its rows as records: for reads of millions.

    ``fields`` are the names and NumPy types of its columns, which are numbers of those very
    sizes (``i4``, ``i8``, ``f8``) and never null. Values stand as ``?`` in ``statement``.
    """
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in fields.items():
        layout += [(f"size of {name}", ">i4"), (name, f">{kind}")]
    copied = f"COPY ({statement.replace('?', '%s')}) TO STDOUT (FORMAT BINARY)"
    with driver_cursor(connection, copied) as cursor, cursor.copy(copied, tuple(values)) as copy:
        data = b"".join(copy)
    body = memoryview(data)[_HEAD:-_TAIL]
    return np.frombuffer(body, dtype=np.dtype(layout))
