"""The contract of `Http`, over sockets and in process."""

import asyncio
import gzip
import ssl
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from dragoman.client.http import AiohttpHttp, AsgiHttp, HttpRequest
from dragoman.model import BadResponse, NeverSent, TimedOut, Unreachable
from tests.unit.client.scripted import serve, serve_bytes, wait_until

CERTIFICATE = Path(__file__).with_name("self_signed.pem")


@asynccontextmanager
async def over_sockets(app):
    http = AiohttpHttp()
    async with serve(app) as url:
        try:
            yield http, url
        finally:
            await http.close()


@asynccontextmanager
async def in_process(app):
    http = AsgiHttp(app)
    try:
        yield http, "http://localhost"
    finally:
        await http.close()


@pytest.fixture(params=[over_sockets, in_process])
def connect(request):
    return request.param


async def answer(send, *chunks, status=200, headers=()):
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    for data in chunks:
        await send({"type": "http.response.body", "body": data, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def answer_ok(scope, receive, send):
    await answer(send, b"ok")


async def read_body(receive):
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        if not message["more_body"]:
            return body


async def test_a_request_arrives_as_it_was_made(connect):
    seen: dict[str, Any] = {}

    async def app(scope, receive, send):
        seen.update(scope, body=await read_body(receive))
        await answer(send)

    async with connect(app) as (http, url):
        await http.request(HttpRequest("POST", url + "/a/b%2Fc:d?x=%20y", {"x-one": "1"}, b"hello"))
    assert (seen["method"], seen["raw_path"], seen["path"]) == ("POST", b"/a/b%2Fc:d", "/a/b/c:d")
    assert seen["query_string"] == b"x=%20y"
    assert dict(seen["headers"])[b"x-one"] == b"1"
    assert dict(seen["headers"])[b"content-length"] == b"5"
    assert seen["body"] == b"hello"


async def test_an_answer_arrives_as_it_was_sent(connect):
    async def app(scope, receive, send):
        await answer(send, b"one", b"", b"two", status=418, headers=[(b"X-Two", b"2")])

    async with connect(app) as (http, url):
        reply = await http.request(HttpRequest("GET", url))
    assert (reply.status, reply.body, reply.headers["x-two"]) == (418, b"onetwo", "2")


async def test_chunks_arrive_when_they_are_sent(connect):
    go_on = asyncio.Event()

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        await go_on.wait()
        await send({"type": "http.response.body", "body": b"second"})

    async with connect(app) as (http, url):
        stream = await http.open(HttpRequest("GET", url))
        assert await stream.read() == b"first"
        go_on.set()
        assert await stream.read() == b"second"
        assert await stream.read() == b""
        stream.close()


async def test_hanging_up_reaches_the_application(connect):
    gone = asyncio.Event()

    async def app(scope, receive, send):
        await read_body(receive)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        assert (await receive())["type"] == "http.disconnect"
        gone.set()

    async with connect(app) as (http, url):
        stream = await http.open(HttpRequest("GET", url))
        await stream.read()
        stream.close()
        stream.close()
        async with asyncio.timeout(5):
            await gone.wait()


async def test_a_canceled_request_reaches_the_application(connect):
    asked, gone = asyncio.Event(), asyncio.Event()

    async def app(scope, receive, send):
        await read_body(receive)
        asked.set()
        assert (await receive())["type"] == "http.disconnect"
        gone.set()

    async with connect(app) as (http, url):
        call = asyncio.create_task(http.request(HttpRequest("GET", url)))
        await asked.wait()
        call.cancel()
        async with asyncio.timeout(5):
            await gone.wait()


@pytest.mark.parametrize("after", [0, 1], ids=["before the head", "in the body"])
async def test_silence_beyond_the_limit_is_timed_out(connect, after):
    async def app(scope, receive, send):
        if after:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await read_body(receive)
        await receive()

    async with connect(app) as (http, url):
        with pytest.raises(TimedOut) as caught:
            await http.request(HttpRequest("GET", url + "/slow", idle=0.05))
    assert caught.value.url == url + "/slow"


async def test_a_body_over_the_limit_is_a_bad_response(connect):
    async def app(scope, receive, send):
        await answer(send, b"x" * 1000, b"x" * 1000)

    async with connect(app) as (http, url):
        with pytest.raises(BadResponse, match="larger than 1500 bytes"):
            await http.request(HttpRequest("GET", url), 1500)
        assert len((await http.request(HttpRequest("GET", url), 2000)).body) == 2000


async def test_an_application_that_fails_in_its_answer_is_unreachable(connect, caplog):
    caplog.set_level("CRITICAL")

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        raise RuntimeError("oops")

    async with connect(app) as (http, url):
        with pytest.raises(Unreachable):
            await http.request(HttpRequest("GET", url))


async def test_redirects_are_answers(connect):
    async def app(scope, receive, send):
        await answer(send, status=307, headers=[(b"location", b"/elsewhere")])

    async with connect(app) as (http, url):
        assert (await http.request(HttpRequest("GET", url))).status == 307


async def test_cookies_are_not_kept(connect):
    cookies = []

    async def app(scope, receive, send):
        cookies.append(dict(scope["headers"]).get(b"cookie"))
        await answer(send, headers=[(b"set-cookie", b"a=1")])

    async with connect(app) as (http, url):
        named = url.replace("127.0.0.1", "localhost")  # a jar may refuse those of an address
        for _ in range(2):
            await http.request(HttpRequest("GET", named))
    assert cookies == [None, None]


async def test_requests_run_side_by_side(connect):
    barrier = asyncio.Barrier(3)

    async def app(scope, receive, send):
        await barrier.wait()
        await answer(send, scope["query_string"])

    async with connect(app) as (http, url), asyncio.TaskGroup() as group:
        calls = [group.create_task(http.request(HttpRequest("GET", f"{url}?{n}"))) for n in range(3)]
    assert [call.result().body for call in calls] == [b"0", b"1", b"2"]


async def test_connections_are_used_again():
    ports = set()

    async def app(scope, receive, send):
        ports.add(scope["client"][1])
        await answer(send, b"x")

    async with over_sockets(app) as (http, url):
        for _ in range(5):
            await http.request(HttpRequest("GET", url))
    assert len(ports) == 1


async def test_a_refused_connection_never_carried_the_request():
    async with serve(answer_ok) as url:
        pass
    http = AiohttpHttp()
    with pytest.raises(NeverSent) as caught:
        await http.request(HttpRequest("POST", url, {}, b"x"))
    assert (str(caught.value), caught.value.url) == (f"cannot connect to {url!r}: Connection refused", url)
    await http.close()


async def test_a_name_that_does_not_resolve_never_carried_the_request():
    http = AiohttpHttp()
    with pytest.raises(NeverSent) as caught:
        await http.request(HttpRequest("GET", "http://no-such-host.invalid/"))
    assert str(caught.value).count("no-such-host") == 1
    await http.close()


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc"])
async def test_a_connection_that_breaks_may_have_carried_the_request(data):
    async def hang_up(request, writer):
        writer.write(data)
        await writer.drain()
        writer.close()

    http = AiohttpHttp()
    async with serve_bytes(hang_up) as url:
        with pytest.raises(Unreachable) as caught:
            await http.request(HttpRequest("POST", url, {}, b"x"))
    assert not isinstance(caught.value, NeverSent)
    await http.close()


async def test_what_is_not_http_is_a_bad_response():
    async def talk_smtp(request, writer):
        writer.write(b"220 mail.example ESMTP\r\n\r\n")
        await writer.drain()
        writer.close()

    http = AiohttpHttp()
    async with serve_bytes(talk_smtp) as url:
        with pytest.raises(BadResponse, match="not HTTP"):
            await http.request(HttpRequest("GET", url))
    await http.close()


async def test_a_small_body_that_unpacks_to_a_large_one_is_a_bad_response():
    bomb = gzip.compress(bytes(50_000_000))

    async def app(scope, receive, send):
        await answer(send, bomb, headers=[(b"content-encoding", b"gzip")])

    async with over_sockets(app) as (http, url):
        with pytest.raises(BadResponse):
            await http.request(HttpRequest("GET", url), 1_000_000)


async def test_a_peer_whose_certificate_is_not_trusted_gets_nothing():
    async with serve(answer_ok, ssl_certfile=CERTIFICATE) as url:
        http = AiohttpHttp()
        with pytest.raises(NeverSent, match="CERTIFICATE_VERIFY_FAILED"):
            await http.request(HttpRequest("GET", url))
        await http.close()


async def test_a_context_of_the_caller_decides_whom_to_trust():
    async with serve(answer_ok, ssl_certfile=CERTIFICATE) as url:
        http = AiohttpHttp(tls=ssl.create_default_context(cafile=CERTIFICATE))
        assert (await http.request(HttpRequest("GET", url))).body == b"ok"
        await http.close()


async def test_closing_in_process_ends_calls_that_do_not_listen():
    ended = asyncio.Event()

    async def app(scope, receive, send):
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await asyncio.Event().wait()
        finally:
            ended.set()

    http = AsgiHttp(app)
    (await http.open(HttpRequest("GET", "http://localhost"))).close()
    await http.close()
    assert ended.is_set()


async def test_a_deaf_reader_holds_the_application_back():
    sent = 0

    async def app(scope, receive, send):
        nonlocal sent
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            sent += 1

    http = AsgiHttp(app)
    stream = await http.open(HttpRequest("GET", "http://localhost"))
    for _ in range(100):
        await asyncio.sleep(0)
    assert sent <= 17
    stream.close()
    await http.close()


async def test_a_session_of_the_caller_stays_open():
    import aiohttp

    async def app(scope, receive, send):
        await answer(send, b"x")

    async with serve(app) as url, aiohttp.ClientSession() as session:
        http = AiohttpHttp(session=session)
        assert (await http.request(HttpRequest("GET", url))).body == b"x"
        await http.close()
        assert not session.closed
        assert not http.is_open


def test_a_client_can_be_used_in_one_loop_after_the_other():
    async def app(scope, receive, send):
        await answer(send, b"x")

    async def run():
        async with serve(app) as url:
            reply = await http.request(HttpRequest("GET", url))
            await http.close()
            return reply.body

    http = AiohttpHttp()
    assert [asyncio.run(run()), asyncio.run(run())] == [b"x", b"x"]


@pytest.mark.parametrize("url", ["http://[x", "http://a:b/", "file:///etc/passwd"])
async def test_an_address_that_is_no_url_is_a_bad_response(url):
    http = AiohttpHttp()
    with pytest.raises(BadResponse, match="is not an http or https URL"):
        await http.request(HttpRequest("GET", url))
    await http.close()


async def test_an_application_that_ends_without_an_answer_is_unreachable():
    async def silent(scope, receive, send):
        pass

    async def cut_short(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    for app in (silent, cut_short):
        with pytest.raises(Unreachable, match="the application ended"):
            await AsgiHttp(app).request(HttpRequest("GET", "http://localhost"))


async def test_an_application_that_is_canceled_does_not_leave_its_reader_waiting():
    async def app(scope, receive, send):
        calls.append(asyncio.current_task())
        await asyncio.Event().wait()

    calls: list[Any] = []
    http = AsgiHttp(app)
    reader = asyncio.create_task(http.request(HttpRequest("GET", "http://localhost")))
    await wait_until(lambda: bool(calls))
    calls[0].cancel()
    with pytest.raises(Unreachable):
        await reader
