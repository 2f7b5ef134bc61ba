"""Two transactions at once: they take turns, and the ledger counts in the order of commits."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

from sqlalchemy import select
from tests.market import AT, CALENDAR, add_lot, add_portfolio, changes, load, stored_closes

from riskmark.domain.reasons import ChangeKind
from riskmark.storage import schema
from riskmark.storage.ledger import InputChange, current_revision, record_changes

MON, TUE = CALENDAR.sessions[260:262]
SYMBOLS = [f"S{n:02}" for n in range(20)]


def test_two_imports_of_the_same_new_bars_store_each_once(database):
    rows = [(symbol, MON, 10.0) for symbol in SYMBOLS]
    start = Barrier(2)

    def run(ordered):
        start.wait()
        with database.write() as connection:
            return load(connection, ordered).bars

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(run, [rows, rows[::-1]]))

    assert sorted(bars.stored for bars in outcomes) == [0, 20]
    assert sorted(bars.unchanged for bars in outcomes) == [0, 20]
    with database.read() as connection:
        assert len(connection.execute(select(schema.price)).all()) == 20
        assert current_revision(connection) == 1


def test_a_second_import_compares_with_what_the_first_commits(database):
    with database.write() as connection:
        load(connection, [("AAA", MON, 10.0)])
    written, waiting = Event(), Event()

    def first():
        with database.write() as connection:
            load(connection, [("AAA", MON, 11.0)])
            written.set()
            waiting.wait(timeout=30)

    def second():
        written.wait(timeout=30)
        waiting.set()
        with database.write() as connection:
            return load(connection, [("AAA", MON, 12.0)]).bars

    with ThreadPoolExecutor(2) as pool:
        pool.submit(first)
        assert pool.submit(second).result().corrected == 1

    with database.read() as connection:
        table = schema.price_correction.c
        kept = connection.execute(select(table.old_close, table.new_close).order_by(table.id)).all()
        assert [tuple(row) for row in kept] == [(10, 11), (11, 12)]
        assert stored_closes(connection, "AAA") == {MON: 12}
        assert [row[0] for row in changes(connection)] == [1, 2, 3]


def test_whoever_sees_a_revision_sees_every_lower_one(database):
    change = InputChange(ChangeKind.CALENDAR, MON, "a test")
    start = Barrier(5)
    seen = []

    def write():
        start.wait()
        for _ in range(10):
            with database.write() as connection:
                record_changes(connection, [change], at=AT)

    def read():
        start.wait()
        for _ in range(50):
            with database.read() as connection:
                revision = current_revision(connection)
                column = schema.input_change.c.revision
                seen.append((revision, sorted(connection.execute(select(column)).scalars())))

    with ThreadPoolExecutor(5) as pool:
        for done in [*(pool.submit(write) for _ in range(4)), pool.submit(read)]:
            done.result()

    assert all(found == list(range(1, revision + 1)) for revision, found in seen)
    with database.read() as connection:
        assert current_revision(connection) == 40


def test_a_lot_can_be_entered_while_prices_of_it_are_imported(database):
    if database.is_sqlite:
        return  # one writer at a time is how SQLite works
    with database.write() as connection:
        load(connection, [("AAA", MON, 10.0)])

    with database.write() as importing:
        load(importing, [("AAA", TUE, 10.0)])
        with database.write() as editing:
            add_lot(editing, add_portfolio(editing), "AAA", MON)

    with database.read() as connection:
        assert len(connection.execute(select(schema.lot)).all()) == 1
