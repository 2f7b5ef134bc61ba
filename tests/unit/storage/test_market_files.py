"""Files of bars and actions: what is read, and everything that is wrong, at once."""

import gzip
from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmark.errors import InputError
from riskmark.intake.market_data import Action, ActionKind
from riskmark.storage.file_issues import MarketFileErrors
from riskmark.storage.market_files import read_market_files

HEADER = "date,symbol,open,high,low,close,volume\n"
GOOD = HEADER + "2024-01-02,aapl,1,2,0.5,1.5,100\n2024-01-03,MSFT,,,,2.5,\n"


def written(folder, content, name="bars.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows_of(bars):
    return [
        (bars.symbols[symbol], session, close)
        for symbol, session, close in zip(
            bars.symbol, bars.session.tolist(), bars.close.tolist(), strict=True
        )
    ]


def issues_of(path, *arguments, **options):
    with pytest.raises(MarketFileErrors) as caught:
        read_market_files(path, *arguments, **options)
    return [(i.row, i.column, i.value) for i in caught.value.issues]


def test_bars_are_read(tmp_path):
    bars, actions = read_market_files(written(tmp_path, GOOD))

    assert rows_of(bars) == [
        ("AAPL", date(2024, 1, 2), 1.5),
        ("MSFT", date(2024, 1, 3), 2.5),
    ]
    assert (bars.open[0], bars.high[0], bars.low[0], bars.volume[0]) == (1, 2, 0.5, 100)
    assert np.isnan([bars.open[1], bars.high[1], bars.low[1], bars.volume[1]]).all()
    assert actions == ()


def test_columns_may_stand_in_any_order_and_case_beside_others(tmp_path):
    text = "Adj Close,CLOSE,Note, Symbol ,Date\n9,1.5,x,AAPL,2024-01-02\n"

    bars, _ = read_market_files(written(tmp_path, text))

    assert rows_of(bars) == [("AAPL", date(2024, 1, 2), 1.5)]


def test_numbers_may_be_written_as_programs_write_them(tmp_path):
    text = "date,symbol,close\n2024-01-02,A,1.5e+02\n2024-01-02,B, .5 \n2024-01-02,C,+3.\n"

    bars, _ = read_market_files(written(tmp_path, text))

    assert bars.close.tolist() == [150.0, 0.5, 3.0]


def test_a_bar_without_a_close_is_not_observed(tmp_path):
    bars, _ = read_market_files(written(tmp_path, HEADER + "2024-01-02,AAPL,1,1,1, ,5\n"))

    assert len(bars) == 1
    assert np.isnan(bars.close).all()


def test_blank_lines_and_a_byte_order_mark_are_skipped(tmp_path):
    text = "\ufeffdate,symbol,close\n\n2024-01-02,A,1\n\n2024-01-03,A,x\n"

    assert issues_of(written(tmp_path, text)) == [(5, "close", "x")]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_gzipped_file_is_read_whatever_its_name(tmp_path, line_end):
    packed = gzip.compress(GOOD.replace("\n", line_end).encode(), mtime=0)

    for name in ("bars.csv.gz", "bars"):
        bars, _ = read_market_files(written(tmp_path, packed, name))
        assert len(bars) == 2


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("close", ["x", "1,5", "NaN", "inf", "1e999", "1_000", "0x10", "١٢٣", "--1", "1e5000"]),
        ("close", ["0", "-1", "0.0"]),
        ("close", ["1e9", "1000000000.5", "1e300"]),
        ("volume", ["-1", "many", "1e15"]),
        ("open", ["x", "Infinity", "1e9", "-1e9"]),
        ("date", ["", "2024-02-30", "2024-1-2", "20240102", "02/01/2024", "2024-01-02 x"]),
        ("symbol", ["", "A B", "A" * 21, "ﬁ", "A\x00", "AAPL_X", "ß", "---"]),
    ],
)
def test_every_bad_field_is_named_with_its_row(tmp_path, column, values):
    fields = {"date": "2024-01-02", "symbol": "A", "close": "1", "volume": "1", "open": "1"}
    lines = [
        ",".join(f'"{text}"' for text in (fields | {"symbol": f"S{n}"} | {column: value}).values())
        for n, value in enumerate(values)
    ]
    text = ",".join(fields) + "\n" + "\n".join(lines) + "\n"

    found = issues_of(written(tmp_path, text))

    assert [(row, name) for row, name, _ in found] == [(n + 2, column) for n in range(len(values))]
    assert [value for _, _, value in found] == values


def test_all_errors_of_a_row_and_of_both_files_come_at_once(tmp_path):
    bars = written(tmp_path, HEADER + "2024-13-01,A B,x,1,1,-1,-5\n")
    actions = written(tmp_path, "symbol,ex_date,type,value\nA,2024-01-02,gift,0\n", "actions.csv")

    found = issues_of(bars, actions)

    assert sorted(found) == [
        (2, "close", "-1"),
        (2, "date", "2024-13-01"),
        (2, "open", "x"),
        (2, "symbol", "A B"),
        (2, "type", "gift"),
        (2, "value", "0"),
        (2, "volume", "-5"),
    ]


def test_a_thousand_errors_are_listed_and_all_are_counted(tmp_path):
    text = "date,symbol,close\n" + "2024-01-02,A,x\n" * 1500

    with pytest.raises(MarketFileErrors) as caught:
        read_market_files(written(tmp_path, text))

    assert caught.value.total == 1500
    assert len(caught.value.issues) == 1000
    assert str(caught.value).startswith("1,500 errors in the file; the first: bars.csv, row 2: ")


def test_an_index_may_be_a_rate_below_zero(tmp_path):
    text = "date,symbol,close\n2024-01-02,^IRX,-0.03\n2024-01-03,^IRX,0\n"

    bars, _ = read_market_files(written(tmp_path, text))

    assert bars.close.tolist() == [-0.03, 0.0]


def test_two_different_bars_of_a_symbol_and_date_are_an_error(tmp_path):
    text = (
        "date,symbol,close,volume\n"
        "2024-01-02,A,1,5\n"
        "2024-01-02,a,1.0,5\n"
        "2024-01-02,A,2,5\n"
        "2024-01-02,A,1,\n"
    )

    found = issues_of(written(tmp_path, text))

    assert [(row, column) for row, column, _ in found] == [(4, "symbol"), (5, "symbol")]
    assert found[0][2] == "A 2024-01-02"


def test_equal_bars_are_kept_and_unobserved_ones_contradict_nothing(tmp_path):
    text = "date,symbol,close\n2024-01-02,A,1\n2024-01-02,A,1.00\n2024-01-02,A,\n"

    bars, _ = read_market_files(written(tmp_path, text))

    assert np.isnan(bars.close).tolist() == [False, False, True]


@pytest.mark.parametrize("kind", ["csv", "typed", "untyped"])
def test_a_file_without_rows_gives_nothing(tmp_path, kind):
    if kind == "csv":
        bars = written(tmp_path, "date,symbol,close,currency\n")
        actions = written(tmp_path, "symbol,ex_date,type,value\n", "actions.csv")
    else:
        types = {"close": pl.Float64, "value": pl.Float64} if kind == "typed" else {}
        bars, actions = tmp_path / "bars.parquet", tmp_path / "actions.parquet"
        for path, names in (
            (bars, ("date", "symbol", "close")),
            (actions, ("symbol", "ex_date", "type", "value")),
        ):
            columns = {name: pl.Series([], dtype=types.get(name, pl.Null)) for name in names}
            pl.DataFrame(columns).write_parquet(path)

    found, acted = read_market_files(bars, actions)

    assert (found.symbols, len(found), found.symbol.dtype, acted) == ((), 0, np.int64, ())


def test_a_folder_is_read_as_one(tmp_path):
    written(tmp_path, "date,symbol,close\n2024-01-02,A,1\n", "a.csv")
    written(tmp_path, gzip.compress(b"date,symbol,close\n2024-01-02,B,1\n", mtime=0), "b.CSV.gz")
    pl.DataFrame({"date": [date(2024, 1, 2)], "symbol": ["C"], "close": [1.0]}).write_parquet(
        tmp_path / "c.parquet"
    )
    written(tmp_path, "no bars", "notes.txt")

    bars, _ = read_market_files(tmp_path)

    assert bars.symbols == ("A", "B", "C")


def test_different_bars_in_two_files_are_an_error_of_the_second(tmp_path):
    written(tmp_path, "date,symbol,close\n2024-01-02,A,1\n", "a.csv")
    written(tmp_path, "date,symbol,close\n2024-01-02,A,2\n", "b.csv")

    with pytest.raises(MarketFileErrors) as caught:
        read_market_files(tmp_path)

    assert [issue.file for issue in caught.value.issues] == ["b.csv"]


@pytest.mark.parametrize("path", ["nothing.csv", ""])
def test_a_path_without_files_is_an_input_error(tmp_path, path):
    with pytest.raises(InputError, match=r"there is no file|holds no"):
        read_market_files(tmp_path / path)


@pytest.mark.parametrize(
    ("content", "column"),
    [
        ("symbol,close\nA,1\n", "date"),
        ("date;symbol;close\n2024-01-02;A;1\n", "date"),
        ("date,symbol,close,close\n2024-01-02,A,1,2\n", "close"),
        ("Date,date,symbol,close\n2024-01-02,2024-01-02,A,1\n", None),
        ("date,symbol,close\n2024-01-02,A,1,2\n", None),
        ("", None),
        (b"date,symbol,close\n2024-01-02,A,\xff\n", None),
        ("date,symbol,close\n2024-01-02,A,1\n".encode("utf-16"), "date"),
        (gzip.compress(GOOD.encode(), mtime=0)[:40], None),
        (b"\x1f\x8bnot gzip", None),
        (b"\x00" * 100, "date"),
    ],
)
def test_a_file_that_cannot_be_read_says_so(tmp_path, content, column):
    found = issues_of(written(tmp_path, content))

    assert found[0][:2] == (None, column)


def test_a_header_alone_is_a_file_without_bars(tmp_path):
    bars, _ = read_market_files(written(tmp_path, HEADER))

    assert len(bars) == 0


@given(content=st.binary(max_size=200))
def test_any_bytes_give_bars_or_an_input_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    path.write_bytes(content)

    try:
        bars, _ = read_market_files(path)
    except InputError:
        return
    assert len(bars) == 0


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
FIELDS = st.one_of(st.sampled_from(["", "1", "-1", "1e9", "A", "2024-01-02", '"', ","]), TEXTS)


@given(rows=st.lists(st.tuples(FIELDS, FIELDS, FIELDS), max_size=4))
def test_any_fields_give_bars_or_an_input_error(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "fields.csv"
    lines = [",".join(f'"{text.replace(chr(34), chr(34) * 2)}"' for text in row) for row in rows]
    path.write_text("\n".join(["date,symbol,close", *lines]) + "\n", "utf-8", "surrogatepass")

    try:
        bars, _ = read_market_files(path)
    except InputError:
        return
    assert not (bars.close <= 0).any() or all(s.startswith("^") for s in bars.symbols)


def test_parquet_columns_keep_their_types(tmp_path):
    path = tmp_path / "bars.parquet"
    pl.DataFrame(
        {
            "date": [datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 3, tzinfo=UTC)],
            "symbol": pl.Series(["A", "B"], dtype=pl.Categorical),
            "close": [1.5, float("nan")],
            "volume": [100, None],
        }
    ).write_parquet(path)

    bars, _ = read_market_files(path)

    assert rows_of(bars)[0] == ("A", date(2024, 1, 2), 1.5)
    assert np.isnan(bars.close[1])
    assert bars.volume[0] == 100


def test_what_is_wrong_in_parquet_is_named_by_record(tmp_path):
    path = tmp_path / "bars.parquet"
    pl.DataFrame(
        {
            "date": [datetime(2024, 1, 2, 15, tzinfo=UTC), None],
            "symbol": ["A", "B"],
            "close": [float("inf"), -1.0],
        }
    ).write_parquet(path)

    found = issues_of(path)

    assert [(row, column) for row, column, _ in found] == [
        (1, "close"),
        (1, "date"),
        (2, "close"),
        (2, "date"),
    ]


def test_parquet_of_lists_or_bytes_or_nothing_is_refused(tmp_path):
    path = tmp_path / "bars.parquet"
    frame = pl.DataFrame({"date": [[1]], "symbol": [b"A"], "close": [1.0]})
    frame.write_parquet(path)
    whole = path.read_bytes()

    assert issues_of(path) == [(None, "date", ""), (None, "symbol", "")]
    path.write_bytes(whole[: len(whole) // 2])
    assert issues_of(path)[0][:2] == (None, None)


def test_the_format_can_be_stated(tmp_path):
    path = tmp_path / "bars.dat"
    pl.DataFrame({"date": ["2024-01-02"], "symbol": ["A"], "close": ["1"]}).write_parquet(path)

    bars, _ = read_market_files(path, file_format="parquet")

    assert len(bars) == 1


def test_actions_are_read_and_classified(tmp_path):
    text = (
        "symbol,ex_date,type,value,source\n"
        "aapl,2024-01-02,Split,4.0,x\n"
        "T,2024-01-03,split,1.324,x\n"
        "T,2024-01-03,dividend,0.5,x\n"
        "T,2024-01-03,dividend,0.50,x\n"
        "GE,2024-01-03,spinoff,1.25,x\n"
    )
    bars = written(tmp_path, HEADER)

    _, actions = read_market_files(bars, written(tmp_path, text, "actions.csv"))

    assert actions == (
        Action("AAPL", date(2024, 1, 2), ActionKind.SPLIT, 4.0),
        Action("T", date(2024, 1, 3), ActionKind.SPINOFF, 1.324),
        Action("T", date(2024, 1, 3), ActionKind.DIVIDEND, 0.5),
        Action("GE", date(2024, 1, 3), ActionKind.SPINOFF, 1.25),
    )


def test_two_different_actions_of_one_kind_and_date_are_an_error(tmp_path):
    text = (
        "symbol,ex_date,type,value\n"
        "T,2024-01-03,dividend,0.5\n"
        "T,2024-01-03,dividend,0.6\n"
        "T,2024-01-03,split,1.281\n"
        "T,2024-01-03,spinoff,1.3\n"
        "T,2024-01-03,split,\n"
    )

    found = issues_of(written(tmp_path, HEADER), written(tmp_path, text, "actions.csv"))

    assert [(row, column) for row, column, _ in found] == [
        (3, "symbol"),
        (5, "symbol"),
        (6, "value"),
    ]


@pytest.mark.parametrize(
    ("kind", "value", "is_good"),
    [
        ("dividend", "999999999", True),
        ("dividend", "1e9", False),
        ("split", "1e4", True),
        ("split", "10001", False),
        ("split", "1e-4", True),
        ("spinoff", "0.00009", False),
    ],
)
def test_actions_beyond_all_that_happens_are_errors(tmp_path, kind, value, is_good):
    text = f"symbol,ex_date,type,value\nT,2024-01-03,{kind},{value}\n"
    actions = written(tmp_path, text, "actions.csv")

    if is_good:
        assert len(read_market_files(None, actions).actions) == 1
    else:
        assert issues_of(None, actions) == [(2, "value", value)]


def test_the_bounds_hold_for_what_was_traded(tmp_path):
    bars = written(tmp_path, "date,symbol,close\n2024-01-02,A,5e9\n")
    text = "symbol,ex_date,type,value\nA,2024-01-03,split,{}\nA,2024-01-02,dividend,2e9\n"
    reverse = written(tmp_path, text.format("0.01"), "reverse.csv")
    forward = written(tmp_path, text.format("2"), "forward.csv")

    traded, acted = read_market_files(bars, reverse, split_adjusted=True)
    found = issues_of(bars, forward, split_adjusted=True)

    assert (traded.close.tolist(), acted[1].value) == ([5e7], 2e7)
    assert found == [
        (None, "close", "A 2024-01-02: 1e+10"),
        (None, "value", "A 2024-01-02: 4e+09"),
    ]


def test_adjustments_beyond_all_floats_are_errors(tmp_path):
    bars = written(tmp_path, "date,symbol,close,volume\n2020-01-02,A,1e300,1e300\n")
    days = [f"A,2024-01-{day:02},split,100\n" for day in range(1, 29)]
    actions = written(tmp_path, "symbol,ex_date,type,value\n" + "".join(days), "actions.csv")

    found = issues_of(bars, actions, split_adjusted=True)

    assert [column for _, column, _ in found] == ["close", "volume"]


def test_adjusted_files_become_as_traded(tmp_path):
    bars = written(tmp_path, "date,symbol,close\n2024-01-02,A,25\n2024-01-03,A,26\n")
    text = "symbol,ex_date,type,value\nA,2024-01-03,split,4\nA,2024-01-02,dividend,0.25\n"
    actions = written(tmp_path, text, "actions.csv")

    traded, acted = read_market_files(bars, actions, split_adjusted=True)

    assert traded.close.tolist() == [100.0, 26.0]
    assert [action.value for action in acted] == [4.0, 1.0]


def test_currencies_are_kept_as_written(tmp_path):
    text = "date,symbol,close,currency\n2024-01-02,A,1,GBp\n2024-01-02,B,1,\n"

    bars, _ = read_market_files(written(tmp_path, text))

    assert bars.currency.tolist() == ["GBp", ""]
