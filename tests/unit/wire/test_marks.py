"""Marks in the metadata of events."""

import pytest

from dragoman.model import (
    Artifact,
    Message,
    Part,
    Role,
    StreamResponse,
    Task,
    TaskArtifactUpdateEvent,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
    wrap_event,
)
from dragoman.wire.marks import MARKS_EXTENSION, MAX_MARK_CHARS, add_mark, take_mark

STATUS = TaskStatus(state=TaskState.WORKING)
ARTIFACT = Artifact(artifact_id="a", parts=(Part.of_text("x"),))
EVENTS = [
    Task(id="t", status=STATUS),
    Task(id="t", status=STATUS, metadata={"mine": 1}),
    TaskStatusUpdateEvent(task_id="t", context_id="c", status=STATUS, metadata={"mine": 1}),
    TaskArtifactUpdateEvent(task_id="t", context_id="c", artifact=ARTIFACT),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_a_mark_that_is_put_on_comes_off_again(event):
    marked = add_mark(wrap_event(event), "7-00ff00ff")
    assert (marked.payload.metadata or {})[MARKS_EXTENSION] == "7-00ff00ff"
    assert take_mark(marked) == ("7-00ff00ff", wrap_event(event))


def test_an_event_without_a_mark_is_left_alone():
    event = wrap_event(Task(id="t", status=STATUS, metadata={"mine": 1}))
    assert take_mark(event) == ("", event)


def test_a_message_has_no_mark():
    event = StreamResponse(message=Message(message_id="m", role=Role.AGENT, parts=(Part.of_text("x"),)))
    assert add_mark(event, "1-0") is event


@pytest.mark.parametrize("mark, read", [(7, ""), (None, ""), ("x" * 1000, "x" * MAX_MARK_CHARS)])
def test_a_strange_mark_does_no_harm(mark, read):
    event = wrap_event(Task(id="t", status=STATUS, metadata={MARKS_EXTENSION: mark}))
    assert take_mark(event) == (read, wrap_event(Task(id="t", status=STATUS)))
