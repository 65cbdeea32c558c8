"""The entries of a task's log, as the engine writes and reads them.

An entry that subscribers see is stored as the very JSON that they get, so that it is encoded once. The first entry
carries what a later run needs to start again; a caller's message is an entry that no stream shows.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from dragoman.model import (
    Message,
    Metadata,
    Record,
    StreamResponse,
    Task,
    TaskArtifactUpdateEvent,
    TaskStatusUpdateEvent,
)
from dragoman.model.folding import TaskFold
from dragoman.wire import codec


class Origin(Record, frozen=True, kw_only=True):
    """What came with the first message besides the message, kept for a run that starts again."""

    metadata: Metadata | None = None
    accepted_output_modes: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()


class LogEntry(Record, frozen=True, kw_only=True):
    """One entry; exactly one of the first four members is set, and `origin` only beside `task`."""

    task: Task | None = None
    status_update: TaskStatusUpdateEvent | None = None
    artifact_update: TaskArtifactUpdateEvent | None = None
    received: Message | None = None
    origin: Origin | None = None


@dataclass(eq=False)
class StreamItem:
    """One event as subscribers get it, with its number on the log and its encodings, which all of them share.

    `seq` is 0 for a direct message; a Task snapshot carries the number of the last entry in it.
    """

    seq: int
    event: StreamResponse
    encodings: dict[str, bytes] = field(default_factory=dict[str, bytes])

    @cached_property
    def json(self) -> bytes:
        """The event as A2A 1.0 JSON."""
        return codec.encode(self.event)

    @classmethod
    def of_task(cls, seq: int, task: Task) -> Self:
        return cls(seq, StreamResponse(task=task))


def load_entry(data: bytes) -> LogEntry:
    return codec.decode(LogEntry, data)


def apply_entry(fold: TaskFold, entry: LogEntry) -> None:
    """Fold any entry but the first, which is the task that the fold started from."""
    if entry.received is not None:
        fold.receive(entry.received)
    elif event := entry.status_update or entry.artifact_update:
        fold.apply(event)


def item_of(seq: int, entry: LogEntry) -> StreamItem | None:
    """What subscribers see of the entry, if anything."""
    if entry.received is not None:
        return None
    return StreamItem(
        seq,
        StreamResponse(task=entry.task, status_update=entry.status_update, artifact_update=entry.artifact_update),
    )
