"""A world whose runs ask the provider server on this machine."""

from dataclasses import replace

import msgspec
from tests.acceptance.world import FACTORS, FIRST, LAST
from tests.faults.provider_lab import forget_yahoo
from tests.faults.quotes import make_series
from tests.faults.server import ProviderServer

ORDER = ("yfinance", "yahooquery", "massive", "fmp")


def sold(world, *symbols):
    """Make a series of each symbol and of the factors."""
    sessions = world.sessions(FIRST, LAST)
    listed = enumerate((*symbols, *FACTORS))
    return {
        symbol: make_series(sessions, seed=place, kind="ETF" if symbol in FACTORS else "EQUITY")
        for place, symbol in listed
    }


def provide(world, market):
    """Return a server that sells a market, to be entered."""
    forget_yahoo()
    return ProviderServer(market, now=world.app.clock.now())


def connect(world, server, *, order=ORDER, timeout_s=1.0, **chosen):
    """Let the world's runs ask the server, without limits of a minute or a day."""
    settings = world.app.settings
    quick = {"base_url": server.url, "api_key": "k", "requests_per_minute": 0}
    quick |= {"requests_per_day": 0, "timeout_seconds": timeout_s}
    names = {name: msgspec.structs.replace(settings.providers.of(name), **quick) for name in ORDER}
    providers = msgspec.structs.replace(settings.providers, order=order, **names, **chosen)
    changed = msgspec.structs.replace(settings, providers=providers)
    world.app = replace(
        world.app, loaded=replace(world.app.loaded, settings=changed), is_connected=True
    )
    return world


def next_night(world, server, session):
    """Let both clocks show the evening of a session, and forget what was asked."""
    world.at(session)
    server.shop.now = world.app.clock.now()
    server.shop.asked.clear()
    return world


def asked(server, target):
    """Return the symbols, as they were spelled, that were asked for with this target."""
    return [one.symbol for one in server.shop.asked if one.target == target]
