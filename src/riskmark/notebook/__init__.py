"""What ``import riskmark as rm`` offers: an installation to read from, in tables and figures.

    book = rm.open("riskmark-demo")      an installation: a folder, a database, or neither
    growth = book.portfolio("Growth")    one of its portfolios
    growth.risk()                        a pandas table
    growth.plot.nav()                    an Altair figure

Everything is read, nothing is written: the database itself refuses it. Numbers are those of
the command line, by the same names and units (docs/reference/measures.md). A number that
cannot be had is NaN, and its reason stands in ``attrs["nulls"]`` of the table. Tables need
pandas, figures Altair: ``pip install 'riskmark[notebook]'``.
"""

from riskmark.notebook.book import Book
from riskmark.notebook.figures.plots import Plots
from riskmark.notebook.opening import open  # noqa: A004 - called as rm.open
from riskmark.notebook.portfolio import Portfolio
from riskmark.notebook.trials import Trial

__all__ = ["Book", "Plots", "Portfolio", "Trial", "open"]
