"""What is old goes, in short transactions; numbers, restatements and inputs never do."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import event
from tests.acceptance.world import LAST, World, assert_equal_results
from tests.unit.reports.worlds import MON, THU, TUE, WED, rules_of

from riskmark import notebook
from riskmark.domain.accounts import Role
from riskmark.domain.exports import Exported
from riskmark.domain.reasons import NullReason, RunStatus
from riskmark.domain.retention_settings import RetentionSettings
from riskmark.reports.attribution import load_attribution
from riskmark.reports.exports import load_lines
from riskmark.reports.rules import load_plan
from riskmark.reports.snapshot import load_snapshot
from riskmark.reports.verify import verify
from riskmark.storage import accounts, audit, retention, schema, web_sessions
from riskmark.storage.audit import Actor
from riskmark.storage.retention import count_piles, list_piles, prune
from riskmark.storage.web_sessions import WebSession

NOW = datetime(2026, 1, 9, tzinfo=UTC)
ACTOR = Actor(None, "-", "-")
KEPT_FOR_EVER = ("lot", "flow", "price", "action", "input_change", "snapshot", "restatement")


def kept(**limits):
    nothing = dict.fromkeys(RetentionSettings.__struct_fields__, 0)
    return RetentionSettings(**nothing | limits)


def piles_of(world: World, *, at=None, **limits):
    target = world.app.target(world.calendar)
    with world.app.database.read() as connection:
        return list_piles(
            connection,
            kept(**limits),
            sessions=world.calendar.sessions[: target + 1],
            at=at or datetime.now(UTC),
        )


def counts(world: World, *tables: str) -> dict[str, int]:
    return {one: world.rows(f"SELECT COUNT(*) FROM {one}")[0][0] for one in tables}


@pytest.fixture
def valued(world):
    """Give a world with a book that has been valued for some sessions."""
    world.add_prices("AAA", "BBB")
    world.add_book("book", ("AAA", "BBB"), world.sessions(LAST - timedelta(20), LAST)[0])
    assert world.run().status is RunStatus.SUCCEEDED
    return world


def snapshot(world, session):
    with world.app.database.read() as connection:
        return load_snapshot(
            connection, world.app.principal, "book", settings=world.app.settings, session=session,
            parts=(),
        ).document()  # fmt: skip


def test_positions_of_old_sessions_go_and_their_numbers_stay(valued):
    before, whole = valued.dump(), counts(valued, *KEPT_FOR_EVER)

    done = prune(valued.app.database, piles_of(valued, keep_positions_sessions=2))

    after = valued.dump()
    old = len(valued.stored_sessions("book")) - 2
    assert done["positions"] == old
    assert {str(row["session"]) for row in after["position_value"]} == {str(WED), str(THU)}
    for table in ("snapshot", "factor_exposure", "stress_result", "sector_exposure"):
        assert after[table] == before[table]
    assert counts(valued, *KEPT_FOR_EVER) == whole


def test_what_was_pruned_upsets_no_invariant_and_is_not_planned_again(valued):
    prune(valued.app.database, piles_of(valued, keep_positions_sessions=2))

    with valued.app.database.read() as connection:
        found = verify(connection, rules=rules_of(valued), settings=valued.app.settings)
        _, plan = load_plan(connection, rules_of(valued))
    assert found.violations == ()
    assert not plan
    assert valued.run().cells.planned == 0
    assert prune(valued.app.database, piles_of(valued, keep_positions_sessions=2)) == {
        "positions": 0
    }


def test_positions_that_went_without_being_pruned_are_a_violation(valued):
    with valued.app.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE cell_pack SET positions = '[]' WHERE session = '{TUE}'")

    with valued.app.database.read() as connection:
        found = verify(connection, rules=rules_of(valued), settings=valued.app.settings)

    assert {one.session for one in found.violations} == {TUE}


def test_an_old_session_shows_why_it_has_no_positions(valued):
    whole = snapshot(valued, MON)

    prune(valued.app.database, piles_of(valued, keep_positions_sessions=2))

    found = snapshot(valued, MON)
    assert found["positions"] is None
    assert found["nulls"]["positions"] == NullReason.PRUNED
    assert set(found["greeks"].values()) == {None}
    assert found["nulls"]["greeks.delta"] == NullReason.PRUNED
    for part in ("snapshot", "risk", "factors", "sectors", "stress", "concentration"):
        assert found[part] == whole[part]
    assert snapshot(valued, THU)["positions"]


def attribution(world, first, last):
    with world.app.database.read() as connection:
        return load_attribution(
            connection,
            world.app.principal,
            "book",
            calendar=world.calendar,
            settings=world.app.settings,
            first=first,
            last=last,
        ).document()


def test_pnl_is_not_split_by_what_was_pruned(valued):
    whole = attribution(valued, MON, THU)

    prune(valued.app.database, piles_of(valued, keep_positions_sessions=2))

    found = attribution(valued, MON, THU)
    assert found["pnl"] == whole["pnl"]
    assert (found["positions"], found["sectors"]) == (None, None)
    assert found["nulls"]["positions"] == found["nulls"]["sectors"] == NullReason.PRUNED
    (unexplained,) = found["factors"]["unexplained_reasons"]
    assert (unexplained["reason"], unexplained["sessions"]) == (NullReason.PRUNED, 3)
    newest = attribution(valued, THU, THU)
    assert newest["positions"]
    assert newest["factors"]["unexplained"] == 0


def test_an_export_has_a_line_of_nulls_for_a_session_that_was_pruned(valued):
    prune(valued.app.database, piles_of(valued, keep_positions_sessions=2))

    with valued.app.database.read() as connection:
        frame = load_lines(
            connection, valued.app.principal, "book", what=Exported.POSITIONS, first=TUE
        )

    assert frame["session"].to_list() == [TUE, WED, WED, THU, THU]
    assert frame["symbol"].to_list() == [None, "AAA", "BBB", "AAA", "BBB"]
    assert frame["mark_null"].to_list()[0] == NullReason.PRUNED


def test_a_notebook_tells_why_a_table_is_empty(valued, monkeypatch):
    monkeypatch.setenv("RISKMARK_NOW", NOW.isoformat())
    prune(valued.app.database, piles_of(valued, keep_positions_sessions=2))

    with notebook.open(valued.url) as opened:
        book = opened.portfolio("book")
        tables = (
            book.positions(MON),
            book.attribution(by="position", first=MON),
            book.attribution(by="sector", first=MON),
        )
        greeks = book.greeks(MON)

    assert [len(one) for one in tables] == [0, 0, 0]
    assert tables[0].attrs["nulls"] == {"positions": "pruned"}
    assert tables[1].attrs["nulls"]["positions"] == "pruned"
    assert tables[2].attrs["nulls"]["sectors"] == "pruned"
    assert set(greeks.attrs["total"].values()) == {None}


def test_what_is_computed_again_has_its_positions_again(valued):
    whole = valued.dump()
    prune(valued.app.database, piles_of(valued, keep_positions_sessions=2))

    valued.run(force=True)

    assert_equal_results(valued.dump(), whole)


def test_runs_keep_their_rows_longer_than_their_details(valued):
    valued.run(force=True)
    runs = ("run", "run_event", "run_phase", "run_request")
    before = counts(valued, *runs)
    later = datetime.now(UTC) + timedelta(days=100)

    prune(
        valued.app.database,
        piles_of(valued, at=later, keep_run_details_days=90, keep_runs_days=400),
    )

    assert counts(valued, *runs) == before | {"run_event": 0}
    assert valued.run(force=True).status is RunStatus.SUCCEEDED


def test_old_runs_go_with_all_that_refers_to_them_but_never_the_newest_or_a_live_one(valued):
    valued.run(force=True)
    valued.run("book", force=True)
    with valued.app.database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE run SET status = 'running', finished_at = NULL WHERE id = "
            "(SELECT MIN(id) FROM run)"
        )
    later = datetime.now(UTC) + timedelta(days=500)

    done = prune(valued.app.database, piles_of(valued, at=later, keep_runs_days=400))

    assert done["run"] == 1
    statuses = valued.rows("SELECT status FROM run ORDER BY id")
    assert [one for (one,) in statuses] == ["running", "succeeded"]
    with valued.app.database.write() as connection:
        connection.exec_driver_sql("UPDATE run SET status = 'failed' WHERE status = 'running'")


def test_everything_is_kept_that_the_settings_say_nothing_of(valued):
    later = datetime.now(UTC) + timedelta(days=9_999)

    assert piles_of(valued, at=later) == ()


def test_symbols_that_a_provider_may_be_asked_for_again_go(valued):
    row = "INSERT INTO provider_symbol VALUES ('yahoo', '{}', 'unknown_symbol', '', 1, '{}', '{}')"
    with valued.app.database.write() as connection:
        for symbol, until in (("OLD", "2025-11-01"), ("NEW", "2026-01-08")):
            at = f"{until} 00:00:00.000000" + ("" if valued.app.database.is_sqlite else "+00")
            connection.exec_driver_sql(row.format(symbol, at, at))

    done = prune(valued.app.database, piles_of(valued, at=NOW, keep_provider_days=30))

    assert done == {"provider_symbol": 1}
    assert valued.rows("SELECT symbol FROM provider_symbol") == [("NEW",)]


def test_many_rows_go_in_several_transactions_and_time_ends_them(valued, monkeypatch):
    monkeypatch.setattr(retention, "FIRST_ROWS", 3)
    monkeypatch.setattr(retention, "WITHIN", 1.0)
    commits = []
    event.listen(valued.app.database.engine, "commit", lambda _: commits.append(1))
    piles = piles_of(valued, keep_positions_sessions=2)
    with valued.app.database.read() as connection:
        expected = count_piles(connection, piles)

    none = prune(valued.app.database, piles, seconds=0.0)
    commits.clear()
    done = prune(valued.app.database, piles)

    assert none == {"positions": 0}
    assert done == expected
    assert len(commits) == expected["positions"] // 3 + 1


def test_a_run_of_all_portfolios_prunes_at_its_end_and_a_smaller_one_does_not(valued):
    limits = msgspec.structs.replace(valued.app.settings.retention, keep_positions_sessions=2)
    settings = msgspec.structs.replace(valued.app.settings, retention=limits)
    valued.app = replace(valued.app, loaded=replace(valued.app.loaded, settings=settings))

    valued.run("book")
    kept_by_one = snapshot(valued, MON)["positions"]
    valued.run()

    assert kept_by_one
    assert snapshot(valued, MON)["positions"] is None


def test_a_row_that_somebody_holds_is_left_to_the_next_pruning(valued):
    if valued.app.database.is_sqlite:
        pytest.skip("SQLite has one writer, who waits for the other")
    piles = piles_of(valued, keep_positions_sessions=2)

    with valued.app.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE cell_pack SET stress = stress WHERE session = '{MON}'")
        first = prune(valued.app.database, piles)
    second = prune(valued.app.database, piles)

    assert second == {"positions": 1}
    assert first["positions"] == len(valued.stored_sessions("book")) - 3


def test_pruning_beside_a_run_harms_neither(valued):
    stop = threading.Event()

    def prune_again_and_again():
        while not stop.is_set():
            prune(valued.app.database, piles_of(valued, keep_positions_sessions=2))

    pruning = threading.Thread(target=prune_again_and_again)
    pruning.start()
    try:
        done = [valued.run(force=True).status for _ in range(3)]
    finally:
        stop.set()
        pruning.join()

    assert done == [RunStatus.SUCCEEDED] * 3
    with valued.app.database.read() as connection:
        found = verify(connection, rules=rules_of(valued), settings=valued.app.settings)
    assert found.violations == ()


def test_a_pruning_that_is_stopped_is_finished_by_the_next(valued, monkeypatch):
    monkeypatch.setattr(retention, "FIRST_ROWS", 3)
    monkeypatch.setattr(retention, "WITHIN", 1.0)
    piles = piles_of(valued, keep_positions_sessions=2)

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prune(valued.app.database, piles, look=stop)
    rest = prune(valued.app.database, piles)

    assert rest == {"positions": len(valued.stored_sessions("book")) - 2 - 3}


def test_what_signing_in_left_behind_goes_and_the_audit_log_is_kept_longer(world):
    with world.app.database.write() as connection:
        email, role = "ann@example.com", Role.OWNER
        ann = accounts.create_account(connection, email, "Ann", role=role, at=NOW)
        for age in (0, 2, 30, 500):
            then = NOW - timedelta(days=age)
            session = WebSession(ann.account_id, then, then, then + timedelta(days=1), "test")
            connection.execute(
                schema.web_session.insert().values(token_hash=f"s{age}", **session._asdict())
            )
            ends = {"account_id": ann.account_id, "expires_at": then}
            connection.execute(schema.setup_link.insert().values(token_hash=f"l{age}", **ends))
            connection.execute(schema.sign_in_try.insert().values(subject=f"t{age}", at=then))
            audit.note(connection, ACTOR, "sign_in", at=then, object_kind="n", object_id=f"{age}")

    done = prune(
        world.app.database, piles_of(world, at=NOW, keep_sign_in_days=7, keep_audit_days=400)
    )

    assert done == {"web_session": 2, "setup_link": 2, "sign_in_try": 2, "audit_entry": 1}
    kept_hashes = world.rows("SELECT token_hash FROM web_session ORDER BY 1")
    assert kept_hashes == [("s0",), ("s2",)]
    with world.app.database.read() as connection:
        told = [one.object_id for one in audit.list_entries(connection)]
        assert web_sessions.find_session(connection, "s0", at=NOW, idle=timedelta(hours=2))
    assert told == ["30", "2", "0"]


def test_the_audit_log_is_kept_longer_than_a_year_by_default(world):
    settings = world.app.settings.retention

    assert settings.keep_audit_days > 366
    assert settings.keep_sign_in_days > 0
