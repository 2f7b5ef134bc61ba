"""What the adapters of providers on the network have in common.

An adapter says how to ask and how to read; this turns whatever happens into an answer.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

from riskmark.domain.reasons import AnswerReason
from riskmark.providers.checking import Checker, RawAnswer
from riskmark.providers.limits import Gate
from riskmark.providers.outcomes import Outcome, Stopped
from riskmark.providers.port import Answer, Profile, Wanted
from riskmark.providers.replies import Reply


@dataclass(frozen=True, slots=True)
class Access:
    """How a provider is reached; without a ``base_url`` it is the provider's own."""

    gate: Gate
    checker: Checker
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)


class Caught(Exception):
    """The reply that was asked for, taken from the wire on its way past a client."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"HTTP {reply.status}")
        self.reply = reply


def catch_reply(ask: Callable[[], object]) -> Reply:
    """Let a client ask; return the reply that its session or pool caught.

    A client that fails on its own, or asks for nothing, is named: it is other people's code,
    and a new version of it must not end a run.
    """
    try:
        ask()
    except Caught as caught:
        return caught.reply
    except Stopped:
        raise
    except Exception as error:  # noqa: BLE001 - it ends here, as an outcome
        # Its words may hold an address, and that a key.
        detail = f"the client failed: {type(error).__name__}"
        raise Stopped(AnswerReason.BAD_PAYLOAD, detail) from None
    raise Stopped(AnswerReason.BAD_PAYLOAD, "the client made no request")


_UNREADABLE = (ArithmeticError, LookupError, TypeError, ValueError)
"""What reading raises at a value that nobody thought of: one symbol's, not the run's end."""


def _unreadable(error: Exception) -> Outcome:
    return Outcome(AnswerReason.BAD_PAYLOAD, f"it cannot be read: {type(error).__name__}")


class NetworkProvider(ABC):
    """A provider behind HTTP."""

    name: str
    domain: str

    def __init__(self, access: Access) -> None:
        self._access = access

    def fetch(self, wanted: Wanted) -> Answer:
        """Ask for bars and actions; every failure is an outcome."""
        before = self._access.gate.requests
        try:
            answer = self._access.checker.check(self._ask(wanted), wanted)
        except Stopped as stop:
            answer = Answer(wanted.symbol, stop.outcome)
        except _UNREADABLE as error:
            answer = Answer(wanted.symbol, _unreadable(error))
        self._report(answer.outcome, before)
        return answer

    def fetch_profile(self, symbol: str) -> tuple[Profile, Outcome]:
        """Ask what a symbol is; every failure is an outcome."""
        before = self._access.gate.requests
        try:
            profile, outcome = self._ask_profile(symbol)
        except Stopped as stop:
            profile, outcome = Profile(), stop.outcome
        except _UNREADABLE as error:
            profile, outcome = Profile(), _unreadable(error)
        self._report(outcome, before)
        return profile, outcome

    @abstractmethod
    def close(self) -> None:
        """Close the connections."""

    def _report(self, outcome: Outcome, before: int) -> None:
        # Other people's clients make an outcome of whatever is raised, of a stop as well.
        self._access.gate.budget.check()
        # An outcome that came without a request is the gate's own.
        if self._access.gate.requests > before:
            self._access.gate.report(outcome)

    @abstractmethod
    def _ask(self, wanted: Wanted) -> RawAnswer:
        """Ask and understand the dialect, or stop."""

    @abstractmethod
    def _ask_profile(self, symbol: str) -> tuple[Profile, Outcome]:
        """Ask and understand the dialect, or stop."""
