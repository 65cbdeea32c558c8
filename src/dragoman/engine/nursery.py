"""The task group that owns every task of an engine."""

import asyncio
import logging
from collections.abc import Coroutine
from datetime import timedelta

from dragoman.model import UnavailableError

logger = logging.getLogger("dragoman.engine")


class Nursery:
    """A task group that a call opens and another closes.

    An engine mounted in a foreign app has no lifespan of its own to hold an `async with` open, so one task of its own does.
    """

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._closing = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._children: dict[asyncio.Task[None], Coroutine[None, None, None]] = {}

    async def open(self) -> None:
        is_open = asyncio.Event()
        self._keeper = asyncio.create_task(self._keep(is_open), name="dragoman nursery")
        await is_open.wait()

    def spawn(self, work: Coroutine[None, None, None], *, name: str) -> asyncio.Task[None]:
        """Do `work` in the background; what it raises is logged and ends nothing else."""
        if self._closing.is_set():
            work.close()
            raise UnavailableError("the agent is shutting down")
        task = self._group.create_task(_guard(work, name), name=name)
        self._children[task] = work
        task.add_done_callback(self._let_go)
        return task

    def _let_go(self, task: asyncio.Task[None]) -> None:
        self._children.pop(task).close()  # in case it was cancelled before it began

    async def close(self, patience: timedelta) -> None:
        """Cancel what still runs, and wait for it, though not for ever."""
        if self._keeper is None:
            return
        self._closing.set()
        done, _ = await asyncio.wait([self._keeper], timeout=patience.total_seconds())
        if done:
            self._keeper.result()
        else:
            names = sorted(task.get_name() for task in self._children)
            logger.error("left behind, for it ignores cancellation: %s", ", ".join(names))

    async def _keep(self, is_open: asyncio.Event) -> None:
        async with self._group:
            is_open.set()
            await self._closing.wait()
            for task in self._children:
                task.cancel()


async def _guard(work: Coroutine[None, None, None], name: str) -> None:
    try:
        await work
    except Exception:
        logger.exception("%s failed", name)
