"""An agent that calls another one, killed in the worst moment: when the other has its message and it does not know it yet."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from dragoman import Client, TaskState
from dragoman.client.content import read_text
from tests.unit.cli.processes import Served, serving

pytestmark = pytest.mark.slow

DESK = """\
import asyncio
from dragoman import Agent, Context

agent = Agent("Desk", "Does what others ask for")

@agent.skill(default=True)
async def work(text: str, ctx: Context) -> str:
    '''Do what the text says.'''
    if text == "long":
        await asyncio.sleep(3600)
    if text == "ask":
        return f"{await ctx.ask('How many?', int)} seats"
    return f"done: {text}"
"""

CALLER = """\
import os
import signal
from datetime import timedelta
from pathlib import Path
from dragoman import Agent, Client, Context, Limits
from dragoman.client import TaskHandle

DESK = os.environ["DESK_URL"]
KILLED = Path("killed")
agent = Agent("Caller", "Asks others", limits=Limits(lease=timedelta(seconds=1)))

class Fatal(Client):
    '''Once, the process dies when the answer to a message has come and nobody has seen it yet.'''

    async def send(self, *args, **options):
        answer = await super().send(*args, **options)
        die()
        return answer

    def task(self, task_id):
        return FatalHandle(self._sender, task_id)

class FatalHandle(TaskHandle):
    async def reply(self, *args, **options):
        answer = await super().reply(*args, **options)
        die()
        return answer

def die():
    if not KILLED.exists() and os.environ["IS_FATAL"] == "yes":
        KILLED.touch()
        os.kill(os.getpid(), signal.SIGKILL)

@agent.skill
async def pass_on(text: str, ctx: Context) -> str:
    '''Ask the desk.'''
    async with Fatal(DESK) as desk:
        return await ctx.call(desk, text, name="desk")

@agent.skill
async def bubble(text: str, ctx: Context) -> str:
    '''Ask the desk, and let our caller answer its questions.'''
    async with Fatal(DESK) as desk:
        return await ctx.call(desk, text, name="desk", ask_caller=True)
"""


@contextmanager
def desk_and_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    (folder / "desk.py").write_text(DESK)
    (folder / "caller.py").write_text(CALLER)
    with serving("desk:agent", "--store", "memory:", cwd=folder) as desk:
        monkeypatch.setenv("DESK_URL", desk.url)
        yield desk


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    with desk_and_folder(tmp_path, monkeypatch) as served:
        yield served


def serve_caller(folder: Path, stack: ExitStack) -> Served:
    return stack.enter_context(serving("caller:agent", "--store", "sqlite:///tasks.db", cwd=folder))


async def count_tasks(desk: Served) -> int:
    async with Client(desk.url) as client:
        return len([task async for task in client.list_tasks()])


async def until_killed(served: Served) -> None:
    status = await asyncio.to_thread(served.process.wait, 30)
    assert status == -signal.SIGKILL


async def test_a_message_whose_answer_was_not_seen_begins_one_task(tmp_path, desk, monkeypatch):
    monkeypatch.setenv("IS_FATAL", "yes")
    with ExitStack() as stack:
        first = serve_caller(tmp_path, stack)
        async with Client(first.url) as client:
            task = await client.start("seats", skill="pass_on")
        await until_killed(first)
        assert await count_tasks(desk) == 1
        async with Client(serve_caller(tmp_path, stack).url) as client:
            done = await client.task(task.id).result(deadline=30)
    assert (done.state, done.text) == (TaskState.COMPLETED, "done: seats")
    assert await count_tasks(desk) == 1


async def test_an_answer_to_a_question_of_theirs_is_given_once(tmp_path, desk, monkeypatch):
    monkeypatch.setenv("IS_FATAL", "no")
    with ExitStack() as stack:
        first = serve_caller(tmp_path, stack)
        async with Client(first.url) as client:
            task = await client.start("ask", skill="bubble")
            assert read_text(await task) == "How many?"
        first.stop()
        monkeypatch.setenv("IS_FATAL", "yes")
        second = serve_caller(tmp_path, stack)
        async with Client(second.url) as client:
            await client.task(task.id).reply("4", return_immediately=True)
        await until_killed(second)
        async with Client(serve_caller(tmp_path, stack).url) as client:
            done = await client.task(task.id).result(deadline=30)
    assert (done.state, done.text) == (TaskState.COMPLETED, "4 seats")
    async with Client(desk.url) as client:
        [theirs] = [one async for one in client.list_tasks(history_length=10)]
    assert [message.text for message in theirs.history if message.text in ("ask", "4")] == ["ask", "4"]


async def test_cancellation_reaches_the_agent_that_was_called(tmp_path, desk, monkeypatch):
    monkeypatch.setenv("IS_FATAL", "no")
    with ExitStack() as stack:
        caller = serve_caller(tmp_path, stack)
        async with Client(caller.url) as client, Client(desk.url) as there:
            task = await client.start("long", skill="pass_on")
            theirs = await until_begun(there)
            assert (await task.cancel()).state is TaskState.CANCELED
            ended = await there.task(theirs).result(deadline=30)
    assert ended.state is TaskState.CANCELED


async def until_begun(client: Client) -> str:
    """The id of the agent's one task, once it works."""
    async with asyncio.timeout(30):
        while True:
            tasks = [task async for task in client.list_tasks()]
            if tasks and tasks[0].state is TaskState.WORKING:
                return tasks[0].id
            await asyncio.sleep(0.02)
