"""The floor: a bare ASGI callable that parses the request, makes the same task and answers it. It keeps nothing, checks nothing.

What the others do above it is what they cost.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from uuid import uuid4

import msgspec

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

CARD = b"""{"name":"bare","description":"A floor","version":"1","capabilities":{"streaming":true},
"defaultInputModes":["text/plain"],"defaultOutputModes":["text/plain"],
"skills":[{"id":"echo","name":"echo","description":"Says it again","tags":["test"]}],
"supportedInterfaces":[{"url":"%s/","protocolBinding":"JSONRPC","protocolVersion":"1.0"}]}"""
JSON_HEADERS = [(b"content-type", b"application/json")]
SSE_HEADERS = [(b"content-type", b"text/event-stream")]
FAN_OUT_CHUNKS = 50
FAN_OUT_BYTES = 2000


class Part(msgspec.Struct, gc=False, omit_defaults=True):
    text: str | None = None
    raw: str | None = None


class Message(msgspec.Struct, rename="camel"):
    message_id: str
    role: str
    parts: list[Part]
    task_id: str = ""


class Params(msgspec.Struct):
    message: Message | None = None
    id: str = ""


class Call(msgspec.Struct):
    method: str
    params: Params
    id: str | int = 0


CALLS = msgspec.json.Decoder(Call)
REST_CALLS = msgspec.json.Decoder(Params)
encode = msgspec.json.Encoder().encode


class Relay:
    """One task that many subscribe to: what is said is encoded once, and every stream is rung."""

    def __init__(self) -> None:
        self.events: list[bytes] = []
        self.opened = asyncio.Event()
        self.grown: set[asyncio.Future[None]] = set()
        self.done = False

    def say(self, event: bytes) -> None:
        self.events.append(event)
        for waiting in self.grown:
            if not waiting.done():
                waiting.set_result(None)
        self.grown.clear()

    async def wait(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self.grown.add(future)
        await future


relays: dict[str, Relay] = {}
running: set[asyncio.Task[None]] = set()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await live(receive, send)
        return
    if scope["method"] == "GET":
        host = dict(scope["headers"]).get(b"host", b"localhost")
        await answer(send, CARD % (b"http://" + host))
        return
    body = await read(receive)
    if scope["path"] == "/message:send":
        message = REST_CALLS.decode(body).message
        assert message is not None
        await answer(send, encode({"task": make_task(message)}))
        return
    await handle(CALLS.decode(body), send)


async def handle(call: Call, send: Send) -> None:
    if call.method == "SubscribeToTask":
        await follow(relays[call.params.id], send)
        return
    message = call.params.message
    assert message is not None
    text = message.parts[0].text or ""
    if call.method == "SendStreamingMessage":
        await stream(call, message, send)
    elif text.startswith("message"):
        await answer(send, reply(call, {"message": make_message(text)}))
    elif text.startswith("hold"):
        await answer(send, reply(call, {"task": open_relay(text)}))
    elif text.startswith("open"):
        relays[text.split()[1]].opened.set()
        await answer(send, reply(call, {"task": make_task(message)}))
    else:
        await answer(send, reply(call, {"task": make_task(message)}))


async def live(receive: Receive, send: Send) -> None:
    while True:
        event = await receive()
        await send({"type": f"{event['type']}.complete"})
        if event["type"] == "lifespan.shutdown":
            return


async def read(receive: Receive) -> bytes:
    event = await receive()
    if not event.get("more_body"):
        return bytes(event["body"])
    pieces = [event["body"]]
    while event.get("more_body"):
        event = await receive()
        pieces.append(event["body"])
    return b"".join(pieces)


async def answer(send: Send, body: bytes) -> None:
    headers = [*JSON_HEADERS, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def reply(call: Call, result: Any) -> bytes:
    return encode({"jsonrpc": "2.0", "id": call.id, "result": result})


def make_message(text: str) -> dict[str, Any]:
    return {"messageId": uuid4().hex, "role": "ROLE_AGENT", "parts": [{"text": text}]}


def make_task(message: Message, state: str = "TASK_STATE_COMPLETED") -> dict[str, Any]:
    return {
        "id": uuid4().hex,
        "contextId": uuid4().hex,
        "status": {"state": state, "timestamp": "2026-01-01T00:00:00.000Z"},
        "artifacts": [{"artifactId": uuid4().hex, "name": "echo", "parts": message.parts}],
        "history": [message],
    }


async def stream(call: Call, message: Message, send: Send) -> None:
    count = int((message.parts[0].text or "").split()[1])
    task = make_task(message, "TASK_STATE_WORKING")
    ids = {"taskId": task["id"], "contextId": task["contextId"]}
    await send({"type": "http.response.start", "status": 200, "headers": SSE_HEADERS})
    await send_event(call, {"task": task}, send)
    for number in range(count):
        await send_event(call, {"artifactUpdate": make_chunk(ids, number, f"chunk {number} ")}, send)
    status = {"state": "TASK_STATE_COMPLETED", "timestamp": "2026-01-01T00:00:00.000Z"}
    await send_event(call, {"statusUpdate": {**ids, "status": status}}, send)
    await send({"type": "http.response.body", "body": b""})


def make_chunk(ids: dict[str, str], number: int, text: str) -> dict[str, Any]:
    artifact = {"artifactId": "a1", "parts": [{"text": text}]}
    return {**ids, "artifact": artifact, "append": number > 0}


async def send_event(call: Call, result: Any, send: Send) -> None:
    event = b"data: " + reply(call, result) + b"\n\n"
    await send({"type": "http.response.body", "body": event, "more_body": True})


def open_relay(text: str) -> dict[str, Any]:
    _, name, *given = text.split()
    task = make_task(Message("", "ROLE_USER", []), "TASK_STATE_WORKING")
    relays[name] = relays[task["id"]] = relay = Relay()
    relay.say(b"data: " + encode({"jsonrpc": "2.0", "id": 1, "result": {"task": task}}) + b"\n\n")
    running.add(asyncio.create_task(run_relay(relay, task, int(given[0]) if given else FAN_OUT_CHUNKS)))
    return task


async def run_relay(relay: Relay, task: dict[str, Any], chunks: int) -> None:
    await relay.opened.wait()
    ids = {"taskId": task["id"], "contextId": task["contextId"]}
    for number in range(chunks):
        update = {"artifactUpdate": make_chunk(ids, number, "x" * FAN_OUT_BYTES)}
        relay.say(b"data: " + encode({"jsonrpc": "2.0", "id": 1, "result": update}) + b"\n\n")
    relay.done = True
    relay.say(b'data: {"jsonrpc":"2.0","id":1,"result":{"statusUpdate":"TASK_STATE_COMPLETED"}}\n\n')


async def follow(relay: Relay, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": SSE_HEADERS})
    position = 0
    while not (relay.done and position == len(relay.events)):
        if position == len(relay.events):
            await relay.wait()
        pieces = b"".join(relay.events[position:])
        position = len(relay.events)
        await send({"type": "http.response.body", "body": pieces, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
