"""A task put together from its events."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from dragoman.client.folding import TaskView
from dragoman.model import Artifact, Part, Task, TaskArtifactUpdateEvent, TaskState
from tests.unit.client.scripted import artifact, chunk, says_message, status, task


def look(view: TaskView) -> Task:
    assert view.task is not None
    return view.task


def get_artifacts(view: TaskView) -> tuple[Artifact, ...]:
    return look(view).artifacts or ()


def fold(*events) -> TaskView:
    view = TaskView()
    for event in events:
        view.apply(event)
    return view


def test_a_chunk_is_appended_to_its_artifact():
    view = fold(task(TaskState.WORKING), chunk("He", append=False), chunk("llo"))
    assert view.task == task(TaskState.WORKING, artifacts=(artifact("He", "llo"),))


def test_a_chunk_of_an_unknown_artifact_creates_it():
    assert look(fold(task(TaskState.WORKING), chunk("Hello"))).text == "Hello"


def test_an_update_without_append_replaces_the_artifact():
    view = fold(task(TaskState.WORKING, "old"), chunk("new", append=False))
    assert look(view).text == "new"


def say_more(text: str, **about: Any) -> TaskArtifactUpdateEvent:
    """A chunk that says something about its artifact."""
    plain = chunk(text)
    return replace(plain, artifact=replace(plain.artifact, **about))


@pytest.mark.parametrize(
    "first, then, whole",
    [
        ({}, {"name": "song"}, {"name": "song"}),
        ({"name": "draft"}, {"name": "song"}, {"name": "song"}),
        ({"name": "song"}, {}, {"name": "song"}),
        ({"description": "half"}, {"description": "whole"}, {"description": "whole"}),
        ({"description": "half"}, {"name": "song"}, {"description": "half", "name": "song"}),
        ({"metadata": {"x": 1, "y": 1}}, {"metadata": {"x": 2}}, {"metadata": {"x": 2, "y": 1}}),
        ({"extensions": ("e", "f")}, {"extensions": ("g", "e")}, {"extensions": ("e", "f", "g")}),
    ],
)
def test_a_chunk_adds_what_it_says_about_the_artifact(first, then, whole):
    view = fold(task(TaskState.WORKING), say_more("a", **first), say_more("b", **then))
    assert get_artifacts(view) == (replace(artifact("a", "b"), **whole),)


def test_a_status_replaces_the_status():
    view = fold(task(TaskState.WORKING), status(TaskState.COMPLETED, "done"))
    assert view.state is TaskState.COMPLETED
    assert view.is_settled
    assert look(view).text == "done"


def test_a_stream_that_starts_without_a_task_has_one():
    assert fold(status(TaskState.WORKING)).task == task(TaskState.WORKING)
    assert fold(chunk("x")).task == task(TaskState.WORKING, "x")


def test_a_message_is_an_answer():
    view = fold(says_message("hi", context_id="c9"))
    assert view.is_settled
    assert (view.task, view.context_id) == (None, "c9")


def test_events_of_another_task_are_left_alone():
    view = fold(
        task(TaskState.WORKING), status(TaskState.COMPLETED, id="other"), task(TaskState.FAILED, id="other")
    )
    assert view.task == task(TaskState.WORKING)


def test_a_snapshot_replaces_what_is_known():
    view = fold(task(TaskState.WORKING, "half"), task(TaskState.COMPLETED, "whole"))
    assert view.task == task(TaskState.COMPLETED, "whole")


def test_a_snapshot_without_artifacts_forgets_none():
    view = fold(task(TaskState.WORKING, "text"), task(TaskState.COMPLETED))
    assert view.task == task(TaskState.COMPLETED, "text")


def is_asking(view: TaskView) -> bool:
    return view.is_interrupted


def test_a_question_that_was_answered_is_no_question_until_the_agent_says_something_new():
    view = fold(task(TaskState.INPUT_REQUIRED, says="which?"))
    assert is_asking(view)
    view.mark_answered()
    view.apply(task(TaskState.INPUT_REQUIRED, says="which?"))
    assert not is_asking(view)
    view.apply(status(TaskState.INPUT_REQUIRED, "which color?"))
    assert is_asking(view)


def test_a_snapshot_teaches_its_history_and_metadata():
    view = fold(task(TaskState.WORKING, "x", metadata={"a": 1}))
    view.learn(task(TaskState.FAILED, history=(says_message("hi"),), metadata={"b": 2}))
    assert view.task == task(TaskState.WORKING, "x", history=(says_message("hi"),), metadata={"a": 1, "b": 2})


def test_a_snapshot_of_another_task_teaches_nothing():
    view = fold(task(TaskState.WORKING, "x"))
    view.learn(task(TaskState.WORKING, id="other", metadata={"b": 2}))
    assert view.task == task(TaskState.WORKING, "x")


def test_an_artifact_that_is_forgotten_leaves_the_others():
    view = fold(task(TaskState.WORKING), chunk("a", id="a1"), chunk("b", id="a2"))
    view.forget("a1")
    assert [one.artifact_id for one in get_artifacts(view)] == ["a2"]
    assert (view.get_parts("a1"), view.get_parts("a2")) == (None, [Part.of_text("b")])


def test_a_task_whose_only_artifact_is_forgotten_has_none():
    view = fold(task(TaskState.WORKING), chunk("a"))
    view.forget("a1")
    assert view.task == task(TaskState.WORKING)


def test_a_view_and_its_copy_go_their_own_ways():
    view = fold(task(TaskState.INPUT_REQUIRED, says="which?"), chunk("a"))
    view.mark_answered()
    other = view.copy()
    other.apply(chunk("b"))
    assert (look(view).text, look(other).text) == ("a", "ab")
    assert not is_asking(other)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.text(max_size=3)), max_size=30))
def test_folding_is_the_naive_fold(updates):
    expected: dict[str, list[str]] = {}
    view = fold(task(TaskState.WORKING))
    for name, append, text in updates:
        view.apply(chunk(text, append=append, id=name))
        expected[name] = [*(expected.get(name, []) if append else []), text]
        assert view.task is not None  # made after every event, so that none is missed
    found = {entry.artifact_id: [part.text for part in entry.parts] for entry in get_artifacts(view)}
    assert found == expected


def test_a_long_artifact_costs_no_more_than_its_chunks():
    """Copying what is there for each chunk would take minutes here."""
    view = fold(task(TaskState.WORKING))
    for _ in range(200_000):
        view.apply(chunk("x"))
    assert len(look(view).text) == 200_000
