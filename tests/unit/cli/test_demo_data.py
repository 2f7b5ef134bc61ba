"""The prices that the demo reads from another package's files."""

import subprocess
import sys

import numpy as np
import pytest

from riskmark.cli import demo_data
from riskmark.cli.demo_data import FIRST, LAST, NoDemoPrices, load_demo_bars


def test_every_symbol_has_a_close_on_every_session():
    bars = load_demo_bars()

    sessions = np.unique(bars.session)
    assert len(bars.symbols) == 26
    assert len(bars) == len(bars.symbols) * len(sessions)
    assert (sessions[0], sessions[-1]) == (np.datetime64(FIRST), np.datetime64(LAST))
    assert np.all(bars.close > 0)


def test_closes_stand_beside_their_own_symbol_and_session():
    bars = load_demo_bars(first=LAST)

    closes = {bars.symbols[at]: close for at, close in zip(bars.symbol, bars.close, strict=True)}
    assert (closes["SP500"], closes["AAPL"], closes["USMV"]) == (3783.22, 125.674, 71.134)


def test_reading_the_prices_does_not_import_the_package_that_has_them():
    program = (
        "import sys; from riskmark.cli.demo_data import load_demo_bars; load_demo_bars(); "
        "raise SystemExit({'skfolio', 'sklearn', 'pandas'} & set(sys.modules) != set())"
    )

    done = subprocess.run([sys.executable, "-c", program], check=False)

    assert done.returncode == 0


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(demo_data, "_PACKAGE", "no_such_package_of_prices")

    with pytest.raises(NoDemoPrices, match=r'pip install "riskmark\[demo\]"'):
        load_demo_bars()


def test_a_package_without_the_files_is_told_from_none(monkeypatch):
    monkeypatch.setattr(demo_data, "_PACKAGE", "rich")

    with pytest.raises(
        NoDemoPrices, match=r"rich as it is installed has no sp500_dataset\.csv\.gz"
    ):
        load_demo_bars()
