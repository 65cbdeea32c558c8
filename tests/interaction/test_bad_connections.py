"""What bad connections get, over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest

from dragoman import Agent, Limits
from dragoman.model import SendMessageResponse
from dragoman.server import HttpOptions, Service
from tests.unit.server.fakes import MESSAGE, TASK, FakeEngine, FakeStream, make_card, make_item
from tests.unit.server.sockets import Caller, connect, post, rpc, serve

MAX_BODY = 256 * 1024
PARSERS = pytest.mark.parametrize("parser", ["httptools", "h11"])


@asynccontextmanager
async def reach(engine: FakeEngine, parser: str, **http: Any) -> AsyncIterator[int]:
    """Serve an engine; afterwards the server still answers whoever comes."""
    options = HttpOptions(**http)
    app = Service(engine, card=make_card, limits=Limits(max_body_bytes=MAX_BODY), http=options)
    async with serve(app, http=parser) as port:
        yield port
        async with connect(port) as caller:
            await check_alive(caller)


async def check_alive(caller: Caller) -> None:
    caller.send(post(rpc("ListTasks")))
    status, body = await caller.read_answer()
    assert (status, json.loads(body)["result"]["totalSize"]) == (200, 1)


@PARSERS
@pytest.mark.parametrize("begin", [b"", b'{"jsonrpc":'])
async def test_a_body_that_does_not_come_is_a_timeout(parser, begin):
    brief = timedelta(milliseconds=100)
    async with reach(FakeEngine(), parser, body_timeout=brief) as port, connect(port) as caller:
        caller.send(post(begin, length=1_000))
        status, headers = await caller.read_head()
        assert (status, headers["connection"]) == (408, "close")
        assert json.loads(await caller.read_rest())["error"]["code"] == -32600


@PARSERS
async def test_a_body_that_trickles_is_a_timeout(parser):
    brief = timedelta(milliseconds=200)
    async with reach(FakeEngine(), parser, body_timeout=brief) as port, connect(port) as caller:
        caller.send(post(b"", length=1_000, path="/message:send"))
        async with asyncio.TaskGroup() as group:
            drip = group.create_task(trickle(caller))
            status, _ = await caller.read_head()
            drip.cancel()
        assert status == 408


async def trickle(caller: Caller) -> None:
    while True:
        caller.send(b" ")
        await asyncio.sleep(0.01)


@PARSERS
@pytest.mark.parametrize("length", [None, MAX_BODY * 4])
async def test_a_connection_survives_a_body_that_is_too_large(parser, length):
    async with reach(FakeEngine(), parser) as port, connect(port) as caller:
        caller.send(post(b" " * MAX_BODY * 4, length=length))
        status, body = await caller.read_answer()
        assert (status, json.loads(body)["error"]["code"]) == (413, -32600)
        await check_alive(caller)


@PARSERS
async def test_a_chunked_body_is_counted(parser):
    head = post(b"").replace(b"content-length: 0", b"transfer-encoding: chunked")
    async with reach(FakeEngine(), parser) as port, connect(port) as caller:
        caller.send(head + (b"10000\r\n" + b" " * 0x10000 + b"\r\n") * 8 + b"0\r\n\r\n")
        status, _ = await caller.read_answer()
        assert status == 413
        await check_alive(caller)


@PARSERS
async def test_a_caller_that_waits_for_leave_to_send_too_much_is_not_given_it(parser):
    async with reach(FakeEngine(), parser) as port, connect(port) as caller:
        caller.send(post(b"", length=10**9, more="expect: 100-continue\r\n"))
        status, _ = await caller.read_answer()
        assert status == 413


@PARSERS
async def test_a_caller_that_hangs_up_in_its_body_is_forgotten(parser):
    engine = FakeEngine()
    async with reach(engine, parser) as port, connect(port) as caller:
        caller.send(post(b"{", length=1_000))
    assert [name for name, _, _ in engine.calls] == ["list_tasks"]


@PARSERS
async def test_a_caller_that_hangs_up_while_it_waits_stops_nothing(parser):
    arrived, finish, finished = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def send(call, request):
        arrived.set()
        await finish.wait()
        finished.set()
        return SendMessageResponse(task=TASK)

    async with reach(FakeEngine(send=send), parser) as port:
        async with connect(port) as caller:
            caller.send(post(rpc("SendMessage", {"message": MESSAGE})))
            await arrived.wait()
        finish.set()
        async with asyncio.timeout(5):
            await finished.wait()


@PARSERS
async def test_a_reader_that_hangs_up_in_midstream_ends_its_stream_only(parser):
    gone, other = FakeStream(), FakeStream()
    streams = [gone, other]

    async def subscribe(call, request):
        return streams.pop(0)

    async with reach(FakeEngine(subscribe=subscribe), parser) as port, connect(port) as reader:
        async with connect(port) as caller:
            caller.send(post(rpc("SubscribeToTask", {"id": "t1"})))
            gone.push(make_item(1))
            assert (await caller.read_head())[0] == 200
            assert b'"messageId":"m1"' in await caller.read_chunk()
        reader.send(post(b"", path="/tasks/t1:subscribe"))
        other.push(make_item(2))
        await reader.read_head()
        await reader.read_chunk()
        async with asyncio.timeout(5):
            await gone.closed.wait()
        other.push(make_item(3))
        other.end()
        assert b'"messageId":"m3"' in await reader.read_chunk()
        assert await reader.read_chunk() == b""


@PARSERS
async def test_a_reader_that_stops_reading_takes_nothing_more_from_the_engine(parser):
    stream = FakeStream()
    stream.push(*(make_item(number, "x" * 60_000) for number in range(10)))
    async with reach(FakeEngine(subscribe=stream), parser) as port, connect(port) as caller:
        caller.send(post(b"", path="/tasks/t1:subscribe"))
        await caller.read_head()
        taken = -1
        while taken != stream.taken:
            taken = stream.taken
            stream.push(*(make_item(number, "x" * 60_000) for number in range(200)))
            await asyncio.sleep(0.05)
        assert not stream.is_closed
    assert taken < 500
    async with asyncio.timeout(5):
        await stream.closed.wait()


@PARSERS
async def test_pipelined_requests_are_answered_in_order(parser):
    async with reach(FakeEngine(), parser) as port, connect(port) as caller:
        caller.send(b"".join(post(rpc("ListTasks", id=number)) for number in range(20)))
        ids = [json.loads((await caller.read_answer())[1])["id"] for _ in range(20)]
        assert ids == list(range(20))


@PARSERS
async def test_a_bad_request_between_good_ones_spoils_none(parser):
    async with reach(FakeEngine(), parser) as port, connect(port) as caller:
        caller.send(post(rpc("ListTasks", id=1)) + post(b"{") + post(rpc("ListTasks", id=3)))
        replies = [json.loads((await caller.read_answer())[1]) for _ in range(3)]
        assert [reply["id"] for reply in replies] == [1, None, 3]
        assert replies[1]["error"]["code"] == -32700


@PARSERS
@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"HELO agent.example\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
    ],
    ids=["TLS", "another protocol", "two lengths", "negative length"],
)
async def test_bytes_that_are_no_request_end_their_connection_only(parser, request_bytes):
    async with reach(FakeEngine(), parser) as port, connect(port) as caller:
        caller.send(request_bytes)
        assert (await caller.read_rest()).startswith(b"HTTP/1.1 400")


@PARSERS
async def test_a_huge_header_harms_nobody(parser):
    request = post(rpc("ListTasks"), more=f"x: {'y' * 200_000}\r\n")
    async with reach(FakeEngine(), parser) as port, connect(port) as caller:
        caller.send(request)
        with suppress(ConnectionResetError):  # how h11 ends it, with the rest unread
            assert (await caller.read_head())[0] in (200, 400, 431)


@asynccontextmanager
async def reach_agent(limits: Limits) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """Serve a real agent whose skill waits for the event."""
    agent, finish = Agent("Patient", "Takes its time", limits=limits), asyncio.Event()

    @agent.skill
    async def wait(text: str) -> AsyncIterator[str]:
        """Say it when it is time."""
        yield "soon"
        await finish.wait()
        yield text

    async with serve(agent) as port:
        yield port, finish


async def ask_until(caller: Caller, body: bytes, is_right: Callable[[Any], bool]) -> None:
    async with asyncio.timeout(5):
        while True:
            caller.send(post(body))
            if is_right(json.loads((await caller.read_answer())[1]).get("result")):
                return


async def test_the_task_of_a_caller_that_hung_up_goes_on():
    async with reach_agent(Limits()) as (port, finish), connect(port) as other:
        async with connect(port) as caller:
            caller.send(post(rpc("SendMessage", {"message": MESSAGE})))
            await ask_until(other, rpc("ListTasks"), lambda page: page["totalSize"] == 1)
        finish.set()
        await ask_until(
            other,
            rpc("ListTasks", {"status": "TASK_STATE_COMPLETED", "includeArtifacts": True}),
            lambda page: page["totalSize"] == 1 and "hello" in str(page["tasks"][0]["artifacts"]),
        )


async def test_a_stream_that_was_cut_gives_its_place_back():
    async with reach_agent(Limits(max_streams_per_caller=1)) as (port, finish), connect(port) as other:
        async with connect(port) as caller:
            caller.send(post(rpc("SendStreamingMessage", {"message": MESSAGE})))
            await caller.read_head()
            event = json.loads((await caller.read_chunk()).decode().partition("data: ")[2].split("\n")[0])
            again = rpc("SubscribeToTask", {"id": event["result"]["task"]["id"]})
            other.send(post(again))
            assert (await other.read_answer())[0] == 503
        async with asyncio.timeout(5):
            while True:
                other.send(post(again))
                status, headers = await other.read_head()
                if status == 200:
                    break
                await other.read_bytes(int(headers["content-length"]))
        finish.set()
        while await other.read_chunk():
            pass
