"""What a snapshot says that its reader does not know yet."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.client.folding import TaskView
from dragoman.client.reconciling import find_news, find_rest
from dragoman.model import Artifact, Part, Task, TaskState, TaskStatus, TaskStatusUpdateEvent, Timestamp
from tests.unit.client.scripted import artifact, chunk, status, task


def news(known: Task, seen: Task):
    return list(find_news(TaskView.of(known), seen))


def test_a_view_that_knows_nothing_gets_the_task():
    assert list(find_news(TaskView(), task())) == [task()]


def test_what_is_known_is_no_news():
    assert news(task(TaskState.WORKING, "a", "b"), task(TaskState.WORKING, "a", "b")) == []


def test_the_rest_of_an_artifact_is_appended_and_the_status_comes_last():
    found = news(task(TaskState.WORKING, "Hel"), task(TaskState.COMPLETED, "Hello", "new"))
    assert found == [chunk("lo"), chunk("new", id="a2", append=False), status(TaskState.COMPLETED)]


def test_a_changed_artifact_is_replaced():
    assert news(task(TaskState.WORKING, "Hello"), task(TaskState.WORKING, "Goodbye")) == [
        chunk("Goodbye", append=False)
    ]


def test_a_stale_snapshot_is_no_news():
    assert news(task(TaskState.WORKING, "Hello"), task(TaskState.WORKING, "Hel")) == []


def test_an_older_status_is_no_news():
    at = [Timestamp.at(datetime(2026, 1, day, tzinfo=UTC)) for day in (1, 2)]
    old, new = (
        Task(id="t1", status=TaskStatus(state=state, timestamp=when))
        for state, when in zip((TaskState.SUBMITTED, TaskState.WORKING), at, strict=True)
    )
    assert news(new, old) == []
    (event,) = news(old, new)
    assert isinstance(event, TaskStatusUpdateEvent)
    assert event.status == new.status


def test_a_time_that_one_side_lacks_is_no_news():
    stamped = Task(
        id="t1", status=TaskStatus(state=TaskState.WORKING, timestamp=Timestamp.at(datetime.now(UTC)))
    )
    assert news(task(TaskState.WORKING), stamped) == []


parts = st.one_of(
    st.text("ab", max_size=3).map(Part.of_text),
    st.integers(0, 2).map(Part.of_data),
    st.text("ab", max_size=2).map(lambda text: Part.of_text(text, media_type="text/html")),
)


def flatten(parts_):
    """Content without its cut."""
    flat: list = []
    for part in parts_:
        if isinstance(part.text, str):
            flat += [(letter, part.media_type) for letter in part.text]
        else:
            flat.append(part.data)
    return flat


@settings(deadline=None)
@given(st.lists(parts, max_size=6), st.lists(parts, max_size=6))
def test_the_rest_completes_what_is_known(known, more):
    rest = find_rest(known, [*known, *more])
    assert rest is not None
    assert flatten(rest) == flatten(more)


@settings(deadline=None)
@given(st.lists(st.text("ab", min_size=1, max_size=3), max_size=6), st.integers(0, 18), st.randoms())
def test_the_cut_of_a_text_does_not_matter(texts, at, random):
    whole = "".join(texts)
    known = [Part.of_text(piece) for piece in cut(whole[:at], random)]
    seen = [Part.of_text(piece) for piece in cut(whole, random)]
    rest = find_rest(known, seen)
    assert flatten(rest or ()) == [(letter, "") for letter in whole[at:]]


def cut(text, random):
    while text:
        size = random.randint(1, len(text))
        yield text[:size]
        text = text[size:]


@settings(deadline=None)
@given(st.lists(parts, min_size=1, max_size=4), st.lists(parts, min_size=1, max_size=4))
def test_whatever_the_snapshot_is_the_view_becomes_it_or_was_ahead(known, seen):
    view = TaskView.of(
        Task(
            id="t1",
            status=TaskStatus(state=TaskState.WORKING),
            artifacts=(Artifact(artifact_id="a1", parts=tuple(known)),),
        )
    )
    snapshot = Task(
        id="t1",
        status=TaskStatus(state=TaskState.COMPLETED),
        artifacts=(Artifact(artifact_id="a1", parts=tuple(seen)),),
    )
    for event in find_news(view, snapshot):
        view.apply(event)
    now, goal = flatten(view.get_parts("a1") or ()), flatten(seen)
    assert now[: len(goal)] == goal
    assert view.state is TaskState.COMPLETED


def test_many_small_chunks_against_one_long_text_is_linear():
    known = [Part.of_text("x")] * 200_000
    assert find_rest(known, artifact("x" * 200_000 + "y").parts) == (Part.of_text("y"),)
