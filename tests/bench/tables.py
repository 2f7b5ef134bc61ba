"""The tables that are printed, and which bars were missed."""

from collections.abc import Iterator, Mapping, Sequence

from rich.table import Table
from tests.bench import parts
from tests.bench.answers import RATE, Answered
from tests.bench.cases import FLOOR_BAR, Baseline, Compared, Timed
from tests.bench.crowd import MEMORY_BAR, Crowd
from tests.bench.providers import BAR_S, GROWTH_BAR, ColdStart
from tests.bench.scale import DASK_BAR, SECONDS_BAR, SIZES, Night
from tests.bench.scale import MEMORY_BAR as SCALE_MEMORY_BAR

GIB, MIB = 1 << 30, 1 << 20


def compared_table(compared: Sequence[Compared]) -> Table:
    """Set the engine beside its floor and both baselines."""
    table = Table("case (seconds)", title="Read, plan, compute and write, in one process")
    for name in ("engine", "floor", "arithmetic", "read", "write", "engine ÷ floor"):
        table.add_column(name, justify="right")
    for name in ("notebook", "÷ engine", "÷ arithmetic", "savvy", "÷ engine", "÷ arithmetic"):
        table.add_column(name, justify="right")
    for one in compared:
        floor = one.timing.floor
        table.add_row(
            one.name,
            *(f"{value:.3f}" for value in (one.timing.seconds, floor.total, *floor)),
            f"{one.timing.ratio:.1f} (≤ {FLOOR_BAR:.0f})",
            *_baseline_cells(one.notebook, one.timing.seconds, floor.arithmetic),
            *_baseline_cells(one.savvy, one.timing.seconds, floor.arithmetic),
        )
    return table


def _baseline_cells(baseline: Baseline, engine: float, arithmetic: float) -> tuple[str, ...]:
    times = baseline.seconds / engine
    return (
        _short(baseline.seconds),
        f"{_short(times)} (≥ {baseline.bar:.0f})",
        _short(baseline.seconds / arithmetic),
    )


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def share_notes(compared: Sequence[Compared]) -> str:
    """Say how much of a baseline was run."""
    notes = [
        f"{one.name}: of the {which}, {baseline.share:.0%} was run "
        f"({baseline.measured:.1f} s) and the rest extrapolated"
        for one in compared
        for which, baseline in (("notebook", one.notebook), ("savvy baseline", one.savvy))
        if baseline.share < 1
    ]
    return "\n".join(notes)


def parts_table(columns: Mapping[str, Mapping[str, float]]) -> Table:
    """Tell where the milliseconds of each case go, the largest of the last case first."""
    table = Table("part (milliseconds)", title="Where the time goes")
    for name in columns:
        table.add_column(name, justify="right")
    cases = list(columns.values())

    def add(name: str, values: Sequence[float], *, last: bool = False) -> None:
        table.add_row(name, *(f"{1000 * value:.1f}" for value in values), end_section=last)

    for name in (parts.READ, parts.PLAN, parts.ROWS, parts.WRITE, parts.OTHER):
        add(name, [one.get(name, 0.0) for one in cases])
    add("arithmetic", [parts.arithmetic_of(one) for one in cases])
    add("all", [sum(one.values()) for one in cases], last=True)
    for name in sorted(parts.ARITHMETIC, key=lambda name: -cases[-1].get(name, 0.0)):
        add(name, [one.get(name, 0.0) for one in cases])
    return table


def crowd_table(crowd: Crowd) -> Table:
    """Set what the crowd's arithmetic and Python take beside its writing."""
    table = Table("case (seconds)", title="In a process of its own")
    names = ("engine", "read", "plan", "arithmetic", "rows and checks", "write", "bookkeeping")
    for name in (*names, "arithmetic and rows ÷ write", "peak memory (GiB)"):
        table.add_column(name, justify="right")
    found = (
        crowd.seconds,
        crowd.parts[parts.READ],
        crowd.parts[parts.PLAN],
        parts.arithmetic_of(crowd.parts),
        crowd.parts[parts.ROWS],
        crowd.writing,
        crowd.parts[parts.OTHER],
    )
    table.add_row(
        crowd.name,
        *(f"{value:.2f}" for value in found),
        f"{crowd.computing / crowd.writing:.2f} (≤ 1)",
        f"{crowd.peak / GIB:.2f} (< {MEMORY_BAR / GIB:.0f})",
    )
    return table


def timed_table(timed: Sequence[Timed]) -> Table:
    """Set what is measured against the clock beside its bars."""
    table = Table("case", title="Against the clock")
    for name in ("seconds", "CPU seconds", "bar"):
        table.add_column(name, justify="right")
    for one in timed:
        table.add_row(one.name, f"{one.seconds:.3f}", f"{one.cpu:.3f}", f"{one.bar:.1f}")
    return table


def answered_table(found: Sequence[Answered]) -> Table:
    """Tell how long answers take while a night is worked on."""
    table = Table("route (milliseconds)", title=f"Reads at {RATE:.0f} a second, while a run works")
    for name in ("requests", "p50", "p95", "p99", "errors"):
        table.add_column(name, justify="right")
    for one in found:
        taken = (f"{seconds * 1000:.1f}" for seconds in (one.median, one.p95, one.p99))
        table.add_row(one.route, f"{one.count:,}", *taken, str(one.errors))
    return table


def scale_table(nights: Sequence[Night]) -> Table:
    """Tell what nights of many books take, and how the parent spends its time."""
    table = Table("night (seconds)", title="Many books, one session, two workers")
    names = ("wall", "books/s", "read", "plan", "write", "waiting and rest", "write ÷ wall")
    more = ("parent's CPU", "workers' CPU", "peak memory (GiB)", "of the parent", "KB a book")
    for name in (*names, *more):
        table.add_column(name, justify="right")
    for one in nights:
        read, plan, write = (one.parts.get(p, 0.0) for p in (parts.READ, parts.PLAN, parts.WRITE))
        table.add_row(
            f"{one.books:,} on {one.database}, {one.compute}",
            f"{one.seconds:.1f}",
            f"{one.books / one.seconds:,.0f}",
            *(f"{value:.1f}" for value in (read, plan, write)),
            f"{one.seconds - read - plan - write:.1f}",
            f"{one.writing:.0%}",
            *(f"{value:.1f}" for value in one.cpu),
            f"{one.peak / GIB:.2f}",
            f"{one.peaks[0] / GIB:.2f}",
            f"{one.stored / one.books / 1e3:.1f}",
        )
    return table


def scale_notes(nights: Sequence[Night]) -> str:
    """Say what a Dask cluster costs beside child processes."""
    pairs = _dask_pairs(nights)
    return "\n".join(
        f"Dask: {dask.seconds / children.seconds:.2f} times the seconds of children "
        f"(≤ {DASK_BAR}), {dask.seconds - children.seconds:+.1f} s"
        for children, dask in pairs
    )


def _dask_pairs(nights: Sequence[Night]) -> list[tuple[Night, Night]]:
    return [
        (children, dask)
        for dask in nights
        if dask.compute == "dask"
        for children in nights
        if children.compute != "dask"
        and (children.database, children.books) == (dask.database, dask.books)
    ]


def missed_scale(nights: Sequence[Night]) -> Iterator[str]:
    """Name every bar that a night missed."""
    for one in nights:
        name = f"{one.books:,} books on {one.database}, {one.compute}"
        if one.books == max(SIZES) and one.seconds > SECONDS_BAR:
            yield f"{name}: {one.seconds:.1f} s"
        if one.peak > SCALE_MEMORY_BAR:
            yield f"{name}: {one.peak / GIB:.2f} GiB of memory"
    for children, dask in _dask_pairs(nights):
        if dask.seconds > DASK_BAR * children.seconds:
            yield f"a Dask cluster takes {dask.seconds / children.seconds:.1f} times as long"


def cold_table(cold: ColdStart) -> Table:
    """Set a cold start beside its bars."""
    table = Table("case", title="Asking providers")
    for name in ("asking (s)", "run (s)", "CPU (s)", "bar (s)", "requests"):
        table.add_column(name, justify="right")
    for name in ("peak before (MiB)", "after (MiB)"):
        table.add_column(name, justify="right")
    seconds = (f"{value:.2f}" for value in (cold.asking, cold.run, cold.cpu))
    peaks = (f"{size / MIB:,.0f}" for size in (cold.before, cold.after))
    table.add_row(cold.name, *seconds, f"{BAR_S:.0f}", f"{cold.requests:.0f}", *peaks)
    return table


def missed_cold(cold: ColdStart) -> Iterator[str]:
    """Name the bars that a cold start missed."""
    if cold.run > BAR_S:
        yield f"{cold.name}: {cold.run:.2f} s"
    if cold.after - cold.before > GROWTH_BAR:
        yield f"{cold.name}: {(cold.after - cold.before) / MIB:.0f} MiB more after asking"


def missed(
    compared: Sequence[Compared], crowd: Crowd | None, timed: Sequence[Timed]
) -> Iterator[str]:
    """Name every bar that was missed."""
    for one in compared:
        if one.timing.ratio > FLOOR_BAR:
            yield f"{one.name}: {one.timing.ratio:.1f} times the floor"
        for name, baseline in (("notebook", one.notebook), ("savvy baseline", one.savvy)):
            times = baseline.seconds / one.timing.seconds
            if times < baseline.bar:
                yield f"{one.name}: {times:.1f} times as fast as the {name}, not {baseline.bar:.0f}"
    if crowd is not None and crowd.computing > crowd.writing:
        yield f"{crowd.name}: arithmetic and Python take longer than writing"
    if crowd is not None and crowd.peak >= MEMORY_BAR:
        yield f"{crowd.name}: {crowd.peak / GIB:.2f} GiB of memory"
    yield from (one.name for one in timed if one.seconds > one.bar)
