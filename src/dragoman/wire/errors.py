"""Errors as JSON details and REST bodies, there and back (SPEC 3.2, ERR-17 to ERR-21, D-04, D-05, D-07)."""

import re
from collections.abc import Iterator
from datetime import timedelta

from dragoman.model import (
    JSON,
    A2AError,
    FieldViolation,
    InvalidParamsError,
    ParseError,
    PermissionDeniedError,
    UnauthenticatedError,
    UnavailableError,
)
from dragoman.model.errors import ERROR_DOMAIN, row_for_code, row_for_reason, row_of
from dragoman.wire.codec import decode_json
from dragoman.wire.narrowing import is_array, is_object

_RPC_PREFIX = "type.googleapis.com/google.rpc."
_ERROR_INFO = _RPC_PREFIX + "ErrorInfo"
_BAD_REQUEST = _RPC_PREFIX + "BadRequest"
_RETRY_INFO = _RPC_PREFIX + "RetryInfo"

DEFAULT_RETRY_AFTER = timedelta(seconds=1)
MAX_RETRY_AFTER = timedelta(days=1)

# The only statuses that mean one thing whatever the body says: every other one is shared by several errors (D-05).
_BY_STATUS: dict[int | None, type[A2AError]] = {
    401: UnauthenticatedError,
    403: PermissionDeniedError,
    503: UnavailableError,
}
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_RC_ERROR_TYPE = re.compile(r"https?://(?:www\.)?a2a-protocol\.org/(?:[a-z0-9-]+/)*([a-z-]+)/?")


def error_details(error: A2AError) -> list[dict[str, JSON]]:
    """The typed objects that tell a machine about `error`; ErrorInfo is always the first (D-07)."""
    info: dict[str, JSON] = {"@type": _ERROR_INFO, "reason": get_reason(error), "domain": ERROR_DOMAIN}
    if error.metadata:
        info["metadata"] = error.metadata
    details = [info]
    if error.violations:
        details.append({"@type": _BAD_REQUEST, "fieldViolations": list(error.violations)})
    if isinstance(error, UnavailableError):
        details.append({"@type": _RETRY_INFO, "retryDelay": _dump_duration(error.retry_after)})
    return details


def get_reason(error: A2AError) -> str:
    """What ErrorInfo calls it: the peer's own word if the table does not know it."""
    return error.reason or row_of(error).reason


def dump_rest_error(error: A2AError, http_status: int) -> dict[str, JSON]:
    """The body of §11.6, whose `code` is the HTTP status (D-04)."""
    status: dict[str, JSON] = {
        "code": http_status,
        "status": row_of(error).grpc_status,
        "message": error.message,
        "details": error_details(error),
    }
    return {"error": status}


def load_error(code: int | None, message: str, details: object, *, status: int | None = None) -> A2AError:
    """The error that a peer means: by ErrorInfo's reason, then by the JSON-RPC code, then by 401, 403 and 503."""
    found = list(_iterate_details(details))
    info = _get_detail(found, _ERROR_INFO)
    reason = _get_text(info, "reason")
    violations = tuple(_load_violations(_get_detail(found, _BAD_REQUEST)))
    kind = _choose_kind(reason, code, status, violations)
    metadata = _load_metadata(info.get("metadata"))
    if issubclass(kind, UnavailableError):
        delay = _load_delay(_get_text(_get_detail(found, _RETRY_INFO), "retryDelay").removesuffix("s"))
        return kind(message, metadata=metadata, retry_after=delay)
    if issubclass(kind, UnauthenticatedError):
        return kind(message, metadata=metadata)
    unknown = reason if row_for_reason(reason) is None else ""
    return kind(message, metadata=metadata, violations=violations, reason=unknown)


def load_rest_error(status: int, body: bytes, retry_after: str | None = None) -> A2AError | None:
    """The error in the body of a REST answer, or None if the body is no error of A2A.

    `retry_after` is the header; only its form in seconds is understood. Takes the body of §11.6 and the
    `application/problem+json` of 1.0.0-rc servers (D-04).
    """
    try:
        value = decode_json(body)
    except ParseError:
        return None
    error = _load_status_body(status, value) or _load_problem(status, value)
    if isinstance(error, UnavailableError) and retry_after is not None:
        error.retry_after = _load_delay(retry_after)
    return error


def _load_status_body(status: int, value: JSON) -> A2AError | None:
    match value:
        case {"error": {"code": int(code), "message": str(message), **rest}}:
            return load_error(
                code if code < 0 else None, message, rest.get("details", rest.get("data")), status=status
            )
        case {"code": int(code), "message": str(message), **rest} if code < 0:
            # The JavaScript SDK of 0.3, which has the error of JSON-RPC for a body.
            return load_error(code, message, rest.get("data"), status=status)
        case _:
            return None


def _load_problem(status: int, value: JSON) -> A2AError | None:
    match value:
        case {"type": str(uri)} if found := _RC_ERROR_TYPE.fullmatch(uri):
            reason = found[1].removesuffix("-error").replace("-", "_").upper()
            message = _get_text(value, "detail") or _get_text(value, "title")
            return load_error(None, message, [{"@type": _ERROR_INFO, "reason": reason}], status=status)
        case _:
            return None


def _choose_kind(
    reason: str, code: int | None, status: int | None, violations: tuple[FieldViolation, ...]
) -> type[A2AError]:
    row = row_for_reason(reason) or (None if code is None else row_for_code(code))
    if row is not None:
        return row.error
    fallback = InvalidParamsError if violations and not reason else A2AError
    return _BY_STATUS.get(status, fallback)


def _iterate_details(details: object) -> Iterator[dict[str, JSON]]:
    for entry in details if is_array(details) else [details]:
        if is_object(entry):
            yield entry


def _get_detail(details: list[dict[str, JSON]], kind: str) -> dict[str, JSON]:
    for detail in details:
        if detail.get("@type") == kind:
            return detail
    return {}


def _get_text(value: dict[str, JSON], name: str) -> str:
    text = value.get(name)
    return text if isinstance(text, str) else ""


def _load_metadata(value: JSON) -> dict[str, str]:
    if not is_object(value):
        return {}
    return {name: text for name, text in value.items() if isinstance(text, str)}


def _load_violations(detail: dict[str, JSON]) -> Iterator[FieldViolation]:
    for entry in _iterate_details(detail.get("fieldViolations")):
        yield FieldViolation(field=_get_text(entry, "field"), description=_get_text(entry, "description"))


def _load_delay(seconds: str) -> timedelta:
    text = seconds.strip()
    if not _SECONDS.fullmatch(text):
        return DEFAULT_RETRY_AFTER
    return min(timedelta(seconds=float(text)), MAX_RETRY_AFTER)


def _dump_duration(duration: timedelta) -> str:
    seconds, micros = divmod(round(duration / timedelta(microseconds=1)), 1_000_000)
    return f"{seconds}.{micros:06d}".rstrip("0").rstrip(".") + "s"
