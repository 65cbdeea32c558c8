"""ListTasks and GetTask (SPEC 2.3, 2.4)."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from dragoman.engine import Limits, Turn
from dragoman.model import (
    InvalidParamsError,
    ListTasksRequest,
    Task,
    TaskNotFoundError,
    TaskState,
    Timestamp,
)
from dragoman.wire import codec
from tests.unit.engine.kit import (
    COMPLETED,
    FAILED,
    INPUT_REQUIRED,
    WORKING,
    Host,
    MovableClock,
    Stage,
    nothing,
    question,
    serving,
    write,
)


async def act(turn: Turn) -> None:
    match turn.request.message.text:
        case "fail":
            turn.status(FAILED)
        case "ask":
            await turn.ask(question(turn, "?"))
        case text:
            write(turn, text)


async def list_all(host: Host, **options) -> list[Task]:
    """Every page, checked on the way."""
    found: list[Task] = []
    token = ""
    while True:
        page = await host.list(page_token=token, **options)
        found += page.tasks
        assert page.total_size >= len(found)
        if token := page.next_page_token:
            assert len(page.tasks) == page.page_size
            continue
        assert page.total_size == len(found)
        return found


async def test_pages_are_in_order_and_complete_even_with_equal_timestamps():
    clock = MovableClock()
    async with serving(act, clock=clock) as host:
        ids = []
        for number in range(25):
            ids.append((await host.send("x")).id)
            if number % 4 == 0:
                clock.advance(timedelta(milliseconds=1))
        for size in (1, 2, 7, 24, 25, 100):
            found = await list_all(host, page_size=size)
            assert sorted(task.id for task in found) == sorted(ids)
            keys = [(task.status.timestamp, task.id) for task in found]
            assert keys == sorted(keys, reverse=True)


async def test_a_page_has_fifty_tasks_unless_asked_otherwise():
    async with serving(nothing) as host:
        for _ in range(51):
            await host.send()
        page = await host.list()
        assert (len(page.tasks), page.page_size, page.total_size) == (50, 50, 51)
        assert page.next_page_token != ""
        last = await host.list(page_token=page.next_page_token)
        assert (len(last.tasks), last.next_page_token) == (1, "")


async def test_an_empty_list_says_so():
    async with serving(nothing) as host:
        page = await host.list()
        assert (page.tasks, page.next_page_token, page.page_size, page.total_size) == ((), "", 50, 0)


async def test_filters_by_context_state_and_time_and_all_together():
    clock = MovableClock()
    async with serving(act, clock=clock) as host:
        first = await host.send("x", context_id="c1")
        clock.advance(timedelta(seconds=1))
        await host.send("fail", context_id="c1")
        asked = await host.send("ask", context_id="c2")
        at = clock.now
        clock.advance(timedelta(seconds=1))
        await host.send("x", context_id="c2")
        for options, count in (
            ({"context_id": "c1"}, 2),
            ({"context_id": "c3"}, 0),
            ({"status": COMPLETED}, 2),
            ({"status": FAILED}, 1),
            ({"status": INPUT_REQUIRED}, 1),
            ({"status": TaskState.UNSPECIFIED}, 4),
            ({"status_timestamp_after": at}, 3),
            ({"status_timestamp_after": Timestamp.at(at + timedelta(milliseconds=1))}, 1),
            ({"status_timestamp_after": first.status.timestamp}, 4),
            ({"context_id": "c2", "status": INPUT_REQUIRED, "status_timestamp_after": at}, 1),
            ({"context_id": "c1", "status": INPUT_REQUIRED}, 0),
        ):
            assert len(await list_all(host, page_size=1, **options)) == count, options
        [found] = await list_all(host, status=INPUT_REQUIRED)
        assert found.id == asked.id


async def test_artifacts_are_absent_unless_asked_for():
    async with serving(act) as host:
        await host.send("x")
        for page in (await host.list(), await host.list(include_artifacts=False)):
            [task] = page.tasks
            assert task.artifacts is UNSET
            assert b"artifacts" not in codec.encode(task)
        [task] = (await host.list(include_artifacts=True)).tasks
        assert task.text == "x"


@pytest.mark.parametrize("size", [0, -1, 101, 2**31 - 1])
async def test_a_page_size_out_of_range_is_refused(size: int):
    async with serving(nothing) as host:
        with pytest.raises(InvalidParamsError) as caught:
            await host.list(page_size=size)
        assert caught.value.violations[0].field == "pageSize"


@pytest.mark.parametrize("token", ["x", "AAAA", "e30", "\ud800", "=" * 9])
async def test_a_token_that_is_not_ours_is_refused(token: str):
    async with serving(nothing) as host:
        with pytest.raises(InvalidParamsError) as caught:
            await host.list(page_token=token)
        assert caught.value.violations[0].field == "pageToken"


async def test_a_task_that_changes_while_pages_are_read_is_not_lost_to_the_others():
    clock = MovableClock()
    async with serving(act, clock=clock) as host:
        for _ in range(6):
            await host.send("ask")
            clock.advance(timedelta(seconds=1))
        first = await host.list(page_size=3)
        await host.send("answer", task_id=first.tasks[0].id)  # moves to the front
        rest = await host.list(page_size=3, page_token=first.next_page_token)
        assert len({task.id for task in (*first.tasks, *rest.tasks)}) == 6


async def test_get_returns_the_task_while_it_works_and_after():
    stage = Stage()
    async with serving(stage) as host:
        task = await host.begin("hi")
        await host.reached(task.id, WORKING)
        write(stage.turn, "partial")
        assert (await host.get(task.id)).text == "partial"
        stage.go.set()
        ended = await host.ended(task.id)
        assert ended.text == "partial"
        assert await host.get(task.id) == ended


async def test_a_task_without_artifacts_has_no_empty_list_of_them():
    async with serving(nothing) as host:
        task = await host.send()
        assert b"artifacts" not in codec.encode(task)
        assert b"artifacts" not in codec.encode(await host.get(task.id))


async def test_an_unknown_task_is_not_found_however_odd_its_id():
    async with serving(nothing) as host:
        for task_id in ("x", "x" * 100_000, "\x00", "' OR 1=1"):
            with pytest.raises(TaskNotFoundError):
                await host.get(task_id)


async def test_a_conversation_of_hundreds_of_messages_is_kept_whole():
    async def work(turn: Turn) -> None:
        for _ in range(300):
            await turn.next_message()

    async with serving(work, limits=Limits(max_queued_messages=1_000)) as host:
        task = await host.begin("0")
        for number in range(1, 301):
            await host.begin(str(number), task_id=task.id)
        done = await host.ended(task.id)
        assert [int(one.text) for one in done.history] == list(range(301))
        assert len((await host.get(task.id, history_length=10)).history) == 10


_states = st.sampled_from(["x", "fail", "ask"])


@given(
    sends=st.lists(st.tuples(_states, st.sampled_from(["c1", "c2"]), st.integers(0, 2)), max_size=12),
    size=st.integers(1, 5),
    status=st.sampled_from([TaskState.UNSPECIFIED, COMPLETED, FAILED, INPUT_REQUIRED]),
    context_id=st.sampled_from(["", "c1", "c2"]),
    since=st.one_of(st.none(), st.integers(0, 6)),
)
@settings(max_examples=60, deadline=None)
async def test_every_list_is_what_a_plain_filter_would_find(sends, size, status, context_id, since):
    clock = MovableClock()
    start = clock.now
    async with serving(act, clock=clock) as host, asyncio.timeout(10):
        tasks = []
        for text, context, pause in sends:
            clock.advance(timedelta(milliseconds=pause))
            tasks.append(await host.send(text, context_id=context))
        after = None if since is None else Timestamp.at(start + timedelta(milliseconds=since))
        found = await list_all(
            host, page_size=size, status=status, context_id=context_id, status_timestamp_after=after
        )
        request = ListTasksRequest(status=status, context_id=context_id, status_timestamp_after=after)
        expected = [task for task in tasks if _matches(task, request)]
        expected.sort(key=lambda task: (task.status.timestamp, task.id), reverse=True)
        assert [task.id for task in found] == [task.id for task in expected]


def _matches(task: Task, request: ListTasksRequest) -> bool:
    after = request.status_timestamp_after
    return (
        request.status in (TaskState.UNSPECIFIED, task.state)
        and request.context_id in ("", task.context_id)
        and (after is None or (task.status.timestamp is not None and task.status.timestamp >= after))
    )
