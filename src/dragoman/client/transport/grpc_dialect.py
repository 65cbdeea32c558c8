"""What is said over gRPC in one generation (SPEC 3.4, 7.5)."""

from typing import Protocol

from dragoman.client.transport.base import StreamEvent
from dragoman.model import LATEST, Generation, Operation, Record, StreamResponse
from dragoman.wire.grpc import codec, older
from dragoman.wire.grpc.schema import OLD_SERVICE, SERVICE
from dragoman.wire.marks import take_mark


class GrpcDialect(Protocol):
    """One service. What is read raises InvalidRequestError or InvalidParamsError if it does not fit."""

    has_marks: bool
    """Whether its streams may resume after a mark."""

    def path_of(self, operation: Operation) -> str:
        """The method; UnsupportedOperationError if the generation has none."""
        ...

    def dump(self, operation: Operation, request: Record) -> bytes:
        """Print a request; UnsayableError if protobuf cannot say it."""
        ...

    def load(self, operation: Operation, data: bytes) -> Record: ...

    def load_event(self, data: bytes) -> StreamEvent: ...


class LatestGrpc(GrpcDialect):
    """`lf.a2a.v1`, which is 1.0."""

    has_marks = True

    def path_of(self, operation: Operation) -> str:
        return f"/{SERVICE}/{operation.name}"

    def dump(self, operation: Operation, request: Record) -> bytes:  # noqa: ARG002 — other generations name the message by it
        return codec.encode(request, exact=True)

    def load(self, operation: Operation, data: bytes) -> Record:
        return codec.decode(operation.response, data)

    def load_event(self, data: bytes) -> StreamEvent:
        return StreamEvent(*take_mark(codec.decode(StreamResponse, data)))


class OlderGrpc(GrpcDialect):
    """`a2a.v1`, which is 0.3."""

    has_marks = False

    def path_of(self, operation: Operation) -> str:
        return f"/{OLD_SERVICE}/{older.method_of(operation)}"

    def dump(self, operation: Operation, request: Record) -> bytes:
        return older.dump_request(operation, request)

    def load(self, operation: Operation, data: bytes) -> Record:
        return older.load_result(operation, data)

    def load_event(self, data: bytes) -> StreamEvent:
        return StreamEvent("", older.load_event(data))


def grpc_dialect_of(generation: Generation) -> GrpcDialect:
    """What an interface of the generation is spoken to in."""
    return LatestGrpc() if generation is LATEST else OlderGrpc()
