"""Streams of the generations before 1.0, whose last event says that it is the last (SPEC 7.3, D-03)."""

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from dragoman.client.transport.base import EventSource, StreamEvent
from dragoman.model import DragomanError, StreamResponse, TaskArtifactUpdateEvent, TaskStatusUpdateEvent
from dragoman.wire.dialects.answers import OldEvent

LINGER_SECONDS = 0.5
"""How long an agent may take to hang up after the last event, so that the connection can be used again."""


class EventReader:
    """Reads the events of one stream.

    `session` is what the request called the conversation: events of 0.1 do not name it, and are read as if it were called like the task.
    """

    def __init__(self, load: Callable[[bytes], OldEvent], session: str = "") -> None:
        self._load = load
        self._session = session
        self.is_over = False

    def __call__(self, body: bytes) -> StreamResponse:
        event, self.is_over = self._load(body)
        return self._name_session(event) if self._session else event

    def _name_session(self, event: StreamResponse) -> StreamResponse:
        match event.payload:
            case TaskStatusUpdateEvent() as update if update.context_id == update.task_id:
                return replace(event, status_update=replace(update, context_id=self._session))
            case TaskArtifactUpdateEvent() as update if update.context_id == update.task_id:
                return replace(event, artifact_update=replace(update, context_id=self._session))
            case _:
                return event


class FinalSource(EventSource):
    """Ends after the event that says that it is the last, even if the agent does not hang up."""

    def __init__(self, inner: EventSource, reader: EventReader) -> None:
        self._inner = inner
        self._reader = reader

    async def read(self) -> StreamEvent | None:
        if not self._reader.is_over:
            return await self._inner.read()
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                await self._inner.read()
        except (TimeoutError, DragomanError):
            pass  # the last event was read
        self.close()
        return None

    def close(self) -> None:
        self._inner.close()
