"""A task put together from its events (SPEC 1.4). No input or output.

It is the fold of the model, with what a caller has to bear of agents that are not ours: streams that begin without their task,
events of other tasks, snapshots that leave artifacts out, and chunks that rename what they are appended to. And it knows
of answers that are no task, and of questions that the caller has answered.
"""

from typing import Self

from msgspec import UNSET
from msgspec.structs import replace

from dragoman.model import (
    Artifact,
    Event,
    Message,
    Part,
    Task,
    TaskArtifactUpdateEvent,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
)
from dragoman.model.folding import Pieces, TaskFold


class _Pieces(Pieces):
    """A chunk may give the artifact another name and description, and adds its extensions: the sources leave it open."""

    __slots__ = ()

    def extend(self, chunk: Artifact) -> None:
        super().extend(chunk)
        if (chunk.name, chunk.description, chunk.extensions) != ("", "", ()):
            self.head = replace(
                self.head,
                name=chunk.name or self.head.name,
                description=chunk.description or self.head.description,
                extensions=tuple(dict.fromkeys((*self.head.extensions, *chunk.extensions))),
            )


class _Fold(TaskFold):
    pieces = _Pieces

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.id = task.id
        self.context_id = task.context_id


class TaskView:
    """What is known of one exchange: a task as its events have brought it so far, or a message instead of one.

    `apply` costs what the event brings, however long the artifact has grown; `task` costs a copy after a change.
    """

    def __init__(self) -> None:
        self.message: Message | None = None
        self._fold: _Fold | None = None
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
        return self._fold.task() if self._fold else None

    @property
    def task_id(self) -> str:
        return self._fold.id if self._fold else ""

    @property
    def context_id(self) -> str:
        return self._fold.context_id if self._fold else self.message.context_id if self.message else ""

    @property
    def state(self) -> TaskState:
        return self._fold.state if self._fold else TaskState.UNSPECIFIED

    @property
    def status(self) -> TaskStatus | None:
        return self._fold.status if self._fold else None

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
        return self._fold.get_parts(artifact_id) if self._fold else None

    def mark_answered(self) -> None:
        """The caller has answered what the agent asked: until it says something new, it is not asking."""
        self._is_answered = True

    def apply(self, event: Event) -> None:
        """Take in one event; what belongs to another task is left alone."""
        match event:
            case Message():
                self.message = event
            case Task():
                self._take_task(event)
            case TaskStatusUpdateEvent():
                fold = self._fold or self._begin(event.task_id, event.context_id, event.status)
                if event.task_id == fold.id:
                    self._note_status(event.status)
                    fold.apply(event)
            case TaskArtifactUpdateEvent():
                fold = self._fold or self._begin(event.task_id, event.context_id, _WORKING)
                if event.task_id == fold.id:
                    fold.apply(event)

    def learn(self, task: Task) -> None:
        """Take in what no event says: the context, the history and the metadata of a snapshot."""
        if self._fold is None or task.id != self._fold.id:
            return
        known = self._fold.task()
        self._fold = _Fold(
            replace(
                known,
                context_id=task.context_id or known.context_id,
                history=task.history or known.history,
                metadata={**(known.metadata or {}), **(task.metadata or {})} or None,
            )
        )

    def forget(self, artifact_id: str) -> None:
        """There is no such artifact after all."""
        if self._fold is not None:
            known = self._fold.task()
            others = tuple(one for one in known.artifacts or () if one.artifact_id != artifact_id)
            self._fold = _Fold(replace(known, artifacts=others or UNSET))

    def _take_task(self, task: Task) -> None:
        if self._fold is None:
            self._fold = _Fold(task)
        elif task.id == self._fold.id:
            self._note_status(task.status)
            # A snapshot without artifacts may come from an agent that leaves them out: what is known stays known.
            known = None if task.artifacts else self._fold.task().artifacts
            self._fold = _Fold(replace(task, artifacts=known) if known else task)

    def _begin(self, task_id: str, context_id: str, status: TaskStatus) -> _Fold:
        """Streams of some agents start without the task (against STR-04)."""
        self._fold = _Fold(Task(id=task_id, context_id=context_id, status=status))
        return self._fold

    def _note_status(self, status: TaskStatus) -> None:
        if self._fold is not None and not is_same_status(self._fold.status, status):
            self._is_answered = False


_WORKING = TaskStatus(state=TaskState.WORKING)


def is_same_status(known: TaskStatus, seen: TaskStatus) -> bool:
    """Whether two statuses are one; a time that one of them lacks does not part them."""
    times = {status.timestamp for status in (known, seen) if status.timestamp is not None}
    return known.state is seen.state and known.message == seen.message and len(times) < 2
