"""Where a reader has come to in a stream whose binding has no place for it.

Over HTTP the mark of an event is the `id:` of SSE. gRPC has messages and nothing beside them, so a caller that names the
extension for resuming streams gets the mark in the metadata of each event. Without it, nothing of it is on the wire.
"""

from typing import TypeAlias

from msgspec.structs import replace

from dragoman.model import (
    JSON,
    Message,
    StreamResponse,
    Task,
    TaskArtifactUpdateEvent,
    TaskStatusUpdateEvent,
    wrap_event,
)
from dragoman.model.extensions import STREAM_RESUMPTION

MARKS_EXTENSION = STREAM_RESUMPTION

MAX_MARK_CHARS = 256

_OnLog: TypeAlias = Task | TaskStatusUpdateEvent | TaskArtifactUpdateEvent


def add_mark(event: StreamResponse, mark: str) -> StreamResponse:
    """The event with its mark; a message, which is on no log, has none."""
    payload = event.payload
    return event if isinstance(payload, Message) else wrap_event(_mark(payload, mark))


def take_mark(event: StreamResponse) -> tuple[str, StreamResponse]:
    """The mark, "" if there is none, and the event as it is without it."""
    payload = event.payload
    metadata = payload.metadata
    if isinstance(payload, Message) or not metadata or MARKS_EXTENSION not in metadata:
        return "", event
    rest = {name: value for name, value in metadata.items() if name != MARKS_EXTENSION}
    mark = metadata[MARKS_EXTENSION]
    return mark[:MAX_MARK_CHARS] if isinstance(mark, str) else "", wrap_event(_strip(payload, rest))


def _mark(payload: _OnLog, mark: str) -> _OnLog:
    return replace(payload, metadata={**(payload.metadata or {}), MARKS_EXTENSION: mark})


def _strip(payload: _OnLog, rest: dict[str, JSON]) -> _OnLog:
    return replace(payload, metadata=rest or None)
