"""What a stream, a webhook and a reply carry (SPEC 1.4)."""

from typing import TypeAlias

from dragoman.model.base import Metadata, Record, RequiredText
from dragoman.model.task import Artifact, Message, Task, TaskStatus


class TaskStatusUpdateEvent(Record, frozen=True, kw_only=True):
    """A task changed its state, or said something about it."""

    task_id: RequiredText
    context_id: RequiredText
    status: TaskStatus
    metadata: Metadata | None = None


class TaskArtifactUpdateEvent(Record, frozen=True, kw_only=True):
    """An artifact, or the next piece of one.

    `append` false creates or replaces the artifact with that id; true adds the parts to it. `last_chunk` closes it.
    """

    task_id: RequiredText
    context_id: RequiredText
    artifact: Artifact
    append: bool = False
    last_chunk: bool = False
    metadata: Metadata | None = None


Event: TypeAlias = Task | Message | TaskStatusUpdateEvent | TaskArtifactUpdateEvent
"""What a subscriber sees, unwrapped."""


class SendMessageResponse(Record, frozen=True, kw_only=True):
    """The answer to SendMessage: exactly one of `task` and `message`."""

    task: Task | None = None
    message: Message | None = None

    def __post_init__(self) -> None:
        if (self.task is None) == (self.message is None):
            raise ValueError("a reply has exactly one of 'task' and 'message'")

    @property
    def payload(self) -> Task | Message:
        payload = self.task or self.message
        assert payload is not None  # held by __post_init__
        return payload


class StreamResponse(Record, frozen=True, kw_only=True):
    """One event of a stream or webhook: exactly one member is set (PSH-18)."""

    task: Task | None = None
    message: Message | None = None
    status_update: TaskStatusUpdateEvent | None = None
    artifact_update: TaskArtifactUpdateEvent | None = None

    def __post_init__(self) -> None:
        # Added up by hand, as in Part: this is on the path of every event.
        set_members = (
            (self.task is not None)
            + (self.message is not None)
            + (self.status_update is not None)
            + (self.artifact_update is not None)
        )
        if set_members != 1:
            raise ValueError(
                "an event has exactly one of 'task', 'message', 'statusUpdate' and 'artifactUpdate'"
            )

    @property
    def payload(self) -> Event:
        payload = self.task or self.message or self.status_update or self.artifact_update
        assert payload is not None  # held by __post_init__
        return payload


def wrap_reply(payload: Task | Message) -> SendMessageResponse:
    """The reply that holds it."""
    return (
        SendMessageResponse(task=payload)
        if isinstance(payload, Task)
        else SendMessageResponse(message=payload)
    )


def wrap_event(payload: Event) -> StreamResponse:
    """The event of a stream that holds it."""
    match payload:
        case Task():
            return StreamResponse(task=payload)
        case Message():
            return StreamResponse(message=payload)
        case TaskStatusUpdateEvent():
            return StreamResponse(status_update=payload)
        case TaskArtifactUpdateEvent():
            return StreamResponse(artifact_update=payload)
