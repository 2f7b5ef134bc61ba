"""Settings: read once, frozen, from defaults, ``riskmark.toml`` and the environment.

A value in the environment wins over the file, the file over ``defaults.toml``; a factor
model, scenario or replay in the file replaces the built-in one of the same name and keeps
the others. An unknown key is an error that names where it stands.

A relative path of an SQLite database in a file starts at the file's folder, so that the file
means the same from everywhere; anywhere else it starts at the working directory.
"""

import hashlib
import os
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from riskmark.domain.factor_models import Estimator, Factor, FactorModel
from riskmark.domain.instruments import is_symbol
from riskmark.domain.notify_settings import NoticeEvent, NotifySettings, Tls
from riskmark.domain.provider_settings import ProvidersSettings
from riskmark.domain.retention_settings import RetentionSettings
from riskmark.domain.scenarios import STRESS_MODEL, Rates, Replay, Scenario
from riskmark.domain.secrets import secrets_in
from riskmark.errors import SettingsError
from riskmark.planning.schedule_settings import ScheduleSettings

CONFIG_FILE = "riskmark.toml"
_PREFIX = "RISKMARK_"
_NOT_SETTINGS = frozenset(
    {"RISKMARK_NOW", "RISKMARK_MARKET_DATA", "RISKMARK_CONFIG", "RISKMARK_TEST_PROFILE"}
)
_SQLITE_FILE = "sqlite:///"
_NUMBERS = (
    "base_currency",
    "benchmark",
    "risk_free",
    "default_model",
    "calendar",
    "options",
    "factor_model",
    "rates",
    "scenario",
    "replay",
)
"""The settings that change numbers; only these make a stored number out of date."""

LogFormat = Literal["auto", "console", "json"]
LogLevel = Literal["auto", "debug", "info", "warning", "error"]

MAX_DELAY = 7 * 24 * 60
"""Minutes after a close for which its session may be held back."""

NAMED_LISTS = ("factor_model", "scenario", "replay")
"""Lists of tables with a name each, by which a file replaces or adds some."""
_TABLES: Mapping[str, type[Any]] = {
    "factor_model": FactorModel,
    "rates": Rates,
    "scenario": Scenario,
    "replay": Replay,
}
_PLACE = re.compile(r"(factor_model|scenario|replay)\[(\d+)\]")
_COMPUTE = re.compile(r"inline|processes:[1-9]\d{0,3}|dask://[^/\s]+:\d+")
_DEFAULTS = Path(__file__).with_name("defaults.toml")


class CalendarSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which exchange's sessions count, and closures that its calendar lacks."""

    name: str
    closures: tuple[date, ...]


class OptionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What options are priced with, beside their underlyings: a year, continuously compounded."""

    rate: float
    dividend_yield: float


class LeaseSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a silent run keeps its claim, and how often it speaks."""

    seconds: float
    heartbeat_seconds: float

    @property
    def problem(self) -> str | None:
        """What of it cannot be; None if all can."""
        is_possible = 0 < self.heartbeat_seconds < self.seconds
        return None if is_possible else "0 < heartbeat_seconds < seconds must hold"


class SqliteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the file of an SQLite database may stand."""

    allow_network_file_system: bool


class ServerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Under which names the server answers, and how long people stay signed in."""

    allowed_hosts: tuple[str, ...]
    session_hours: float


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that an installation can choose."""

    database_url: str
    base_currency: str
    publish_delay_minutes: float
    benchmark: str
    risk_free: float
    rebuild_budget_seconds: float
    compute: str
    default_model: str
    calendar: CalendarSettings
    options: OptionSettings
    retention: RetentionSettings
    sqlite: SqliteSettings
    lease: LeaseSettings
    log_format: LogFormat
    log_level: LogLevel
    schedule: ScheduleSettings
    notify: NotifySettings
    providers: ProvidersSettings
    server: ServerSettings
    factor_model: tuple[FactorModel, ...]
    rates: Rates
    scenario: tuple[Scenario, ...]
    replay: tuple[Replay, ...]

    @property
    def numbers_hash(self) -> str:
        """A digest of the settings that change numbers."""
        chosen = {name: getattr(self, name) for name in _NUMBERS}
        return hashlib.sha256(msgspec.json.encode(chosen, order="sorted")).hexdigest()[:16]

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret in the settings themselves; those in files are not among them."""
        return secrets_in(msgspec.to_builtins(self))

    @property
    def factor_symbols(self) -> tuple[str, ...]:
        """Every symbol that a factor model or the benchmark needs, once each."""
        of_models = (s for model in self.factor_model for s in model.symbols)
        return tuple(dict.fromkeys((*of_models, self.benchmark)))

    @property
    def factor_columns(self) -> tuple[str, ...]:
        """Every column of imported factor returns that a factor model needs, once each."""
        return tuple(dict.fromkeys(c for model in self.factor_model for c in model.columns))

    def model(self, name: str) -> FactorModel:
        """Return the factor model of this name."""
        return next(one for one in self.factor_model if one.name == name)


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings, and where each value came from."""

    settings: Settings
    origins: Mapping[str, str]


def load_settings(
    config: Path | None,
    environment: Mapping[str, str],
    *,
    database_url: str | None = None,
) -> LoadedSettings:
    """Read the settings.

    ``config`` is the file named on the command line; without one, ``riskmark.toml`` in the
    working directory is read if it is there. ``database_url`` wins over everything.
    """
    merged = tomllib.loads(_DEFAULTS.read_text(encoding="utf-8"))
    origins = dict.fromkeys(_flat(merged), "default")
    path = _config_path(config, environment)
    own: frozenset[str] = frozenset()
    if path is not None:
        read = _read_toml(path)
        _merge(merged, read, origins, str(path))
        own = frozenset(_names(read.get("scenario")))
    _merge(merged, _from_environment(environment, merged), origins, "environment")
    if database_url is not None:
        merged["database_url"] = database_url
        origins["database_url"] = "command line"
    for key, kind in _TABLES.items():
        _refuse_unknown(key, merged[key], kind, merged)
    try:
        settings = msgspec.convert(merged, Settings, strict=False)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at ")
        if problem.startswith("Invalid enum value"):
            problem += f"; known: {', '.join(_known_values(where.strip('`$.')))}"
        named = _named_place(where.strip("`$."), merged)
        raise SettingsError(named or str(path), problem) from error
    _check(settings, own)
    return LoadedSettings(settings, origins)


def _known_values(where: str) -> Collection[str]:
    """Return what may stand where one of a list of values is asked for."""
    name = where.rpartition(".")[2].partition("[")[0]
    kinds: Mapping[str, Collection[str]] = {
        "events": list(NoticeEvent),
        "tls": list(Tls),
        "log_format": get_args(LogFormat),
        "log_level": get_args(LogLevel),
    }
    return kinds.get(name, list(Estimator))


def _named_place(where: str, merged: Mapping[str, Any]) -> str:
    """Say ``factor_model[3].window`` with the model's name: nobody knows the built-in places."""
    match = _PLACE.match(where)
    if match is None:
        return where
    one = merged[match[1]][int(match[2])]
    return f"{match[1]} {one['name']!r}{where[match.end() :]}"


def _refuse_unknown(where: str, table: object, kind: type[Any], merged: Mapping[str, Any]) -> None:
    """Refuse keys that ``kind`` has not; conversion to a dataclass passes over them."""
    if isinstance(table, list):
        for place, one in enumerate(table):
            _refuse_unknown(f"{where}[{place}]", one, kind, merged)
    elif isinstance(table, dict):
        known = [one.name for one in fields(kind)]
        for name in table:
            if name not in known:
                problem = f"unknown key {name!r}; known: {', '.join(known)}"
                raise SettingsError(_named_place(where, merged), problem)
        if kind is FactorModel and "factors" in table:
            _refuse_unknown(f"{where}.factors", table["factors"], Factor, merged)


def _config_path(config: Path | None, environment: Mapping[str, str]) -> Path | None:
    if config is None and "RISKMARK_CONFIG" in environment:
        config = Path(environment["RISKMARK_CONFIG"])
    if config is not None:
        if not config.is_file():
            raise SettingsError(str(config), "there is no such file")
        return config
    path = Path(CONFIG_FILE)
    return path if path.is_file() else None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), f"not a TOML file: {error}") from error
    url = read.get("database_url")
    if isinstance(url, str):
        read["database_url"] = _anchored(url, path.absolute().parent)
    return read


def _anchored(url: str, folder: Path) -> str:
    """Write the URL of an SQLite file with its whole path; any other URL stays as it is."""
    name = url.removeprefix(_SQLITE_FILE)
    if name == url or not name or name.startswith((":memory:", "file:", "?")):
        return url
    return f"{_SQLITE_FILE}{folder / name}"


def _from_environment(environment: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, Any]:
    """Turn ``RISKMARK_CALENDAR__NAME`` into ``{"calendar": {"name": …}}``."""
    found: dict[str, Any] = {}
    for variable, text in environment.items():
        if not variable.startswith(_PREFIX) or variable in _NOT_SETTINGS:
            continue
        *sections, key = variable.removeprefix(_PREFIX).lower().split("__")
        target: dict[str, Any] = found
        shape: Any = known
        for section in sections:
            target = target.setdefault(section, {})
            shape = shape.get(section) if isinstance(shape, dict) else None
        if not isinstance(shape, dict) or isinstance(shape.get(key, {}), dict):
            raise SettingsError(variable, "unknown setting")
        if key in NAMED_LISTS:
            raise SettingsError(variable, f"lists of tables stand in {CONFIG_FILE}")
        listed = [part for part in text.split(",") if part]
        target[key] = listed if isinstance(shape.get(key), list) else text
    return found


def _merge(
    base: dict[str, Any], over: Mapping[str, Any], origins: dict[str, str], origin: str
) -> None:
    for key, value in over.items():
        if key in NAMED_LISTS and isinstance(value, list):
            base[key] = _replace_by_name(key, base[key], value)
            origins[key] = origin
        elif isinstance(value, dict) and isinstance(base.get(key), dict):
            nested: dict[str, str] = {}
            _merge(base[key], value, nested, origin)
            origins.update({f"{key}.{name}": origin for name in nested})
        else:
            base[key] = value
            origins[key] = origin


def _replace_by_name(
    key: str, built_in: list[dict[str, Any]], own: list[Any]
) -> list[dict[str, Any]]:
    found = {one["name"]: one for one in built_in}
    named: set[str] = set()
    for number, one in enumerate(own, start=1):
        name = one.get("name") if isinstance(one, dict) else None
        if not isinstance(name, str):
            raise SettingsError(f"{key} number {number}", "needs a name")
        if name in named:
            raise SettingsError(f"{key} number {number}", f"a second one named {name!r}")
        named.add(name)
        found[name] = one
    return list(found.values())


def _names(listed: object) -> list[str]:
    """Return the names of a list of tables, all of which have one."""
    return [one["name"] for one in listed] if isinstance(listed, list) else []


def _flat(values: Mapping[str, Any]) -> list[str]:
    names: list[str] = []
    for key, value in values.items():
        if isinstance(value, dict):
            names.extend(f"{key}.{name}" for name in _flat(value))
        else:
            names.append(key)
    return names


def _check(settings: Settings, own_scenarios: Collection[str]) -> None:
    if not 0 <= settings.publish_delay_minutes <= MAX_DELAY:
        raise SettingsError("publish_delay_minutes", f"must be from 0 to {MAX_DELAY:,}")
    if not -1 <= settings.risk_free <= 1:
        raise SettingsError("risk_free", "must be from -1 to 1: 0.04 is four percent a year")
    _check_options(settings.options)
    _check_names(settings)
    for model in settings.factor_model:
        if problem := model.problem:
            raise SettingsError(f"factor_model {model.name!r}", problem)
    for name in ("market", "market_1y"):
        if problem := settings.model(name).problem_as_market:
            raise SettingsError(f"factor_model {name!r}", problem)
    for scenario in settings.scenario:
        _check_scenario(settings, scenario, is_own=scenario.name in own_scenarios)
    for where in ("lease", "providers", "schedule", "notify", "retention"):
        if problem := getattr(settings, where).problem:
            raise SettingsError(where, problem)
    _check_compute(settings.compute)


def _check_names(settings: Settings) -> None:
    if not is_symbol(settings.benchmark):
        raise SettingsError("benchmark", f"{settings.benchmark!r} is not a symbol")
    names = [model.name for model in settings.factor_model]
    if settings.default_model not in names:
        raise SettingsError("default_model", f"must be one of {', '.join(names)}")


def _check_compute(compute: str) -> None:
    if not _COMPUTE.fullmatch(compute):
        problem = f"{compute!r} is not inline, processes:N or dask://HOST:PORT"
        raise SettingsError("compute", problem)


def _check_options(options: OptionSettings) -> None:
    for name, value in (("rate", options.rate), ("dividend_yield", options.dividend_yield)):
        if not -1 <= value <= 1:
            problem = "must be from -1 to 1: 0.04 is four percent a year"
            raise SettingsError(f"options.{name}", problem)


def _check_scenario(settings: Settings, scenario: Scenario, *, is_own: bool) -> None:
    """Refuse what cannot be computed; a built-in scenario may lack a factor of one's own model."""
    where = f"scenario {scenario.name!r}"
    try:
        scenario.check(settings.rates)
    except ValueError as error:
        raise SettingsError(where, str(error)) from error
    known = [factor.name for factor in settings.model(STRESS_MODEL).factors]
    unknown = [name for name in scenario.moves(settings.rates) if name not in known]
    if is_own and unknown:
        problem = f"{STRESS_MODEL} has no factor {unknown[0]!r}, only {', '.join(known)}"
        raise SettingsError(where, problem)


def settings_from_process(
    config: Path | None = None, database_url: str | None = None
) -> LoadedSettings:
    """Read the settings with this process's environment."""
    return load_settings(config, os.environ, database_url=database_url)
