"""What a generation of the protocol has to be able to say and to understand."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from dragoman.model import (
    JSON,
    A2AError,
    AgentCard,
    Generation,
    Operation,
    Record,
    StreamResponse,
    Task,
    UnsupportedOperationError,
)


class StreamWriter(Protocol):
    """Writes the events of one stream, in their order.

    What it writes of an event is the same in every stream of the task, so that one may use what another wrote; it has to see all
    the same.
    """

    def see(self, event: StreamResponse) -> None:
        """The next event, whether it is to be written here or not."""
        ...

    def dump(self, event: StreamResponse) -> Sequence[JSON]:
        """What the event that was seen last is in this dialect."""
        ...


class Dialect(Protocol):
    """One generation's JSON on one wire, there and back. Pure: no I/O, no clock, nothing kept.

    `load_…` takes decoded JSON of anybody's and raises InvalidParamsError that names the members that do not fit; `dump_…` takes
    a record and gives JSON that `codec.encode` prints.
    """

    @property
    def generation(self) -> Generation: ...

    @property
    def name(self) -> str:
        """Unique among dialects: events of one name have the same bytes for every subscriber."""
        ...

    @property
    def methods(self) -> Mapping[str, Operation]:
        """The JSON-RPC methods (SPEC 7.2)."""
        ...

    @property
    def webhook_type(self) -> str:
        """The media type of a webhook's body."""
        ...

    def method_of(self, operation: Operation) -> str:
        """The JSON-RPC method; UnsupportedOperationError if the generation has none."""
        ...

    def load_request(self, operation: Operation, params: JSON) -> Record: ...
    def dump_request(self, operation: Operation, request: Record) -> JSON: ...
    def load_result(self, operation: Operation, result: JSON) -> Record: ...
    def dump_result(self, operation: Operation, result: Record) -> JSON: ...

    def load_event(self, event: JSON) -> StreamResponse: ...

    def dump_event(self, event: StreamResponse) -> Sequence[JSON]:
        """The event; more than one where the generation has no word for a whole task in a stream."""
        ...

    def open_stream(self) -> "StreamWriter":
        """A writer for the events of one stream, from its first on."""
        ...

    def load_error(self, error: JSON) -> A2AError:
        """What a peer means by a JSON-RPC error object, by the codes of the generation."""
        ...

    def dump_error(self, error: A2AError) -> dict[str, JSON]:
        """The JSON-RPC error object: `code`, `message`, `data`."""
        ...

    def load_webhook(self, body: JSON) -> StreamResponse: ...

    def dump_webhook(self, task: Task) -> JSON:
        """What a webhook is told: before 1.0 that is the whole task (SPEC 7.3)."""
        ...

    def load_card(self, card: JSON) -> AgentCard: ...
    def dump_card(self, card: AgentCard) -> JSON: ...


def find_method(methods: Mapping[str, Operation], operation: Operation, generation: Generation) -> str:
    """The name under which the generation has the operation; UnsupportedOperationError if it has none."""
    for name, known in methods.items():
        if known is operation:
            return name
    raise UnsupportedOperationError(f"A2A {generation.value} has no {operation.name}")


class EventWriter:
    """The writer of a dialect that writes each event by itself."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def see(self, event: StreamResponse) -> None:
        """Nothing to learn from it."""

    def dump(self, event: StreamResponse) -> Sequence[JSON]:
        return self._dialect.dump_event(event)
