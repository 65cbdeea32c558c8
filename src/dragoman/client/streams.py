"""The events of a task, whatever happens to the connection (SPEC 2.2, 2.6, D-03)."""

from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from dragoman.client.deadlines import Deadline
from dragoman.client.folding import TaskView
from dragoman.client.polling import PollingSource
from dragoman.client.reconciling import find_news
from dragoman.client.resuming import Cursor, is_own_mark
from dragoman.client.session import Session
from dragoman.client.surplus import Surplus
from dragoman.client.transport import EventSource, StreamEvent
from dragoman.model import (
    DragomanError,
    Event,
    MethodNotFoundError,
    SubscribeToTaskRequest,
    Task,
    TaskState,
    TaskStatusUpdateEvent,
    TimedOut,
    UnavailableError,
    Unreachable,
    UnsupportedOperationError,
)
from dragoman.model.extensions import IDEMPOTENCY_KEY
from dragoman.model.operations import SUBSCRIBE_TO_TASK

LAST_EVENT_ID_HEADER = "last-event-id"

LINGER_SECONDS = 0.5
"""How long an agent may take to hang up after a terminal state; a last snapshot may come in that time (STR-18)."""

MAX_FRUITLESS = 3
"""New connections without news after which an agent's streams are given up for polling."""

_BROKEN = (Unreachable, TimedOut, UnavailableError)


class EventStream:
    """Events in order, each piece of content once; the connection is mended behind its back.

    Read it with `async for`; it hangs up when the loop is left. `view` is what the events that were read come to, and this
    stream's alone: two readers of one view would each apply what the other has. `watch` is told when it has changed.
    """

    def __init__(
        self,
        session: Session,
        connect: Callable[[], Awaitable[EventSource]],
        *,
        task_id: str = "",
        view: TaskView | None = None,
        deadline: Deadline | None = None,
        watch: Callable[[TaskView], None] | None = None,
        is_sending: bool = False,
    ) -> None:
        self._task_id = task_id
        self.view = TaskView() if view is None else view
        self._session = session
        self._connect = connect
        self._deadline = deadline or Deadline(None, session.url)
        self._watch = watch
        self._is_sending = is_sending
        self._source: EventSource | None = None
        self._cursor = Cursor()
        self._surplus = Surplus()
        self._news: deque[Event] = deque()
        self._compares = self.view.status is not None
        self._fruitless = 0  # connections in a row that brought nothing new
        self._failures = 0  # attempts in a row that brought nothing at all
        self._was_asked = False  # the last event is a question, after which agents hang up (D-03)
        self._is_ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        if not self._news and not self._is_ended:
            await self._wait_for_news()
        if not self._news:
            raise StopAsyncIteration
        event = self._news.popleft()
        self.view.apply(event)
        if self._watch is not None:
            self._watch(self.view)
        return event

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the task goes on without a reader."""
        self._is_ended = True
        source, self._source = self._source, None
        if source is not None:
            source.close()

    async def _wait_for_news(self) -> None:
        try:
            async with self._deadline.hold():
                while not self._news and not self._is_ended:
                    await self._advance()
        except BaseException:
            self.close()
            raise

    async def _advance(self) -> None:
        if self._source is None:
            self._source = await self._connect()
        elif self._source.is_polling and self.view.is_settled:
            self.close()
            return
        source = self._source
        try:
            event = await self._read(source)
        except _BROKEN as error:
            if not self._is_ended:  # somebody else has closed the stream meanwhile
                await self._mend(error)
        else:
            self._failures = 0
            if event is not None:
                self._take(event, source)
            elif not self._is_ended:
                await self._end_connection()

    async def _read(self, source: EventSource) -> StreamEvent | None:
        if not self.view.is_terminal:
            return await source.read()
        import asyncio

        try:
            async with asyncio.timeout(LINGER_SECONDS):
                return await source.read()
        except TimeoutError:
            return None

    def _take(self, event: StreamEvent, source: EventSource) -> None:
        payload = event.payload.payload
        if not self._cursor.is_repeat(event.id, payload):
            self._news.extend(self._find_news(event.id, payload))
        self._compares = source.is_polling
        self._was_asked = (
            isinstance(payload, TaskStatusUpdateEvent) and payload.status.state is TaskState.INPUT_REQUIRED
        )
        if self._news:
            self._fruitless = 0

    def _find_news(self, id: str, payload: Event) -> list[Event]:
        if not (self._compares and isinstance(payload, Task)):
            return list(self._surplus.sift(payload, self.view))
        news = list(find_news(self.view, payload))
        if is_own_mark(id):
            self._surplus = Surplus.beyond(payload, self.view.task)
        self.view.learn(payload)
        return news

    async def _end_connection(self) -> None:
        """A regular end says nothing about the task: the last state does (D-03)."""
        if self.view.is_settled:
            self.close()
        else:
            self._fruitless += 1
            await self._reconnect(
                Unreachable("the stream ended before it named a task", url=self._session.url)
            )

    async def _mend(self, error: DragomanError) -> None:
        if self.view.is_terminal or (self._was_asked and self.view.is_settled):
            self.close()
            return
        is_silence = isinstance(error, TimedOut) and not self._is_polling()
        self._failures += not is_silence
        self._fruitless += not is_silence
        if self._failures >= self._session.options.resubscribe.attempts:
            raise error
        await self._reconnect(error)

    def _is_polling(self) -> bool:
        return self._source is not None and self._source.is_polling

    async def _reconnect(self, error: DragomanError) -> None:
        self._task_id = self._task_id or self.view.task_id
        if not self._task_id and not await self._may_send_again():
            raise error
        assert self._source is not None
        self._source.close()
        self._source = None
        if self._task_id:
            self._connect = self._resume
            self._compares = True
            self._cursor.reconnect()

    async def _may_send_again(self) -> bool:
        """Whether the agent knows the send again by its key, so that nothing is lost with an answer that was."""
        return self._is_sending and await self._session.declares(IDEMPOTENCY_KEY)

    async def _resume(self) -> EventSource:
        options = self._session.options
        if self._fruitless:
            await options.world.sleep(options.resubscribe.step(self._fruitless, draw=options.world.draw))
        if self._fruitless > MAX_FRUITLESS:
            return PollingSource(self._session, self._task_id)
        return await subscribe(self._session, self._task_id, last_event_id=self._cursor.last_id)


async def subscribe(session: Session, task_id: str, *, last_event_id: str = "") -> EventSource:
    """The events of a task from its snapshot on; polled where the agent does not stream or the task has ended."""
    if not await session.offers("streaming"):
        return PollingSource(session, task_id)
    if await session.is_older():
        from dragoman.client.waking import subscribe_older

        return await subscribe_older(session, task_id)
    headers = {LAST_EVENT_ID_HEADER: last_event_id} if last_event_id else {}
    request = SubscribeToTaskRequest(id=task_id)
    try:
        return await session.open(
            SUBSCRIBE_TO_TASK, request, headers=headers, backoff=session.options.resubscribe
        )
    except (UnsupportedOperationError, MethodNotFoundError):
        return PollingSource(session, task_id)
