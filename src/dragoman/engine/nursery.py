"""The task group that owns every task of an engine."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import TypeAlias

from dragoman.model import UnavailableError

logger = logging.getLogger("dragoman.engine")

Work: TypeAlias = Callable[[], Coroutine[None, None, None]]
"""What a task is to do. Its coroutine is made when the task begins, so that one that is cancelled before leaves none behind."""


class _ClosingError(Exception):
    """Ends the group, and with it everything in it."""


class Nursery:
    """A task group that a call opens and another closes.

    An engine mounted in a foreign app has no lifespan of its own to hold an `async with` open, so one task of its own does.
    """

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._closing = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._children: dict[Work, str] = {}

    async def open(self) -> None:
        is_open = asyncio.Event()
        self._keeper = asyncio.create_task(self._keep(is_open), name="dragoman nursery")
        await is_open.wait()

    def spawn(self, work: Work, *, name: str) -> asyncio.Task[None]:
        """Do `work` in the background; what it raises is logged and ends nothing else."""
        if self._closing.is_set():
            raise UnavailableError("the agent is shutting down")
        return self._group.create_task(self._guard(work, name), name=name)

    async def close(self, patience: timedelta) -> None:
        """Cancel what still runs, and wait for it, though not for ever."""
        if self._keeper is None:
            return
        self._closing.set()
        done, _ = await asyncio.wait([self._keeper], timeout=patience.total_seconds())
        if done:
            self._keeper.result()
        else:
            names = ", ".join(sorted(self._children.values()))
            logger.error("left behind, for it ignores cancellation: %s", names)

    async def _keep(self, is_open: asyncio.Event) -> None:
        try:
            async with self._group:
                is_open.set()
                await self._closing.wait()
                raise _ClosingError
        except* _ClosingError:
            pass

    async def _guard(self, work: Work, name: str) -> None:
        self._children[work] = name
        try:
            await work()
        except Exception:
            logger.exception("%s failed", name)
        finally:
            del self._children[work]
