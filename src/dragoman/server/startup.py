"""When the engine runs: from the server's lifespan, or from the first request where no lifespan reaches the app."""

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable

from starlette.types import Receive, Send

from dragoman.model import A2AError, UnavailableError

logger = logging.getLogger("dragoman.server")


class Startup:
    """Starts an engine once, whoever asks first, and stops it once."""

    def __init__(self, start: Callable[[], Awaitable[None]], stop: Callable[[], Awaitable[None]]) -> None:
        self.is_running = False
        self.is_draining = False
        self._start = start
        self._stop = stop
        self._is_stopped = False
        self._starting: asyncio.Task[None] | None = None

    async def ensure(self) -> None:
        """Start unless it runs; UnavailableError if it cannot, or was stopped."""
        if self._is_stopped:
            raise UnavailableError("the agent is shutting down; try again later")
        try:
            await self.start()
        except A2AError:
            raise
        except Exception:
            logger.exception("the engine did not start")
            raise UnavailableError("the agent cannot start now; try again later") from None

    async def start(self) -> None:
        """Start unless it runs, and raise whatever keeps it from it. A caller that is cancelled cancels nobody else."""
        if self.is_running:
            return
        if self._starting is None:
            # No scope outlives the first request here, and what the engine starts must not inherit that request's context.
            self._starting = asyncio.create_task(self._run_start(), context=contextvars.Context())
        await asyncio.shield(self._starting)

    async def stop(self) -> None:
        """Stop if it runs; requests that come later are refused."""
        if self._starting is not None:
            await asyncio.wait({self._starting})
        self._is_stopped = True
        if self.is_running:
            self.is_running = False
            await self._stop()

    async def run_lifespan(self, receive: Receive, send: Send) -> None:
        """Speak ASGI's lifespan protocol."""
        await receive()
        try:
            await self.start()
        except Exception as error:
            logger.exception("the engine did not start")
            await send({"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        try:
            await self.stop()
        except Exception as error:
            logger.exception("the engine did not stop as it should")
            await send({"type": "lifespan.shutdown.failed", "message": f"{type(error).__name__}: {error}"})
            return
        await send({"type": "lifespan.shutdown.complete"})

    async def _run_start(self) -> None:
        try:
            await self._start()
            self._is_stopped = self.is_draining = False
            self.is_running = True
        finally:
            self._starting = None
