"""Write docs/reference/measures.md from the code; with --check, fail if it is out of date.

Run by ``make docs`` and ``make check``, from the project's folder.
"""  # noqa: INP001 - a script, and no package

import sys
from pathlib import Path

import riskmark
from riskmark.reports.measures_page import render_measures_page
from riskmark.settings import load_settings

PAGE = Path("docs/reference/measures.md")
BUILT_IN = Path(riskmark.__file__).with_name("defaults.toml")


def main() -> None:
    """Write or check the page."""
    # The built-in settings as the file: nobody's riskmark.toml or environment has a say.
    page = render_measures_page(load_settings(BUILT_IN, {}).settings)
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != page:
        sys.exit(f"{PAGE} is not what the code says: make docs")


if __name__ == "__main__":
    main()
