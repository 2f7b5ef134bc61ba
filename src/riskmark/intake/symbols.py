"""Symbols as people write them, to the one form in which they are kept."""

import re

from riskmark.domain.instruments import is_symbol, parse_occ

_UNPADDED_OCC = re.compile(r"([A-Z][A-Z0-9.]{0,5}) *(\d{6}[CP]\d{8})", re.ASCII)


def canonical_symbol(text: str) -> str | None:
    """Return the symbol that ``text`` means; None if it is not one.

    Lower case becomes upper case, and an option's root is padded to six characters where a
    broker pads it less or not at all. Nothing else is repaired: text outside ASCII is no
    symbol, as upper case can make ASCII letters of it, nor is one of nothing but punctuation,
    which files have in place of a blank.
    """
    if not text.isascii():
        return None
    symbol = text.upper()
    match = _UNPADDED_OCC.fullmatch(symbol)
    if match is not None:
        occ = f"{match[1]:<6}{match[2]}"
        if parse_occ(occ) is not None:
            return occ
    if not is_symbol(symbol) or not any(c.isalnum() for c in symbol):
        return None
    return symbol
