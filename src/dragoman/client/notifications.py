"""What a webhook brings, and why it may be refused.

NotificationError
 +-- MalformedNotificationError      400  not an event of A2A
 +-- NotAuthenticError               401  nothing proves whence it comes, or it was changed on the way
 |    +-- StaleNotificationError     401  it was sent too long ago: perhaps a copy
 +-- UnexpectedTaskError             404  it tells of a task that nobody here asked about
 +-- NotificationTooLargeError       413  it is larger than the receiver takes
"""

from dataclasses import dataclass
from typing import ClassVar

from dragoman.model import (
    DragomanError,
    Event,
    Message,
    Task,
    TaskArtifactUpdateEvent,
    TaskStatusUpdateEvent,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One event of a task, from an agent that proved itself.

    `id` is the same at every attempt to deliver it, and empty if the agent gives none. `is_signed` and `has_token` say what
    the proof was; a receiver that knows no secrets, or no tokens, does not look at those.
    """

    event: Event
    task_id: str
    id: str = ""
    is_signed: bool = False
    has_token: bool = False


class NotificationError(DragomanError):
    """A notification that is refused with the HTTP status `status`. The text is for the operator, not for the sender."""

    status: ClassVar[int] = 400


class MalformedNotificationError(NotificationError):
    """It is not an event of A2A."""


class NotAuthenticError(NotificationError):
    """Nothing proves that it comes from the agent (PSH-11)."""

    status = 401


class StaleNotificationError(NotAuthenticError):
    """It was sent too long ago, and may be a copy (PSH-20)."""


class UnexpectedTaskError(NotificationError):
    """Nobody here asked to be told about the task (PSH-04)."""

    status = 404


class NotificationTooLargeError(NotificationError):
    """It has more bytes than the receiver takes."""

    status = 413


def task_id_of(event: Event) -> str:
    """The task that an event belongs to; empty for a message that belongs to none."""
    match event:
        case Task():
            return event.id
        case Message() | TaskStatusUpdateEvent() | TaskArtifactUpdateEvent():
            return event.task_id
