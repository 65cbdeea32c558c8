"""What the engine's tests are made of: a scripted agent, stores that fail on demand, a clock that moves when told."""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from dragoman.bus import Bus, LocalBus
from dragoman.engine import Call, DeliveryError, Engine, EventStream, Limits, StreamItem, Turn
from dragoman.model import (
    AgentCapabilities,
    AgentCard,
    Artifact,
    CancelTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
    ListTasksResponse,
    Message,
    Part,
    Role,
    SendMessageConfiguration,
    SendMessageRequest,
    SubscribeToTaskRequest,
    Task,
    TaskPushNotificationConfig,
    TaskState,
    Timestamp,
    UnavailableError,
)
from dragoman.model.folding import TaskFold
from dragoman.security import Principal
from dragoman.store import Commit, MemoryTaskStore, Outcome, PushDelivery, Scope, StoredTask, TaskStore

Work = Callable[[Turn], Awaitable[None]]

WORKING = TaskState.WORKING
COMPLETED = TaskState.COMPLETED
FAILED = TaskState.FAILED
CANCELED = TaskState.CANCELED
INPUT_REQUIRED = TaskState.INPUT_REQUIRED

ADA = Call(Principal(subject="ada"))
BOB = Call(Principal(subject="bob"))
ANYONE = Call()

QUICK = Limits(
    chunk_delay=timedelta(milliseconds=1),
    cancel_grace=timedelta(milliseconds=20),
    block_timeout=timedelta(seconds=5),
)


class MovableClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = Timestamp.parse("2026-11-22T12:00:00Z")

    def __call__(self) -> Timestamp:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now = Timestamp.at(self.now + by)


@dataclass
class ScriptedJob:
    work: Work
    may_reply: bool = False
    is_idempotent: bool = False

    async def run(self, turn: Turn) -> None:
        await self.work(turn)


@dataclass
class ScriptedHandler:
    """An agent whose one skill is a function of the test."""

    work: Work
    may_reply: bool = False
    is_idempotent: bool = False
    card: AgentCard | None = None
    refusal: Exception | None = None
    admitted: list[tuple[SendMessageRequest, Call]] = field(default_factory=list)

    def admit(self, request: SendMessageRequest, call: Call) -> ScriptedJob:
        if self.refusal is not None:
            raise self.refusal
        self.admitted.append((request, call))
        return ScriptedJob(self.work, self.may_reply, self.is_idempotent)

    def extended_card(self, call: Call) -> AgentCard | None:
        if self.refusal is not None:
            raise self.refusal
        return self.card


class Vault(MemoryTaskStore):
    """A store that outlives its engine, can be held back, and fails when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[Commit]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.failures: deque[Exception] = deque()
        self.fails_after_writing = False
        self.is_down = False
        self.waiting = 0
        self._is_entered = False

    @property
    def entries(self) -> int:
        return sum(len(commit.entries) for batch in self.batches for commit in batch)

    async def __aenter__(self) -> "Vault":
        if not self._is_entered:
            self._is_entered = True
            await super().__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Nothing: another engine may come."""

    async def commit(self, batch: Sequence[Commit]) -> Sequence[Outcome]:
        self.waiting += 1
        try:
            await self.open.wait()
        finally:
            self.waiting -= 1
        self._check()
        if self.failures and not self.fails_after_writing:
            raise self.failures.popleft()
        outcomes = await super().commit(batch)
        if self.failures:
            raise self.failures.popleft()
        self.batches.append(list(batch))
        return outcomes

    async def load(self, scope: Scope, task_id: str) -> StoredTask | None:
        self._check()
        return await super().load(scope, task_id)

    async def read(self, task_id: str, after: int, limit: int) -> Sequence[bytes]:
        self._check()
        return await super().read(task_id, after, limit)

    async def claim(self, task_id: str, holder: str, now: int) -> StoredTask | None:
        self._check()
        await asyncio.sleep(0)  # a real one takes a while
        return await super().claim(task_id, holder, now)

    async def beat(self, holder: str, alive_until: int) -> None:
        self._check()
        await super().beat(holder, alive_until)

    async def retire(self, holder: str) -> None:
        self._check()
        await super().retire(holder)

    async def record_push(self, delivery: PushDelivery) -> None:
        self._check()
        await super().record_push(delivery)

    def _check(self) -> None:
        if self.is_down:
            raise UnavailableError("the store is down")


class Receiver:
    """A webhook's other end: remembers what it got, and fails when told to."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.failing = 0
        self.error: Exception = DeliveryError("connection refused")
        self.attempts = 0

    async def __call__(self, url: str, headers: dict[str, str], body: bytes) -> None:
        self.attempts += 1
        await asyncio.sleep(0)
        if self.failing:
            self.failing -= 1
            raise self.error
        self.got.append((url, headers, body))


@dataclass
class Host:
    """A running engine, and short ways to call it."""

    engine: Engine
    handler: ScriptedHandler
    store: Any
    bus: Bus
    clock: MovableClock

    @property
    def lives(self) -> dict[str, Any]:
        return self.engine._roster.lives

    @property
    def runs(self) -> dict[str, Any]:
        return self.engine._roster.runs

    @property
    def is_idle(self) -> bool:
        return not self.lives and not self.runs

    async def send(self, text: str = "hello", *, call: Call = ANYONE, **options: Any) -> Task:
        reply = await self.engine.send(call, say(text, **options))
        assert reply.task is not None
        return reply.task

    async def begin(self, text: str = "hello", **options: Any) -> Task:
        """Send without waiting for the end."""
        return await self.send(text, now=True, **options)

    async def ask(self, text: str = "hello", *, call: Call = ANYONE, **options: Any) -> Message:
        reply = await self.engine.send(call, say(text, **options))
        assert reply.message is not None
        return reply.message

    async def stream(self, text: str = "hello", *, call: Call = ANYONE, **options: Any) -> EventStream:
        return await self.engine.stream(call, say(text, **options))

    async def get(self, task_id: str, *, call: Call = ANYONE, history_length: int | None = None) -> Task:
        return await self.engine.get_task(call, GetTaskRequest(id=task_id, history_length=history_length))

    async def cancel(self, task_id: str, *, call: Call = ANYONE) -> Task:
        return await self.engine.cancel_task(call, CancelTaskRequest(id=task_id))

    async def subscribe(self, task_id: str, *, call: Call = ANYONE) -> EventStream:
        return await self.engine.subscribe(call, SubscribeToTaskRequest(id=task_id))

    async def list(self, *, call: Call = ANYONE, **options: Any) -> ListTasksResponse:
        return await self.engine.list_tasks(call, ListTasksRequest(**options))

    async def ended(self, task_id: str, *, call: Call = ANYONE) -> Task:
        """The task once it has ended."""
        async with asyncio.timeout(5):
            while not (task := await self.get(task_id, call=call)).state.is_terminal:
                await turns(1)
        return task

    async def reached(self, task_id: str, state: TaskState, *, call: Call = ANYONE) -> Task:
        async with asyncio.timeout(5):
            while (task := await self.get(task_id, call=call)).state is not state:
                await turns(1)
        return task


@asynccontextmanager
async def serving(
    work: Work | ScriptedHandler,
    *,
    store: TaskStore | None = None,
    bus: Bus | None = None,
    clock: MovableClock | None = None,
    limits: Limits = QUICK,
    leaves_tasks: bool = False,
    **options: Any,
) -> AsyncIterator[Host]:
    """An engine from its start to its stop, which may leave nothing running."""
    before = None if _running else asyncio.all_tasks()  # that of an engine around this one is still busy
    handler = work if isinstance(work, ScriptedHandler) else ScriptedHandler(work)
    store, bus, clock = store or Vault(), bus or LocalBus(), clock or MovableClock()
    capabilities = options.pop("capabilities", None) or AgentCapabilities(
        streaming=True, push_notifications=True, extended_agent_card=True
    )
    engine = Engine(
        name=options.pop("name", "agent"),
        handler=handler,
        store=store,
        bus=bus,
        capabilities=capabilities,
        limits=limits,
        clock=clock,
        new_id=options.pop("new_id", None) or next_ids(),
        **options,
    )
    await engine.start()
    _running.add(engine)
    try:
        yield Host(engine, handler, store, bus, clock)
    finally:
        _running.discard(engine)
        await engine.stop()
    if not leaves_tasks:
        assert not engine._nursery._children
        await until(lambda: before is None or asyncio.all_tasks() <= before)


_running: set[Engine] = set()
_engines = itertools.count()


def next_ids() -> Callable[[], str]:
    """Ids in order, unlike those of any other engine."""
    engine, numbers = next(_engines), itertools.count()
    return lambda: f"{engine}-{next(numbers):04}"


def message(text: str = "hello", *, task_id: str = "", context_id: str = "", **options: Any) -> Message:
    return Message(
        message_id=options.pop("message_id", f"m-{text}"),
        role=Role.USER,
        parts=(Part.of_text(text),),
        task_id=task_id,
        context_id=context_id,
        **options,
    )


def say(
    text: str = "hello",
    *,
    now: bool = False,
    history_length: int | None = None,
    push: TaskPushNotificationConfig | None = None,
    metadata: dict[str, Any] | None = None,
    **options: Any,
) -> SendMessageRequest:
    configuration = SendMessageConfiguration(
        return_immediately=now, history_length=history_length, task_push_notification_config=push
    )
    return SendMessageRequest(
        message=message(text, **options), configuration=configuration, metadata=metadata
    )


def question(turn: Turn, text: str) -> Message:
    return turn.compose([Part.of_text(text)])


def text_artifact(text: str, artifact_id: str = "a") -> Artifact:
    return Artifact(artifact_id=artifact_id, parts=(Part.of_text(text),))


def write(turn: Turn, text: str, artifact_id: str = "a", *, append: bool = False) -> None:
    turn.artifact(text_artifact(text, artifact_id), append=append)


async def drain(stream: EventStream) -> list[StreamItem]:
    """All that the stream still has to say."""
    return [item async for item in stream]


async def take(stream: EventStream, count: int) -> list[StreamItem]:
    items: list[StreamItem] = []
    while len(items) < count:
        items.append(await anext(stream))
    return items


def states(items: Iterable[StreamItem]) -> list[TaskState]:
    """The states that the events tell of, in order."""
    found = []
    for item in items:
        if item.event.task is not None:
            found.append(item.event.task.state)
        elif item.event.status_update is not None:
            found.append(item.event.status_update.status.state)
    return found


def chunks(items: Iterable[StreamItem]) -> list[str]:
    return [item.event.artifact_update.artifact.text for item in items if item.event.artifact_update]


def refold(items: Sequence[StreamItem]) -> Task:
    """What a subscriber makes of a snapshot and all that came after."""
    first, *rest = items
    assert first.event.task is not None
    fold = TaskFold(first.event.task)
    for item in rest:
        event = item.event.status_update or item.event.artifact_update
        assert event is not None
        fold.apply(event)
    return fold.task()


def said(task: Task) -> list[str]:
    """The history, in words."""
    return [said.text for said in task.history]


def why(task: Task) -> str:
    """What the status says."""
    assert task.status.message is not None
    return task.status.message.text


async def until(holds: Callable[[], object]) -> None:
    """Give way to others until it holds."""
    async with asyncio.timeout(5):
        while not holds():
            await turns(1)


async def turns(count: int = 20) -> None:
    """Give way to others a few times, so that what would happen has happened."""
    for _ in range(count):
        await asyncio.sleep(0)


async def nothing(turn: Turn) -> None:
    """A job that returns nothing."""


class Stage:
    """A job that stops where the test wants it: it says when it has begun, and goes on when it may."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.turns: list[Turn] = []

    @property
    def turn(self) -> Turn:
        return self.turns[-1]

    async def __call__(self, turn: Turn) -> None:
        self.turns.append(turn)
        self.begun.set()
        await self.go.wait()
