"""The exceptions of Riskmark: one base, three families by whose move is next.

    InputError      the caller's: the request cannot be carried out as it was made
    ProviderError   a retry may help: a source outside did not deliver
    StoreError      the operator's: the database is not as it must be

Exceptions are for requests that cannot be carried out. Data that is not there travels
as a value with a reason (``domain.reasons``), never as an exception.
"""


class RiskmarkError(Exception):
    """The base of every error that Riskmark raises on purpose."""


class InputError(RiskmarkError):
    """The request is wrong or names something that does not exist."""


class ProviderError(RiskmarkError):
    """A source of data outside did not deliver."""


class StoreError(RiskmarkError):
    """The database cannot be used as it is."""


class ComputeError(RiskmarkError):
    """Nothing can be computed at the place that the setting ``compute`` names."""


class UnknownPortfolio(InputError):
    """No live portfolio has this name or id."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no portfolio has the name or id {name!r}")
        self.name = name


class AmbiguousPortfolio(InputError):
    """Several owners have a portfolio of this name."""

    def __init__(self, name: str, ids: tuple[str, ...]) -> None:
        super().__init__(f"{len(ids)} portfolios are named {name!r}; use an id: {', '.join(ids)}")
        self.name = name
        self.ids = ids


class UnknownSymbol(InputError):
    """No instrument has this symbol."""

    def __init__(self, symbol: str) -> None:
        super().__init__(f"no instrument has the symbol {symbol!r}")
        self.symbol = symbol


class UnknownRun(InputError):
    """No run has this id."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"no run has the id {run_id!r}")
        self.run_id = run_id


class SettingsError(InputError):
    """A setting is unknown or has a value that cannot be used."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")
        self.where = where
        self.problem = problem


class ShapeError(RiskmarkError, ValueError):
    """Arrays that must line up do not."""


class LeaseLost(StoreError):
    """Another process has taken this run over, or it was ended."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"run {run_id} is no longer ours: it was taken over or ended")
        self.run_id = run_id
