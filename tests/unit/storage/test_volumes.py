from datetime import date

import numpy as np
from sqlalchemy import update
from tests.market import CALENDAR, closes_of, instrument_id, load

from riskmark.storage import schema
from riskmark.storage.volumes import load_volumes

MON, TUE, WED = (date(2024, 3, day) for day in (4, 5, 6))


def test_volumes_stand_on_their_sessions_and_what_is_not_stored_is_nan(database):
    with database.write() as connection:
        load(connection, closes_of("AAA", MON, [10, 11, 12]) + closes_of("BBB", TUE, [20]))
        ids = [instrument_id(connection, symbol) for symbol in ("BBB", "AAA")]
        for day, volume in ((MON, 7.0), (TUE, 0.0), (WED, 9.0)):
            connection.execute(
                update(schema.price)
                .where(schema.price.c.instrument_id == ids[1], schema.price.c.session == day)
                .values(volume=volume)
            )

    with database.read() as connection:
        found = load_volumes(
            connection,
            CALENDAR,
            ids,
            first=CALENDAR.on_or_after(MON),
            last=CALENDAR.on_or_after(TUE),
        )

    np.testing.assert_array_equal(found, [[np.nan, 7.0], [np.nan, 0.0]])
