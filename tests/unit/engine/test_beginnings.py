"""Whether the job of a task had begun when its process died: what the log does not say, has not happened (I4)."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from dragoman.engine import Limits, Turn
from dragoman.engine.entries import LogEntry, Origin, load_entry
from dragoman.engine.past import load_past
from dragoman.model import Task, TaskState, TaskStatus, TaskStatusUpdateEvent
from tests.unit.engine.kit import (
    ANYONE,
    COMPLETED,
    FAILED,
    QUICK,
    WORKING,
    ScriptedHandler,
    Stage,
    Vault,
    serving,
    turns,
    until,
    why,
    write,
)
from tests.unit.engine.test_recovery import LOST, dying, idempotent

ONE_AT_A_TIME = Limits(
    max_runs=1, chunk_delay=timedelta(milliseconds=1), cancel_grace=timedelta(milliseconds=20)
)
KEYED = replace(ANYONE, idempotency_key="k")


async def greet(turn: Turn) -> None:
    write(turn, f"hello, {turn.request.message.text}")


async def test_a_task_that_waited_for_its_turn_is_run_after_a_crash():
    store = Vault()
    async with serving(Stage(), store=store, limits=ONE_AT_A_TIME) as host:
        working = await host.begin("Ada")
        await host.reached(working.id, WORKING)
        waiting = await host.begin("Bob")
        store.is_down = True
    store.is_down = False
    store._alive_until.clear()
    async with serving(greet, store=store) as host:
        assert why(await host.ended(working.id)) == LOST
        done = await host.ended(waiting.id)
        assert (done.state, done.text) == (COMPLETED, "hello, Bob")


async def test_a_job_that_waited_begins_when_that_is_on_the_log():
    store, stage = Vault(), Stage()
    async with serving(stage, store=store, limits=ONE_AT_A_TIME) as host:
        first = await host.begin()
        await host.reached(first.id, WORKING)
        waiting = await host.begin()
        store.open.clear()
        stage.go.set()
        await until(lambda: host.runs[waiting.id].is_at_work)
        await turns()
        assert len(stage.turns) == 1
        store.open.set()
        await host.ended(waiting.id)
        assert len(stage.turns) == 2


async def test_a_job_under_a_key_begins_when_that_is_on_the_log():
    store, stage = Vault(), Stage()
    async with serving(stage, store=store) as host:
        store.open.clear()
        sending = asyncio.create_task(host.begin(call=KEYED))
        await until(lambda: store.waiting)
        await turns()
        assert not stage.turns
        store.open.set()
        stage.go.set()
        await host.ended((await sending).id)
        assert len(stage.turns) == 1


async def test_a_job_that_need_not_wait_begins_before_anything_is_on_the_log():
    store, stage = Vault(), Stage()
    async with serving(stage, store=store) as host:
        store.open.clear()
        sending = asyncio.create_task(host.begin())
        await until(lambda: stage.turns)
        assert not store.batches
        store.open.set()
        await sending


async def test_a_job_that_kills_its_process_at_once_is_not_begun_for_ever():
    """The takeover is on the log before the job can do harm again."""
    store, stage = Vault(), Stage()
    async with dying(idempotent(stage), store) as host:
        task = await host.begin()
        await until(lambda: host.lives[task.id].is_level)
    began: list[int] = []

    async def die(turn: Turn) -> None:
        began.append(sum(load_entry(data).restarted for data in store._tasks[task.id].log))
        await asyncio.sleep(60)

    for number in range(1, QUICK.max_restarts + 1):
        async with dying(ScriptedHandler(die, is_idempotent=True), store):
            await until(lambda: len(began) == number)  # noqa: B023 -- it is asked in this round alone
    async with serving(idempotent(stage), store=store) as host:
        failed = await host.ended(task.id)
    assert began == [1, 2, 3]
    assert failed.state is FAILED
    assert "died several times" in why(failed)


def entry(state: TaskState) -> LogEntry:
    return LogEntry(
        status_update=TaskStatusUpdateEvent(task_id="t", context_id="c", status=TaskStatus(state=state))
    )


def first(*, is_announced: bool) -> LogEntry:
    task = Task(id="t", status=TaskStatus(state=TaskState.SUBMITTED))
    return LogEntry(task=task, origin=Origin(is_announced=is_announced))


def test_the_log_tells_what_had_not_begun():
    restarted = LogEntry(restarted=True)
    assert not load_past([first(is_announced=True)]).has_begun
    assert not load_past([first(is_announced=True), restarted]).has_begun
    assert load_past([first(is_announced=True), restarted, restarted]).restarts == 0
    assert load_past([first(is_announced=True), entry(WORKING)]).has_begun
    assert load_past([first(is_announced=True), restarted, entry(WORKING), restarted]).restarts == 1
    assert load_past([first(is_announced=False)]).has_begun
    assert load_past([first(is_announced=False), restarted]).restarts == 1
