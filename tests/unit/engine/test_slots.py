"""How many runs work at once, and how many wait (I10)."""

import asyncio
import contextlib
import random
from datetime import timedelta

import pytest

from dragoman.engine import Limits, Turn
from dragoman.engine.slots import Quota, Slots
from dragoman.model import SkillError, TaskNotCancelableError, TaskState, UnavailableError
from tests.unit.engine.kit import (
    COMPLETED,
    INPUT_REQUIRED,
    ScriptedHandler,
    Stage,
    question,
    serving,
    turns,
    until,
    write,
)


async def test_runs_beyond_the_limit_wait_their_turn_in_order():
    stage = Stage()
    async with serving(stage, limits=Limits(max_runs=1)) as host:
        tasks = [await host.begin(str(number)) for number in range(4)]
        assert [task.state for task in tasks[1:]] == [TaskState.SUBMITTED] * 3
        stage.go.set()
        for task in tasks:
            assert (await host.ended(task.id)).state is COMPLETED
        assert [turn.task_id for turn in stage.turns] == [task.id for task in tasks]


async def test_a_full_queue_refuses_new_work_before_there_is_a_task():
    stage = Stage()
    async with serving(stage, limits=Limits(max_runs=1, max_waiting_runs=2)) as host:
        for _ in range(3):
            await host.begin()
        with pytest.raises(UnavailableError):
            await host.begin()
        assert (await host.list()).total_size == 3
        stage.go.set()
        await until(lambda: host.is_idle)
        assert (await host.send()).state is COMPLETED


async def test_a_burst_of_sends_cannot_slip_past_the_limit():
    stage = Stage()
    async with serving(stage, limits=Limits(max_runs=2, max_waiting_runs=3)) as host:
        sends = [asyncio.create_task(host.begin()) for _ in range(50)]
        await until(lambda: all(send.done() for send in sends))
        assert sum(send.exception() is None for send in sends) == 5
        assert len(host.runs) == 5
        stage.go.set()
        await until(lambda: host.is_idle)


async def test_an_agent_may_have_no_queue_at_all():
    stage = Stage()
    async with serving(stage, limits=Limits(max_runs=1, max_waiting_runs=0)) as host:
        await host.begin()
        with pytest.raises(UnavailableError):
            await host.begin()
        stage.go.set()
        await until(lambda: host.is_idle)
        assert (await host.send()).state is COMPLETED


async def test_a_parked_task_lends_its_slot_and_waits_for_one_when_it_is_answered():
    stage = Stage()

    async def work(turn: Turn) -> None:
        if turn.request.message.text == "ask":
            await turn.ask(question(turn, "name?"))
        else:
            await stage(turn)

    async with serving(work, limits=Limits(max_runs=1)) as host:
        parked = await host.send("ask")
        assert parked.state is INPUT_REQUIRED
        busy = await host.begin("work")
        await stage.begun.wait()
        answered = await host.begin("Ada", task_id=parked.id)
        assert answered.state is INPUT_REQUIRED
        await turns()
        assert (await host.get(parked.id)).state is INPUT_REQUIRED
        stage.go.set()
        assert (await host.ended(parked.id)).state is COMPLETED
        assert (await host.ended(busy.id)).state is COMPLETED


async def test_cancelling_an_answered_task_that_waits_for_its_slot_takes_none():
    stage = Stage()

    async def work(turn: Turn) -> None:
        if turn.request.message.text == "ask":
            await turn.ask(question(turn, "name?"))
        else:
            await stage(turn)

    async with serving(work, limits=Limits(max_runs=1)) as host:
        parked = await host.send("ask")
        await host.begin("work")
        await stage.begun.wait()
        await host.begin("Ada", task_id=parked.id)
        assert (await host.cancel(parked.id)).state is TaskState.CANCELED
        stage.go.set()
        await until(lambda: host.is_idle)
        assert (await host.send("work")).state is COMPLETED


async def break_down(turn: Turn) -> None:
    raise ValueError("broken")


async def refuse(turn: Turn) -> None:
    raise SkillError("refused")


async def end_early(turn: Turn) -> None:
    turn.status(COMPLETED)
    await asyncio.sleep(0)


async def cancel_itself(turn: Turn) -> None:
    raise asyncio.CancelledError


async def ask(turn: Turn) -> None:
    await turn.ask(question(turn, "?"))


async def ask_twice(turn: Turn) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(turn.ask(question(turn, "a?")))
        group.create_task(turn.ask(question(turn, "b?")))


async def take_long(turn: Turn) -> None:
    await asyncio.sleep(60)


async def make_something(turn: Turn) -> None:
    write(turn, "x")
    await turn.room()


WAYS = (break_down, refuse, end_early, cancel_itself, ask, ask_twice, take_long, make_something)


async def test_no_slot_is_lost_in_a_thousand_mixed_runs():
    chance = random.Random(7)

    async def work(turn: Turn) -> None:
        await chance.choice(WAYS)(turn)

    limits = Limits(
        max_runs=3,
        run_timeout=timedelta(milliseconds=20),
        park_timeout=timedelta(milliseconds=20),
        cancel_grace=timedelta(milliseconds=20),
        chunk_delay=timedelta(milliseconds=1),
    )
    async with serving(ScriptedHandler(work), limits=limits) as host:
        ids = [(await host.begin()).id for _ in range(1_000)]
        for task_id in ids[::3]:
            with contextlib.suppress(TaskNotCancelableError):
                await host.cancel(task_id)
        await until(lambda: host.is_idle)
        slots = host.engine._sending._launcher._slots
        assert slots._held == slots._expected == 0
        assert slots._places._value == 3
        for task_id in ids:
            assert (await host.get(task_id)).state.is_settled


async def test_slots_are_given_in_the_order_of_asking():
    slots = Slots(max_held=1, max_waiting=10)
    order: list[int] = []

    async def work(number: int) -> None:
        slots.expect()
        await slots.take_expected()
        order.append(number)
        await asyncio.sleep(0)
        slots.give()

    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(work(number))
    assert order == [0, 1, 2, 3, 4]


async def test_whoever_is_cancelled_while_waiting_for_a_slot_gives_up_the_place_in_the_queue():
    slots = Slots(max_held=1, max_waiting=1)
    slots.expect()
    await slots.take_expected()
    slots.expect()
    waiting = asyncio.create_task(slots.take_expected())
    await turns(2)
    with pytest.raises(UnavailableError):
        slots.check_room()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    slots.check_room()
    slots.give()
    slots.expect()
    await slots.take_expected()


def test_a_quota_counts_in_all_and_for_each():
    quota = Quota(total=3, each=2)
    assert quota.take("a")
    assert quota.take("a")
    assert not quota.take("a")
    assert quota.take("b")
    assert not quota.take("c")
    quota.give("a")
    assert quota.take("c")
    for owner in ("a", "b", "c"):
        quota.give(owner)
    assert quota._held == {}
    assert quota._count == 0
