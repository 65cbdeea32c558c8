"""Several processes on one store: whichever a caller reaches, it sees the same task (I2, I3, I7, I8)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from dragoman.bus import LocalBus
from dragoman.engine import Limits, RunEndedError, Turn
from dragoman.model import TaskNotCancelableError, TaskState, UnavailableError, UnsupportedOperationError
from tests.unit.engine.kit import (
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
            kept = []
            for send, text in ((first, "Ada"), (second, "36")):
                if send.exception() is None:
                    kept.append(text)
                else:
                    assert isinstance(send.exception(), UnavailableError)
            assert kept
            found = await other.get(task.id)
            assert sorted(text for text in said(found) if text in {"Ada", "36"}) == sorted(kept)


async def test_a_parked_run_makes_room_after_a_while_and_its_task_goes_on_waiting():
    async with two(limits=Limits(park_timeout=timedelta(milliseconds=2))) as (one, other):
        task = await one.send("hi")
        await until(lambda: one.is_idle)
        assert (await one.get(task.id)).state is INPUT_REQUIRED
        assert why(await one.send("Ada", task_id=task.id)) == "age?"
        await until(lambda: one.is_idle)
        assert (await other.send("36", task_id=task.id)).text == "Ada is 36"
