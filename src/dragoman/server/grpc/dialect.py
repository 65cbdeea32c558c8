"""What one service of protobuf says on the wire: a generation's names and messages."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

from dragoman.engine.entries import StreamItem
from dragoman.model import (
    LATEST,
    OPERATIONS,
    A2AError,
    ContentTypeNotSupportedError,
    ExtendedAgentCardNotConfiguredError,
    Generation,
    Operation,
    PushNotificationNotSupportedError,
    Record,
    UnsupportedOperationError,
)
from dragoman.model.errors import row_of
from dragoman.wire.grpc import codec, older
from dragoman.wire.grpc.plain import UnsayableError
from dragoman.wire.grpc.schema import OLD_SERVICE, SERVICE
from dragoman.wire.marks import add_mark
from dragoman.wire.parameters import EXTENSIONS_HEADER, OLD_EXTENSIONS_HEADER

R = TypeVar("R", bound=Record)

_PLAIN = "1.0 grpc"
_MARKED = "1.0 grpc marked"
_OLDER = "0.3 grpc"


class GrpcDialect(Protocol):
    """One service. A server carries as many as it is given, each under its own name."""

    service: str
    generation: Generation
    extensions_header: str
    """Where a caller is told which extensions are active."""
    methods: Mapping[str, Operation]
    """The operations by what the service calls them."""

    def load(self, operation: Operation, data: bytes) -> Record:
        """Read a request; A2AError if it does not fit."""
        ...

    def dump(self, operation: Operation, result: Any) -> bytes:
        """Print an answer; A2AError if it cannot be said."""
        ...

    def dump_event(self, item: StreamItem, *, marked: bool) -> bytes:
        """Print an event, with its mark if that was asked for; A2AError if it cannot be said."""
        ...

    def code_of(self, error: A2AError) -> str:
        """The name of the status that the error has."""
        ...


class CurrentDialect(GrpcDialect):
    """`lf.a2a.v1`, which is 1.0."""

    service = SERVICE
    generation = LATEST
    extensions_header = EXTENSIONS_HEADER
    methods: Mapping[str, Operation] = {operation.name: operation for operation in OPERATIONS}

    def load(self, operation: Operation, data: bytes) -> Record:
        return codec.decode(operation.request, data)

    def dump(self, operation: Operation, result: Any) -> bytes:  # noqa: ARG002 — other generations name their answers by it
        return _saying(codec.encode, result)

    def dump_event(self, item: StreamItem, *, marked: bool) -> bytes:
        """Made once for all readers."""
        marked = marked and item.seq > 0
        name = _MARKED if marked else _PLAIN
        data = item.encodings.get(name)
        if data is None:
            event = add_mark(item.event, item.mark) if marked else item.event
            data = item.encodings[name] = _saying(codec.encode, event)
        return data

    def code_of(self, error: A2AError) -> str:
        return row_of(error).grpc_status


class OlderDialect(GrpcDialect):
    """`a2a.v1`, which is 0.3 (SPEC 7.5)."""

    service = OLD_SERVICE
    generation = Generation.V0_3
    extensions_header = OLD_EXTENSIONS_HEADER
    methods = older.METHODS

    def load(self, operation: Operation, data: bytes) -> Record:
        return older.load_request(operation, data)

    def dump(self, operation: Operation, result: Any) -> bytes:
        return _saying(partial(older.dump_result, operation), result)

    def dump_event(self, item: StreamItem, *, marked: bool) -> bytes:  # noqa: ARG002 — 0.3 knows of no marks
        """Made once for all readers."""
        data = item.encodings.get(_OLDER)
        if data is None:
            data = item.encodings[_OLDER] = _saying(older.dump_event, item.event)
        return data

    def code_of(self, error: A2AError) -> str:
        """As the official SDK of 0.3 has it: what cannot be done is UNIMPLEMENTED.

        But a task that cannot be canceled is FAILED_PRECONDITION, for the JavaScript one goes by the code alone, and the Python
        one by the words.
        """
        return "UNIMPLEMENTED" if isinstance(error, _UNIMPLEMENTED) else row_of(error).grpc_status


_UNIMPLEMENTED = (
    PushNotificationNotSupportedError,
    UnsupportedOperationError,
    ContentTypeNotSupportedError,
    ExtendedAgentCardNotConfiguredError,
)


def _saying(dump: Callable[[R], bytes], record: R) -> bytes:
    try:
        return dump(record)
    except UnsayableError as error:
        raise UnsupportedOperationError(f"{error}; ask for it over JSON-RPC or HTTP+JSON") from None
