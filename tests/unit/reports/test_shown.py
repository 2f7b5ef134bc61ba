import subprocess
import sys

from tests.unit.reports.shown_books import nulls_under, show
from tests.unit.reports.worlds import MON, TUE

from riskmark.reports.shown import Part, Shown
from riskmark.reports.snapshot import load_snapshot


def report(world, parts):
    with world.app.database.read() as connection:
        return load_snapshot(
            connection, world.app.principal, "book", settings=world.app.settings, parts=parts
        )


def valued(world):
    world.add_prices("AAA", "BBB")
    world.add_book("book", ("AAA", "BBB"), MON)
    world.run()


def test_what_is_not_wanted_is_not_computed_and_has_no_place(world):
    valued(world)

    found = report(world, ())

    assert found.shown == Shown()
    document = found.document()
    assert {"replays", "backtests"}.isdisjoint(document)
    assert document["correlation"].keys() == {"mean", "mean_abs", "effective_rank"}
    assert "sessions_to_sell_95" not in document["risk"]


def test_each_part_alone_is_what_it_is_among_all(world):
    valued(world)
    every = show(world)

    for part in Part:
        shown = report(world, {part}).shown
        computed = {name for name in Shown.__slots__ if getattr(shown, name) is not None}
        assert computed == {part.value}
    assert report(world, {Part.CORRELATION}).document()["correlation"] == every["correlation"]
    assert report(world, {Part.STRESS}).document()["stress"] == every["stress"]
    assert report(world, {Part.BACKTESTS}).document()["backtests"] == every["backtests"]


def test_a_stored_session_that_the_book_no_longer_has_shows_nothing_held(world):
    valued(world)
    with world.app.database.write() as connection:
        editor = world.editor(connection, "book")
        for (lot,) in world.rows("SELECT id FROM lot"):
            editor.delete_lot(lot)
        editor.finish()

    found = show(world, session=TUE)

    assert len(found["positions"]) == 2
    assert found["nulls"]["positions.AAA.sessions_to_sell"] == "no_holdings"
    assert found["nulls"]["risk.sessions_to_sell_95"] == "no_holdings"
    assert found["nulls"]["factor_correlation.matrix"] == "no_holdings"
    assert set(nulls_under(found, "replays.").values()) == {"no_holdings"}
    assert nulls_under(found, "correlation.")["matrix"] == "no_holdings"


def test_an_out_of_date_session_is_shown_with_the_inputs_of_today(world):
    valued(world)
    fresh = show(world)
    world.add_prices("BBB", first=TUE, changed={TUE: 1.0})

    found = show(world)

    assert found["correlation"]["mean"] == fresh["correlation"]["mean"]
    assert found["correlation"]["matrix"] != fresh["correlation"]["matrix"]


def test_what_reads_stored_numbers_does_not_wait_for_scipy():
    code = "import riskmark.reports.selection, riskmark.reports.snapshot, sys; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert b"numpy" in done.stdout.split()
    assert b"scipy" not in done.stdout.split()
