"""The figures of pages and reports, in a notebook."""

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import altair as alt

from riskmark.errors import InputError
from riskmark.notebook.figures.style import INK, WIDTH
from riskmark.reports.figures import LIGHT, draw, load_numbers
from riskmark.reports.figures.static import coloured
from riskmark.reports.words import NULL_WORDS, in_words
from riskmark.storage.calendar import load_calendar

if TYPE_CHECKING:
    from riskmark.notebook.portfolio import Portfolio

_INK = dict.fromkeys(("--c-text", "--c-label"), INK)
"""A notebook is light or dark, and a figure in it cannot know which."""


def shared_figure(portfolio: "Portfolio", name: str, *, session: date | None) -> alt.Chart:
    """Draw a figure that has its colours and its title in it."""
    app = portfolio._app  # noqa: SLF001 - the same package
    with app.database.read() as connection:
        numbers = load_numbers(
            connection,
            app.principal,
            portfolio.id,
            settings=app.settings,
            calendar=load_calendar(connection),
            session=session,
            names=(name,),
        )
    figure = draw(name, numbers)
    if figure.spec is None:
        why = "" if figure.reason is None else in_words(NULL_WORDS, figure.reason)
        raise InputError(f"there is nothing to draw of {figure.title}: {why}")
    written = json.dumps(figure.spec | {"width": WIDTH})
    spec: dict[str, Any] = json.loads(coloured(written, {**LIGHT, **_INK}))
    chart: alt.Chart = alt.Chart.from_dict(spec)
    title = alt.TitleParams(
        f"{portfolio.name}: {figure.title}", subtitle=figure.note, anchor="start", color=INK
    )
    titled: alt.Chart = chart.properties(title=title)
    return titled
