"""How events make a task: the one fold that the engine, the client and the tests share (SPEC 1.4)."""

from typing import ClassVar

from msgspec.structs import replace

from dragoman.model.events import TaskArtifactUpdateEvent, TaskStatusUpdateEvent
from dragoman.model.task import Artifact, Message, Part, Task


class Pieces:
    """An artifact under way: its parts gather in a list, and the record is made when somebody looks.

    A chunk that is appended adds its parts, and its metadata to that of the artifact; what else it says is passed over.
    """

    __slots__ = ("_made", "head", "parts")

    def __init__(self, artifact: Artifact) -> None:
        self.head = artifact
        self.parts = list(artifact.parts)
        self._made: Artifact | None = artifact

    def extend(self, chunk: Artifact) -> None:
        self.parts.extend(chunk.parts)
        self._made = None
        if chunk.metadata:
            self.head = replace(self.head, metadata={**(self.head.metadata or {}), **chunk.metadata})

    def artifact(self) -> Artifact:
        if self._made is None:
            self._made = replace(self.head, parts=tuple(self.parts))
        return self._made


class TaskFold:
    """A task as its events have made it.

    It is kept in pieces, so that the thousandth chunk of an artifact costs no more than the first; `task()` puts them
    together and remembers the result until the next event.
    """

    pieces: ClassVar[type[Pieces]] = Pieces
    """What an artifact is kept in, which decides what a chunk may change."""

    def __init__(self, task: Task) -> None:
        self.status = task.status
        self.state = task.status.state
        self._task = task
        self._metadata = task.metadata
        self._frozen: Task | None = task
        self._history = list(task.history)
        self._is_question_kept = _is_kept(task)
        self._pieces = {artifact.artifact_id: self.pieces(artifact) for artifact in task.artifacts or ()}

    @property
    def history_length(self) -> int:
        return len(self._history)

    def get_parts(self, artifact_id: str) -> list[Part] | None:
        """The parts of an artifact, not to be changed; None if it is not known."""
        pieces = self._pieces.get(artifact_id)
        return None if pieces is None else pieces.parts

    def apply(self, event: TaskStatusUpdateEvent | TaskArtifactUpdateEvent) -> None:
        match event:
            case TaskStatusUpdateEvent():
                self._set_status(event)
            case TaskArtifactUpdateEvent():
                self._add_artifact(event)

    def receive(self, message: Message) -> None:
        """A message of the caller joins the history, behind the question that it answers."""
        question = self.status.message
        if question is not None and self.state.is_interrupted and not self._is_question_kept:
            self._history.append(question)
            self._is_question_kept = True
        self._history.append(message)
        self._frozen = None

    def task(self) -> Task:
        """The task as it stands, artifacts and whole history included."""
        if self._frozen is None:
            artifacts = tuple(pieces.artifact() for pieces in self._pieces.values()) or self._task.artifacts
            self._frozen = replace(
                self._task,
                status=self.status,
                artifacts=artifacts,
                history=tuple(self._history),
                metadata=self._metadata,
            )
        return self._frozen

    def _set_status(self, event: TaskStatusUpdateEvent) -> None:
        self.status = event.status
        self.state = event.status.state
        if event.metadata:
            self._metadata = {**(self._metadata or {}), **event.metadata}
        self._is_question_kept = False
        self._frozen = None

    def _add_artifact(self, event: TaskArtifactUpdateEvent) -> None:
        known = self._pieces.get(event.artifact.artifact_id)
        if known is not None and event.append:
            known.extend(event.artifact)
        else:  # appending to an artifact that nobody has seen creates it; the sources leave this open
            self._pieces[event.artifact.artifact_id] = self.pieces(event.artifact)
        self._frozen = None


def _is_kept(task: Task) -> bool:
    """Whether the history has the question that the status asks: it has been answered once, then."""
    question = task.status.message
    return question is not None and any(said.message_id == question.message_id for said in task.history)
