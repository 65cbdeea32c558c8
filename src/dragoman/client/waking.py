"""Reading a task of an agent before 1.0 again (SPEC 7.2, 7.3).

Before 1.0 a stream that is subscribed to need not begin with the task as it is, so the client looks at the task itself. Nothing tells whether what the
stream says about that time is in what was seen: it would be lost, or come twice. So while it says something, the client looks again.
"""

import asyncio

from dragoman.client.polling import PollingSource
from dragoman.client.session import Session
from dragoman.client.transport import EventSource, StreamEvent
from dragoman.model import (
    A2AError,
    DragomanError,
    SubscribeToTaskRequest,
    Task,
    TaskStatusUpdateEvent,
    UnauthenticatedError,
)
from dragoman.model.operations import SUBSCRIBE_TO_TASK

QUIET_SECONDS = 0.05
"""How long a stream has to be silent after a look at the task, before what it says counts as something that was not seen."""


async def subscribe_older(session: Session, task_id: str) -> EventSource:
    """The events of a task from its snapshot on; polled where the agent has no stream of it."""
    request = SubscribeToTaskRequest(id=task_id)
    try:
        stream = await session.open(SUBSCRIBE_TO_TASK, request, backoff=session.options.resubscribe)
    except UnauthenticatedError:
        raise
    except A2AError:
        # Agents say in many ways that a task has no stream, or none any more: whether it is there at all, a look at it tells.
        return PollingSource(session, task_id)
    return WakingSource(session, task_id, stream)


class WakingSource(EventSource):
    """Looks at the task, and again while its stream says something about the same time; from then on what the stream says is new.

    When the stream is over, or told the end of the task too early to be trusted, the task is polled.
    """

    is_polling = True

    def __init__(self, session: Session, task_id: str, stream: EventSource) -> None:
        self._session = session
        self._task_id = task_id
        self._polls = PollingSource(session, task_id)
        self._stream: EventSource | None = stream
        self._next: asyncio.Task[StreamEvent | None] | None = None
        self._is_looking = True
        self._has_heard = False

    async def read(self) -> StreamEvent | None:
        if self._next is None and self._stream is not None:
            self._listen(self._stream)
        elif self._next is not None and (event := await self._take(self._next)):
            return event
        look = await self._polls.read()
        if self._is_looking and self._next is not None:
            heard, _ = await asyncio.wait({self._next}, timeout=QUIET_SECONDS)
            self._is_looking = bool(heard)
        return look

    def close(self) -> None:
        self._hang_up()
        self._polls.close()

    async def _take(self, coming: "asyncio.Task[StreamEvent | None]") -> StreamEvent | None:
        """The next event, if it is new for sure; None when it is time to look at the task."""
        await asyncio.wait({coming})
        event = None if coming.cancelled() else coming.result()
        if event is None or self._stream is None:
            self._hang_up()
            return None
        self._listen(self._stream)
        payload = event.payload.payload
        if isinstance(payload, Task) and not self._has_heard:
            self._is_looking = False
        self._has_heard = True
        if not self._is_looking:
            return event
        if isinstance(payload, TaskStatusUpdateEvent) and payload.status.state.is_settled:
            self._hang_up()  # the end may be told before it is written down: it is polled for
        self._polls = PollingSource(self._session, self._task_id)
        return None

    def _listen(self, stream: EventSource) -> None:
        self._next = asyncio.create_task(_read(stream))

    def _hang_up(self) -> None:
        stream, self._stream = self._stream, None
        coming, self._next = self._next, None
        if coming is not None:
            coming.cancel()
        if stream is not None:
            stream.close()


async def _read(stream: EventSource) -> StreamEvent | None:
    """The next event; a stream that breaks has ended."""
    try:
        return await stream.read()
    except DragomanError:
        return None
