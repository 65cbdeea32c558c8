"""From whatever went wrong to what the caller is told: the only place that decides it (DESIGN 6, I12)."""

import logging
import math
import secrets
from typing import ClassVar

from dragoman.model import (
    A2AError,
    ContentTypeNotSupportedError,
    DragomanError,
    InternalError,
    InvalidRequestError,
    MethodNotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
    UnavailableError,
)
from dragoman.model.errors import row_of
from dragoman.wire import codec
from dragoman.wire.errors import dump_rest_error

logger = logging.getLogger("dragoman.server")

Headers = list[tuple[bytes, bytes]]


class ClientGoneError(DragomanError):
    """The caller hung up before its request was complete: there is nobody to answer."""


class TransportError(A2AError):
    """What HTTP itself has a status for. In a JSON-RPC answer it is the code of the protocol's error beside it."""

    http_status: ClassVar[int]

    def headers(self) -> Headers:
        return []


class BodyTooLargeError(TransportError, InvalidRequestError):
    """More than the limit was announced, or came."""

    http_status = 413

    def __init__(self, max_bytes: int) -> None:
        super().__init__(
            f"the body is larger than {max_bytes} bytes; send less, or a URL instead of the content"
        )


class BodyTooSlowError(TransportError, InvalidRequestError):
    """The rest of the body may still arrive, so the connection cannot be used again."""

    http_status = 408

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the body did not arrive within {seconds:g} seconds")

    def headers(self) -> Headers:
        return [(b"connection", b"close")]


class UnsupportedMediaTypeError(TransportError, ContentTypeNotSupportedError):
    """The request as a whole is not plain JSON; a part of a message that the agent does not take is another thing."""

    http_status = 415

    def headers(self) -> Headers:
        return [(b"accept", b"application/json, application/a2a+json"), (b"accept-encoding", b"identity")]


class NoSuchPathError(TransportError, MethodNotFoundError):
    """No operation and no page lives there."""

    http_status = 404


class WrongVerbError(TransportError, MethodNotFoundError):
    """The path is right, the verb is not."""

    http_status = 405

    def __init__(self, verb: str, allowed: tuple[str, ...]) -> None:
        self.allowed = ", ".join(allowed)
        super().__init__(f"the path does not take {verb[:20]!r}; it takes {self.allowed}")

    def headers(self) -> Headers:
        return [(b"allow", self.allowed.encode())]


def explain(error: Exception) -> A2AError:
    """What the caller is told: the error itself if it is one of the protocol, else a reference to the log."""
    if isinstance(error, A2AError):
        return error
    reference = secrets.token_hex(6)
    logger.error("internal error (ref %s)", reference, exc_info=error)
    return InternalError(f"internal error (ref {reference})", metadata={"ref": reference})


def rest_status(error: A2AError) -> int:
    """The HTTP status in the HTTP+JSON binding."""
    return error.http_status if isinstance(error, TransportError) else row_of(error).http_status


def jsonrpc_status(error: A2AError) -> int:
    """The HTTP status of a JSON-RPC answer: 200, except where proxies and HTTP clients have to know (D-24, D-26)."""
    for kind in (TransportError, UnauthenticatedError, PermissionDeniedError, UnavailableError):
        if isinstance(error, kind):
            return rest_status(error)
    return 200


def rest_body(error: A2AError) -> bytes:
    """The body in the HTTP+JSON binding."""
    return codec.encode(dump_rest_error(error, rest_status(error)))


def error_headers(error: A2AError) -> Headers:
    """The headers that belong to `error` in every binding."""
    match error:
        case TransportError():
            return error.headers()
        case UnauthenticatedError():
            return [(b"www-authenticate", error.challenge.encode("latin-1", "replace"))]
        case UnavailableError():
            seconds = max(1, math.ceil(error.retry_after.total_seconds()))
            return [(b"retry-after", b"%d" % seconds)]
        case _:
            return []
