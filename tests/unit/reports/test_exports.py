import csv
import io
import json
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.acceptance.test_options import EXPIRY, add, lot, occ
from tests.acceptance.world import LAST
from tests.unit.reports.worlds import MON, THU, TUE, WED

from riskmark.domain.exports import Exported, FileFormat
from riskmark.errors import InputError
from riskmark.intake.formulas import STARTS
from riskmark.reports.exports import history_frame, load_history_table, load_lines, write_table
from riskmark.reports.history import COLUMNS, load_history
from riskmark.reports.snapshot import NotValued

TABLES = {
    Exported.POSITIONS: "position_value",
    Exported.FACTORS: "factor_exposure",
    Exported.STRESS: "stress_result",
    Exported.SECTORS: "sector_exposure",
}
NAMES = ("instrument_id", "model", "factor", "scenario", "sector")


@pytest.fixture
def book(world):
    world.add_prices("AAA")
    world.add_book("book", ("AAA", "SPY", "ZZZ"), MON)
    world.run()
    return world


def exported(world, what, **limits):
    with world.app.database.read() as connection:
        return load_lines(connection, world.app.principal, "book", what=what, **limits)


def written(frame, file_format=FileFormat.CSV):
    buffer = io.BytesIO()
    write_table(frame, file_format, buffer)
    return buffer.getvalue()


def assert_what_sql_reads(book, found, what):
    added = {"underlying", "mark_null", "mark_age_null", "weight_null", "shares_null"}
    fields = [name for name in found.columns if name not in {"session", "symbol", *added}]
    is_named = "symbol" in found.columns
    symbol = ", i.symbol" if is_named else ""
    join = "JOIN instrument i ON i.id = t.instrument_id" if is_named else ""
    listed = ", ".join(f't."{name}"' for name in fields)
    rows = book.rows(f"SELECT t.session{symbol}, {listed} FROM {TABLES[what]} t {join}")
    expected = [(str(row[0]), *row[1:]) for row in rows]
    mine = [(row[0].isoformat(), *row[1:]) for row in found.drop(*added, strict=False).iter_rows()]
    assert len(mine) == len(expected) > 0
    assert sorted(mine, key=str) == sorted(expected, key=str)


@pytest.mark.parametrize("what", TABLES)
def test_an_export_has_what_sql_reads_from_the_views(book, what):
    found = exported(book, what)

    assert_what_sql_reads(book, found, what)


@pytest.mark.parametrize("what", TABLES)
def test_a_book_with_options_is_exported_as_any_other(world, what):
    put = occ("AAA", EXPIRY, "put", 155)
    world.add_prices("AAA")
    add(world, "book", lot("AAA", 100, 100, MON), lot(put, 1, 4.5, MON))
    world.run()

    found = exported(world, what)

    assert_what_sql_reads(world, found, what)
    if what is Exported.POSITIONS:
        of_option = found.filter(pl.col("symbol") == put)
        assert of_option["underlying"].unique().to_list() == ["AAA"]
        assert of_option["delta"].null_count() == 0
        assert found.filter(pl.col("symbol") == "AAA")["delta"].null_count() == 4
    if what is Exported.STRESS:
        assert found["beyond_delta"].null_count() == 0


def test_sessions_without_options_have_nulls_beside_those_with_some(world):
    world.add_prices("AAA")
    put = occ("AAA", EXPIRY, "put", 155)
    add(world, "book", lot("AAA", 100, 100, MON), lot(put, 1, 4.5, WED))
    world.run()

    stress, held = (exported(world, what) for what in (Exported.STRESS, Exported.POSITIONS))

    without = stress.filter(pl.col("beyond_delta").is_null())
    assert without["session"].unique(maintain_order=True).to_list() == [MON, TUE]
    assert held.filter(pl.col("delta").is_not_null()).select("session", "symbol").rows() == [
        (WED, put), (THU, put),
    ]  # fmt: skip


def test_positions_are_in_the_order_of_sessions_and_symbols(book):
    found = exported(book, Exported.POSITIONS)

    assert found.select("session", "symbol").rows()[:4] == [
        (MON, "AAA"), (MON, "SPY"), (MON, "ZZZ"), (TUE, "AAA"),
    ]  # fmt: skip
    assert found.schema["mark_age"] == pl.Int64
    assert found.filter(pl.col("symbol") == "ZZZ")["mark_kind"].unique().to_list() == ["cost"]


def test_both_ends_of_a_range_are_included(book):
    found = exported(book, Exported.STRESS, first=TUE, last=WED)

    assert found["session"].unique(maintain_order=True).to_list() == [TUE, WED]


def test_a_range_without_sessions_is_an_error_that_names_the_newest(book):
    long_ago = {"first": date(2020, 1, 1), "last": date(2020, 2, 1)}
    message = "no snapshot from 2020-01-01 to 2020-02-01; the newest is of 2026-01-08"

    with pytest.raises(InputError, match=message):
        exported(book, Exported.POSITIONS, **long_ago)
    with book.app.database.read() as connection, pytest.raises(InputError, match=message):
        load_history_table(connection, book.app.principal, "book", **long_ago)


def test_an_export_before_any_run_says_what_to_do(world):
    world.add_book("book", ("AAA",), MON)

    with pytest.raises(NotValued, match="riskmark run"):
        exported(world, Exported.SECTORS)


def test_every_null_of_an_export_has_its_reason(world):
    put = occ("AAA", EXPIRY, "put", 155)
    world.add_prices("AAA")
    held = (lot("AAA", 100, 100, MON), lot("ZZZ", 1, 5, MON), lot(put, 1, 400, MON))
    add(world, "book", *held, equity=1)
    world.run()

    found = {what: exported(world, what) for what in TABLES}

    positions = found[Exported.POSITIONS]
    assert positions["weight"].null_count() > 0
    for frame in found.values():
        reasons = [name for name in frame.columns if name.endswith("_null")]
        for name in (one.removesuffix("_null") for one in reasons):
            if name not in {"greeks", "shares", "implied_vol"}:
                explained = frame[f"{name}_null"].is_not_null()
                assert (explained == frame[name].is_null()).all(), name
    options = positions.filter(pl.col("symbol") == put)
    assert options["implied_vol_null"].null_count() == 0
    reasons = positions.filter(pl.col("symbol") == "ZZZ")["mark_age_null"]
    assert reasons.unique().to_list() == ["never_priced"]
    shares = found[Exported.SECTORS]
    assert (shares["gross"].is_null() == shares["shares_null"].is_not_null()).all()
    assert set(shares["shares_null"].drop_nulls()) == set(positions["weight_null"].drop_nulls())
    assert "nav_reason" not in {*positions.columns, *shares.columns}


def test_a_range_that_ends_before_it_begins_is_refused(book):
    with pytest.raises(InputError, match="before it begins"):
        exported(book, Exported.FACTORS, first=LAST, last=MON)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-X", "@A", "\tA", "\rA", "\0A"])
def test_a_text_that_a_spreadsheet_would_compute_is_shielded_in_csv_alone(text):
    frame = pl.DataFrame({"symbol": [text, "A=1", None], "weight": [-0.5, 1.0, None]})

    rows = pl.read_csv(written(frame))
    kept = pl.read_parquet(io.BytesIO(written(frame, FileFormat.PARQUET)))

    assert rows["symbol"].to_list() == [f"'{text}", "A=1", None]
    assert rows["weight"].to_list() == [-0.5, 1.0, None]
    assert kept.equals(frame)


def test_a_history_is_written_with_its_columns(book):
    with book.app.database.read() as connection:
        history = load_history(connection, book.app.principal, "book")

    frame = history_frame(history)

    assert tuple(frame.columns) == (*COLUMNS, "nulls")
    assert json.loads(frame["nulls"][0])["pnl_hypothetical"] == "first_session"
    assert frame.filter(pl.col("pnl_hypothetical").is_not_null() & (pl.col("session") > MON))[
        "nulls"
    ].null_count()
    assert pl.read_csv(written(frame), try_parse_dates=True)["nav"].to_list() == [
        row["nav"] for row in history.document()
    ]


@given(st.lists(st.text(max_size=6) | st.sampled_from(["=1+1", "@A", "-1", "+x", "\t=1"])))
def test_no_text_of_a_file_is_a_formula(texts):
    frame = pl.DataFrame(
        {"text": texts, "place": range(len(texts))}, schema={"text": pl.String, "place": pl.Int64}
    )

    content = written(frame).decode()

    rows = list(csv.reader(io.StringIO(content, newline="")))[1:]
    assert len(rows) == len(texts)
    for (cell, _), text in zip(rows, texts, strict=True):
        assert cell[:1] not in {*STARTS}
        assert cell in {text, f"'{text}"}
