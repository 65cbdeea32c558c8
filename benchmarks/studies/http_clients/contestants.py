# mypy: ignore-errors
# The contestants are not installed here, so nothing of theirs has a type.
"""The contestants: each opens a session and gives post() -> bytes and stream(path), an async generator of raw chunks."""

import asyncio
from contextlib import asynccontextmanager

from benchmarks.studies.http_clients.server import HEADERS, REQUEST

CONNECT, READ = 5.0, 30.0
"""Timeouts as a real client would set them; no total."""


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


@asynccontextmanager
async def httpx2_guarded(base):
    import httpx2

    from benchmarks.studies.http_clients.guarded import Transport

    async with _httpx_like(httpx2, base, transport=Transport(), trust_env=False) as calls:
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
