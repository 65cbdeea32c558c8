"""From the engine's stream to a gRPC reader."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dragoman.engine.entries import StreamItem
from dragoman.model import A2AError
from dragoman.server.dispatch import EventSource
from dragoman.server.failures import explain
from dragoman.server.patience import Patience
from dragoman.server.streaming import Streams

if TYPE_CHECKING:
    import grpc.aio


class GrpcStream:
    """One stream to one reader.

    It holds no queue: a message is written when the one before has left for the reader's window, and while the reader takes
    nothing, nothing is taken from the engine (I6).
    """

    def __init__(
        self,
        source: EventSource,
        *,
        dump: Callable[[StreamItem], bytes],
        streams: Streams,
        patience: Patience,
    ) -> None:
        self._source = source
        self._dump = dump
        self._open = streams.open
        self._patience = patience
        self._task: asyncio.Task[object] | None = None
        self._is_waiting = False
        self._is_ending = False

    async def deliver(self, context: "grpc.aio.ServicerContext[bytes, bytes]") -> A2AError | None:
        """Write events as they come, until the stream ends; the error that ended it, if one did.

        CancelledError if the reader is gone, or took nothing for too long.
        """
        self._task = asyncio.current_task()
        self._open.add(self)
        try:
            while items := await self._take():
                for item in items:
                    await self._write(context, self._dump(item))
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 — explain() logs what the protocol has no word for
            return explain(error)
        finally:
            self._open.discard(self)
            await self._source.aclose()
        return None

    def end(self) -> None:
        """End the stream before its source does, between two events."""
        if self._task is not None and not self._is_ending:
            self._is_ending = True
            if self._is_waiting:
                self._task.cancel()

    async def _take(self) -> Sequence[StreamItem]:
        if self._is_ending:
            return ()
        self._is_waiting = True
        try:
            return await self._source.batch()
        except asyncio.CancelledError:
            if not self._was_ended():
                raise
            return ()
        finally:
            self._is_waiting = False

    def _was_ended(self) -> bool:
        """Whether it was `end` that has cancelled, and nobody else."""
        return self._is_ending and self._task is not None and self._task.uncancel() == 0

    async def _write(self, context: "grpc.aio.ServicerContext[bytes, bytes]", data: bytes) -> None:
        try:
            await self._patience.wait(context.write(data))
        except TimeoutError:
            # Without a status, gRPC resets the stream: one that is deaf would not take the status either.
            raise asyncio.CancelledError from None
