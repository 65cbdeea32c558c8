"""What a caller sees of an agent that does not behave.

PeerError
 +-- Unreachable       no connection, or it broke and could not be mended
 |    +-- NeverSent    no connection, so that the agent cannot have seen what was sent
 +-- TimedOut          the caller's own deadline passed
 +-- Rejected          refused by something that does not speak A2A: a proxy, a gateway, a wrong address
 +-- BadResponse       an answer that is not valid A2A, or a card that cannot be read
 +-- CircuitOpen       not even tried, because the last calls failed
 +-- VersionMismatch   no interface in common
 +-- UntrustedCard     a card whose signature was asked for, and does not prove who wrote it

Its tasks and answers are another matter, and errors of their own: TaskFailedError, InputRequiredError, NoTaskError and NoTextError.
"""

import enum

from dragoman.model.errors import DragomanError
from dragoman.model.task import Message, Task


class PeerError(DragomanError):
    """An agent could not be asked, or its answer could not be read. `url` is the address that was tried."""

    def __init__(self, message: str, *, url: str = "") -> None:
        super().__init__(message)
        self.url = url


class Unreachable(PeerError):
    """There is no connection to the agent, or it broke and could not be mended."""


class NeverSent(Unreachable):
    """There is no connection, and the agent cannot have seen the request: it is safe to send it again."""


class TimedOut(PeerError):
    """The deadline that the caller set has passed; the agent may still be working."""


class Rejected(PeerError):
    """An HTTP refusal without an A2A error in it. `status` is the HTTP status."""

    def __init__(self, message: str, *, status: int, url: str = "") -> None:
        super().__init__(message, url=url)
        self.status = status


class BadResponse(PeerError):
    """The answer is not valid A2A."""


class CircuitOpen(PeerError):
    """The call was not tried, because the last ones to this agent failed."""


class VersionMismatch(PeerError):
    """The agent offers no binding and generation that this client speaks."""


class Distrust(enum.Enum):
    """Why a card is not trusted."""

    UNSIGNED = "UNSIGNED"
    """It has no signature, and one is demanded."""
    MALFORMED = "MALFORMED"
    """What should be a signature cannot be read as one, or the card has no canonical form."""
    ALGORITHM_REFUSED = "ALGORITHM_REFUSED"
    """It names an algorithm that is not allowed, such as `none` or the shared secrets of HS256."""
    UNKNOWN_KEY = "UNKNOWN_KEY"
    """It names a key that is not among the known ones."""
    KEYS_UNAVAILABLE = "KEYS_UNAVAILABLE"
    """The key set could not be read."""
    UNUSABLE_KEY = "UNUSABLE_KEY"
    """The key has expired, was revoked, or is meant for something else."""
    TAMPERED = "TAMPERED"
    """The key is known, and did not sign this card as it is now."""


class UntrustedCard(PeerError):
    """The card does not prove who wrote it; `reason` says in which way."""

    def __init__(self, message: str, *, reason: Distrust, url: str = "") -> None:
        super().__init__(message, url=url)
        self.reason = reason


class TaskFailedError(DragomanError):
    """The task ended without a result: failed, canceled or rejected. `task` says more."""

    def __init__(self, task: Task) -> None:
        state = task.state.name.lower().replace("_", " ")
        super().__init__(f"the task is {state}: {task.text}" if task.text else f"the task is {state}")
        self.task = task


class InputRequiredError(DragomanError):
    """The agent asked something back and nobody was there to answer. `task.text` is the question."""

    def __init__(self, task: Task) -> None:
        way = f"pass on_question to ask(), or answer it with client.task({task.id!r}).reply(...)"
        super().__init__(f"the agent asks: {task.text}; {way}")
        self.task = task


class NoTaskError(DragomanError):
    """The agent answered with a message, where a task was expected. `answer` is the message."""

    def __init__(self, answer: Message) -> None:
        super().__init__("the agent answered with a message and made no task; call it with send() or ask()")
        self.answer = answer


class NoTextError(DragomanError):
    """The agent answered with files alone, where a text was expected. `answer` has them."""

    def __init__(self, answer: Task | Message) -> None:
        super().__init__(
            "the answer holds files and no text; get it with send(), and read the parts of its artifacts"
        )
        self.answer = answer
