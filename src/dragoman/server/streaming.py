"""Server-sent events: from the engine's stream to the socket (SPEC 3.3, 3.5, D-25)."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.types import Message, Receive, Send

from dragoman.engine.entries import StreamItem
from dragoman.model import A2AError
from dragoman.server.dispatch import EventSource
from dragoman.server.failures import ClientGoneError, explain
from dragoman.wire import sse

Frame = Callable[[StreamItem], bytes]
"""One event as it stands on the wire."""

ErrorFrame = Callable[[A2AError], bytes]

CHUNK_BYTES = 64 * 1024

_END: Message = {"type": "http.response.body", "body": b""}
_START: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),  # nginx would gather events
        (b"x-content-type-options", b"nosniff"),
    ],
}


@dataclass(frozen=True, slots=True)
class StreamTimes:
    """Seconds of silence before a comment is sent, and of a reader's deafness before it is given up."""

    heartbeat: float
    write_timeout: float


class OpenStream(Protocol):
    """A stream of any binding."""

    def end(self) -> None:
        """End it between two events, before its source does."""
        ...


class Streams:
    """The streams that are open."""

    def __init__(self, times: StreamTimes) -> None:
        self.times = times
        self.open: set[OpenStream] = set()

    def end(self) -> None:
        """End them all, between two events. Readers see a stream that ends before its task does, and come back."""
        for stream in tuple(self.open):
            stream.end()


class StreamReply:
    """One stream to one reader.

    It holds no queue: while the reader takes nothing, nothing is taken from the engine (I6). What is there at once leaves
    at once, in chunks of about `CHUNK_BYTES`.
    """

    def __init__(
        self,
        source: EventSource,
        *,
        frame: Frame,
        error_frame: ErrorFrame,
        streams: Streams,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        self._source = source
        self._frame = frame
        self._error_frame = error_frame
        self._start = {**_START, "headers": [*_START["headers"], *headers]} if headers else _START
        self._times = streams.times
        self._open = streams.open
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[object] | None = None
        self._is_ending = False
        self._last_move = 0.0
        self._failure: A2AError | None = None

    async def deliver(self, receive: Receive, send: Send) -> None:
        """Send the headers at once, then events as they come, until the stream ends or the reader is gone."""
        self._last_move = _now()
        self._task = asyncio.current_task()
        self._open.add(self)
        try:
            await self._converse(receive, send)
        except* ClientGoneError:
            pass
        finally:
            self._open.discard(self)
            await self._source.aclose()

    def end(self) -> None:
        """End the stream before its source does."""
        if self._task is not None and not self._is_ending:
            self._is_ending = True
            self._task.cancel()

    async def _converse(self, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                watcher = group.create_task(self._watch(receive, send))
                await self._pump(send)
                watcher.cancel()
        except asyncio.CancelledError:
            if self._task is None or not self._is_ending or self._task.uncancel() > 0:
                raise
            await self._write(send, _END)

    async def _pump(self, send: Send) -> None:
        await self._write(send, self._start)
        while items := await self._take():
            for chunk in self._gather(items):
                await self._write(send, _body(chunk))
        if self._failure is not None:
            await self._write(send, _body(self._error_frame(self._failure)))
        await self._write(send, _END)

    async def _take(self) -> Sequence[StreamItem]:
        try:
            return await self._source.batch()
        except Exception as error:  # noqa: BLE001 — explain() logs what the protocol has no word for
            self._failure = explain(error)
            return ()

    def _gather(self, items: Sequence[StreamItem]) -> Iterator[bytes]:
        gathered: list[bytes] = []
        size = 0
        for item in items:
            frame = self._frame(item)
            gathered.append(frame)
            size += len(frame)
            if size >= CHUNK_BYTES:
                yield b"".join(gathered)
                gathered, size = [], 0
        if gathered:
            yield b"".join(gathered)

    async def _watch(self, receive: Receive, send: Send) -> None:
        """Wait until the reader hangs up; meanwhile break long silences, and give up a reader that is deaf."""
        while True:
            try:
                async with asyncio.timeout(self._patience()):
                    message = await receive()
            except TimeoutError:
                await self._mind_silence(send)
            else:
                if message["type"] == "http.disconnect":
                    raise ClientGoneError

    def _patience(self) -> float:
        limit = self._times.write_timeout if self._turn.locked() else self._times.heartbeat
        return max(0.0, self._last_move + limit - _now())

    async def _mind_silence(self, send: Send) -> None:
        if self._patience() > 0:
            return
        if self._turn.locked():
            raise ClientGoneError
        await self._write(send, _body(sse.COMMENT))

    async def _write(self, send: Send, message: Message) -> None:
        async with self._turn:
            self._last_move = _now()
            try:
                await send(message)
            except OSError:  # what servers of ASGI 2.4 raise
                raise ClientGoneError from None
            self._last_move = _now()


def _now() -> float:
    return asyncio.get_running_loop().time()


def _body(chunk: bytes) -> Message:
    return {"type": "http.response.body", "body": chunk, "more_body": True}
