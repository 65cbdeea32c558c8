"""Cancel reaches whatever the run is doing, within a bounded time, and once (I8, SPEC 2.5)."""

import asyncio
from datetime import timedelta

import pytest

from dragoman.engine import Limits, RunEndedError, Turn
from dragoman.model import TaskNotCancelableError, TaskNotFoundError, TaskState
from tests.unit.engine.kit import (
    CANCELED,
    COMPLETED,
    INPUT_REQUIRED,
    QUICK,
    WORKING,
    Stage,
    drain,
    nothing,
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


async def test_a_working_task_is_canceled_and_everybody_learns_of_it():
    stage = Stage()
    async with serving(stage) as host:
        stream = await host.stream()
        await stage.begun.wait()
        task_id = stage.turn.task_id
        waiting = asyncio.create_task(host.send(task_id=task_id))
        await until(lambda: host.lives[task_id].history_length == 2)
        canceled = await host.cancel(task_id)
        assert canceled.state is CANCELED
        assert (await waiting).state is CANCELED
        assert states(await drain(stream)) == [TaskState.SUBMITTED, WORKING, CANCELED]
        assert stage.turn.is_canceled
        await until(lambda: host.is_idle)


async def test_a_task_that_waits_for_its_slot_is_canceled_without_ever_working():
    stage = Stage()
    async with serving(stage, limits=Limits(max_runs=1)) as host:
        first = await host.begin()
        await stage.begun.wait()
        second = await host.begin()
        assert (await host.cancel(second.id)).state is CANCELED
        assert len(stage.turns) == 1
        stage.go.set()
        assert (await host.ended(first.id)).state is COMPLETED
        assert (await host.send()).state is COMPLETED  # the slot is free


async def test_a_task_can_be_canceled_before_its_run_took_a_single_step():
    stage = Stage()
    async with serving(stage) as host:
        sending = asyncio.create_task(host.begin())
        await until(lambda: host.runs)
        [run] = host.runs.values()
        run.cancel()
        task = await sending
        assert (await host.ended(task.id)).state is CANCELED
        await until(lambda: host.is_idle)


async def test_a_parked_task_is_canceled():
    async def work(turn: Turn) -> None:
        await turn.ask(question(turn, "name?"))

    async with serving(work, limits=Limits(max_runs=1)) as host:
        task = await host.send()
        canceled = await host.cancel(task.id)
        assert canceled.state is CANCELED
        assert (await host.send()).state is INPUT_REQUIRED
        await until(lambda: len(host.runs) == 1)


async def test_a_handler_may_clean_up_and_say_so():
    async def work(turn: Turn) -> None:
        write(turn, "half")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            assert turn.is_canceled
            await asyncio.sleep(0)
            write(turn, " of it", append=True)
            turn.status(CANCELED, question(turn, "rolled back"))
            raise

    async with serving(work) as host:
        task = await host.begin()
        await host.reached(task.id, WORKING)
        canceled = await host.cancel(task.id)
        assert why(canceled) == "rolled back"
        assert canceled.text == "half of it"


async def test_a_handler_that_swallows_the_cancellation_and_returns_is_canceled_nonetheless():
    async def work(turn: Turn) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return

    async with serving(work) as host:
        task = await host.begin()
        await host.reached(task.id, WORKING)
        assert (await host.cancel(task.id)).state is CANCELED


async def test_a_handler_that_fails_while_it_is_canceled_is_canceled_nonetheless():
    async def work(turn: Turn) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise ValueError("clean-up failed")

    async with serving(work) as host:
        task = await host.begin()
        await host.reached(task.id, WORKING)
        assert (await host.cancel(task.id)).state is CANCELED


async def test_a_handler_that_completed_in_spite_of_the_cancellation_has_completed():
    async def work(turn: Turn) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            turn.status(COMPLETED)

    async with serving(work) as host:
        task = await host.begin()
        await host.reached(task.id, WORKING)
        assert (await host.cancel(task.id)).state is COMPLETED


async def test_a_handler_that_ignores_cancellation_is_canceled_without_it_after_a_while():
    stage = Stage()
    refused: list[str] = []

    async def work(turn: Turn) -> None:
        while not stage.go.is_set():
            try:
                await stage(turn)
            except asyncio.CancelledError:
                refused.append("ignored")
        try:
            write(turn, "late")
        except RunEndedError:
            refused.append("late")
        turn.status(COMPLETED)

    async with serving(work) as host:
        stream = await host.stream()
        await stage.begun.wait()
        task = await host.cancel(stage.turn.task_id)
        assert task.state is CANCELED
        with pytest.raises(TaskNotCancelableError):
            await host.cancel(task.id)
        assert states(await drain(stream)) == [TaskState.SUBMITTED, WORKING, CANCELED]
        stage.go.set()
        await until(lambda: host.is_idle)
        assert refused == ["ignored", "late"]
        assert (await host.get(task.id)).state is CANCELED
        assert not (await host.get(task.id)).artifacts


async def test_the_slot_of_a_handler_that_ignores_cancellation_comes_back_when_it_ends():
    stage = Stage()

    async def work(turn: Turn) -> None:
        while not stage.go.is_set():
            try:
                await stage(turn)
            except asyncio.CancelledError:
                continue

    async with serving(work, limits=Limits(max_runs=1, cancel_grace=timedelta(milliseconds=5))) as host:
        task = await host.begin()
        await stage.begun.wait()
        await host.cancel(task.id)
        waiting = await host.begin()
        await turns()
        assert (await host.get(waiting.id)).state is TaskState.SUBMITTED
        stage.go.set()
        assert (await host.ended(waiting.id)).state is COMPLETED


async def test_cancelling_twice_at_once_interrupts_the_clean_up_only_once():
    cleaned = asyncio.Event()

    async def work(turn: Turn) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await turns(10)
            cleaned.set()

    async with serving(work) as host:
        task = await host.begin()
        await host.reached(task.id, WORKING)
        async with asyncio.TaskGroup() as group:
            first = group.create_task(host.cancel(task.id))
            await turns(3)
            second = group.create_task(host.cancel(task.id))
        assert first.result().state is second.result().state is CANCELED
        assert cleaned.is_set()
        stored = await host.store.read(task.id, 0, 100)
        assert sum(b"TASK_STATE_CANCELED" in entry for entry in stored) == 1


async def test_a_caller_that_hangs_up_does_not_keep_the_task_from_being_canceled():
    stage = Stage()

    async def work(turn: Turn) -> None:
        while not stage.go.is_set():
            try:
                await stage(turn)
            except asyncio.CancelledError:
                continue

    async with serving(work) as host:
        task = await host.begin()
        await stage.begun.wait()
        caller = asyncio.create_task(host.cancel(task.id))
        await turns(3)
        caller.cancel()
        assert (await host.ended(task.id)).state is CANCELED
        stage.go.set()
        await until(lambda: host.is_idle)


async def test_a_task_that_has_ended_cannot_be_canceled():
    async with serving(nothing) as host:
        task = await host.send()
        with pytest.raises(TaskNotCancelableError):
            await host.cancel(task.id)
        await until(lambda: host.is_idle)


async def test_a_canceled_task_cannot_be_canceled_again():
    stage = Stage()
    async with serving(stage) as host:
        task = await host.begin()
        await host.cancel(task.id)
        with pytest.raises(TaskNotCancelableError):
            await host.cancel(task.id)


async def test_an_unknown_task_cannot_be_canceled():
    async with serving(nothing) as host:
        with pytest.raises(TaskNotFoundError):
            await host.cancel("no-such-task")


@pytest.mark.parametrize("delay", range(12))
async def test_cancel_and_completion_at_the_same_time_leave_one_end(delay: int):
    async def work(turn: Turn) -> None:
        await turns(6)

    async with serving(work) as host:
        stream = await host.stream()
        task_id = next(iter(host.lives))
        await turns(delay)
        try:
            canceled = await host.cancel(task_id)
        except TaskNotCancelableError:
            canceled = None
        told = states(await drain(stream))
        assert sum(state.is_terminal for state in told) == 1
        assert (await host.get(task_id)).state is told[-1]
        assert canceled is None or canceled.state is told[-1]
        await until(lambda: host.is_idle)


async def test_a_message_that_waits_in_the_queue_survives_the_cancellation_on_the_log():
    stage = Stage()
    async with serving(stage) as host:
        task = await host.begin("0")
        await stage.begun.wait()
        await host.begin("1", task_id=task.id)
        assert said(await host.cancel(task.id)) == ["0", "1"]


async def test_chunks_before_the_cancellation_are_seen_before_it():
    async def work(turn: Turn) -> None:
        write(turn, "chunk")
        await asyncio.sleep(60)

    async with serving(work, limits=QUICK) as host:
        stream = await host.stream()
        items = await take(stream, 3)
        await host.cancel(items[0].event.task.id)  # type: ignore[union-attr]
        items += await drain(stream)
        assert [item.seq for item in items] == [1, 2, 3, 4]


async def test_a_job_awaiting_in_a_shield_is_canceled_all_the_same():
    inner: list[asyncio.Task[None]] = []
    go = asyncio.Event()

    async def protected() -> None:
        await go.wait()

    async def work(turn: Turn) -> None:
        inner.append(asyncio.create_task(protected()))
        await asyncio.shield(inner[0])

    async with serving(work) as host:
        task = await host.begin()
        await until(lambda: inner)
        assert (await host.cancel(task.id)).state is CANCELED
        go.set()
        await inner[0]
