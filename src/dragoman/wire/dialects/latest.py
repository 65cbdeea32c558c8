"""1.0, which is the model itself: a dialect like the others, for whoever treats all alike."""

from collections.abc import Sequence
from typing import TypeVar

from dragoman.model import (
    JSON,
    LATEST,
    A2AError,
    AgentCard,
    Operation,
    Record,
    StreamResponse,
    Task,
    operations,
    wrap_event,
)
from dragoman.model.errors import row_of
from dragoman.wire.codec import convert
from dragoman.wire.dialects import cards, failures
from dragoman.wire.dialects.base import EventWriter, StreamWriter, find_method
from dragoman.wire.dialects.members import to_json
from dragoman.wire.errors import error_details
from dragoman.wire.media import A2A_JSON_TYPE

R = TypeVar("R", bound=Record)


class LatestDialect:
    """A2A 1.0. The server's own path does without it: bytes there become records at once."""

    generation = LATEST
    name = LATEST.value
    webhook_type = A2A_JSON_TYPE
    methods = operations.BY_NAME

    def method_of(self, operation: Operation) -> str:
        return find_method(self.methods, operation, self.generation)

    def load_request(self, operation: Operation, params: JSON) -> Record:
        return convert(operation.request, params)

    def dump_request(self, operation: Operation, request: Record) -> JSON:  # noqa: ARG002 -- a dialect's shape
        return to_json(request)

    def load_result(self, operation: Operation, result: JSON) -> Record:
        is_done = operation is operations.DELETE_PUSH_CONFIG and result is None
        return convert(operation.response, {} if is_done else result)

    def dump_result(self, operation: Operation, result: Record) -> JSON:  # noqa: ARG002 -- a dialect's shape
        return to_json(result)

    def load_event(self, event: JSON) -> StreamResponse:
        return convert(StreamResponse, event)

    def dump_event(self, event: StreamResponse) -> Sequence[JSON]:
        return [to_json(event)]

    def open_stream(self) -> StreamWriter:
        return EventWriter(self)

    def load_error(self, error: JSON) -> A2AError:
        return failures.load_failure(error)

    def dump_error(self, error: A2AError) -> dict[str, JSON]:
        return {"code": row_of(error).code, "message": error.message, "data": error_details(error)}

    def load_webhook(self, body: JSON) -> StreamResponse:
        return self.load_event(body)

    def dump_webhook(self, task: Task) -> JSON:
        return to_json(wrap_event(task))

    def load_card(self, card: JSON) -> AgentCard:
        return cards.load_card(card)

    def dump_card(self, card: AgentCard) -> JSON:
        return cards.dump_card(card, self.generation)
