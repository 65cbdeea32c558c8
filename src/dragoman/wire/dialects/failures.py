"""What errors are called before 1.0 (SPEC 7.3, 7.4, 7.7)."""

from collections.abc import Mapping

from dragoman.model import (
    JSON,
    A2AError,
    InternalError,
    PermissionDeniedError,
    UnauthenticatedError,
    UnavailableError,
    UnsupportedOperationError,
)
from dragoman.model.errors import row_of
from dragoman.wire.errors import error_details, load_error
from dragoman.wire.narrowing import is_array, is_object

INTERNAL_CODE = row_of(InternalError()).code

UNKNOWN_TO_FIRST = frozenset({-32006, -32007, -32008, -32009})
"""0.1 has other meanings for these, or none."""
UNKNOWN_TO_SECOND = frozenset({-32007, -32008, -32009})
UNKNOWN_TO_THIRD = frozenset({-32008, -32009})

FIRST_MEANINGS: Mapping[int, type[A2AError]] = {
    -32006: UnsupportedOperationError,  # streaming is not supported
    -32007: UnauthenticatedError,
    -32008: PermissionDeniedError,
    -32009: UnsupportedOperationError,  # the state of the task does not allow it
    -32010: UnavailableError,  # the rate limit is exceeded
    -32011: UnavailableError,
}
"""What 0.1 meant by codes that were given to others later."""


def dump_failure(error: A2AError, unknown: frozenset[int]) -> dict[str, JSON]:
    """The error object; what the generation has no code for is an internal error, whose details say what it is."""
    code = row_of(error).code
    return {
        "code": INTERNAL_CODE if code in unknown else code,
        "message": error.message,
        "data": error_details(error),
    }


def load_failure(error: JSON, meanings: Mapping[int, type[A2AError]] | None = None) -> A2AError:
    """The error that is meant: what the details say goes before the code; an A2AError without a kind if nothing is known."""
    value = error if is_object(error) else {}
    code = value.get("code")
    number = code if type(code) is int else None
    message = value.get("message")
    text = message if isinstance(message, str) else ""
    loaded = load_error(number, text, value.get("data"))
    if number is not None and meanings and number in meanings and not _has_reason(value.get("data")):
        return meanings[number](text)
    return loaded


def _has_reason(data: JSON) -> bool:
    details = data if is_array(data) else [data]
    return any(is_object(detail) and "reason" in detail for detail in details)
