"""An engine that answers what it is told to, and remembers what it was asked."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from dragoman.engine import Call, StreamItem
from dragoman.engine.batches import Batch
from dragoman.model import (
    AgentCapabilities,
    AgentCard,
    AgentSkill,
    Empty,
    ListTaskPushNotificationConfigsResponse,
    ListTasksResponse,
    Message,
    Part,
    Role,
    SendMessageResponse,
    Task,
    TaskPushNotificationConfig,
    TaskState,
    TaskStatus,
)

TASK = Task(id="t1", context_id="c1", status=TaskStatus(state=TaskState.COMPLETED))
CONFIG = TaskPushNotificationConfig(id="p1", task_id="t1", url="https://example.com/hook")
MESSAGE = {"messageId": "m1", "role": "ROLE_USER", "parts": [{"text": "hello"}]}


def make_card(call: Call | None = None) -> AgentCard:
    return AgentCard(
        name="Fake",
        description="Answers what it is told to",
        supported_interfaces=(),
        version="1",
        capabilities=AgentCapabilities(streaming=True, push_notifications=True, extended_agent_card=True),
        default_input_modes=("text/plain",),
        default_output_modes=("text/plain",),
        skills=(AgentSkill(id="echo", name="Echo", description="Echoes", tags=()),),
    )


def make_item(seq: int, text: str = "") -> StreamItem:
    message = Message(message_id=f"m{seq}", role=Role.AGENT, parts=(Part.of_text(text or str(seq)),))
    return StreamItem(seq, message)


class FakeStream:
    """A stream that a test feeds. An exception among the items is raised where it stands."""

    def __init__(self, *items: StreamItem | Exception) -> None:
        self.closed = asyncio.Event()
        self.took = asyncio.Event()
        self.taken = 0
        self._items: list[StreamItem | Exception] = list(items)
        self._has_ended = bool(items)
        self._changed = asyncio.Event()

    def push(self, *items: StreamItem | Exception) -> None:
        self._items += items
        self._changed.set()

    def end(self) -> None:
        self._has_ended = True
        self._changed.set()

    async def batch(self) -> Batch:
        while not self._items and not self._has_ended:
            self._changed.clear()
            await self._changed.wait()
        ready: list[StreamItem] = []
        while self._items and isinstance(self._items[0], StreamItem):
            ready.append(self._items.pop(0))  # type: ignore[arg-type]
        if not ready and self._items:
            raise self._items.pop(0)  # type: ignore[misc]
        self.taken += len(ready)
        self.took.set()
        return Batch(ready)

    async def aclose(self) -> None:
        self.closed.set()

    @property
    def is_closed(self) -> bool:
        return self.closed.is_set()


def _told(name: str) -> Any:
    """A method that does what `answers` says: raises an exception, calls a function, or returns the rest."""

    async def method(self: "FakeEngine", call: Call, request: Any) -> Any:
        self.calls.append((name, call, request))
        answer = self.answers[name]
        if isinstance(answer, BaseException):
            raise answer
        if not callable(answer):
            return answer
        answering: Any = answer(call, request)
        return await answering

    return method


class FakeEngine:
    """Answers as told, by the name of the method; `on_start` is awaited at every start."""

    send = _told("send")
    stream = _told("stream")
    get_task = _told("get_task")
    list_tasks = _told("list_tasks")
    cancel_task = _told("cancel_task")
    subscribe = _told("subscribe")
    create_push_config = _told("create_push_config")
    get_push_config = _told("get_push_config")
    list_push_configs = _told("list_push_configs")
    delete_push_config = _told("delete_push_config")
    get_extended_card = _told("get_extended_card")

    def __init__(self, *, on_start: Callable[[], Awaitable[None]] | None = None, **answers: Any) -> None:
        self.calls: list[tuple[str, Call, Any]] = []
        self.starts = self.drains = self.stops = 0
        self.on_start = on_start
        self.answers: dict[str, Any] = {
            "send": SendMessageResponse(task=TASK),
            "stream": FakeStream(make_item(1)),
            "get_task": TASK,
            "list_tasks": ListTasksResponse(tasks=(TASK,), next_page_token="", page_size=50, total_size=1),
            "cancel_task": TASK,
            "subscribe": FakeStream(make_item(1)),
            "create_push_config": CONFIG,
            "get_push_config": CONFIG,
            "list_push_configs": ListTaskPushNotificationConfigsResponse(configs=(CONFIG,)),
            "delete_push_config": Empty(),
            "get_extended_card": make_card(),
        } | answers

    def find_name(self, call: Call, name: str) -> str:
        return f"named {name}"

    async def start(self) -> None:
        self.starts += 1
        if self.on_start is not None:
            await self.on_start()

    async def drain(self) -> None:
        self.drains += 1

    async def stop(self) -> None:
        self.stops += 1
