"""Streams of server-sent events."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from dragoman.model import TaskNotFoundError, UnavailableError
from dragoman.model.extensions import STREAM_RESUMPTION
from dragoman.server import HttpOptions, Service
from tests.unit.server.asgi import RPC_HEADERS, Request, ask, call, make_scope
from tests.unit.server.fakes import MESSAGE, FakeEngine, FakeStream, make_card, make_item

PATH = "/tasks/t1:subscribe"
SHORT = timedelta(milliseconds=20)


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def serve(stream: FakeStream, **options: Any) -> Service:
    return Service(FakeEngine(subscribe=stream), card=make_card, http=HttpOptions(**options))


def subscribe() -> Request:
    return Request(make_scope("GET", PATH, RPC_HEADERS), [])


async def test_rest_sends_bare_events():
    answer = await ask(serve(FakeStream(make_item(1), make_item(2))), "GET", PATH)
    assert [event["message"]["messageId"] for event in answer.events()] == ["m1", "m2"]
    assert answer.headers == {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
        "x-content-type-options": "nosniff",
    }


async def test_jsonrpc_wraps_every_event_in_a_response():
    answer = await call(serve(FakeStream(make_item(1), make_item(2))), "SubscribeToTask", {"id": "t1"})
    assert [(event["jsonrpc"], event["id"]) for event in answer.events()] == [("2.0", 7)] * 2
    place, _, rest = answer.body.partition(b"\n")
    assert place.startswith(b"id: 1-")
    assert rest.startswith(b'data: {"jsonrpc":"2.0","id":7,"result":{"message":')


@pytest.mark.parametrize(
    "asking", [{"a2a-extensions": STREAM_RESUMPTION}, {"last-event-id": "0-00000000"}], ids=["named", "used"]
)
async def test_readers_that_ask_for_ids_are_told_that_they_mean_something(asking):
    headers = {**RPC_HEADERS, **asking}
    stream = FakeStream(make_item(1), make_item(2))
    by_jsonrpc = await call(serve(stream), "SubscribeToTask", {"id": "t1"}, headers=headers)
    by_rest = await ask(serve(FakeStream(make_item(1), make_item(2))), "GET", PATH, headers=headers)
    for answer in (by_jsonrpc, by_rest):
        places = [block.partition(b"\n")[0] for block in answer.body.split(b"\n\n")[:2]]
        assert [place[:6] for place in places] == [b"id: 1-", b"id: 2-"]
        assert answer.headers["a2a-extensions"] == STREAM_RESUMPTION


async def test_what_is_there_at_once_leaves_at_once():
    answer = await ask(serve(FakeStream(*map(make_item, range(50)))), "GET", PATH)
    assert len(answer.events()) == 50
    assert len(answer.chunks) == 2  # the last one is the empty end


async def test_a_large_batch_leaves_in_bounded_chunks():
    items = [make_item(number, "x" * 20_000) for number in range(20)]
    answer = await ask(serve(FakeStream(*items)), "GET", PATH)
    assert len(answer.events()) == 20
    assert max(map(len, answer.chunks)) < 64 * 1024 + 21_000


async def test_readers_share_the_bytes_of_an_event():
    item = make_item(1)
    first = await ask(serve(FakeStream(item)), "GET", PATH)
    second = await ask(serve(FakeStream(item)), "GET", PATH)
    assert first.chunks[0] == second.chunks[0]
    assert list(item.encodings.values()) == [first.chunks[0]]


async def test_headers_leave_before_the_first_event():
    stream, request = FakeStream(), subscribe()
    async with asyncio.TaskGroup() as group:
        group.create_task(request.run(serve(stream)))
        await request.wrote.wait()
        assert request.answer.status == 200
        stream.push(make_item(1))
        await request.until(b"m1")
        stream.end()


@pytest.mark.parametrize("method", ["SubscribeToTask", "SendStreamingMessage"])
async def test_an_error_before_the_first_event_is_no_stream(method):
    error = TaskNotFoundError()
    app = Service(FakeEngine(subscribe=error, stream=error), card=make_card)
    answer = await call(app, method, {"id": "t1", "message": MESSAGE})
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json()["error"]["code"] == -32001


async def test_an_error_before_the_first_event_has_its_status_in_rest():
    answer = await ask(Service(FakeEngine(subscribe=TaskNotFoundError()), card=make_card), "GET", PATH)
    assert (answer.status, answer.headers["content-type"]) == (404, "application/a2a+json")


async def test_an_error_in_midstream_is_an_event_of_rest():
    answer = await ask(serve(FakeStream(make_item(1), UnavailableError("going down"))), "GET", PATH)
    assert b"\n\nevent: error\ndata: " in answer.body
    assert answer.events()[1]["error"]["code"] == 503
    assert answer.is_complete


async def test_an_error_in_midstream_is_a_response_of_jsonrpc():
    stream = FakeStream(make_item(1), UnavailableError("going down"))
    answer = await call(serve(stream), "SubscribeToTask", {"id": "t1"})
    assert answer.events()[1]["error"]["message"] == "going down"
    assert answer.events()[1]["id"] == 7


async def test_an_unexpected_error_in_midstream_says_nothing_of_itself(caplog):
    answer = await ask(serve(FakeStream(RuntimeError("the password is 1234"))), "GET", PATH)
    assert b"1234" not in answer.body
    assert answer.events()[0]["error"]["details"][0]["metadata"]["ref"] in caplog.text
    assert "the password is 1234" in caplog.text


async def test_the_stream_is_closed_when_it_ends():
    stream = FakeStream(make_item(1))
    await ask(serve(stream), "GET", PATH)
    assert stream.is_closed


async def test_a_reader_that_hangs_up_ends_its_stream():
    stream, request = FakeStream(), subscribe()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        running = group.create_task(request.run(serve(stream)))
        stream.push(make_item(1))
        await request.until(b"m1")
        request.hang_up()
        await running
    assert stream.is_closed
    assert not request.answer.is_complete


async def test_a_socket_that_is_gone_ends_the_stream():
    stream = FakeStream(make_item(1))
    request = subscribe()

    async def send(message):
        if message["type"] == "http.response.body":
            raise OSError

    await serve(stream)(request.scope, request.receive, send)
    assert stream.is_closed


async def test_a_cancelled_stream_is_closed():
    stream, request = FakeStream(), subscribe()
    running = asyncio.create_task(request.run(serve(stream)))
    await request.wrote.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert stream.is_closed


async def test_nothing_is_taken_for_a_reader_that_takes_nothing():
    stream, request = FakeStream(), subscribe()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        running = group.create_task(request.run(serve(stream)))
        await request.wrote.wait()
        request.may_write.clear()
        stream.push(make_item(1))
        await stream.took.wait()
        stream.push(*map(make_item, range(2, 100)))
        for _ in range(20):
            await asyncio.sleep(0)
        assert stream.taken == 1
        request.may_write.set()
        stream.end()
        await running
    assert len(request.answer.events()) == 99


async def test_a_service_that_drains_ends_its_streams_and_answers_calls():
    stream, request = FakeStream(), subscribe()
    app = serve(stream)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        running = group.create_task(request.run(app))
        stream.push(make_item(1))
        await request.until(b"m1")
        await app.drain()
        await running
    assert request.answer.is_complete
    assert stream.is_closed
    assert (await ask(app, "GET", "/readyz")).status == 503
    assert (await ask(app, "GET", "/tasks/t1")).status == 200


async def test_a_silent_stream_gets_comments():
    stream, request = FakeStream(), subscribe()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        running = group.create_task(request.run(serve(stream, heartbeat=SHORT)))
        await request.until(b":\n\n:\n\n")
        stream.push(make_item(1))
        await request.until(b"m1")
        stream.end()
        await running
    assert len(request.answer.events()) == 1


async def test_a_deaf_reader_is_given_up():
    stream, request = FakeStream(make_item(1)), subscribe()
    request.may_write.clear()
    async with asyncio.timeout(5):
        await request.run(serve(stream, heartbeat=SHORT, write_timeout=SHORT))
    assert stream.is_closed
    assert request.answer.chunks == []


async def test_a_reader_that_hangs_up_while_it_is_written_to_ends_its_stream():
    stream, request = FakeStream(make_item(1)), subscribe()
    request.may_write.clear()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        running = group.create_task(request.run(serve(stream)))
        await turns(5)
        request.hang_up()
        await running
    assert stream.is_closed
    assert request.answer.chunks == []


async def test_a_drain_ends_a_stream_after_what_is_being_written():
    stream, request = FakeStream(), subscribe()
    app = serve(stream)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        running = group.create_task(request.run(app))
        await request.wrote.wait()
        request.may_write.clear()
        stream.push(make_item(1))
        await stream.took.wait()
        stream.push(make_item(2))
        await app.drain()
        await turns(5)
        assert not running.done()
        request.may_write.set()
        await running
    assert [event["message"]["messageId"] for event in request.answer.events()] == ["m1"]
    assert request.answer.is_complete
    assert stream.is_closed


async def test_a_deaf_reader_is_given_up_during_a_drain_too():
    stream, request = FakeStream(make_item(1)), subscribe()
    request.may_write.clear()
    app = serve(stream, heartbeat=SHORT, write_timeout=SHORT)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        running = group.create_task(request.run(app))
        await turns(5)
        await app.drain()
        await running
    assert stream.is_closed


async def test_a_cancellation_from_outside_is_not_taken_for_a_cue():
    stream, request = FakeStream(), subscribe()
    app = serve(stream)
    running = asyncio.create_task(request.run(app))
    await request.wrote.wait()
    await turns(2)
    app._streams.end()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert stream.is_closed


async def test_nobody_listens_to_a_reader_whose_stream_has_ended():
    before = asyncio.all_tasks()
    await ask(serve(FakeStream(make_item(1))), "GET", PATH)
    await turns(2)
    assert asyncio.all_tasks() == before


async def test_all_streams_are_looked_after_with_one_timer():
    streams = [FakeStream() for _ in range(3)]
    requests = [subscribe() for _ in streams]
    waiting = iter(streams)

    async def open_next(*_):
        return next(waiting)

    app = Service(FakeEngine(subscribe=open_next), card=make_card, http=HttpOptions(heartbeat=SHORT))
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        for request in requests:
            group.create_task(request.run(app))
        for request in requests:
            await request.until(b":\n\n:\n\n")
        for stream in streams:
            stream.push(make_item(1))
            stream.end()
    assert [len(request.answer.events()) for request in requests] == [1, 1, 1]
