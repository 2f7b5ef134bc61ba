"""``riskmark what-if``: every number before and after trades that are not made."""

from typing import TYPE_CHECKING, Annotated, cast

import typer
from typer.core import TyperCommand

from riskmark.cli import output
from riskmark.cli.opening import opened
from riskmark.cli.options import AsJson, ListAll, PortfolioName, day_of
from riskmark.errors import InputError

if TYPE_CHECKING:
    from riskmark.reports.what_if import StatedTrade

_TRADE = "--trade"
_MOST_VOLATILITY = 5.0
"""More than anybody aims at: such a target was meant in percent."""


class TradingCommand(TyperCommand):
    """A command whose ``--trade`` takes two words, the second of which may be negative."""

    def parse_args(self, ctx: object, args: list[str]) -> list[str]:
        """Make one word of a trade's two, which is what the parser of options can repeat."""
        return super().parse_args(cast("typer.Context", ctx), joined_trades(args))


def joined_trades(args: list[str]) -> list[str]:
    """Return ``args`` with symbol and quantity of each trade in one word.

    A ``--`` between the two is taken for what it is meant to be: a minus may follow.
    """
    found: list[str] = []
    place = 0
    while place < len(args):
        word = args[place]
        place += 1
        found.append(word)
        if word != _TRADE or place >= len(args):
            continue
        symbol = args[place]
        place += 1
        if _has_quantity(symbol):
            found.append(symbol)
            continue
        place += args[place : place + 1] == ["--"]
        found.append(" ".join([symbol, *args[place : place + 1]]))
        place += 1
    return found


def _has_quantity(word: str) -> bool:
    """Whether a word is a whole trade, written as one: ``"SPY -10"``."""
    _, _, last = word.rpartition(" ")
    return last != word and last.lstrip("+-").replace(".", "", 1).isdigit()


def what_if(
    ctx: typer.Context,
    portfolio: PortfolioName,
    more: Annotated[
        list[str] | None,
        typer.Argument(metavar="SYMBOL QUANTITY", help="As --trade.", show_default=False),
    ] = None,
    *,
    trades: Annotated[
        list[str] | None,
        typer.Option(
            _TRADE,
            metavar="SYMBOL QUANTITY",
            help="Buy (> 0) or sell (< 0) at the close; may be repeated.",
            show_default=False,
        ),
    ] = None,
    session: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Default: the newest.", show_default=False),
    ] = None,
    target_vol: Annotated[
        str | None,
        typer.Option(
            metavar="X",
            help="Scale all positions so that the volatility of 63 sessions is X (0.12: 12 %).",
            show_default=False,
        ),
    ] = None,
    hedge_beta: Annotated[
        str | None,
        typer.Option(
            metavar="SYMBOL",
            help="Trade as much of SYMBOL as brings beta to 0.",
            show_default=False,
        ),
    ] = None,
    every: ListAll = False,
    as_json: AsJson = False,
) -> None:
    """Show every number before and after trades at the close; nothing is stored."""
    from riskmark.cli.what_if_view import what_if_view
    from riskmark.reports.what_if import Wanted
    from riskmark.reports.what_if import what_if as compute
    from riskmark.storage.calendar import load_calendar

    stated = [_trade(text) for text in (*(trades or ()), *_paired(more or []))]
    wanted = Wanted(stated, _volatility(target_vol), hedge_beta)
    with opened(ctx) as app, app.database.read() as connection:
        found = compute(
            connection,
            app.principal,
            portfolio,
            wanted,
            calendar=load_calendar(connection),
            settings=app.settings,
            session=day_of(app, session, name="--session"),
        )
    if as_json:
        output.show_json(found.document())
    else:
        output.show(*what_if_view(found, every=every))


def _paired(words: list[str]) -> list[str]:
    """Join the words of trades stated without the option."""
    return [" ".join(words[place : place + 2]) for place in range(0, len(words), 2)]


def _trade(text: str) -> "StatedTrade":
    from riskmark.intake.arguments import parse_quantity, parse_symbol
    from riskmark.reports.what_if import StatedTrade

    symbol, _, quantity = text.rpartition(" ")
    if not symbol:
        raise InputError(f"a trade is a symbol and a quantity, such as SPY -10; not {text!r}")
    return StatedTrade(
        parse_symbol(symbol, name="--trade"), parse_quantity(quantity, name=f"--trade {symbol}")
    )


def _volatility(text: str | None) -> float | None:
    from riskmark.intake.arguments import BadArgument, parse_amount

    if text is None:
        return None
    found = float(parse_amount(text, name="--target-vol"))
    if not 0 < found <= _MOST_VOLATILITY:
        expected = "a volatility above 0 as a fraction of NAV a year: 0.12 is 12 %"
        raise BadArgument("--target-vol", text, expected)
    return found
