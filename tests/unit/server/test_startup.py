"""When the engine starts and stops."""

import asyncio
import gc
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount

from dragoman.model import UnavailableError
from dragoman.server import Service
from dragoman.server.startup import YOUNG_OBJECTS
from tests.unit.server.asgi import ask, call
from tests.unit.server.fakes import FakeEngine, make_card


class Lifespan:
    """The server's side of the lifespan protocol."""

    def __init__(self, app):
        self._events: asyncio.Queue[Any] = asyncio.Queue()
        self.said: asyncio.Queue[Any] = asyncio.Queue()
        self._running = asyncio.create_task(
            app({"type": "lifespan", "asgi": {"version": "3.0"}}, self._events.get, self.said.put)
        )

    async def send(self, event):
        self._events.put_nowait({"type": f"lifespan.{event}"})
        async with asyncio.timeout(5):
            return (await self.said.get())["type"]

    async def close(self):
        async with asyncio.timeout(5):
            await self._running


async def test_the_lifespan_starts_and_stops_the_engine(app, engine):
    lifespan = Lifespan(app)
    assert await lifespan.send("startup") == "lifespan.startup.complete"
    await call(app, "ListTasks", {})
    assert (engine.starts, engine.stops) == (1, 0)
    assert await lifespan.send("shutdown") == "lifespan.shutdown.complete"
    await lifespan.close()
    assert (engine.starts, engine.stops) == (1, 1)


async def test_what_is_there_at_the_start_is_kept_from_the_collector(app):
    gc.unfreeze()
    before = gc.get_threshold()
    lifespan = Lifespan(app)
    try:
        await lifespan.send("startup")
        frozen, threshold = gc.get_freeze_count(), gc.get_threshold()
        await lifespan.send("shutdown")
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
        await lifespan.close()
    assert frozen > 10_000
    assert threshold == (YOUNG_OBJECTS, *before[1:])


async def test_an_app_that_is_asked_without_a_lifespan_freezes_nothing(app):
    gc.unfreeze()
    await ask(app, "GET", "/readyz")
    assert gc.get_freeze_count() == 0


async def test_an_engine_that_cannot_start_fails_the_startup(caplog):
    async def fail():
        raise OSError("no such directory")

    lifespan = Lifespan(Service(FakeEngine(on_start=fail), card=make_card))
    assert await lifespan.send("startup") == "lifespan.startup.failed"
    await lifespan.close()
    assert "no such directory" in caplog.text


async def test_without_a_lifespan_the_first_request_starts_the_engine_once(app, engine):
    opened, starting = asyncio.Event(), asyncio.Event()

    async def start():
        starting.set()
        await opened.wait()

    engine.on_start = start
    async with asyncio.TaskGroup() as group:
        answers = [group.create_task(call(app, "ListTasks", {})) for _ in range(10)]
        await starting.wait()
        opened.set()
    assert engine.starts == 1
    assert {answer.result().status for answer in answers} == {200}


async def test_a_first_request_that_is_cancelled_leaves_the_start_alone(app, engine):
    opened, starting = asyncio.Event(), asyncio.Event()

    async def start():
        starting.set()
        await opened.wait()

    engine.on_start = start
    first = asyncio.create_task(call(app, "ListTasks", {}))
    await starting.wait()
    second = asyncio.create_task(call(app, "ListTasks", {}))
    first.cancel()
    opened.set()
    assert (await second).status == 200
    assert first.cancelled()


async def test_a_start_that_failed_is_tried_again(app, engine, caplog):
    results = [OSError("disk full"), UnavailableError("the database is away"), None]

    async def start():
        if error := results.pop(0):
            raise error

    engine.on_start = start
    statuses = [(await ask(app, "GET", "/tasks")).status for _ in range(3)]
    assert statuses == [503, 503, 200]
    assert "disk full" in caplog.text


async def test_requests_after_the_stop_are_unavailable(app, engine):
    await app.start()
    await app.stop()
    answer = await ask(app, "GET", "/tasks")
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert (await ask(app, "GET", "/readyz")).status == 503
    assert (await ask(app, "GET", "/healthz")).status == 200
    assert (engine.starts, engine.stops) == (1, 1)


async def test_a_probe_for_readiness_starts_the_engine(app, engine):
    assert (await ask(app, "GET", "/readyz")).body == b"ready\n"
    assert engine.starts == 1


@pytest.mark.parametrize("outer", [FastAPI, Starlette])
async def test_it_works_mounted_where_no_lifespan_reaches_it(outer, app, engine):
    host = outer()
    host.router.routes.append(Mount("/agents/one", app))
    answer = await call(host, "ListTasks", {}, path_prefix="/agents/one")
    card = await ask(host, "GET", "/agents/one/.well-known/agent-card.json")
    rest = await ask(host, "GET", "/agents/one/tasks/t1")
    urls = [entry["url"] for entry in card.json()["supportedInterfaces"]]
    assert (answer.status, rest.status, engine.starts) == (200, 200, 1)
    assert urls[:2] == ["http://127.0.0.1:8000/agents/one/", "http://127.0.0.1:8000/agents/one"]


async def test_an_engine_that_cannot_stop_says_so(engine, caplog):
    async def fail():
        raise OSError("the disk is gone")

    engine.stop = fail
    lifespan = Lifespan(Service(engine, card=make_card))
    await lifespan.send("startup")
    assert await lifespan.send("shutdown") == "lifespan.shutdown.failed"
    await lifespan.close()
    assert "the disk is gone" in caplog.text


async def test_a_stop_waits_for_a_start_under_way(app, engine):
    opened, starting = asyncio.Event(), asyncio.Event()

    async def start():
        starting.set()
        await opened.wait()

    engine.on_start = start
    async with asyncio.TaskGroup() as group:
        group.create_task(app.start())
        await starting.wait()
        group.create_task(app.stop())
        await asyncio.sleep(0)
        opened.set()
    assert (engine.starts, engine.stops) == (1, 1)
    assert (await ask(app, "GET", "/tasks")).status == 503


async def test_a_scope_of_an_unknown_type_is_the_servers_fault(app):
    with pytest.raises(RuntimeError, match="smtp"):
        await app({"type": "smtp"}, None, None)


async def test_the_path_is_found_where_a_server_sends_no_raw_one(app, engine):
    await ask(app, "GET", "/tasks/a%20b", raw_path=None)
    assert engine.calls[0][2].id == "a b"


async def test_a_websocket_is_closed(app):
    sent = []

    async def send(message):
        sent.append(message)

    await app({"type": "websocket"}, None, send)
    assert sent == [{"type": "websocket.close", "code": 1000}]


async def test_a_stop_drains_first_and_begins_nothing_new(app, engine):
    may_end, draining = asyncio.Event(), asyncio.Event()

    async def drain():
        draining.set()
        await may_end.wait()

    engine.drain = drain
    await app.start()
    stopping = asyncio.create_task(app.stop())
    await draining.wait()
    message = {"message": {"messageId": "m1", "role": "ROLE_USER", "parts": [{"text": "hello"}]}}
    reply = {"message": {**message["message"], "taskId": "t1"}}
    assert (await ask(app, "GET", "/readyz")).status == 503
    assert (await call(app, "SendMessage", message)).json()["error"]["code"] == -32054
    assert (await ask(app, "GET", "/tasks/t1:subscribe")).status == 503
    assert "result" in (await call(app, "SendMessage", reply)).json()
    assert (await ask(app, "GET", "/tasks/t1")).status == 200
    assert engine.stops == 0
    may_end.set()
    await stopping
    assert engine.stops == 1


async def test_a_second_stop_at_once_cuts_the_first_one_short(app, engine):
    draining = asyncio.Event()

    async def drain():
        draining.set()
        await asyncio.Event().wait()

    engine.drain = drain
    await app.start()
    stopping = asyncio.create_task(app.stop())
    await draining.wait()
    async with asyncio.timeout(5):
        await app.stop(at_once=True)
        await stopping
    assert engine.stops == 1
