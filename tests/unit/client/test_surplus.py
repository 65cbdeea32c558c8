"""What a reader has had of an agent that died before it wrote it down."""

from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.client.folding import TaskView
from dragoman.client.surplus import Surplus
from dragoman.model import Event, Task, TaskArtifactUpdateEvent, TaskState
from tests.unit.client.scripted import chunk, fold, status, task

DONE = status(TaskState.COMPLETED)
words = st.lists(st.text("ab", min_size=1, max_size=2), max_size=5)


def pieces(texts: list[str], *, begins: bool = True) -> list[Event]:
    return [chunk(text, append=not begins or bool(number)) for number, text in enumerate(texts)]


def news(known: Task, kept: Task, *events: Event) -> list[Event]:
    """What the reader of `known`, led back to `kept`, gets of the events."""
    view = TaskView.of(known)
    surplus = Surplus.beyond(kept, view.task)
    found: list[Event] = []
    for event in events:
        for item in surplus.sift(event, view):
            view.apply(item)
            found.append(item)
    return found


def test_what_comes_again_is_no_news():
    known, kept = task(TaskState.WORKING, "a b "), task(TaskState.WORKING, "a ")
    assert news(known, kept, chunk("b "), chunk("c "), DONE) == [chunk("c "), DONE]


def test_what_comes_again_in_another_cut_is_no_news():
    known, kept = task(TaskState.WORKING, "abcd"), task(TaskState.WORKING, "a")
    assert news(known, kept, chunk("b"), chunk("cdef"), DONE) == [chunk("ef"), DONE]


def test_an_artifact_that_was_lost_whole_is_no_news_either():
    known, kept = task(TaskState.WORKING, "ab"), task(TaskState.WORKING)
    assert news(known, kept, chunk("a", append=False), chunk("bc")) == [chunk("c")]


def test_an_artifact_that_goes_on_differently_is_begun_anew():
    known, kept = task(TaskState.WORKING, "abc"), task(TaskState.WORKING, "a")
    found = news(known, kept, chunk("b"), chunk("x"), chunk("y"))
    first, last = found
    assert isinstance(first, TaskArtifactUpdateEvent)
    assert not first.append
    assert fold([known, *found]).text == "abxy"
    assert last == chunk("y")


def test_an_artifact_that_the_agent_begins_anew_is():
    known, kept = task(TaskState.WORKING, "abc"), task(TaskState.WORKING, "a")
    assert news(known, kept, chunk("abc", append=False)) == [chunk("abc", append=False)]


def test_what_the_agent_does_not_say_again_is_taken_back_when_it_is_done():
    known = task(TaskState.WORKING, "ab", "only here")
    kept = task(TaskState.WORKING, "a")
    view = TaskView.of(known)
    surplus = Surplus.beyond(kept, view.task)
    assert [*surplus.sift(status(TaskState.WORKING, "still"), view)] == [status(TaskState.WORKING, "still")]
    for event in [*surplus.sift(DONE, view)]:
        view.apply(event)
    assert view.task is not None
    assert [artifact.artifact_id for artifact in view.task.artifacts or ()] == ["a1"]
    assert view.task.text == "a"


def test_of_other_artifacts_everything_is_news():
    known, kept = task(TaskState.WORKING, "ab", "x"), task(TaskState.WORKING, "a", "x")
    other = chunk("y", id="a2")
    assert news(known, kept, other, chunk("b")) == [other]


@settings(deadline=None)
@given(kept=words, lost=words, again=words)
def test_the_reader_ends_with_what_the_agent_has(kept: list[str], lost: list[str], again: list[str]):
    base = fold([task(TaskState.WORKING), *pieces(kept)])
    known = fold([task(TaskState.WORKING), *pieces([*kept, *lost])])
    events = [*pieces(again, begins=not kept), DONE]
    found = news(known, base, *events)
    truth = fold([base, *events])
    if "".join(kept + again):
        assert fold([known, *found]).text == truth.text
    if "".join(again).startswith("".join(lost)):
        told = [event for event in found if isinstance(event, TaskArtifactUpdateEvent)]
        assert all(event.append for event in told) or not (kept or lost)
        assert "".join(
            lost + [part.text or "" for event in told for part in event.artifact.parts]
        ) == "".join(again)
