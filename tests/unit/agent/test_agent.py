"""An agent as an app: its card, its life, and its places."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from dragoman.agent import Agent, Agents, AuthoringError, Context, Progress, SyncContext
from dragoman.client import Client
from dragoman.engine import DeliveryPolicy, Limits, RunEndedError
from dragoman.model import (
    AgentCard,
    AgentExtension,
    AgentProvider,
    Message,
    SkillError,
    TaskPushNotificationConfig,
)
from dragoman.model.extensions import OWN_EXTENSIONS
from dragoman.security import Credentials, Principal
from dragoman.store import MemoryTaskStore
from dragoman.wire import codec

HEADERS = {"A2A-Version": "1.0", "Content-Type": "application/json"}


async def request(
    app: ASGIApp,
    method: str,
    path: str,
    body: Any = None,
    *,
    root_path: str = "",
    headers: dict[str, str] | None = None,
) -> tuple[int, Any]:
    """One HTTP exchange with an ASGI app: the status and the body, read as JSON where it is."""
    raw = json.dumps(body).encode() if body is not None else b""
    pairs = {"Host": "agents.example", **HEADERS, **(headers or {})}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": root_path + path,
        "raw_path": (root_path + path).encode(),
        "root_path": root_path,
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in pairs.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    sent: list[Any] = []
    incoming = [{"type": "http.request", "body": raw, "more_body": False}]

    async def receive() -> Any:
        if not incoming:
            await asyncio.Event().wait()
        return incoming.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    content = b"".join(message.get("body", b"") for message in sent)
    try:
        return sent[0]["status"], json.loads(content)
    except ValueError:
        return sent[0]["status"], content.decode()


@contextlib.asynccontextmanager
async def lifespan(app: ASGIApp) -> AsyncIterator[list[Any]]:
    """Run an app's lifespan; gives what the app said about it."""
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    said: asyncio.Queue[Any] = asyncio.Queue()
    heard: list[Any] = []
    async with asyncio.TaskGroup() as group:

        async def live() -> None:
            await app({"type": "lifespan", "asgi": {"version": "3.0"}}, inbox.get, said.put)

        group.create_task(live())
        await inbox.put({"type": "lifespan.startup"})
        heard.append(await said.get())
        yield heard
        if heard[0]["type"].endswith("complete"):
            await inbox.put({"type": "lifespan.shutdown"})
            heard.append(await said.get())


def say(text: str) -> dict[str, Any]:
    return {"message": {"messageId": "1", "role": "ROLE_USER", "parts": [{"text": text}]}}


def make_agent(name: str = "Greeter", **options: Any) -> Agent:
    agent = Agent(name, "Says hello", **options)

    @agent.skill
    def hello(name: str = "world") -> str:
        """Greet someone by name."""
        return f"Hello, {name}!"

    return agent


# The card


def test_a_card_is_complete_but_for_its_addresses():
    card = make_agent(
        version="2.0",
        provider=AgentProvider(url="https://example.com", organization="Example"),
        documentation_url="https://example.com/docs",
        icon_url="https://example.com/icon",
        extensions=[AgentExtension(uri="https://example.com/x")],
        push_notifications=False,
    ).card_facts()
    assert (card.name, card.description, card.version) == ("Greeter", "Says hello", "2.0")
    assert card.supported_interfaces == ()
    assert (card.documentation_url, card.icon_url) == ("https://example.com/docs", "https://example.com/icon")
    assert card.capabilities.streaming is True
    assert card.capabilities.push_notifications is False
    assert card.capabilities.extended_agent_card is False
    assert [one.uri for one in card.capabilities.extensions] == ["https://example.com/x", *OWN_EXTENSIONS]
    assert (card.default_input_modes, card.default_output_modes) == (
        ("text/plain", "application/json"),
        ("text/plain",),
    )


def test_a_card_follows_the_skills():
    agent = make_agent()
    assert [skill.id for skill in agent.card_facts().skills] == ["hello"]

    @agent.skill(output_modes=["image/png"])
    async def draw(text: str) -> bytes:
        return b""

    skills = agent.card_facts().skills
    assert [skill.output_modes for skill in skills] == [("text/plain",), ("image/png",)]
    assert [skill.input_modes for skill in skills] == [(), ()]


@pytest.mark.parametrize("described", [True, False])
def test_no_required_member_is_empty_whatever_the_author_left_out(described):
    agent = Agent("Bare")
    if described:

        @agent.skill
        def work() -> None: ...

    card = codec.encode(agent.card_at({"type": "http", "headers": [], "path": "/", "root_path": ""}))
    assert codec.decode(AgentCard, card).description == ("Bare: Work" if described else "Bare")


def test_an_agent_has_a_name():
    with pytest.raises(AuthoringError, match="an agent needs a name and a version"):
        Agent("")


# Serving


async def test_an_agent_is_an_app():
    agent = make_agent()
    async with lifespan(agent) as heard:
        status, card = await request(agent, "GET", "/.well-known/agent-card.json")
        assert status == 200
        urls = [interface["url"] for interface in card["supportedInterfaces"]]
        assert urls == ["http://agents.example/", "http://agents.example"] * 2
        status, reply = await request(agent, "POST", "/message:send", say("Ada"))
        assert status == 200
        assert reply["task"]["artifacts"][0]["parts"] == [{"text": "Hello, Ada!"}]
    assert [message["type"] for message in heard] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


async def test_bad_input_is_refused_before_there_is_a_task():
    agent = Agent("Counter")

    @agent.skill
    def count(n: int) -> int:
        return n

    async with lifespan(agent):
        status, reply = await request(agent, "POST", "/message:send", say("three"))
        assert status == 400
        assert reply["error"]["details"][1]["fieldViolations"][0]["field"] == "message.parts[0].text"
        _, listed = await request(agent, "GET", "/tasks")
        assert listed["totalSize"] == 0


async def test_a_skill_error_fails_the_task_in_its_words():
    agent = Agent("Booker")

    @agent.skill
    async def book(ctx: Context) -> AsyncIterator[str | Progress]:
        yield Progress("looking", 0.5)
        yield "half"
        raise SkillError("no seats", data={"left": 0})

    async with lifespan(agent):
        _, reply = await request(agent, "POST", "/message:send", say("go"))
    assert reply["task"]["status"]["state"] == "TASK_STATE_FAILED"
    assert reply["task"]["status"]["message"]["parts"] == [{"text": "no seats"}, {"data": {"left": 0}}]


async def test_a_task_parks_with_a_question_and_goes_on_with_the_answer():
    agent = Agent("Asker")

    @agent.skill
    async def ask(ctx: Context) -> str:
        return f"{await ctx.ask('how many?', int)} it is"

    async with lifespan(agent):
        _, reply = await request(agent, "POST", "/message:send", say("go"))
        task = reply["task"]
        assert task["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"
        for text, state in (("many", "INPUT_REQUIRED"), ("3", "COMPLETED")):
            answer = say(text)
            answer["message"]["taskId"] = task["id"]
            _, reply = await request(agent, "POST", "/message:send", answer)
            assert reply["task"]["status"]["state"] == f"TASK_STATE_{state}"
        assert reply["task"]["artifacts"][0]["parts"] == [{"text": "3 it is"}]


async def test_a_message_is_answered_without_a_task():
    agent = Agent("Replier")

    @agent.skill
    async def reply(ctx: Context) -> Message:
        return ctx.reply("no task needed")

    async with lifespan(agent):
        _, answered = await request(agent, "POST", "/message:send", say("go"))
        _, listed = await request(agent, "GET", "/tasks")
    assert answered["message"]["parts"] == [{"text": "no task needed"}]
    assert listed["totalSize"] == 0


async def test_an_authenticated_caller_gets_the_extended_card():
    async def authenticate(credentials: Credentials) -> Principal:
        return Principal(subject=credentials.headers.get("x-user", ""))

    def extend(caller: Principal) -> AgentCard | None:
        card = agent.card_facts()
        return (
            msgspec.structs.replace(card, description=f"for {caller.subject}")
            if caller.subject == "ada"
            else None
        )

    agent = make_agent(authenticator=authenticate, extended_card=extend)
    async with lifespan(agent):
        _, card = await request(agent, "GET", "/extendedAgentCard", headers={"X-User": "ada"})
        assert card["description"] == "for ada"
        assert card["supportedInterfaces"]
        status, _ = await request(agent, "GET", "/extendedAgentCard", headers={"X-User": "bob"})
        assert status == 400
        status, _ = await request(agent, "GET", "/extendedAgentCard")
        assert status == 401


def test_an_extended_card_needs_somebody_to_tell_callers_apart():
    with pytest.raises(AuthoringError, match="give an authenticator too"):
        make_agent(extended_card=make_agent().card_facts())


async def test_an_unknown_default_keeps_the_agent_from_starting():
    agent = make_agent(default_skill="swim")
    async with lifespan(agent) as heard:
        assert heard[0]["type"] == "lifespan.startup.failed"
        assert "the default skill 'swim' does not exist; there are: hello" in heard[0]["message"]


async def test_the_named_default_is_the_default():
    agent = make_agent(default_skill="hello")

    @agent.skill
    def other(name: str) -> str:
        return name

    async with lifespan(agent):
        _, reply = await request(agent, "POST", "/message:send", say("Ada"))
    assert reply["task"]["artifacts"][0]["parts"] == [{"text": "Hello, Ada!"}]


def test_an_agent_is_configured_before_it_is_served():
    agent = make_agent()
    store = MemoryTaskStore()
    agent.configure(store=store, url="https://greeter.example/a/", limits=Limits(max_runs=1))
    assert (agent.store, agent.url) == (store, "https://greeter.example/a/")
    assert agent.app is agent.app
    with pytest.raises(RuntimeError, match="configure it before it is served"):
        agent.configure(url="https://other.example")


def test_a_store_that_does_not_exist_is_refused_at_once():
    with pytest.raises(ValueError, match="no task store"):
        make_agent(store="floppy:a")


# Mounted


@pytest.mark.parametrize("kind", [Starlette, FastAPI])
async def test_a_mounted_agent_starts_at_its_first_request(kind):
    agent = make_agent()
    outer = kind(routes=[Mount("/greeter", app=agent)])
    _, card = await request(outer, "GET", "/greeter/.well-known/agent-card.json")
    assert card["supportedInterfaces"][1]["url"] == "http://agents.example/greeter"
    _, reply = await request(outer, "POST", "/greeter/message:send", say("Ada"))
    assert reply["task"]["artifacts"][0]["parts"] == [{"text": "Hello, Ada!"}]
    await agent.stop()


async def test_a_stopped_agent_takes_no_calls():
    agent = make_agent()
    await agent.start()
    await agent.stop()
    status, _ = await request(agent, "POST", "/message:send", say("Ada"))
    assert status == 503


# Several


async def test_several_agents_share_a_server_and_a_lifespan():
    agents = Agents({"/greeter": make_agent(), "/greeter/twin": make_agent("Twin")})
    async with lifespan(agents) as heard:
        status, index = await request(agents, "GET", "/", root_path="/api")
        assert status == 200
        assert [card["name"] for card in index["agents"]] == ["Greeter", "Twin"]
        assert index["agents"][1]["supportedInterfaces"][1]["url"] == "http://agents.example/api/greeter/twin"
        for path, name in (("/greeter", "Greeter"), ("/greeter/twin", "Twin")):
            _, card = await request(agents, "GET", f"{path}/.well-known/agent-card.json")
            assert (card["name"], card["supportedInterfaces"][1]["url"]) == (
                name,
                f"http://agents.example{path}",
            )
            body = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": say("Ada")}
            for slash in ("", "/"):
                _, reply = await request(agents, "POST", path + slash, body)
                assert reply["result"]["task"]["artifacts"][0]["parts"] == [{"text": "Hello, Ada!"}]
    assert heard[1]["type"] == "lifespan.shutdown.complete"


async def test_where_no_agent_is_the_others_are_named():
    agents = Agents({"/greeter": make_agent()})
    assert await request(agents, "GET", "/greeters") == (404, "no agent here; there are: /greeter\n")
    assert (await request(agents, "POST", "/"))[0] == 405


async def test_agents_below_one_public_url_have_urls_of_their_own():
    agents = Agents({"/greeter": make_agent()}, url="https://example.com/agents/")
    _, index = await request(agents, "GET", "/")
    assert index["agents"][0]["supportedInterfaces"][1]["url"] == "https://example.com/agents/greeter"


async def test_agents_mounted_elsewhere_start_at_their_first_request():
    agents = Agents({"/greeter": make_agent()})
    outer = Starlette(routes=[Mount("/agents", app=agents)])
    _, reply = await request(outer, "POST", "/agents/greeter/message:send", say("Ada"))
    assert reply["task"]["artifacts"][0]["parts"] == [{"text": "Hello, Ada!"}]
    await agents.stop()


async def test_one_agent_that_cannot_start_stops_the_others():
    first = make_agent("First")
    async with lifespan(Agents({"/a": first, "/b": make_agent(default_skill="swim")})) as heard:
        assert heard[0]["type"] == "lifespan.startup.failed"
    assert (await request(first, "GET", "/readyz"))[0] == 503


@pytest.mark.parametrize("path", ["greeter", "/greeter/"])
def test_a_path_that_leads_nowhere_is_refused(path):
    with pytest.raises(AuthoringError, match="is not a path for an agent"):
        Agents({path: make_agent()})


def test_agents_of_one_name_are_refused():
    with pytest.raises(AuthoringError, match="need names of their own"):
        Agents({"/a": make_agent(), "/b": make_agent()})


# Canceled


async def start_and_cancel(agent: Agent, started: asyncio.Event) -> Any:
    async with lifespan(agent):
        body = {**say("go"), "configuration": {"returnImmediately": True}}
        _, reply = await request(agent, "POST", "/message:send", body)
        await started.wait()
        _, task = await request(agent, "POST", f"/tasks/{reply['task']['id']}:cancel", {})
        return task


async def test_a_canceled_stream_is_closed_and_its_task_canceled():
    agent = Agent("Streamer")
    started, closed = asyncio.Event(), asyncio.Event()

    @agent.skill
    async def work() -> AsyncIterator[str]:
        try:
            yield "a"
            started.set()
            await asyncio.Event().wait()
        finally:
            closed.set()

    task = await start_and_cancel(agent, started)
    assert task["status"]["state"] == "TASK_STATE_CANCELED"
    assert closed.is_set()


async def test_a_canceled_thread_hears_of_it_and_its_task_is_canceled():
    agent = Agent("Worker")
    started = asyncio.Event()
    loop = asyncio.get_running_loop()
    heard: list[str] = []

    @agent.skill
    def work(ctx: SyncContext) -> str:
        loop.call_soon_threadsafe(started.set)
        try:
            return ctx.next_message().text
        except RunEndedError:
            heard.append("ended")
            raise

    task = await start_and_cancel(agent, started)
    assert task["status"]["state"] == "TASK_STATE_CANCELED"
    assert heard == ["ended"]


async def test_a_delivery_policy_says_when_a_webhook_is_given_up():
    agent = Agent("Courier", delivery=DeliveryPolicy(give_up_after=timedelta()))

    @agent.skill
    def carry(text: str) -> str:
        return text

    push = TaskPushNotificationConfig(id="hook", url="http://127.0.0.1:1/")  # which may not be dialled
    async with Client(agent) as client:
        await client.send("x", push=push)
        async with asyncio.timeout(10):
            while not (dead := await agent.store.dead_push("Courier", 10)):  # noqa: ASYNC110 -- it rings no bell
                await asyncio.sleep(0.01)
    assert [(one.config_id, one.attempts) for one in dead] == [("hook", 1)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"first_pause": timedelta(-1)},
        {"attempt_timeout": timedelta()},
        {"max_concurrent": 0},
        {"max_batch": 0},
    ],
)
def test_a_delivery_policy_that_could_not_work_is_refused(wrong):
    with pytest.raises(ValueError, match="a delivery policy"):
        DeliveryPolicy(**wrong)
