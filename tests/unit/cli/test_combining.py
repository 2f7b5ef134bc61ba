"""``portfolio combine``, and a combined book in every command that shows portfolios."""

import pytest

HEADER = "Symbol,Quantity,Entry Price Per Share,Entry Date"
BOOKS = {
    "Growth": f"{HEADER}\nAAA,10,100.5,2026-01-05\n",
    "Income": f"{HEADER}\nAAA,-4,100,2026-01-06\nBBB,5,20,2026-01-06\n",
}


@pytest.fixture
def books(riskmark):
    """Import two books and return their ids."""
    for name, text in BOOKS.items():
        file = riskmark.file(f"{name}.csv", text)
        riskmark("portfolio", "import", file, "--name", name, "--opening-equity", "50000")
    return {one["name"]: one["id"] for one in riskmark("portfolio", "list", "--json").json}


def test_books_are_combined_under_a_name(riskmark, books):
    done = riskmark("portfolio", "combine", "All", "Growth", books["Income"])

    assert (done.code, done.out) == (0, "")
    assert "combined 2 books as 'All'" in done.err
    shown = riskmark("portfolio", "show", "All", "--json").json
    assert (shown["kind"], shown["mode"], shown["opening_equity"]) == (
        "combined",
        "equity",
        100_000,
    )
    assert shown["members"] == [{"id": books[name], "name": name} for name in ("Growth", "Income")]
    assert [lot["symbol"] for lot in shown["lots"]] == ["AAA", "AAA", "BBB"]
    assert shown["first_entry"] == "2026-01-05"


def test_people_see_what_is_combined_of_what(riskmark, books):  # noqa: ARG001 - stored
    riskmark("portfolio", "combine", "All", "Growth", "Income")

    listed, shown = riskmark("portfolio", "list"), riskmark("portfolio", "show", "All")

    assert "equity, combined" in listed.out
    assert "3 of 3" in listed.out
    assert "whose lots and flows these are" in shown.out
    assert "Growth" in shown.out
    heads = {one["name"]: one for one in riskmark("portfolio", "list", "--json").json}
    assert (heads["All"]["lots"], heads["Growth"]["members"]) == (3, [])


def test_the_members_of_a_combined_book_are_changed(riskmark, books):
    first = riskmark("portfolio", "combine", "All", "Growth", "--json").json

    again = riskmark("portfolio", "combine", "All", "Growth")
    done = riskmark("portfolio", "combine", "All", "Income", "--update", "--json").json
    same = riskmark("portfolio", "combine", "All", "Income", "--update")
    more = riskmark("portfolio", "combine", "All", "Income", "Growth", "--update")

    assert (first["added"], first["removed"]) == (["Growth"], [])
    assert again.code == 2
    assert "--update changes its members" in again.err
    assert done["members"] == [{"id": books["Income"], "name": "Income"}]
    assert (done["id"], done["added"], done["removed"]) == (first["id"], ["Income"], ["Growth"])
    assert "has these members already" in same.err
    assert "1 members added, 0 taken out" not in more.err
    assert "1 member added" in more.err


@pytest.mark.parametrize(
    "command",
    [
        ("lot", "add", "All", "AAA", "5", "100", "2026-01-07"),
        ("lot", "delete", "All", "x"),
        ("flow", "add", "All", "2026-01-07", "5000"),
        ("import", "Growth.csv", "--update", "All"),
        ("import", "Growth.csv", "--update", "All", "--dry-run"),
    ],
)
def test_what_a_combined_book_holds_is_not_edited_in_it(riskmark, books, command):  # noqa: ARG001
    riskmark("portfolio", "combine", "All", "Growth", "Income")

    done = riskmark("portfolio", *command)

    assert done.code == 2
    assert "combined book without lots and flows of its own" in done.err


def test_a_member_is_not_deleted_before_the_combined_book(riskmark, books):  # noqa: ARG001
    riskmark("portfolio", "combine", "All", "Growth", "Income")

    refused = riskmark("portfolio", "delete", "Growth")
    deleted = [riskmark("portfolio", "delete", name).code for name in ("All", "Growth")]

    assert refused.code == 2
    assert "'Growth' is a member of 'All'" in refused.err
    assert deleted == [0, 0]


def test_a_combined_book_is_run_and_shown_as_any_portfolio(riskmark, books):  # noqa: ARG001
    riskmark("portfolio", "combine", "All", "Growth", "Income")
    dry = riskmark("plan", "--portfolio", "All", "--json").json

    ran = riskmark("run", "--portfolio", "All", "--json")

    assert {cell["portfolio"] for cell in dry["cells"]} == {"All"}
    assert {"AAA", "BBB"} <= {one["symbol"] for one in dry["symbols"]}
    assert ran.code in (0, 3)
    states = {
        one["name"]: (one["missing"], one["stale"])
        for one in riskmark("status", "--json").json["portfolios"]
    }
    assert states["All"] == (0, 0)
    assert states["Growth"][0] > 0
    shown = riskmark("show", "All", "--json")
    assert shown.code == 0
    assert shown.json["snapshot"]["nav"] is not None
    assert riskmark("history", "All", "--json").code == 0
    what_if = riskmark("what-if", "All", "--trade", "SPY", "5", "--json")
    assert what_if.code == 0
    assert riskmark("verify", "--json").json["checked"]["portfolios"] == 3


def test_the_lots_of_a_combined_book_are_exported_as_one_file(riskmark, books):  # noqa: ARG001
    riskmark("portfolio", "combine", "All", "Growth", "Income")

    text = riskmark("portfolio", "export", "All").out

    riskmark("portfolio", "import", riskmark.file("one.csv", text), "--name", "One")
    assert len(riskmark("portfolio", "lot", "list", "One", "--json").json) == 3
