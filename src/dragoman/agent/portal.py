"""The way from a thread back to the event loop."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Generic, Self, TypeVar

from dragoman.engine.errors import RunEndedError

T = TypeVar("T")


class _Ticket(Generic[T]):
    """Work that a thread handed in and waits for."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._work = work
        self.result: concurrent.futures.Future[T] = concurrent.futures.Future()

    async def perform(self) -> None:
        try:
            self.result.set_result(await self._work())
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - the thread that waits is the one to handle it
            self.result.set_exception(error)

    def refuse(self) -> None:
        """Answer with an error, unless there is an answer."""
        if not self.result.done():
            self.result.set_exception(RunEndedError("the run has ended: it was canceled or timed out"))


class Portal:
    """Lets threads call coroutines of the loop that opened it, and wait for the result.

    Once it is closed, calls under way and later ones raise RunEndedError in their threads.
    """

    def __init__(self) -> None:
        self.is_closed = False
        self._group = asyncio.TaskGroup()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.close()
        await self._group.__aexit__(
            None, None, None
        )  # so that an error of the block is not wrapped in a group

    def call(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run `work` on the loop. For threads other than the loop's own, which would wait for itself."""
        if threading.get_ident() == self._thread:
            raise RuntimeError(
                "this context is for synchronous code in a thread; in a coroutine, take a Context"
            )
        ticket = _Ticket(work)
        try:
            self._loop.call_soon_threadsafe(self._accept, ticket)
        except RuntimeError:  # the loop is gone
            ticket.refuse()
        return ticket.result.result()

    def close(self) -> None:
        self.is_closed = True
        for task in self._tasks:
            task.cancel()

    def _accept(self, ticket: _Ticket[Any]) -> None:
        if self.is_closed:
            ticket.refuse()
            return
        task = self._group.create_task(ticket.perform())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(
            lambda _: ticket.refuse()
        )  # a task canceled before its first step never performs
