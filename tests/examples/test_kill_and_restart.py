"""An agent on SQLite is killed (kill -9) and started again: what a client was told of is there, as it was told."""

import asyncio

import pytest

from dragoman import Client, Task, TaskState
from dragoman.client import EventStream
from dragoman.model import PeerError, UnavailableError
from examples.echo.serving import serve

pytestmark = pytest.mark.slow

CALLS = 90
ENDED_BEFORE_THE_KILL = 20
SKILLS = ("echo", "voice", "mountains")


class Caller:
    """Somebody who made a task and remembers what was said about it."""

    def __init__(self, client: Client, number: int) -> None:
        text = " ".join(f"word{index}" for index in range(number % 30 + 1))
        self._events: EventStream = client.stream(text, skill=SKILLS[number % 3])

    @property
    def told(self) -> Task | None:
        return self._events.view.task

    async def listen(self, settled: "asyncio.Queue[None]") -> None:
        try:
            async for _ in self._events:
                if self._events.view.is_settled:
                    break
        except (PeerError, UnavailableError):
            return
        settled.put_nowait(None)


ORDER = (TaskState.SUBMITTED, TaskState.WORKING)


def check(told: Task, now: Task) -> None:
    """What was told still holds, or the task has gone on from there: the log may be ahead of a client, never behind."""
    assert now.context_id == told.context_id
    assert now.history[0] == told.history[0]
    if told.state.is_settled:
        assert now.status == told.status
        assert (now.artifacts or ()) == (told.artifacts or ())
        return
    assert now.state not in ORDER[: ORDER.index(told.state)]
    if now.state is TaskState.COMPLETED:  # only chunks of a task that died may be lost (I1)
        assert now.text.startswith(told.text)


async def test_what_was_told_while_many_tasks_ran_is_there_after_a_kill(tmp_path):
    settled: asyncio.Queue[None] = asyncio.Queue()
    async with serve(tmp_path) as first, Client(first.url) as client, asyncio.TaskGroup() as group:
        callers = [Caller(client, number) for number in range(CALLS)]
        listening = [group.create_task(caller.listen(settled)) for caller in callers]
        for _ in range(ENDED_BEFORE_THE_KILL):
            await settled.get()
        await first.kill()
        for listener in listening:
            listener.cancel()
    told = [caller.told for caller in callers if caller.told is not None]
    assert len({task.state for task in told}) >= 3
    async with serve(tmp_path) as second, Client(second.url) as client:
        for task in told:
            check(task, await client.get_task(task.id))
        listed = {task.id async for task in client.list_tasks()}
        assert {task.id for task in told} <= listed


async def test_a_task_that_was_at_work_when_its_agent_was_killed_ends_with_a_reason(tmp_path):
    async with serve(tmp_path) as first, Client(first.url) as client:
        events = client.stream("Ho!", skill="mountains")
        async for _ in events:
            if events.view.task is not None and events.view.task.artifacts:
                break
        task_id = events.view.task_id
        await first.kill()
    async with serve(tmp_path) as second, Client(second.url) as client:
        task = await client.task(task_id).result(deadline=60)
    assert task.state is TaskState.FAILED
    assert task.status.message is not None
    assert "the agent stopped while it worked on this task" in task.status.message.text


async def test_an_ended_task_can_be_read_word_for_word_and_ended_it_stays(tmp_path):
    async with serve(tmp_path) as first, Client(first.url) as client:
        await client.ask("to be or not to be")
        [before] = [task async for task in client.list_tasks(include_artifacts=True)]
        await first.kill()
    async with serve(tmp_path) as second, Client(second.url) as client:
        [after] = [task async for task in client.list_tasks(include_artifacts=True)]
    assert after == before
    assert after.state is TaskState.COMPLETED
