"""A real server on a free loopback port, and callers that write their own bytes."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp


def listen() -> socket.socket:
    """A socket on a free port. Its protocol is named, because asyncio sets TCP_NODELAY only where it is."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


@asynccontextmanager
async def serve(app: ASGIApp, **options: object) -> AsyncIterator[int]:
    """Serve `app` in this loop; yields the port."""
    listener = listen()
    config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=5, **options)  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    started = asyncio.Event()

    async def announce() -> None:
        await type(server).startup(server, [listener])
        started.set()

    server.startup = lambda sockets=None: announce()  # type: ignore[method-assign]
    running = asyncio.create_task(server.serve([listener]))
    try:
        async with asyncio.timeout(10):
            await started.wait()
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await running
        listener.close()


class Caller:
    """One connection. Everything it does is bounded in time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def read_head(self) -> tuple[int, dict[str, str]]:
        async with asyncio.timeout(5):
            text = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = text.strip().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        return int(first.split()[1]), headers

    async def read_answer(self) -> tuple[int, bytes]:
        """One answer that has a length."""
        status, headers = await self.read_head()
        return status, await self.read_bytes(int(headers["content-length"]))

    async def read_bytes(self, count: int) -> bytes:
        async with asyncio.timeout(5):
            return await self._reader.readexactly(count)

    async def read_chunk(self) -> bytes:
        """One piece of an answer in chunked encoding; empty at the end."""
        async with asyncio.timeout(5):
            size = int(await self._reader.readline(), 16)
            return (await self._reader.readexactly(size + 2))[:-2]

    async def read_rest(self) -> bytes:
        """What comes until the server closes the connection."""
        async with asyncio.timeout(5):
            return await self._reader.read()

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def connect(port: int) -> AsyncIterator[Caller]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Caller(reader, writer)
    finally:
        writer.close()


def post(body: bytes, *, path: str = "/", length: int | None = None, more: str = "") -> bytes:
    """A request in bytes, which may lie about its length."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: agent.example\r\ncontent-type: application/json\r\na2a-version: 1.0\r\n"
        f"content-length: {len(body) if length is None else length}\r\n{more}\r\n"
    )
    return head.encode() + body


def rpc(method: str, params: object = None, *, id: int = 7) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params or {}}).encode()
