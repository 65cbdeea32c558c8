# mypy: ignore-errors
# The contestants are not installed here, so nothing of theirs has a type.
"""CPU cost of asyncio HTTP clients for Dragoman's two calls: a small JSON POST and an SSE stream.

    python http_clients.py [--rounds 5] [--loop asyncio|uvloop] [NAME ...]

Contestants run in fresh processes, interleaved round by round, against one uvicorn (httptools, uvloop).
CPU is user + system time of the client's process, all its threads. Medians, spread, ratio to `floor`.
"""

import argparse
import asyncio
import json
import resource
import socket
import statistics
import subprocess
import sys
import time
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

REQUEST = (
    b'{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{"message":{"text":"' + b"q" * 320 + b'"}}}'
)
REPLY = b'{"jsonrpc":"2.0","id":1,"result":{"task":{"text":"' + b"a" * 545 + b'"}}}'
EVENT = b'id: 1\ndata: {"statusUpdate":"' + b"e" * 166 + b'"}\n\n'
EVENTS = 100
HEADERS = {"content-type": "application/json", "accept": "application/json", "a2a-version": "1.0"}
CONNECT, READ = 5.0, 30.0  # timeouts as a real client would set them; no total
RESPONSE_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(REPLY))]


async def app(scope, receive, send):
    """The bare ASGI server: POST /, GET /burst and GET /paced (1 ms apart)."""
    if scope["type"] != "http":
        return
    if scope["path"] == "/":
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": RESPONSE_HEADERS})
        await send({"type": "http.response.body", "body": REPLY})
        return
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}
    )
    for _ in range(EVENTS):
        await send({"type": "http.response.body", "body": EVENT, "more_body": True})
        if scope["path"] == "/paced":
            await asyncio.sleep(0.001)
    await send({"type": "http.response.body", "body": b""})


# Contestants: each opens a session and gives post() -> bytes and stream(path), an async generator of raw chunks.


@asynccontextmanager
async def _httpx_like(module, base, **options):
    limits = module.Limits(max_connections=100, max_keepalive_connections=100)
    timeout = module.Timeout(connect=CONNECT, read=READ, write=READ, pool=READ)
    async with module.AsyncClient(base_url=base, timeout=timeout, limits=limits, **options) as client:

        async def post():
            return (await client.post("/", content=REQUEST, headers=HEADERS)).content

        async def stream(path):
            async with client.stream("GET", path) as response:
                async for chunk in response.aiter_raw():
                    yield chunk

        yield post, stream


@asynccontextmanager
async def httpx(base):
    import httpx

    async with _httpx_like(httpx, base) as calls:
        yield calls


@asynccontextmanager
async def httpx2(base):
    import httpx2

    async with _httpx_like(httpx2, base) as calls:
        yield calls


def guarded_transport():  # noqa: C901 -- its classes derive from libraries that only this contestant imports
    """httpx2 over httpcore2's public pool with a network backend of our own: the place where a resolved
    address is checked and then dialled, and asyncio without anyio between. Returns the transport."""
    import httpcore2
    import httpx2

    class Stream(httpcore2.AsyncNetworkStream):
        def __init__(self, reader, writer):
            self.reader, self.writer = reader, writer

        async def read(self, max_bytes, timeout=None):
            try:
                async with asyncio.timeout(timeout):
                    return await self.reader.read(max_bytes)
            except TimeoutError as error:
                raise httpcore2.ReadTimeout from error
            except OSError as error:
                raise httpcore2.ReadError from error

        async def write(self, buffer, timeout=None):
            if not buffer:
                return
            try:
                self.writer.write(buffer)
                async with asyncio.timeout(timeout):
                    await self.writer.drain()
            except TimeoutError as error:
                raise httpcore2.WriteTimeout from error
            except OSError as error:
                raise httpcore2.WriteError from error

        async def aclose(self):
            self.writer.close()

        async def start_tls(self, ssl_context, server_hostname=None, timeout=None):
            async with asyncio.timeout(timeout):
                await self.writer.start_tls(ssl_context, server_hostname=server_hostname)
            return self

        def get_extra_info(self, info):
            if info == "is_readable":  # an idle connection that is readable was closed by the peer
                return self.reader.at_eof() or bool(self.reader._buffer)  # noqa: SLF001 -- asyncio tells it in no other way
            return self.writer.get_extra_info(
                {"server_addr": "peername", "client_addr": "sockname"}.get(info, info)
            )

    class Backend(httpcore2.AsyncNetworkBackend):
        async def connect_tcp(self, host, port, timeout=None, **_options):
            try:
                async with asyncio.timeout(timeout):
                    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
                    address = found[0][4][0]
                    # the guard's place: check `address`, then dial that very address
                    return Stream(*await asyncio.open_connection(address, port))
            except TimeoutError as error:
                raise httpcore2.ConnectTimeout from error
            except OSError as error:
                raise httpcore2.ConnectError from error

    class Body(httpx2.AsyncByteStream):
        def __init__(self, stream):
            self.stream = stream

        async def __aiter__(self):
            async for part in self.stream:
                yield part

        async def aclose(self):
            await self.stream.aclose()

    class Transport(httpx2.AsyncBaseTransport):
        def __init__(self):
            self.pool = httpcore2.AsyncConnectionPool(
                network_backend=Backend(), max_connections=100, max_keepalive_connections=100
            )

        async def handle_async_request(self, request):
            url = httpcore2.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            )
            response = await self.pool.handle_async_request(
                httpcore2.Request(
                    request.method,
                    url,
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
            return httpx2.Response(
                response.status,
                headers=response.headers,
                stream=Body(response.stream),
                extensions=response.extensions,
            )

        async def aclose(self):
            await self.pool.aclose()

    return Transport()


@asynccontextmanager
async def httpx2_guarded(base):
    import httpx2

    async with _httpx_like(httpx2, base, transport=guarded_transport(), trust_env=False) as calls:
        yield calls


@asynccontextmanager
async def httpcore2(base):
    import httpcore2

    extensions = {"timeout": {"connect": CONNECT, "read": READ, "write": READ, "pool": READ}}
    host = base.removeprefix("http://").encode()
    headers = [(b"host", host), *((k.encode(), v.encode()) for k, v in HEADERS.items())]
    headers.append((b"content-length", b"%d" % len(REQUEST)))
    async with httpcore2.AsyncConnectionPool(max_connections=100, max_keepalive_connections=100) as pool:

        async def post():
            return (
                await pool.request(
                    "POST", base + "/", headers=headers, content=REQUEST, extensions=extensions
                )
            ).content

        async def stream(path):
            async with pool.stream(
                "GET", base + path, headers=[(b"host", host)], extensions=extensions
            ) as response:
                async for chunk in response.aiter_stream():
                    yield chunk

        yield post, stream


@asynccontextmanager
async def aiohttp(base):
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=READ)
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def post():
            async with session.post(
                base + "/", data=REQUEST, headers=HEADERS, allow_redirects=False
            ) as response:
                return await response.read()

        async def stream(path):
            async with session.get(base + path, allow_redirects=False) as response:
                async for chunk in response.content.iter_any():
                    yield chunk

        yield post, stream


@asynccontextmanager
async def niquests(base):
    import niquests

    async with niquests.AsyncSession(pool_connections=10, pool_maxsize=100) as session:

        async def post():
            response = await session.post(
                base + "/", data=REQUEST, headers=HEADERS, timeout=(CONNECT, READ), allow_redirects=False
            )
            return response.content

        async def stream(path):
            response = await session.get(
                base + path, stream=True, timeout=(CONNECT, READ), allow_redirects=False
            )
            async for chunk in await response.iter_raw(-1):
                yield chunk

        yield post, stream


@asynccontextmanager
async def pyreqwest(base):
    from datetime import timedelta

    from pyreqwest.client import ClientBuilder

    # streamed_read_buffer_limit(0) below: with its default a stream is held back until 64 KB have come
    builder = ClientBuilder().follow_redirects(False).connect_timeout(timedelta(seconds=CONNECT))
    async with builder.read_timeout(timedelta(seconds=READ)).build() as client:

        async def post():
            response = await client.post(base + "/").headers(HEADERS).body_bytes(REQUEST).build().send()
            return await response.bytes()

        async def stream(path):
            async with client.get(base + path).streamed_read_buffer_limit(0).build_streamed() as response:
                reader = response.body_reader
                while (chunk := await reader.read_chunk()) is not None:
                    yield chunk

        yield post, stream


@asynccontextmanager
async def floor(base):
    """Not a client: asyncio streams and string search, the least Python can spend."""
    host, port = base.removeprefix("http://").split(":")
    head = f"POST / HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len(REQUEST)}\r\n"
    head += "".join(f"{k}: {v}\r\n" for k, v in HEADERS.items())
    wire = head.encode() + b"\r\n" + REQUEST
    idle = []

    async def post():
        reader, writer = idle.pop() if idle else await asyncio.open_connection(host, port)
        writer.write(wire)
        answer = await reader.readuntil(b"\r\n\r\n")
        start = answer.index(b"content-length: ") + 16
        body = await reader.readexactly(int(answer[start : answer.index(b"\r", start)]))
        idle.append((reader, writer))
        return body

    async def stream(path):
        reader, writer = idle.pop() if idle else await asyncio.open_connection(host, port)
        writer.write(f"GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        while length := int(await reader.readline(), 16):
            yield await reader.readexactly(length)
            await reader.readexactly(2)
        await reader.readexactly(2)
        idle.append((reader, writer))

    yield post, stream
    for _, writer in idle:
        writer.close()


CONTESTANTS = {
    f.__name__: f for f in (floor, httpx, httpx2, httpx2_guarded, httpcore2, aiohttp, niquests, pyreqwest)
}


def cpu():
    use = resource.getrusage(resource.RUSAGE_SELF)
    return use.ru_utime + use.ru_stime


async def measured(total, concurrency, call):
    """CPU microseconds per call."""
    left = iter(range(total))

    async def work():
        for _ in left:
            await call()

    start = cpu()
    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work())
    return (cpu() - start) / total * 1e6


async def contest(name, base):
    async with CONTESTANTS[name](base) as (post, stream):
        assert await post() == REPLY

        async def drain(path):
            return [(len(chunk), time.perf_counter()) async for chunk in stream(path)]

        for path in ("/burst", "/paced"):
            seen = await drain(path)
            assert sum(size for size, _ in seen) == len(EVENT) * EVENTS, path
        assert seen[-1][1] - seen[0][1] > 0.05, "held back: the first event came with the last"
        await measured(300, 50, post)
        return {
            "post c=1": await measured(500, 1, post),
            "post c=50": await measured(3000, 50, post),
            "sse burst": await measured(60, 4, lambda: drain("/burst")),
            "sse paced": await measured(60, 20, lambda: drain("/paced")),
            "chunks paced": len(seen),
        }


def work(name, base, loop):
    """One contestant in this process: print its figures."""
    factory = None
    if loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        print(json.dumps(runner.run(contest(name, base))))


@contextmanager
def serve():
    """The server in a process of its own: its address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    here = str(Path(__file__).resolve().parent)
    uvicorn = [sys.executable, "-m", "uvicorn", "http_clients:app", "--app-dir", here, "--port", str(port)]
    uvicorn += ["--http", "httptools", "--loop", "uvloop", "--lifespan", "off"]
    uvicorn += ["--log-level", "warning", "--no-access-log"]
    server = subprocess.Popen(uvicorn)
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def race(names, rounds, loop):
    """The figures of every contestant, a list with one record for each round that went well."""
    runs = {name: [] for name in names}
    with serve() as base:
        for _ in range(rounds):
            for name in names:
                command = [sys.executable, __file__, "--loop", loop, "--worker", base, name]
                done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
                if done.returncode:
                    print(name, "failed:", done.stderr[-600:], file=sys.stderr)
                else:
                    runs[name].append(json.loads(done.stdout))
    return runs


def cell(key, values, base):
    values = sorted(values)
    middle = statistics.median(values)
    if key.startswith("chunks"):
        return f"{key} {middle:.0f}"
    return f"{key} {middle / base:.2f}x ({middle:.0f}, {values[0]:.0f}-{values[-1]:.0f})"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=list(CONTESTANTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--loop", default="asyncio")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        work(args.names[0], args.worker, args.loop)
        return
    names = args.names or list(CONTESTANTS)
    runs = race(names, args.rounds, args.loop)
    base = {k: statistics.median(r[k] for r in runs[names[0]]) for k in runs[names[0]][0]}
    print(f"loop {args.loop}, {args.rounds} rounds; ratio to {names[0]} (median µs CPU, min-max)")
    for name, rounds in runs.items():
        cells = [cell(key, [r[key] for r in rounds], base[key]) for key in (base if rounds else ())]
        print(f"{name:15}", " | ".join(cells))


if __name__ == "__main__":
    main()
