"""A stream over a real socket that is cut at every byte."""

import asyncio
import itertools
import json

import pytest

from dragoman.client import Client
from dragoman.model import TaskArtifactUpdateEvent, TaskState, Unreachable, UnsupportedOperationError
from dragoman.wire.codec import encode
from dragoman.wire.jsonrpc import build_error, build_result
from tests.unit.client.scripted import (
    FastWorld,
    Wire,
    chunk,
    fold,
    interface,
    make_card,
    serve_bytes,
    status,
    task,
)

EVENTS = (task(TaskState.WORKING), chunk("Hé", append=False), chunk("llo"), status(TaskState.COMPLETED))
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def frame(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def build_stream(rpc_id, events):
    wire = Wire(rpc_id)
    return HEAD + b"".join(frame(wire.event(event)) for event in events) + END


def build_plain(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


class CutAgent:
    """Breaks its first stream after `cut` bytes; by then the task has come to `seen` events."""

    def __init__(self, cut: int, seen: int, *, abort: bool) -> None:
        self.cut = cut
        self.seen = seen
        self.abort = abort
        self.methods: list[str] = []

    async def __call__(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        call = json.loads(request.partition(b"\r\n\r\n")[2])
        self.methods.append(call["method"])
        match call["method"]:
            case "SendStreamingMessage":
                writer.write(build_stream("x" * 32, EVENTS)[: self.cut])
                await writer.drain()
                if self.abort:
                    writer.transport.abort()
                writer.close()
            case "SubscribeToTask" if self.seen < len(EVENTS):
                writer.write(build_stream(call["id"], (fold(EVENTS[: self.seen]), *EVENTS[self.seen :])))
            case "SubscribeToTask":
                writer.write(build_plain(build_error(call["id"], UnsupportedOperationError())))
            case _:
                writer.write(build_plain(build_result(call["id"], encode(fold(EVENTS)))))


def count_whole(cut: int) -> int:
    """How many events are whole in the first `cut` bytes: an event ends with its blank line."""
    wire = Wire("x" * 32)
    ends = itertools.accumulate((len(frame(wire.event(event))) for event in EVENTS), initial=len(HEAD))
    return sum(end - 2 <= cut for end in ends) - 1


async def read_from(agent: CutAgent):
    async with serve_bytes(agent) as url:
        card = make_card(supported_interfaces=(interface("JSONRPC", url=url),))
        async with Client(card, world=FastWorld().world) as client:
            return [event async for event in client.stream("hi")]


@pytest.mark.parametrize("abort", [False, True], ids=["closed", "reset"])
async def test_whatever_byte_the_cut_is_at_the_reader_gets_everything_once(abort):
    whole = len(build_stream("x" * 32, EVENTS))
    for cut in range(len(HEAD), whole + 1):
        known = count_whole(cut)
        for seen in {max(known, 1), len(EVENTS)}:
            agent = CutAgent(cut, seen, abort=abort)
            if known < 1:
                with pytest.raises(Unreachable):
                    await read_from(agent)
                continue
            await check_reader(agent, known)


async def check_reader(agent: CutAgent, known: int) -> None:
    try:
        events = await read_from(agent)
    except Unreachable:
        assert agent.abort  # a reset may also take with it what was sent before it
        return
    where = f"cut at {agent.cut}, seen {agent.seen}: {events}"
    texts = [event.artifact.text for event in events if isinstance(event, TaskArtifactUpdateEvent)]
    assert "".join(texts) == "Héllo", where
    assert events[-1] == EVENTS[-1], where
    assert events[:known] == list(EVENTS[:known]) or agent.abort, where
    assert agent.methods.count("SendStreamingMessage") == 1, where


async def test_an_answer_that_is_cut_in_its_head_is_not_asked_for_again():
    for cut in range(0, len(HEAD), 7):
        agent = CutAgent(cut, 1, abort=False)
        with pytest.raises(Unreachable):
            await read_from(agent)
        assert agent.methods == ["SendStreamingMessage"]
