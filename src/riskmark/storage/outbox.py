"""The outbox: notices written with what they tell of, and sent after that is committed.

    event (no channel)  →  one notice a channel  →  sent, or given up after many attempts

An event is noted without knowing who wants to hear of it, so that whatever ends a run can
note it. Addressing puts notices in its place. Sending takes a notice by moving its next
attempt ahead: who dies meanwhile loses nothing, and somebody tries again then, under the
same id. All times are the database's.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import uuid6
from sqlalchemy import Connection, delete, select, text

from riskmark.domain.notify_settings import Channel, NoticeEvent
from riskmark.domain.reasons import RunStatus
from riskmark.storage import schema
from riskmark.storage.engines import db_now, lock_rows

MAX_ATTEMPTS = 8
"""Attempts at one notice; whoever refuses it for a quarter of a day is not waited for."""
TAKEN_S = 300.0
"""For how long a notice that is being sent is left alone: longer than any attempt takes."""
KEPT_DAYS = 7
"""Days after which an event that nobody has addressed is no news any more."""
_DAY_S = 86_400.0
_FIRST_WAIT_S = 30.0
_LONGER = 4.0
_LONGEST_WAIT_S = 21_600.0
_ERROR_CHARS = 300

_EVENT_OF = {
    RunStatus.SUCCEEDED: NoticeEvent.RUN_SUCCEEDED,
    RunStatus.PARTIAL: NoticeEvent.RUN_PARTIAL,
    RunStatus.FAILED: NoticeEvent.RUN_FAILED,
    RunStatus.CANCELLED: NoticeEvent.RUN_CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened and is not yet addressed to anybody."""

    event_id: str
    kind: NoticeEvent
    subject: str
    content: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """What goes out on one channel; its id stays the same however often it is sent."""

    notice_id: str
    kind: NoticeEvent
    subject: str
    channel: Channel
    content: dict[str, Any]
    status: str
    attempts: int
    created_at: datetime
    next_at: datetime
    sent_at: datetime | None
    error: str | None

    @property
    def taken_at(self) -> datetime:
        """When it was taken for the attempt that it is taken for."""
        return self.next_at - timedelta(seconds=TAKEN_S)


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much the outbox holds that is not sent."""

    waiting: int
    given_up: int


def note_run_end(connection: Connection, run_id: str, status: RunStatus) -> None:
    """Note that a run ended, in the transaction that ends it."""
    note_event(connection, _EVENT_OF[status], run_id, {})


def note_event(
    connection: Connection, kind: NoticeEvent, subject: str, content: dict[str, Any]
) -> None:
    """Note an event; the same one of the same subject is noted once."""
    _insert(connection, kind, subject, channel="", content=content)


def has_work(connection: Connection) -> bool:
    """Whether anything is to be addressed or sent now."""
    found = connection.execute(
        text(
            "SELECT 1 FROM outbox WHERE status = 'waiting' "
            f"AND next_at <= {db_now(connection)} LIMIT 1"
        )
    )
    return found.first() is not None


def unaddressed(connection: Connection) -> list[Event]:
    """Return the events that wait to be addressed, oldest first, their rows locked."""
    rows = connection.execute(
        text(
            "SELECT id FROM outbox WHERE channel = '' AND status = 'waiting' "
            f"ORDER BY id{lock_rows(connection)}"
        )
    )
    ids = list(rows.scalars())
    table = schema.outbox
    found = connection.execute(select(table).where(table.c.id.in_(ids)).order_by(table.c.id))
    return [
        Event(row.id, NoticeEvent(row.event), row.subject, json.loads(row.content), row.created_at)
        for row in found
    ]


def address(
    connection: Connection, event: Event, channels: Sequence[Channel], content: dict[str, Any]
) -> None:
    """Put a notice for each channel in the place of an event."""
    for channel in channels:
        _insert(connection, event.kind, event.subject, channel=channel, content=content)
    connection.execute(delete(schema.outbox).where(schema.outbox.c.id == event.event_id))


def drop_old_events(connection: Connection) -> None:
    """Drop events that nobody addressed for days; of notices ``storage.retention`` disposes."""
    limit = db_now(connection, -KEPT_DAYS * _DAY_S)
    connection.execute(text(f"DELETE FROM outbox WHERE channel = '' AND created_at < {limit}"))


def take_notice(connection: Connection) -> Notice | None:
    """Take the notice that has waited longest, for one attempt; None if none is due.

    One that was taken too often is given up instead: who takes it may die of it.
    """
    while True:
        row = connection.execute(
            text(
                "SELECT id, attempts FROM outbox WHERE status = 'waiting' AND channel <> '' "
                f"AND next_at <= {db_now(connection)} ORDER BY next_at, id LIMIT 1"
                f"{lock_rows(connection, skip_locked=True)}"
            )
        ).one_or_none()
        if row is None:
            return None
        if row.attempts >= MAX_ATTEMPTS:
            _give_up(connection, row.id)
            continue
        connection.execute(
            text(
                "UPDATE outbox SET attempts = attempts + 1, "
                f"next_at = {db_now(connection, TAKEN_S)} WHERE id = :id"
            ),
            {"id": row.id},
        )
        return load_notice(connection, row.id)


def load_notice(connection: Connection, notice_id: str) -> Notice:
    """Return a notice."""
    table = schema.outbox
    return _notice(connection.execute(select(table).where(table.c.id == notice_id)).one())


def mark_sent(connection: Connection, notice: Notice) -> None:
    """Note that a notice was received."""
    connection.execute(
        text(
            f"UPDATE outbox SET status = 'sent', sent_at = {db_now(connection)}, error = NULL "
            "WHERE id = :id"
        ),
        {"id": notice.notice_id},
    )


def mark_failed(connection: Connection, notice: Notice, problem: str) -> None:
    """Note what went wrong, and when the next attempt is; after the last one there is none."""
    connection.execute(
        text(
            f"UPDATE outbox SET error = :error, next_at = {db_now(connection, _wait(notice))} "
            "WHERE id = :id AND status = 'waiting'"
        ),
        {"id": notice.notice_id, "error": problem[:_ERROR_CHARS]},
    )
    if notice.attempts >= MAX_ATTEMPTS:
        _give_up(connection, notice.notice_id)


def list_notices(connection: Connection, *, most: int, every_status: bool = False) -> list[Notice]:
    """Return the newest notices that are not sent, or all."""
    table = schema.outbox
    statement = select(table).where(table.c.channel != "")
    if not every_status:
        statement = statement.where(table.c.status != "sent")
    rows = connection.execute(statement.order_by(table.c.id.desc()).limit(most))
    return [_notice(row) for row in rows]


def retry_notices(connection: Connection, ids: Sequence[str] | None) -> int:
    """Let notices (None: all that are not sent) be due now, as if never tried; count them."""
    chosen, values = "", {}
    if ids is not None:
        marks = ", ".join(f":id{place}" for place in range(len(ids)))
        chosen = f" AND id IN ({marks})"
        values = {f"id{place}": one for place, one in enumerate(ids)}
    changed = connection.execute(
        text(
            f"UPDATE outbox SET status = 'waiting', attempts = 0, next_at = {db_now(connection)} "
            f"WHERE status <> 'sent' AND channel <> ''{chosen}"
        ),
        values,
    )
    return changed.rowcount


def backlog(connection: Connection) -> Backlog:
    """Count what is not sent."""
    rows = connection.execute(
        text("SELECT status, COUNT(*) FROM outbox WHERE status <> 'sent' GROUP BY status")
    )
    counts: dict[str, int] = {row[0]: row[1] for row in rows}
    return Backlog(counts.get("waiting", 0), counts.get("given_up", 0))


def _wait(notice: Notice) -> float:
    """Return the seconds until the next attempt: longer after each."""
    return min(_FIRST_WAIT_S * _LONGER ** (notice.attempts - 1), _LONGEST_WAIT_S)


def _give_up(connection: Connection, notice_id: str) -> None:
    connection.execute(
        text("UPDATE outbox SET status = 'given_up' WHERE id = :id AND status = 'waiting'"),
        {"id": notice_id},
    )


def _insert(
    connection: Connection,
    kind: NoticeEvent,
    subject: str,
    *,
    channel: str,
    content: dict[str, Any],
) -> None:
    now = db_now(connection)
    connection.execute(
        text(
            "INSERT INTO outbox (id, event, subject, channel, content, status, attempts, "
            "created_at, next_at) VALUES (:id, :event, :subject, :channel, :content, 'waiting', "
            f"0, {now}, {now}) ON CONFLICT DO NOTHING"
        ),
        {
            "id": str(uuid6.uuid7()),
            "event": kind,
            "subject": subject,
            "channel": channel,
            "content": json.dumps(content),
        },
    )


def _notice(row: Any) -> Notice:
    return Notice(
        row.id,
        NoticeEvent(row.event),
        row.subject,
        Channel(row.channel),
        json.loads(row.content),
        row.status,
        row.attempts,
        row.created_at,
        row.next_at,
        row.sent_at,
        row.error,
    )
