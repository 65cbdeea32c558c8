"""The caller's own limit of time."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeAlias

from dragoman.model import TimedOut

Duration: TypeAlias = float | timedelta
"""A number of seconds, or a timedelta."""


class Deadline:
    """Runs from the first `hold` on; what is held when it ends is canceled and raises TimedOut."""

    def __init__(self, allowed: Duration | None, url: str) -> None:
        self._seconds = allowed.total_seconds() if isinstance(allowed, timedelta) else allowed
        self._url = url
        self._end: float | None = None

    @asynccontextmanager
    async def hold(self) -> AsyncGenerator[None, None]:
        if self._seconds is None:
            yield
            return
        import asyncio

        if self._end is None:
            self._end = asyncio.get_running_loop().time() + self._seconds
        scope = asyncio.timeout_at(self._end)
        try:
            async with scope:
                yield
        except TimeoutError:
            if not scope.expired():
                raise
            problem = f"no result after {self._seconds:g} seconds; the agent may still be working"
            raise TimedOut(problem, url=self._url) from None
