"""What agents of older generations answer, read from the bodies of their answers (SPEC 7.3 to 7.5).

Raises the A2AError that an answer carries, BadResponse for one that cannot be read.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from dragoman.model import (
    JSON,
    A2AError,
    BadResponse,
    ContentTypeNotSupportedError,
    ExtendedAgentCardNotConfiguredError,
    InternalError,
    InvalidAgentResponseError,
    InvalidParamsError,
    InvalidRequestError,
    Operation,
    ParseError,
    PushNotificationNotSupportedError,
    Record,
    StreamResponse,
    TaskNotCancelableError,
    TaskNotFoundError,
    UnsupportedOperationError,
    operations,
)
from dragoman.wire.codec import decode_json
from dragoman.wire.depth import check_depth
from dragoman.wire.dialects.base import Dialect
from dragoman.wire.errors import load_rest_error
from dragoman.wire.narrowing import is_object

T = TypeVar("T")

_BY_STATUS: Mapping[int, type[A2AError]] = {
    400: InvalidRequestError,
    404: TaskNotFoundError,
    409: TaskNotCancelableError,
    415: ContentTypeNotSupportedError,
    422: InvalidParamsError,
    500: InternalError,
    501: UnsupportedOperationError,
    502: InvalidAgentResponseError,
}
"""What the REST of 0.3 says by its status, when the body has words only: see `load_rest_failure`."""


class OldEvent(NamedTuple):
    """An event of a stream, and whether it says of itself that it is the last (`final`)."""

    event: StreamResponse
    is_last: bool


def load_rpc_result(dialect: Dialect, operation: Operation, body: bytes) -> Record:
    """The result of a JSON-RPC response."""
    result = _open_envelope(dialect, body)
    return _explaining(lambda: dialect.load_result(operation, result))


def load_rpc_event(dialect: Dialect, body: bytes) -> OldEvent:
    """The event in a JSON-RPC response."""
    return _load_event(dialect, _open_envelope(dialect, body))


def load_rest_result(dialect: Dialect, operation: Operation, body: bytes) -> Record:
    """The result in a body of the REST binding."""
    if operation is operations.DELETE_PUSH_CONFIG:
        return dialect.load_result(operation, None)
    return _explaining(lambda: dialect.load_result(operation, _read(body)))


def load_rest_event(dialect: Dialect, body: bytes) -> OldEvent:
    """The event in a message of a REST stream."""
    if error := load_rest_error(500, body):
        raise error
    return _load_event(dialect, _read(body))


def find_rpc_error(dialect: Dialect, body: bytes) -> A2AError | None:
    """The error of a JSON-RPC response whose HTTP status was none of success; None if the body is no such thing."""
    try:
        _open_envelope(dialect, body)
    except A2AError as error:
        return error
    except BadResponse:
        pass
    return None


def find_rest_error(operation: Operation, status: int, body: bytes) -> A2AError | None:
    """The error of a body that has no more than a `message`, as the official SDK of 0.3 writes it; None for other bodies."""
    try:
        value = decode_json(body)
    except ParseError:
        return None
    kind = _BY_STATUS.get(status)
    message = value.get("message") if is_object(value) else None
    if kind is None or not isinstance(message, str):
        return None
    if kind is TaskNotFoundError and operation is operations.GET_EXTENDED_CARD:
        kind = ExtendedAgentCardNotConfiguredError
    elif kind is UnsupportedOperationError and operation.capability == "push_notifications":
        kind = PushNotificationNotSupportedError
    return kind(message)


def _open_envelope(dialect: Dialect, body: bytes) -> JSON:
    """The result; the official SDK of 0.3 leaves out one that is null."""
    reply = _read(body)
    if not is_object(reply) or not reply.keys() & {"jsonrpc", "result", "error"}:
        raise BadResponse("the answer is not a JSON-RPC response")
    if (error := reply.get("error")) is not None:
        raise dialect.load_error(error)
    return reply.get("result")


def _load_event(dialect: Dialect, value: JSON) -> OldEvent:
    event = _explaining(lambda: dialect.load_event(value))
    inner = value.get("statusUpdate", value.get("status_update", value)) if is_object(value) else None
    return OldEvent(event, is_object(inner) and inner.get("final") is True)


def _read(body: bytes) -> JSON:
    try:
        value = decode_json(body)
        check_depth(body)
    except ParseError as error:
        raise BadResponse(f"the answer is no JSON that can be read: {error.message}") from None
    return value


def _explaining(load: Callable[[], T]) -> T:
    """What `load` gives; what it cannot read is the fault of the agent and not of the caller."""
    try:
        return load()
    except (ParseError, InvalidParamsError) as error:
        problems = "; ".join(
            f"{violation.field or 'it'}: {violation.description}" for violation in error.violations
        )
        raise BadResponse(f"the answer does not fit: {problems or error.message}") from None
