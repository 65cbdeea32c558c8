"""What 0.2 and 0.3 have in common in both of their shapes: everything is read alike, and written by a writer of the shape (SPEC 7.3, 7.5)."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

from dragoman.model import (
    JSON,
    A2AError,
    AgentCard,
    Empty,
    Generation,
    Operation,
    Record,
    StreamResponse,
    Task,
    operations,
)
from dragoman.wire.codec import convert
from dragoman.wire.dialects import cards, failures, requests
from dragoman.wire.dialects.base import EventWriter, StreamWriter, find_method
from dragoman.wire.dialects.members import copy, to_json
from dragoman.wire.dialects.reading import read_event, read_reply, read_task
from dragoman.wire.media import JSON_TYPE
from dragoman.wire.narrowing import is_array, is_object


class OlderWriter(ABC):
    """Writes messages, tasks and events of one shape, from the JSON of 1.0."""

    @abstractmethod
    def part(self, part: Mapping[str, JSON]) -> dict[str, JSON]: ...

    @abstractmethod
    def message(self, message: Mapping[str, JSON]) -> dict[str, JSON]: ...

    @abstractmethod
    def state(self, state: str) -> str:
        """The state as the shape spells it."""

    @abstractmethod
    def task(self, task: Mapping[str, JSON]) -> dict[str, JSON]: ...

    @abstractmethod
    def event(self, event: Mapping[str, JSON]) -> dict[str, JSON]:
        """One event of a stream, of which 1.0 has a member for each kind."""

    def status(self, status: Mapping[str, JSON]) -> dict[str, JSON]:
        written: dict[str, JSON] = {"state": self.state(status["state"]), **copy(status, "timestamp")}
        if "message" in status:
            written["message"] = self.message(status["message"])
        return written

    def artifact(self, artifact: Mapping[str, JSON]) -> dict[str, JSON]:
        return {
            **copy(artifact, "artifactId", "name", "description", "metadata", "extensions"),
            "parts": [self.part(part) for part in artifact["parts"]],
        }


W = TypeVar("W", bound=OlderWriter)

Writers: TypeAlias = Mapping[str, Callable[[Any, W], JSON]]
"""By the name of the operation, what writes its request as 1.0 has it in JSON, or the record of its result."""

_UNKNOWN_CODES = {
    Generation.V0_2: failures.UNKNOWN_TO_SECOND,
    Generation.V0_3: failures.UNKNOWN_TO_THIRD,
}


class OlderDialect(ABC, Generic[W]):
    """One of the shapes. What is written comes from its writer and its two tables."""

    name: str
    generation: Generation
    methods: Mapping[str, Operation]
    webhook_type = JSON_TYPE

    def __init__(self, write: W, request_writers: Writers[W], result_writers: Writers[W]) -> None:
        self._write = write
        self._request_writers = request_writers
        self._result_writers = result_writers

    @abstractmethod
    def load_request(self, operation: Operation, params: JSON) -> Record: ...

    @abstractmethod
    def dump_webhook(self, task: Task) -> JSON: ...

    def method_of(self, operation: Operation) -> str:
        return find_method(self.methods, operation, self.generation)

    def dump_request(self, operation: Operation, request: Record) -> JSON:
        self.method_of(operation)
        return self._request_writers[operation.name](to_json(request), self._write)

    def load_result(self, operation: Operation, result: JSON) -> Record:
        if operation is operations.GET_EXTENDED_CARD:
            return self.load_card(result)
        return convert(operation.response, _RESULTS[operation.name](result))

    def dump_result(self, operation: Operation, result: Record) -> JSON:
        if isinstance(result, AgentCard):
            return self.dump_card(result)
        return self._result_writers[operation.name](result, self._write)

    def load_event(self, event: JSON) -> StreamResponse:
        return convert(StreamResponse, read_event(event))

    def dump_event(self, event: StreamResponse) -> Sequence[JSON]:
        return [self._write.event(to_json(event))]

    def open_stream(self) -> StreamWriter:
        return EventWriter(self)

    def load_error(self, error: JSON) -> A2AError:
        return failures.load_failure(error)

    def dump_error(self, error: A2AError) -> dict[str, JSON]:
        return failures.dump_failure(error, _UNKNOWN_CODES[self.generation])

    def load_webhook(self, body: JSON) -> StreamResponse:
        return self.load_event(body)

    def load_card(self, card: JSON) -> AgentCard:
        return cards.load_card(card)

    def dump_card(self, card: AgentCard) -> JSON:
        return cards.dump_card(card, self.generation)


def read_task_push_result(value: JSON) -> JSON:
    """A webhook with its task, as a peer answers with it."""
    return requests.read_task_push(value) if is_object(value) else value


def _read_configs(value: JSON) -> JSON:
    """A bare array; or 1.0's object around it."""
    if is_object(value):
        value = value.get("configs", [])
    return {"configs": [read_task_push_result(entry) for entry in value]} if is_array(value) else value


def _read_done(_: JSON) -> JSON:
    """Whatever a peer answers a deletion with, it says no more than that it was done (D-27)."""
    return to_json(Empty())


_RESULTS: dict[str, Callable[[JSON], JSON]] = {
    operations.SEND_MESSAGE.name: read_reply,
    operations.SEND_STREAMING_MESSAGE.name: read_event,
    operations.SUBSCRIBE_TO_TASK.name: read_event,
    operations.GET_TASK.name: read_task,
    operations.CANCEL_TASK.name: read_task,
    operations.CREATE_PUSH_CONFIG.name: read_task_push_result,
    operations.GET_PUSH_CONFIG.name: read_task_push_result,
    operations.LIST_PUSH_CONFIGS.name: _read_configs,
    operations.DELETE_PUSH_CONFIG.name: _read_done,
}
