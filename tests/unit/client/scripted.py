"""Agents that do as they are told: scripted answers, in process or behind a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, NamedTuple

import uvicorn

from dragoman.client.folding import TaskView
from dragoman.client.options import World
from dragoman.model import (
    A2AError,
    AgentCapabilities,
    AgentCard,
    AgentInterface,
    Artifact,
    Event,
    Message,
    Part,
    Record,
    Role,
    Task,
    TaskArtifactUpdateEvent,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
    wrap_event,
)
from dragoman.model.errors import row_of
from dragoman.wire.codec import encode
from dragoman.wire.errors import dump_rest_error
from dragoman.wire.jsonrpc import build_error, build_result
from dragoman.wire.routes import match
from dragoman.wire.sse import encode_event
from tests.unit.server.sockets import listen

URL = "http://agent.example"


class Call(NamedTuple):
    """What reached the agent."""

    operation: str
    request: dict[str, Any]
    headers: dict[str, str]
    verb: str = "POST"
    path: str = "/"


class Reply(NamedTuple):
    """An HTTP answer, as it is."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = MappingProxyType({})


class Cut(Exception):
    """Raised by a script: the connection breaks here."""


Answer = Record | A2AError | Reply | None
Script = Callable[[Call], Any]


def make_card(**changes: Any) -> AgentCard:
    members: dict[str, Any] = {
        "name": "Scripted",
        "description": "Does as it is told",
        "version": "1",
        "supported_interfaces": (interface("JSONRPC", "/rpc"), interface("HTTP+JSON", "/rest")),
        "capabilities": AgentCapabilities(streaming=True, push_notifications=True, extended_agent_card=True),
        "default_input_modes": ("text/plain",),
        "default_output_modes": ("text/plain",),
        "skills": (),
    }
    return AgentCard(**{**members, **changes})


def interface(
    binding: str, path: str = "/rpc", *, version: str = "1.0", tenant: str = "", url: str = URL
) -> AgentInterface:
    return AgentInterface(url=url + path, protocol_binding=binding, protocol_version=version, tenant=tenant)


def task(
    state: TaskState = TaskState.COMPLETED, *texts: str, says: str = "", id: str = "t1", **members: Any
) -> Task:
    """A task with one artifact for each text."""
    artifacts = tuple(artifact(text, id=f"a{number}") for number, text in enumerate(texts, 1))
    status_ = TaskStatus(state=state, message=says_message(says) if says else None)
    if artifacts:
        members["artifacts"] = artifacts
    return Task(id=id, context_id="c1", status=status_, **members)


def artifact(*texts: str, id: str = "a1") -> Artifact:
    return Artifact(artifact_id=id, parts=tuple(Part.of_text(text) for text in texts))


def says_message(text: str, **members: Any) -> Message:
    return Message(message_id=f"m-{text}", role=Role.AGENT, parts=(Part.of_text(text),), **members)


def status(state: TaskState, says: str = "", id: str = "t1") -> TaskStatusUpdateEvent:
    status_ = TaskStatus(state=state, message=says_message(says) if says else None)
    return TaskStatusUpdateEvent(task_id=id, context_id="c1", status=status_)


def chunk(text: str, *, append: bool = True, id: str = "a1") -> TaskArtifactUpdateEvent:
    return TaskArtifactUpdateEvent(
        task_id="t1", context_id="c1", artifact=artifact(text, id=id), append=append
    )


def fold(events: Iterable[Event]) -> Task:
    """The task that the events come to."""
    view = TaskView()
    for event in events:
        view.apply(event)
    assert view.task is not None
    return view.task


def gives(*answers: Any) -> Script:
    """A script that gives one answer after the other, the last one again and again; errors are raised."""
    left = list(answers)

    async def script(call: Call) -> Any:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if answer is Cut or isinstance(answer, Exception):
            raise answer
        return answer

    return script


def plays(*events: Any) -> Script:
    """A script that sends events and then ends, or breaks at `Cut`."""
    return in_turn(events)


def in_turn(*streams: Any) -> Script:
    """A script that plays one list of events after the other, the last one again and again."""
    left = list(streams)

    async def script(call: Call) -> Any:
        for event in left.pop(0) if len(left) > 1 else left[0]:
            if event is Cut:
                raise Cut
            yield event

    return script


class ScriptedAgent:
    """An ASGI app that speaks JSON-RPC at /rpc and REST at /rest.

    A script is a coroutine function, or an async generator of events for a stream. It gives or raises an answer; `Cut`
    breaks the connection. `calls` is everything that came in.
    """

    def __init__(self, card: AgentCard | None = None, **scripts: Any) -> None:
        self.card = card or make_card()
        self.scripts = scripts
        self.calls: list[Call] = []
        self.card_headers: dict[str, str] = {}
        self.open_streams = 0

    def of(self, operation: str) -> list[Call]:
        return [call for call in self.calls if call.operation == operation]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = await _read_body(receive)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        path: str = scope["raw_path"].decode()
        if path.endswith(".json"):
            await self._answer_card(Call("card", {}, headers, scope["method"], path), send)
        elif path.startswith("/rest"):
            await self._answer_rest(scope, body, headers, receive, send)
        else:
            call = json.loads(body)
            made = Call(call["method"], call["params"], headers, scope["method"], path)
            await self._answer(made, receive, send, rpc_id=call["id"])

    async def _answer_card(self, call: Call, send: Any) -> None:
        self.calls.append(call)
        if script := self.scripts.get("card"):
            await _send_reply(send, await script(call))
        else:
            await _send_reply(
                send, Reply(200, encode(self.card), {"content-type": "application/json", **self.card_headers})
            )

    async def _answer_rest(
        self, scope: Any, body: bytes, headers: dict[str, str], receive: Any, send: Any
    ) -> None:
        path = scope["raw_path"].decode().removeprefix("/rest")
        found = match(scope["method"], path)
        assert found, (scope["method"], path)
        request = {
            **found.members,
            "query": scope["query_string"].decode(),
            **(json.loads(body) if body else {}),
        }
        await self._answer(
            Call(found.operation.name, request, headers, scope["method"], path), receive, send, rpc_id=None
        )

    async def _answer(self, call: Call, receive: Any, send: Any, *, rpc_id: Any) -> None:
        self.calls.append(call)
        wire = Wire(rpc_id)
        answer = self.scripts[call.operation](call)
        if hasattr(answer, "__anext__"):
            self.open_streams += 1
            try:
                await _send_stream(answer, wire, receive, send)
            finally:
                self.open_streams -= 1
            return
        try:
            result = await answer
        except A2AError as error:
            result = error
        await _send_reply(send, result if isinstance(result, Reply) else wire.reply(result))


class Wire:
    """How one call's binding writes."""

    def __init__(self, rpc_id: Any) -> None:
        self._rpc_id = rpc_id

    def reply(self, result: Record | A2AError | None) -> Reply:
        json_type = {"content-type": "application/json"}
        if self._rpc_id is None:
            if isinstance(result, A2AError):
                status = row_of(result).http_status
                return Reply(status, encode(dump_rest_error(result, status)), json_type)
            return Reply(200, b"{}" if result is None else encode(result), json_type)
        if isinstance(result, A2AError):
            return Reply(200, build_error(self._rpc_id, result), json_type)
        return Reply(
            200, build_result(self._rpc_id, b"null" if result is None else encode(result)), json_type
        )

    def event(self, event: Event, id: str = "") -> bytes:
        payload = encode(wrap_event(event))
        return encode_event(payload if self._rpc_id is None else build_result(self._rpc_id, payload), id=id)

    def error(self, error: A2AError) -> bytes:
        if self._rpc_id is None:
            return encode_event(encode(dump_rest_error(error, row_of(error).http_status)), event="error")
        return encode_event(build_error(self._rpc_id, error))


async def _send_stream(script: Any, wire: Wire, receive: Any, send: Any) -> None:
    """Send events until the script ends or the reader hangs up."""
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}
    )
    async with asyncio.TaskGroup() as group:
        gone = group.create_task(receive())
        pump = group.create_task(_pump(script, wire, send))
        gone.add_done_callback(lambda _: pump.cancel())
        pump.add_done_callback(lambda _: gone.cancel())


async def _pump(script: Any, wire: Wire, send: Any) -> None:
    try:
        async for item in script:
            event, number = item if isinstance(item, tuple) else (item, "")
            data = event if isinstance(event, bytes) else wire.event(event, number)
            await send({"type": "http.response.body", "body": data, "more_body": True})
    except A2AError as error:
        await send({"type": "http.response.body", "body": wire.error(error), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _send_reply(send: Any, reply: Reply) -> None:
    headers = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
    headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def _read_body(receive: Any) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def wait_until(is_so: Callable[[], bool]) -> None:
    """Give way to others until something is so, for five seconds at most."""
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110 - what is waited for offers no event
            await asyncio.sleep(0.001)


class FastWorld:
    """A world in which waiting takes no time; `waits` is how long it would have taken."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)

    @property
    def world(self) -> World:
        return World(sleep=self.sleep, now=lambda: self.time, draw=lambda: 1.0)


@asynccontextmanager
async def serve(app: Any, **options: Any) -> AsyncIterator[str]:
    """Serve an app on a free port of the loopback; gives its URL."""
    listener = listen()
    config = uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1, **options)
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(sockets=[listener]))
        await wait_until(lambda: server.started)
        try:
            scheme = "https" if config.is_ssl else "http"
            yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True


@asynccontextmanager
async def serve_bytes(answer: Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    """Serve raw TCP: `answer` gets each whole request, and writes what it likes; gives the URL."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await _read_request(reader):
                await answer(request, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return head + await reader.readexactly(int(lengths[0].split(b":")[1]) if lengths else 0)
    except asyncio.IncompleteReadError:
        return b""
