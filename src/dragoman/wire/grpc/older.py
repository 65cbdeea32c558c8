"""0.3 over gRPC: the messages of `a2a.v1` from and to records, by way of the JSON that its REST has (SPEC 7.5)."""

from typing import cast

from dragoman.model import AgentCard, Operation, Record, StreamResponse, operations
from dragoman.wire.dialects import PROTO, dialect_named
from dragoman.wire.dialects.proto_cards import read_proto_card, write_proto_card
from dragoman.wire.grpc.codec import build, parse
from dragoman.wire.grpc.schema import find_old_classes

_DIALECT = dialect_named(PROTO)
METHODS = _DIALECT.methods
"""The operations by what 0.3 calls them."""

_STREAM = "SendStreamingMessage"


def method_of(operation: Operation) -> str:
    """The method; UnsupportedOperationError if 0.3 has none."""
    return _DIALECT.method_of(operation)


def load_request(operation: Operation, data: bytes) -> Record:
    """Read a request; InvalidRequestError for what is not its message, InvalidParamsError with violations for what does not fit."""
    kind, _ = find_old_classes(method_of(operation))
    return _DIALECT.load_request(operation, parse(kind, data))


def dump_request(operation: Operation, request: Record) -> bytes:
    """Print a request; UnsayableError if protobuf cannot say it, UnsupportedOperationError if 0.3 has no such operation."""
    kind, _ = find_old_classes(method_of(operation))
    return build(kind, _DIALECT.dump_request(operation, request), exact=True)


def load_result(operation: Operation, data: bytes) -> Record:
    """Read an answer; the errors are those of `load_request`."""
    _, kind = find_old_classes(method_of(operation))
    value = parse(kind, data)
    if operation is operations.GET_EXTENDED_CARD:
        return _DIALECT.load_card(read_proto_card(value))
    return _DIALECT.load_result(operation, value)


def dump_result(operation: Operation, result: Record) -> bytes:
    """Print an answer; UnsayableError if protobuf cannot say it."""
    _, kind = find_old_classes(method_of(operation))
    if operation is operations.GET_EXTENDED_CARD:
        return build(kind, write_proto_card(cast("AgentCard", result)))
    return build(kind, _DIALECT.dump_result(operation, result))


def load_event(data: bytes) -> StreamResponse:
    """Read an event of a stream; the errors are those of `load_request`."""
    _, kind = find_old_classes(_STREAM)
    return _DIALECT.load_event(parse(kind, data))


def dump_event(event: StreamResponse) -> bytes:
    """Print an event of a stream; UnsayableError if protobuf cannot say it."""
    _, kind = find_old_classes(_STREAM)
    (value,) = _DIALECT.dump_event(event)
    return build(kind, value)
