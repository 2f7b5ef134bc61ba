"""A small share of the chaos suite: some trials of each part, on each database."""

import secrets
from collections.abc import Iterator

import pytest
from tests.chaos import page, soak
from tests.chaos.lane import DATABASES, Lane, draw
from tests.chaos.page import Figures
from tests.chaos.parts import PARTS
from tests.support import PROFILE

TRIALS = {"default": 1, "deep": 5}[PROFILE]
ELSEWHERE = {"points", "kills", "foreground", "statements"}
"""Parts that ``tests/faults`` has a share of in every run of the quick tests."""
CASES = [
    (part, database)
    for part in PARTS.values()
    if PROFILE == "deep" or part.name not in ELSEWHERE
    for database in part.databases
]


@pytest.fixture(scope="session")
def lane(postgresql_url: str) -> Iterator[Lane]:
    """Give a lane that uses the session's own server."""
    opened = Lane(server=postgresql_url)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("part", "database"), CASES, ids=[f"{part.name}-{database}" for part, database in CASES]
)
def test_some_trials_of_each_part(lane: Lane, part, database: str):
    seed = secrets.randbits(32)
    count = part.count(lane, database)
    for trial in range(TRIALS):
        number = (seed + trial * count // TRIALS) % count
        print(f"python -m tests.chaos {part.name} --database {database} --seed {seed} "
              f"--only {number}")  # fmt: skip

        said = part.attempt(draw(lane, part.name, database, seed=seed, number=number))

        assert said


def _samples(**changed):
    return [
        {"at": float(n), "status": "succeeded", "rss": 100_000, "files": 9, "threads": 4}
        | {name: change(n) for name, change in changed.items()}
        for n in range(1, 41)
    ]


def test_a_soak_that_holds_the_same_all_the_time_passes():
    assert soak.check(_samples()) == ["succeeded"] * 40


@pytest.mark.parametrize(
    ("name", "change"),
    [("rss", lambda n: 100_000 + 1_000 * n), ("files", lambda n: 9 + n // 10),
     ("threads", lambda n: 4 + (n > 30))],
)  # fmt: skip
def test_a_soak_in_which_something_grows_fails(name, change):
    with pytest.raises(soak.Leaking, match=f"{name} grew"):
        soak.check(_samples(**{name: change}))


@pytest.mark.parametrize("database", DATABASES)
def test_a_row_of_the_page_is_replaced_and_others_stay(tmp_path, database: str):
    path = tmp_path / "page.md"
    path.write_text(f"before\n{page.BEGIN}\n{page.END}\nafter\n", encoding="utf-8")
    figures = [Figures(f"part {n}", f"fault {n}", database, page.Counter(killed=n), 1.0, 9)
               for n in (1, 2)]  # fmt: skip

    page.write(path, figures)
    page.write(path, [figures[1]._replace(happened=page.Counter(killed=7))])

    rows = [
        line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("| fault")
    ][1:]
    assert [row.split("|")[1:4:2] for row in rows] == [[" fault 1 ", " 1 "], [" fault 2 ", " 7 "]]
    assert path.read_text(encoding="utf-8").startswith("before\n")
    assert path.read_text(encoding="utf-8").endswith("\nafter\n")
