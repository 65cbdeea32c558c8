"""When the engine runs: from the server's lifespan, or from the first request where no lifespan reaches the app."""

import asyncio
import contextvars
import gc
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

from starlette.types import Receive, Send

from dragoman.model import A2AError, UnavailableError

logger = logging.getLogger("dragoman.server")

YOUNG_OBJECTS = 5_000
"""How many new objects have the garbage collector of a server look at them. Of 700, as is usual, most belong to requests under way: they
survive, and are looked at again and again."""

Step: TypeAlias = Callable[[], Awaitable[None]]


async def _drain_nothing() -> None:
    """There is nothing to wait for."""


class Startup:
    """Starts an engine once, whoever asks first, and stops it once.

    `drain` ends what can be ended at once and waits, for as long as it finds right, for what is at work.
    """

    def __init__(self, start: Step, stop: Step, drain: Step = _drain_nothing) -> None:
        self.is_running = False
        self.is_draining = False
        self.is_stopped = False
        self._start = start
        self._stop = stop
        self._drain = drain
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting: asyncio.Task[None] | None = None
        self._draining: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._holders = 0
        self._has_owner = False

    @property
    def is_orphaned(self) -> bool:
        """Whether the event loop that it was started in is gone, and what ran there with it."""
        return self._loop is not None and self._loop.is_closed()

    async def ensure(self) -> None:
        """Start unless it runs; UnavailableError if it cannot, or was stopped."""
        if self.is_stopped:
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
        self._has_owner = True
        await self._launch()

    @asynccontextmanager
    async def hold(self) -> AsyncGenerator[None]:
        """Run during the block. The last one out stops it at once, unless somebody else has started it."""
        await self._launch()
        self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1
            if not self._holders and not self._has_owner:
                await self.stop(at_once=True)

    async def drain(self) -> None:
        """Prepare to stop: it is not ready any more, and what is at work has its time to finish."""
        if not self.is_running:
            return
        self.is_draining = True
        if self._draining is None:
            self._draining = asyncio.create_task(self._run_drain(), context=contextvars.Context())
        await asyncio.wait({self._draining})
        if not self._draining.cancelled():
            self._draining.result()

    async def stop(self, *, at_once: bool = False) -> None:
        """Drain and stop if it runs; requests that come later are refused. `at_once` drains no longer."""
        if self._starting is not None:
            await asyncio.wait({self._starting})
        if at_once and self._draining is not None:
            self._draining.cancel()
        try:
            if not at_once:
                await self.drain()
        finally:
            await self._finish()

    async def run_lifespan(self, receive: Receive, send: Send) -> None:
        """Speak ASGI's lifespan protocol."""
        await receive()
        try:
            await self.start()
        except Exception as error:
            logger.exception("the engine did not start")
            await send({"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"})
            return
        _spare_the_collector()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        try:
            await self.stop()
        except Exception as error:
            logger.exception("the engine did not stop as it should")
            await send({"type": "lifespan.shutdown.failed", "message": f"{type(error).__name__}: {error}"})
            return
        await send({"type": "lifespan.shutdown.complete"})

    async def _run_drain(self) -> None:
        await self._drain()

    async def _finish(self) -> None:
        """Stop, whoever asks first, and be done when it is done."""
        self.is_stopped = True
        self._has_owner = False
        if self.is_running:
            self.is_running = False
            self._stopping = asyncio.create_task(self._run_stop(), context=contextvars.Context())
        if self._stopping is not None:
            await asyncio.shield(self._stopping)

    async def _run_stop(self) -> None:
        try:
            await self._stop()
        finally:
            self._stopping = None

    async def _launch(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is not loop and (self.is_running or self._starting):
            self._leave_loop()
        if self.is_running:
            return
        if self._starting is None:
            self._loop = loop
            # No scope outlives the first request here, and what the engine starts must not inherit that request's context.
            self._starting = asyncio.create_task(self._run_start(), context=contextvars.Context())
        await asyncio.shield(self._starting)

    def _leave_loop(self) -> None:
        if not self.is_orphaned:
            raise RuntimeError(
                "the agent runs in another event loop, which is still open; stop it there, or make an agent for each loop"
            )
        self.is_running = self._has_owner = False
        self._starting = self._stopping = None
        self._holders = 0

    async def _run_start(self) -> None:
        try:
            await self._start()
            self.is_stopped = self.is_draining = False
            self._draining = None
            self.is_running = True
        finally:
            self._starting = None


def _spare_the_collector() -> None:
    """Have the garbage collector look at less, and less often.

    What is there when a server has started stays for good, and what many requests hold at a time is no garbage. Only whoever
    speaks the lifespan protocol does this, for the process is then a server's; and once, for what it makes while it serves may
    become garbage.
    """
    if gc.get_freeze_count() == 0:
        gc.collect()
        gc.freeze()
        youngest, *older = gc.get_threshold()
        gc.set_threshold(max(youngest, YOUNG_OBJECTS), *older)
