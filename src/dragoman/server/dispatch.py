"""Which method of the engine carries out which operation: the only place that says it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeAlias

from msgspec import Struct

from dragoman.engine.batches import Batch
from dragoman.engine.handler import Call
from dragoman.model import (
    AgentCard,
    Empty,
    ListTasksResponse,
    Operation,
    SendMessageRequest,
    SendMessageResponse,
    Task,
    TaskPushNotificationConfig,
    operations,
    requests,
)


class EventSource(Protocol):
    """The events of one stream. Cancelling `batch` loses none."""

    async def batch(self) -> Batch:
        """Some of what is there and was not taken yet, waiting for at least one; empty at the end."""
        ...

    async def aclose(self) -> None: ...


class Operations(Protocol):
    """The engine, as the server sees it. Each of the eleven raises only A2AError."""

    def find_name(self, call: Call, name: str) -> str:
        """The id of the task that a caller of 0.1 calls `name`."""
        ...

    async def start(self) -> None: ...
    async def drain(self) -> None: ...
    async def stop(self) -> None: ...
    async def send(self, call: Call, request: SendMessageRequest) -> SendMessageResponse: ...
    async def stream(self, call: Call, request: SendMessageRequest) -> EventSource: ...
    async def get_task(self, call: Call, request: requests.GetTaskRequest) -> Task: ...
    async def list_tasks(self, call: Call, request: requests.ListTasksRequest) -> ListTasksResponse: ...
    async def cancel_task(self, call: Call, request: requests.CancelTaskRequest) -> Task: ...
    async def subscribe(self, call: Call, request: requests.SubscribeToTaskRequest) -> EventSource: ...
    async def create_push_config(
        self, call: Call, request: TaskPushNotificationConfig
    ) -> TaskPushNotificationConfig: ...
    async def get_push_config(
        self, call: Call, request: requests.GetTaskPushNotificationConfigRequest
    ) -> TaskPushNotificationConfig: ...
    async def list_push_configs(
        self, call: Call, request: requests.ListTaskPushNotificationConfigsRequest
    ) -> requests.ListTaskPushNotificationConfigsResponse: ...
    async def delete_push_config(
        self, call: Call, request: requests.DeleteTaskPushNotificationConfigRequest
    ) -> Empty: ...
    async def get_extended_card(
        self, call: Call, request: requests.GetExtendedAgentCardRequest
    ) -> AgentCard: ...


Method: TypeAlias = Callable[[Call, Any], Awaitable[Any]]


class BoundOperation(Struct, frozen=True):
    """An operation and the engine's method for it, which returns an EventSource where the operation streams."""

    operation: Operation
    run: Method


def bind_operations(engine: Operations) -> Mapping[str, BoundOperation]:
    """The eleven by name."""
    methods: dict[str, Method] = {
        operations.SEND_MESSAGE.name: engine.send,
        operations.SEND_STREAMING_MESSAGE.name: engine.stream,
        operations.GET_TASK.name: engine.get_task,
        operations.LIST_TASKS.name: engine.list_tasks,
        operations.CANCEL_TASK.name: engine.cancel_task,
        operations.SUBSCRIBE_TO_TASK.name: engine.subscribe,
        operations.CREATE_PUSH_CONFIG.name: engine.create_push_config,
        operations.GET_PUSH_CONFIG.name: engine.get_push_config,
        operations.LIST_PUSH_CONFIGS.name: engine.list_push_configs,
        operations.DELETE_PUSH_CONFIG.name: engine.delete_push_config,
        operations.GET_EXTENDED_CARD.name: engine.get_extended_card,
    }
    return {name: BoundOperation(operations.BY_NAME[name], method) for name, method in methods.items()}
