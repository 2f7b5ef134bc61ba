"""Texts that a spreadsheet would take for a formula, made harmless in CSV files.

A spreadsheet shows a text after an apostrophe as it is. Only texts are treated: a number that
begins with a minus is a number.
"""

STARTS = "=+-@\t\r\0"
"""The first characters that make a formula of a text, or hide one behind them."""
_SHIELD = "'"


def shield(text: str) -> str:
    """Return ``text`` with an apostrophe before it, if it looks like a formula."""
    return _SHIELD + text if text[:1] and text[0] in STARTS else text


def unshield(text: str) -> str:
    """Return the text that ``shield`` was given."""
    looks_shielded = text.startswith(_SHIELD) and text[1:2] and text[1] in STARTS
    return text[1:] if looks_shielded else text
