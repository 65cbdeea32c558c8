"""How much of a task a caller gets to see."""

from msgspec import UNSET
from msgspec.structs import replace

from dragoman.model import Task


def project(task: Task, history_length: int | None, *, include_artifacts: bool = True) -> Task:
    """The task with at most `history_length` of its latest messages, all if None (PAR-01 to PAR-04, D-28).

    Without artifacts the member is absent, not empty (LST-01).
    """
    if history_length is not None and len(task.history) > history_length:
        task = replace(task, history=task.history[len(task.history) - history_length :])
    if not include_artifacts and task.artifacts is not UNSET:
        task = replace(task, artifacts=UNSET)
    return task
