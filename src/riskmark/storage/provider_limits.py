"""Limits, quotas and circuits of providers: one row for each, right for all processes.

A request is counted before it is made: a crash counts one that never was, and never misses
one. Whoever counts holds the row, on SQLite the database, for the length of two statements.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from riskmark.domain.provider_settings import DOMAIN_OF, PROVIDERS
from riskmark.domain.rate_limits import (
    Admission,
    Limits,
    LimitState,
    admit,
    after_failure,
    after_success,
)
from riskmark.domain.reasons import AnswerReason
from riskmark.errors import InputError
from riskmark.storage import schema
from riskmark.storage.engines import Database

_TABLE = schema.provider_limit
_CLEAN = LimitState(day=datetime(1970, 1, 1, tzinfo=UTC).date())


@dataclass(frozen=True, slots=True)
class ProviderLimits:
    """The limits in a database; each call is a transaction of its own."""

    database: Database

    def take(self, domain: str, limits: Limits, *, at: datetime) -> Admission:
        """Count one request if it may be made at this instant."""
        with self.database.write("provider.take") as connection:
            state = _hold(connection, domain)
            admission, taken = admit(state, limits, at)
            if taken != state:
                _save(connection, domain, taken)
        return admission

    def succeeded(self, domain: str) -> None:
        """Close the circuit; nothing is written if nothing had failed."""
        with self.database.read() as connection:
            state = load_limits(connection).get(domain, _CLEAN)
        if state.failures or state.open_until is not None:
            self._change(domain, after_success)

    def failed(
        self, domain: str, reason: AnswerReason, *, detail: str, until: datetime, opens_at: int
    ) -> None:
        """Count a failure; from ``opens_at`` in a row the circuit is open until then."""
        self._change(
            domain,
            lambda state: after_failure(
                state, reason, detail=detail, until=until, opens_at=opens_at
            ),
        )

    def _change(self, domain: str, change: Callable[[LimitState], LimitState]) -> None:
        with self.database.write("provider.change") as connection:
            _save(connection, domain, change(_hold(connection, domain)))


def load_limits(connection: Connection) -> Mapping[str, LimitState]:
    """Return what is known of each failure domain that was ever asked."""
    rows = connection.execute(select(_TABLE).order_by(_TABLE.c.domain)).all()
    return {row.domain: _state(row) for row in rows}


def _hold(connection: Connection, domain: str) -> LimitState:
    """Lock the row of a domain, which is made if there is none."""
    make = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(_TABLE)
    connection.execute(
        make.values(domain=domain, **_values(_CLEAN)).on_conflict_do_nothing(
            index_elements=["domain"]
        )
    )
    held = select(_TABLE).where(_TABLE.c.domain == domain).with_for_update()
    return _state(connection.execute(held).one())


def _save(connection: Connection, domain: str, state: LimitState) -> None:
    changed = update(_TABLE).where(_TABLE.c.domain == domain).values(**_values(state))
    connection.execute(changed)


def _values(state: LimitState) -> dict[str, Any]:
    return {
        "calls": json.dumps([call.timestamp() for call in state.calls]),
        "day": state.day,
        "day_calls": state.day_calls,
        "failures": state.failures,
        "open_until": state.open_until,
        "reason": state.reason,
        "detail": state.detail,
    }


def _state(row: Any) -> LimitState:
    return LimitState(
        day=row.day,
        day_calls=row.day_calls,
        calls=tuple(datetime.fromtimestamp(call, UTC) for call in json.loads(row.calls)),
        failures=row.failures,
        open_until=row.open_until,
        reason=None if row.reason is None else AnswerReason(row.reason),
        detail=row.detail,
    )


def reset_provider(database: Database, name: str) -> list[str]:
    """Let a provider be asked again; return those of the same host, which are asked again too."""
    if name not in PROVIDERS:
        raise InputError(f"no provider {name!r} is ever left alone; known: {', '.join(PROVIDERS)}")
    domain = DOMAIN_OF.get(name, name)
    ProviderLimits(database).succeeded(domain)
    return [other for other in PROVIDERS if other != name and DOMAIN_OF.get(other) == domain]
