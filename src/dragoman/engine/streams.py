"""Streams: the events of a task as one subscriber reads them."""

from collections.abc import Callable
from typing import Self

from dragoman.engine.batches import NOTHING, Batch
from dragoman.engine.entries import StreamItem, item_of, load_entry
from dragoman.engine.live import LiveTask
from dragoman.engine.window import BehindWindowError
from dragoman.model import Message, UnavailableError
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

    async def batch(self) -> Batch:
        """Events that are there and were not read yet, waiting for one; empty at the end of the stream.

        Raises UnavailableError if the log cannot be read or written any more; subscribe again later.
        """
        live = self._live
        while not self._is_done:
            try:
                batch = self._recall()
            except BehindWindowError:
                batch = await self._read_log()
            if batch is not None:
                self._seq = batch.upto
                if batch:
                    self._is_done = batch.is_last
                    return batch
            elif live.state.is_terminal and self._seq >= live.tip:
                break  # the reader had come to the end before
            else:
                live.check()
                await live.changed.wait()
        await self.aclose()
        return NOTHING

    def on_close(self, callback: Callable[[], None]) -> None:
        """Call back once, when the stream is closed."""
        self._closing.append(callback)

    async def aclose(self) -> None:
        self._is_done = True
        self._ready.clear()
        closing, self._closing = self._closing, []
        for callback in closing:
            callback()

    def _recall(self) -> Batch | None:
        """What is there and in memory, None if there is nothing yet; BehindWindowError if it is in memory no more."""
        if self._first is not None:
            if self._live.visible < self._first.seq:
                return None
            first, self._first = self._first, None
            return Batch((first,), self._seq)
        return self._live.batch(self._seq) if self._seq < self._live.visible else None

    async def _read_log(self) -> Batch:
        entries = await self._store.read(self._live.task_id, self._seq, _LOG_PAGE)
        if not entries:
            raise UnavailableError("the task's log is gone")
        items = [item_of(self._seq + index, load_entry(data)) for index, data in enumerate(entries, 1)]
        return Batch(items, self._seq + len(items))


class _MessageStream(EventStream):
    def __init__(self, message: Message) -> None:
        self._items = [StreamItem(0, message)]
        self._ready = []
        self._closing = []

    async def batch(self) -> Batch:
        items, self._items = self._items, []
        if not items:
            await self.aclose()
        return Batch(items)

    async def aclose(self) -> None:
        self._items.clear()
        await super().aclose()
