"""The entries of a task's log, as the engine writes and reads them.

An entry that subscribers see is stored as the very JSON that they get, so that it is encoded once. The first entry
carries what a later run needs to start again; a caller's message is an entry that no stream shows.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Self
from zlib import crc32

import msgspec

from dragoman.engine.journal import StepRecord
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
from dragoman.model.timestamps import decode_extra
from dragoman.wire import codec


class Origin(Record, frozen=True, kw_only=True):
    """What came with the first message besides the message, kept for a run that starts again."""

    metadata: Metadata | None = None
    accepted_output_modes: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    claims: Metadata | None = None


class LogEntry(Record, frozen=True, kw_only=True):
    """One entry; exactly one of its members is set, save that `origin` stands beside `task`.

    Nobody outside sees `received`, `recorded` and `restarted`: what the caller said, what a run did, and that the task
    was taken over from a process that had died.
    """

    task: Task | None = None
    status_update: TaskStatusUpdateEvent | None = None
    artifact_update: TaskArtifactUpdateEvent | None = None
    received: Message | None = None
    recorded: StepRecord | None = None
    restarted: bool = False
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

    @cached_property
    def mark(self) -> str:
        """Where a reader has come to with this event: its number on the log, and what tells it from another of that number.

        Chunks that were shown and died with their process before they were written leave their numbers to others.
        """
        return f"{self.seq}-{crc32(self.json):08x}"

    @classmethod
    def of_task(cls, seq: int, task: Task) -> Self:
        return cls(seq, StreamResponse(task=task))


# Strict: what lies on a log was written by `dump_entry`, and no other agent has had a hand in it.
_DECODER = msgspec.json.Decoder(LogEntry, dec_hook=decode_extra)


def load_entry(data: bytes) -> LogEntry:
    """Read what `dump_entry` has written."""
    return _DECODER.decode(data)


def dump_entry(entry: LogEntry) -> tuple[bytes, LogEntry]:
    """The entry as it will lie on the log, and as it will be read from there: what is folded and shown is the latter.

    So nothing gets on the log that could not be read again, and what a skill changes later changes nothing here.
    Raises ValueError for what is not A2A.
    """
    try:
        data = codec.encode(entry)
        return data, entry if _is_bare_status(entry) else load_entry(data)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"the task's log cannot take this: {error}") from error


def _is_bare_status(entry: LogEntry) -> bool:
    """Whether the entry holds nothing that a skill or a caller has made."""
    event = entry.status_update
    return event is not None and event.status.message is None and event.metadata is None


def apply_entry(fold: TaskFold, entry: LogEntry) -> None:
    """Fold any entry but the first, which is the task that the fold started from."""
    if entry.received is not None:
        fold.receive(entry.received)
    elif event := entry.status_update or entry.artifact_update:
        fold.apply(event)


def item_of(seq: int, entry: LogEntry, data: bytes | None = None) -> StreamItem | None:
    """What subscribers see of the entry, if anything; `data` is the entry encoded, if it is at hand."""
    if entry.received is not None or entry.recorded is not None or entry.restarted:
        return None
    event = StreamResponse(
        task=entry.task, status_update=entry.status_update, artifact_update=entry.artifact_update
    )
    item = StreamItem(seq, event)
    if data is not None and entry.origin is None:
        item.json = data
    return item
