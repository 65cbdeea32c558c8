"""What a snapshot says that its reader does not know yet. No input or output.

After a stream was cut, the first event of the new one is the task as it is now. Whoever read the old one must get each
piece of content once: what the snapshot has beyond the view becomes events, and nothing else does.
"""

from collections.abc import Iterator, Sequence
from typing import cast

from msgspec.structs import replace

from dragoman.client.folding import TaskView, is_same_status
from dragoman.model import (
    Artifact,
    Event,
    Part,
    Task,
    TaskArtifactUpdateEvent,
    TaskStatus,
    TaskStatusUpdateEvent,
)


def find_news(view: TaskView, task: Task) -> Iterator[Event]:
    """The events that bring `view` to `task`, its status last; the task itself if nothing was known.

    Content counts, not its cut: an agent may have joined chunks of text since. Statuses in between are lost (STR-20).
    """
    if view.status is None:
        yield task
        return
    context_id = task.context_id or view.context_id or task.id
    for artifact in task.artifacts or ():
        yield from _compare_artifact(view.get_parts(artifact.artifact_id), artifact, task.id, context_id)
    if not is_same_status(view.status, task.status) and not _is_older(task.status, view.status):
        yield TaskStatusUpdateEvent(task_id=task.id, context_id=context_id, status=task.status)


def _compare_artifact(
    known: Sequence[Part] | None, artifact: Artifact, task_id: str, context_id: str
) -> Iterator[TaskArtifactUpdateEvent]:
    rest = None if known is None else find_rest(known, artifact.parts)
    if rest is None:
        yield TaskArtifactUpdateEvent(task_id=task_id, context_id=context_id, artifact=artifact)
    elif rest:
        chunk = replace(artifact, parts=rest)
        yield TaskArtifactUpdateEvent(task_id=task_id, context_id=context_id, artifact=chunk, append=True)


def _is_older(status: TaskStatus, than: TaskStatus) -> bool:
    return status.timestamp is not None and than.timestamp is not None and status.timestamp < than.timestamp


def find_rest(known: Sequence[Part], seen: Sequence[Part]) -> tuple[Part, ...] | None:
    """What `seen` has after `known`, nothing if it is the shorter one; None if they differ.

    Neighbouring text parts of one kind are one text, wherever it was cut. Linear in what both hold.
    """
    reader = _Reader(seen)
    for part in known:
        if reader.is_at_end():
            return ()
        if not reader.skip(part):
            return None
    return reader.get_rest()


class _Reader:
    """Walks through parts, inside of texts too."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._index = 0
        self._offset = 0

    def is_at_end(self) -> bool:
        self._leave_read_text()
        return self._index >= len(self._parts)

    def skip(self, part: Part) -> bool:
        """Go past `part`, or as far as there is something; False if something else stands here."""
        if isinstance(part.text, str):
            return self._skip_text(part, part.text)
        if self._offset or self._parts[self._index] != part:
            return False
        self._index += 1
        return True

    def get_rest(self) -> tuple[Part, ...]:
        self._leave_read_text()
        rest = self._parts[self._index :]
        if not self._offset:
            return tuple(rest)
        text = cast("str", rest[0].text)
        return (replace(rest[0], text=text[self._offset :]), *rest[1:])

    def _skip_text(self, part: Part, text: str) -> bool:
        done = 0
        while done < len(text) and not self.is_at_end():
            here = self._parts[self._index]
            if not isinstance(here.text, str) or not _is_one_text(here, part):
                return False
            size = min(len(text) - done, len(here.text) - self._offset)
            if text[done : done + size] != here.text[self._offset : self._offset + size]:
                return False
            done += size
            self._offset += size
        return True

    def _leave_read_text(self) -> None:
        while self._index < len(self._parts):
            text = self._parts[self._index].text
            if not isinstance(text, str) or self._offset < len(text):
                return
            self._index += 1
            self._offset = 0


def _is_one_text(one: Part, other: Part) -> bool:
    return (one.media_type, one.filename, one.metadata) == (other.media_type, other.filename, other.metadata)
