"""The one exception of the client: what the server said is wrong, or that it said nothing."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from riskmark.errors import RiskmarkError

NOT_REACHED: Final = "not_reached"
"""The code when no answer came: refused, broken off, or too slow."""
NOT_UNDERSTOOD: Final = "not_understood"
"""The code when an answer is none that this version knows."""


class FieldError(NamedTuple):
    """One thing that is wrong with what was sent.

    ``code`` is that of a row of a positions file, or empty; ``where`` is a field, or a row and
    its column; ``problem`` is what is wrong, or what would be right.
    """

    code: str
    where: str
    problem: str


class ApiError(RiskmarkError):
    """The server did not do what was asked, or it is not known whether it did.

    Attributes
    ----------
    status : int or None
        The HTTP status; None if no answer came.
    code : str
        What went wrong, for programs: ``unknown_portfolio``, ``changed_meanwhile``, …
    detail : str
        What went wrong, for people.
    errors : tuple of FieldError
        Everything that is wrong with what was sent, if that was the trouble.
    request_id : str or None
        By which the server's log knows the request.
    retry_after_s : float or None
        When to ask again, if the server says so.
    """

    def __init__(
        self,
        status: int | None,
        code: str,
        *,
        detail: str,
        errors: tuple[FieldError, ...] = (),
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        said = "" if status is None else f"{status} "
        super().__init__(f"{said}{code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.request_id = request_id
        self.retry_after_s = retry_after_s


def error_of(
    status: int, document: Mapping[str, Any], *, retry_after: str | None = None
) -> ApiError:
    """Return the error that a problem document describes; whatever it lacks is made up for."""
    listed = document.get("errors")
    return ApiError(
        status,
        str(document.get("code") or f"http_{status}"),
        detail=str(document.get("detail") or "the server gave no reason"),
        errors=tuple(_field(one) for one in listed if isinstance(one, dict))
        if isinstance(listed, list)
        else (),
        request_id=document.get("request_id"),
        retry_after_s=float(retry_after) if retry_after and retry_after.isdigit() else None,
    )


def _field(one: Mapping[str, Any]) -> FieldError:
    """Return an error of a field, or of a row of a positions file."""
    if "where" in one:
        return FieldError("", str(one["where"]), str(one.get("problem", "")))
    where = " ".join(
        f"{name} {one[name]}" for name in ("row", "column") if one.get(name) is not None
    )
    return FieldError(str(one.get("code", "")), where, str(one.get("expected", "")))
