"""What tests of shown numbers share: showing a book, with settings of one's own."""

import json
from datetime import date

import msgspec

from riskmark.domain.scenarios import Replay
from riskmark.reports.documents import to_json
from riskmark.reports.snapshot import load_snapshot

NAMES_OF = {
    "factors": ("model", "factor"),
    "sectors": ("sector",),
    "positions": ("symbol",),
    "stress": ("scenario",),
    "replays": ("scenario",),
    "backtests.var": ("measure",),
    "backtests.volatility": ("measure",),
}
"""The keys that name the items of each list."""


def show(world, name="book", session=None, **settings):
    """Return what ``show --json`` says of a book under changed settings."""
    with world.app.database.read() as connection:
        found = load_snapshot(
            connection,
            world.app.principal,
            name,
            settings=msgspec.structs.replace(world.app.settings, **settings),
            session=session,
        )
    return json.loads(to_json(found.document()))


def episode(first, last, name="episode"):
    """Return settings with one replay."""
    return {"replay": (Replay(name, date.fromisoformat(first), date.fromisoformat(last)),)}


def close_all(world, day):
    """Sell everything that the world's books hold."""
    rows = world.rows(
        "SELECT l.id, p.name FROM lot l JOIN portfolio p ON p.id = l.portfolio_id ORDER BY l.id"
    )
    with world.app.database.write() as connection:
        for lot, name in rows:
            editor = world.editor(connection, name)
            editor.close_lot(lot, day=day, price=100)
            editor.finish()


def nulls_under(found, prefix):
    """Return the reasons of a document's nulls whose names begin with ``prefix``."""
    return {
        name.removeprefix(prefix): reason
        for name, reason in found["nulls"].items()
        if name.startswith(prefix)
    }


def null_names(found):
    """Return the names of all nulls of a document, as the interface names them."""
    names = set()

    def walk(name, value):
        if value is None:
            names.add(name)
        elif isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{name}.{key}" if name else key, inner)
        elif isinstance(value, list):
            for item in value:
                keys = NAMES_OF.get(name, ())
                if name.startswith("stress."):
                    keys = ("factor",) if name.endswith(".factors") else ("symbol",)
                walk(".".join([name, *(item[key] for key in keys)]) if keys else name, item)

    walk("", {key: value for key, value in found.items() if key != "nulls"})
    return names
