"""Events that readers take together, and share."""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, overload

from dragoman.engine.entries import StreamItem
from dragoman.model import Event, Task, TaskState, TaskStatusUpdateEvent


class Batch(Sequence[StreamItem]):
    """Events that follow one another. All readers who come to the same place get the same one.

    `upto` numbers the last entry of the log that was looked at for it, shown to readers or not. It ends with the event that
    ends a stream, if there is one: then it `is_last`. In `encodings` readers keep what they made of it, by names of theirs,
    for the others.
    """

    __slots__ = ("_items", "encodings", "is_last", "upto")

    def __init__(self, items: Sequence[StreamItem | None], upto: int = 0) -> None:
        self._items: tuple[StreamItem, ...] = tuple(_upto_end(items))
        self.upto = upto
        self.is_last = bool(self._items) and _is_last(self._items[-1].payload)
        self.encodings: dict[Hashable, Any] = {}

    @overload
    def __getitem__(self, index: int) -> StreamItem: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[StreamItem]: ...
    def __getitem__(self, index: int | slice) -> StreamItem | Sequence[StreamItem]:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[StreamItem]:
        return iter(self._items)


def _upto_end(items: Sequence[StreamItem | None]) -> Iterator[StreamItem]:
    for item in items:
        if item is not None:
            yield item
            if _is_last(item.payload):
                return


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


NOTHING = Batch(())
"""What is taken from a stream that is over."""
