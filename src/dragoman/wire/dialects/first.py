"""0.1: tasks under ids that the caller makes, parts told apart by `type`, artifacts by an index (SPEC 7.4)."""

import uuid
from collections.abc import Callable, Mapping, Sequence

from dragoman.model import (
    JSON,
    A2AError,
    AgentCard,
    Generation,
    Message,
    Operation,
    Record,
    SendMessageResponse,
    StreamResponse,
    Task,
    TaskState,
    TaskStatus,
    operations,
)
from dragoman.wire.codec import convert
from dragoman.wire.dialects import cards, failures, requests
from dragoman.wire.dialects.base import StreamWriter, find_method
from dragoman.wire.dialects.kinds import write_content, write_part_metadata
from dragoman.wire.dialects.members import copy, pick, put, require_object, to_json
from dragoman.wire.dialects.modes import read_modes
from dragoman.wire.dialects.naming import name_in
from dragoman.wire.dialects.older import read_task_push_result
from dragoman.wire.dialects.reading import read_event, read_message, read_status_event, read_task
from dragoman.wire.dialects.spellings import OLD_ROLES, dump_first_state, is_final
from dragoman.wire.dialects.third import dump_push
from dragoman.wire.media import JSON_TYPE
from dragoman.wire.narrowing import is_object

_METHODS: Mapping[str, Operation] = {
    "tasks/send": operations.SEND_MESSAGE,
    "tasks/sendSubscribe": operations.SEND_STREAMING_MESSAGE,
    "tasks/get": operations.GET_TASK,
    "tasks/cancel": operations.CANCEL_TASK,
    "tasks/resubscribe": operations.SUBSCRIBE_TO_TASK,
    "tasks/pushNotification/set": operations.CREATE_PUSH_CONFIG,
    "tasks/pushNotification/get": operations.GET_PUSH_CONFIG,
}


def new_uuid() -> str:
    """Ids of tasks and messages: not to be guessed."""
    return str(uuid.uuid4())


class FirstDialect:
    """0.1. A send names its task: `message.task_id` is the id that its caller has made, whether the task exists or not.

    Written are also `taskId`, `contextId`, `artifactId` and `messageId`, which readers of 0.1 pass over and ours reads.
    """

    generation = Generation.V0_1
    name = "0.1"
    webhook_type = JSON_TYPE
    methods = _METHODS

    def __init__(self, *, new_id: Callable[[], str] = new_uuid) -> None:
        self._new_id = new_id

    def method_of(self, operation: Operation) -> str:
        return find_method(self.methods, operation, self.generation)

    def load_request(self, operation: Operation, params: JSON) -> Record:
        value = require_object(params)
        if operation in (operations.SEND_MESSAGE, operations.SEND_STREAMING_MESSAGE):
            return convert(operation.request, self._read_send(value))
        read = _REQUESTS[operation.name](value)
        if operation is operations.GET_PUSH_CONFIG:
            return requests.load_config_query(read)
        return convert(operation.request, read)

    def _read_send(self, params: dict[str, JSON]) -> JSON:
        request = copy(params, "metadata")
        message = read_message(pick(params, "message"))
        if is_object(message):
            message["messageId"] = message.get("messageId") or self._new_id()
            message["taskId"] = requests.require_id(params)
            put(message, "contextId", pick(params, "sessionId"))
        put(request, "message", message)
        configuration = dict(params)
        put(configuration, "acceptedOutputModes", read_modes(pick(params, "acceptedOutputModes")))
        request["configuration"] = requests.read_configuration(configuration, blocks=True)
        return request

    def dump_request(self, operation: Operation, request: Record) -> JSON:
        self.method_of(operation)
        value = to_json(request)
        match operation:
            case operations.SEND_MESSAGE | operations.SEND_STREAMING_MESSAGE:
                return self._dump_send(value)
            case operations.CREATE_PUSH_CONFIG:
                return _write_task_push(value)
            case operations.GET_PUSH_CONFIG:
                return {"id": value["taskId"]}
            case _:
                return copy(value, "id", "metadata", "historyLength")

    def _dump_send(self, request: dict[str, JSON]) -> JSON:
        message = request["message"]
        params: dict[str, JSON] = {"id": message.get("taskId") or self._new_id()}
        put(params, "sessionId", message.get("contextId"))
        params["message"] = write_message(message)
        configuration: dict[str, JSON] = request.get("configuration") or {}
        params |= copy(configuration, "acceptedOutputModes", "historyLength") | copy(request, "metadata")
        if (push := configuration.get("taskPushNotificationConfig")) is not None:
            params["pushNotification"] = dump_push(push)
        return params

    def load_result(self, operation: Operation, result: JSON) -> Record:
        match operation:
            case operations.SEND_MESSAGE:
                return SendMessageResponse(task=convert(Task, read_task(result)))
            case operations.GET_TASK | operations.CANCEL_TASK:
                return convert(Task, read_task(result))
            case operations.SEND_STREAMING_MESSAGE | operations.SUBSCRIBE_TO_TASK:
                return self.load_event(result)
            case _:
                return convert(operation.response, read_task_push_result(result))

    def dump_result(self, operation: Operation, result: Record) -> JSON:  # noqa: ARG002 -- a dialect's shape
        match result:
            case SendMessageResponse():
                return write_task(to_json(_task_of(result.payload)))
            case Task():
                return write_task(to_json(result))
            case _:
                return _write_task_push(to_json(result))

    def load_event(self, event: JSON) -> StreamResponse:
        """An event of a stream, which is never a whole task, though one without `final` looks like one."""
        if is_object(event) and "status" in event:
            return convert(StreamResponse, {"statusUpdate": read_status_event(event)})
        return convert(StreamResponse, read_event(event))

    def dump_event(self, event: StreamResponse) -> Sequence[JSON]:
        """A stream of 0.1 has no whole tasks: one becomes its artifacts, and then its status.

        A piece of an artifact has no index here, for that is its artifact's place among others: see `open_stream`.
        """
        return write_event(event, None)

    def open_stream(self) -> StreamWriter:
        return _IndexingWriter()

    def load_error(self, error: JSON) -> A2AError:
        return failures.load_failure(error, failures.FIRST_MEANINGS)

    def dump_error(self, error: A2AError) -> dict[str, JSON]:
        return failures.dump_failure(error, failures.UNKNOWN_TO_FIRST)

    def load_webhook(self, body: JSON) -> StreamResponse:
        return convert(StreamResponse, read_event(body))

    def dump_webhook(self, task: Task) -> JSON:
        return {**write_task(to_json(task)), "taskId": name_in(task.id)}

    def load_card(self, card: JSON) -> AgentCard:
        return cards.load_card(card)

    def dump_card(self, card: AgentCard) -> JSON:
        return cards.dump_card(card, self.generation)


_REQUESTS: dict[str, Callable[[dict[str, JSON]], JSON]] = {
    operations.GET_TASK.name: requests.read_task_query,
    operations.CANCEL_TASK.name: requests.read_task_query,
    operations.SUBSCRIBE_TO_TASK.name: requests.read_task_query,
    operations.CREATE_PUSH_CONFIG.name: requests.read_task_push,
    operations.GET_PUSH_CONFIG.name: requests.read_config_query,
}


def _task_of(payload: Task | Message) -> Task:
    """0.1 has no answer but a task; one that the agent did not make is complete with the message."""
    if isinstance(payload, Task):
        return payload
    status = TaskStatus(state=TaskState.COMPLETED, message=payload)
    return Task(id=payload.task_id or payload.message_id, context_id=payload.context_id, status=status)


def write_part(part: Mapping[str, JSON]) -> dict[str, JSON]:
    """A part."""
    kind, content = write_content(part)
    return {"type": kind} | content | write_part_metadata(part)


def write_message(message: Mapping[str, JSON]) -> dict[str, JSON]:
    """A message, which has only a role and parts."""
    return {
        "role": OLD_ROLES[message["role"]],
        "parts": [write_part(part) for part in message["parts"]],
        **copy(message, "metadata", "messageId"),
    }


def write_artifact(artifact: Mapping[str, JSON], index: int | None = None) -> dict[str, JSON]:
    """An artifact; the index is its place in the task, where that is known."""
    written = copy(artifact, "name", "description", "metadata", "artifactId")
    written["parts"] = [write_part(part) for part in artifact["parts"]]
    put(written, "index", index)
    return written


def write_status(status: Mapping[str, JSON]) -> dict[str, JSON]:
    """The status of a task."""
    written: dict[str, JSON] = {"state": dump_first_state(status["state"]), **copy(status, "timestamp")}
    if "message" in status:
        written["message"] = write_message(status["message"])
    return written


def write_task(task: Mapping[str, JSON]) -> dict[str, JSON]:
    """A task."""
    written: dict[str, JSON] = {"id": name_in(task["id"]), **copy(task, "metadata")}
    put(written, "sessionId", task.get("contextId"))
    written["status"] = write_status(task["status"])
    if "artifacts" in task:
        written["artifacts"] = [write_artifact(one, index) for index, one in enumerate(task["artifacts"])]
    if "history" in task:
        written["history"] = [write_message(message) for message in task["history"]]
    return written


def write_event(event: StreamResponse, index: int | None) -> list[JSON]:
    """An event of a stream; `index` is the place of the artifact that it is about."""
    payload = event.payload
    if isinstance(payload, Task | Message):
        return list(_write_snapshot(to_json(_task_of(payload))))
    value = to_json(payload)
    head = _write_head(value["taskId"], value) | copy(value, "metadata")
    if event.status_update is not None:
        return [_write_status_event(head, value["status"])]
    return [
        head | {"artifact": write_artifact(value["artifact"], index) | copy(value, "append", "lastChunk")}
    ]


class _IndexingWriter:
    """Numbers the artifacts of a task in the order of their coming, which is their order in the task as well."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def see(self, event: StreamResponse) -> None:
        for artifact in event.task.artifacts or () if event.task is not None else ():
            self._place_of(artifact.artifact_id)
        if event.artifact_update is not None:
            self._place_of(event.artifact_update.artifact.artifact_id)

    def dump(self, event: StreamResponse) -> Sequence[JSON]:
        update = event.artifact_update
        return write_event(event, None if update is None else self._place_of(update.artifact.artifact_id))

    def _place_of(self, artifact_id: str) -> int:
        return self._places.setdefault(artifact_id, len(self._places))


def _write_snapshot(task: Mapping[str, JSON]) -> Sequence[JSON]:
    head = _write_head(task["id"], task)
    artifacts = [
        head | {"artifact": write_artifact(one, index)} for index, one in enumerate(task.get("artifacts", ()))
    ]
    return [*artifacts, _write_status_event(head, task["status"])]


def _write_head(task_id: str, value: Mapping[str, JSON]) -> dict[str, JSON]:
    name = name_in(task_id)
    return {"id": name, "taskId": name, **copy(value, "contextId")}


def _write_status_event(head: Mapping[str, JSON], status: Mapping[str, JSON]) -> JSON:
    return {**head, "status": write_status(status), "final": is_final(status["state"])}


def _write_task_push(config: dict[str, JSON]) -> dict[str, JSON]:
    return {"id": name_in(config.get("taskId", "")), "pushNotificationConfig": dump_push(config)}
