"""The JavaScript that draws charts: Vega, Vega-Lite and Vega-Embed as one module.

It is made of an installed package, without a network, in about two seconds, once: the result is
kept in a file beside the user's other caches, named by the package's version. Two processes may
make it at once; each puts a whole file in place.
"""

import gzip
import hashlib
import os
import tempfile
import threading
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

BUNDLE: Final = "vega.js"
_PACKAGE = "vl-convert-python"
_SNIPPET = "window.vegaEmbed = vegaEmbed;"
_lock = threading.Lock()
_made: list[bytes] = []


def bundle_version() -> str:
    """Return what decides the bundle; empty if the package is not installed."""
    try:
        return f"{version(_PACKAGE)}-{_digest()}"
    except PackageNotFoundError:
        return ""


def load_bundle() -> bytes | None:
    """Return the bundle, compressed; None if the package that it is made of is missing."""
    if not bundle_version():
        return None
    with _lock:
        if not _made:
            _made.append(_read_or_make(_cache_folder() / f"vega-{bundle_version()}.js.gz"))
        return _made[0]


def _digest() -> str:
    return hashlib.sha256(_SNIPPET.encode()).hexdigest()[:8]


def _read_or_make(path: Path) -> bytes:
    with suppress(OSError, EOFError, gzip.BadGzipFile):
        content = path.read_bytes()
        gzip.decompress(content)
        return content
    content = _make()
    with suppress(OSError):  # a folder that cannot be written costs two seconds at each start
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(content)
        Path(file.name).replace(path)
    return content


def _make() -> bytes:
    import vl_convert  # noqa: PLC0415 - large, and needed once in the life of an installation

    return gzip.compress(vl_convert.javascript_bundle(_SNIPPET).encode(), 9, mtime=0)


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "riskmark"
