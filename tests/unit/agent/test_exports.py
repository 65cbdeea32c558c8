"""What the package shows, and what each name loads."""

import subprocess
import sys

import pytest

import dragoman
from dragoman import agent, client
from dragoman.client import http


def list_modules(code: str, shown: str = "*sys.modules") -> set[str]:
    script = f"{code}\nimport sys\nprint({shown})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def list_loaded(code: str) -> set[str]:
    """What `code` adds to a fresh interpreter, whatever that holds already to measure coverage."""
    return list_modules(f"import sys\nbefore = set(sys.modules)\n{code}", "*(set(sys.modules) - before)")


def below(package: str, loaded: set[str]) -> list[str]:
    return sorted(name for name in loaded if f"{name}.".startswith(f"{package}."))


def test_every_name_is_there():
    assert all(getattr(dragoman, name) is not None for name in dragoman.__all__)
    assert set(dragoman.__all__) <= set(dir(dragoman))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'dragoman' has no attribute 'Dragon'"):
        _ = dragoman.Dragon


@pytest.mark.parametrize("name", ["Client", "Message", "SkillError"])
def test_callers_load_nothing_of_a_server(name):
    loaded = list_modules(f"from dragoman import {name}")
    assert loaded.isdisjoint(
        {"pydantic", "starlette", "dragoman.server", "dragoman.engine", "dragoman.agent"}
    )


def test_authors_load_no_client():
    loaded = list_modules("from dragoman import Agent")
    assert loaded.isdisjoint({"dragoman.client", "aiohttp", "uvicorn", "fastapi"})


def test_neither_side_loads_what_only_some_need():
    """Extras, and the words of generations before 1.0, are paid for by those who use them."""
    loaded = list_modules("from dragoman import Agent, Client; Agent('A'); Client('http://localhost')")
    assert {name.partition(".")[0] for name in loaded}.isdisjoint(
        {"grpc", "google", "joserfc", "cryptography"}
    )
    assert not [name for name in loaded if name.startswith(("dragoman.wire.grpc", "dragoman.server.grpc."))]
    dialects = {name for name in loaded if name.startswith("dragoman.wire.dialects.")}
    assert dialects <= {"dragoman.wire.dialects.base", "dragoman.wire.dialects.naming"}


UNUSED_BY_CALLERS = (
    "aiohttp",
    "asyncio",  # belongs to whoever runs a loop: it costs as much as the client itself
    "dataclasses",
    "hashlib",
    "logging",
    "pathlib",
    "pydantic",
    "random",
    "ssl",
    "dragoman.security",
    "dragoman.client.http.aiohttp_http",
    "dragoman.client.http.asgi_http",
    "dragoman.client.notifications",
    "dragoman.client.receiving",
    "dragoman.client.transport.grpc",
    "dragoman.client.transport.jsonrpc",
    "dragoman.client.transport.older",
    "dragoman.client.transport.rest",
)


@pytest.mark.parametrize("name", UNUSED_BY_CALLERS)
def test_importing_the_client_loads_nothing_that_it_does_not_need_yet(name, client_modules):
    assert below(name, client_modules) == []


@pytest.fixture(scope="module")
def client_modules() -> set[str]:
    loaded = list_loaded("from dragoman import Client")
    assert "dragoman.client.client" in loaded
    return loaded


def test_the_package_alone_loads_nothing_of_itself_and_no_library():
    loaded = list_loaded("import dragoman")
    assert below("dragoman", loaded) == ["dragoman"]
    assert loaded.isdisjoint({"msgspec", "asyncio", "inspect"})


@pytest.mark.parametrize("name", ["NotificationReceiver", "NotAuthenticError", "Notification"])
def test_what_receives_notifications_is_there_when_it_is_asked_for(name):
    assert getattr(client, name).__module__.startswith("dragoman.client.")


@pytest.mark.parametrize("package", [client, http, agent])
def test_a_package_that_loads_late_has_no_other_names(package):
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'Dragon'"):
        _ = package.Dragon
    assert all(getattr(package, name) is not None for name in package.__all__)


SERVING = """
import asyncio
from collections.abc import AsyncIterator
from dragoman import Agent, Artifact, Context, Message, Part
agent = Agent("Greeter", "Greets")
@agent.skill(default=True)
async def hello(name: str = "world") -> str: return name
@agent.skill
async def talk(text: str, ctx: Context) -> Message: return ctx.reply(await ctx.ask("what?"))
@agent.skill
async def read(content: bytes, part: Part, rest: str) -> AsyncIterator[Artifact]: yield Artifact(artifact_id="a", parts=(part,))
async def main():
    async with agent.running(): pass
asyncio.run(main())
"""

UNUSED_BY_SERVERS = (
    "aiohttp",
    "anyio",
    "grpc",
    "importlib.metadata",
    "pydantic",
    "pydantic_core",
    "sqlite3",
    "starlette.middleware",
    "starlette.requests",
    "starlette.responses",
    "dragoman.agent.adapters",
    "dragoman.agent.agents",
    "dragoman.agent.calls",
    "dragoman.agent.fields",
    "dragoman.agent.fingerprints",
    "dragoman.client",
    "dragoman.security.cards",
    "dragoman.store.sqlite",
)


@pytest.mark.parametrize("name", UNUSED_BY_SERVERS)
def test_an_agent_of_texts_and_files_runs_without_what_only_others_need(name, server_modules):
    assert below(name, server_modules) == []


@pytest.fixture(scope="module")
def server_modules() -> set[str]:
    loaded = list_loaded(SERVING)
    assert "dragoman.server.service" in loaded
    return loaded


CALLING = f"""{SERVING}
from dragoman import Client
async def call():
    async with Client(agent) as client:
        assert await client.ask("Ada") == "Ada"
        task = await client.start("hi", skill="talk")
        await task
        await task.reply("more")
asyncio.run(call())
"""


def test_calls_with_texts_need_no_pydantic_either():
    loaded = list_loaded(CALLING)
    assert below("pydantic", loaded) + below("pydantic_core", loaded) == []
