"""Every error of the protocol, and the one table of what it is called on each wire (SPEC 3.2).

DragomanError
 +-- A2AError                     what an agent answers instead of a result
 |    +-- TaskNotFoundError, TaskNotCancelableError, ...     the protocol's own
 |    +-- ParseError, InvalidRequestError, ...               JSON-RPC's
 |    +-- UnauthenticatedError, PermissionDeniedError, UnavailableError
 +-- PeerError                    an agent that does not behave (`dragoman.model.peer_errors`)
 +-- SkillError                   what a skill raises to fail its task with words for the caller
 +-- MissingExtraError            a library is not installed, with the command that installs it
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar, NamedTuple

from dragoman.model.base import JSON, Record

ERROR_DOMAIN = "a2a-protocol.org"


class DragomanError(Exception):
    """The root of every error that Dragoman raises on purpose."""


class MissingExtraError(DragomanError, ImportError):
    """A library that belongs to an extra is not installed; the message is the command that installs it."""

    def __init__(self, extra: str) -> None:
        super().__init__(f"this needs the extra {extra!r}: pip install 'dragoman[{extra}]'")
        self.extra = extra


class FieldViolation(Record, frozen=True, kw_only=True):
    """What is wrong with one member: its path in the request, such as `message.parts[0]`, and why."""

    field: str
    description: str


class A2AError(DragomanError):
    """An answer of the protocol that is not a result.

    `message` reaches the peer as it stands, `metadata` travels in ErrorInfo, `violations` in BadRequest. `reason` is
    set only when a peer sent one that the table does not know.
    """

    default_message: ClassVar[str] = "the call failed"

    def __init__(
        self,
        message: str = "",
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[FieldViolation] = (),
        reason: str = "",
    ) -> None:
        self.message = message or self.default_message
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)
        self.reason = reason
        super().__init__(self.message)

    def __str__(self) -> str:
        details = "; ".join(f"{violation.field}: {violation.description}" for violation in self.violations)
        return f"{self.message} ({details})" if details else self.message


class TaskNotFoundError(A2AError):
    """No such task, or none that this caller may see; the two look alike (ERR-13)."""

    default_message = "task not found"


class TaskNotCancelableError(A2AError):
    """The task has ended (D-18)."""

    default_message = "the task cannot be canceled, because it has ended"


class PushNotificationNotSupportedError(A2AError):
    """The card does not declare push notifications (CAP-02)."""

    default_message = "this agent does not send push notifications"


class UnsupportedOperationError(A2AError):
    """The agent, or the state of the task, does not allow the operation (SND-06, CAP-03, SUB-03)."""

    default_message = "this agent does not support the operation"


class ContentTypeNotSupportedError(A2AError):
    """A part has a media type that the skill does not take (SND-05)."""

    default_message = "the agent does not take this media type"


class InvalidAgentResponseError(A2AError):
    """The agent behind the server answered with what is not A2A."""

    default_message = "the agent's answer is not valid"


class ExtendedAgentCardNotConfiguredError(A2AError):
    """The card declares an extended card, and there is none (CAP-05)."""

    default_message = "the agent has no extended card"


class ExtensionSupportRequiredError(A2AError):
    """A required extension was not activated (CAP-06)."""

    default_message = "the agent requires an extension that the request does not activate"


class VersionNotSupportedError(A2AError):
    """The interface does not speak the version that was asked for (VER-06)."""

    default_message = "the protocol version is not supported"


class ParseError(A2AError):
    """The body is not JSON."""

    default_message = "invalid JSON payload"


class InvalidRequestError(A2AError):
    """The JSON is no request of the binding."""

    default_message = "request payload validation error"


class MethodNotFoundError(A2AError):
    """There is no such operation."""

    default_message = "method not found"


class InvalidParamsError(A2AError):
    """The request does not fit; `violations` name what and why (ERR-10)."""

    default_message = "invalid parameters"


class InternalError(A2AError):
    """Something went wrong that the caller can do nothing about; the log has more (I12)."""

    default_message = "internal error"


class UnauthenticatedError(A2AError):
    """No credentials, or bad ones. `challenge` is the value of `WWW-Authenticate` (ERR-04)."""

    default_message = "credentials are missing or not valid"

    def __init__(
        self, message: str = "", *, challenge: str = "Bearer", metadata: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, metadata=metadata)
        self.challenge = challenge


class PermissionDeniedError(A2AError):
    """The caller is known, and may not do this (ERR-06)."""

    default_message = "the caller may not do this"


class UnavailableError(A2AError):
    """The agent cannot take the call now; try again after `retry_after`."""

    default_message = "the agent is busy; try again later"

    def __init__(
        self,
        message: str = "",
        *,
        retry_after: timedelta = timedelta(seconds=1),
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, metadata=metadata)
        self.retry_after = retry_after


class SkillError(DragomanError):
    """Raised by a skill to fail its task with words, and data if need be, that the caller may read."""

    def __init__(self, message: str, *, data: JSON = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class ErrorRow(NamedTuple):
    """What one error is called on each wire."""

    error: type[A2AError]
    code: int
    http_status: int
    grpc_status: str
    reason: str


ERROR_TABLE: tuple[ErrorRow, ...] = (
    ErrorRow(TaskNotFoundError, -32001, 404, "NOT_FOUND", "TASK_NOT_FOUND"),
    ErrorRow(TaskNotCancelableError, -32002, 400, "FAILED_PRECONDITION", "TASK_NOT_CANCELABLE"),
    ErrorRow(
        PushNotificationNotSupportedError,
        -32003,
        400,
        "FAILED_PRECONDITION",
        "PUSH_NOTIFICATION_NOT_SUPPORTED",
    ),
    ErrorRow(UnsupportedOperationError, -32004, 400, "FAILED_PRECONDITION", "UNSUPPORTED_OPERATION"),
    ErrorRow(ContentTypeNotSupportedError, -32005, 400, "INVALID_ARGUMENT", "CONTENT_TYPE_NOT_SUPPORTED"),
    ErrorRow(InvalidAgentResponseError, -32006, 500, "INTERNAL", "INVALID_AGENT_RESPONSE"),
    ErrorRow(
        ExtendedAgentCardNotConfiguredError,
        -32007,
        400,
        "FAILED_PRECONDITION",
        "EXTENDED_AGENT_CARD_NOT_CONFIGURED",
    ),
    ErrorRow(ExtensionSupportRequiredError, -32008, 400, "FAILED_PRECONDITION", "EXTENSION_SUPPORT_REQUIRED"),
    ErrorRow(VersionNotSupportedError, -32009, 400, "FAILED_PRECONDITION", "VERSION_NOT_SUPPORTED"),
    ErrorRow(ParseError, -32700, 400, "INVALID_ARGUMENT", "PARSE_ERROR"),
    ErrorRow(InvalidRequestError, -32600, 400, "INVALID_ARGUMENT", "INVALID_REQUEST"),
    ErrorRow(MethodNotFoundError, -32601, 404, "UNIMPLEMENTED", "METHOD_NOT_FOUND"),
    ErrorRow(InvalidParamsError, -32602, 400, "INVALID_ARGUMENT", "INVALID_PARAMS"),
    ErrorRow(InternalError, -32603, 500, "INTERNAL", "INTERNAL_ERROR"),
    # The specification assigns these three no JSON-RPC code; they lie outside its own range (D-24).
    ErrorRow(UnauthenticatedError, -32051, 401, "UNAUTHENTICATED", "UNAUTHENTICATED"),
    ErrorRow(PermissionDeniedError, -32053, 403, "PERMISSION_DENIED", "PERMISSION_DENIED"),
    ErrorRow(UnavailableError, -32054, 503, "UNAVAILABLE", "UNAVAILABLE"),
)

_BY_TYPE = {row.error: row for row in ERROR_TABLE}
_BY_CODE = {row.code: row for row in ERROR_TABLE}
_BY_REASON = {row.reason: row for row in ERROR_TABLE}


def row_of(error: A2AError) -> ErrorRow:
    """The row of `error`, or of the nearest class above it that has one; an InternalError's if none has."""
    for kind in type(error).__mro__:
        if row := _BY_TYPE.get(kind):
            return row
    return _BY_TYPE[InternalError]


def row_for_code(code: int) -> ErrorRow | None:
    """The row with this JSON-RPC code."""
    return _BY_CODE.get(code)


def row_for_reason(reason: str) -> ErrorRow | None:
    """The row with this ErrorInfo reason, which a client trusts above any HTTP status (D-05)."""
    return _BY_REASON.get(reason)
