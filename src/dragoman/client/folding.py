"""A task put together from its events (SPEC 1.4). No input or output."""

from typing import Self

from msgspec.structs import replace

from dragoman.model import (
    Artifact,
    Event,
    Message,
    Metadata,
    Part,
    Task,
    TaskArtifactUpdateEvent,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
)


class _Pieces:
    """An artifact that grows: its parts gather in a list, and the record is made when somebody looks."""

    __slots__ = ("_made", "head", "parts")

    def __init__(self, artifact: Artifact) -> None:
        self.head = artifact
        self.parts = list(artifact.parts)
        self._made: Artifact | None = artifact

    def extend(self, chunk: Artifact) -> None:
        self.parts += chunk.parts
        self._made = None
        if (chunk.name, chunk.description, chunk.metadata, chunk.extensions) != ("", "", None, ()):
            self.head = _merge_heads(self.head, chunk)

    def make(self) -> Artifact:
        if self._made is None:
            self._made = replace(self.head, parts=tuple(self.parts))
        return self._made


def _merge_heads(head: Artifact, chunk: Artifact) -> Artifact:
    return replace(
        head,
        name=chunk.name or head.name,
        description=chunk.description or head.description,
        metadata=_merge(head.metadata, chunk.metadata),
        extensions=tuple(dict.fromkeys((*head.extensions, *chunk.extensions))),
    )


def _merge(old: Metadata | None, new: Metadata | None) -> Metadata | None:
    return {**(old or {}), **(new or {})} or None


class TaskView:
    """What is known of one exchange: a task as its events have brought it so far, or a message instead of one.

    `apply` costs what the event brings, however long the artifact has grown; `task` costs a copy after a change.
    """

    def __init__(self) -> None:
        self.message: Message | None = None
        self._task: Task | None = None
        self._artifacts: dict[str, _Pieces] = {}
        self._made: Task | None = None
        self._is_answered = False

    @classmethod
    def of(cls, task: Task) -> Self:
        view = cls()
        view.apply(task)
        return view

    def copy(self) -> Self:
        """A view that goes its own way from here."""
        view = type(self)()
        if (task := self.task) is not None:
            view.apply(task)
        view.message = self.message
        if self._is_answered:
            view.mark_answered()
        return view

    @property
    def task(self) -> Task | None:
        """The task with everything that was applied; None while there is none."""
        if self._made is None and self._task is not None:
            made = tuple(pieces.make() for pieces in self._artifacts.values())
            self._made = replace(self._task, artifacts=made or self._task.artifacts)
        return self._made

    @property
    def task_id(self) -> str:
        return self._task.id if self._task else ""

    @property
    def context_id(self) -> str:
        return self._task.context_id if self._task else self.message.context_id if self.message else ""

    @property
    def state(self) -> TaskState:
        return self._task.state if self._task else TaskState.UNSPECIFIED

    @property
    def status(self) -> TaskStatus | None:
        return self._task.status if self._task else None

    @property
    def is_terminal(self) -> bool:
        return self.message is not None or self.state.is_terminal

    @property
    def is_interrupted(self) -> bool:
        """Whether the agent waits for the caller, who has not answered yet."""
        return self.state.is_interrupted and not self._is_answered

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will come without the caller."""
        return self.is_terminal or self.is_interrupted

    def get_parts(self, artifact_id: str) -> list[Part] | None:
        """The parts of an artifact, not to be changed; None if it is not known."""
        pieces = self._artifacts.get(artifact_id)
        return None if pieces is None else pieces.parts

    def mark_answered(self) -> None:
        """The caller has answered what the agent asked: until it says something new, it is not asking."""
        self._is_answered = True

    def apply(self, event: Event) -> None:
        """Take in one event; what belongs to another task is left alone."""
        self._made = None
        match event:
            case Message():
                self.message = event
            case Task():
                self._take_task(event)
            case TaskStatusUpdateEvent():
                self._ensure_task(event.task_id, event.context_id, event.status)
                if event.task_id == self.task_id:
                    self._take_status(event.status, event.metadata)
            case TaskArtifactUpdateEvent():
                self._ensure_task(event.task_id, event.context_id, TaskStatus(state=TaskState.WORKING))
                if event.task_id == self.task_id:
                    self._take_artifact(event)

    def learn(self, task: Task) -> None:
        """Take in what no event says: the context, the history and the metadata of a snapshot."""
        if self._task is None or task.id != self._task.id:
            return
        self._made = None
        self._task = replace(
            self._task,
            context_id=task.context_id or self._task.context_id,
            history=task.history or self._task.history,
            metadata=_merge(self._task.metadata, task.metadata),
        )

    def forget(self, artifact_id: str) -> None:
        """There is no such artifact after all."""
        self._artifacts.pop(artifact_id, None)
        self._made = None
        if self._task is not None:
            self._task = replace(self._task, artifacts=None)

    def _take_task(self, task: Task) -> None:
        if self._task is not None and task.id != self._task.id:
            return
        self._note_status(task.status)
        self._task = task
        # A snapshot without artifacts may come from an agent that leaves them out: what is known stays known.
        if task.artifacts:
            self._artifacts = {artifact.artifact_id: _Pieces(artifact) for artifact in task.artifacts}

    def _ensure_task(self, task_id: str, context_id: str, status: TaskStatus) -> None:
        """Streams of some agents start without the task (against STR-04)."""
        if self._task is None:
            self._task = Task(id=task_id, context_id=context_id, status=status)

    def _take_status(self, status: TaskStatus, metadata: Metadata | None) -> None:
        assert self._task is not None
        self._note_status(status)
        self._task = replace(self._task, status=status, metadata=_merge(self._task.metadata, metadata))

    def _note_status(self, status: TaskStatus) -> None:
        if self._task is not None and not is_same_status(self._task.status, status):
            self._is_answered = False

    def _take_artifact(self, event: TaskArtifactUpdateEvent) -> None:
        artifact = event.artifact
        pieces = self._artifacts.get(artifact.artifact_id)
        if event.append and pieces is not None:
            pieces.extend(artifact)
        else:
            self._artifacts[artifact.artifact_id] = _Pieces(artifact)


def is_same_status(known: TaskStatus, seen: TaskStatus) -> bool:
    """Whether two statuses are one; a time that one of them lacks does not part them."""
    times = {status.timestamp for status in (known, seen) if status.timestamp is not None}
    return known.state is seen.state and known.message == seen.message and len(times) < 2
