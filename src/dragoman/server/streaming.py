"""Server-sent events: from the engine's stream to the socket (SPEC 3.3, 3.5, D-25)."""

import asyncio
from collections.abc import Sequence
from enum import IntEnum
from typing import Protocol

from starlette.types import Message, Receive, Send

from dragoman.engine.batches import NOTHING, Batch
from dragoman.model import A2AError
from dragoman.server.dispatch import EventSource
from dragoman.server.failures import ClientGoneError, explain
from dragoman.server.framing import Framing
from dragoman.server.vigil import StreamTimes, Vigil
from dragoman.wire import sse

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


class OpenStream(Protocol):
    """A stream of any binding."""

    def end(self) -> None:
        """End it between two events, before its source does."""
        ...


class Streams:
    """The streams that are open."""

    def __init__(self, times: StreamTimes) -> None:
        self.vigil = Vigil(times)
        self.open: set[OpenStream] = set()

    def end(self) -> None:
        """End them all, between two events. Readers see a stream that ends before its task does, and come back."""
        for stream in tuple(self.open):
            stream.end()


class _Cue(IntEnum):
    """What a stream is to do next; the greater goes first."""

    GO_ON = 0
    COMMENT = 1
    END = 2
    LEAVE = 3


class StreamReply:
    """One stream to one reader.

    It holds no queue: while the reader takes nothing, nothing is taken from the engine (I6). What is there at once leaves
    at once, in chunks of about `CHUNK_BYTES`. One task writes; whoever wants something of it, gives it a cue and wakes it.
    """

    __slots__ = (
        "_cue",
        "_failure",
        "_framing",
        "_is_called",
        "_is_waiting",
        "_last_move",
        "_source",
        "_start",
        "_streams",
        "_task",
        "_time",
    )

    def __init__(
        self,
        source: EventSource,
        framing: Framing,
        *,
        streams: Streams,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        self._source = source
        self._framing = framing
        self._streams = streams
        self._start = {**_START, "headers": [*_START["headers"], *headers]} if headers else _START
        self._task: asyncio.Task[object] | None = None
        self._cue = _Cue.GO_ON
        self._is_waiting = False
        self._is_called = False
        self._failure: A2AError | None = None
        self._time = asyncio.get_running_loop().time
        self._last_move = self._time()

    async def deliver(self, receive: Receive, send: Send) -> None:
        """Send the headers at once, then events as they come, until the stream ends or the reader is gone."""
        streams = self._streams
        self._task = asyncio.current_task()
        streams.open.add(self)
        streams.vigil.begin(self)
        listening = asyncio.create_task(self._listen(receive))
        try:
            await self._pump(send)
        except asyncio.CancelledError:
            if not self._was_called():
                raise
        except ClientGoneError:
            pass
        finally:
            self._task = None
            listening.cancel()  # and not awaited: it has nothing to clean up, and nobody waits for its end
            streams.vigil.end(self)
            streams.open.discard(self)
            await self._source.aclose()

    def end(self) -> None:
        """End the stream before its source does."""
        self._call(_Cue.END)

    def mind(self, now: float) -> None:
        """Break a long silence, and give up a reader that is deaf."""
        vigil, quiet = self._streams.vigil, now - self._last_move
        if self._is_waiting:
            if quiet + vigil.pause > vigil.times.heartbeat:
                self._call(_Cue.COMMENT)
        elif quiet >= vigil.times.write_timeout:
            self._call(_Cue.LEAVE)

    async def _listen(self, receive: Receive) -> None:
        """Wait until the reader hangs up."""
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self._call(_Cue.LEAVE)

    def _call(self, cue: _Cue) -> None:
        """Have the task do something else than wait; nothing but a reader's absence calls it away from writing."""
        if self._task is None or cue <= self._cue:
            return
        self._cue = cue
        if not self._is_called and (self._is_waiting or cue is _Cue.LEAVE):
            self._is_called = True
            self._task.cancel()

    def _was_called(self) -> bool:
        """Whether it was a call that has cancelled the task, and nobody else."""
        was_called, self._is_called = self._is_called, False
        return was_called and self._task is not None and self._task.uncancel() == 0

    async def _pump(self, send: Send) -> None:
        await self._write(send, self._start)
        while await self._pass_on(send):
            pass
        if self._failure is not None:
            await self._write(send, _body(self._framing.frame_error(self._failure)))
        await self._write(send, _END)

    async def _pass_on(self, send: Send) -> bool:
        """Send what comes next, and hold none of it any longer; whether there is more to come."""
        batch = await self._take() if self._cue is _Cue.GO_ON else None
        if batch is None:
            return await self._heed(send)
        for chunk in self._framing.frame(batch):
            await self._write(send, _body(chunk))
        return len(batch) > 0

    async def _heed(self, send: Send) -> bool:
        """Do what the cue says; whether to go on then."""
        if self._cue is not _Cue.COMMENT:
            return False
        self._cue = _Cue.GO_ON
        await self._write(send, _body(sse.COMMENT))
        return True

    async def _take(self) -> Batch | None:
        """What there is to send; nothing if the stream is over or has failed, None if there is a cue."""
        self._is_waiting = True
        try:
            return await self._source.batch()
        except asyncio.CancelledError:
            if self._cue is _Cue.LEAVE or not self._was_called():
                raise
            return None
        except Exception as error:  # noqa: BLE001 — explain() logs what the protocol has no word for
            self._failure = explain(error)
            return NOTHING
        finally:
            self._is_waiting = False

    async def _write(self, send: Send, message: Message) -> None:
        self._last_move = self._time()
        try:
            await send(message)
        except OSError:  # what servers of ASGI 2.4 raise
            raise ClientGoneError from None
        self._last_move = self._time()


def _body(chunk: bytes) -> Message:
    return {"type": "http.response.body", "body": chunk, "more_body": True}
