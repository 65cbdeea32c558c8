"""Several processes on one store: whichever a caller reaches, it sees the same task (I2, I3, I7, I8)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from dragoman.bus import LocalBus
from dragoman.engine import Limits, RunEndedError, Turn
from dragoman.engine.live import LiveTask
from dragoman.model import TaskNotCancelableError, TaskState, UnavailableError, UnsupportedOperationError
from dragoman.store import KeyRecord, Outcome, Signal
from tests.unit.engine.kit import (
    ANYONE,
    CANCELED,
    COMPLETED,
    INPUT_REQUIRED,
    WORKING,
    Host,
    ScriptedHandler,
    Vault,
    drain,
    question,
    said,
    serving,
    states,
    take,
    turns,
    until,
    why,
    write,
)


async def introduce(turn: Turn) -> None:
    name = await turn.ask(question(turn, "name?"))
    age = await turn.ask(question(turn, "age?"))
    write(turn, f"{name.text} is {age.text}")


@asynccontextmanager
async def two(work=introduce, **options) -> AsyncIterator[tuple[Host, Host]]:
    """Two engines over one store and one bus."""
    store, bus = Vault(), LocalBus()
    async with (
        serving(ScriptedHandler(work, is_idempotent=True), store=store, bus=bus, **options) as one,
        serving(ScriptedHandler(work, is_idempotent=True), store=store, bus=bus, **options) as other,
    ):
        yield one, other


async def test_a_parked_task_is_answered_wherever_the_answer_arrives():
    async with two() as (one, other):
        task = await one.send("hi")
        asked = await other.send("Ada", task_id=task.id)
        assert why(asked) == "age?"
        done = await one.send("36", task_id=task.id)
        assert done.state is COMPLETED
        assert done.text == "Ada is 36"
        assert said(done) == ["hi", "name?", "Ada", "age?", "36"]
        await until(lambda: one.is_idle)
        await other.get(task.id)


async def test_what_the_other_process_made_of_a_parked_task_is_read_at_once():
    async with two() as (one, other):
        task = await one.send("hi")
        await other.send("Ada", task_id=task.id)
        assert why(await one.get(task.id)) == "age?"
        await other.send("36", task_id=task.id)
        assert (await one.get(task.id)).state is COMPLETED
        with pytest.raises(UnsupportedOperationError):
            await one.subscribe(task.id)
        with pytest.raises(TaskNotCancelableError):
            await one.cancel(task.id)
        with pytest.raises(UnsupportedOperationError):
            await one.send("more", task_id=task.id)
        await until(lambda: one.is_idle and other.is_idle)


async def test_a_subscriber_of_a_parked_task_sees_what_the_other_process_does_with_it():
    async with two() as (one, other):
        task = await one.send("hi")
        stream = await one.subscribe(task.id)
        assert states(await take(stream, 1)) == [INPUT_REQUIRED]
        await other.send("Ada", task_id=task.id)
        assert states(await drain(stream)) == [WORKING, INPUT_REQUIRED]
        assert task.id not in one.runs


async def test_a_stream_that_stays_open_while_the_caller_logs_in_goes_on_with_the_other_process():
    async def log_in(turn: Turn) -> None:
        await turn.ask(question(turn, "log in"), state=TaskState.AUTH_REQUIRED)
        write(turn, "welcome")

    async with two(log_in) as (one, other):
        stream = await one.stream("hi")
        items = await take(stream, 3)
        assert states(items)[-1] is TaskState.AUTH_REQUIRED
        task = (await one.list()).tasks[0]
        assert (await other.send("done", task_id=task.id)).state is COMPLETED
        items += await drain(stream)
        assert states(items)[-1] is COMPLETED
        numbers = [item.seq for item in items]
        assert numbers == sorted(set(numbers))


async def test_a_parked_task_is_canceled_from_the_other_process():
    async with two() as (one, other):
        task = await one.send("hi")
        assert (await other.cancel(task.id)).state is CANCELED
        assert (await one.get(task.id)).state is CANCELED
        with pytest.raises(TaskNotCancelableError):
            await one.cancel(task.id)


async def test_a_run_that_was_overtaken_while_it_waited_says_nothing_more():
    refused: list[str] = []

    async def work(turn: Turn) -> None:
        try:
            await introduce(turn)
        except asyncio.CancelledError:
            try:
                turn.status(WORKING, question(turn, "still here"))
            except RunEndedError as error:
                refused.append(type(error).__name__)
            raise

    async with two(work) as (one, other):
        task = await one.send("hi")
        await other.send("Ada", task_id=task.id)
        await one.get(task.id)
        stream = await one.subscribe(task.id)
        await until(lambda: refused)
        assert refused == ["RunEndedError"]
        await other.send("36", task_id=task.id)
        told = await drain(stream)
        assert states(told)[-1] is COMPLETED
        assert b"still here" not in b"".join(one.store._tasks[task.id].log)


async def test_answers_to_both_processes_at_once_are_both_on_the_log_or_refused():
    for delay in range(6):
        async with two() as (one, other):
            task = await one.send("hi")
            first = asyncio.create_task(one.begin("Ada", task_id=task.id))
            await turns(delay)
            second = asyncio.create_task(other.begin("36", task_id=task.id))
            await asyncio.wait([first, second])
            assert (first.exception(), second.exception()) == (None, None)
            found = await other.get(task.id)
            assert sorted(text for text in said(found) if text in {"Ada", "36"}) == ["36", "Ada"]


async def test_a_message_to_a_run_that_was_just_overtaken_is_heard_by_the_next_one():
    async with two() as (one, other):
        task = await one.send("hi")
        async with asyncio.TaskGroup() as group:
            one.store.open.clear()
            sent = group.create_task(one.begin("Ada", task_id=task.id))
            await until(lambda: one.store.waiting)  # the message is being written
            group.create_task(other.engine._recovery.take_over(await bring_to_life(other, task.id)))
            await turns()
            one.store.open.set()
        assert said(sent.result()) == ["hi", "name?", "Ada"]
        asked = await other.reached(task.id, INPUT_REQUIRED)
        assert (why(asked), said(asked)) == ("age?", ["hi", "name?", "Ada"])


async def bring_to_life(host: Host, task_id: str) -> LiveTask:
    async with host.engine._roster.visit(host.engine._roster.scope_of(ANYONE), task_id) as live:
        return live


async def test_a_parked_run_makes_room_after_a_while_and_its_task_goes_on_waiting():
    async with two(limits=Limits(park_timeout=timedelta(milliseconds=2))) as (one, other):
        task = await one.send("hi")
        await until(lambda: one.is_idle)
        assert (await one.get(task.id)).state is INPUT_REQUIRED
        assert why(await one.send("Ada", task_id=task.id)) == "age?"
        await until(lambda: one.is_idle)
        assert (await other.send("36", task_id=task.id)).text == "Ada is 36"


def deafen(host: Host) -> None:
    """Let the process hear nothing of what is posted to it."""

    async def hear_nothing(*args: object) -> list[Signal]:
        return []

    host.engine._mailroom._roster.store.signals = hear_nothing  # type: ignore[method-assign, assignment]


async def linger(turn: Turn) -> None:
    await turn.next_message()
    await asyncio.sleep(60)


async def test_a_process_that_does_not_listen_is_not_waited_for_for_ever():
    limits = Limits(
        max_queued_messages=1, lease=timedelta(milliseconds=30), cancel_grace=timedelta(milliseconds=20)
    )
    async with two(linger, limits=limits) as (one, other):
        task = await one.begin("hi")
        await one.reached(task.id, WORKING)
        deafen(one)  # and with it `other`, for they share the store
        told = await other.begin("Ada", task_id=task.id)
        assert said(told) == ["hi"]  # the message is safe, but has not got there yet
        with pytest.raises(UnavailableError, match="too many messages"):
            await other.begin("Bob", task_id=task.id)
        assert (await other.cancel(task.id)).state is WORKING  # as it stands
        del one.store.signals
        assert said(await one.ended(task.id)) == ["hi", "Ada"]
        assert (await one.get(task.id)).state is CANCELED


async def test_a_message_for_a_task_that_ends_before_it_gets_there_is_refused():
    go = asyncio.Event()

    async def work(turn: Turn) -> None:
        await go.wait()

    async with two(work) as (one, other):
        task = await one.begin("hi")
        await one.reached(task.id, WORKING)
        post = one.store.post

        async def end_first(*args: object, **options: object) -> Outcome:
            go.set()
            await one.ended(task.id)
            return await post(*args, **options)

        one.store.post = end_first
        with pytest.raises(UnsupportedOperationError):
            await other.send("Ada", task_id=task.id)
        with pytest.raises(TaskNotCancelableError):
            await other.cancel(task.id)


async def test_the_same_answer_at_once_to_both_processes_is_one_answer():
    async with two() as (one, other):
        task = await one.send("hi")
        find_key, looked = one.store.find_key, asyncio.Barrier(2)

        async def look_together(*args: object) -> KeyRecord | None:
            found = await find_key(*args)
            if found is None:
                await looked.wait()
            return found

        one.store.find_key = look_together
        call = replace(ANYONE, idempotency_key="k")
        sends = [asyncio.create_task(host.send("Ada", task_id=task.id, call=call)) for host in (one, other)]
        await asyncio.wait(sends)
        one.store.find_key = find_key
        assert [send.exception() for send in sends] == [None, None]
        for host in (one, other):
            assert why(await host.send("Ada", task_id=task.id, call=call)) == "age?"
        assert said(await other.get(task.id)) == ["hi", "name?", "Ada"]


async def test_what_was_posted_waits_for_a_store_that_does_not_answer(caplog: pytest.LogCaptureFixture):
    async def work(turn: Turn) -> None:
        write(turn, (await turn.next_message()).text)

    async with two(work) as (one, other):
        task = await one.begin("hi")
        await one.reached(task.id, WORKING)
        signals, failures = one.store.signals, [UnavailableError()] * 3

        async def fail_first(*args: object) -> list[Signal]:
            if failures:
                raise failures.pop()
            return await signals(*args)

        one.store.signals = fail_first
        assert (await other.send("Ada", task_id=task.id)).text == "Ada"
        assert "waits until it does" in caplog.text
