"""0.3 and 0.2 over JSON-RPC: everything is told apart by `kind` (SPEC 7.3)."""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from dragoman.model import (
    JSON,
    A2AError,
    AgentCard,
    Empty,
    Generation,
    ListTaskPushNotificationConfigsResponse,
    Operation,
    Record,
    SendMessageResponse,
    StreamResponse,
    Task,
    operations,
)
from dragoman.wire.codec import convert
from dragoman.wire.dialects import cards, failures, requests
from dragoman.wire.dialects.base import EventWriter, StreamWriter, find_method
from dragoman.wire.dialects.kinds import KindWriter
from dragoman.wire.dialects.members import copy, put, require_object, to_json
from dragoman.wire.dialects.reading import read_event, read_reply, read_task
from dragoman.wire.media import JSON_TYPE
from dragoman.wire.narrowing import is_array, is_object

_SECOND_METHODS: Mapping[str, Operation] = {
    "message/send": operations.SEND_MESSAGE,
    "message/stream": operations.SEND_STREAMING_MESSAGE,
    "tasks/get": operations.GET_TASK,
    "tasks/cancel": operations.CANCEL_TASK,
    "tasks/resubscribe": operations.SUBSCRIBE_TO_TASK,
    "tasks/pushNotificationConfig/set": operations.CREATE_PUSH_CONFIG,
    "tasks/pushNotificationConfig/get": operations.GET_PUSH_CONFIG,
    "tasks/pushNotificationConfig/list": operations.LIST_PUSH_CONFIGS,
    "tasks/pushNotificationConfig/delete": operations.DELETE_PUSH_CONFIG,
}
_THIRD_METHODS = {**_SECOND_METHODS, "agent/getAuthenticatedExtendedCard": operations.GET_EXTENDED_CARD}

_UNKNOWN_CODES = {
    Generation.V0_2: failures.UNKNOWN_TO_SECOND,
    Generation.V0_3: failures.UNKNOWN_TO_THIRD,
}


class KindDialect:
    """0.3, or 0.2 with its fewer methods and codes.

    `for_both` is for the three methods that 0.1 shares, where nothing tells the two apart: it prints what either reads (SPEC 7.7).
    """

    webhook_type = JSON_TYPE

    def __init__(self, generation: Generation = Generation.V0_3, *, for_both: bool = False) -> None:
        self.generation = generation
        self.name = f"{generation.value} or 0.1" if for_both else generation.value
        self.methods = _THIRD_METHODS if generation is Generation.V0_3 else _SECOND_METHODS
        self._write = KindWriter(for_both=for_both)
        self._results: dict[str, Callable[[Record], JSON]] = {
            operations.SEND_MESSAGE.name: lambda result: self._dump_reply(
                cast("SendMessageResponse", result)
            ),
            operations.GET_TASK.name: lambda result: self._write.task(to_json(result)),
            operations.CANCEL_TASK.name: lambda result: self._write.task(to_json(result)),
            operations.CREATE_PUSH_CONFIG.name: lambda result: dump_task_push(to_json(result)),
            operations.GET_PUSH_CONFIG.name: lambda result: dump_task_push(to_json(result)),
            operations.LIST_PUSH_CONFIGS.name: _dump_configs,
            operations.DELETE_PUSH_CONFIG.name: lambda _: None,
            operations.GET_EXTENDED_CARD.name: lambda result: self.dump_card(cast("AgentCard", result)),
        }

    def method_of(self, operation: Operation) -> str:
        return find_method(self.methods, operation, self.generation)

    def load_request(self, operation: Operation, params: JSON) -> Record:
        if operation is operations.GET_EXTENDED_CARD:
            return convert(operation.request, {})
        read = _REQUESTS[operation.name](require_object(params))
        if operation is operations.GET_PUSH_CONFIG:
            return requests.load_config_query(read)
        return convert(operation.request, read)

    def dump_request(self, operation: Operation, request: Record) -> JSON:
        self.method_of(operation)
        return _REQUEST_WRITERS[operation.name](to_json(request), self._write)

    def load_result(self, operation: Operation, result: JSON) -> Record:
        if operation is operations.GET_EXTENDED_CARD:
            return self.load_card(result)
        return convert(operation.response, _RESULTS[operation.name](result))

    def dump_result(self, operation: Operation, result: Record) -> JSON:
        return self._results[operation.name](result)

    def _dump_reply(self, reply: SendMessageResponse) -> JSON:
        value = to_json(reply.payload)
        return self._write.task(value) if reply.task is not None else self._write.message(value)

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

    def dump_webhook(self, task: Task) -> JSON:
        return self._write.task(to_json(task))

    def load_card(self, card: JSON) -> AgentCard:
        return cards.load_card(card)

    def dump_card(self, card: AgentCard) -> JSON:
        return cards.dump_card(card, self.generation)


def _read_send(params: dict[str, JSON]) -> JSON:
    return requests.read_send(params, blocks=True)


_REQUESTS: dict[str, Callable[[dict[str, JSON]], JSON]] = {
    operations.SEND_MESSAGE.name: _read_send,
    operations.SEND_STREAMING_MESSAGE.name: _read_send,
    operations.GET_TASK.name: requests.read_task_query,
    operations.CANCEL_TASK.name: requests.read_task_query,
    operations.SUBSCRIBE_TO_TASK.name: requests.read_task_query,
    operations.CREATE_PUSH_CONFIG.name: requests.read_task_push,
    operations.GET_PUSH_CONFIG.name: requests.read_config_query,
    operations.LIST_PUSH_CONFIGS.name: requests.read_config_query,
    operations.DELETE_PUSH_CONFIG.name: requests.read_config_query,
}


def _dump_send(request: dict[str, JSON], write: KindWriter) -> JSON:
    params = copy(request, "metadata")
    params["message"] = write.message(request["message"])
    if (configuration := request.get("configuration")) is not None:
        params["configuration"] = dump_configuration(configuration)
    return params


def dump_configuration(value: dict[str, JSON]) -> dict[str, JSON]:
    """How a send is to be carried out. `acceptedOutputModes` was required once, and is always there (SPEC 7.3)."""
    configuration: dict[str, JSON] = {
        "acceptedOutputModes": value.get("acceptedOutputModes", []),
        "blocking": not value.get("returnImmediately", False),
    }
    put(configuration, "historyLength", value.get("historyLength"))
    if (push := value.get("taskPushNotificationConfig")) is not None:
        configuration["pushNotificationConfig"] = dump_push(push)
    return configuration


def dump_push(value: dict[str, JSON]) -> dict[str, JSON]:
    """A webhook, without its task."""
    config = copy(value, "id", "url", "token")
    if (authentication := value.get("authentication")) is not None:
        config["authentication"] = {
            "schemes": [authentication["scheme"]],
            **copy(authentication, "credentials"),
        }
    return config


def dump_task_push(value: dict[str, JSON]) -> dict[str, JSON]:
    """A webhook with its task."""
    return {"taskId": value.get("taskId", ""), "pushNotificationConfig": dump_push(value)}


def _dump_configs(result: Record) -> JSON:
    configs = cast("ListTaskPushNotificationConfigsResponse", result).configs
    return [dump_task_push(to_json(config)) for config in configs]


def _dump_config_query(request: dict[str, JSON], _: KindWriter) -> JSON:
    query = {"id": request["taskId"]}
    put(query, "pushNotificationConfigId", request.get("id"))
    return query


def _dump_task_query(request: dict[str, JSON], _: KindWriter) -> JSON:
    return copy(request, "id", "metadata", "historyLength")


_REQUEST_WRITERS: dict[str, Callable[[dict[str, JSON], KindWriter], JSON]] = {
    operations.SEND_MESSAGE.name: _dump_send,
    operations.SEND_STREAMING_MESSAGE.name: _dump_send,
    operations.GET_TASK.name: _dump_task_query,
    operations.CANCEL_TASK.name: _dump_task_query,
    operations.SUBSCRIBE_TO_TASK.name: _dump_task_query,
    operations.CREATE_PUSH_CONFIG.name: lambda request, _: dump_task_push(request),
    operations.GET_PUSH_CONFIG.name: _dump_config_query,
    operations.LIST_PUSH_CONFIGS.name: _dump_config_query,
    operations.DELETE_PUSH_CONFIG.name: _dump_config_query,
    operations.GET_EXTENDED_CARD.name: lambda _request, _write: {},
}


def read_task_push_result(value: JSON) -> JSON:
    """A webhook with its task, as a peer answers with it."""
    return requests.read_task_push(value) if is_object(value) else value


def read_configs(value: JSON) -> JSON:
    """A bare array; or 1.0's object around it."""
    if is_object(value):
        value = value.get("configs", [])
    return {"configs": [read_task_push_result(entry) for entry in value]} if is_array(value) else value


_RESULTS: dict[str, Callable[[JSON], JSON]] = {
    operations.SEND_MESSAGE.name: read_reply,
    operations.SEND_STREAMING_MESSAGE.name: read_event,
    operations.SUBSCRIBE_TO_TASK.name: read_event,
    operations.GET_TASK.name: read_task,
    operations.CANCEL_TASK.name: read_task,
    operations.CREATE_PUSH_CONFIG.name: read_task_push_result,
    operations.GET_PUSH_CONFIG.name: read_task_push_result,
    operations.LIST_PUSH_CONFIGS.name: read_configs,
    operations.DELETE_PUSH_CONFIG.name: lambda _: convert_empty(),
}


def convert_empty() -> JSON:
    """Whatever a peer answers a deletion with, it says no more than that it was done (D-27)."""
    return to_json(Empty())
