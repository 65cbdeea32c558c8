"""What a reader has of a task's artifacts beyond what the agent still has. No input or output.

An agent may show a piece of an artifact before it has written it down, and die in between. Its reader is then led back to a
snapshot that has less than what was read. What comes after that is mostly the same once more: that is left out. Where it
differs, the artifact is begun anew.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from msgspec.structs import replace

from dragoman.client.folding import TaskView
from dragoman.client.reconciling import find_rest
from dragoman.model import Artifact, Event, Part, Task, TaskArtifactUpdateEvent, TaskStatusUpdateEvent


class _Excess(NamedTuple):
    """Of one artifact: what reader and agent have in common, and what only the reader has."""

    artifact: Artifact
    common: Sequence[Part]
    rest: tuple[Part, ...]


class Surplus:
    """Compares what comes with what the reader has had of it."""

    def __init__(self) -> None:
        self._excess: dict[str, _Excess] = {}

    @classmethod
    def beyond(cls, task: Task, known: Task | None) -> "Surplus":
        """What a reader who knows of `known` has beyond `task`, the same task at an earlier moment."""
        surplus = cls()
        present = {artifact.artifact_id: artifact.parts for artifact in task.artifacts or ()}
        for artifact in (known.artifacts if known is not None else None) or ():
            common = present.get(artifact.artifact_id, ())
            if rest := find_rest(common, artifact.parts):
                surplus._excess[artifact.artifact_id] = _Excess(artifact, common, rest)
        return surplus

    def sift(self, event: Event, view: TaskView) -> Iterator[Event]:
        """What of `event` is new to the reader of `view`."""
        if not self._excess:
            yield event
        elif isinstance(event, TaskArtifactUpdateEvent):
            yield from self._sift_piece(event)
        else:
            if isinstance(event, TaskStatusUpdateEvent) and event.status.state.is_settled:
                yield from self._take_back(event, view)
            yield event

    def _sift_piece(self, event: TaskArtifactUpdateEvent) -> Iterator[TaskArtifactUpdateEvent]:
        artifact = event.artifact
        excess = self._excess.pop(artifact.artifact_id, None)
        if excess is None or (excess.common and not event.append):
            yield event
            return
        rest = find_rest(artifact.parts, excess.rest)
        if rest is None:
            head = excess.artifact if event.append else artifact
            yield replace(event, artifact=_join(head, excess.common, artifact.parts), append=False)
        elif rest:
            self._excess[artifact.artifact_id] = _Excess(
                excess.artifact, (*excess.common, *artifact.parts), rest
            )
        elif more := find_rest(excess.rest, artifact.parts):
            yield replace(event, artifact=replace(artifact, parts=more), append=True)

    def _take_back(self, event: TaskStatusUpdateEvent, view: TaskView) -> Iterator[TaskArtifactUpdateEvent]:
        """What the agent has not said again until it is done, it has never said."""
        for artifact_id, excess in self._excess.items():
            if excess.common:
                artifact = _join(excess.artifact, excess.common)
                yield TaskArtifactUpdateEvent(
                    task_id=event.task_id, context_id=event.context_id, artifact=artifact
                )
            else:
                view.forget(artifact_id)
        self._excess = {}


def _join(head: Artifact, *parts: Sequence[Part]) -> Artifact:
    return replace(head, parts=tuple(chain(*parts)))
