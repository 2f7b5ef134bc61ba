"""The single numbers of a snapshot, with their units and the reasons for those that are null.

Words are coded, so that a column of numbers stays one: a volatility trend that is rising is 1,
flat 0, falling −1; true is 1 and false 0.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from riskmark.calc.volatility import TREND_OF
from riskmark.notebook.tables import NUMBER, TEXT, make_table

if TYPE_CHECKING:
    from pandas import DataFrame  # type: ignore[import-untyped]

    from riskmark.settings import Settings

SECTIONS = ("snapshot", "performance", "risk", "concentration", "factor_risk", "correlation")
"""The sections of ``show`` that have single numbers."""
RISK_SECTIONS = SECTIONS[2:]
"""Those of them that tell of risk."""
_MATRIX = frozenset({"symbols", "matrix", "clusters", "left_out"})
"""What is no single number even where it is null."""
_CODE_OF = {str(word): code for code, word in TREND_OF.items()}


def measure_table(
    document: Mapping[str, Any], sections: Sequence[str], *, settings: "Settings"
) -> "DataFrame":
    """Make a table of the single numbers in these ``sections`` of a snapshot's document."""
    nulls, units = document["nulls"], units_of(settings)
    lines = [
        {
            "section": section,
            "measure": name,
            "value": value,
            "unit": units.get(f"{section}.{name}"),
            "reason": nulls.get(f"{section}.{name}"),
        }
        for section, name, value in single_numbers(document, sections)
    ]
    return make_table(
        lines,
        {"section": TEXT, "measure": TEXT, "value": NUMBER, "unit": TEXT, "reason": TEXT},
        index=("section", "measure"),
        nulls={name: why for name, why in nulls.items() if name.partition(".")[0] in sections},
        session=document["session"],
    )


def single_numbers(
    document: Mapping[str, Any], sections: Sequence[str]
) -> Iterator[tuple[str, str, float | None]]:
    """Yield section, name and value of every single number."""
    for section in sections:
        for name, value in document[section].items():
            if name == "contributions":
                for factor, share in value.items():
                    yield section, f"contributions.{factor}", share
            elif isinstance(value, str):
                if value in _CODE_OF:
                    yield section, name, float(_CODE_OF[value])
            elif name not in _MATRIX and (value is None or isinstance(value, int | float)):
                yield section, name, None if value is None else float(value)


def units_of(settings: "Settings") -> dict[str, str]:
    """Return the unit of every measure, by section and name."""
    # The catalogue knows every constant, so it imports most of the arithmetic.
    from riskmark.reports.catalogue.whole import catalogue  # noqa: PLC0415 - see above

    found = {
        f"{section.name}.{entry.name}": str(entry.unit)
        for section in catalogue(settings)
        for entry in section.entries
    }
    model = settings.model(settings.default_model)
    shares = {f"factor_risk.contributions.{one.name}": "fraction" for one in model.factors}
    return found | shares
