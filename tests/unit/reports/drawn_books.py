"""Books that figures and reports are made of: ordinary ones, and some that are hard on them."""

from datetime import date
from decimal import Decimal

from tests.acceptance.world import LAST

from riskmark.domain.instruments import InstrumentKind
from riskmark.domain.portfolio import InvestmentClass, Lot
from riskmark.intake.lot_rows import InstrumentHint
from riskmark.storage.books import Account
from riskmark.storage.instruments import guess_kind
from riskmark.storage.positions import Moment, Positions, create_book

ENTRY = date(2025, 9, 2)
MARKUP = '#set page(width: 1cm) *b* $x$ @r `c` \\ <script>alert("1")</script> {{ x }}'
SCRIPTS = "日本株 Größe Łódź Привет"
NAMES = ("growth", "one", "ruined", "private", "option", "new", MARKUP, SCRIPTS)


def add_books(world):
    """Add the books to a world with factor prices, and value them."""
    world.add_prices("AAA", "BBB", "CCC")
    private = {"investment_class": InvestmentClass.PRIVATE}
    option = {"investment_class": InvestmentClass.OPTIONS, "multiplier": Decimal(100)}
    own = [_lot("AAA", 100), _lot("BBB", -40), _lot("CCC", 60)]
    _create(world, "growth", *own)
    _create(world, "one", _lot("AAA", 1))
    _create(world, "ruined", _lot("AAA", -400), equity=1000)
    _create(world, "private", _lot("HOUSE", 1, **private), equity=None)
    _create(world, "option", _lot("AAA   270115C00100000", 2, **option), _lot("BBB", 5))
    _create(world, "new", _lot("AAA", 5, entry=LAST))
    _create(world, MARKUP, *own)
    _create(world, SCRIPTS, *own)
    world.run()


def _lot(symbol, quantity, *, entry=ENTRY, **more):
    return Lot(symbol, Decimal(quantity), entry, Decimal(90), **more)


def _create(world, name, *lots, equity=100_000):
    def kind(lot):
        is_private = lot.investment_class is InvestmentClass.PRIVATE
        return InstrumentKind.PRIVATE if is_private else guess_kind(lot.symbol)

    hints = {lot.symbol: InstrumentHint(lot.symbol, kind(lot), None) for lot in lots}
    with world.app.database.write() as connection:
        create_book(
            connection,
            world.app.principal,
            Account(name, opening_equity=None if equity is None else Decimal(equity)),
            Positions(lots, tuple(hints.values())),
            calendar=world.calendar,
            currency="USD",
            moment=Moment(world.app.today, world.app.clock.now()),
        )
