"""What an installation says of old things: how much of them is kept."""

import msgspec

LEAST_SESSIONS = 2
"""Sessions whose positions must be kept: P&L is explained by those of the session before."""
MOST_KEPT = 100_000
"""Days or sessions that something may be kept for; 0 says that it is kept for ever."""


class RetentionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much of what is old is kept; 0: all of it. Snapshots and inputs are always kept."""

    keep_positions_sessions: int
    keep_run_details_days: int
    keep_runs_days: int
    keep_provider_days: int
    keep_sent_days: int
    keep_sign_in_days: int
    keep_audit_days: int

    @property
    def problem(self) -> str | None:
        """What of it cannot be; None if all can."""
        for name in self.__struct_fields__:
            least = LEAST_SESSIONS if name == "keep_positions_sessions" else 1
            if getattr(self, name) and not least <= getattr(self, name) <= MOST_KEPT:
                return f"{name} must be 0, which keeps all, or from {least} to {MOST_KEPT:,}"
        return None
