"""What an installation says of its providers: in which order, and how each is reached."""

from urllib.parse import urlsplit

import msgspec

from riskmark.domain.secrets import without_login

PROVIDERS = ("yfinance", "yahooquery", "massive", "fmp")
"""The providers on the network."""
FILES = "files"
DOMAIN_OF = {"yfinance": "yahoo", "yahooquery": "yahoo"}
"""What fails together: two clients of one host; any other provider is a domain of its own."""
WITH_KEY = frozenset({"massive", "fmp"})
"""Those that answer nobody without a key."""
BY_NAME_OF_THE_TIME = frozenset({"massive"})
"""Those that keep bars under the symbol that an instrument had on their session."""


NO_KEY = "must be one word of ASCII characters"


def is_key(text: str) -> bool:
    """Whether a text can be sent as a key, or is empty; else it would be shown in an error."""
    return text.isascii() and text.isprintable() and " " not in text


class ProviderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one provider is reached; 0 requests are no limit, empty text is none."""

    enabled: bool
    api_key: str
    api_key_file: str
    base_url: str
    requests_per_minute: int
    requests_per_day: int
    timeout_seconds: float

    @property
    def problem(self) -> str | None:
        """What of it cannot be; None if all can."""
        if self.api_key and self.api_key_file:
            return "api_key and api_key_file are both given"
        if not is_key(self.api_key):
            return f"api_key {NO_KEY}"
        if self.base_url:
            parts = urlsplit(self.base_url)
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
                shown = without_login(self.base_url).partition("?")[0]
                return f"base_url is not the address of a server: {shown!r}"
        if self.requests_per_minute < 0 or self.requests_per_day < 0:
            return "requests_per_minute and requests_per_day must be 0 or more"
        return None if self.timeout_seconds > 0 else "timeout_seconds must be above 0"


class FilesSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A folder of bars, and a file or folder of actions."""

    enabled: bool
    folder: str
    actions: str


class ProvidersSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All providers, and the order in which they are asked."""

    order: tuple[str, ...]
    run_budget_seconds: float
    profiles_a_run: int
    profile_days: int
    cross_check_symbols: int
    files: FilesSettings
    yfinance: ProviderSettings
    yahooquery: ProviderSettings
    massive: ProviderSettings
    fmp: ProviderSettings

    def of(self, name: str) -> ProviderSettings:
        """Return the settings of a provider on the network."""
        found: ProviderSettings = getattr(self, name)
        return found

    @property
    def problem(self) -> str | None:
        """What of it cannot be; None if all can."""
        known = (*PROVIDERS, FILES)
        for name in self.order:
            if name not in known:
                return f"order has {name!r}; known: {', '.join(known)}"
        if len(set(self.order)) < len(self.order):
            return "order names a provider twice"
        if self.run_budget_seconds <= 0:
            return "run_budget_seconds must be above 0"
        if self.profiles_a_run < 0 or self.cross_check_symbols < 0 or self.profile_days < 1:
            return (
                "profiles_a_run and cross_check_symbols must be 0 or more, profile_days 1 or more"
            )
        if FILES in self.order and self.files.enabled and not self.files.folder:
            return "files has no folder"
        problems = ((name, self.of(name).problem) for name in PROVIDERS)
        return next((f"{name}: {problem}" for name, problem in problems if problem), None)
