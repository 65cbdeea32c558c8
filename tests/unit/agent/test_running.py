"""When an agent runs, and that it can run again."""

import asyncio

import pytest

from dragoman import Agent, Agents, Client, Context, Principal, TaskState
from dragoman.model import SecurityRequirement, StringList
from dragoman.security import Credentials
from dragoman.store import open_store
from tests.unit.server.asgi import ask


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
        question = await client.start("", skill="ask")
        await question
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


@pytest.mark.parametrize("is_declared", [False, True])
async def test_an_authenticator_that_the_card_does_not_show_is_warned_of_at_the_start(is_declared, caplog):
    async def admit(credentials: Credentials) -> Principal:
        return Principal(subject="alice")

    requirements = [SecurityRequirement(schemes={"key": StringList()})] if is_declared else []
    agent = make_agent(authenticator=admit, security_requirements=requirements)
    assert not caplog.records
    await greet(agent)
    said = [record.message for record in caplog.records if "asks for no credentials" in record.message]
    assert len(said) == (0 if is_declared else 1)


async def test_the_pages_of_several_agents_say_how_they_are():
    app = Agents({"/greeter": make_agent()})
    await app.start()
    assert (await ask(app, "GET", "/healthz")).body == b"ok\n"
    assert (await ask(app, "GET", "/readyz")).body == b"ready\n"
    assert (await ask(app, "GET", "/greeter/readyz")).status == 200
    assert (await ask(app, "POST", "/readyz")).status == 405
    await app.drain()
    assert (await ask(app, "GET", "/readyz")).status == 503
    assert (await ask(app, "GET", "/greeter/readyz")).status == 503
    await app.stop()
    assert (await ask(app, "GET", "/readyz")).status == 503
    assert (await ask(app, "GET", "/healthz")).status == 200
