"""Names of the interface in the words of figures."""

import re
from collections import Counter
from collections.abc import Sequence

from riskmark.reports.words import NULL_WORDS, in_words


def scenario_words(name: str) -> str:
    """Write a scenario's name: ``market_down_20`` is Market down 20 %."""
    words = name.replace("_", " ")
    words = re.sub(r"^(market (?:up|down) \d+)$", "\\1\u00a0%", words)
    words = re.sub(r"(\d)bp$", "\\1\u00a0bp", words)
    words = re.sub(r"^gfc\b", "GFC", words)
    return words[:1].upper() + words[1:]


def unknown_words(reasons: Sequence[str | None], what: str) -> str:
    """Say how many of something cannot be had, and why; ``reasons`` are None for the others."""
    counts = Counter(reason for reason in reasons if reason is not None)
    if not counts:
        return ""
    count = sum(counts.values())
    why = "; ".join(in_words(NULL_WORDS, reason) for reason in counts)
    verb = "is" if count == 1 else "are"
    return f" {count} {what}{'' if count == 1 else 's'} {verb} not shown: {why}."
