"""A folder of files as a provider."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.market import CALENDAR, closes_of, dividend

from riskmark.domain.reasons import AnswerReason
from riskmark.errors import InputError
from riskmark.providers.checking import Checker
from riskmark.providers.files import Files
from riskmark.providers.port import Wanted
from riskmark.storage.market_files import read_market_files

NOW = datetime(2024, 3, 8, 22, tzinfo=UTC)
CHECKER = Checker(CALENDAR, timedelta(minutes=30), lambda: NOW)
FIRST = NOW.date() - timedelta(days=4)
WANTED = Wanted("AAA", FIRST, NOW.date())


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "a.csv", "AAA", [1.0, 2.0, 3.0, 4.0, 5.0])
    return tmp_path


@pytest.fixture
def reads():
    return []


@pytest.fixture
def files(folder, reads):
    def read(path):
        reads.append(path)
        return read_market_files(path).bars, (dividend("AAA", FIRST, 0.5),)

    return Files(folder, read, CHECKER)


def write(path, symbol, closes):
    rows = [f"{day},{symbol},{close}" for _, day, close in closes_of(symbol, FIRST, closes)]
    path.write_text("\n".join(["date,symbol,close", *rows]), encoding="utf-8")


def test_a_file_s_bars_and_actions_are_given(files):
    answer = files.fetch(WANTED)

    assert answer.outcome.reason is AnswerReason.OK
    assert answer.bars.close.tolist() == [1, 2, 3, 4, 5]
    assert [action.value for action in answer.actions] == [0.5]


def test_files_are_read_again_only_when_one_has_changed(files, folder, reads):
    files.fetch(WANTED)
    files.fetch(WANTED)
    write(folder / "b.csv", "BBB", [7.0])

    answer = files.fetch(Wanted("BBB", FIRST, FIRST))

    assert answer.bars.close.tolist() == [7]
    assert len(reads) == 2


def test_a_symbol_that_no_file_has_is_unknown(files):
    assert files.fetch(Wanted("ZZZ", FIRST, FIRST)).outcome.reason is AnswerReason.UNKNOWN_SYMBOL


def test_a_bad_file_is_named_and_read_again_when_it_is_mended(files, folder):
    write(folder / "a.csv", "AAA", [-1.0])
    broken = files.fetch(WANTED).outcome
    write(folder / "a.csv", "AAA", [1.0, 2.0, 3.0, 4.0, 5.0])

    mended = files.fetch(WANTED).outcome

    assert broken.reason is AnswerReason.BAD_PAYLOAD
    assert "a.csv" in broken.detail
    assert mended.reason is AnswerReason.OK


def test_a_folder_that_is_gone_may_come_back(tmp_path):
    def read(_path):
        raise InputError("not reached")

    answer = Files(tmp_path / "gone", read, CHECKER).fetch(WANTED)

    assert answer.outcome.reason is AnswerReason.TRANSIENT
