"""What goes wrong between the engine and a run."""

from dragoman.model import DragomanError


class RunEndedError(DragomanError):
    """The run no longer owns its task: canceled, timed out, ended or taken over. Nothing it does counts any more."""


class IllegalTransitionError(DragomanError):
    """A change of state that the lifecycle does not know, such as anything after a terminal state (I5)."""


class NonDeterminismError(DragomanError):
    """A resumed skill did not do what its first run did; the message names both."""
