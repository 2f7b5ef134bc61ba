"""Tables: the lines of reports as pandas frames, nulls as NaN with their reasons beside them."""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from riskmark.notebook.extras import load_extra

if TYPE_CHECKING:
    from pandas import DataFrame  # type: ignore[import-untyped]


class Kind(Enum):
    """What a column holds."""

    NUMBER = auto()
    COUNT = auto()
    TEXT = auto()
    FLAG = auto()
    DAY = auto()


NUMBER, COUNT, TEXT, FLAG, DAY = Kind.NUMBER, Kind.COUNT, Kind.TEXT, Kind.FLAG, Kind.DAY


def make_table(
    lines: Iterable[Mapping[str, Any]],
    columns: Mapping[str, Kind],
    *,
    index: Sequence[str],
    nulls: Mapping[str, str] | None = None,
    **attrs: object,
) -> "DataFrame":
    """Make a frame of ``lines`` with these ``columns``, those of ``index`` as its index.

    ``nulls`` and ``attrs`` become the frame's ``attrs``.
    """
    pd = load_extra("pandas")
    listed = list(lines)
    frame = pd.DataFrame(
        {name: _values(pd, [line[name] for line in listed], kind) for name, kind in columns.items()}
    ).set_index(list(index) if len(index) > 1 else index[0])
    frame.attrs["nulls"] = {name: str(reason) for name, reason in (nulls or {}).items()}
    frame.attrs.update(attrs)
    return frame


def numbers(names: Iterable[str]) -> dict[str, Kind]:
    """Return columns that all hold numbers."""
    return dict.fromkeys(names, NUMBER)


def nulls_under(nulls: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Return the nulls whose names begin with ``prefix`` and a dot, without it.

    If all that stands under ``prefix`` is null, it is named by ``prefix`` itself.
    """
    start = f"{prefix}."
    return {
        name.removeprefix(start): reason
        for name, reason in nulls.items()
        if name.startswith(start) or name == prefix
    }


def _values(pd: Any, values: list[Any], kind: Kind) -> Any:  # noqa: ANN401 - a pandas array
    if kind is NUMBER:
        return pd.array([float("nan") if one is None else float(one) for one in values], "float64")
    if kind is COUNT:
        return pd.array([int(one) for one in values], "int64")
    if kind is FLAG:
        return pd.array([bool(one) for one in values], "bool")
    if kind is DAY:
        return pd.to_datetime(pd.Series(values, dtype="object")).astype("datetime64[s]").array
    # Without a type stated, text is what the version of pandas takes it for.
    return pd.Series([None if one is None else str(one) for one in values]).array
