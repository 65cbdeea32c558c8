"""Tasks, the messages that drive them and the artifacts that come of them (SPEC 1.2, 1.3)."""

import enum
from typing import Annotated, Self

from msgspec import UNSET, Meta, UnsetType

from dragoman.model.base import JSON, Metadata, Record, RequiredText
from dragoman.model.timestamps import Timestamp


class Role(enum.Enum):
    """Who speaks in a message."""

    USER = "ROLE_USER"
    AGENT = "ROLE_AGENT"


_TERMINAL = ("TASK_STATE_COMPLETED", "TASK_STATE_FAILED", "TASK_STATE_CANCELED", "TASK_STATE_REJECTED")
_INTERRUPTED = ("TASK_STATE_INPUT_REQUIRED", "TASK_STATE_AUTH_REQUIRED")


class TaskState(enum.Enum):
    """Where a task stands. Terminal states are final; interrupted ones wait for the caller.

    A blocking caller gets its answer when the state is settled, which is either (SND-08).
    """

    UNSPECIFIED = "TASK_STATE_UNSPECIFIED"
    SUBMITTED = "TASK_STATE_SUBMITTED"
    WORKING = "TASK_STATE_WORKING"
    COMPLETED = "TASK_STATE_COMPLETED"
    FAILED = "TASK_STATE_FAILED"
    CANCELED = "TASK_STATE_CANCELED"
    INPUT_REQUIRED = "TASK_STATE_INPUT_REQUIRED"
    REJECTED = "TASK_STATE_REJECTED"
    AUTH_REQUIRED = "TASK_STATE_AUTH_REQUIRED"

    def __init__(self, value: str) -> None:
        self.is_terminal = value in _TERMINAL
        self.is_interrupted = value in _INTERRUPTED
        self.is_settled = self.is_terminal or self.is_interrupted

    # There is one of each, and the hash of an Enum is worked out from its name, in Python.
    __hash__ = object.__hash__


class Part(Record, frozen=True, kw_only=True):
    """One piece of content: exactly one of `text`, `raw`, `url` and `data` (D-33, JSN-14).

    Make one with `Part.of_text`, `Part.of_bytes`, `Part.of_url` or `Part.of_data`; `Part.of_data(None)` is a real
    part that holds JSON null.
    """

    text: str | UnsetType = UNSET
    raw: bytes | UnsetType = UNSET
    url: str | UnsetType = UNSET
    data: JSON = UNSET
    metadata: Metadata | None = None
    filename: str = ""
    media_type: str = ""

    def __post_init__(self) -> None:
        if self.text is not UNSET and self.raw is self.url is self.data is UNSET:
            return  # as nearly all are
        # Added up by hand: a loop would cost more than decoding the part does.
        set_members = (
            (self.text is not UNSET)
            + (self.raw is not UNSET)
            + (self.url is not UNSET)
            + (self.data is not UNSET)
        )
        if set_members != 1:
            raise ValueError("a part has exactly one of 'text', 'raw', 'url' and 'data'")

    @classmethod
    def of_text(cls, text: str, *, media_type: str = "", metadata: Metadata | None = None) -> Self:
        return cls(text=text, media_type=media_type, metadata=metadata)

    @classmethod
    def of_bytes(
        cls, raw: bytes, *, media_type: str = "", filename: str = "", metadata: Metadata | None = None
    ) -> Self:
        return cls(raw=raw, media_type=media_type, filename=filename, metadata=metadata)

    @classmethod
    def of_url(
        cls, url: str, *, media_type: str = "", filename: str = "", metadata: Metadata | None = None
    ) -> Self:
        return cls(url=url, media_type=media_type, filename=filename, metadata=metadata)

    @classmethod
    def of_data(cls, data: JSON, *, media_type: str = "", metadata: Metadata | None = None) -> Self:
        return cls(data=data, media_type=media_type, metadata=metadata)


class Message(Record, frozen=True, kw_only=True):
    """One turn of a conversation. Results belong in artifacts, not in messages (MSG-01)."""

    message_id: RequiredText
    role: Role
    parts: Annotated[tuple[Part, ...], Meta(min_length=1)]
    context_id: str = ""
    task_id: str = ""
    metadata: Metadata | None = None
    extensions: tuple[str, ...] = ()
    reference_task_ids: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Its text parts, a line each; empty when there are none."""
        return join_text(self.parts)


class Artifact(Record, frozen=True, kw_only=True):
    """A result of a task, or a piece of one. `artifact_id` is unique inside the task (JSN-14)."""

    artifact_id: RequiredText
    parts: Annotated[tuple[Part, ...], Meta(min_length=1)]
    name: str = ""
    description: str = ""
    metadata: Metadata | None = None
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Its text parts joined as they stand, for they may be chunks of one text."""
        return "".join(part.text for part in self.parts if isinstance(part.text, str))


class TaskStatus(Record, frozen=True, kw_only=True):
    """The state of a task, since when, and what the agent says about it."""

    state: TaskState
    message: Message | None = None
    timestamp: Timestamp | None = None


class Task(Record, frozen=True, kw_only=True):
    """A piece of work. The server makes its id (CTX-12) and always names its context (D-16)."""

    id: RequiredText
    context_id: str = ""
    status: TaskStatus
    artifacts: tuple[Artifact, ...] | UnsetType = UNSET
    history: tuple[Message, ...] = ()
    metadata: Metadata | None = None

    @property
    def state(self) -> TaskState:
        return self.status.state

    @property
    def text(self) -> str:
        """What the task has to say in text: its artifacts, a line each, else its status message."""
        lines = [text for artifact in self.artifacts or () if (text := artifact.text)]
        if not lines and self.status.message is not None:
            return self.status.message.text
        return "\n".join(lines)


def join_text(parts: tuple[Part, ...]) -> str:
    """The text parts among `parts`, a line each."""
    return "\n".join([part.text for part in parts if isinstance(part.text, str)])
