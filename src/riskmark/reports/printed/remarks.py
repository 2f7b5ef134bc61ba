"""What a report says beside its numbers: what they rest on, what is missing, how they are made."""

from collections import Counter
from collections.abc import Iterator, Sequence

from riskmark.calc import tail
from riskmark.calc.filled_returns import HISTORY
from riskmark.domain.reasons import MarkKind
from riskmark.reports.backtest_lines import SPAN
from riskmark.reports.figures.numbers import Numbers
from riskmark.reports.figures.wording import scenario_words
from riskmark.reports.printed.writing import plural, share
from riskmark.reports.words import MARK_WORDS, NULL_WORDS, in_words

_MOST_NAMED = 8
"""Names that are listed for one reason; how many more there are is said."""
_ONE_SCENARIO = 3
"""Parts of the name of a scenario's null; deeper ones are of its positions."""


def basis_words(numbers: Numbers, sources: Sequence[str]) -> str:
    """Say what the session's numbers rest on: marks, sources, what is left out of risk."""
    shown = numbers.snapshot
    kinds = Counter(line["mark_kind"] for line in shown["positions"] or () if line["mark_kind"])
    marks = [
        f"{count:,} valued at {in_words(MARK_WORDS, MarkKind(kind))}"
        for kind, count in kinds.most_common()
    ]
    said = [f"{plural(shown['snapshot']['positions'], 'position')}"]
    if marks:
        said[0] += ": " + "; ".join(marks)
    if sources:
        said.append(f"Closes from {', '.join(sources)}")
    for name, words in (("excluded_weight", "left out of"), ("proxied_weight", "filled in for")):
        weight = shown["snapshot"][name]
        if weight:
            said.append(f"{share(weight)} of gross is {words} risk")
    return ". ".join(said) + "."


def null_words(numbers: Numbers) -> tuple[str, ...]:
    """Say which numbers cannot be had, by reason; one line for each."""
    found: dict[str, list[str]] = {}
    for name, reason in numbers.nulls.items():
        for words in _name_words(name):
            listed = found.setdefault(reason, [])
            if words not in listed:
                listed.append(words)
    return tuple(
        f"{_sentence(in_words(NULL_WORDS, reason))}: {_listed(names)}."
        for reason, names in found.items()
    )


def _name_words(name: str) -> Iterator[str]:
    """Write the name of a null in words; nothing for what a report does not have."""
    section, _, rest = name.partition(".")
    if section in {"snapshot", "performance", "risk", "concentration"}:
        yield rest.replace("_", " ").removesuffix(" money").replace("twr", "return")
    elif section == "factors":
        model, _, field = rest.partition(".")
        what = "standard errors" if field.endswith("stderr") else "exposures"
        yield f"{what} by the model {model}"
    elif section == "factor_risk":
        yield "shares of risk"
    elif section == "sectors":
        yield "benchmark weights" if rest.endswith(".benchmark") else "sectors"
    elif section == "stress" and name.count(".") < _ONE_SCENARIO:
        yield scenario_words(rest.partition(".")[0])
    elif section == "positions" and rest:
        symbol, _, field = rest.rpartition(".")
        if field in {"weight", "beta", "component_es_95"}:
            yield symbol
    elif section == "backtests":
        yield "back-tests"


def _listed(names: Sequence[str]) -> str:
    kept = ", ".join(names[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    return kept if more <= 0 else f"{kept} and {more:,} more"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def method_words(numbers: Numbers) -> tuple[str, ...]:
    """Say how the numbers are made, and where they come from."""
    source = numbers.snapshot["provenance"]
    model = numbers.snapshot["factor_risk"]["model"]
    return (
        "Returns are time-weighted: contributions and withdrawals do not count as performance.",
        (
            "Risk is that of what was held at the close: its returns on the last "
            f"{HISTORY} sessions, of which volatility takes the newest 63, historical VaR and "
            f"expected shortfall {tail.SPAN}. A loss is stated as a positive number."
        ),
        f"Back-tests hold each VaR against the P&L of the session after it, over {SPAN} sessions.",
        (
            f"Factor exposures are regression slopes by the model {model}. In stress scenarios the "
            "shocked factors move alone, or the other factors follow as they have moved with them; "
            "options are repriced in full."
        ),
        (
            f"Computed at {source['computed_at']} by run {source['run']}, engine "
            f"{source['engine_version']}, settings {source['settings_hash']}. A number that cannot "
            "be had is a dash, never 0."
        ),
    )
