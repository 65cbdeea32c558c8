"""A reader whose connection broke goes on where it was, by the mark of the last event that it read."""

import asyncio
import dataclasses
from datetime import timedelta

import pytest

from dragoman.engine import Call, Limits, Turn
from dragoman.engine.entries import StreamItem
from dragoman.model import Part, SubscribeToTaskRequest, TaskState, UnsupportedOperationError
from tests.unit.engine.kit import (
    ANYONE,
    COMPLETED,
    INPUT_REQUIRED,
    QUICK,
    WORKING,
    Host,
    MovableClock,
    ScriptedHandler,
    Stage,
    Vault,
    Work,
    chunks,
    drain,
    question,
    refold,
    said,
    say,
    serving,
    states,
    take,
    turns,
    until,
    write,
)

SLOW_TO_WRITE = dataclasses.replace(QUICK, chunk_delay=timedelta(minutes=1))


def after(mark: str) -> Call:
    return dataclasses.replace(ANYONE, last_event_id=mark)


async def resume(host: Host, task_id: str, mark: str):
    return await host.engine.subscribe(after(mark), SubscribeToTaskRequest(id=task_id))


class Writing(Stage):
    """Writes one chunk, and the next when it may."""

    async def __call__(self, turn: Turn) -> None:
        write(turn, "one ")
        await super().__call__(turn)
        write(turn, "two", append=True)


@pytest.mark.parametrize("window", [0, 1_000_000])
async def test_a_stream_goes_on_after_every_mark(window: int):
    stage = Writing()
    async with serving(stage, limits=Limits(max_window_bytes=window, chunk_delay=timedelta(0))) as host:
        first = await host.stream()
        await stage.begun.wait()
        task_id = stage.turn.task_id
        early = [await resume(host, task_id, f"{seq}") for seq in (1, 2, 3)]
        await until(lambda: host.lives[task_id].durable == 3)
        stage.go.set()
        whole = await drain(first)
        for seq, stream in enumerate(early, 1):
            assert [item.json for item in await drain(stream)] == [item.json for item in whole[seq:]]


async def test_a_stream_of_a_task_that_has_ended_gives_the_rest_and_ends():
    stage = Writing()
    stage.go.set()
    async with serving(stage) as host:
        whole = await drain(await host.stream())
        task_id = stage.turn.task_id
        for seen, item in enumerate(whole, 1):
            rest = await drain(await resume(host, task_id, item.mark))
            assert [one.json for one in rest] == [one.json for one in whole[seen:]]
        await until(lambda: host.is_idle)
        assert host.engine._streams._count == 0


async def test_the_mark_of_a_snapshot_is_that_of_the_last_event_in_it():
    stage = Writing()
    async with serving(stage) as host:
        first = await host.stream()
        items = await take(first, 3)
        stream = await host.subscribe(stage.turn.task_id)
        snapshot = await anext(stream)
        assert snapshot.mark == items[-1].mark
        stage.go.set()
        rest = await drain(await resume(host, stage.turn.task_id, snapshot.mark))
        assert chunks(rest) == ["two"]
        await stream.aclose()


@pytest.mark.parametrize(
    "mark", ["x", "", "-", "0", "-1", "99", "9" * 30, "٣", "1-", "3-00000000", "1.5", "1 "]
)
async def test_a_mark_that_is_not_of_this_task_gives_the_task_as_it_is(mark: str):
    stage = Writing()
    async with serving(stage) as host:
        first = await host.stream()
        await take(first, 3)
        stream = await resume(host, stage.turn.task_id, mark)
        if mark == "1-":  # a number all the same
            assert states(await take(stream, 1)) == [WORKING]
        else:
            assert (await anext(stream)).event.task is not None
        await stream.aclose()
        stage.go.set()
        await host.ended(stage.turn.task_id)
        if mark != "1-":
            with pytest.raises(UnsupportedOperationError):
                await resume(host, stage.turn.task_id, mark)


async def test_a_log_that_was_compacted_cannot_be_resumed():
    clock = MovableClock()
    stage = Writing()
    stage.go.set()
    async with serving(stage, clock=clock) as host:
        whole = await drain(await host.stream())
        clock.advance(timedelta(hours=2))
        await host.engine._upkeep.tidy()
        assert await host.store.read(stage.turn.task_id, 0, 10) == []
        for mark in (whole[1].mark, "2"):
            with pytest.raises(UnsupportedOperationError):
                await resume(host, stage.turn.task_id, mark)
        assert (await host.get(stage.turn.task_id)).text == "one two"


async def test_the_stream_of_an_answer_can_be_resumed_with_the_answer():
    go = asyncio.Event()

    async def work(turn: Turn) -> None:
        await turn.ask(question(turn, "name?"))
        await go.wait()

    async with serving(work) as host:
        task = await host.send("hi")
        call = dataclasses.replace(ANYONE, idempotency_key="k")
        stream = await host.engine.stream(call, say("Ada", task_id=task.id))
        first = await anext(stream)
        assert not states([first])[0].is_terminal
        await stream.aclose()
        go.set()
        await host.ended(task.id)
        call = dataclasses.replace(call, last_event_id=first.mark)
        rest = await drain(await host.engine.stream(call, say("Ada", task_id=task.id)))
        assert states(rest)[-1] is COMPLETED
        assert rest[0].seq == first.seq + 1
        assert said(await host.get(task.id)) == ["hi", "name?", "Ada"]


class Spelling(Stage):
    """Says something between two letters that nobody has written down before it goes on."""

    async def __call__(self, turn: Turn) -> None:
        write(turn, "same ")
        turn.status(TaskState.WORKING, turn.compose([Part.of_text("in between")]))
        await turns()  # until that is written
        for _ in range(3):
            write(turn, "same ", append=True)
        await super().__call__(turn)


async def read_before_a_death(vault: Vault) -> list[StreamItem]:
    """What a reader has of a task whose process dies before it has written the last three pieces."""
    stage = Spelling()
    clock = MovableClock()
    async with serving(idempotent(stage), store=vault, clock=clock, limits=SLOW_TO_WRITE) as host:
        items = await take(await host.stream(), 7)
        vault.is_down = True
    vault.is_down = False
    vault._alive_until.clear()
    return items


def idempotent(work: Work) -> ScriptedHandler:
    return ScriptedHandler(work, is_idempotent=True)


async def test_a_reader_of_pieces_that_died_with_their_process_is_led_back_to_what_is_left():
    vault = Vault()
    items = await read_before_a_death(vault)
    assert chunks(items) == ["same "] * 4
    resumed: list[StreamItem] = []
    stage = Spelling()
    async with serving(idempotent(stage), store=vault, limits=SLOW_TO_WRITE) as host:
        await stage.begun.wait()
        stage.go.set()
        for lost in items[4:]:
            resumed = await drain(await resume(host, stage.turn.task_id, lost.mark))
            first, *rest = resumed
            task = first.event.task
            assert task is not None
            assert (first.seq, task.text) == (4, "same ")
            assert task.status.message is not None
            assert task.status.message.text == "in between"
            assert states(rest) == [WORKING, COMPLETED]
            assert chunks(rest) == ["same "] * 3
        assert refold(resumed) == await host.get(stage.turn.task_id)


async def test_a_reader_of_what_was_written_in_time_is_not_led_back():
    vault = Vault()
    stage = Spelling()
    async with serving(stage, store=vault, limits=SLOW_TO_WRITE) as host:
        items = await take(await host.stream(), 7)
        await host.engine._roster.writer.flush()
        stage.go.set()
        rest = await drain(await resume(host, stage.turn.task_id, items[-1].mark))
        assert states(rest) == [COMPLETED]


async def test_a_reader_that_is_ahead_of_another_process_is_led_back_there():
    vault = Vault()
    stage = Spelling()
    async with (
        serving(stage, store=vault, limits=SLOW_TO_WRITE) as host,
        serving(Spelling(), store=vault, limits=SLOW_TO_WRITE) as other,
    ):
        items = await take(await host.stream(), 7)
        stream = await resume(other, stage.turn.task_id, items[-1].mark)
        first = await anext(stream)
        assert first.event.task is not None
        assert (first.seq, first.event.task.text) == (4, "same ")
        stage.go.set()
        assert chunks(await drain(stream)) == ["same "] * 3


async def test_entries_that_no_stream_shows_are_no_obstacle():
    async def work(turn: Turn) -> None:
        for _ in range(3):
            await turn.next_message()
        await turn.ask(question(turn, "?"))

    async with serving(work) as host:
        first = await host.stream("0")
        task_id = next(iter(host.lives))
        for number in "123":
            await host.begin(number, task_id=task_id)
        whole = await drain(first)
        assert states(whole)[-1] is INPUT_REQUIRED
        for seq in range(1, whole[-1].seq + 1):
            stream = await resume(host, task_id, str(seq))
            await host.reached(task_id, INPUT_REQUIRED)
            later = [item.json for item in whole if item.seq > seq]
            assert [item.json for item in await take(stream, len(later))] == later
            await stream.aclose()
        assert TaskState.INPUT_REQUIRED is (await host.get(task_id)).state
