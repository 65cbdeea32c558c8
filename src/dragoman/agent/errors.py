"""What an author is told: while an agent is being written, and when an agent that it calls fails."""

from dragoman.model import DragomanError, SkillError, Task


class AuthoringError(DragomanError, TypeError):
    """A function that cannot be a skill, or an agent that cannot be built; the message says what to change."""


class CallFailedError(SkillError):
    """The task of an agent that was called ended without a result: failed, canceled or rejected. `task` says more.

    Let through, it fails the skill's own task with the same words.
    """

    def __init__(self, peer: str, task: Task) -> None:
        state = task.state.name.lower().replace("_", " ")
        words = f"{peer}: the task is {state}"
        super().__init__(f"{words}: {task.text}" if task.text else words)
        self.task = task
