"""Every subscriber sees the same events in the same order, at no cost to anybody else (I1, I2, I6)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.engine import EventStream, Limits, StreamItem, Turn
from dragoman.model import (
    AgentCapabilities,
    TaskNotFoundError,
    TaskState,
    UnavailableError,
    UnsupportedOperationError,
)
from dragoman.store import MemoryTaskStore
from tests.unit.engine.kit import (
    ADA,
    ANYONE,
    BOB,
    COMPLETED,
    INPUT_REQUIRED,
    QUICK,
    WORKING,
    Host,
    ScriptedHandler,
    Stage,
    Vault,
    chunks,
    drain,
    nothing,
    question,
    refold,
    serving,
    states,
    take,
    turns,
    until,
    write,
)

SMALL_WINDOW = Limits(chunk_delay=timedelta(milliseconds=1), max_window_bytes=600)


class Feed:
    """A job that does what the test tells it, while the test looks."""

    def __init__(self) -> None:
        self.orders: asyncio.Queue[Callable[[Turn], None] | None] = asyncio.Queue()

    async def __call__(self, turn: Turn) -> None:
        while (order := await self.orders.get()) is not None:
            order(turn)

    def do(self, *orders: Callable[[Turn], None]) -> None:
        for order in orders:
            self.orders.put_nowait(order)

    def end(self) -> None:
        self.orders.put_nowait(None)


def chunk(text: str, artifact_id: str = "a", *, append: bool = True):
    return lambda turn: write(turn, text, artifact_id, append=append)


def progress(text: str):
    return lambda turn: turn.status(WORKING, question(turn, text))


async def test_subscribing_gives_the_task_as_it_is_and_then_what_comes():
    feed = Feed()
    async with serving(feed) as host:
        whole = await host.stream()
        feed.do(chunk("one "), progress("on it"), chunk("two "))
        items = await take(whole, 5)
        stream = await host.subscribe(items[0].event.task.id)  # type: ignore[union-attr]
        feed.do(chunk("three"))
        feed.end()
        tail = await drain(stream)
        assert tail[0].event.task is not None
        assert tail[0].event.task.text == "one two "
        assert tail[0].seq == 5
        assert [item.seq for item in tail[1:]] == [6, 7]
        rest = await drain(whole)
        assert [item.json for item in rest] == [item.json for item in tail[1:]]
        assert refold(tail).text == "one two three"


async def test_subscribers_share_one_encoding_of_an_event():
    feed = Feed()
    async with serving(feed) as host:
        first = await host.stream()
        task = (await anext(first)).event.task
        assert task is not None
        streams = [await host.subscribe(task.id) for _ in range(3)]
        feed.do(chunk("x"))
        feed.end()
        ends = [(await drain(stream))[-1] for stream in (first, *streams)]
        assert all(end is ends[0] for end in ends)


async def test_a_task_that_has_ended_cannot_be_subscribed_to():
    async with serving(nothing) as host:
        task = await host.send()
        with pytest.raises(UnsupportedOperationError):
            await host.subscribe(task.id)
        await until(lambda: host.is_idle)


async def test_an_unknown_task_cannot_be_subscribed_to():
    async with serving(nothing) as host:
        with pytest.raises(TaskNotFoundError):
            await host.subscribe("no-such-task")


async def test_an_agent_that_does_not_stream_says_so():
    async with serving(nothing, capabilities=AgentCapabilities()) as host:
        with pytest.raises(UnsupportedOperationError):
            await host.stream()
        with pytest.raises(UnsupportedOperationError):
            await host.subscribe("any")


async def test_a_subscriber_of_a_parked_task_stays_for_what_comes():
    async def work(turn: Turn) -> None:
        await turn.ask(question(turn, "name?"))

    async with serving(work) as host:
        task = await host.send()
        stream = await host.subscribe(task.id)
        assert states(await take(stream, 1)) == [INPUT_REQUIRED]
        await host.begin("Ada", task_id=task.id)
        assert states(await drain(stream)) == [WORKING, COMPLETED]


async def test_closing_one_stream_disturbs_no_other_and_not_the_task():
    feed = Feed()
    async with serving(feed) as host:
        one, other = await host.stream(), None
        task = (await anext(one)).event.task
        assert task is not None
        other = await host.subscribe(task.id)
        await one.aclose()
        await one.aclose()
        feed.do(chunk("x"))
        feed.end()
        assert states(await drain(other))[-1] is COMPLETED
        assert await drain(one) == []


async def test_a_status_is_durable_before_any_subscriber_sees_it():
    feed = Feed()
    store = Vault()
    async with serving(feed, store=store) as host:
        stream = await host.stream()
        items = await take(stream, 2)
        task_id = items[0].event.task.id  # type: ignore[union-attr]
        store.open.clear()
        feed.do(progress("on it"), chunk("after"))
        await until(lambda: store.waiting)
        reading = asyncio.create_task(take(stream, 2))
        asking = asyncio.create_task(host.get(task_id))
        subscribing = asyncio.create_task(host.subscribe(task_id))
        await turns()
        assert not reading.done()
        if asking.done():
            assert asking.result().status.message is None
        if subscribing.done():
            first = await anext(subscribing.result())
            assert first.event.task.status.message is None  # type: ignore[union-attr]
        store.open.set()
        assert [item.seq for item in await reading] == [3, 4]
        await asking
        feed.end()
        late = await drain(await subscribing)
        early = await drain(stream)
        assert late[-1] is early[-1]


async def test_chunks_are_seen_before_they_are_durable():
    feed = Feed()
    store = Vault()
    async with serving(feed, store=store) as host:
        stream = await host.stream()
        await take(stream, 2)
        store.open.clear()
        feed.do(chunk("early"))
        assert chunks(await take(stream, 1)) == ["early"]
        store.open.set()
        feed.end()
        await drain(stream)


async def test_a_reader_that_falls_behind_reads_the_log_and_misses_nothing():
    feed = Feed()
    async with serving(feed, limits=SMALL_WINDOW) as host:
        slow, quick = await host.stream(), None
        task_id = next(iter(host.lives))
        quick = await host.subscribe(task_id)
        seen: list[StreamItem] = await take(quick, 1)
        for number in range(300):
            feed.do(chunk(f"{number} " * 10))
            if number % 25 == 0:
                feed.do(progress(str(number)))
            seen += await take(quick, 1)
        feed.end()
        seen += await drain(quick)
        live = host.lives.get(task_id)
        assert live is None or live.window_bytes <= SMALL_WINDOW.max_window_bytes
        late = await drain(slow)
        assert [item.seq for item in late] == list(range(1, len(late) + 1))
        tail = [item for item in late if item.seq > seen[0].seq]
        assert [item.json for item in tail] == [item.json for item in seen[1:]]


async def test_the_window_is_bounded_whatever_readers_do():
    feed = Feed()
    async with serving(feed, limits=SMALL_WINDOW) as host:
        idle = [await host.stream()]
        task_id = next(iter(host.lives))
        idle += [await host.subscribe(task_id) for _ in range(50)]
        live = host.lives[task_id]
        for number in range(50):
            feed.do(progress(f"{number} " * 20))
            await until(lambda: live.durable == live.tip and feed.orders.empty())
            assert live.window_bytes <= SMALL_WINDOW.max_window_bytes
        feed.end()
        await host.ended(task_id)
        for stream in idle:
            assert states(await drain(stream))[-1] is COMPLETED


async def test_a_log_that_is_gone_is_told_to_the_reader_who_needs_it():
    feed = Feed()
    async with serving(feed, limits=Limits(max_window_bytes=0)) as host:
        stream = await host.stream()
        task_id = next(iter(host.lives))
        feed.do(progress("x"))
        live = host.lives[task_id]
        await until(lambda: live.tip == live.durable == 3)

        async def read_nothing(*args):
            return []

        host.store.read = read_nothing
        with pytest.raises(UnavailableError):
            await drain(stream)
        await stream.aclose()
        feed.end()


async def test_streams_count_for_their_caller_and_in_all_until_they_are_closed():
    feed = Feed()
    limits = Limits(max_streams=3, max_streams_per_caller=2)
    async with serving(feed, limits=limits) as host:
        streams = [await host.stream(call=ADA) for _ in range(2)]
        with pytest.raises(UnavailableError):
            await host.stream(call=ADA)
        streams.append(await host.stream(call=BOB))
        with pytest.raises(UnavailableError):
            await host.stream(call=ANYONE)
        await streams.pop().aclose()
        streams.append(await host.stream(call=ANYONE))
        for _ in streams:
            feed.end()
        feed.end()
        for stream in streams:
            await drain(stream)
        assert host.engine._streams._count == 0


async def test_stream_quotas_come_back_on_every_path():
    async def reply(turn: Turn) -> None:
        turn.reply(question(turn, "hello"))

    limits = Limits(max_streams=1, max_streams_per_caller=1)
    async with serving(ScriptedHandler(reply, may_reply=True), limits=limits) as host:
        await drain(await host.stream())
        stream = await host.stream()
        await stream.aclose()
        with pytest.raises(TaskNotFoundError):
            await host.stream(task_id="no-such-task")
        with pytest.raises(TaskNotFoundError):
            await host.subscribe("no-such-task")
        host.handler.refusal = UnsupportedOperationError()
        with pytest.raises(UnsupportedOperationError):
            await host.stream()
        host.handler.refusal = None
        await drain(await host.stream())
        assert host.engine._streams._count == 0


async def test_the_quota_comes_back_when_the_caller_hangs_up_before_the_stream_is_there():
    stage = Stage()
    async with serving(ScriptedHandler(stage, may_reply=True)) as host:
        opening = asyncio.create_task(host.stream())
        await stage.begun.wait()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert host.engine._streams._count == 0
        stage.go.set()
        await until(lambda: host.is_idle)


async def test_a_cancelled_reader_loses_nothing():
    feed = Feed()
    async with serving(feed) as host:
        stream = await host.stream()
        items = await take(stream, 2)
        for _ in range(3):
            reading = asyncio.create_task(anext(stream))
            await turns(2)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
        assert not host.lives[items[0].event.task.id].changed._waiters  # type: ignore[union-attr]
        feed.do(chunk("x"))
        feed.end()
        items += await drain(stream)
        assert [item.seq for item in items] == [1, 2, 3, 4]


async def test_a_read_that_fails_leaves_the_reader_where_it_was():
    feed = Feed()
    async with serving(feed, limits=Limits(max_window_bytes=0)) as host:
        stream = await host.stream()
        live = next(iter(host.lives.values()))
        feed.do(progress("x"), progress("y"))
        await until(lambda: live.durable == 4)
        host.store.is_down = True
        with pytest.raises(UnavailableError):
            await anext(stream)
        host.store.is_down = False
        feed.end()
        assert [item.seq for item in await drain(stream)] == [1, 2, 3, 4, 5]


async def test_a_task_with_a_thousand_subscribers_ends_for_all_of_them():
    feed = Feed()
    async with serving(feed) as host:
        first = await host.stream()
        task_id = next(iter(host.lives))
        streams = [first, *[await host.subscribe(task_id) for _ in range(999)]]
        async with asyncio.TaskGroup() as group:
            drains = [group.create_task(drain(stream)) for stream in streams]
            for number in range(5):
                feed.do(chunk(str(number)))
                await turns(2)
            feed.end()
        assert {drained.result()[-1] for drained in drains} == {drains[0].result()[-1]}
        await until(lambda: host.is_idle)


# What a job may do, and when a subscriber may come.
_text = st.text(alphabet="abc \n\x00é", max_size=40)
_orders = st.one_of(
    st.builds(chunk, _text, st.sampled_from("ab"), append=st.booleans()),
    st.builds(progress, _text),
    st.just("join"),
    st.sampled_from([1, 15]),
    st.just("post"),
)


@given(
    orders=st.lists(_orders, max_size=40),
    end=st.sampled_from([COMPLETED, TaskState.FAILED, TaskState.REJECTED]),
    window=st.sampled_from([0, 300, 1_000_000]),
    holds_back=st.booleans(),
)
@settings(max_examples=120, deadline=None)
async def test_snapshot_and_tail_are_the_same_task_for_every_subscriber(
    orders: list[Any], end: TaskState, window: int, holds_back: bool
):
    feed, store = Feed(), Vault()
    limits = Limits(
        chunk_delay=timedelta(0), max_window_bytes=window, max_queued_messages=100, max_history=100
    )
    async with serving(feed, store=store, limits=limits) as host, asyncio.TaskGroup() as group:
        first = group.create_task(drain(await host.stream()))
        joins = [
            group.create_task(join) async for join in _perform(orders, host, feed, holds_back=holds_back)
        ]
        await until(feed.orders.empty)
        feed.do(lambda turn: turn.status(end))
        feed.end()
    whole = first.result()
    assert [item.seq for item in whole] == sorted({item.seq for item in whole})
    assert whole[-1].event.status_update is not None
    final = refold(whole)
    assert final.state is end
    for join in joins:
        seen = join.result()
        if seen is None:  # it came after the end
            continue
        assert [item.json for item in seen[1:]] == [item.json for item in whole if item.seq > seen[0].seq]
        told = refold(seen)
        assert told.status == final.status
        assert (told.artifacts or ()) == (final.artifacts or ())


async def _perform(
    orders: list[Any], host: Host, feed: Feed, *, holds_back: bool
) -> AsyncIterator[Coroutine[None, None, list[StreamItem] | None]]:
    """Do as ordered, and yield the subscribers who come meanwhile."""
    task_id = next(iter(host.lives))
    for order in orders:
        match order:
            case "join":
                yield _join(host.subscribe(task_id))
            case "post":
                yield _join(host.stream("and", task_id=task_id))
                await turns(1)
            case int():
                await turns(order)
            case _:
                if holds_back:
                    host.store.open.clear()
                    asyncio.get_running_loop().call_soon(host.store.open.set)
                feed.do(order)


async def _join(opening) -> list[StreamItem] | None:
    try:
        stream: EventStream = await opening
    except UnsupportedOperationError:
        return None
    return await drain(stream)


async def test_streams_of_the_plain_memory_store_work_alike():
    async with serving(nothing, store=MemoryTaskStore(), limits=QUICK) as host:
        assert states(await drain(await host.stream())) == [TaskState.SUBMITTED, WORKING, COMPLETED]


async def test_a_snapshot_does_not_wait_for_ever_behind_a_task_that_never_rests():
    """One status after the other: the tip is never durable, and yet callers get their view."""
    stop = asyncio.Event()

    async def work(turn: Turn) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            turn.status(WORKING, question(turn, str(number)))
            await asyncio.sleep(0)

    async with serving(work) as host:
        task = await host.begin()
        seen = []
        for _ in range(20):
            view = await host.get(task.id)
            seen.append(int(view.status.message.text) if view.status.message else 0)
            await turns(2)
        assert seen == sorted(seen)
        assert len(set(seen)) > 5
        stream = await host.subscribe(task.id)
        items = await take(stream, 10)
        assert [item.seq for item in items] == list(range(items[0].seq, items[0].seq + 10))
        stop.set()
        await drain(stream)
