"""Calling an agent from a command."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from dragoman.client import Client
from dragoman.model import TimedOut

T = TypeVar("T")

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Peer:
    """The agent that a command talks to. `timeout` is in seconds, None waits for ever."""

    url: str
    headers: Sequence[Header] = ()
    timeout: float | None = None

    def run(self, work: Callable[[Client], Coroutine[Any, Any, T]]) -> T:
        """Do `work` with a client, and close it. Raises what the client does, TimedOut after `timeout`."""
        return asyncio.run(self._run(work))

    async def _run(self, work: Callable[[Client], Coroutine[Any, Any, T]]) -> T:
        scope = asyncio.timeout(self.timeout)
        try:
            async with scope, self.open() as client:
                return await work(client)
        except TimeoutError:
            if not scope.expired():
                raise
            problem = f"no result after {self.timeout:g} seconds; the agent may still be working"
            raise TimedOut(problem, url=self.url) from None

    def open(self) -> Client:
        return Client(self.url, headers=dict(self.headers))
