"""How events make a task: the one fold that everybody shares (SPEC 1.4)."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from dragoman.model import (
    Artifact,
    Message,
    Part,
    Role,
    Task,
    TaskArtifactUpdateEvent,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
)
from dragoman.model.folding import TaskFold
from dragoman.wire import codec


def say(text: str, role: Role = Role.USER) -> Message:
    return Message(message_id=f"m-{text}", role=role, parts=(Part.of_text(text),))


def status(state: TaskState, text: str = "", metadata: dict | None = None) -> TaskStatusUpdateEvent:
    message = say(text, Role.AGENT) if text else None
    return TaskStatusUpdateEvent(
        task_id="t", context_id="c", status=TaskStatus(state=state, message=message), metadata=metadata
    )


def artifact(
    text: str, artifact_id: str = "a", *, append: bool = False, **options: Any
) -> TaskArtifactUpdateEvent:
    return TaskArtifactUpdateEvent(
        task_id="t",
        context_id="c",
        artifact=Artifact(artifact_id=artifact_id, parts=(Part.of_text(text),), **options),
        append=append,
    )


def new_task(**options: Any) -> Task:
    return Task(
        id="t",
        context_id="c",
        status=TaskStatus(state=TaskState.SUBMITTED),
        history=(say("hi"),),
        **options,
    )


def fold(
    *events: TaskStatusUpdateEvent | TaskArtifactUpdateEvent | Message, task: Task | None = None
) -> Task:
    folding = TaskFold(task or new_task())
    for event in events:
        if isinstance(event, Message):
            folding.receive(event)
        else:
            folding.apply(event)
    return folding.task()


def said(task: Task) -> list[str]:
    return [message.text for message in task.history]


def test_no_events_leave_the_task_as_it_is():
    task = new_task()
    assert TaskFold(task).task() is task


def test_a_status_replaces_the_one_before():
    task = fold(status(TaskState.WORKING, "on it"), status(TaskState.COMPLETED))
    assert task.status == TaskStatus(state=TaskState.COMPLETED)
    assert task.artifacts is UNSET


def test_metadata_of_statuses_gathers_on_the_task():
    task = fold(
        status(TaskState.WORKING, metadata={"a": 1, "b": 1}),
        status(TaskState.WORKING),
        status(TaskState.WORKING, metadata={"b": 2}),
        task=new_task(metadata={"z": 0}),
    )
    assert task.metadata == {"z": 0, "a": 1, "b": 2}


def test_chunks_are_put_together_in_order_and_stay_separate_parts():
    task = fold(artifact("one "), artifact("two ", append=True), artifact("three", append=True))
    assert task.artifacts
    assert [part.text for part in task.artifacts[0].parts] == ["one ", "two ", "three"]
    assert task.text == "one two three"


def test_an_artifact_that_is_not_appended_to_is_replaced_in_its_place():
    task = fold(artifact("one"), artifact("other", "b"), artifact("two", append=True), artifact("new"))
    assert task.artifacts
    assert [(one.artifact_id, one.text) for one in task.artifacts] == [("a", "new"), ("b", "other")]


def test_appending_to_an_artifact_that_nobody_has_seen_creates_it():
    assert fold(artifact("x", append=True)).text == "x"


def test_a_chunk_adds_metadata_and_changes_nothing_else():
    task = fold(
        artifact("x", name="result", extensions=("e",), metadata={"a": 1}),
        artifact("y", append=True, name="no", description="no", extensions=("no",), metadata={"b": 2}),
        artifact("z", append=True),
    )
    assert task.artifacts
    [made] = task.artifacts
    assert (made.name, made.description, made.extensions) == ("result", "", ("e",))
    assert made.metadata == {"a": 1, "b": 2}


def test_chunks_extend_artifacts_that_the_task_began_with():
    before = new_task(artifacts=(Artifact(artifact_id="a", parts=(Part.of_text("old "),)),))
    assert fold(artifact("new", append=True), task=before).text == "old new"
    assert before.text == "old "


def test_an_empty_list_of_artifacts_stays_one():
    assert fold(status(TaskState.WORKING), task=new_task(artifacts=())).artifacts == ()


def test_a_question_joins_the_history_with_its_answer():
    task = fold(status(TaskState.INPUT_REQUIRED, "name?"), say("Ada"))
    assert said(task) == ["hi", "name?", "Ada"]


def test_a_question_with_two_answers_is_in_the_history_once():
    task = fold(status(TaskState.INPUT_REQUIRED, "name?"), say("Ada"), say("36"))
    assert said(task) == ["hi", "name?", "Ada", "36"]


def test_a_question_that_is_asked_again_is_in_the_history_again():
    question = status(TaskState.AUTH_REQUIRED, "log in")
    task = fold(question, say("done"), status(TaskState.WORKING), question, say("really"))
    assert said(task) == ["hi", "log in", "done", "log in", "really"]


def test_what_an_agent_says_while_it_works_is_not_history():
    task = fold(status(TaskState.WORKING, "on it"), say("and?"), status(TaskState.COMPLETED, "done"))
    assert said(task) == ["hi", "and?"]


def test_a_question_without_words_leaves_no_trace():
    assert said(fold(status(TaskState.INPUT_REQUIRED), say("Ada"))) == ["hi", "Ada"]


def test_a_fold_that_goes_on_leaves_what_it_gave_out_alone():
    folding = TaskFold(new_task())
    folding.apply(artifact("one"))
    first = folding.task()
    assert folding.task() is first
    folding.apply(artifact(" two", append=True))
    folding.receive(say("more"))
    assert first.text == "one"
    assert said(first) == ["hi"]
    assert folding.history_length == 2
    assert folding.task().text == "one two"


_events = st.one_of(
    st.builds(status, st.sampled_from(TaskState), st.sampled_from(["", "a?", "b?"])),
    st.builds(artifact, st.sampled_from(["x", "y"]), st.sampled_from(["a", "b"]), append=st.booleans()),
    st.builds(say, st.sampled_from(["one", "two"])),
)


@given(events=st.lists(_events, max_size=15), at=st.integers(0, 15))
def test_a_snapshot_anywhere_and_what_comes_after_make_the_same_task(events: list, at: int):
    whole = fold(*events)
    snapshot = codec.decode(Task, codec.encode(fold(*events[:at])))
    assert said(fold(*events[at:], task=snapshot)) == said(whole) or _asks_twice(events)
    rest = fold(*events[at:], task=snapshot)
    assert (rest.status, rest.artifacts or ()) == (whole.status, whole.artifacts or ())


def _asks_twice(events: list) -> bool:
    """A question with the id of an earlier one: a snapshot cannot tell whether it was answered."""
    asked = [
        event.status.message.message_id
        for event in events
        if isinstance(event, TaskStatusUpdateEvent) and event.status.message
    ]
    return len(asked) != len(set(asked))
