"""The five central calls, in process: requests as a server would hand them to the app, and our client against a bare one."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.contestants.bare import app as bare_app
from benchmarks.guard.counting import Counter, counting
from dragoman import Agent, Client, Limits

WARM_UP = 20
TIMES = 40
CHUNKS = 200
Figures = dict[str, dict[str, float]]

UNHURRIED = Limits(chunk_delay=timedelta(minutes=1))
"""How many writes the chunks of a stream share must not depend on how fast the machine is."""


def make_agent(store: str) -> Agent:
    agent = Agent("Guard", default_skill="echo", store=store, limits=UNHURRIED)

    @agent.skill
    async def echo(text: str) -> str:
        """Say it again."""
        return text

    @agent.skill
    async def stream(text: str) -> AsyncIterator[str]:
        """Say it many times."""
        for _ in range(CHUNKS):
            yield text

    return agent


def count_all(folder: Path) -> Figures:
    """Counts of one call of each kind."""
    figures: Figures = {}
    with counting() as counter:
        figures |= asyncio.run(_count_server(counter, "memory:", "send, memory", chunks=True))
    with counting() as counter:
        store = f"sqlite:///{folder / 'guard.db'}"
        figures |= asyncio.run(_count_server(counter, store, "send, SQLite", chunks=False))
    with counting() as counter:
        figures["client's send"] = asyncio.run(_count_client(counter))
    return figures


async def _count_server(counter: Counter, store: str, name: str, *, chunks: bool) -> Figures:
    asyncio.get_running_loop().set_task_factory(counter.make_task)
    agent = make_agent(store)
    figures: Figures = {}
    async with agent.running():
        send = _make_call(agent, "SendMessage", _make_message("echo"))
        answer = json.loads(await send())
        figures[name] = await _count(counter, send, TIMES)
        if chunks:
            get = _make_call(agent, "GetTask", {"id": answer["result"]["task"]["id"]})
            figures["get, memory"] = await _count(counter, get, TIMES)
            stream = _make_call(agent, "SendStreamingMessage", _make_message("stream"))
            figures["streamed chunk, memory"] = await _count(counter, stream, 8, CHUNKS)
    return figures


async def _count_client(counter: Counter) -> dict[str, float]:
    asyncio.get_running_loop().set_task_factory(counter.make_task)
    async with Client(bare_app) as client:

        async def call() -> None:
            await client.send("hello world", skill="echo")

        return await _count(counter, call, TIMES)


async def _count(
    counter: Counter, call: Callable[[], Awaitable[Any]], times: int, units: int = 1
) -> dict[str, float]:
    """The fewest of so many calls: one that is held up meanwhile finds a new millisecond, or shares a transaction with the last."""
    for _ in range(max(WARM_UP // units, 3)):
        await call()
    found = [await counter.count(call) for _ in range(times)]
    return {
        "calls": round(min(counts.calls for counts in found) / units, 1),
        "c_calls": round(min(counts.c_calls for counts in found) / units, 1),
        "tasks": round(min(counts.tasks for counts in found) / units, 2),
    }


def _make_message(skill: str) -> dict[str, Any]:
    message = {"messageId": "m1", "role": "ROLE_USER", "parts": [{"text": "hello world"}]}
    return {"message": message, "metadata": {"skill": skill}}


def _make_call(app: Agent, method: str, params: dict[str, Any]) -> Callable[[], Awaitable[bytes]]:
    """A request in JSON-RPC, and its answer, as an ASGI server would have them."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    headers = {"host": "127.0.0.1", "content-type": "application/json", "a2a-version": "1.0"}
    headers["content-length"] = str(len(body))

    async def call() -> bytes:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/",
            "raw_path": b"/",
            "root_path": "",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8000),
            "state": {},
        }
        return await _answer(app, scope, body)

    return call


async def _answer(app: Agent, scope: dict[str, Any], body: bytes) -> bytes:
    incoming = iter([{"type": "http.request", "body": body, "more_body": False}])
    pieces: list[bytes] = []

    async def receive() -> Any:
        if (event := next(incoming, None)) is None:
            await asyncio.get_running_loop().create_future()  # nobody hangs up
        return event

    async def send(event: Any) -> None:
        if event["type"] == "http.response.start" and event["status"] != 200:
            raise AssertionError(f"the app answered {event['status']}")
        pieces.append(event.get("body", b""))

    await app(scope, receive, send)
    return b"".join(pieces)
