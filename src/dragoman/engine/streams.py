"""Streams: the events of a task as one subscriber reads them."""

from collections.abc import Callable, Sequence
from typing import Self

from dragoman.engine.entries import StreamItem, item_of, load_entry
from dragoman.engine.live import LiveTask
from dragoman.engine.window import BehindWindowError
from dragoman.model import Event, Message, Task, TaskState, TaskStatusUpdateEvent, UnavailableError
from dragoman.store import TaskStore

_LOG_PAGE = 256


class EventStream:
    """An ordered view of a task's events for one subscriber.

    It keeps no queue, only a position on the log: a reader that stops costs nothing and holds up nobody (I6), and one that
    falls behind what is in memory reads the store. Iterate over it, or take `batch` after `batch`; close it in any case.
    """

    def __init__(
        self,
        live: LiveTask,
        store: TaskStore,
        *,
        after: int,
        first: StreamItem | None = None,
    ) -> None:
        self._live = live
        self._store = store
        self._seq = after
        self._first = first
        self._closing: list[Callable[[], None]] = []
        self._is_done = False
        self._ready: list[StreamItem] = []

    @classmethod
    def of_message(cls, message: Message) -> "EventStream":
        """The stream of an answer without a task: one message, then the end (STR-03)."""
        return _MessageStream(message)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StreamItem:
        if not self._ready:
            self._ready = list(reversed(await self.batch()))
        if not self._ready:
            raise StopAsyncIteration
        return self._ready.pop()

    async def batch(self) -> Sequence[StreamItem]:
        """All events that are there and were not read yet, waiting for one; empty at the end of the stream.

        Raises UnavailableError if the log cannot be read or written any more; subscribe again later.
        """
        while not self._is_done:
            if items := self._upto_end(await self._available()):
                return items
            if self._live.state.is_terminal and self._seq >= self._live.tip:
                break  # the reader had come to the end before
            self._live.check()
            await self._live.changed.wait()
        await self.aclose()
        return ()

    def on_close(self, callback: Callable[[], None]) -> None:
        """Call back once, when the stream is closed."""
        self._closing.append(callback)

    async def aclose(self) -> None:
        self._is_done = True
        self._ready.clear()
        closing, self._closing = self._closing, []
        for callback in closing:
            callback()

    async def _available(self) -> list[StreamItem]:
        if self._first is not None:
            if self._live.visible < self._first.seq:
                return []
            first, self._first = self._first, None
            return [first]
        while self._seq < self._live.visible:
            entries = await self._next_entries()
            self._seq += len(entries)
            if public := [item for item in entries if item is not None]:
                return public
        return []

    async def _next_entries(self) -> list[StreamItem | None]:
        try:
            return self._live.after(self._seq)
        except BehindWindowError:
            return await self._read_log()

    async def _read_log(self) -> list[StreamItem | None]:
        entries = await self._store.read(self._live.task_id, self._seq, _LOG_PAGE)
        if not entries:
            raise UnavailableError("the task's log is gone")
        return [item_of(self._seq + index, load_entry(data)) for index, data in enumerate(entries, 1)]

    def _upto_end(self, items: list[StreamItem]) -> list[StreamItem]:
        for count, item in enumerate(items, 1):
            if _is_last(item.payload):
                self._is_done = True
                return items[:count]
        return items


class _MessageStream(EventStream):
    def __init__(self, message: Message) -> None:
        self._items = [StreamItem(0, message)]
        self._ready = []
        self._closing = []

    async def batch(self) -> Sequence[StreamItem]:
        items, self._items = self._items, []
        if not items:
            await self.aclose()
        return items

    async def aclose(self) -> None:
        self._items.clear()
        await super().aclose()


def _is_last(event: Event) -> bool:
    """Whether a stream ends with this event: terminal, or waiting for a new message (D-03).

    A snapshot of a task that waits for input does not end it, for whoever subscribes then wants to see what comes.
    """
    match event:
        case Task():
            return event.state.is_terminal
        case TaskStatusUpdateEvent(status=status):
            return status.state.is_terminal or status.state is TaskState.INPUT_REQUIRED
        case _:
            return False
