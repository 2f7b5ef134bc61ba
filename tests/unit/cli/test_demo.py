"""The demo: built once here, looked at from all sides, and never in anybody's way."""

import io
import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from riskmark.app import prepare
from riskmark.cli import demo_view
from riskmark.cli.demo import _load
from riskmark.cli.demo_setup import BOOKS, UNPRICED, fill, open_demo, prepare_folder
from riskmark.cli.exits import BAD_INPUT, OK
from riskmark.cli.main import app as command_line
from riskmark.domain.portfolio import InvestmentClass, Mode
from riskmark.errors import InputError
from riskmark.intake.positions_csv import parse_positions
from riskmark.storage.books import list_portfolios
from riskmark.storage.engines import read_rows
from riskmark.storage.lots import load_flows, load_lots
from riskmark.storage.positions import Positions, compare_book

FILES = {"riskmark.toml", "symbols.csv", "values.csv", *(book.file_name for book in BOOKS)}


def call(*words, **environment):
    return CliRunner().invoke(command_line, list(words), env=environment)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build a demo in a folder that does not exist, as a user would."""
    folder = tmp_path_factory.mktemp("demo") / "here" / "riskmark-demo"
    return folder, call("demo", "--dir", str(folder))


@pytest.fixture
def opened(built):
    """Open the demo that was built."""
    app = open_demo(built[0])
    yield app
    app.database.close()


def rows(app, statement, *values):
    with app.database.read() as connection:
        return read_rows(connection, statement, values)


def test_the_demo_ends_with_every_portfolio_current(built):
    _, done = built

    assert done.exit_code == OK
    assert "5 of 5 portfolios current" in done.stdout
    assert "RISKMARK_NOW=2022-12-28T23:00:00Z" in done.stdout


def test_the_symbol_that_nobody_has_makes_the_first_run_partial_until_it_is_accepted(opened):
    runs = rows(opened, "SELECT status, cells_partial, cells_complete FROM run ORDER BY id")
    reasons = rows(opened, "SELECT reasons FROM snapshot WHERE session = '2022-12-28'")

    (first, partial, _), (second, still_partial, completed) = runs
    known = [one for (text,) in reasons for one in json.loads(text)]
    assert (first, second) == ("partial", "succeeded")
    assert 0 < partial == completed
    assert still_partial == 0
    assert known == [{"symbol": UNPRICED, "reason": "never_priced", "accepted": True}]


def test_a_second_demo_computes_nothing_and_says_so(built, opened):
    folder, _ = built
    before = rows(opened, "SELECT count(*) FROM snapshot")

    again = call("demo", "--dir", str(folder))

    assert again.exit_code == OK
    assert "nothing to compute" in again.stderr
    assert rows(opened, "SELECT count(*) FROM snapshot") == before
    assert rows(opened, "SELECT cells_planned FROM run ORDER BY id DESC")[0] == (0,)


def test_with_json_the_status_stands_alone_on_standard_output(built):
    folder, _ = built

    done = call("demo", "--dir", str(folder), "--json")

    found = json.loads(done.stdout)
    assert found["target"] == "2022-12-28"
    assert [one["state"] for one in found["portfolios"]] == ["current"] * 5


def test_a_files_lots_are_the_books_lots(built, opened):
    folder, _ = built
    for book in BOOKS:
        read = parse_positions((folder / book.file_name).read_bytes(), today=opened.today)
        with opened.database.read() as connection:
            positions = Positions(read.lots, read.instruments)
            changes = compare_book(connection, opened.principal, book.account.name, positions)

        assert (read.errors, read.warnings) == ((), ())
        assert not changes


def test_the_five_portfolios_differ_in_what_they_show(opened):
    with opened.database.read() as connection:
        books = {one.name: one for one in list_portfolios(connection, opened.principal)}
        lots = {name: load_lots(connection, one.portfolio_id) for name, one in books.items()}
        flows = {name: load_flows(connection, one.portfolio_id) for name, one in books.items()}

    sold = {lot.symbol for lot in lots["Growth"] if lot.exit_date}
    held = {lot.symbol for lot in lots["Growth"] if not lot.exit_date}
    assert books["Income"].mode is Mode.HOLDINGS
    assert [name for name, one in flows.items() if one] == ["Growth"]
    assert sold & held
    assert any(lot.quantity < 0 for lot in lots["Long-Short"])
    assert any(lot.entry_date == lot.exit_date for lot in lots["Energy"])
    assert any(lot.symbol == UNPRICED for lot in lots["Income"])
    assert InvestmentClass.PRIVATE in {lot.investment_class for lot in lots["Family"]}


def test_a_private_asset_is_worth_what_was_last_stated_of_it(opened):
    marks = rows(
        opened,
        "SELECT v.session, v.mark, v.mark_kind FROM position_value v JOIN instrument i "
        "ON i.id = v.instrument_id WHERE i.kind = 'private' ORDER BY v.session",
    )
    stated = {
        str(day): float(price) for day, price in rows(opened, "SELECT date, price FROM valuation")
    }

    known = [max(day for day in stated if day <= str(session)) for session, _, _ in marks]
    assert len(stated) == 7
    assert [mark for _, mark, _ in marks] == [stated[day] for day in known]
    assert {kind for _, _, kind in marks} == {"manual"}


def test_entries_and_exits_are_at_prices_of_their_sessions(opened):
    trades = rows(
        opened,
        "SELECT i.symbol, l.entry_price, p.close FROM lot l JOIN instrument i "
        "ON i.id = l.instrument_id JOIN price p ON p.instrument_id = i.id "
        "AND p.session = l.entry_date UNION ALL "
        "SELECT i.symbol, l.exit_price, p.close FROM lot l JOIN instrument i "
        "ON i.id = l.instrument_id JOIN price p ON p.instrument_id = i.id "
        "AND p.session = l.exit_date",
    )

    far = [row for row in trades if abs(float(row[1]) / row[2] - 1) > 0.02]
    assert len(trades) > 60
    assert far == []


def test_a_cash_account_is_never_overdrawn(opened):
    lowest = rows(
        opened,
        "SELECT p.name, min(s.cash) FROM snapshot s JOIN portfolio p ON p.id = s.portfolio_id "
        "WHERE p.name <> 'Long-Short' GROUP BY p.name",
    )

    assert [name for name, cash in lowest if cash < 0] == []


def test_the_factors_of_the_bundled_prices_and_the_benchmark_have_numbers(opened):
    models = {model.name: model for model in opened.settings.factor_model}
    priced = {symbol for (symbol,) in rows(opened, "SELECT symbol FROM instrument")}
    lacking = rows(opened, "SELECT DISTINCT model FROM factor_exposure WHERE exposure IS NULL")

    styles = [factor.name for factor in models["style"].factors]
    assert styles == ["Market", "Value", "Size", "Momentum", "Quality", "Low Volatility"]
    assert set(opened.settings.factor_symbols) - priced == {"TLT"}
    assert sorted(lacking) == [("ff5m",), ("rates",)]


def test_the_tables_fit_into_eighty_columns(opened):
    console = Console(width=80, file=io.StringIO())

    console.print(*demo_view.overview(*_load(opened)), sep="\n")

    text = console.file.getvalue()
    assert "…" not in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80


@pytest.mark.parametrize("content", ["notes.txt", "riskmark.db", "riskmark.toml"])
def test_a_folder_that_holds_something_else_is_refused_and_left_alone(tmp_path, content):
    (tmp_path / content).write_text("mine")

    done = call("demo", "--dir", str(tmp_path))

    assert done.exit_code == BAD_INPUT
    assert "holds something else" in " ".join(done.stderr.split())
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(content, "mine")]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    place = tmp_path / "demo"
    place.write_text("mine")

    done = call("demo", "--dir", str(place))

    assert done.exit_code == BAD_INPUT
    assert place.read_text() == "mine"


def test_no_other_database_is_touched_whatever_the_environment_and_the_file_say(tmp_path, built):
    folder = tmp_path / "copy"
    shutil.copytree(built[0], folder)
    config = folder / "riskmark.toml"
    config.write_text(config.read_text().replace("riskmark.db", f"{tmp_path}/of-the-file.db"))
    other = f"sqlite:///{tmp_path / 'of-the-environment.db'}"

    done = call("demo", "--dir", str(folder), RISKMARK_DATABASE_URL=other)

    assert done.exit_code == OK
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]
    assert "unset RISKMARK_DATABASE_URL" in done.stdout


def test_files_that_a_user_has_changed_stay_changed(tmp_path):
    prepare_folder(tmp_path)
    changed = tmp_path / "growth.csv"
    changed.write_text("mine")
    (tmp_path / "income.csv").unlink()

    prepare_folder(tmp_path)

    assert changed.read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == FILES


def test_a_set_up_that_fails_leaves_nothing_in_the_database(tmp_path):
    prepare_folder(tmp_path)
    (tmp_path / "family.csv").write_text("Symbol\nAAPL\n")
    app = open_demo(tmp_path)
    prepare(app)

    with pytest.raises(InputError, match=r"family\.csv, row 1: CSV_004"):
        fill(app, tmp_path)

    left = rows(app, "SELECT (SELECT count(*) FROM instrument) + (SELECT count(*) FROM portfolio)")
    app.database.close()
    assert left == [(0,)]


def test_who_has_the_command_on_no_path_is_told_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["/opt/risk mark/bin/riskmark"])

    lines = list(demo_view.shell_lines(Path("riskmark-demo")))

    assert lines[0] == "export PATH='/opt/risk mark/bin':\"$PATH\""


def test_lines_to_copy_are_whole_however_long_the_path_is(tmp_path, built):
    folder = tmp_path / ("long" * 40)
    shutil.copytree(built[0], folder)

    done = call("demo", "--dir", str(folder))

    assert f"  export RISKMARK_CONFIG={folder / 'riskmark.toml'}\n" in done.stdout
