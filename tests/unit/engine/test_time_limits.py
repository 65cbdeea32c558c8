"""Nothing takes for ever: runs have a time, which waiting for the caller does not use up (I10)."""

import asyncio
from datetime import timedelta

import pytest

from dragoman.engine import Limits, RunEndedError, Turn
from dragoman.engine.timers import Timers
from dragoman.engine.working_time import WorkingTime
from dragoman.model import TaskState
from tests.unit.engine.kit import (
    COMPLETED,
    FAILED,
    INPUT_REQUIRED,
    WORKING,
    ScriptedHandler,
    Stage,
    drain,
    question,
    serving,
    states,
    until,
    why,
    write,
)

SHORT = Limits(run_timeout=timedelta(milliseconds=5), cancel_grace=timedelta(milliseconds=5))


@pytest.mark.parametrize("may_reply", [False, True])
async def test_a_run_that_takes_too_long_fails_its_task(may_reply: bool):
    stage = Stage()
    async with serving(ScriptedHandler(stage, may_reply=may_reply), limits=SHORT) as host:
        task = await host.send()
        assert task.state is FAILED
        assert why(task) == "timeout: the task took longer than 0:00:00.005000"
        await until(lambda: host.is_idle)


async def test_a_run_that_fails_in_its_clean_up_after_the_timeout_fails_for_the_timeout():
    async def work(turn: Turn) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise ValueError("clean-up failed")

    async with serving(work, limits=SHORT) as host:
        assert why(await host.send()).startswith("timeout")


async def test_a_run_that_finishes_late_but_finishes_has_completed():
    async def work(turn: Turn) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            write(turn, "what there is")

    async with serving(work, limits=SHORT) as host:
        task = await host.send()
        assert task.state is COMPLETED
        assert task.text == "what there is"


async def test_a_run_that_ignores_its_time_is_failed_without_it():
    stage = Stage()
    refused: list[str] = []

    async def work(turn: Turn) -> None:
        while not stage.go.is_set():
            try:
                await stage(turn)
            except asyncio.CancelledError:
                continue
        try:
            turn.status(COMPLETED)
        except RunEndedError:
            refused.append("late")

    async with serving(work, limits=SHORT) as host:
        items = await drain(await host.stream())
        assert states(items) == [TaskState.SUBMITTED, WORKING, FAILED]
        stage.go.set()
        await until(lambda: host.is_idle)
        assert refused == ["late"]


async def test_a_run_whose_time_is_up_asks_no_more_questions():
    refused: list[str] = []

    async def work(turn: Turn) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            try:
                await turn.ask(question(turn, "more time?"))
            except RunEndedError:
                refused.append("refused")

    async with serving(work, limits=SHORT) as host:
        assert (await host.send()).state is COMPLETED
        assert refused == ["refused"]


async def test_waiting_for_the_caller_is_not_working_time():
    stage = Stage()

    async def work(turn: Turn) -> None:
        await turn.ask(question(turn, "name?"))
        await stage(turn)

    async with serving(work, limits=SHORT) as host:
        task = await host.send()
        assert task.state is INPUT_REQUIRED
        assert len(host.runs[task.id].means.run_timers) == 0
        answered = await host.send(task_id=task.id)
        assert why(answered).startswith("timeout")


async def test_working_time_counts_from_each_start():
    told: list[str] = []
    time = WorkingTime(Timers(timedelta(0)), timedelta(0))
    calls = (lambda: told.append("up"), lambda: told.append("ignored"))
    time.stop()
    time.start(*calls)
    time.stop()
    await asyncio.sleep(0)
    assert told == []
    assert not time.is_up
    time.start(*calls)
    await until(lambda: len(told) == 2)
    assert told == ["up", "ignored"]
    assert time.is_up
