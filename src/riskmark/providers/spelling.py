"""How providers write symbols that are written here in one way.

Share classes stand after a point here (``BRK.B``) or after a hyphen, as people enter them;
indexes begin with a caret (``^GSPC``).
"""

import re

from riskmark.domain.instruments import is_symbol
from riskmark.domain.reasons import AnswerReason
from riskmark.providers.outcomes import Stopped

# Other single letters after a point are exchanges at Yahoo: L is London.
_CLASS = re.compile(r"([A-Z]{1,5})[.-]([A-C])")
_MASSIVE_INDEXES = {
    "^GSPC": "I:SPX",
    "^NDX": "I:NDX",
    "^DJI": "I:DJI",
    "^RUT": "I:RUT",
    "^VIX": "I:VIX",
}
# A slash would be another path of the provider, an equals sign another of its markets.
_SENT = re.compile(r"[\^A-Z0-9][A-Z0-9.\-:=]*", re.ASCII)


def with_hyphen(symbol: str) -> str:
    """Write ``symbol`` as Yahoo and FMP do."""
    match = _CLASS.fullmatch(symbol)
    return _checked(symbol, f"{match[1]}-{match[2]}" if match else symbol)


def with_point(symbol: str) -> str:
    """Write ``symbol`` as Massive does."""
    match = _CLASS.fullmatch(symbol)
    spelled = f"{match[1]}.{match[2]}" if match else _MASSIVE_INDEXES.get(symbol, symbol)
    return _checked(symbol, spelled)


def _checked(symbol: str, spelled: str) -> str:
    """Refuse what would be more than one segment of a path."""
    if not is_symbol(symbol) or not _SENT.fullmatch(spelled):
        raise Stopped(AnswerReason.UNKNOWN_SYMBOL, "no provider has a symbol of this form")
    return spelled
