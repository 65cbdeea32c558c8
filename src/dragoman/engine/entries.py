"""The entries of a task's log, as the engine writes and reads them.

An entry that subscribers see is stored as the very JSON that they get, so that it is encoded once. The first entry
carries what a later run needs to start again; a caller's message is an entry that no stream shows.
"""

from zlib import crc32

import msgspec
from msgspec import UNSET

from dragoman.engine.journal import StepRecord
from dragoman.engine.plain import is_plain_message
from dragoman.model import (
    Event,
    Message,
    Metadata,
    Record,
    StreamResponse,
    Task,
    TaskArtifactUpdateEvent,
    TaskStatusUpdateEvent,
    wrap_event,
)
from dragoman.model.folding import TaskFold
from dragoman.model.timestamps import decode_extra
from dragoman.wire import codec


class Origin(Record, frozen=True, kw_only=True):
    """What came with the first message besides the message, kept for a run that starts again.

    The job of a task that `is_announced` begins when its WORKING is on the log, and not before.
    """

    metadata: Metadata | None = None
    accepted_output_modes: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    claims: Metadata | None = None
    is_announced: bool = False


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


class StreamItem(msgspec.Struct, eq=False, gc=False):
    """One event as subscribers get it, with its number on the log and its encodings, which all of them share.

    `seq` is 0 for a direct message; a Task snapshot carries the number of the last entry in it. `base` is set where the
    event is shown before it is durable: the number of an entry before it that is, with nothing but pieces of artifacts
    in between. Who has read a snapshot has read `last`, the event that it ends with. What it is encoded as is made when somebody asks for it,
    unless it is known: most events have no subscriber.
    """

    seq: int
    payload: Event
    known_json: bytes = b""
    known_mark: str = ""
    last: "StreamItem | None" = None
    base: int = 0
    known_encodings: dict[str, bytes] | None = None

    @property
    def event(self) -> StreamResponse:
        return wrap_event(self.payload)

    @property
    def encodings(self) -> dict[str, bytes]:
        """The event as others want it, by a name of theirs."""
        if self.known_encodings is None:
            self.known_encodings = {}
        return self.known_encodings

    @property
    def json(self) -> bytes:
        """The event as A2A 1.0 JSON."""
        self.known_json = self.known_json or codec.encode(self.event)
        return self.known_json

    @property
    def digest(self) -> str:
        """What tells the event from another of its number."""
        return f"{crc32(self.json):08x}"

    @property
    def mark(self) -> str:
        """Where a reader has come to with this event, as `resuming.find_start` reads it."""
        if self.last is not None:
            return self.last.mark
        self.known_mark = self.known_mark or dump_mark(self.seq, self.digest, self.base)
        return self.known_mark


def dump_mark(seq: int, digest: str, base: int) -> str:
    """What a reader is given to remember.

    Chunks that were shown and died with their process before they were written leave their numbers to others: hence the
    digest, and the number of what cannot be lost.
    """
    return f"{seq}-{digest}-{base}" if base else f"{seq}-{digest}"


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
        return data, entry if _is_plain(entry) else load_entry(data)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"the task's log cannot take this: {error}") from error


def _is_plain(entry: LogEntry) -> bool:
    """Whether it is clear without reading the entry again that it could be, and that nobody can change it."""
    if (status := entry.status_update) is not None:
        return status.metadata is None and status.status.message is None
    return entry.task is not None and _is_plain_start(entry.task, entry.origin)


def _is_plain_start(task: Task, origin: Origin | None) -> bool:
    is_bare = task.metadata is None and task.status.message is None and task.artifacts is UNSET
    has_no_more = origin is None or origin.claims is None  # its metadata nobody sees before it is read again
    return is_bare and has_no_more and len(task.history) == 1 and is_plain_message(task.history[0])


def apply_entry(fold: TaskFold, entry: LogEntry) -> None:
    """Fold any entry but the first, which is the task that the fold started from."""
    if entry.status_update is not None:
        fold.set_status(entry.status_update)
    elif entry.artifact_update is not None:
        fold.add_artifact(entry.artifact_update)
    elif entry.received is not None:
        fold.receive(entry.received)


def item_of(seq: int, entry: LogEntry, data: bytes | None = None) -> StreamItem | None:
    """What subscribers see of the entry, if anything; `data` is the entry encoded, if it is at hand."""
    payload = entry.status_update or entry.artifact_update or entry.task
    if payload is None:
        return None
    return StreamItem(seq, payload, b"" if data is None or entry.origin is not None else data)
