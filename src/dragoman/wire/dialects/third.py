"""0.3 and 0.2 over JSON-RPC: everything is told apart by `kind` (SPEC 7.3)."""

from collections.abc import Callable, Mapping

from dragoman.model import (
    JSON,
    Generation,
    ListTaskPushNotificationConfigsResponse,
    Operation,
    Record,
    SendMessageResponse,
    Task,
    operations,
)
from dragoman.wire.codec import convert
from dragoman.wire.dialects import requests
from dragoman.wire.dialects.kinds import KindWriter
from dragoman.wire.dialects.members import copy, put, require_object, to_json
from dragoman.wire.dialects.older import OlderDialect, Writers

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


class KindDialect(OlderDialect[KindWriter]):
    """0.3, or 0.2 with its fewer methods and codes.

    `for_both` is for the three methods that 0.1 shares, where nothing tells the two apart: it prints what either reads (SPEC 7.7).
    """

    def __init__(self, generation: Generation = Generation.V0_3, *, for_both: bool = False) -> None:
        super().__init__(KindWriter(for_both=for_both), _REQUEST_WRITERS, _RESULT_WRITERS)
        self.generation = generation
        self.name = f"{generation.value} or 0.1" if for_both else generation.value
        self.methods = _THIRD_METHODS if generation is Generation.V0_3 else _SECOND_METHODS

    def load_request(self, operation: Operation, params: JSON) -> Record:
        if operation is operations.GET_EXTENDED_CARD:
            return convert(operation.request, {})
        read = _REQUESTS[operation.name](require_object(params))
        if operation is operations.GET_PUSH_CONFIG:
            return requests.load_config_query(read)
        return convert(operation.request, read)

    def dump_webhook(self, task: Task) -> JSON:
        return self._write.task(to_json(task))


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


def _dump_config_query(request: dict[str, JSON], _: KindWriter) -> JSON:
    query = {"id": request["taskId"]}
    put(query, "pushNotificationConfigId", request.get("id"))
    return query


def _dump_task_query(request: dict[str, JSON], _: KindWriter) -> JSON:
    return copy(request, "id", "metadata", "historyLength")


_REQUEST_WRITERS: Writers[KindWriter] = {
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


def _dump_reply(reply: SendMessageResponse, write: KindWriter) -> JSON:
    value = to_json(reply.payload)
    return write.task(value) if reply.task is not None else write.message(value)


def _dump_configs(result: ListTaskPushNotificationConfigsResponse, _: KindWriter) -> JSON:
    return [dump_task_push(to_json(config)) for config in result.configs]


_RESULT_WRITERS: Writers[KindWriter] = {
    operations.SEND_MESSAGE.name: _dump_reply,
    operations.GET_TASK.name: lambda task, write: write.task(to_json(task)),
    operations.CANCEL_TASK.name: lambda task, write: write.task(to_json(task)),
    operations.CREATE_PUSH_CONFIG.name: lambda config, _: dump_task_push(to_json(config)),
    operations.GET_PUSH_CONFIG.name: lambda config, _: dump_task_push(to_json(config)),
    operations.LIST_PUSH_CONFIGS.name: _dump_configs,
    operations.DELETE_PUSH_CONFIG.name: lambda _result, _write: None,
}
