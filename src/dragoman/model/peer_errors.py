"""What a caller sees of an agent that does not behave.

PeerError
 +-- Unreachable       no connection, or it broke and could not be mended
 +-- TimedOut          the caller's own deadline passed
 +-- Rejected          refused by something that does not speak A2A: a proxy, a gateway, a wrong address
 +-- BadResponse       an answer that is not valid A2A, or a card that cannot be read
 +-- CircuitOpen       not even tried, because the last calls failed
 +-- VersionMismatch   no interface in common
"""

from dragoman.model.errors import DragomanError
from dragoman.model.task import Task


class PeerError(DragomanError):
    """An agent could not be asked, or its answer could not be read. `url` is the address that was tried."""

    def __init__(self, message: str, *, url: str = "") -> None:
        super().__init__(message)
        self.url = url


class Unreachable(PeerError):
    """There is no connection to the agent, or it broke and could not be mended."""


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


class TaskFailedError(DragomanError):
    """The task ended without a result: failed, canceled or rejected. `task` says more."""

    def __init__(self, task: Task) -> None:
        state = task.state.name.lower().replace("_", " ")
        super().__init__(f"the task is {state}: {task.text}" if task.text else f"the task is {state}")
        self.task = task


class InputRequiredError(DragomanError):
    """The agent asked something back and nobody was there to answer. `task.text` is the question."""

    def __init__(self, task: Task) -> None:
        super().__init__(f"the agent asks: {task.text}; answer with task.reply(...)")
        self.task = task
