"""What tests of shown numbers share: showing a book, with settings of one's own."""

import json
from datetime import date

import msgspec

from riskmark.domain.scenarios import Replay
from riskmark.reports.documents import to_json
from riskmark.reports.snapshot import load_snapshot


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
