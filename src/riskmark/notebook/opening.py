"""Opening an installation to read from it, by the settings rules of the command line."""

import os
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from riskmark.app import App, clock_from
from riskmark.domain.secrets import without_secrets
from riskmark.errors import InputError, StoreError
from riskmark.notebook.book import Book
from riskmark.settings import CONFIG_FILE, LoadedSettings, settings_from_process
from riskmark.storage.calendar import load_calendar
from riskmark.storage.engines import open_database, parse_url
from riskmark.storage.migrate import check_schema
from riskmark.storage.mounts import check_file_system


def open(  # noqa: A001 - called as rm.open, and nowhere by its bare name
    source: str | os.PathLike[str] | None = None,
    *,
    config: str | os.PathLike[str] | None = None,
) -> Book:
    """Open an installation, to read from it.

    Parameters
    ----------
    source : str or path, optional
        Where it is: a database's URL (``postgresql://…``, ``sqlite:///…``), an SQLite file, a
        folder with a ``riskmark.toml``, or such a file itself. Without it, the settings say.
    config : str or path, optional
        The settings file, as ``--config``. Without it ``RISKMARK_CONFIG`` and then
        ``riskmark.toml`` in the working directory, as for the command line; variables
        ``RISKMARK_…`` win over any file.

    Returns
    -------
    Book
        The installation; ``close()`` it, or use it in a ``with`` block. No unit.

    Raises
    ------
    InputError
        There is no such file or folder, or a setting is wrong.
    StoreError
        The database has no schema or an old one (``riskmark init`` makes one: a notebook
        never does), or it cannot be read.
    """
    loaded = _settings(source, config)
    url = loaded.settings.database_url
    _refuse_a_missing_file(url)
    check_file_system(url, is_allowed=loaded.settings.sqlite.allow_network_file_system)
    clock = clock_from(os.environ.get("RISKMARK_NOW"))
    app = App(loaded, open_database(url, read_only=True), clock)
    try:
        with app.database.read() as connection:
            check_schema(connection)
            load_calendar(connection)
    except DBAPIError as error:
        app.database.close()
        shown = app.database.shown_url
        text = str(error.orig).strip().partition("\n")[0]
        text = without_secrets(text, loaded.settings.secrets)
        raise StoreError(f"cannot read the database {shown}: {text}") from error
    except Exception:
        app.database.close()
        raise
    return Book(app)


def _settings(
    source: str | os.PathLike[str] | None, config: str | os.PathLike[str] | None
) -> LoadedSettings:
    chosen = None if config is None else Path(config)
    if source is None:
        return settings_from_process(chosen)
    text = os.fspath(source)
    if "://" in text:
        return settings_from_process(chosen, text)
    path = Path(text).expanduser()
    if path.is_dir():
        path /= CONFIG_FILE
        if not path.is_file():
            raise InputError(f"the folder {text!r} holds no {CONFIG_FILE}; name its database")
    if not path.is_file():
        raise InputError(f"there is no file or folder {text!r}")
    if path.suffix != ".toml":
        return settings_from_process(chosen, f"sqlite:///{path.absolute()}")
    if chosen is not None:
        raise InputError(f"two settings files: {text!r} and {str(chosen)!r}; give one")
    return settings_from_process(path)


def _refuse_a_missing_file(url: str) -> None:
    """Raise for an SQLite file that is not there: to connect to it would make it."""
    parsed = parse_url(url)
    name = parsed.database
    is_file = parsed.get_backend_name() == "sqlite" and name and name != ":memory:"
    if is_file and not Path(str(name)).is_file():
        raise InputError(f"there is no database {name!r}; riskmark init makes one")
