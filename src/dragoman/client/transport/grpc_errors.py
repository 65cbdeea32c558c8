"""What a failed gRPC call means (SPEC 3.2, D-05)."""

from typing import Any

import grpc.aio

from dragoman.model import (
    A2AError,
    BadResponse,
    DragomanError,
    InternalError,
    InvalidParamsError,
    InvalidRequestError,
    MethodNotFoundError,
    Operation,
    Rejected,
    TaskNotCancelableError,
    TaskNotFoundError,
    TimedOut,
    UnauthenticatedError,
    Unreachable,
    UnsupportedOperationError,
)
from dragoman.model.errors import ERROR_TABLE
from dragoman.model.operations import CANCEL_TASK
from dragoman.wire.grpc.errors import DETAILS_KEY, load_status

_TOO_MANY_REQUESTS = 429
_TOO_LARGE = "message larger than max"

# Where the details do not say more.
_BY_CODE: dict[str, type[A2AError]] = {
    "NOT_FOUND": TaskNotFoundError,
    "INVALID_ARGUMENT": InvalidParamsError,
    "FAILED_PRECONDITION": UnsupportedOperationError,
    "UNIMPLEMENTED": MethodNotFoundError,
    "INTERNAL": InternalError,
    "UNKNOWN": InternalError,
}

_BY_NAME = {row.error.__name__: row.error for row in ERROR_TABLE}


def load_failure(
    failure: grpc.aio.AioRpcError, url: str, operation: Operation | None = None
) -> DragomanError:
    """The error of the protocol that came in the details, else what the code says of the operation."""
    code, message = failure.code().name, failure.details() or ""
    trailers = dict(failure.trailing_metadata() or ())
    if details := _get_details(trailers):
        error: DragomanError = load_status(code, message, details)
    else:
        error = (
            _load_name(message) or _load_cancel(code, message, operation) or _load_code(code, message, url)
        )
    if isinstance(error, UnauthenticatedError) and (challenge := trailers.get("www-authenticate")):
        error.challenge = str(challenge)
    return error


def _load_name(message: str) -> A2AError | None:
    """What the official SDK of 0.3 means, which has no details and writes the error's name before the words."""
    name, _, words = message.partition(": ")
    kind = _BY_NAME.get(name)
    return kind(words) if kind else None


def _load_cancel(code: str, message: str, operation: Operation | None) -> A2AError | None:
    """Of a cancel, the code by which several errors go means the one that is its own."""
    is_refused = operation is CANCEL_TASK and code == "FAILED_PRECONDITION"
    return TaskNotCancelableError(message) if is_refused else None


def _get_details(trailers: dict[str, Any]) -> bytes:
    details = trailers.get(DETAILS_KEY, b"")
    return details if isinstance(details, bytes) else b""


def _load_code(code: str, message: str, url: str) -> DragomanError:
    match code:
        case "UNAVAILABLE" | "CANCELLED":
            return Unreachable(f"the connection to {url!r} broke: {message}", url=url)
        case "DEADLINE_EXCEEDED":
            return TimedOut(f"{url!r} is silent for too long", url=url)
        case "RESOURCE_EXHAUSTED":
            return _load_exhaustion(message, url)
        case "UNAUTHENTICATED" | "PERMISSION_DENIED":
            return load_status(code, message)
        case _:
            return _BY_CODE.get(code, A2AError)(message)


def _load_exhaustion(message: str, url: str) -> DragomanError:
    if _TOO_LARGE not in message:
        return Rejected(f"{url!r} refused the call: {message}", status=_TOO_MANY_REQUESTS, url=url)
    if message.startswith("SERVER"):
        return InvalidRequestError("the request is larger than the agent takes")
    return BadResponse("the answer is larger than max_response_bytes allows", url=url)
