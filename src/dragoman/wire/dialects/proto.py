"""0.3 over REST and gRPC: ProtoJSON of `a2a.v1`, a third shape beside those of 0.3 and 1.0 over JSON-RPC (SPEC 7.5).

What is written has no member that the proto lacks, because the Python SDK of 0.3 refuses those.
"""

from collections.abc import Mapping

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
from dragoman.wire.dialects.kinds import write_content, write_part_metadata
from dragoman.wire.dialects.members import copy, put, require_object, to_json
from dragoman.wire.dialects.older import OlderDialect, OlderWriter, Writers
from dragoman.wire.dialects.packing import settle_plain
from dragoman.wire.dialects.spellings import dump_proto_bytes, dump_proto_state, is_final
from dragoman.wire.dialects.third import KindDialect, dump_push

_METHODS: Mapping[str, Operation] = {
    "SendMessage": operations.SEND_MESSAGE,
    "SendStreamingMessage": operations.SEND_STREAMING_MESSAGE,
    "GetTask": operations.GET_TASK,
    "CancelTask": operations.CANCEL_TASK,
    "TaskSubscription": operations.SUBSCRIBE_TO_TASK,
    "CreateTaskPushNotificationConfig": operations.CREATE_PUSH_CONFIG,
    "GetTaskPushNotificationConfig": operations.GET_PUSH_CONFIG,
    "ListTaskPushNotificationConfig": operations.LIST_PUSH_CONFIGS,
    "DeleteTaskPushNotificationConfig": operations.DELETE_PUSH_CONFIG,
    "GetAgentCard": operations.GET_EXTENDED_CARD,
}
"""The rpcs of `a2a.v1.A2AService`."""


class ProtoWriter(OlderWriter):
    """Writes messages, tasks and events of `a2a.v1`; bytes are written as base64 once if `plain`, else twice (see `dump_proto_bytes`)."""

    def __init__(self, *, plain: bool = False) -> None:
        self._plain = plain

    def part(self, part: Mapping[str, JSON]) -> dict[str, JSON]:
        kind, content = write_content(part)
        if kind == "data":
            content = {"data": content}
        elif kind == "file":
            content = {"file": self._file(content["file"])}
        return content | write_part_metadata(part)

    def _file(self, file: Mapping[str, JSON]) -> dict[str, JSON]:
        written = copy(file, "mimeType", "name")
        if "bytes" not in file:
            return written | {"fileWithUri": file["uri"]}
        return written | {"fileWithBytes": file["bytes"] if self._plain else dump_proto_bytes(file["bytes"])}

    def message(self, message: Mapping[str, JSON]) -> dict[str, JSON]:
        """A message, whose parts are called `content`. `referenceTaskIds` has no field."""
        return {
            **copy(message, "messageId", "contextId", "taskId", "role", "metadata", "extensions"),
            "content": [self.part(part) for part in message["parts"]],
        }

    def state(self, state: str) -> str:
        return dump_proto_state(state)

    def task(self, task: Mapping[str, JSON]) -> dict[str, JSON]:
        written = copy(task, "id", "contextId", "metadata")
        written["status"] = self.status(task["status"])
        if task.get("artifacts"):
            written["artifacts"] = [self.artifact(artifact) for artifact in task["artifacts"]]
        if "history" in task:
            written["history"] = [self.message(message) for message in task["history"]]
        return written

    def event(self, event: Mapping[str, JSON]) -> dict[str, JSON]:
        """Wrapped, as in 1.0."""
        match event:
            case {"task": task}:
                return {"task": self.task(task)}
            case {"message": message}:
                return {"message": self.message(message)}
            case {"statusUpdate": update}:
                written = copy(update, "taskId", "contextId", "metadata")
                written["status"] = self.status(update["status"])
                if is_final(update["status"]["state"]):
                    written["final"] = True
                return {"statusUpdate": written}
            case _:
                update = event["artifactUpdate"]
                written = copy(update, "taskId", "contextId", "append", "lastChunk", "metadata")
                written["artifact"] = self.artifact(update["artifact"])
                return {"artifactUpdate": written}


class ProtoDialect(OlderDialect[ProtoWriter]):
    """0.3 as `a2a.v1` prints it. `methods` are its rpcs; what it reads may as well have the shape of 0.3 over JSON-RPC.

    A `plain` one is for peers that go by the schema where the Python SDK does not: bytes are base64 once.
    """

    generation = Generation.V0_3
    methods = _METHODS

    def __init__(self, *, plain: bool = False) -> None:
        super().__init__(ProtoWriter(plain=plain), _REQUEST_WRITERS, _RESULT_WRITERS)
        self.name = "0.3 proto with plain bytes" if plain else "0.3 proto"
        self._plain = plain
        self._kinds = KindDialect(Generation.V0_3)

    def load_request(self, operation: Operation, params: JSON) -> Record:
        if operation in (operations.SEND_MESSAGE, operations.SEND_STREAMING_MESSAGE):
            value = require_object(params)
            if self._plain:
                settle_plain(value)
            # A plain proto bool: not set is false, and means to return at once.
            return convert(operation.request, requests.read_send(value, blocks=False))
        if operation in _BY_NAME:
            return convert(operation.request, _read_config_query(require_object(params)))
        return self._kinds.load_request(operation, params)

    def dump_webhook(self, task: Task) -> JSON:
        """As over JSON-RPC: a webhook does not know how its caller came."""
        return self._kinds.dump_webhook(task)


_BY_NAME = (operations.GET_PUSH_CONFIG, operations.LIST_PUSH_CONFIGS, operations.DELETE_PUSH_CONFIG)


def _read_config_query(params: dict[str, JSON]) -> JSON:
    """By resource name, as over gRPC, or by members, as a path gives them."""
    if "name" in params or "parent" in params:
        config = requests.read_task_push(params)
        return {name: config[name] for name in ("taskId", "id") if name in config}
    return requests.read_config_query(params)


def write_task_push(config: dict[str, JSON]) -> dict[str, JSON]:
    """A webhook with its task, which its name names."""
    name = f"tasks/{config.get('taskId', '')}/pushNotificationConfigs/{config.get('id', '')}"
    return {"name": name, "pushNotificationConfig": dump_push(config)}


def _write_send(request: dict[str, JSON], write: ProtoWriter) -> JSON:
    params = copy(request, "metadata")
    params["message"] = write.message(request["message"])
    value: dict[str, JSON] = request.get("configuration") or {}
    configuration = copy(value, "acceptedOutputModes", "historyLength")
    if not value.get("returnImmediately", False):
        configuration["blocking"] = True
    if (push := value.get("taskPushNotificationConfig")) is not None:
        configuration["pushNotification"] = dump_push(push)
    params["configuration"] = configuration
    return params


def _write_task_name(request: dict[str, JSON], _: ProtoWriter) -> JSON:
    return {"name": f"tasks/{request['id']}", **copy(request, "historyLength")}


def _write_create_push(config: dict[str, JSON], _: ProtoWriter) -> JSON:
    params: dict[str, JSON] = {"parent": f"tasks/{config.get('taskId', '')}"}
    put(params, "configId", config.get("id"))
    return params | {"config": write_task_push(config)}


def _write_config_name(request: dict[str, JSON], _: ProtoWriter) -> JSON:
    return {"name": f"tasks/{request['taskId']}/pushNotificationConfigs/{request['id']}"}


_REQUEST_WRITERS: Writers[ProtoWriter] = {
    operations.SEND_MESSAGE.name: _write_send,
    operations.SEND_STREAMING_MESSAGE.name: _write_send,
    operations.GET_TASK.name: _write_task_name,
    operations.CANCEL_TASK.name: lambda request, _: {"name": f"tasks/{request['id']}"},
    operations.SUBSCRIBE_TO_TASK.name: lambda request, _: {"name": f"tasks/{request['id']}"},
    operations.CREATE_PUSH_CONFIG.name: _write_create_push,
    operations.GET_PUSH_CONFIG.name: _write_config_name,
    operations.LIST_PUSH_CONFIGS.name: lambda request, _: {"parent": f"tasks/{request['taskId']}"},
    operations.DELETE_PUSH_CONFIG.name: _write_config_name,
    operations.GET_EXTENDED_CARD.name: lambda _request, _write: {},
}


def _write_reply(reply: SendMessageResponse, write: ProtoWriter) -> JSON:
    value = to_json(reply.payload)
    return {"task": write.task(value)} if reply.task is not None else {"message": write.message(value)}


def _write_configs(result: ListTaskPushNotificationConfigsResponse, _: ProtoWriter) -> JSON:
    return {"configs": [write_task_push(to_json(config)) for config in result.configs]}


_RESULT_WRITERS: Writers[ProtoWriter] = {
    operations.SEND_MESSAGE.name: _write_reply,
    operations.GET_TASK.name: lambda task, write: write.task(to_json(task)),
    operations.CANCEL_TASK.name: lambda task, write: write.task(to_json(task)),
    operations.CREATE_PUSH_CONFIG.name: lambda config, _: write_task_push(to_json(config)),
    operations.GET_PUSH_CONFIG.name: lambda config, _: write_task_push(to_json(config)),
    operations.LIST_PUSH_CONFIGS.name: _write_configs,
    operations.DELETE_PUSH_CONFIG.name: lambda _result, _write: {},
}
