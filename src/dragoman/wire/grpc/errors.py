"""Errors as `google.rpc.Status`, which travels in the trailer `grpc-status-details-bin` (SPEC 3.2, GRP-07)."""

from typing import Any, NamedTuple

from google.protobuf import any_pb2
from google.protobuf.message import DecodeError
from google.rpc import (  # pyright: ignore[reportMissingTypeStubs]
    code_pb2,
    error_details_pb2,
    status_pb2,
)

from dragoman.model import JSON, A2AError, UnavailableError
from dragoman.model.errors import ERROR_DOMAIN, row_of
from dragoman.wire.errors import get_reason, load_error
from dragoman.wire.grpc.plain import read_message

DETAILS_KEY = "grpc-status-details-bin"

MAX_MESSAGE_CHARS = 512
MAX_DETAILS_BYTES = 4 * 1024
"""Peers take 8 KB of trailers in all, and Base64 makes more of it."""

_TYPE_PREFIX = "type.googleapis.com/"
_KNOWN: dict[str, Any] = {
    kind.DESCRIPTOR.full_name: kind
    for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest, error_details_pb2.RetryInfo)
}
# Where an answer has no details, its code is what an HTTP status is elsewhere (SPEC 3.2).
_HTTP_STATUS = {"UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403, "UNAVAILABLE": 503}


class GrpcStatus(NamedTuple):
    """How a call fails: the name of the code, words, and the details as bytes."""

    code: str
    message: str
    details: bytes


def dump_status(error: A2AError, code: str = "") -> GrpcStatus:
    """What a peer is told of `error`; violations that would make too much of it are left out, the last ones first.

    `code` is the name of another status than 1.0 gives it.
    """
    code = code or row_of(error).grpc_status
    message = error.message[:MAX_MESSAGE_CHARS]
    violations = list(error.violations)
    status = _build(code, message, error, violations)
    while len(data := status.SerializeToString()) > MAX_DETAILS_BYTES and violations:
        del violations[len(violations) // 2 :]
        status = _build(code, message, error, violations)
    return GrpcStatus(code, message, data)


def _build(code: str, message: str, error: A2AError, violations: list[Any]) -> status_pb2.Status:
    info = error_details_pb2.ErrorInfo(reason=get_reason(error), domain=ERROR_DOMAIN, metadata=error.metadata)
    status = status_pb2.Status(code=code_pb2.Code.Value(code), message=message, details=[_pack(info)])
    if violations:
        request = error_details_pb2.BadRequest()
        for violation in violations:
            request.field_violations.add(field=violation.field, description=violation.description)
        status.details.append(_pack(request))
    if isinstance(error, UnavailableError):
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromTimedelta(error.retry_after)
        status.details.append(_pack(retry))
    return status


def _pack(detail: Any) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed


def load_status(code: str, message: str, details: bytes = b"") -> A2AError:
    """The error that a peer means: by the reason in its details, else by UNAUTHENTICATED, PERMISSION_DENIED and UNAVAILABLE."""
    return load_error(None, message, _load_details(details), status=_HTTP_STATUS.get(code))


def _load_details(data: bytes) -> list[JSON]:
    try:
        status = status_pb2.Status.FromString(data)
        return [_load_detail(packed) for packed in status.details]
    except DecodeError:
        return []


def _load_detail(packed: any_pb2.Any) -> JSON:
    name = packed.type_url.rpartition("/")[2]
    kind = _KNOWN.get(name)
    if kind is None:
        return {}
    return {"@type": _TYPE_PREFIX + name, **read_message(kind.FromString(packed.value))}
