"""What goes wrong between the engine and a run."""

import logging
import secrets
import sys

from dragoman.model import DragomanError

logger = logging.getLogger("dragoman.engine")


class RunEndedError(DragomanError):
    """The run no longer owns its task: canceled, timed out, ended or taken over. Nothing it does counts any more."""


class IllegalTransitionError(DragomanError):
    """A change of state that the lifecycle does not know, such as anything after a terminal state (I5)."""


class NonDeterminismError(DragomanError):
    """A resumed skill did not do what its first run did; the message names both."""


def log_and_refer(what: str) -> str:
    """Log the exception that is being handled, and return what a peer may know of it: where to find it (I12)."""
    reference = secrets.token_hex(4)
    logger.error("%s (ref %s)", what, reference, exc_info=sys.exception())
    return f"internal error (ref {reference})"
