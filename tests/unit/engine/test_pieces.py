"""The engine's smaller parts, each by itself."""

import asyncio
import logging
from datetime import timedelta

import pytest

from dragoman.bus import LocalBus
from dragoman.engine import EventStream
from dragoman.engine.entries import LogEntry, Origin, StreamItem, dump_entry, item_of, load_entry
from dragoman.engine.inbox import Inbox
from dragoman.engine.locks import KeyedLocks
from dragoman.engine.nursery import Nursery
from dragoman.engine.past import Heard
from dragoman.engine.signals import Signal
from dragoman.engine.window import BehindWindowError, Window
from dragoman.model import (
    Task,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
    UnavailableError,
)
from tests.unit.engine.kit import message, turns, until

PATIENCE = timedelta(seconds=5)


def item(seq: int) -> StreamItem:
    return StreamItem(seq, message(str(seq)))


def test_a_window_keeps_the_latest_and_what_is_not_durable():
    window = Window(10, 100)
    for seq in range(11, 16):
        window.push(item(seq), 40)
    assert [one.seq for one in window.between(10, 15) if one] == [11, 12, 13, 14, 15]
    window.trim(0)
    assert window.size == 200
    window.trim(12)
    assert window.size == 120
    window.trim(15)
    assert window.size == 80
    with pytest.raises(BehindWindowError):
        window.between(12, 15)
    assert [one.seq for one in window.between(13, 15) if one] == [14, 15]
    assert window.between(15, 15) == window.between(20, 30) == []
    assert [one.seq for one in window.between(14, 99) if one] == [15]
    window.drop(14)
    assert window.size == 40
    window.drop(15)
    assert window.size == 0
    assert window.next_seq == 16


async def test_a_signal_wakes_those_who_wait_in_order_and_forgets_those_who_left():
    signal = Signal()
    woken: list[int] = []

    async def wait(number: int) -> None:
        await signal.wait()
        woken.append(number)

    waiting = [asyncio.create_task(wait(number)) for number in range(10)]
    await turns(2)
    waiting[3].cancel()
    await turns(2)
    assert len(signal._waiters or ()) == 9
    waiting[4].cancel()
    signal.fire()
    signal.fire()
    await turns(2)
    assert woken == [0, 1, 2, 5, 6, 7, 8, 9]
    assert not signal._waiters


async def test_a_keyed_lock_lives_as_long_as_somebody_cares():
    locks = KeyedLocks()
    order: list[str] = []

    async def hold(name: str, key: str) -> None:
        async with locks.of(key):
            order.append(f"{name} in")
            await turns(3)
            order.append(f"{name} out")

    async with asyncio.TaskGroup() as group:
        group.create_task(hold("a", "x"))
        group.create_task(hold("b", "x"))
        group.create_task(hold("c", "y"))
    assert order.index("a out") < order.index("b in")
    assert order.index("c in") < order.index("a out")
    assert len(locks._locks) == 0


async def test_an_inbox_gives_first_what_was_said_before():
    inbox = Inbox([Heard(1, message("old"))], max_queued=2)
    inbox.put(Heard(2, message("one")))
    inbox.put(Heard(3, message("two")))
    with pytest.raises(UnavailableError):
        inbox.check_room()
    assert len(inbox) == 3
    assert [inbox.take().message.text for _ in range(3)] == ["old", "one", "two"]
    inbox.check_room()
    waiting = asyncio.create_task(inbox.until_mail())
    await turns(2)
    assert not waiting.done()
    inbox.put(Heard(4, message("three")))
    await waiting


async def test_a_nursery_logs_what_its_children_raise_and_goes_on(caplog: pytest.LogCaptureFixture):
    nursery = Nursery()
    await nursery.open()
    done: list[str] = []

    async def fail() -> None:
        raise ValueError("child failed")

    async def work() -> None:
        await turns(3)
        done.append("worked")

    nursery.spawn(fail, name="the child")
    nursery.spawn(work, name="the other")
    await until(lambda: done)
    await nursery.close(PATIENCE)
    assert "the child failed" in caplog.text
    assert not nursery._children
    with pytest.raises(UnavailableError):
        nursery.spawn(work, name="too late")


async def test_a_nursery_that_was_never_opened_closes():
    await Nursery().close(PATIENCE)


async def test_a_nursery_cancels_what_never_began():
    nursery = Nursery()
    await nursery.open()
    began: list[str] = []

    async def work() -> None:
        began.append("began")

    nursery.spawn(work, name="cancelled before it began").cancel()
    await nursery.close(PATIENCE)
    assert began == []


async def test_a_nursery_leaves_behind_who_does_not_stop(caplog: pytest.LogCaptureFixture):
    nursery = Nursery()
    await nursery.open()
    go = asyncio.Event()

    async def stubborn() -> None:
        while not go.is_set():
            try:
                await go.wait()
            except asyncio.CancelledError:
                logging.getLogger("test").info("ignored")

    nursery.spawn(stubborn, name="the stubborn one")
    await turns(2)
    await nursery.close(timedelta(milliseconds=1))
    assert "the stubborn one" in caplog.text
    go.set()
    assert nursery._keeper is not None
    await nursery._keeper


def _status(text: str, **options) -> LogEntry:
    status = TaskStatus(state=TaskState.WORKING, message=message(text))
    return LogEntry(
        status_update=TaskStatusUpdateEvent(task_id="t", context_id="c", status=status, **options)
    )


def test_what_subscribers_get_of_an_entry_is_its_very_bytes():
    data, entry = dump_entry(_status("x"))
    found = item_of(7, entry, data)
    assert found is not None
    assert found.json is data
    again = item_of(7, load_entry(data))
    assert again is not None
    assert again.json == data
    assert again.event == found.event


def test_subscribers_get_nothing_of_what_the_caller_said_nor_of_the_origin():
    assert item_of(1, LogEntry(received=message())) is None
    task = Task(id="t", context_id="c", status=TaskStatus(state=TaskState.SUBMITTED), history=(message(),))
    data, entry = dump_entry(LogEntry(task=task, origin=Origin(metadata={"secret": 1})))
    found = item_of(1, entry, data)
    assert found is not None
    assert b"secret" in data
    assert b"secret" not in found.json


@pytest.mark.parametrize(
    "entry",
    [
        _status("\ud800"),
        _status("x", metadata={"x": object()}),
        _status("x", metadata=[1]),
        LogEntry(received=message(12)),  # type: ignore[arg-type]
        LogEntry(received=message(extensions=(1,))),
    ],
)
def test_what_could_not_be_read_again_is_not_written(entry: LogEntry):
    with pytest.raises(ValueError, match="the task's log cannot take this"):
        dump_entry(entry)


def test_data_that_is_nested_too_deep_is_not_written():
    data: object = None
    for _ in range(100_000):
        data = [data]
    status = TaskStatus(
        state=TaskState.WORKING,
        message=message(metadata={"x": data}),
    )
    event = TaskStatusUpdateEvent(task_id="t", context_id="c", status=status)
    with pytest.raises(ValueError, match="the task's log cannot take this"):
        dump_entry(LogEntry(status_update=event))
    while isinstance(data, list):  # taken apart from the outside, for the recursive way is too deep as well
        data = data.pop()


async def test_the_stream_of_a_message_is_one_item_long_and_closes_itself():
    closed: list[str] = []
    stream = EventStream.of_message(message("hi"))
    stream.on_close(lambda: closed.append("closed"))
    assert [len(await stream.batch()), len(await stream.batch()), len(await stream.batch())] == [1, 0, 0]
    assert closed == ["closed"]
    closed_early = EventStream.of_message(message("hi"))
    await closed_early.aclose()
    assert not await closed_early.batch()


async def test_the_bus_forgets_who_stopped_listening():
    bus = LocalBus()
    heard: list[str] = []
    stop = bus.listen("t", lambda: heard.append("rang"))
    bus.ring("t")
    stop()
    stop()
    bus.ring("t")
    assert heard == ["rang"]
