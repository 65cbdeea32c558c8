"""The JSON-RPC envelope, both ends of it (SPEC 3.3, RPC-01 to RPC-08, D-26, D-27)."""

from typing import Annotated, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from dragoman.model import (
    JSON,
    A2AError,
    BadResponse,
    DragomanError,
    Empty,
    InvalidParamsError,
    InvalidRequestError,
    ParseError,
)
from dragoman.model.errors import row_of
from dragoman.wire.codec import decode, decode_json, encode
from dragoman.wire.depth import check_depth
from dragoman.wire.errors import error_details, load_error
from dragoman.wire.narrowing import is_array, is_object

T = TypeVar("T")

MAX_ID_CHARS = 1024
"""A longer id is refused, because it is repeated in every event of a stream."""

RpcId: TypeAlias = Annotated[str, Meta(max_length=MAX_ID_CHARS)] | int | float | None

_NO_PARAMS = Raw(b"{}")
_ABSENT = Raw(b"")
_NULL = b"null"


class RpcCall(Struct, frozen=True, kw_only=True):
    """A request as it came in. `params` is an object, not yet decoded; `{}` if there was none."""

    id: RpcId = None
    method: str
    params: Raw = _NO_PARAMS


class RpcFault(DragomanError):
    """A request that cannot be carried out. `id` is what the answer needs, None if it could not be read."""

    def __init__(self, error: A2AError, id: RpcId = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.id = id


class _Request(RpcCall, frozen=True, kw_only=True):
    jsonrpc: Literal["2.0"]


class _Reply(Struct, frozen=True, kw_only=True):
    jsonrpc: Literal["2.0"]
    result: Raw = _ABSENT
    error: Raw = _ABSENT


class _ErrorObject(Struct, frozen=True, kw_only=True):
    code: int
    message: str = ""
    data: JSON = None


_REQUESTS = msgspec.json.Decoder(_Request)
_REPLIES = msgspec.json.Decoder(_Reply)
_ERRORS = msgspec.json.Decoder(_ErrorObject)
_FAILURES = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def parse_call(body: bytes) -> RpcCall:
    """Read a request; RpcFault if it is none. A missing id is answered with null (D-26)."""
    try:
        call = _REQUESTS.decode(body)
    except _FAILURES:
        raise _explain(body) from None
    try:
        check_depth(body)
    except ParseError as error:
        raise RpcFault(error, call.id) from None
    return call if memoryview(call.params)[0] == 0x7B else _check_params(call)


def _check_params(call: RpcCall) -> RpcCall:
    params = bytes(call.params)
    if params == _NULL:
        return RpcCall(id=call.id, method=call.method)
    if params.startswith(b"["):
        raise RpcFault(InvalidParamsError("the params must be an object, not an array"), call.id)
    raise RpcFault(InvalidRequestError("the params must be an object"), call.id)


def _explain(body: bytes) -> RpcFault:
    try:
        value = decode_json(body)
    except ParseError as error:
        return RpcFault(error)
    if is_array(value):
        return RpcFault(InvalidRequestError("batches are not supported: send one request per call"))
    if not is_object(value):
        return RpcFault(InvalidRequestError("a request must be an object"))
    return _explain_object(value)


def _explain_object(value: dict[str, JSON]) -> RpcFault:
    try:
        id = msgspec.convert(value.get("id"), RpcId)  # noqa: A001 — the protocol's word
    except msgspec.ValidationError:
        problem = f"the id must be null, a number or a string of at most {MAX_ID_CHARS} characters"
        return RpcFault(InvalidRequestError(problem))
    if value.get("jsonrpc") != "2.0":
        return RpcFault(InvalidRequestError("the member 'jsonrpc' must be '2.0'"), id)
    return RpcFault(InvalidRequestError("the member 'method' must be a string"), id)


RESULT_START, RESULT_MIDDLE, RESULT_END = b'{"jsonrpc":"2.0","id":', b',"result":', b"}"
"""What stands before the id of an answer, between it and the result, and after that."""


def build_result(id: RpcId, payload: bytes) -> bytes:
    """The answer with an encoded result."""
    return b"%b%b%b%b%b" % (RESULT_START, encode(id), RESULT_MIDDLE, payload, RESULT_END)


def build_error(id: RpcId, error: A2AError) -> bytes:
    """The answer with an error."""
    problem = {"code": row_of(error).code, "message": error.message, "data": error_details(error)}
    return encode({"jsonrpc": "2.0", "id": id, "error": problem})


def build_call(id: RpcId, method: str, params: bytes) -> bytes:
    """A request with encoded params."""
    return b'{"jsonrpc":"2.0","id":%b,"method":%b,"params":%b}' % (encode(id), encode(method), params)


def parse_reply(body: bytes | memoryview, kind: type[T]) -> T:
    """The result of a call; raises the A2AError that the reply carries, or BadResponse if it is no reply."""
    try:
        reply = _REPLIES.decode(body)
    except _FAILURES:
        raise BadResponse("the answer is not a JSON-RPC 2.0 response") from None
    if _is_given(reply.error):
        raise _load_error_object(reply.error)
    if _is_given(reply.result):
        return load_result(reply.result, kind)
    if kind is Empty and len(reply.result):
        return kind()
    raise BadResponse("the answer has neither a result nor an error")


def load_result(data: bytes | memoryview | Raw, kind: type[T]) -> T:
    """Read what a peer answered; BadResponse that names the members if it does not fit."""
    try:
        return decode(kind, data)
    except (ParseError, InvalidParamsError) as error:
        problems = "; ".join(
            f"{violation.field or 'it'}: {violation.description}" for violation in error.violations
        )
        raise BadResponse(f"the answer is not a valid {kind.__name__}: {problems or error.message}") from None


def _is_given(raw: Raw) -> bool:
    return len(raw) > 0 and (len(raw) != len(_NULL) or bytes(raw) != _NULL)


def _load_error_object(raw: Raw) -> DragomanError:
    try:
        error = _ERRORS.decode(raw)
    except _FAILURES:
        return BadResponse("the answer carries an error that is not a JSON-RPC error object")
    return load_error(error.code, error.message, error.data)
