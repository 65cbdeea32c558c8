"""One connection: sends bytes, reads an answer to its end, checks it, and spends as little as it can."""

import asyncio
from collections.abc import Callable
from typing import cast

END_OF_CHUNKS = b"\r\n0\r\n\r\n"
EVENT = b"data:"


class BadAnswer(Exception):
    """An answer with another status, or without what a right one has."""


class Connection(asyncio.Protocol):
    """Speaks HTTP/1.1 as uvicorn does: a content-length, or chunks; one answer at a time."""

    def __init__(self) -> None:
        self.answers = self.bytes = self.events = 0
        self.last = b""
        self._buffer = bytearray()
        self._marker = b""
        self._need = 0
        self._streams = self._seen = False
        self._tail = b""
        self._done: Callable[[Connection, BadAnswer | None], None] = lambda *_: None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._need or self._streams or self._marker:
            self._done(self, BadAnswer(f"the connection was closed in the middle of an answer: {exc}"))

    def send(
        self, payload: bytes, marker: bytes, done: "Callable[[Connection, BadAnswer | None], None]"
    ) -> None:
        """Send a request; `done` is called with this connection when its answer has come."""
        assert self._transport is not None
        self._marker, self._done = marker, done
        self._seen = False
        self._transport.write(payload)

    async def ask(self, payload: bytes, marker: bytes = b"") -> bytes:
        """Send a request and wait for the body of its answer."""
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def done(_: Connection, problem: BadAnswer | None) -> None:
            if problem:
                future.set_exception(problem)
            else:
                future.set_result(self.last)

        self.send(payload, marker or b"HTTP/1.1 200", done)
        return await future

    def close(self) -> None:
        self._marker, self._streams, self._need = b"", False, 0
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)
        if self._streams:
            self._read_stream(data)
            return
        self._buffer += data
        if not self._need:
            self._read_head()
        if self._need and len(self._buffer) >= self._need:
            self._finish(bytes(self._buffer))

    def _read_head(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._buffer[: end + 2]).lower()
        if not head.startswith(b"http/1.1 200"):
            self._finish(bytes(self._buffer), BadAnswer(bytes(self._buffer[:2000]).decode(errors="replace")))
            return
        start = head.find(b"content-length: ")
        if start >= 0:
            self._need = end + 4 + int(head[start + 16 : head.index(b"\r", start)])
            return
        self._streams = True
        self._tail = b""
        rest = bytes(self._buffer[end + 2 :])
        self._buffer.clear()
        self._read_stream(rest)

    def _read_stream(self, data: bytes) -> None:
        text = self._tail + data
        self.events += text.count(EVENT) - self._tail.count(EVENT)
        self._seen = self._seen or self._marker in text
        self._tail = text[-64:]
        if text.endswith(END_OF_CHUNKS):
            self._streams = False
            problem = (
                None if self._seen else BadAnswer(f"{self._marker!r} is not in the stream: {text[-800:]!r}")
            )
            self._close_answer(problem)

    def _finish(self, answer: bytes, problem: BadAnswer | None = None) -> None:
        self._buffer.clear()
        self._need = 0
        self.last = answer
        if problem is None and self._marker not in answer:
            problem = BadAnswer(f"{self._marker!r} is not in {answer[:2000]!r}")
        self._close_answer(problem)

    def _close_answer(self, problem: BadAnswer | None) -> None:
        self.answers += 1
        self._marker = b""
        self._done(self, problem)


async def connect(port: int, count: int) -> list[Connection]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(Connection, "127.0.0.1", port))[1] for _ in range(count)]
