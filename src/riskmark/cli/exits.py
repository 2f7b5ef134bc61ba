"""Exit codes; they are part of the interface."""

from collections.abc import Mapping
from types import MappingProxyType

from riskmark.domain.reasons import RunStatus

OK = 0
FAILED = 1
BAD_INPUT = 2
PARTIAL = 3
NOT_CURRENT = 4
VIOLATIONS = 5
CANCELLED = 6
INTERRUPTED = 130

EXIT_OF: Mapping[RunStatus, int] = MappingProxyType(
    {
        RunStatus.SUCCEEDED: OK,
        RunStatus.PARTIAL: PARTIAL,
        RunStatus.FAILED: FAILED,
        RunStatus.CANCELLED: CANCELLED,
    }
)
"""How a command ends that carried out or watched a run."""
