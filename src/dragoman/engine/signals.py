"""Waking many waiters at once."""

import asyncio
from collections.abc import Coroutine, Iterable

_CROWD = 32
_MOST_TURNS = 8


class Signal:
    """Something that happens now and then. A waiter is woken by the next time after it began to wait.

    Waiters are woken in the order in which they came, so that none is always the last. A crowd costs much to wake, so it is
    woken once: when nothing more has happened for a turn of the event loop, or at the latest after `_MOST_TURNS`.
    """

    __slots__ = ("_crowd", "_is_quiet", "_waiters")

    def __init__(self) -> None:
        self._waiters: dict[asyncio.Future[None], None] | None = None
        self._crowd: dict[asyncio.Future[None], None] | None = None
        self._is_quiet = False

    def fire(self) -> None:
        """Wake all who wait."""
        self._is_quiet = False
        if not self._waiters:
            return
        waiters, self._waiters = self._waiters, None
        if self._crowd is not None:
            self._crowd.update(waiters)
        elif len(waiters) < _CROWD:
            _wake(waiters)
        else:
            self._crowd = waiters
            asyncio.get_running_loop().call_soon(self._settle, _MOST_TURNS)

    async def wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        if self._waiters is None:
            self._waiters = {}
        self._waiters[waiter] = None
        try:
            await waiter
        finally:
            if self._waiters:
                self._waiters.pop(waiter, None)

    def _settle(self, turns: int) -> None:
        if turns and not self._is_quiet:
            self._is_quiet = True
            asyncio.get_running_loop().call_soon(self._settle, turns - 1)
        else:
            crowd, self._crowd = self._crowd, None
            _wake(crowd or ())


def _wake(waiters: Iterable["asyncio.Future[None]"]) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)


async def wait_at_most(seconds: float, waiting: Coroutine[object, object, object]) -> None:
    """Until what is waited for has happened, or `seconds` have passed, for a ring may be lost."""
    try:
        async with asyncio.timeout(seconds):
            await waiting
    except TimeoutError:
        return
