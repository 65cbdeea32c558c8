"""The latest events of a task, kept in memory for readers who keep up."""

from collections import deque
from itertools import islice

from dragoman.engine.batches import Batch
from dragoman.engine.entries import StreamItem

_BATCH_BYTES = 256 * 1024
_MAX_SHARED = 4


class BehindWindowError(Exception):
    """The reader is so slow that what it wants next is in memory no more; it reads the log instead."""


class Window:
    """The latest entries of a log, so that readers who keep up need no store.

    It holds what is not yet durable in any case, and of the rest no more than `max_bytes`. Readers at the same place share what they take.
    """

    def __init__(self, after: int, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._start = after + 1
        self._entries: deque[tuple[StreamItem | None, int]] = deque()
        self._shared: dict[tuple[int, int], Batch] = {}

    @property
    def next_seq(self) -> int:
        return self._start + len(self._entries)

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._bytes

    def push(self, item: StreamItem | None, size: int) -> None:
        self._entries.append((item, size))
        self._bytes += size
        if self._shared:
            self._shared.clear()

    def trim(self, durable: int) -> None:
        """Let go of the oldest durable entries while there is too much."""
        self._shrink(durable, self._max_bytes)

    def drop(self, durable: int) -> None:
        """Let go of every durable entry."""
        self._shrink(durable, 0)

    def between(self, after: int, upto: int) -> list[StreamItem | None]:
        """The entries after `after` up to `upto`; BehindWindowError if the first is gone."""
        first = self._place_after(after)
        return [item for item, _ in islice(self._entries, first, first + upto - after)]

    def batch(self, after: int, upto: int) -> Batch:
        """The first of them, about `_BATCH_BYTES` at most, to be shared; BehindWindowError like `between`."""
        batch = self._shared.get((after, upto))
        if batch is None:
            if len(self._shared) >= _MAX_SHARED:
                self._shared.clear()
            items = self.between(after, self._bound(after, upto))
            batch = self._shared[after, upto] = Batch(items, after + len(items))
        return batch

    def _bound(self, after: int, upto: int) -> int:
        """The last entry up to `upto` that is taken together with the one after `after`."""
        first = self._place_after(after)
        size = 0
        for _, more in islice(self._entries, first, first + upto - after):
            after += 1
            size += more
            if size >= _BATCH_BYTES:
                break
        return after

    def _place_after(self, seq: int) -> int:
        if seq + 1 < self._start:
            raise BehindWindowError
        return seq + 1 - self._start

    def _shrink(self, durable: int, max_bytes: int) -> None:
        while self._bytes > max_bytes and self._entries and self._start <= durable:
            _, size = self._entries.popleft()
            self._bytes -= size
            self._start += 1
            self._shared.clear()
