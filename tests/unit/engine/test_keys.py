"""The same send under the same key is one send (SND-15)."""

import asyncio
import dataclasses
from datetime import timedelta

import pytest

from dragoman.engine import Call, Limits, Turn
from dragoman.model import InvalidParamsError, TaskNotFoundError, TaskState, UnavailableError
from tests.unit.engine.kit import (
    ADA,
    ANYONE,
    BOB,
    COMPLETED,
    INPUT_REQUIRED,
    WORKING,
    MovableClock,
    Stage,
    Vault,
    drain,
    nothing,
    question,
    refold,
    said,
    serving,
    states,
    turns,
    until,
    write,
)


def keyed(key: str = "k", call: Call = ANYONE) -> Call:
    return dataclasses.replace(call, idempotency_key=key)


async def introduce(turn: Turn) -> None:
    name = await turn.ask(question(turn, "name?"))
    age = await turn.ask(question(turn, "age?"))
    write(turn, f"{name.text} is {age.text}")


async def test_a_second_send_is_answered_with_the_first_ones_task():
    async with serving(nothing) as host:
        first = await host.send(call=keyed())
        assert await host.send(call=keyed()) == first
        items = await drain(await host.stream(call=keyed()))
        assert states(items) == [TaskState.SUBMITTED, WORKING, COMPLETED]
        assert refold(items) == first
        assert (await host.list()).total_size == 1
        assert (await host.send(call=keyed("other"))).id != first.id
        await until(lambda: host.is_idle)


async def test_a_second_send_while_the_first_is_at_work_waits_for_the_same_end():
    stage = Stage()
    async with serving(stage) as host:
        async with asyncio.TaskGroup() as group:
            sends = [group.create_task(host.send(call=keyed())) for _ in range(5)]
            await stage.begun.wait()
            sends.append(group.create_task(host.send(call=keyed())))
            await turns()
            stage.go.set()
        assert len({send.result().id for send in sends}) == 1
        assert {send.result().state for send in sends} == {COMPLETED}
        assert len(stage.turns) == 1
        await until(lambda: host.is_idle and not host.engine._roster.unattended)


async def test_a_key_belongs_to_one_request_and_to_one_caller():
    async with serving(nothing) as host:
        mine = await host.send("a", call=keyed(call=ADA))
        with pytest.raises(InvalidParamsError, match="another request"):
            await host.send("b", call=keyed(call=ADA))
        assert (await host.send("b", call=keyed(call=BOB))).id != mine.id
        await until(lambda: host.is_idle)


async def test_a_key_is_free_again_after_its_window():
    clock = MovableClock()
    async with serving(nothing, clock=clock, limits=Limits(idempotency_window=timedelta(hours=1))) as host:
        first = await host.send(call=keyed())
        clock.advance(timedelta(minutes=59))
        assert (await host.send(call=keyed())).id == first.id
        clock.advance(timedelta(minutes=2))
        assert (await host.send(call=keyed())).id != first.id


async def test_an_answer_under_a_key_is_given_once():
    async with serving(introduce) as host:
        task = await host.send("hi")
        for _ in range(3):
            asked = await host.send("Ada", task_id=task.id, call=keyed())
            assert said(asked) == ["hi", "name?", "Ada"]
            assert asked.state is INPUT_REQUIRED
        with pytest.raises(InvalidParamsError, match="another request"):
            await host.send("Bob", task_id=task.id, call=keyed())
        done = await host.send("36", task_id=task.id, call=keyed("k2"))
        assert done.text == "Ada is 36"
        assert (await host.send("36", task_id=task.id, call=keyed("k2"))).text == "Ada is 36"


async def test_answers_at_once_under_one_key_are_one_answer():
    async with serving(introduce) as host:
        task = await host.send("hi")
        async with asyncio.TaskGroup() as group:
            sends = [group.create_task(host.begin("Ada", task_id=task.id, call=keyed())) for _ in range(10)]
        assert {send.result().id for send in sends} == {task.id}
        assert said(await host.get(task.id)) == ["hi", "name?", "Ada"]
        assert (await host.get(task.id)).state is not COMPLETED


async def test_nothing_is_done_under_a_key_before_it_is_known_that_nothing_else_was():
    stage = Stage()
    store = Vault()
    async with serving(stage, store=store) as host:
        store.open.clear()
        sending = asyncio.create_task(host.begin(call=keyed()))
        await turns()
        assert not stage.begun.is_set()
        store.open.set()
        await stage.begun.wait()
        assert not (await sending).state.is_settled
        stage.go.set()


async def test_a_key_whose_task_was_forgotten_says_so():
    clock = MovableClock()
    limits = Limits(retention=timedelta(minutes=1), idempotency_window=timedelta(days=1))
    async with serving(nothing, clock=clock, limits=limits) as host:
        first = await host.send(call=keyed())
        clock.advance(timedelta(hours=1))
        await host.engine._upkeep.tidy()
        with pytest.raises(TaskNotFoundError):
            await host.get(first.id)
        with pytest.raises(TaskNotFoundError):
            await host.send(call=keyed())


async def test_a_full_mailbox_refuses_what_comes_under_a_key():
    stage = Stage()
    async with serving(stage, limits=Limits(max_queued_messages=1)) as host:
        task = await host.begin()
        await host.reached(task.id, WORKING)
        await host.begin("1", task_id=task.id, call=keyed("1"))
        with pytest.raises(UnavailableError):
            await host.begin("2", task_id=task.id, call=keyed("2"))
        stage.go.set()
        assert said(await host.ended(task.id)) == ["hello", "1"]
