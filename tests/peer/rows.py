"""The rows of the interop matrix, each a conversation of a client with an agent, and the report of how they went.

Standard library alone: our client and those of the Python peers run these, in environments of their own; `rows.mjs` says the same
for Node. A client is driven through a `Caller`; the agents that it meets obey the words of `words.md`.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

from tests.peer.receiver import Receiver

ROW_SECONDS = 12
UNICODE = "Grüße 👩‍🚀 שלום \u2028 e\u0301 \ufeff line\nbreak \x7f \U0010ffff"
ALL_BYTES = bytes(range(256))
MEDIA_TYPE = "application/x-test"


@dataclass(frozen=True)
class Reply:
    """What an agent answered, or a stream told, in plain values. States are in lower case: `input-required`."""

    kind: str
    task_id: str = ""
    context_id: str = ""
    state: str = ""
    text: str = ""
    files: tuple[tuple[bytes, str, str], ...] = ()
    """The bytes, media type and name of each file in the artifacts."""


class Caller(Protocol):
    """One client of one SDK over one binding. An operation that the SDK has not raises NotOfferedError."""

    generation: str
    """The generation of A2A that is spoken: `1.0` or `0.3`."""

    async def send(
        self, text: str, *, task_id: str = "", context_id: str = "", wait: bool = True
    ) -> Reply: ...
    async def send_file(self, content: bytes, media_type: str, name: str) -> Reply: ...
    def stream(self, text: str) -> AsyncIterator[Reply]: ...
    async def get(self, task_id: str) -> Reply: ...
    async def cancel(self, task_id: str) -> Reply: ...
    def subscribe(self, task_id: str) -> AsyncIterator[Reply]: ...
    async def list_tasks(self, context_id: str) -> list[str]: ...
    async def push(self, task_id: str, url: str, token: str) -> None: ...
    async def extended_card(self) -> list[str]:
        """The ids of its skills."""
        ...

    def name_error(self, error: Exception) -> str:
        """The name that A2A gives to the error, or what the SDK made of it."""
        ...


class NotOfferedError(Exception):
    """The SDK, or its generation of the protocol, has no such operation."""


Row = Callable[[Any], Awaitable[None]]
ROWS: dict[str, Row] = {}


def row(name: str) -> Callable[[Row], Row]:
    def register(function: Row) -> Row:
        ROWS[name] = function
        return function

    return register


def expect(seen: object, wanted: object, what: str) -> None:
    if seen != wanted:
        raise AssertionError(f"{what}: {seen!r}, and not {wanted!r}")


def expect_reply(reply: Reply, state: str, text: str) -> None:
    expect((reply.kind, reply.state), ("task", state), "the answer is")
    expect(reply.text, text, "its text is")


async def collect(stream: AsyncIterator[Reply]) -> list[Reply]:
    return [event async for event in stream]


async def error_of(caller: Caller, waiting: Awaitable[Any]) -> str:
    try:
        await waiting
    except NotOfferedError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, its name is what the row wants
        return caller.name_error(error)
    return "no error"


async def hold(caller: Caller) -> tuple[str, Reply]:
    """A task that works until its gate is opened, and the name of the gate."""
    gate = uuid4().hex
    reply = await caller.send(f"hold {gate}", wait=False)
    expect(reply.kind, "task", "the answer is a")
    expect(reply.state in {"submitted", "working"}, True, f"answered while it works ({reply.state})")
    return gate, reply


@row("send")
async def send(caller: Caller) -> None:
    expect_reply(await caller.send("hello"), "completed", "hello")


@row("immediate")
async def immediate(caller: Caller) -> None:
    gate, task = await hold(caller)
    await caller.send(f"open {gate}")
    while (reply := await caller.get(task.task_id)).state != "completed":  # noqa: ASYNC110 - polling is the row
        await asyncio.sleep(0.05)
    expect_reply(reply, "completed", "held")


@row("stream")
async def stream(caller: Caller) -> None:
    events = await collect(caller.stream("count"))
    pieces = [event.text for event in events if event.kind == "artifact"]
    expect([piece for piece in pieces if piece], ["one ", "two ", "three"], "the pieces are")
    expect([event.state for event in events if event.state][-1:], ["completed"], "the last state is")


@row("multi-turn")
async def multi_turn(caller: Caller) -> None:
    asked = await caller.send("ask")
    expect(asked.state, "input-required", "after the first message the state is")
    again = await caller.send("red", task_id=asked.task_id)
    expect(again.state, "input-required", "after the first answer the state is")
    expect((again.task_id, again.context_id), (asked.task_id, asked.context_id), "its ids are")
    done = await caller.send("large", task_id=asked.task_id)
    expect_reply(done, "completed", "red large")
    expect((done.task_id, done.context_id), (asked.task_id, asked.context_id), "its ids are")


@row("subscribe")
async def subscribe(caller: Caller) -> None:
    gate, task = await hold(caller)
    told: list[Reply] = []
    began = asyncio.Event()

    async def read() -> None:
        async for event in caller.subscribe(task.task_id):
            told.append(event)
            began.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(read())
        with contextlib.suppress(TimeoutError):  # not every agent of 0.3 begins with the task as it is
            await asyncio.wait_for(began.wait(), 0.5)
        await caller.send(f"open {gate}")
    expect([event.state for event in told if event.state][-1:], ["completed"], "the last state is")
    expect("held" in "".join(event.text for event in told), True, "the artifact comes")


@row("cancel")
async def cancel(caller: Caller) -> None:
    _, task = await hold(caller)
    expect((await caller.cancel(task.task_id)).state, "canceled", "the state is")
    expect((await caller.get(task.task_id)).state, "canceled", "read again, the state is")


@row("list")
async def list_tasks(caller: Caller) -> None:
    first = await caller.send("one")
    second = await caller.send("two", context_id=first.context_id)
    listed = await caller.list_tasks(first.context_id)
    expect(sorted(listed), sorted([first.task_id, second.task_id]), "the tasks are")


@row("push")
async def push(caller: Caller) -> None:
    gate, task = await hold(caller)
    async with Receiver() as receiver:
        await caller.push(task.task_id, receiver.url, "secret-1")
        await caller.send(f"open {gate}")
        while not (told := [one for one in receiver.taken if b"completed" in one.body.lower()]):
            await receiver.until(len(receiver.taken) + 1)
    expect(told[0].headers.get("x-a2a-notification-token"), "secret-1", "the token is")
    expect(read_webhook(told[0].payload), (caller.generation, task.task_id), "shape and task are")


def read_webhook(payload: dict[str, Any]) -> tuple[str, str]:
    """The generation that has such webhooks, and the task that it tells of."""
    if payload.get("kind") == "task":
        return "0.3", payload["id"]
    update = payload.get("statusUpdate") or payload.get("task") or {}
    return "1.0", update.get("taskId") or update.get("id", "")


@row("files")
async def files(caller: Caller) -> None:
    reply = await caller.send_file(ALL_BYTES, MEDIA_TYPE, "größe.bin")
    expect_reply(reply, "completed", "256 bytes")
    expect([file[0] for file in reply.files], [ALL_BYTES], "the bytes are")
    expect([file[1:] for file in reply.files], [(MEDIA_TYPE, "größe.bin")], "type and name are")


@row("unicode")
async def unicode(caller: Caller) -> None:
    expect_reply(await caller.send(UNICODE), "completed", UNICODE)
    events = await collect(caller.stream(UNICODE))
    expect("".join(event.text for event in events if event.kind == "artifact"), UNICODE, "streamed, it is")


@row("errors")
async def errors(caller: Caller) -> None:
    done = await caller.send("hello")
    unknown = await error_of(caller, caller.get("nobody"))
    expect(unknown, "TaskNotFoundError", "for a task that is not there, it is")
    lost = await error_of(caller, caller.send("hello", task_id="nobody"))
    expect(lost, "TaskNotFoundError", "for a message to a task that is not there, it is")
    unread = await error_of(caller, collect(caller.subscribe("nobody")))
    expect(unread, "TaskNotFoundError", "for a stream of a task that is not there, it is")
    late = await error_of(caller, caller.cancel(done.task_id))
    expect(late, "TaskNotCancelableError", "for canceling what has ended, it is")


@row("extended card")
async def extended_card(caller: Caller) -> None:
    expect("extra" in await caller.extended_card(), True, "the extended card has the skill 'extra'")


async def run_row(caller: Caller, name: str) -> dict[str, Any]:
    """How one row went: `ok` is None where the peer does not offer it."""
    try:
        async with asyncio.timeout(ROW_SECONDS):
            await ROWS[name](caller)
    except NotOfferedError as error:
        return {"row": name, "ok": None, "evidence": str(error)}
    except TimeoutError:
        return {"row": name, "ok": False, "evidence": f"nothing came for {ROW_SECONDS} s"}
    except Exception as error:  # noqa: BLE001 - the other rows go on
        return {"row": name, "ok": False, "evidence": describe(error)}
    return {"row": name, "ok": True, "evidence": ""}


def describe(error: Exception) -> str:
    """An error in one line, the first of a group."""
    if isinstance(error, ExceptionGroup):
        return describe(error.exceptions[0])
    words = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
    return " ".join(words.split())[:400]


async def report(caller: Caller) -> None:
    """Run every row and print one JSON line for each."""
    for name in ROWS:
        print(json.dumps(await run_row(caller, name)), flush=True)  # noqa: T201 - read by the matrix
