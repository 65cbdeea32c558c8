"""When an agent runs, and that it can run again."""

import asyncio

import pytest

from dragoman import Agent, Agents, Client, Context, TaskState
from dragoman.client import TaskHandle
from dragoman.store import open_store


def make_agent(**options: object) -> Agent:
    agent = Agent("Greeter", "Says hello", **options)  # type: ignore[arg-type]

    @agent.skill(default=True)
    async def hello(name: str = "world") -> str:
        return f"Hello, {name}!"

    @agent.skill
    async def ask(ctx: Context) -> str:
        return f"you said {await ctx.ask('which one?')}"

    return agent


async def greet(agent: Agent) -> str:
    async with Client(agent) as client:
        return await client.ask("Ada")


@pytest.mark.parametrize("store", ["memory:", "sqlite:///tasks.db"])
def test_one_agent_runs_in_one_event_loop_after_the_other(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    agent = make_agent(store=store)
    assert [asyncio.run(greet(agent)) for _ in range(3)] == ["Hello, Ada!"] * 3


def test_an_agent_whose_loop_went_away_starts_in_the_next():
    agent = make_agent()

    async def leave_running() -> None:
        await agent.start()

    asyncio.run(leave_running())
    assert asyncio.run(greet(agent)) == "Hello, Ada!"


async def test_an_agent_in_another_loop_that_is_open_says_so():
    agent = make_agent()
    await agent.start()
    with pytest.raises(RuntimeError, match="runs in another event loop"):
        await asyncio.to_thread(asyncio.run, greet(agent))
    await agent.stop()


async def test_a_client_runs_the_agent_until_it_is_closed():
    agent = make_agent()
    async with Client(agent) as first, Client(agent) as second:
        async with asyncio.TaskGroup() as group:
            for client in (first, first, second):
                group.create_task(client.ask("Ada"))
        app = agent.app
        await first.close()
        assert not app.is_stopped
    assert app.is_stopped


async def test_a_client_leaves_running_what_somebody_else_has_started():
    agent = make_agent()
    await agent.start()
    await greet(agent)
    assert not agent.app.is_stopped
    await agent.stop()
    await agent.start()
    assert await greet(agent) == "Hello, Ada!"
    await agent.stop()


async def test_what_is_in_memory_is_there_for_the_next_client():
    agent = make_agent()
    async with Client(agent) as client:
        question = await client.send("", skill="ask")
        assert isinstance(question, TaskHandle)
    async with Client(agent) as client:
        task = client.task(question.id)
        await task.reply("that")
        assert (task.state, task.text) == (TaskState.COMPLETED, "you said that")


async def test_a_store_of_the_authors_own_cannot_be_opened_again(tmp_path):
    agent = make_agent(store=open_store(f"sqlite:///{tmp_path}/tasks.db"))
    await greet(agent)
    with pytest.raises(RuntimeError, match="can be entered only once"):
        await greet(agent)


async def test_several_agents_run_together():
    agent = make_agent()
    app = Agents({"/greeter": agent})
    for _ in range(2):
        async with app.running():
            assert not agent.app.is_stopped
            assert await greet(agent) == "Hello, Ada!"
        assert agent.app.is_stopped


async def test_a_stopped_agent_is_configured_anew():
    agent = make_agent()
    await greet(agent)
    agent.configure(url="https://agent.example")
    assert agent.url == "https://agent.example"
