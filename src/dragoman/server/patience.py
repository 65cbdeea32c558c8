"""Waiting with a limit, many times a second."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class Patience:
    """A limit of time for waits that nearly always end early.

    All waits share one timer, where `asyncio.timeout` would set and cancel one for each, at 5 to 8 µs. They are equally
    long, so the oldest is always the first to end.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._began: dict[asyncio.Task[object], float] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def wait(self, awaitable: Awaitable[T]) -> T:
        """The result; TimeoutError if it takes too long. One task waits once at a time."""
        task = asyncio.current_task()
        assert task is not None  # a coroutine that awaits is run by one
        cancels = task.cancelling()
        self._begin(task)
        try:
            return await awaitable
        except asyncio.CancelledError:
            if task not in self._began and task.uncancel() <= cancels:
                raise TimeoutError from None
            raise
        finally:
            self._began.pop(task, None)

    def _begin(self, task: asyncio.Task[object]) -> None:
        loop = asyncio.get_running_loop()
        self._began[task] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self.seconds, self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        while self._began:
            task, began = next(iter(self._began.items()))
            if began + self.seconds > loop.time():
                self._timer = loop.call_at(began + self.seconds, self._sweep, loop)
                return
            del self._began[task]
            task.cancel()
