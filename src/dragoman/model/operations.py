"""The eleven operations, once (SPEC 2, 3.1)."""

from msgspec import Struct

from dragoman.model import requests
from dragoman.model.base import Record
from dragoman.model.card import AgentCard
from dragoman.model.events import SendMessageResponse, StreamResponse
from dragoman.model.requests import TaskPushNotificationConfig
from dragoman.model.task import Task


class Operation(Struct, frozen=True):
    """One operation: its name on every wire, its types, and its REST route.

    Braces in `path` name the member of the request that the segment holds. `capability` is the member of
    `AgentCapabilities` without which the operation is refused (CAP-02 to CAP-04). `verbs` starts with the one to prefer.
    """

    name: str
    request: type[Record]
    response: type[Record]
    verbs: tuple[str, ...]
    path: str
    streaming: bool = False
    capability: str = ""

    @property
    def has_body(self) -> bool:
        """Whether the request travels as a REST body rather than in the path and query (RST-04, RST-07)."""
        return self.verbs[0] == "POST"


_TASK = "/tasks/{id}"
_PUSH = "/tasks/{task_id}/pushNotificationConfigs"
_PUSH_CAPABILITY = "push_notifications"

SEND_MESSAGE = Operation(
    "SendMessage", requests.SendMessageRequest, SendMessageResponse, ("POST",), "/message:send"
)
SEND_STREAMING_MESSAGE = Operation(
    "SendStreamingMessage",
    requests.SendMessageRequest,
    StreamResponse,
    ("POST",),
    "/message:stream",
    streaming=True,
    capability="streaming",
)
GET_TASK = Operation("GetTask", requests.GetTaskRequest, Task, ("GET",), _TASK)
LIST_TASKS = Operation("ListTasks", requests.ListTasksRequest, requests.ListTasksResponse, ("GET",), "/tasks")
CANCEL_TASK = Operation("CancelTask", requests.CancelTaskRequest, Task, ("POST",), _TASK + ":cancel")
SUBSCRIBE_TO_TASK = Operation(
    "SubscribeToTask",
    requests.SubscribeToTaskRequest,
    StreamResponse,
    ("POST", "GET"),  # the sources disagree, so both are served (D-01)
    _TASK + ":subscribe",
    streaming=True,
    capability="streaming",
)
CREATE_PUSH_CONFIG = Operation(
    "CreateTaskPushNotificationConfig",
    TaskPushNotificationConfig,
    TaskPushNotificationConfig,
    ("POST",),
    _PUSH,
    capability=_PUSH_CAPABILITY,
)
GET_PUSH_CONFIG = Operation(
    "GetTaskPushNotificationConfig",
    requests.GetTaskPushNotificationConfigRequest,
    TaskPushNotificationConfig,
    ("GET",),
    _PUSH + "/{id}",
    capability=_PUSH_CAPABILITY,
)
LIST_PUSH_CONFIGS = Operation(
    "ListTaskPushNotificationConfigs",
    requests.ListTaskPushNotificationConfigsRequest,
    requests.ListTaskPushNotificationConfigsResponse,
    ("GET",),
    _PUSH,
    capability=_PUSH_CAPABILITY,
)
DELETE_PUSH_CONFIG = Operation(
    "DeleteTaskPushNotificationConfig",
    requests.DeleteTaskPushNotificationConfigRequest,
    requests.Empty,
    ("DELETE",),
    _PUSH + "/{id}",
    capability=_PUSH_CAPABILITY,
)
GET_EXTENDED_CARD = Operation(
    "GetExtendedAgentCard",
    requests.GetExtendedAgentCardRequest,
    AgentCard,
    ("GET",),
    "/extendedAgentCard",
    capability="extended_agent_card",
)

OPERATIONS: tuple[Operation, ...] = (
    SEND_MESSAGE,
    SEND_STREAMING_MESSAGE,
    GET_TASK,
    LIST_TASKS,
    CANCEL_TASK,
    SUBSCRIBE_TO_TASK,
    CREATE_PUSH_CONFIG,
    GET_PUSH_CONFIG,
    LIST_PUSH_CONFIGS,
    DELETE_PUSH_CONFIG,
    GET_EXTENDED_CARD,
)

BY_NAME = {operation.name: operation for operation in OPERATIONS}
