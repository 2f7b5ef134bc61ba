"""Lines: the lists beside a snapshot or an instrument, packed into one row of JSON arrays.

A cell has about ninety lines: positions, exposures to factors, stress results, sectors. They
are written, replaced and read together, and never one by one; as one row they take a fifth of
the time and a third of the space (``docs/decisions``). SQL reads them as tables of their own,
``position_value``, ``factor_exposure``, ``stress_result``, ``sector_exposure`` and
``symbol_fit``, which are views: an array is a row, in the order of the fields below.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Connection

from riskmark.calc.arrays import IntArray
from riskmark.storage.key_lists import run_statement

POSITION_FIELDS = (
    "instrument_id",
    "quantity",
    "mark",
    "mark_kind",
    "mark_age",
    "market_value",
    "weight",
    "pnl",
    "beta",
    "beta_null",
    "component_es_95",
    "component_es_95_null",
)
OPTION_FIELDS = (
    "booked_to",
    "exposure",
    "units",
    "underlying_price",
    "volatility",
    "delta",
    "gamma",
    "vega",
    "theta",
    "rho",
    "greeks_null",
    "implied_vol",
    "implied_vol_null",
)
"""What the line of an option goes on with; other positions end before it, and SQL reads nulls."""
EXPOSURE_FIELDS = (
    "model",
    "factor",
    "exposure",
    "exposure_null",
    "money",
    "money_null",
    "stderr",
    "stderr_null",
    "coverage",
    "coverage_null",
    "risk_share",
    "risk_share_null",
)
STRESS_FIELDS = ("scenario", "direct", "direct_null", "predictive", "predictive_null")
BEYOND_DELTA = "beyond_delta"
"""What a stress line may go on with: the part of ``direct`` that options add."""
SECTOR_FIELDS = ("sector", "long", "short", "net", "gross")
FIT_FIELDS = (
    "model",
    "factor",
    "n",
    "alpha",
    "beta",
    "stderr",
    "r2",
    "residual_sd",
    "quality",
    "reason",
    "stderr_hac",
    "vif",
)
NO_LINES = "[]"

OF_CELLS = ("position_value", "factor_exposure", "stress_result", "sector_exposure")
"""The views of the lines of cells."""
LAID_OUT = 100_000
"""Cells whose lines are laid out at once: about a gigabyte."""

_encoder = msgspec.json.Encoder()


def pack_lines(lines: Sequence[Sequence[Any]]) -> str:
    """Write lines as a JSON array of arrays; NaN becomes null, numbers keep every digit."""
    return _encoder.encode(lines).decode()


def pack_by_cell(lines: Sequence[Sequence[Any]], cell: IntArray, *, count: int) -> Iterator[str]:
    """Pack the lines of each of ``count`` cells; ``cell`` says whose each is, and ascends."""
    bounds = np.searchsorted(cell, np.arange(count + 1)).tolist()
    return (pack_lines(lines[start:stop]) for start, stop in pairwise(bounds))


def pack_columns(columns: Sequence[Sequence[Sequence[Any]]], *, count: int) -> list[str]:
    """Pack lines of which each of ``count`` cells has the same: for each line, one of a cell."""
    if not columns:
        return [NO_LINES] * count
    return [pack_lines(lines) for lines in zip(*columns, strict=True)]


@contextmanager
def laid_out(connection: Connection, *, cells: int) -> Iterator[None]:
    """Lay the lines of cells out as rows, for many questions about all of them.

    SQLite parses a pack whenever a view is read. A temporary table of a view's name is found
    before it, and parsed once; beyond ``LAID_OUT`` cells it would take too much of the disk.
    """
    if connection.dialect.name != "sqlite" or cells > LAID_OUT:
        yield
        return
    for view in OF_CELLS:
        run_statement(connection, f'CREATE TEMP TABLE "{view}" AS SELECT * FROM main."{view}"')
    try:
        yield
    finally:
        for view in OF_CELLS:
            run_statement(connection, f'DROP TABLE temp."{view}"')
