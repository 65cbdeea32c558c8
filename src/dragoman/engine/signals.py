"""Waking many waiters at once."""

import asyncio
from collections.abc import Coroutine


class Signal:
    """Something that happens now and then. A waiter is woken by the next time after it began to wait.

    Waiters are woken in the order in which they came, so that none is always the last.
    """

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: dict[asyncio.Future[None], None] = {}

    def fire(self) -> None:
        """Wake all who wait."""
        if not self._waiters:
            return
        waiters, self._waiters = self._waiters, {}
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters[waiter] = None
        try:
            await waiter
        finally:
            self._waiters.pop(waiter, None)


async def wait_at_most(seconds: float, waiting: Coroutine[object, object, object]) -> None:
    """Until what is waited for has happened, or `seconds` have passed, for a ring may be lost."""
    try:
        async with asyncio.timeout(seconds):
            await waiting
    except TimeoutError:
        return
