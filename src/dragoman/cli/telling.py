"""What happens to a task, told while it happens."""

from dragoman.cli.exits import Exit
from dragoman.cli.output import Output
from dragoman.cli.parts import show_message, show_part
from dragoman.model import (
    Artifact,
    Event,
    Message,
    Metadata,
    Task,
    TaskArtifactUpdateEvent,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
)

_EXITS = {
    TaskState.COMPLETED: Exit.OK,
    TaskState.INPUT_REQUIRED: Exit.WAITING,
    TaskState.AUTH_REQUIRED: Exit.WAITING,
}


class Teller:
    """Prints the events of one answer as they come: content to stdout, the rest as progress.

    `prior` is the task as it was before: what it held then is not told again.
    """

    def __init__(self, out: Output, prior: Task | None = None) -> None:
        self._out = out
        self._known = {artifact.artifact_id: artifact.parts for artifact in _list_artifacts(prior)}
        self._open_artifact = ""
        self._was_text = False
        self._has_content = False

    def tell(self, event: Event) -> None:
        """What an event brings: content and progress."""
        self.tell_progress(event)
        match event:
            case Message() | Task():
                self.tell_content(event)
            case TaskArtifactUpdateEvent():
                self._tell_chunk(event.artifact)
            case TaskStatusUpdateEvent():
                pass

    def tell_progress(self, event: Event) -> None:
        """What the agent does now."""
        match event:
            case Task() | TaskStatusUpdateEvent():
                self._tell_status(event.status, event.metadata)
            case Message() | TaskArtifactUpdateEvent():
                pass

    def tell_content(self, answer: Task | Message) -> None:
        """Everything that there is of an answer."""
        if isinstance(answer, Message):
            self._say(show_message(answer.parts))
            return
        for artifact in _list_artifacts(answer):
            if self._known.get(artifact.artifact_id) != artifact.parts:
                self._tell_chunk(artifact)

    def tell_state(self, status: TaskStatus | None) -> None:
        """A state that the task has come to, in words of our own."""
        if status is None or status.state.is_terminal:
            return
        words = show_message(status.message.parts) if status.message else ""
        self._out.note(f"the task {name_state(status.state)}{': ' if words else ''}{words}")

    def finish(self, answer: Task | Message) -> Exit:
        """How it ended. The words of a status that ends a task are told if there was nothing else to tell."""
        self._out.end_line()
        if isinstance(answer, Message):
            return Exit.OK
        words = show_message(answer.status.message.parts) if answer.status.message else ""
        if answer.state is TaskState.COMPLETED:
            self._say("" if self._has_content else words)
        elif answer.state.is_interrupted:
            self._say(words)
            if answer.state is TaskState.AUTH_REQUIRED:
                self._out.note(
                    "the task waits for credentials; answer when the agent has them, or with what it asks for"
                )
        else:
            self._out.cross(f"the task {name_state(answer.state)}{': ' if words else ''}{words}")
        return _EXITS.get(answer.state, Exit.FAILED)

    def _tell_status(self, status: TaskStatus, metadata: Metadata | None) -> None:
        if status.state.is_settled:
            return
        words = show_message(status.message.parts) if status.message else ""
        fraction = (metadata or {}).get("progress")
        percent = f"{fraction:.0%}" if isinstance(fraction, int | float) else ""
        self._out.progress(" ".join(filter(None, (percent, words or name_state(status.state)))))

    def _tell_chunk(self, chunk: Artifact) -> None:
        if chunk.artifact_id != self._open_artifact:
            self._out.end_line()
            self._open_artifact = chunk.artifact_id
        for part in chunk.parts:
            is_text = isinstance(part.text, str)
            if not (is_text and self._was_text):
                self._out.end_line()
            self._out.write(show_part(part))
            self._was_text = is_text
            self._has_content = True

    def _say(self, text: str) -> None:
        if text:
            self._out.end_line()
            self._out.say(text)
            self._has_content = True


def name_state(state: TaskState) -> str:
    """`INPUT_REQUIRED` as a person would say it after "the task"."""
    return _NAMES[state]


_NAMES = {
    TaskState.UNSPECIFIED: "is in an unknown state",
    TaskState.SUBMITTED: "waits for its turn",
    TaskState.WORKING: "is working",
    TaskState.COMPLETED: "is completed",
    TaskState.FAILED: "failed",
    TaskState.CANCELED: "was canceled",
    TaskState.INPUT_REQUIRED: "waits for an answer",
    TaskState.REJECTED: "was rejected",
    TaskState.AUTH_REQUIRED: "waits for credentials",
}


def _list_artifacts(task: Task | None) -> tuple[Artifact, ...]:
    return task.artifacts if task is not None and isinstance(task.artifacts, tuple) else ()
