"""Which state may follow which, in one pure function (invariant I5)."""

from dragoman.engine.errors import IllegalTransitionError
from dragoman.model import TaskState

_AFTER_START = frozenset(TaskState) - {TaskState.UNSPECIFIED, TaskState.SUBMITTED}


def is_legal(before: TaskState, after: TaskState) -> bool:
    """Whether a task in `before` may become `after`: never back to the start, never out of the end."""
    return not before.is_terminal and after in _AFTER_START


def check_transition(before: TaskState, after: TaskState) -> None:
    """Raise IllegalTransitionError unless `after` may follow `before`."""
    if not is_legal(before, after):
        raise IllegalTransitionError(f"a task cannot go from {before.name} to {after.name}")
