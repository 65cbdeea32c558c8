"""What goes wrong between the engine and a run."""

import logging
import secrets
import sys

from dragoman.model import DragomanError, UnavailableError

logger = logging.getLogger("dragoman.engine")


class RunEndedError(DragomanError):
    """The run no longer owns its task: canceled, timed out, ended or taken over. Nothing it does counts any more."""


class HeldElsewhereError(UnavailableError):
    """A live process runs the task, and it is not this one."""

    default_message = "another process runs this task; try again"


class DuplicateSendError(UnavailableError):
    """The caller has sent this before, under the same key; the first task is the answer."""


class OvertakenError(UnavailableError):
    """Another process has taken the task over; what was to be written last is not on its log, unless it was posted."""

    is_posted = False


class IllegalTransitionError(DragomanError):
    """A change of state that the lifecycle does not know, such as anything after a terminal state (I5)."""


class StepFailedError(DragomanError):
    """A step raised an error, in this run of the task or in an earlier one; `kind` is the name of that error's type."""

    def __init__(self, step: str, kind: str, message: str) -> None:
        super().__init__(
            f"step {step!r} failed: {kind}: {message}" if message else f"step {step!r} failed: {kind}"
        )
        self.step = step
        self.kind = kind
        self.message = message


class NonDeterminismError(DragomanError):
    """A resumed skill did not do what its first run did; the message names both."""


def log_and_refer(what: str) -> str:
    """Log the exception that is being handled, and return what a peer may know of it: where to find it (I12)."""
    reference = secrets.token_hex(4)
    logger.error("%s (ref %s)", what, reference, exc_info=sys.exception())
    return f"internal error (ref {reference})"
