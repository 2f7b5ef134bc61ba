"""A folder of files as a provider."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from tests.faults.quota import FastTime
from tests.market import CALENDAR, closes_of

from riskmark.domain.reasons import AnswerReason
from riskmark.providers.chain import ask
from riskmark.providers.checking import Checker
from riskmark.providers.files import PATIENCE, FileReader, Files
from riskmark.providers.limits import Budget
from riskmark.providers.port import Wanted
from riskmark.storage.market_files import read_market_files
from riskmark.storage.tables import find_files

NOW = datetime(2024, 3, 8, 22, tzinfo=UTC)
CHECKER = Checker(CALENDAR, timedelta(minutes=30), lambda: NOW)
FIRST = NOW.date() - timedelta(days=4)
WANTED = Wanted("AAA", FIRST, NOW.date())
FIVE = [1.0, 2.0, 3.0, 4.0, 5.0]
READER = FileReader(
    find_files,
    bars=lambda path: read_market_files(path).bars,
    actions=lambda path: read_market_files(None, path).actions,
)
_R = AnswerReason


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "bars"
    place.mkdir()
    write(place / "a.csv", "AAA", FIVE)
    return place


@pytest.fixture
def reads():
    return []


@pytest.fixture
def opened(folder, reads):
    """Return a way to look into the folder as a run does, and count what is read."""

    def bars(path):
        reads.append(path.name)
        return READER.bars(path)

    def look(**options):
        clock = options.pop("clock", None) or FastTime()
        return Files(folder, READER._replace(bars=bars), CHECKER, now=clock.now, **options)

    return look


def write(path, symbol, closes, *, age_s=60):
    rows = [f"{day},{symbol},{close}" for _, day, close in closes_of(symbol, FIRST, closes)]
    put(path, "\n".join(["date,symbol,close", *rows]), age_s=age_s)


def put(path, content, *, age_s=60):
    """Write a file as if it had been written that many seconds ago."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    at = datetime.now(UTC).timestamp() - age_s
    os.utime(path, (at, at))


def reason(files, symbol="AAA"):
    return files.fetch(replace(WANTED, symbol=symbol)).outcome.reason


def test_a_file_s_bars_and_actions_are_given(opened, tmp_path):
    actions = tmp_path / "actions.csv"
    put(actions, f"symbol,ex_date,type,value\nAAA,{FIRST},dividend,0.5\nBBB,{FIRST},split,2\n")

    answer = opened(actions=actions).fetch(WANTED)

    assert answer.outcome.reason is _R.OK
    assert answer.bars.close.tolist() == [1, 2, 3, 4, 5]
    assert [action.value for action in answer.actions] == [0.5]


def test_only_a_file_that_has_changed_is_read_again_in_this_run_or_the_next(opened, folder, reads):
    for place in range(30):
        write(folder / f"{place}.csv", f"S{place}", FIVE)
    opened().fetch(WANTED)
    first = len(reads)
    write(folder / "7.csv", "S7", [7.0])

    next_run = opened()
    closes = [next_run.fetch(replace(WANTED, symbol=f"S{n}")).bars.close.tolist() for n in (7, 8)]

    assert first == 31
    assert reads[first:] == ["7.csv"]
    assert closes == [[7.0], FIVE]


def test_what_is_gone_from_the_folder_is_gone(opened, folder):
    write(folder / "b.csv", "BBB", FIVE)
    before = reason(opened(), "BBB")
    (folder / "b.csv").unlink()

    after = reason(opened(), "BBB")

    assert (before, after) == (_R.OK, _R.NO_DATA_IN_RANGE)


def test_a_symbol_that_no_file_has_may_have_one_any_minute(opened, folder):
    clock = FastTime()
    files = opened(clock=clock)
    before = files.fetch(replace(WANTED, symbol="ZZZ")).outcome
    write(folder / "z.csv", "ZZZ", FIVE)
    clock.sleep(2)

    assert before.reason is _R.NO_DATA_IN_RANGE
    assert before.consequence.believed_h == 0
    assert reason(files, "ZZZ") is _R.OK


BAD = {
    "a negative close": b"date,symbol,close\n2024-03-04,BBB,-1\n",
    "wrong columns": b"day,ticker,price\n2024-03-04,BBB,1\n",
    "half of a gzip": b"\x1f\x8b\x08\x00\x00",
    "nothing": b"",
    "not UTF-8": b"date,symbol,close\n2024-03-04,\xff\xfe,1\n",
    "two that differ": b"date,symbol,close\n2024-03-04,BBB,1\n2024-03-04,BBB,2\n",
    "cut in a row": b"date,symbol,close\n2024-03-04,BBB,1\n2024-03",
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_a_bad_file_is_named_for_its_symbols_and_harms_no_other(content, opened, folder):
    put(folder / "bbb.csv", content)
    files = opened()

    broken, others = files.fetch(replace(WANTED, symbol="BBB")).outcome, reason(files)
    unknown = files.fetch(replace(WANTED, symbol="CCC")).outcome
    write(folder / "bbb.csv", "BBB", FIVE)

    assert broken.reason is _R.BAD_PAYLOAD
    assert "bbb.csv" in broken.detail
    assert unknown.reason is _R.NO_DATA_IN_RANGE
    assert unknown.detail.startswith("no file has this symbol")
    assert "bbb.csv" in unknown.detail
    assert others is _R.OK
    assert reason(files, "BBB") is _R.OK


def test_half_a_parquet_file_and_a_folder_named_like_a_file_are_bad_files(opened, folder):
    pl.DataFrame({"date": [FIRST], "symbol": ["BBB"], "close": [1.0]}).write_parquet(
        folder / "b.parquet"
    )
    put(folder / "b.parquet", (folder / "b.parquet").read_bytes()[:-20])
    (folder / "c.csv").mkdir()
    os.utime(folder / "c.csv", (0, 0))

    outcome = opened().fetch(replace(WANTED, symbol="BBB")).outcome

    assert outcome.reason is _R.NO_DATA_IN_RANGE
    assert "2 files: " in outcome.detail
    assert "b.parquet" in outcome.detail
    assert "c.csv" in outcome.detail


def test_a_share_class_is_found_in_either_spelling(opened, folder):
    write(folder / "b.csv", "BRK-B", FIVE)

    assert reason(opened(), "BRK.B") is reason(opened(), "BRK-B") is _R.OK


def test_a_link_to_nothing_is_named_as_one_and_many_bad_files_are_counted(opened, folder):
    (folder / "gone.csv").symlink_to(folder / "nowhere.csv")
    told = []
    files = opened(report=told.append)
    one = files.fetch(replace(WANTED, symbol="BBB")).outcome
    for number in range(9):
        put(folder / f"x{number}.csv", BAD["wrong columns"])
    many = opened().fetch(replace(WANTED, symbol="BBB")).outcome

    assert "gone.csv is a link to a file that is not there" in one.detail
    assert [outcome.reason for outcome in told] == [_R.BAD_PAYLOAD]
    assert many.detail.startswith("no file has this symbol; 10 files: ")


def test_a_partial_answer_names_the_file_that_could_not_be_read(opened, folder):
    write(folder / "a.csv", "AAA", FIVE[:3])
    put(folder / "later.csv", BAD["wrong columns"])

    outcome = opened().fetch(WANTED).outcome

    assert outcome.reason is _R.PARTIAL
    assert "later.csv" in outcome.detail


def test_with_a_bad_file_of_actions_nothing_is_believed(opened, tmp_path):
    put(tmp_path / "actions.csv", "symbol,ex_date,type,value\nBBB,2024-03-04,split,-2\n")

    outcome = opened(actions=tmp_path / "actions.csv").fetch(WANTED).outcome

    assert outcome.reason is _R.BAD_PAYLOAD
    assert "actions.csv" in outcome.detail


def test_files_that_say_two_things_of_a_session_are_believed_in_neither(opened, folder):
    write(folder / "b.csv", "AAA", [1.5])

    answer = opened().fetch(WANTED)

    assert answer.outcome.gaps == (FIRST,)
    assert answer.bars.close.tolist() == FIVE[1:]


def test_a_file_that_was_just_written_is_waited_for(opened, folder):
    clock = FastTime()
    write(folder / "a.csv", "AAA", FIVE, age_s=0)

    answer = ask(opened(clock=clock), WANTED, Budget(60.0, clock))

    assert answer.outcome.reason is _R.OK
    assert 0 < clock.ahead < 10


def test_a_file_that_changes_while_it_is_read_is_read_again(folder):
    clock = FastTime()

    def bars(path):
        if len(reads) < 1:
            reads.append(path)
            write(path, "AAA", [9.0, *FIVE[1:]], age_s=30)
        return READER.bars(path)

    reads = []
    files = Files(folder, READER._replace(bars=bars), CHECKER, now=clock.now)

    answer = ask(files, WANTED, Budget(60.0, clock))

    assert answer.outcome.reason is _R.OK
    assert answer.bars.close[0] == 9.0


def test_a_file_that_is_written_all_the_time_is_not_waited_for_by_every_symbol(opened, folder):
    clock = FastTime()
    files = opened(clock=clock)
    outcomes = []
    for _ in range(20):
        at = clock.now().timestamp()
        os.utime(folder / "a.csv", (at, at))
        outcomes.append(files.fetch(WANTED).outcome.reason)

    assert outcomes[:PATIENCE] == [_R.TRANSIENT] * PATIENCE
    assert set(outcomes[PATIENCE:]) == {_R.NOT_FINAL_YET}


def test_a_folder_that_is_missing_or_empty_is_named_and_may_come_back(tmp_path):
    place = tmp_path / "gone"
    files = Files(place, READER, CHECKER, now=FastTime().now)
    missing = files.fetch(WANTED).outcome
    place.mkdir()
    empty = files.fetch(WANTED).outcome
    write(place / "a.csv", "AAA", FIVE)

    assert missing.reason is empty.reason is _R.BAD_PAYLOAD
    assert "gone" in missing.detail
    assert reason(files) is _R.OK
